"""Exports lose nothing: what another program reads from a file is what was written into it."""

import csv
import io
import itertools
import json
import math
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convbench.errors import BadUsage
from convbench.results import exporting, schema
from convbench.results.exporting import FORMATS, Export, Written, write

COLUMNS = pa.schema(
    {
        "name": schema.NAME,
        "select": schema.TEXT,  # a word of SQL
        "pairs": schema.PAIRS,
        "texts": schema.TEXTS,
        "samples": pa.list_(schema.NUMBER),
        "number": schema.NUMBER,
        "count": schema.COUNT,
        "flag": schema.FLAG,
        "time": schema.TIME,
    }
)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=5) | st.sampled_from(
    ["", '"', ",", "\r\n", "a\nb", "null", "=1+1", "\x00", "é\u2028", "\\", "NaN", "1"]
)
NUMBERS = st.floats(allow_nan=False)
TIMES = st.integers(-(10**13), 10**13).map(
    lambda ms: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)
)
CELLS = {
    "name": TEXT,
    "select": TEXT,
    "pairs": st.dictionaries(TEXT, st.none() | TEXT, max_size=3).map(lambda d: list(d.items())),
    "texts": st.lists(st.none() | TEXT, max_size=3),
    "samples": st.lists(st.none() | NUMBERS, max_size=3),
    "number": NUMBERS,
    "count": st.integers(-(2**63), 2**63 - 1),
    "flag": st.booleans(),
    "time": TIMES,
}
ROWS = st.lists(
    st.fixed_dictionaries({name: st.none() | cell for name, cell in CELLS.items()}), max_size=8
)


def table(rows: list[dict]) -> pa.Table:
    return pa.Table.from_pylist(rows, COLUMNS)


def export(*tables: pa.Table) -> Export:
    return Export("rows", COLUMNS, tables)


def as_text(cell: object) -> object:
    """What JSON, CSV and SQLite should hold of a cell, by the words of the documentation."""
    if isinstance(cell, datetime):
        return f"{cell:%Y-%m-%dT%H:%M:%S}.{cell.microsecond // 1000:03}Z"
    if isinstance(cell, float) and math.isinf(cell):
        return "inf" if cell > 0 else "-inf"
    if isinstance(cell, list) and cell and isinstance(cell[0], tuple):
        return dict(cell)
    return [as_text(item) for item in cell] if isinstance(cell, list) else cell


def in_json(row: dict) -> dict:
    empty_map = {"pairs": {}} if row["pairs"] == [] else {}
    return {name: as_text(cell) for name, cell in row.items()} | empty_map


def read_csv(path: Path) -> list[dict]:
    rows = list(csv.reader(io.StringIO(path.read_bytes().decode(), newline="")))
    return [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]


def read_sqlite(path: Path, query: str = "SELECT * FROM rows") -> list[dict]:
    with closing(sqlite3.connect(path)) as database:
        cursor = database.execute(query)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]


def test_every_type_of_column_that_the_store_has_is_tried_here():
    columns = [*schema.SCHEMAS.values(), schema.FAMILIES["samples"]]

    assert {field.type for field in itertools.chain(*columns)} <= {f.type for f in COLUMNS}


