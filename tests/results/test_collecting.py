"""Collecting: what is read again, what is kept, what is refused."""

import json
import shutil
from pathlib import Path

import pytest
from asv_tree import COMMIT, NAN, benchmark, content_of, facts, result_file, row, write_source

from convbench.errors import BadResults, BadUsage
from convbench.results import collect, load, load_table


@pytest.fixture
def results(tmp_path) -> Path:
    """Two machines, three files: 2 ok, 1 failed, 1 skipped on m; 1 ok on other."""
    files = {
        "m/aaaaaaaa-py.json": result_file({"a": row([1.0, None], [["1", "2"]])}),
        "m/bbbbbbbb-py.json": result_file(
            {"a": row([2.0, NAN], [["1", "2"]])}, commit_hash="b" * 40, date=1_700_000_000_000
        ),
        "other/aaaaaaaa-py.json": result_file({"a": row([9.0, 8.0], [["1", "2"]])}),
    }
    return write_source(tmp_path / "project" / "results", files, benchmark("a", ["n"]))


@pytest.fixture
def store(tmp_path) -> Path:
    return tmp_path / "store"


def counts(summary) -> tuple[int, ...]:
    return (
        summary.files_read,
        summary.files_unchanged,
        summary.ok,
        summary.failed,
        summary.skipped,
    )


def parts(store: Path) -> dict[str, int]:
    return {str(p.relative_to(store)): p.stat().st_mtime_ns for p in store.glob("values/*/*/*")}


def test_every_file_is_read_once(results, store):
    first = collect(results, store)
    before = parts(store)
    second = collect(results, store)

    assert counts(first) == (3, 0, 4, 1, 1)
    assert counts(second) == (0, 3, 4, 1, 1)
    assert (second.sources_read, second.sources_unchanged) == (0, 1)
    assert parts(store) == before


def test_a_touched_file_with_the_same_bytes_is_unchanged(results, store):
    collect(results, store)
    (results / "m/aaaaaaaa-py.json").touch()

    assert counts(collect(results, store)) == (0, 3, 4, 1, 1)


def test_a_new_file_is_read_alone_and_other_machines_keep_their_part(results, store):
    collect(results, store)
    other = {k: v for k, v in parts(store).items() if "machine=other" in k}
    (results / "m/cccccccc-py.json").write_text(
        result_file({"a": row([5.0, 6.0], [["1", "2"]])}, commit_hash="c" * 40)
    )

    summary = collect(results, store)

    assert counts(summary) == (1, 3, 6, 1, 1)
    assert other.items() <= parts(store).items()
    assert load(store, commit="c" * 40)["value"].tolist() == [5.0, 6.0]


def test_growing_a_store_gives_the_bytes_of_a_fresh_one(results, store, tmp_path):
    late = results / "m/aaaaaaaa-py.json"
    text = late.read_text()
    late.unlink()
    collect(results, store)
    late.write_text(text)
    collect(results, store)
    collect(results, store)  # removes the replaced part

    collect(results, tmp_path / "fresh")

    assert content_of(store) == content_of(tmp_path / "fresh")


def test_a_changed_file_replaces_its_rows(results, store):
    collect(results, store)
    (results / "m/aaaaaaaa-py.json").write_text(result_file({"a": row([7.0], [["1"]])}))

    collect(results, store)

    values = load(store, source="m/aaaaaaaa-py.json")
    assert values["value"].tolist() == [7.0]
    assert len(load(store)) == 5


def test_rows_of_vanished_files_machines_and_sources_stay(results, store, tmp_path):
    collect(results, store)
    (results / "m/aaaaaaaa-py.json").unlink()
    shutil.rmtree(results / "other")
    (results / "m/cccccccc-py.json").write_text(result_file({"a": row([5.0], [["1"]])}))
    collect(results, store)
    elsewhere = write_source(tmp_path / "p2", {"m/x.json": result_file({"z": row([1.0])})})
    shutil.rmtree(results)

    collect(elsewhere, store)

    assert len(load(store)) == 8
    assert set(load(store)["machine"]) == {"m", "other"}


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\x00\xff\xfe binary \x80", b"null", b"1" * 5000, b'{"version": 2, "results":'],
    ids=["empty", "truncated", "binary", "null", "huge integer", "cut"],
)
def test_a_damaged_file_is_named_skipped_and_the_rest_collected(results, store, content):
    (results / "m/bad.json").write_bytes(content)
    said = []

    summary = collect(results, store, say=said.append)

    assert counts(summary) == (3, 0, 4, 1, 1)
    assert summary.damaged == tuple(said)
    assert len(said) == 1
    assert str(results / "m/bad.json") in said[0]
    assert "\n" not in said[0]


def test_a_file_damaged_later_keeps_its_rows_and_is_named_each_time(results, store):
    collect(results, store)
    (results / "m/aaaaaaaa-py.json").write_text("{")

    again = [collect(results, store) for _ in range(2)]

    assert [len(summary.damaged) for summary in again] == [1, 1]
    assert [counts(summary) for summary in again] == [(0, 2, 4, 1, 1)] * 2
    assert len(load(store, source="m/aaaaaaaa-py.json")) == 2


