"""`convbench export` writes what `load` returns, as far as its options ask for it."""

import argparse
import json
import os
import shutil
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from asv_tree import COMMIT, INFINITY, NAN, benchmark, facts_2, result_file, row, write_source
from pandas.testing import assert_frame_equal

from convbench.commands import export
from convbench.errors import BadResults, BadUsage
from convbench.results import collect, load, load_table, newest, schema

DAY = 86_400_000
FIRST = 1_690_000_000_000  # 2023-07-22


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Path:
    """Two runs of one commit and of one machine, and another project on two machines."""
    top = tmp_path_factory.mktemp("export")
    names = benchmark("time_a", ["n"]) | benchmark("mem_b", [])
    for number, run in enumerate(("run-1", "run-2")):
        result = row(
            [1.5 + number, NAN, None], [["1", "2", "'x'"]], samples=[[1e-7, 2], None, None]
        )
        result[3] = 1_700_000_000_000 + number  # started_at
        files = {"m/a.json": result_file({"time_a": result, "mem_b": row([INFINITY])})}
        write_source(top / "runs" / run, files, names, facts_2(run=run))
    files = {
        f"{machine}/{day}.json": result_file(
            {"time_a": row([day], [["1"]])}, commit_hash=f"{day:040x}", date=FIRST + day * DAY
        )
        for machine in ("k", "n")
        for day in range(4)
    }
    write_source(top / "other", files, names)
    collect([top / "runs", top / "other"], top / "store")
    return top / "store"


def run(*words: str | Path) -> tuple[int, list[str]]:
    parser = argparse.ArgumentParser()
    export.add_arguments(parser)
    said: list[str] = []
    return export.run(parser.parse_args(list(map(str, words))), said.append), said


def exported(store: Path, path: Path, *words: str) -> pd.DataFrame:
    """The rows that a Parquet export holds, as pandas."""
    run(store, "--format", "parquet", "--output", path, "--force", *words)
    table = words[words.index("--table") + 1] if "--table" in words else "values"
    return schema.to_frame(pq.read_table(path), table)


def in_order(values: pd.DataFrame) -> pd.DataFrame:
    """`load` and an export may differ in the order of rows, not in what the rows are."""
    keys = values["params"].map(str)
    order = values.assign(key=keys).sort_values(["source", "run", "benchmark", "key"])
    return order.drop(columns="key").reset_index(drop=True)


@pytest.mark.parametrize(
    ("words", "filters"),
    [
        ((), {}),
        (("--machine", "k"), {"machine": "k"}),
        (("--machine", "k", "--machine", "m"), {"machine": ["k", "m"]}),
        (("--project", "other", "--environment", "py"), {"project": "other"}),
        (("--samples",), {"samples": True}),
        (("--benchmark", "^mem_"), {"benchmark": "mem_b"}),
        (("--benchmark", "b"), {"benchmark": "mem_b"}),
    ],
)
def test_values_are_those_of_load(store, tmp_path, words, filters):
    found = exported(store, tmp_path / "o", *words)

    expected = load(store, **filters)
    assert len(expected)
    assert_frame_equal(in_order(found), in_order(expected))


@pytest.mark.parametrize("words", [(), ("--machine", "m"), ("--benchmark", "time", "--samples")])
def test_newest_is_the_default_view(store, tmp_path, words):
    found = exported(store, tmp_path / "o", "--newest", *words)
    everything = exported(store, tmp_path / "all", *words)

    expected = newest(everything)
    assert len(expected) < len(everything)
    assert_frame_equal(in_order(found), in_order(expected))


@pytest.mark.parametrize("name", schema.TABLES)
def test_the_other_tables_are_those_of_load_table(store, tmp_path, name):
    found = exported(store, tmp_path / "o", "--table", name)

    assert_frame_equal(found, load_table(store, name))


@pytest.mark.parametrize("table", ["values", "commits"])
@pytest.mark.parametrize(
    ("words", "days"),
    [
        (("--since", "2023-07-23"), {1, 2, 3}),
        (("--until", "2023-07-23"), {0}),
        (("--since", "2023-07-23", "--until", "2023-07-25"), {1, 2}),
        (("--until", "2023-07-23T04:26:40Z"), {0}),
        (("--since", "2023-07-25T06:26:40+02:00"), {3}),
    ],
)
def test_dates_are_those_of_commits_from_the_first_to_before_the_second(
    store, tmp_path, table, words, days
):
    found = exported(store, tmp_path / "o", "--table", table, "--project", "other", *words)

    assert set(found["commit"]) == {f"{day:040x}" for day in days}


def test_every_format_holds_the_same_numbers(store, tmp_path):
    for name in export.FORMATS:
        assert run(store, "--format", name, "--output", tmp_path / name)[0] == 0
    with closing(sqlite3.connect(tmp_path / "sqlite")) as database:
        of_sqlite = pd.read_sql('SELECT "commit", value FROM "values"', database)
    frames = [
        pd.read_csv(tmp_path / "csv", dtype={"commit": str}),
        pd.read_json(tmp_path / "json", dtype={"commit": str}),
        pd.read_parquet(tmp_path / "parquet").astype({"commit": str}),  # from categories
        of_sqlite,
    ]

    for frame in frames:
        found = frame.sort_values(["commit", "value"]).reset_index(drop=True)
        expected = load(store).sort_values(["commit", "value"]).reset_index(drop=True)
        assert found["value"].astype("float64").equals(expected["value"])
        assert found["commit"].tolist() == expected["commit"].tolist()


