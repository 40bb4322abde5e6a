"""Exports: rows of one table of the store as CSV, JSON, Parquet or SQLite, batch by batch.

Nothing is changed on the way: every number is written with the digits that give the same float
again, and text stays as it is, also where a spreadsheet would take it for a formula. Escaping it
would alter names that are joined with other exports and parameters such as ``-1``; instead
`Written.formulas` names the columns, so that who opens the file is told to import them as text.

What the formats can't say themselves is written alike in all text: times as
``2026-11-22T10:00:00.000Z``, maps and lists as JSON, infinities as ``inf`` and ``-inf``. CSV
follows RFC 4180; there nothing at all is null and ``""`` the empty text.
"""

import json
import os
import sqlite3
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from convbench.errors import BadUsage
from convbench.results.schema import TEXT

# A batch is what is held in memory: so many rows, or fewer where they carry much.
_ROWS = 32_768
_BYTES = 32_000_000

# First characters by which spreadsheets know a formula.
_FORMULA = r"^[=+\-@\t\r]"


@dataclass(frozen=True)
class Export:
    """Rows that are exported: a table's name and columns, and its rows in pieces of any size."""

    name: str
    schema: pa.Schema
    tables: Iterable[pa.Table]

    def batches(self) -> Iterator[pa.Table]:
        """Yield the rows in batches that fit in memory, however many or few a piece has."""
        held: list[pa.Table] = []
        rows = size = 0
        for table in self.tables:
            for piece in _slices(table.select(self.schema.names).cast(self.schema)):
                if held and (rows + len(piece) > _ROWS or size + piece.nbytes > _BYTES):
                    yield _joined(held)
                    held, rows, size = [], 0, 0
                held.append(piece)
                rows, size = rows + len(piece), size + piece.nbytes
        if held:
            yield _joined(held)


@dataclass(frozen=True)
class Written:
    """What an export wrote: how many rows, and which columns hold text that begins a formula."""

    rows: int
    formulas: tuple[str, ...] = ()


def _slices(table: pa.Table) -> Iterator[pa.Table]:
    rows = min(_ROWS, max(1, len(table) * _BYTES // max(table.nbytes, 1)))
    for start in range(0, len(table), rows):
        yield table.slice(start, rows)


def _joined(tables: list[pa.Table]) -> pa.Table:
    return pa.concat_tables(tables).unify_dictionaries().combine_chunks()


def write(export: Export, path: Path, file_format: str, *, force: bool = False) -> Written:
    """Write rows into a new file, whole or not at all.

    Parameters
    ----------
    export : Export
        The rows.
    path : Path
        The file; it appears when everything is written.
    file_format : str
        One of `FORMATS`.
    force : bool
        Replace a file that is already there.

    Returns
    -------
    Written

    Raises
    ------
    BadUsage
        There is such a file, or something that is no file.
    """
    with _new_file(path, force=force) as unfinished:
        if file_format in TEXTS:
            with unfinished.open("wb") as file:
                return stream(export, file, file_format)
        counted, total = _counted(export)
        FILES[file_format](counted, unfinished)
        return total()


def stream(export: Export, file: BinaryIO, file_format: str) -> Written:
    """Write rows into an open file, in one of the `TEXTS` formats."""
    counted, total = _counted(export)
    for piece in TEXTS[file_format](counted):
        file.write(piece.encode())
    return total()


def _counted(export: Export) -> tuple[Export, Callable[[], Written]]:
    """Return the same rows in batches, and what to ask in the end for how they were written."""
    rows, formulas = [0], dict.fromkeys(export.schema.names, False)

    def batches() -> Iterator[pa.Table]:
        for batch in export.batches():
            rows[0] += len(batch)
            for name in batch.schema.names:
                formulas[name] = formulas[name] or _has_formula(batch[name])
            yield batch

    def total() -> Written:
        return Written(rows[0], tuple(name for name, found in formulas.items() if found))

    return replace(export, tables=batches()), total


def _has_formula(column: pa.ChunkedArray) -> bool:
    if pa.types.is_dictionary(column.type) or column.type == TEXT:
        texts = pc.unique(column.cast(TEXT))
        return bool(pc.any(pc.match_substring_regex(texts, _FORMULA)).as_py())
    return False


@contextmanager
def _new_file(path: Path, *, force: bool) -> Iterator[Path]:
    """Give a name beside `path`, which takes its place when nothing went wrong."""
    target = path.resolve()
    _refuse(path, target, force=force)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:60]}.")
    os.close(handle)
    unfinished = Path(name)
    try:
        yield unfinished
        with unfinished.open("rb") as file:
            os.fsync(file.fileno())
        unfinished.chmod(0o644)
        _refuse(path, target, force=force)  # somebody else may have written it meanwhile
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)


def _refuse(path: Path, target: Path, *, force: bool) -> None:
    if not target.parent.is_dir():
        raise BadUsage(f"--output {path}: there is no folder {target.parent}; make it first")
    if target.exists() and not target.is_file():
        raise BadUsage(f"--output {path} is no regular file; expected a new file, or - for stdout")
    if target.exists() and not force:
        raise BadUsage(f"--output {path} exists; give another name, or --force to replace it")


def _csv(export: Export) -> Iterator[str]:
    yield ",".join(export.schema.names) + "\r\n"
    for batch in export.tables:
        cells = [_csv_cells(_whole(column)) for column in batch.columns]
        lines = pc.binary_join_element_wise(
            *cells, ",", null_handling="replace", null_replacement=""
        )
        yield "\r\n".join([*lines.to_pylist(), ""])