def test_damaged_benchmarks_lose_names_but_no_rows_and_are_mended(results, store):
    good = (results / "benchmarks.json").read_text()
    (results / "benchmarks.json").write_text("{")
    first = collect(results, store)
    unnamed = load(store)
    (results / "benchmarks.json").write_text(good)

    second = collect(results, store)

    assert (counts(first)[0], len(first.damaged)) == (3, 1)
    assert list(unnamed["params"].iloc[0]) == ["param1"]
    assert (counts(second)[0], len(second.damaged)) == (3, 0)
    assert list(load(store)["params"].iloc[0]) == ["n"]


def test_benchmarks_that_asv_forgot_are_kept(results, store):
    collect(results, store)
    (results / "benchmarks.json").write_text(json.dumps(benchmark("new", [])))

    collect(results, store)

    assert load_table(store, "benchmarks")["benchmark"].tolist() == ["a", "new"]
    assert set(load(store)["unit"]) == {"seconds"}


@pytest.mark.parametrize("kind", ["empty", "absent", "file"])
def test_a_path_without_results_is_one_clear_line_and_touches_nothing(tmp_path, store, kind):
    path = tmp_path / "nothing"
    if kind == "empty":
        path.mkdir()
    if kind == "file":
        path.touch()

    with pytest.raises(BadResults, match=r"nothing.*benchmarks\.json"):
        collect(path, store)

    assert not store.exists()


def test_nothing_but_damage_is_an_error(tmp_path, store):
    source = write_source(tmp_path / "s", {"m/x.json": '{"results": {}}'})

    with pytest.raises(BadResults, match=r"nothing could be read.*format 1"):
        collect(source, store)


def test_runs_below_a_folder_are_found_and_named_by_their_facts(tmp_path, store):
    text = result_file({"a": row([1.0])}, env_vars={"CONVBENCH_BLAS": "openblas"})
    for run in ("run-1", "run-2"):
        write_source(tmp_path / "runs" / run, {"m/a.json": text}, facts=facts(run=run))
    write_source(tmp_path / "runs" / ".unfinished", {"m/a.json": text})

    collect(tmp_path / "runs", store, project="not asked for")

    values = load(store)
    assert values["run"].tolist() == ["run-1", "run-2"]
    assert set(values["project"]) == {"convbench"}
    assert set(values["blas_identity"]) == {"OpenBLAS 0.3.31 Haswell"}


def test_a_source_given_twice_is_read_once(results, store):
    summary = collect([results, results.parent, results / "../results"], store)

    assert (summary.sources_read, len(load(store))) == (1, 6)


@pytest.mark.parametrize(
    ("folder", "name"),
    [("tool/results", "tool"), ("tool/.asv/results", "tool"), ("tool/mine", "mine")],
)
def test_a_project_is_named_after_the_folder_that_says_something(tmp_path, store, folder, name):
    source = write_source(tmp_path / folder, {"m/a.json": result_file({"a": row([1.0])})})

    collect(source, store)

    assert set(load(store)["project"]) == {name}


def test_another_project_name_moves_all_rows(results, store):
    collect(results, store)
    (results / "m/aaaaaaaa-py.json").unlink()

    collect(results, store, project="renamed")

    assert len(load(store)) == len(load(store, project="renamed")) == 6
    assert set(load_table(store, "commits")["project"]) == {"renamed"}


def test_hostile_names_stay_text(tmp_path, store):
    name = "../<script>alert(1)</script>\x00\n'\"=% é"
    text = result_file({name: row([1.0], [[repr(name)]])}, env_name=name)
    source = write_source(tmp_path / "s", {"a=b, c?#/x.json": text}, benchmark(name, [name]))

    collect(source, store, project="../../.." + "long" * 100)

    (only,) = load(store).to_dict("records")
    assert (only["benchmark"], only["environment"], only["machine"]) == (name, name, "a=b, c?#")
    assert only["params"] == {name: name}
    assert only["project"] == "../../.." + "long" * 100
    assert {p.parent for p in tmp_path.rglob("*.parquet")} >= {store}
    assert all(p.is_relative_to(store) for p in tmp_path.rglob("*.parquet"))


def test_samples_join_row_by_row(tmp_path, store):
    text = result_file({"a": row([1.0, 2.0], [["1", "2"]], samples=[[1.0, 1.5], None])})
    write_source(tmp_path / "s/with", {"m/a.json": text})
    write_source(tmp_path / "s/without", {"m/a.json": result_file({"b": row([3.0])})})
    collect(tmp_path / "s", store)

    samples = load(store, samples=True)["samples"]

    assert [None if s is None else list(s) for s in samples] == [[1.0, 1.5], None, None]
    assert "samples" not in load(store)


def test_load_keeps_what_the_filters_name(results, store):
    collect(results, store)

    assert len(load(store, machine="other")) == 2
    assert len(load(store, commit=COMMIT, status=["ok", "failed"])) == 4
    assert len(load(store, machine="absent")) == 0
    assert load(store, machine="absent").dtypes.equals(load(store).dtypes)


def test_a_filter_that_names_no_column_lists_the_columns(results, store):
    collect(results, store)

    with pytest.raises(BadUsage, match=r"'branch'.*project, machine"):
        load(store, branch="main")


def test_the_same_inputs_give_the_same_bytes_everywhere(results, tmp_path):
    copy = shutil.copytree(results.parent, tmp_path / "copy/project")

    collect(results, tmp_path / "store")
    collect(copy / "results", tmp_path / "copy/store")

    assert content_of(tmp_path / "store") == content_of(tmp_path / "copy/store")
