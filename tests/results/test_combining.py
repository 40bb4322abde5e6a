"""Stores of different machines make one store: what one collection of everything would have."""

import argparse
import errno
import json
import shutil
import string
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pandas as pd
import pytest
from asv_tree import benchmark, content_of, facts_2, plain_rows, result_file, row, write_source

from convbench.commands import combine as command
from convbench.errors import BadResults, BadUsage
from convbench.results import collect, combining, load, load_table, schema, write_table
from convbench.results.combining import combine
from convbench.results.shards import machine_of, shard_name, shard_states
from convbench.results.words import Words

MACHINES = ("a", "b", "c")
DAY_MS = 86_400_000


def measured(number: int, **top: object) -> str:
    """The result file of one commit: two values with samples, one failure."""
    results = {
        "time_x": row([float(number), None], [["'p'", "'q'"]], samples=[[1.0, 2.0], None]),
        "time_y": row([number / 7]),
    }
    date = 1_690_000_000_000 + number * DAY_MS
    return result_file(results, commit_hash=f"{number:040x}", date=date, **top)


@pytest.fixture
def results(tmp_path) -> Path:
    """A directory of two machines, and two measuring runs of a third one."""
    known = benchmark("time_x", ["strategy"]) | benchmark("time_y", [])
    files = {f"{machine}/{n}.json": measured(n) for machine in "ab" for n in range(1, 4)}
    write_source(tmp_path / "results/p", files, known, machine={"cpu": "plain"})
    for run in ("run-1", "run-2"):
        told = facts_2(run=run, machine="c", commit=f"{int(run[-1]):040x}")
        files = {"c/x.json": measured(int(run[-1]))}
        write_source(tmp_path / "results/runs" / run, files, known, facts=told)
    return tmp_path / "results"


@pytest.fixture
def whole(tmp_path, results) -> Path:
    collect(results, tmp_path / "whole")
    return tmp_path / "whole"


def collected(results: Path, machines: Iterable[str] = MACHINES, **options: object) -> list[Path]:
    """One store of each machine."""
    stores = [results.parent / "shards" / machine for machine in machines]
    for store in stores:
        collect(results, store, only_machines=store.name, **options)
    return stores


@pytest.fixture
def shards(results) -> list[Path]:
    return collected(results)


@pytest.fixture
def store(tmp_path) -> Path:
    return tmp_path / "deeper/store"


def rows_of(store: Path) -> list[tuple[object, ...]]:
    return plain_rows(load(store, samples=True).drop(columns="source"))


def test_it_has_the_rows_of_one_collection_of_everything(shards, whole, store):
    combine(shards, store)

    assert rows_of(store) == rows_of(whole)
    assert len(rows_of(store)) == 24


def test_it_has_the_small_tables_of_one_collection_of_everything(shards, whole, store):
    combine(shards, store)

    for name in schema.TABLES:
        pd.testing.assert_frame_equal(load_table(store, name), load_table(whole, name))


def test_the_order_of_the_stores_and_their_number_change_no_byte(shards, store, tmp_path):
    combine(shards, store)
    combine([*reversed(shards), *shards], tmp_path / "deeper/other")

    assert content_of(store) == content_of(tmp_path / "deeper/other")


def test_parts_are_the_same_files(shards, store):
    combine(shards, store)

    originals = {
        path.relative_to(shard): path for shard in shards for path in shard.glob("*/*/*/*.parquet")
    }
    parts = {path.relative_to(store): path for path in store.glob("*/*/*/*.parquet")}
    assert parts.keys() == originals.keys()
    assert all(path.samefile(originals[name]) for name, path in parts.items())


def test_parts_are_copied_where_there_are_no_links(shards, store, tmp_path, monkeypatch):
    combine(shards, store)

    def refuse(*_: object) -> None:
        raise OSError(errno.EXDEV, "other file system")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    combine(shards, tmp_path / "deeper/copied")

    assert content_of(tmp_path / "deeper/copied") == content_of(store)
    part = next((tmp_path / "deeper/copied").glob("values/*/*/*"))
    assert part.stat().st_nlink == 1


def test_every_source_of_every_store_has_an_entry_of_its_own(shards, store, results):
    combine(shards, store)

    sources = json.loads((store / "manifest.json").read_text())["sources"]
    places = sorted((store / key).resolve() for key in sources)
    directory = results / "p"  # of two machines, hence in two stores
    runs = [results / "runs/run-1", results / "runs/run-2"]
    assert places == [directory, directory, *runs]


