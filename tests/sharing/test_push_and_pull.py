"""What is pushed is pulled, once, by everybody, in every kind of place."""

import json
import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shared_runs import (
    Counting,
    MemoryPlace,
    files_below,
    rows_in,
    write_results,
    write_run,
)

from convbench import cli
from convbench.results.collection import say_nothing
from convbench.sharing import open_place, pull, push


def pushed(place, *paths: Path) -> list[str]:
    return push(paths, place, say=say_nothing).pushed


def test_a_run_comes_back_under_its_own_name_byte_for_byte(place_text, tmp_path):
    for number in range(3):
        write_run(tmp_path / "runs", number)

    pushed(open_place(place_text), tmp_path / "runs")
    done = pull(open_place(place_text), tmp_path / "there")

    assert done.refused == []
    assert files_below(tmp_path / "there") == files_below(tmp_path / "runs")


def test_pushing_twice_pushes_once(place_text, tmp_path):
    write_run(tmp_path / "runs", 1)
    write_results(tmp_path / "p/results", "ci", {1: 1.0})
    both = (tmp_path / "runs", tmp_path / "p/results")

    first = pushed(open_place(place_text), *both)
    names = open_place(place_text).names()
    again = push(both, open_place(place_text), say=say_nothing)

    assert len(first) == 2
    assert again.pushed == []
    assert again.unchanged == 2
    assert again.text.startswith("nothing new for ")
    assert open_place(place_text).names() == names


def test_of_a_directory_that_grows_only_new_content_goes(place_text, tmp_path):
    results = write_results(tmp_path / "p/results", "ci", {1: 1.0, 2: 2.0})
    pushed(open_place(place_text), results)
    write_results(results, "ci", {2: 20.0, 3: 3.0})

    (bundle,) = pushed(open_place(place_text), results)
    pull(open_place(place_text), tmp_path / "there")

    assert {path for path in files_below(tmp_path / "there" / bundle) if "-py" in path} == {
        "ci/00000002-py.json",
        "ci/00000003-py.json",
    }
    assert {value for *_, value in rows_in(tmp_path / "there", tmp_path / "store")} == {
        *(1.0, 2.0, 20.0, 3.0)
    }


def test_pulled_results_belong_to_the_project_that_they_were_pushed_from(place_text, tmp_path):
    from convbench.results import load

    pushed(open_place(place_text), write_results(tmp_path / "numpy/results", "ci", {1: 1.0}))
    pull(open_place(place_text), tmp_path / "there")
    rows_in(tmp_path / "there", tmp_path / "store")

    assert set(load(tmp_path / "store")["project"]) == {"numpy"}


def test_a_renamed_copy_of_a_run_is_the_same_run(place_text, tmp_path):
    run = write_run(tmp_path / "runs", 1)
    shutil.copytree(run, tmp_path / "copies/renamed")
    pushed(open_place(place_text), tmp_path / "runs")

    assert pushed(open_place(place_text), tmp_path / "copies") == []


def test_the_same_content_under_two_names_is_pulled_once(tmp_path):
    run = write_run(tmp_path / "runs", 1)
    shutil.copytree(run, tmp_path / "copies/renamed")
    for name in ("runs", "copies"):  # at once: neither has seen the other
        pushed(open_place(str(tmp_path / f"place-{name}")), tmp_path / name)
    shutil.copytree(tmp_path / "place-runs", tmp_path / "place")
    shutil.copytree(tmp_path / "place-copies", tmp_path / "place", dirs_exist_ok=True)

    first = pull(open_place(str(tmp_path / "place")), tmp_path / "there")

    assert (len(first.pulled), first.unchanged) == (1, 1)
    assert pull(open_place(str(tmp_path / "place")), tmp_path / "there").unchanged == 2


def test_a_second_run_of_the_same_name_does_not_replace_the_first(place_text, tmp_path):
    for folder, value in (("a", 1), ("b", 2)):
        run = write_run(tmp_path / folder, 1)
        (run / "asv.log").write_text(f"run {value}\n")
        pushed(open_place(place_text), tmp_path / folder)

    done = pull(open_place(place_text), tmp_path / "there")

    assert len(done.pulled) == 2
    logs = {path.read_text() for path in (tmp_path / "there").glob("*/asv.log")}
    assert logs == {"run 1\n", "run 2\n"}
    assert pull(open_place(place_text), tmp_path / "there").pulled == []


def test_runs_that_are_here_are_not_pulled(place_text, tmp_path):
    write_run(tmp_path / "runs", 1)
    pushed(open_place(place_text), tmp_path / "runs")
    write_run(tmp_path / "others", 2)
    pushed(open_place(place_text), tmp_path / "others")

    done = pull(open_place(place_text), tmp_path / "runs")

    assert (done.pulled, done.unchanged) == (["m-0002"], 1)
    assert pushed(open_place(place_text), tmp_path / "runs") == []