def _json(export: Export) -> Iterator[str]:
    """Write one array of objects, an object per line."""
    before = start = "[\n"
    names = [f"{json.dumps(name)}: " for name in export.schema.names]
    for batch in export.tables:
        cells: list[Any] = []
        for name, column in zip(names, batch.columns, strict=True):
            cells += [f", {name}" if cells else f"{{{name}", _json_cells(_whole(column))]
        lines = pc.binary_join_element_wise(
            *cells, "}", "", null_handling="replace", null_replacement="null"
        )
        yield before + ",\n".join(lines.to_pylist())
        before = ",\n"
    yield "[\n]\n" if before == start else "\n]\n"


def _write_parquet(export: Export, path: Path) -> None:
    with pq.ParquetWriter(path, export.schema, compression="zstd") as writer:
        for batch in export.tables:
            writer.write_table(batch)


def _write_sqlite(export: Export, path: Path) -> None:
    columns = ", ".join(f'"{field.name}" {_sqlite_type(field.type)}' for field in export.schema)
    places = ", ".join("?" * len(export.schema))
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        # Nobody else sees this file before it is whole: no journal has to save it.
        database.execute("PRAGMA journal_mode = OFF")
        database.execute("PRAGMA synchronous = OFF")
        database.execute("BEGIN")
        database.execute(f'CREATE TABLE "{export.name}" ({columns})')
        for batch in export.tables:
            cells = [_sqlite_cells(_whole(column)) for column in batch.columns]
            rows = zip(*cells, strict=True)
            database.executemany(f'INSERT INTO "{export.name}" VALUES ({places})', rows)
        database.execute("COMMIT")


TEXTS: Mapping[str, Callable[[Export], Iterator[str]]] = {"csv": _csv, "json": _json}
"""Formats that can be written bit by bit, also to a pipe."""

FILES: Mapping[str, Callable[[Export, Path], None]] = {
    "parquet": _write_parquet,
    "sqlite": _write_sqlite,
}
"""Formats that need a file."""

FORMATS = (*TEXTS, *FILES)


def _whole(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _csv_cells(array: pa.Array) -> pa.Array:
    """Write the cells of a column; null where there is nothing to write."""
    if pa.types.is_dictionary(array.type):
        return _csv_cells(array.dictionary).take(array.indices)
    if array.type == TEXT:
        return _between('"', pc.replace_substring(array, '"', '""'), '"')
    if pa.types.is_nested(array.type):
        return _csv_cells(_json_cells(array))
    return _plain(array)


def _json_cells(array: pa.Array) -> pa.Array:
    """Write every element as JSON; null stays null."""
    kind = array.type
    if pa.types.is_dictionary(kind):
        return _json_cells(array.dictionary).take(array.indices)
    if kind == TEXT:
        # Names repeat: each is escaped once.
        names = array.dictionary_encode()
        texts = [json.dumps(name, ensure_ascii=False) for name in names.dictionary.to_pylist()]
        return pa.array(texts, TEXT).take(names.indices)
    if pa.types.is_map(kind):
        keys, values = _json_cells(_children(array, array.keys)), _children(array, array.items)
        pairs = pc.binary_join_element_wise(keys, _json_cells(values).fill_null("null"), ": ")
        return _bracketed(array, "{", pairs, "}")
    if pa.types.is_list(kind):
        values = _json_cells(_children(array, array.values)).fill_null("null")
        return _bracketed(array, "[", values, "]")
    texts = _plain(array)
    if pa.types.is_timestamp(kind):
        return _between('"', texts, '"')
    if pa.types.is_floating(kind):
        # JSON has no infinity.
        return pc.if_else(pc.is_finite(array), texts, _between('"', texts, '"'))
    return texts


def _plain(array: pa.Array) -> pa.Array:
    """Write numbers, flags and times; not-a-number is null."""
    if pa.types.is_timestamp(array.type):
        return pc.strftime(array, "%Y-%m-%dT%H:%M:%SZ")
    if pa.types.is_floating(array.type):
        array = pc.if_else(pc.is_nan(array), pa.scalar(None, array.type), array)
    return array.cast(TEXT)


def _between(before: str, texts: pa.Array, after: str) -> pa.Array:
    return pc.binary_join_element_wise(before, texts, after, "")


def _children(array: pa.Array, children: pa.Array) -> pa.Array:
    """Return those children of a list or map that belong to it: it may be a slice of another."""
    first, last = array.offsets[0].as_py(), array.offsets[-1].as_py()
    return children.slice(first, last - first)


def _bracketed(array: pa.Array, before: str, children: pa.Array, after: str) -> pa.Array:
    """Join the texts of the children of each list or map."""
    offsets = pc.subtract(array.offsets, array.offsets[0])
    lists = pa.ListArray.from_arrays(offsets, children)
    texts = _between(before, pc.binary_join(lists, ", "), after)
    return pc.if_else(array.is_valid(), texts, pa.scalar(None, TEXT))


def _sqlite_cells(array: pa.Array) -> list[Any]:
    if pa.types.is_nested(array.type):
        array = _json_cells(array)
    elif pa.types.is_timestamp(array.type):
        array = _plain(array)
    elif pa.types.is_dictionary(array.type):
        array = array.cast(TEXT)
    # An integer beside nulls would become a float.
    objects = array.to_pylist() if pa.types.is_integer(array.type) else _objects(array)
    return list(objects)


def _objects(array: pa.Array) -> list[Any]:
    cells: list[Any] = array.to_numpy(zero_copy_only=False).tolist()
    return cells


def _sqlite_type(kind: pa.DataType) -> str:
    if pa.types.is_floating(kind):
        return "REAL"
    return "INTEGER" if pa.types.is_integer(kind) or pa.types.is_boolean(kind) else "TEXT"