def test_it_counts_what_it_did(shards, store):
    first = combine(shards, store)
    again = combine(shards, store)

    assert (first.stores, first.partitions, first.ok, first.failed) == (3, 3, 16, 8)
    assert (first.parts_linked, first.parts_unchanged) == (3, 0)
    assert (again.parts_linked, again.parts_unchanged) == (0, 3)


def test_nothing_is_written_when_nothing_changed(shards, store):
    combine(shards, store)
    before = {path: path.stat().st_mtime_ns for path in store.rglob("*")}

    combine(shards, store)

    assert {path: path.stat().st_mtime_ns for path in store.rglob("*")} == before


def test_what_changed_in_a_store_is_taken_over(results, shards, whole, store):
    combine(shards, store)
    (results / "p/b/4.json").write_text(measured(4))
    collect(results, shards[1], only_machines="b")
    collect(results, whole)

    done = combine(shards, store)

    assert rows_of(store) == rows_of(whole)
    assert (done.parts_linked, done.parts_unchanged) == (1, 2)
    assert load_table(store, "commits").equals(load_table(whole, "commits"))


def test_replaced_parts_go_with_the_next_combining(results, shards, store):
    combine(shards, store)
    (results / "p/b/4.json").write_text(measured(4))
    collect(results, shards[1], only_machines="b")

    combine(shards, store)
    beside = len(list(store.glob("values/*/*/*")))
    combine(shards, store)

    assert (beside, len(list(store.glob("values/*/*/*")))) == (4, 3)


def test_a_store_that_is_left_out_leaves_nothing_behind(shards, store):
    combine(shards, store)

    combine(shards[:1], store)

    assert set(load(store)["machine"]) == {"a"}
    assert load_table(store, "machines")["machine"].tolist() == ["a"]
    assert load_table(store, "runs").empty


def test_two_stores_with_a_machine_of_one_project_are_refused(results, shards, store, tmp_path):
    collect(results, tmp_path / "two", only_machines=["a", "b"])

    with pytest.raises(BadUsage, match=r"shards/b and .*two both have machine b of project p"):
        combine([shards[1], tmp_path / "two"], store)
    assert not store.exists()


def test_one_machine_of_two_projects_is_no_overlap(results, store, tmp_path):
    for project in ("one", "two"):
        collect(results / "p", tmp_path / project, project=project, only_machines="a")

    combine([tmp_path / "one", tmp_path / "two"], store)

    assert load(store).groupby("project").size().to_dict() == {"one": 9, "two": 9}


def test_a_store_of_an_older_schema_is_refused(shards, store, tmp_path):
    (tmp_path / "old").mkdir()
    (tmp_path / "old/manifest.json").write_text('{"schema_version": 2, "sources": {}}')

    with pytest.raises(BadUsage, match=r"old has schema version 2; `convbench collect` into it"):
        combine([*shards, tmp_path / "old"], store)


def test_what_is_no_store_is_refused(shards, store, tmp_path):
    with pytest.raises(BadResults, match="absent is no convbench store"):
        combine([*shards, tmp_path / "absent"], store)
    with pytest.raises(BadUsage, match="nothing to combine"):
        combine([], store)


def test_nothing_is_collected_into_a_combined_store(results, shards, store):
    combine(shards, store)
    before = content_of(store)

    with pytest.raises(BadUsage, match=r"was combined from other stores; collect into one of"):
        collect(results, store)
    assert content_of(store) == before


def test_a_collected_store_is_never_combined_into(shards, whole):
    before = content_of(whole)

    with pytest.raises(BadUsage, match="was collected into; expected a new folder"):
        combine(shards, whole)
    with pytest.raises(BadUsage, match="is one of those to combine"):
        combine(shards, shards[0])
    assert content_of(whole) == before


@pytest.mark.parametrize("path", ["../../outside.parquet", "values/../../a.parquet"])
def test_a_manifest_that_names_places_outside_is_refused(shards, store, path):
    manifest = json.loads((shards[0] / "manifest.json").read_text())
    manifest["parts"][0]["paths"]["values"] = path
    (shards[0] / "manifest.json").write_text(json.dumps(manifest))

    with pytest.raises(BadResults, match="is no part"):
        combine(shards, store)


def test_a_lost_part_is_one_line(shards, store):
    next(shards[0].glob("values/*/*/*")).unlink()

    with pytest.raises(BadResults, match=r"^\S+shards/a has no values/\S+ any more; [^\n]+$"):
        combine(shards, store)


class PowerCut(BaseException):
    pass