@pytest.mark.parametrize("name", export.TEXTS)
def test_stdout_takes_the_bytes_of_the_file_and_nothing_else(store, tmp_path, capfdbinary, name):
    run(store, "--format", name, "--output", tmp_path / "o")
    code, said = run(store, "--format", name)

    assert (code, said) == (0, [])
    assert capfdbinary.readouterr().out == (tmp_path / "o").read_bytes()


@pytest.mark.parametrize("name", export.exporting.FILES)
def test_binary_formats_need_a_file(store, capfdbinary, name):
    with pytest.raises(BadUsage, match=rf"{name} needs a file.*--output FILE"):
        run(store, "--format", name)

    assert capfdbinary.readouterr().out == b""


def test_a_reader_that_has_seen_enough_is_no_failure(store, monkeypatch):
    reading, writing = os.pipe()
    os.close(reading)
    with open(writing, "w") as pipe, monkeypatch.context() as patch:  # noqa: PTH123 a descriptor
        patch.setattr(sys, "stdout", pipe)
        assert run(store, "--format", "csv")[0] == 0


def test_it_says_what_it_wrote_and_warns_of_formulas_in_csv_only(tmp_path):
    text = result_file({"=cmd": row([1.0])})
    collect(write_source(tmp_path / "p", {"m/a.json": text}), tmp_path / "store")

    _, of_csv = run(tmp_path / "store", "--format", "csv", "--output", tmp_path / "o.csv")
    _, of_json = run(tmp_path / "store", "--format", "json", "--output", tmp_path / "o.json")

    assert of_json == [f"{tmp_path}/o.json: 1 rows of values"]
    assert "benchmark" in of_csv[1]
    assert "import these columns as text" in of_csv[1]


@pytest.mark.parametrize(
    "words",
    [("--machine", "absent"), ("--benchmark", "absent"), ("--since", "2099-01-01")],
)
@pytest.mark.parametrize("more", [(), ("--newest",)])
def test_nothing_selected_is_an_empty_table_and_exit_code_1(store, tmp_path, words, more):
    path = tmp_path / "o.json"

    code, _ = run(store, "--format", "json", "--output", path, *words, *more)

    assert (code, json.loads(path.read_text())) == (1, [])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--table", "commits", "--machine", "m"), r"--machine.*table commits"),
        (("--table", "machines", "--since", "2023-01-01"), r"--since.*table machines"),
        (("--table", "runs", "--newest"), r"--newest.*table runs"),
        (("--table", "problems", "--samples"), r"--samples.*table problems"),
        (("--since", "yesterday"), r"--since: expected a date like 2026-03-01, got 'yesterday'"),
        (("--until", "2023-13-01"), r"--until"),
        (("--since", ""), r"--since: expected a date.*got ''"),
        (("--table", "runs", "--until", ""), r"--until.*table runs"),
        (("--since", "0001-01-01T00:00+14:00"), r"--since: expected a date"),
        (("--until", "9999-12-31T23:00-02:00"), r"--until: expected a date"),
        (("--benchmark", "("), r"--benchmark '\('.*regular expression"),
    ],
)
def test_bad_options_are_one_clear_line_and_write_nothing(store, tmp_path, words, message):
    with pytest.raises(BadUsage, match=message) as caught:
        run(store, "--format", "csv", "--output", tmp_path / "o", *words)

    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_the_store_is_never_written_into(store, tmp_path):
    before = sorted(store.rglob("*"))

    for name in ("x.csv", "commits.parquet", "values/x.csv"):
        with pytest.raises(BadUsage, match="lies in the store"):
            run(store, "--format", "csv", "--output", store / name, "--force")
    with pytest.raises(BadResults, match="no convbench store"):
        run(tmp_path / "absent", "--format", "csv", "--output", tmp_path / "o")

    assert sorted(store.rglob("*")) == before
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "words", [("--since", "yesterday"), ("--table", "commits", "--until", "x")]
)
@pytest.mark.parametrize("name", export.TEXTS)
def test_bad_options_leave_stdout_empty(store, capfdbinary, name, words):
    with pytest.raises(BadUsage):
        run(store, "--format", name, *words)

    assert capfdbinary.readouterr().out == b""


@pytest.mark.parametrize("table", ["values", "commits"])
def test_a_store_that_can_not_be_read_leaves_stdout_empty(store, tmp_path, capfdbinary, table):
    shutil.copytree(store, tmp_path / "damaged")
    for path in (tmp_path / "damaged").rglob("*.parquet"):
        path.write_bytes(b"no parquet")

    for folder in (tmp_path / "damaged", tmp_path / "absent"):
        with pytest.raises(BadResults):
            run(folder, "--format", "csv", "--table", table)

    assert capfdbinary.readouterr().out == b""


def test_a_closed_stdout_asks_for_a_file(store, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", None)
        with pytest.raises(BadUsage, match="stdout is closed; give --output FILE"):
            run(store, "--format", "csv")


def test_the_commit_that_runs_share_is_exported_with_both(store, tmp_path):
    assert set(exported(store, tmp_path / "o", "--machine", "m")["run"]) == {"run-1", "run-2"}
    assert set(exported(store, tmp_path / "o", "--machine", "m")["commit"]) == {COMMIT}
