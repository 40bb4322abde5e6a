"""The rows of one source and machine: from many files' tables to one part of the store.

In memory a part is the table `values` with the column `samples` beside it; on disk they are two
files with the same rows in the same order.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from convbench.results.grids import Grids
from convbench.results.loading import read_samples
from convbench.results.schema import SCHEMAS, STATUSES, TEXT, TIME, completed
from convbench.results.store import write_part

VALUES, SAMPLES = SCHEMAS["values"], SCHEMAS["samples"]
_PART = VALUES.append(SAMPLES.field("samples"))


def with_constants(rows: pa.Table, constants: Mapping[str, str], commit_date: datetime) -> pa.Table:
    """Add what is the same for all rows of a file."""
    for column, text in constants.items():
        rows = rows.append_column(column, pa.repeat(pa.scalar(text, TEXT), len(rows)))
    date = pa.scalar(commit_date, TIME)
    return rows.append_column("commit_date", pa.repeat(date, len(rows)))


def assemble(tables: list[pa.Table], grids: Grids) -> pa.Table:
    """Join the tables of several files, which were read with one `grids`."""
    table = pa.concat_tables(tables)
    codes = table["combination"].combine_chunks()
    for column, values in grids.columns(codes).items():
        table = table.append_column(column, values)
    return _normal(table.select(_PART.names))


def _normal(table: pa.Table) -> pa.Table:
    """Give equal rows equal bytes: one chunk, names numbered in order of appearance."""
    columns = []
    for field in _PART:
        column = table[field.name]
        if pa.types.is_dictionary(field.type):
            columns.append(column.cast(TEXT).combine_chunks().dictionary_encode())
        else:
            columns.append(column.combine_chunks())
    return pa.table(columns, schema=_PART)


def merge(
    old: pa.Table, new: pa.Table, read_again: Iterable[str], owner: Mapping[str, str]
) -> pa.Table:
    """Replace the rows of the files that were read again; the result is in order of files.

    `owner` is the project and run that all rows belong to now.
    """
    again = pa.array(list(read_again), TEXT)
    kept = old.filter(pc.invert(pc.is_in(old["source"].cast(TEXT), value_set=again)))
    for column, name in owner.items():
        text = pa.repeat(pa.scalar(name, TEXT), len(kept)).dictionary_encode()
        kept = kept.set_column(kept.schema.get_field_index(column), VALUES.field(column), text)
    table = pa.concat_tables([kept, new]).unify_dictionaries()
    rows = pa.table({"source": table["source"].cast(TEXT), "row": pa.array(range(len(table)))})
    order = pc.sort_indices(rows, sort_keys=[("source", "ascending"), ("row", "ascending")])
    return _normal(table.take(order))


def read_part(store: Path, entry: Mapping[str, Any]) -> pa.Table:
    """Read the rows that a manifest's entry names, with their samples."""
    values = completed(pq.read_table(store / entry["values"], partitioning=None), VALUES)
    samples = read_samples(store, entry, len(values))
    return values.append_column(_PART.field("samples"), samples["samples"]).cast(_PART)


def write_rows(store: Path, project: str, machine: str, rows: pa.Table) -> dict[str, Any]:
    """Write one part; return its entry for the manifest, without the files."""
    values = rows.select(VALUES.names)
    samples = None
    if rows["samples"].null_count < len(rows):
        samples = write_part(store, "samples", project, machine, rows.select(SAMPLES.names))
    status = rows["status"].cast(TEXT)
    return {
        "project": project,
        "machine": machine,
        "values": write_part(store, "values", project, machine, values),
        "samples": samples,
        "rows": {name: pc.sum(pc.equal(status, name)).as_py() or 0 for name in STATUSES},
    }