@pytest.mark.parametrize("place", ["_link", "_merged", "write_manifest"])
def test_one_that_dies_leaves_the_old_rows_and_the_next_one_goes_on(
    results, shards, whole, store, monkeypatch, place
):
    combine(shards, store)
    before = rows_of(store)
    (results / "p/b/4.json").write_text(measured(4))
    collect(results, shards[1], only_machines="b")
    collect(results, whole)

    def die(*_: object) -> None:
        raise PowerCut

    with monkeypatch.context() as patch:
        patch.setattr(combining, place, die)
        with pytest.raises(PowerCut):
            combine(shards, store)

    assert rows_of(store) == before
    combine(shards, store)
    combine(shards, store)
    assert rows_of(store) == rows_of(whole)
    assert len(list(store.glob("values/*/*/*"))) == 3


def test_a_first_one_that_dies_can_be_done_again(shards, store, monkeypatch):
    def die(*_: object) -> None:
        raise PowerCut

    with monkeypatch.context() as patch:
        patch.setattr(combining, "write_manifest", die)
        with pytest.raises(PowerCut):
            combine(shards, store)
    with pytest.raises(BadResults, match="no convbench store"):
        load(store)

    combine(shards, store)

    assert len(load(store)) == 24


def test_events_stay_until_the_content_changes(results, shards, store):
    examples = {schema.TEXT: "x", schema.NUMBER: 1.5, schema.COUNT: 3, schema.FLAG: True}
    event = {field.name: examples[field.type] for field in schema.SCHEMAS["events"]}
    write_table(shards[0], "events", pd.DataFrame([event]))
    combine(shards, store)
    assert load_table(store, "events").empty

    write_table(store, "events", pd.DataFrame([event | {"project": "p"}]))
    combine(shards, store)
    assert len(load_table(store, "events")) == 1

    (results / "p/b/4.json").write_text(measured(4))
    collect(results, shards[1], only_machines="b")
    combine(shards, store)
    assert load_table(store, "events").empty


def test_the_description_of_the_newer_results_stands(tmp_path, store):
    for number, (machine, code) in enumerate([("z", "old"), ("a", "new")], start=1):
        known = {"time_y": benchmark("time_y", [])["time_y"] | {"code": code}}
        source = write_source(tmp_path / machine / "p", {f"{machine}/x.json": measured(number)})
        (source / "benchmarks.json").write_text(json.dumps(known | {"version": 2}))
        collect(source, tmp_path / "shards" / machine)

    combine([tmp_path / "shards/z", tmp_path / "shards/a"], store)

    assert load_table(store, "benchmarks")["code"].tolist() == ["new"]


@pytest.fixture
def repo(tmp_path) -> Path:
    """A repository whose commits stand in another order than their dates."""
    path = tmp_path / "repo"

    def git(*words: str) -> str:
        own = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "tag.gpgsign=false")
        answer = subprocess.run(
            ["git", *own, "-C", str(path), *words], capture_output=True, text=True, check=True
        )
        return answer.stdout.strip()

    path.mkdir()
    git("init", "-q", "-b", "main")
    for number in (1, 2, 3):
        day = f"2023-08-0{4 - number}T00:00:00Z"
        git("commit", "-q", "--allow-empty", "-m", f"subject {number}", f"--date={day}")
    git("tag", "v1", "HEAD~1")
    return path


@pytest.fixture
def of_repo(tmp_path, repo) -> Path:
    """Results of the repository's commits: of all of them on one machine, of two on another."""
    listed = ["git", "-C", str(repo), "log", "--format=%H %at"]
    found = subprocess.run(listed, capture_output=True, text=True, check=True).stdout.split()
    files = {}
    for place, (commit, date) in enumerate(zip(found[::2], found[1::2], strict=True)):
        text = result_file({"a": row([1.0])}, commit_hash=commit, date=int(date) * 1000)
        files |= {f"{machine}/{place}.json": text for machine in ("ab" if place else "a")}
    return write_source(tmp_path / "q", files)


def test_with_a_repository_commits_stand_as_one_collection_puts_them(of_repo, repo, store):
    collect(of_repo, of_repo.parent / "whole", repo=repo)

    combine(collected(of_repo, "ab"), store, repo=repo)

    commits = load_table(store, "commits").sort_values("position")
    assert commits["subject"].tolist() == ["subject 1", "subject 2", "subject 3"]
    assert commits["commit_date"].is_monotonic_decreasing
    pd.testing.assert_frame_equal(
        load_table(store, "commits"), load_table(of_repo.parent / "whole", "commits")
    )


@pytest.mark.parametrize("knowing", ["a", "b"])
def test_what_one_store_knows_of_git_is_kept(of_repo, repo, store, knowing):
    shards = [
        *collected(of_repo, "ab".replace(knowing, "")),
        *collected(of_repo, knowing, repo=repo),
    ]

    combine(shards, store)

    told = load_table(shards[-1], "commits").set_index("commit")
    kept = load_table(store, "commits").set_index("commit").loc[told.index]
    for name in ("parents", "subject", "author", "tags", "branches"):
        assert kept[name].map(repr).tolist() == told[name].map(repr).tolist()
    assert "v1" in [tag for tags in kept["tags"] for tag in tags]
    assert (
        load_table(store, "commits").sort_values("position")["commit_date"].is_monotonic_increasing
    )