@given(rows=ROWS)
def test_parquet_holds_the_rows_and_their_types(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("out") / "rows.parquet"

    write(export(table(rows)), path, "parquet")

    found = pq.read_table(path)
    assert found.schema.equals(COLUMNS)
    assert found.to_pylist() == table(rows).to_pylist()


@given(rows=ROWS)
def test_json_is_strict_and_holds_the_rows(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("out") / "rows.json"

    write(export(table(rows)), path, "json")

    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is no JSON")

    found = json.loads(path.read_bytes(), parse_constant=refuse)
    assert found == [in_json(row) for row in rows]
    assert len(path.read_bytes().split(b"\n")) == len(rows) + 3, "an object per line"


@given(rows=ROWS)
def test_csv_is_read_alike_by_any_reader_of_rfc_4180(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("out") / "rows.csv"

    write(export(table(rows)), path, "csv")

    found = read_csv(path)
    assert len(found) == len(rows)
    for row, cells in zip(map(in_json, rows), found, strict=True):
        for name in ("name", "select", "time"):
            assert cells[name] == (row[name] or "")
        for name in ("pairs", "texts", "samples"):
            assert (json.loads(cells[name]) if cells[name] else None) == row[name]
        number = float(cells["number"]) if cells["number"] else None
        assert number == (None if row["number"] is None else float(row["number"]))
        assert cells["count"] == ("" if row["count"] is None else str(row["count"]))
        assert cells["flag"] == {None: "", True: "true", False: "false"}[row["flag"]]


@given(rows=ROWS)
def test_csv_tells_nothing_from_the_empty_text_to_readers_that_ask(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("out") / "rows.csv"

    write(export(table(rows)), path, "csv")

    found = pa.csv.read_csv(
        path,
        parse_options=pa.csv.ParseOptions(newlines_in_values=True),
        convert_options=pa.csv.ConvertOptions(
            column_types=dict.fromkeys(COLUMNS.names, pa.string()),
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
            null_values=[""],
        ),
    )
    for name in ("name", "select"):
        assert found[name].to_pylist() == [row[name] for row in rows]


@given(rows=ROWS)
def test_sqlite_holds_the_rows(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("out") / "rows.sqlite"

    write(export(table(rows)), path, "sqlite")

    for row, cells in zip(rows, read_sqlite(path), strict=True):
        expected = in_json(row) | {"number": row["number"]}
        nested = {name: cells[name] and json.loads(cells[name]) for name in ("pairs", "texts")}
        nested["samples"] = cells["samples"] and json.loads(cells["samples"])
        assert cells | nested == expected


def test_pandas_reads_the_numbers_of_every_format(tmp_path):
    numbers = [0.1, 1 / 3, 5e-324, 1.7976931348623157e308, -0.0, 1e22, math.inf, -math.inf, None]
    rows = [dict.fromkeys(COLUMNS.names) | {"number": number} for number in numbers]
    for name in FORMATS:
        write(export(table(rows)), tmp_path / name, name)
    with closing(sqlite3.connect(tmp_path / "sqlite")) as database:
        from_sqlite = pd.read_sql("SELECT * FROM rows", database)

    read = {
        "csv": pd.read_csv(tmp_path / "csv"),
        "json": pd.read_json(tmp_path / "json"),
        "parquet": pd.read_parquet(tmp_path / "parquet"),
        "sqlite": from_sqlite,
    }

    expected = np.array(numbers, dtype="float64")
    for name in ("csv", "parquet", "sqlite"):
        np.testing.assert_array_equal(read[name]["number"].to_numpy("float64"), expected, name)
    # pandas' own reader of JSON drops the last digits.
    of_json = read["json"]["number"].to_numpy("float64")
    np.testing.assert_allclose(of_json, expected, rtol=1e-9, atol=1e-300)


@pytest.mark.parametrize("name", FORMATS)
def test_a_nan_is_a_missing_number(tmp_path, name):
    rows = [dict.fromkeys(COLUMNS.names) | {"number": math.nan, "samples": [math.nan]}]
    write(export(table(rows)), tmp_path / "out", name)

    if name == "parquet":
        (found,) = pq.read_table(tmp_path / "out").to_pandas()["number"]
        assert math.isnan(found)
    else:
        read = {"csv": read_csv, "json": lambda p: json.loads(p.read_text()), "sqlite": read_sqlite}
        (row,) = read[name](tmp_path / "out")
        assert row["number"] in (None, "")
        assert row["samples"] in ("[null]", [None])


@given(rows=ROWS, cuts=st.lists(st.integers(0, 8), max_size=4))
@pytest.mark.parametrize("name", ["csv", "json"])
def test_the_pieces_that_rows_come_in_leave_no_trace(name, rows, cuts):
    whole, pieces = io.BytesIO(), io.BytesIO()
    bounds = [0, *sorted(cuts), len(rows)]
    cut = [table(rows).slice(a, max(b - a, 0)) for a, b in itertools.pairwise(bounds)]

    exporting.stream(export(table(rows)), whole, name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exporting, "_ROWS", 2)  # batches are slices of what came
        exporting.stream(export(*cut), pieces, name)

    assert pieces.getvalue() == whole.getvalue()


def test_lines_of_csv_end_as_rfc_4180_says():
    file = io.BytesIO()

    exporting.stream(export(big(2)), file, "csv")

    lines = file.getvalue().split(b"\r\n")
    assert [line.count(b"\n") for line in lines] == [0] * 4
    assert lines[-1] == b""


def big(count: int, cell: str = "x") -> pa.Table:
    return table(
        [dict.fromkeys(COLUMNS.names) | {"count": n, "select": cell} for n in range(count)]
    )


def test_batches_are_bounded_in_rows_and_bytes_and_keep_the_order(monkeypatch):
    monkeypatch.setattr(exporting, "_ROWS", 10)
    monkeypatch.setattr(exporting, "_BYTES", 5_000)

    by_rows = list(export(*[big(3)] * 7, big(25)).batches())
    by_bytes = list(export(big(8, "x" * 2_000)).batches())

    assert max(map(len, by_rows)) == 10
    assert len(by_rows) < 8, "small pieces are joined"
    assert max(map(len, by_bytes)) <= 2
    counts = [n for batch in by_rows for n in batch["count"].to_pylist()]
    assert counts == [*range(3)] * 7 + [*range(25)]


def test_rows_are_read_while_they_are_written(monkeypatch):
    monkeypatch.setattr(exporting, "_ROWS", 10)
    endless = Export("rows", COLUMNS, itertools.repeat(big(5)))
    file = io.BytesIO()

    def full(text: bytes) -> int:
        file.write(text)
        if len(file.getvalue()) > 10_000:
            raise OSError("no space left")
        return len(text)

    class Disk(io.BytesIO):
        write = staticmethod(full)

    with pytest.raises(OSError, match="no space"):
        exporting.stream(endless, Disk(), "csv")


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("old", [None, b"old"])
def test_a_failure_on_the_way_leaves_what_was_there(tmp_path, name, old):
    path = tmp_path / "out"
    if old is not None:
        path.write_bytes(old)

    def broken():
        yield big(3)
        raise BadUsage("the store went away")

    with pytest.raises(BadUsage, match="went away"):
        write(Export("rows", COLUMNS, broken()), path, name, force=True)

    assert [p.read_bytes() for p in tmp_path.iterdir()] == ([] if old is None else [old])


@pytest.mark.parametrize("name", FORMATS)
def test_a_file_that_is_there_stays_unless_forced(tmp_path, name):
    path = tmp_path / "thesis.docx"
    path.write_bytes(b"precious")

    with pytest.raises(BadUsage, match=r"thesis.docx exists.*--force"):
        write(export(big(1)), path, name)
    assert path.read_bytes() == b"precious"

    assert write(export(big(2)), path, name, force=True).rows == 2
    assert path.read_bytes() != b"precious"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_somebody_wrote_meanwhile_stays(tmp_path):
    path = tmp_path / "out.csv"

    def slow():
        yield big(1)
        path.write_bytes(b"theirs")

    with pytest.raises(BadUsage, match="exists"):
        write(Export("rows", COLUMNS, slow()), path, "csv")

    assert [p.read_bytes() for p in tmp_path.iterdir()] == [b"theirs"]


def test_a_link_is_followed_and_stays_a_link(tmp_path):
    target = tmp_path / "there" / "rows.csv"
    target.parent.mkdir()
    target.touch()
    (tmp_path / "link.csv").symlink_to(target)

    write(export(big(1)), tmp_path / "link.csv", "csv", force=True)

    assert (tmp_path / "link.csv").is_symlink()
    assert len(read_csv(target)) == 1


def test_what_is_no_file_is_never_replaced(tmp_path):
    with pytest.raises(BadUsage, match="no regular file"):
        write(export(big(1)), tmp_path, "csv", force=True)
    with pytest.raises(BadUsage, match="no regular file"):
        write(export(big(1)), Path("/dev/null"), "csv", force=True)
    with pytest.raises(BadUsage, match="no folder"):
        write(export(big(1)), tmp_path / "absent" / "rows.csv", "csv")

    assert Path("/dev/null").is_char_device()


@pytest.mark.parametrize("name", FORMATS)
def test_no_rows_are_still_a_table_with_columns(tmp_path, name):
    path = tmp_path / "out"

    assert write(Export("rows", COLUMNS, []), path, name) == Written(rows=0)

    if name == "csv":
        assert path.read_bytes() == (",".join(COLUMNS.names) + "\r\n").encode()
    elif name == "json":
        assert json.loads(path.read_text()) == []
    elif name == "parquet":
        assert pq.read_table(path).schema.equals(COLUMNS)
    else:
        (made,) = read_sqlite(path, "SELECT sql FROM sqlite_master")
        assert all(f'"{column}"' in made["sql"] for column in COLUMNS.names)


@pytest.mark.parametrize("first", ["=", "+", "-", "@", "\t", "\r"])
@pytest.mark.parametrize("column", ["name", "select"])
def test_text_that_begins_a_formula_is_told_and_not_changed(tmp_path, first, column):
    row = dict.fromkeys(COLUMNS.names) | {"name": "a=b", "select": " =", "texts": ["=x"]}

    written = write(export(table([row, row | {column: f"{first}cmd"}])), tmp_path / "o", "csv")

    assert written == Written(rows=2, formulas=(column,))
    assert read_csv(tmp_path / "o")[1][column] == f"{first}cmd"
