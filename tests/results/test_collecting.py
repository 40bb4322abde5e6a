"""Collecting: what is read again, what is kept, what is refused."""

import json
import os
import shutil
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from asv_tree import (
    COMMIT,
    NAN,
    benchmark,
    content_of,
    facts,
    plain_rows,
    result_file,
    row,
    source_in,
    write_source,
)
from pandas.testing import assert_frame_equal

from convbench.errors import BadResults, BadUsage
from convbench.results import (
    building,
    collect,
    dataset,
    load,
    load_table,
    partition,
    raw_files,
    scan,
    schema,
)
from convbench.results.partition import FileRecord


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

    values = load(store, source=source_in(store, results / "m/aaaaaaaa-py.json"))
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
    assert len(load(store, source=source_in(store, results / "m/aaaaaaaa-py.json"))) == 2


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
    source = write_source(tmp_path / "s", {"m/x.json": result_file({}, version=3)})

    with pytest.raises(BadResults, match=r"nothing could be read.*reads formats 1 and 2"):
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


@pytest.mark.parametrize("gone", ["m/aaaaaaaa-py.json", "m/bbbbbbbb-py.json", "*/*-py.json"])
def test_another_project_name_takes_along_what_is_known_of_files_that_are_gone(
    results, store, gone
):
    collect(results, store)
    tables = ("commits", "environments", "benchmarks", "machines")
    before = {name: load_table(store, name) for name in tables}
    for path in results.glob(gone):
        path.unlink()

    collect(results, store, project="renamed")

    for name, known in before.items():
        assert_frame_equal(load_table(store, name), known.assign(project="renamed"))


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


def test_a_source_is_named_relative_to_the_store(results, store):
    collect(results, store)

    assert sorted(set(load(store)["source"])) == [
        "../project/results/m/aaaaaaaa-py.json",
        "../project/results/m/bbbbbbbb-py.json",
        "../project/results/other/aaaaaaaa-py.json",
    ]


def test_rows_of_a_machine_are_in_order_of_benchmark_params_environment_and_date(tmp_path, store):
    for place, date in (("one", 3), ("two", 1), ("three", 2)):
        for environment in ("y", "x"):
            text = result_file(
                {"b": row([1.0]), "a": row([1.0, 2.0], [["2", "1"]])},
                env_name=environment,
                date=date,
                commit_hash=f"{date}" * 40,
            )
            write_source(tmp_path / "p" / place, {f"m/{environment}.json": text})

    collect(tmp_path / "p", store, project="p")

    values = load(store)
    keys = [
        (row["benchmark"], tuple(row["params"].items()), row["environment"], row["commit_date"])
        for row in values.to_dict("records")
    ]
    assert len(keys) == 18
    assert keys == sorted(keys)


def test_results_directories_of_one_machine_share_a_part(tmp_path, store):
    for place in "abc":
        write_source(tmp_path / "p" / place, {"m/a.json": result_file({"a": row([1.0])})})

    collect(tmp_path / "p", store, project="p")

    assert len(parts(store)) == 1
    assert len(load(store)) == 3


# Damage is remembered.


def test_a_damaged_file_is_not_read_again_before_it_changes_and_named_each_time(
    results, store, monkeypatch
):
    (results / "m/bad.json").write_text("{")
    first = collect(results, store)
    opened = _opened_files(monkeypatch)

    again = collect(results, store)

    assert first.damaged == again.damaged
    assert len(again.damaged) == 1
    assert opened.count(results / "m/bad.json") <= 1  # to take its hash, once
    opened.clear()
    collect(results, store)
    assert results / "m/bad.json" not in opened


def _opened_files(monkeypatch) -> list[Path]:
    """Every path that is opened by its number from now on."""
    opened: list[Path] = []
    plain = os.open

    def recorded(path, *args, **options):
        opened.append(Path(os.fsdecode(path)))
        return plain(path, *args, **options)

    monkeypatch.setattr(os, "open", recorded)
    return opened


DAMAGE, MADE_WITH = (
    [field.name for field in fields(FileRecord)].index(name) for name in ("damage", "made_with")
)


def test_a_damaged_file_is_tried_again_by_other_readers_only(results, store):
    (results / "m/bad.json").write_text(result_file({"a": row([5.0], [["1"]])}, version=3))
    collect(results, store)
    manifest = json.loads((store / "manifest.json").read_text())
    for part in manifest["parts"]:
        for file in part["files"]:
            file[DAMAGE] = file[DAMAGE] and "odd"
    said = []

    for other in (False, True):
        for file in manifest["parts"][0]["files"]:
            file[MADE_WITH] += "x" * other
        (store / "manifest.json").write_text(json.dumps(manifest))
        said += collect(results, store).damaged

    shown = f"{results}/m/bad.json: skipped, "
    assert said[0] == f"{shown}odd"
    assert said[1].startswith(f"{shown}asv's format 3")


def test_a_mended_file_is_read(results, store):
    (results / "m/bad.json").write_text("{")
    collect(results, store)
    (results / "m/bad.json").write_text(result_file({"a": row([5.0], [["1"]])}))

    summary = collect(results, store)

    assert (summary.files_read, summary.damaged) == (1, ())
    assert 5.0 in load(store)["value"].tolist()


