"""Files of other tools in folders: found, named when damaged, kept by commit."""

import json
from pathlib import Path

import pytest
from asv_tree import result_file, row, write_source

from convbench.errors import BadResults
from convbench.results import collect, load
from convbench.results.adapters import Origin


def suite(value: float, samples: int = 30) -> str:
    values = [value + i / 1000 for i in range(samples)]
    run = {"values": values, "metadata": {"date": "2024-05-01 10:00:00", "hostname": "h"}}
    benchmark = {"metadata": {"name": "bench"}, "runs": [run]}
    about = {"unit": "second", "loops": 1, "hostname": "h"}
    return json.dumps({"version": "1.0", "metadata": about, "benchmarks": [benchmark]})


@pytest.fixture
def store(tmp_path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def folder(tmp_path) -> Path:
    (tmp_path / "tool").mkdir()
    return tmp_path / "tool"


def at(commit: str, day: int) -> Origin:
    return Origin(commit * 40, 1_700_000_000_000 + day * 86_400_000)


def test_a_file_that_is_written_anew_for_each_commit_becomes_a_history(folder, store):
    for day, commit in enumerate("123"):
        (folder / "bench.json").write_text(suite(float(commit)))
        collect(folder / "bench.json", store, origin=at(commit, day))

    values = load(store).sort_values("commit_date")
    assert values["commit"].str[0].tolist() == ["1", "2", "3"]
    assert values["value"].astype(int).tolist() == [1, 2, 3]


def test_in_a_folder_that_gains_a_file_per_commit_the_others_keep_theirs(folder, store):
    said = []
    for day, commit in enumerate("123"):
        (folder / f"{commit}.json").write_text(suite(float(commit)))
        summary = collect(folder, store, origin=at(commit, day), say=said.append)

    assert load(store).sort_values("value")["commit"].str[0].tolist() == ["1", "2", "3"]
    assert (summary.files_read, summary.files_unchanged) == (1, 2)
    assert said[-1] == f"{folder}/2.json: unchanged, of 222222222222"


def test_the_newest_commits_keep_their_samples(folder, store):
    for day, commit in enumerate("123"):
        (folder / "bench.json").write_text(suite(float(commit)))
        collect(folder / "bench.json", store, origin=at(commit, day), keep_samples=1)

    values = load(store, samples=True).sort_values("commit_date")
    assert [None if one is None else len(one) for one in values["samples"]] == [None, None, 30]


def test_a_damaged_file_is_named_and_strangers_are_passed_over(folder, store):
    (folder / "good.json").write_text(suite(1.0))
    (folder / "cut.json").write_text(suite(1.0)[:-100])
    (folder / "package.json").write_text('{"name": "x"}')
    (folder / "notes.json").write_text("{ // no JSON")

    summary = collect(folder, store, origin=at("1", 1))

    assert len(load(store)) == 1
    assert [line.split(": skipped")[0] for line in summary.damaged] == [f"{folder}/cut.json"]


@pytest.mark.parametrize(
    ("text", "reason"), [("{", "no complete JSON"), ('{"a": 1}', "no file of another tool")]
)
def test_a_file_that_was_given_by_name_and_is_none_says_why(folder, store, text, reason):
    (folder / "bench.json").write_text(text)

    with pytest.raises(BadResults, match=rf"bench\.json: {reason}"):
        collect(folder / "bench.json", store)

    assert not store.exists()


def test_asv_s_results_and_others_beside_them_are_both_found(folder, store):
    write_source(folder / "results", {"m/a.json": result_file({"a": row([1.0])})})
    (folder / "py").mkdir()
    (folder / "py/bench.json").write_text(suite(2.0))

    collect(folder, store, origin=at("1", 1))

    assert sorted(load(store)["benchmark"]) == ["a", "bench"]