def test_a_second_pull_reads_what_is_new_and_nothing_else(place_text, tmp_path):
    for number in range(20):
        write_run(tmp_path / "runs", number)
    pushed(open_place(place_text), tmp_path / "runs")
    first, second = Counting(open_place(place_text)), Counting(open_place(place_text))
    pull(first, tmp_path / "there")
    write_run(tmp_path / "runs", 20)
    (new,) = pushed(open_place(place_text), tmp_path / "runs")

    done = pull(second, tmp_path / "there")

    assert len(first.reads) == 20 * 6
    assert sorted(second.reads) == [
        f"{new}/{path}"
        for path in (
            *("asv.log", "benchmarks.json", "facts.json", "m/00000020-py.json"),
            *("m/machine.json", "manifest.json"),
        )
    ]
    assert second.bytes < first.bytes / 15
    assert done.unchanged == 20


def test_what_was_pulled_from_one_place_can_be_pushed_to_another(place_text, tmp_path):
    write_run(tmp_path / "runs", 1)
    write_results(tmp_path / "p/results", "ci", {1: 1.0})
    pushed(open_place(place_text), tmp_path / "runs", tmp_path / "p/results")
    pull(open_place(place_text), tmp_path / "there")
    second = open_place(str(tmp_path / "second"))

    pushed(second, tmp_path / "there")

    assert second.names() == open_place(place_text).names()


def test_a_bundle_without_its_manifest_is_not_there(tmp_path):
    run = write_run(tmp_path / "runs", 1)
    place = open_place(str(tmp_path / "shared"))
    (bundle,) = pushed(place, run)
    (tmp_path / "shared" / bundle / "manifest.json").unlink()

    done = pull(place, tmp_path / "there")

    assert (done.pulled, done.refused) == ([], [])
    assert files_below(tmp_path / "there") == {}


def test_half_an_upload_is_not_collected_and_can_be_completed(request, tmp_path):
    from shared_places import make_place

    run = write_run(tmp_path / "runs", 1)
    place = open_place(make_place("s3", request, tmp_path))
    (bundle,) = pushed(place, run)
    key = f"results/{bundle}/manifest.json"
    place.client.delete_object(Bucket=place.bucket, Key=key)

    assert pull(place, tmp_path / "there").pulled == []
    assert pushed(place, run) == [bundle]
    assert pull(place, tmp_path / "there").pulled == [run.name]


def test_a_file_that_asv_is_writing_is_not_pushed(tmp_path, capsys):
    results = write_results(tmp_path / "p/results", "ci", {1: 1.0, 2: 2.0})
    half = results / "ci/00000002-py.json"
    whole = half.read_text()
    half.write_text(whole[: len(whole) // 2])
    words = ["push", str(results), "--place", str(tmp_path / "shared")]

    assert cli.main(words) == 2
    assert "ci/00000002-py.json: no complete JSON" in capsys.readouterr().out
    half.write_text(whole)
    assert cli.main(words) == 0

    pull(open_place(str(tmp_path / "shared")), tmp_path / "there")
    assert len(rows_in(tmp_path / "there", tmp_path / "store")) == 2


def test_the_place_of_the_project_is_the_default(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write_run(tmp_path / "results/runs", 1)

    assert cli.main(["push", "results/runs"]) == 2
    assert "[shared] place" in capsys.readouterr().err
    (tmp_path / "convbench.toml").write_text('[shared]\nplace = "team"\n')
    assert cli.main(["push", "results/runs", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["place"] == "team"
    assert cli.main(["pull", "there", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["pulled"] == ["m-0001"]
    assert cli.main(["collect", "there", "--store", "store"]) == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[shared]\nplce = "x"', "[shared] must be a table with the one key place"),
        ("[shared]\nplace = 3", "[shared] place = 3: expected a folder, git+https"),
        ("shared = 3", "[shared] must be a table"),
        ("[shared", "expected TOML"),
    ],
)
def test_a_wrong_configuration_is_told(tmp_path, monkeypatch, capsys, text, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "convbench.toml").write_text(text)

    assert cli.main(["pull", "there"]) == 2
    assert message in capsys.readouterr().err


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_every_puller_has_the_union_whatever_the_order(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("law")
    place = MemoryPlace()
    machines = data.draw(st.integers(1, 4), "machines")
    for machine in range(machines):
        for number in range(data.draw(st.integers(1, 3), "runs")):
            write_run(folder / f"host-{machine}", number, f"m{machine}")
    hosts = [folder / f"host-{machine}" for machine in range(machines)]
    own = {run.name for host in hosts for run in host.iterdir()}
    steps = [*hosts, *data.draw(st.lists(st.sampled_from(hosts), max_size=4), "again")]
    for host in data.draw(st.permutations(steps), "order"):
        push([host], place, say=say_nothing)
        if data.draw(st.booleans(), "pull"):
            pull(place, host)
    for host in hosts:
        pull(place, host)

    stores = [files_below(host) for host in hosts]
    assert {path.split("/")[0] for path in stores[0]} == own
    assert all(store == stores[0] for store in stores)