# What benchmarks.json changes.


@pytest.mark.parametrize(
    ("described", "read"),
    [
        (benchmark("a", ["n"]) | {"a": {**benchmark("a", ["n"])["a"], "code": "new"}}, 0),
        (benchmark("a", ["n"]) | benchmark("new", []), 0),
        (benchmark("new", []), 0),
        (benchmark("a", ["n"], unit="bytes"), 3),
        (benchmark("a", ["size"]), 3),
    ],
    ids=["other code", "one more", "forgotten", "other unit", "other parameter"],
)
def test_old_files_are_read_again_only_where_a_label_of_theirs_changed(
    results, store, described, read
):
    collect(results, store)
    (results / "benchmarks.json").write_text(json.dumps(described))

    summary = collect(results, store)

    assert summary.files_read == read
    about = described.get("a", benchmark("a", ["n"])["a"])
    assert set(load(store)["unit"]) == {about["unit"]}
    assert {tuple(params) for params in load(store)["params"]} == {tuple(about["param_names"])}


def test_old_files_are_read_again_when_a_benchmark_of_theirs_is_first_described(results, store):
    (results / "m/cccccccc-py.json").write_text(result_file({"late": row([1.0], [["1"]])}))
    collect(results, store)
    described = benchmark("a", ["n"]) | benchmark("late", ["k"])
    (results / "benchmarks.json").write_text(json.dumps(described))

    summary = collect(results, store)

    assert summary.files_read == 1
    assert load(store, benchmark="late")["params"].tolist() == [{"k": "1"}]
    assert collect(results, store).files_read == 0


@pytest.mark.parametrize("change", ["first described", "other unit"])
def test_a_source_learns_what_another_one_said_meanwhile(tmp_path, store, change):
    text = {"m/a.json": result_file({"a": row([1.0], [["1"]])})}
    old = benchmark("a", ["k"], unit="bytes") if change == "other unit" else {}
    one = write_source(tmp_path / "one", text, old)
    two = write_source(tmp_path / "two", text, benchmark("a", ["k"]))
    collect(one, store, project="p")
    collect(two, store, project="p")

    collect([one, two], store, project="p")

    assert load(store)["params"].tolist() == [{"k": "1"}] * 2
    # What a directory says of its own results goes first.
    units = ["seconds"] * 2 if change == "first described" else ["bytes", "seconds"]
    assert load(store)["unit"].tolist() == units


# What may not be read at all.


def test_a_link_out_of_the_results_is_refused_by_name_and_one_within_is_read(
    results, store, tmp_path
):
    secret = tmp_path / "secret.json"
    secret.write_text(result_file({"a": row([99.0], [["1"]])}))
    (results / "m/secret.json").symlink_to(secret)
    (results / "m/broken.json").symlink_to(tmp_path / "absent.json")
    (results / "m/within.json").symlink_to("aaaaaaaa-py.json")

    summary = collect(results, store)

    assert 99.0 not in load(store)["value"].tolist()
    assert sorted(summary.damaged) == [
        f"{results}/m/broken.json: skipped, a link to outside of the results",
        f"{results}/m/secret.json: skipped, a link to outside of the results",
    ]
    assert summary.files_read == 4


def test_a_machine_s_folder_that_is_a_link_out_of_the_results_is_refused_by_name(
    results, store, tmp_path
):
    elsewhere = write_source(tmp_path / "q", {"n/a.json": result_file({"a": row([99.0])})})
    (results / "n").symlink_to(elsewhere / "n")

    summary = collect(results, store)

    assert 99.0 not in load(store)["value"].tolist()
    assert [line.split(": ")[0] for line in summary.damaged] == [f"{results}/n"]


@pytest.mark.parametrize("name", ["facts.json", "benchmarks.json", "m/machine.json"])
def test_what_lies_beside_the_results_is_not_read_through_a_link_either(
    results, store, tmp_path, name
):
    said = {"benchmarks.json": benchmark("a", ["secret"]), "facts.json": facts(project="secret")}
    (tmp_path / "secret.json").write_text(json.dumps(said.get(name, {"cpu": "secret"})))
    (results / name).unlink(missing_ok=True)
    (results / name).symlink_to(tmp_path / "secret.json")

    try:
        collect(results, store)
    except BadResults:
        return

    assert "secret" not in load(store).to_csv()
    assert "secret" not in load_table(store, "machines").to_csv()


def test_a_loop_of_links_is_no_machine(results, store):
    (results / "loop").symlink_to("loop")
    (results / "m/loop.json").symlink_to("loop.json")

    summary = collect(results, store)

    assert summary.files_read == 3
    assert [line.split(": ")[0] for line in summary.damaged] == [f"{results}/m/loop.json"]