def test_only_the_named_machines_are_read(results, whole, tmp_path):
    summary = collect(results, tmp_path / "some", only_machines=["a", "c"])

    own = load(whole)
    own = own[own["machine"] != "b"]
    assert rows_of(tmp_path / "some") == plain_rows(
        load(whole, samples=True, machine=["a", "c"]).drop(columns="source")
    )
    assert len(load(tmp_path / "some")) == len(own)
    assert (summary.sources_read, summary.files_read) == (3, 5)
    assert load_table(tmp_path / "some", "machines")["machine"].tolist() == ["c", "a"]


def test_what_was_collected_of_other_machines_stays(results, whole, tmp_path):
    for machine in MACHINES:
        collect(results, tmp_path / "one", only_machines=machine)

    assert rows_of(tmp_path / "one") == rows_of(whole)


def test_an_unknown_machine_is_refused_with_those_that_there_are(results, store):
    with pytest.raises(BadUsage, match=r"--only-machine: no machine 'd'; there are a, b, c$"):
        collect(results, store, only_machines=["a", "d"])
    assert not store.exists()


@pytest.mark.parametrize("name", ["a", "new"])
def test_a_renamed_machine_has_both_names(results, store, name):
    collect(results, store, only_machines=[name], words=Words(machines={"a": "new"}))

    assert set(load(store)["machine"]) == {"new"}


def test_two_folders_of_one_machine_are_both_read_by_its_name_of_today(results, store):
    words = Words(machines={"a": "b"})

    collect(results, store, only_machines=["b"], words=words)

    assert len(load(store, machine="b")) == 18


def test_files_of_other_tools_have_no_folders_to_choose(results, store, tmp_path):
    foreign = {"benchmarks": [], "machine_info": {}, "commit_info": {}, "version": "5"}
    (tmp_path / "other.json").write_text(json.dumps(foreign))

    with pytest.raises(BadUsage, match=r"other\.json is a file of another tool"):
        collect([results, tmp_path / "other.json"], store, only_machines=["a"])


PLAIN = {*string.ascii_letters, *string.digits, *"=._~-"}
NAMES = ("box", "big box", "a/b,c=d", "=20", "%20", "ü'\"{x}", "..-~_")


def test_names_of_shards_are_plain_and_tell_all_machines_apart():
    spelled = [shard_name(name) for name in NAMES]

    assert list(map(machine_of, spelled)) == list(NAMES)
    assert spelled[0] == "box"
    assert all(set(name) <= PLAIN for name in spelled)


def states(results: Path, words: Words | None = None) -> dict[str, str]:
    return shard_states([results], words or Words())


def test_the_state_of_a_shard_is_that_of_its_machine_s_files(results):
    first = states(results)
    assert first == states(results)
    assert set(first) == set(MACHINES)

    (results / "p/b/4.json").write_text(measured(4))

    assert {name for name, state in states(results).items() if state != first[name]} == {"b"}


def test_a_copy_that_keeps_an_older_time_changes_the_state(results, tmp_path):
    first = states(results)
    older = results / "p/a/1.json"
    shutil.copy2(older, tmp_path / "copy")

    shutil.copy2(tmp_path / "copy", results / "p/a/0.json")
    second = states(results)
    shutil.copy2(tmp_path / "copy", older)

    assert first["a"] != second["a"] != states(results)["a"]


def test_what_a_directory_says_changes_all_of_its_machines(results):
    first = states(results)

    (results / "p/benchmarks.json").write_text("{}")

    assert {name for name, state in states(results).items() if state != first[name]} == {"a", "b"}


def test_a_renamed_machine_has_one_shard(results):
    assert set(states(results, Words(machines={"a": "b"}))) == {"b", "c"}


def run(*words: str | Path) -> list[str]:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    said: list[str] = []
    assert command.run(parser.parse_args([str(word) for word in words]), said.append) == 0
    return said


def test_the_command_sums_up(shards, store):
    assert run(*shards, "--store", store) == [
        "stores: 3 combined; partitions: 3; parts: 3 linked, 0 unchanged; "
        "rows: 16 ok, 8 failed, 0 skipped"
    ]


def test_the_command_writes_one_object(shards, store):
    (line,) = run(*shards, "--store", store, "--json")

    assert json.loads(line)["partitions"] == 3