@pytest.mark.parametrize("name", ["m/pipe.json", "m/machine.json", "benchmarks.json", "facts.json"])
def test_a_named_pipe_is_refused_and_nobody_waits_for_it(results, store, name):
    (results / name).unlink(missing_ok=True)
    os.mkfifo(results / name)
    write_source(results.parent / "q", {"m/a.json": result_file({"a": row([5.0])})})

    summary = collect(results.parent, store)

    assert f"{results}/{name}: skipped, no regular file" in summary.damaged
    assert 5.0 in load(store)["value"].tolist()


def test_a_file_of_too_many_bytes_is_refused_by_name(results, store, monkeypatch):
    size = (results / "m/aaaaaaaa-py.json").stat().st_size
    (results / "m/large.json").write_text(" " * (2 * size))
    monkeypatch.setattr(raw_files, "MAX_BYTES", 2 * size - 1)

    summary = collect(results, store)

    (said,) = summary.damaged
    assert said.startswith(f"{results}/m/large.json: skipped, {2 * size:,} bytes")
    assert summary.files_read == 3


def test_a_file_of_too_many_objects_is_refused_by_name(results, store, monkeypatch):
    (results / "m/deep.json").write_text("[" * 200 + "]" * 200)
    monkeypatch.setattr(raw_files, "MAX_OBJECTS", 150)

    (said,) = collect(results, store).damaged

    assert said.startswith(f"{results}/m/deep.json: skipped, JSON of 200 lists")


# Reading what is asked for.


@pytest.fixture(params=[1, partition.PART_BYTES], ids=["a part per file", "one part"])
def collected(request, results, store, monkeypatch) -> Path:
    monkeypatch.setattr(partition, "PART_BYTES", request.param)
    (results / "m/cccccccc-py.json").write_text(
        result_file(
            {"a": row([5.0, 6.0], [["1", "2"]], samples=[[1.0], None]), "z": row([7.0])},
            commit_hash="c" * 40,
            date=1_720_000_000_000,
        )
    )
    collect(results, store)
    return store


EVERY = {
    "nothing": {},
    "one": {"benchmark": "z"},
    "several": {"benchmark": ["a", "é"], "status": "ok"},
    "commit": {"commit": ["c" * 40, COMMIT]},
    "machine": {"machine": "other"},
    "absent": {"benchmark": "0"},
    "since": {"since": "2023-11-14T22:13:20+00:00"},
    "until": {"until": datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)},
    "between": {"since": "2023-11-01", "until": "2024-01-01", "benchmark": "a"},
}


@pytest.mark.parametrize("asked", EVERY.values(), ids=EVERY.keys())
def test_a_query_gives_the_rows_that_pandas_would_pick(collected, asked):
    values = load(collected, samples=True)
    expected = values
    for name, choice in asked.items():
        if name == "since":
            expected = expected[expected["commit_date"] >= choice]
        elif name == "until":
            expected = expected[expected["commit_date"] < choice]
        else:
            expected = expected[
                expected[name].isin([choice] if isinstance(choice, str) else choice)
            ]

    found = load(collected, samples=True, **asked)

    assert plain_rows(found) == plain_rows(expected)
    assert found.dtypes.equals(values.dtypes)


def test_columns_are_read_in_the_order_that_was_asked_for(collected):
    columns = ["q25", "value", "source", "params", "number"]

    found = load(collected, columns=columns, samples=True, status="ok")

    assert found.columns.tolist() == [*columns, *schema.LISTS]
    whole = load(collected, samples=True, status="ok")[found.columns.tolist()]
    assert plain_rows(found) == plain_rows(whole)


def test_a_column_that_is_none_is_refused_with_the_columns(collected):
    with pytest.raises(BadUsage, match=r"no column 'speed'.*project, machine"):
        load(collected, columns=["speed"])


def test_a_moment_that_is_none_is_refused(collected):
    with pytest.raises(BadUsage, match="expected a date like 2026-03-01, got 'yesterday'"):
        load(collected, since="yesterday")


def test_scan_yields_the_rows_of_load(collected):
    tables = list(scan(collected, samples=True, columns=["value", "q75"], status="ok"))

    assert all(table.schema.names == ["value", "q75", *schema.LISTS] for table in tables)
    found = pa.concat_tables(tables).to_pandas()
    expected = load(collected, samples=True, columns=["value", "q75"], status="ok")
    assert plain_rows(found) == plain_rows(expected)


def test_a_dataset_has_every_column_but_the_coded_ones(collected):
    whole = dataset(collected)

    names = [name for name in schema.SCHEMAS["values"].names if name not in schema.INTERVALS]
    assert whole.schema.names == names
    found = schema.to_frame(whole.to_table(), "values")
    assert plain_rows(found) == plain_rows(load(collected, columns=names))


def test_a_dataset_of_an_empty_store_has_no_rows(store):
    store.mkdir()
    (store / "manifest.json").write_text('{"schema_version": 2, "sources": {}}')

    assert dataset(store).count_rows() == 0


def test_two_processes_write_what_one_does(results, store, tmp_path, monkeypatch):
    monkeypatch.setattr(building, "BYTES_PER_PROCESS", 1)
    collect(results, store, jobs=1)
    collect(results, tmp_path / "two", jobs=2)

    assert content_of(store) == content_of(tmp_path / "two")
