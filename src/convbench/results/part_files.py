"""The files of one part on disk: three Parquet files with the same rows in the same order.

A part never changes: the name of a file is the hash of its bytes. Row groups are small and rows are
in order of benchmarks, so that a query for one benchmark reads little of them.
"""

import hashlib
import io
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from convbench.results import intervals
from convbench.results.params import as_text
from convbench.results.part_columns import Part
from convbench.results.result_file import INTERVALS
from convbench.results.samples import either, from_arrow, no_samples, reduced, to_arrow
from convbench.results.schema import FAMILIES, LISTS, ROWS, SCHEMAS, TEXT, completed
from convbench.results.store import write_atomically

ROWS_PER_GROUP = 131_072

# Numbers that hardly repeat: their bytes are stored by place, where the leading ones compress.
_SPLIT = {"value", "number", "started_at", *(f"{name}_step" for name in INTERVALS), *INTERVALS}

# Their bytes are close to their entropy: what is left needs good codes for single bytes rather than
# repeated strings, and there Brotli's fifth level finds a twentieth more than Zstandard's
# fifteenth does in a third of its time.
_HARD = {*_SPLIT, "duration"}

# What rows are sorted by or lie together by: statistics of other columns tell nothing apart.
_QUERIED = ("benchmark", "commit_date")

Entry = dict[str, Any]


def parquet_bytes(table: pa.Table) -> bytes:
    """Return the bytes of a Parquet file: the same for the same rows."""
    split = sorted(_SPLIT & set(table.column_names))
    plain = _without_null_flags(table.replace_schema_metadata(None))
    buffer = io.BytesIO()
    with pq.ParquetWriter(
        buffer,
        plain.schema,
        compression={name: "brotli" if name in _HARD else "zstd" for name in table.column_names},
        compression_level={name: 5 if name in _HARD else 3 for name in table.column_names},
        use_dictionary=[name for name in table.column_names if name not in split],
        use_byte_stream_split=split,
        write_statistics=[name for name in table.column_names if name in _QUERIED],
    ) as writer:
        for start in range(0, max(len(plain), 1), ROWS_PER_GROUP):
            writer.write_table(_with_own_names(plain.slice(start, ROWS_PER_GROUP)))
    return buffer.getvalue()


def _without_null_flags(table: pa.Table) -> pa.Table:
    """Declare columns without nulls as such: their flags take a third of the time to write."""
    fields = [field.with_nullable(table[field.name].null_count > 0) for field in table.schema]
    return table.cast(pa.schema(fields))


def _with_own_names(group: pa.Table) -> pa.Table:
    """Leave out the names that no row of a group has: a group is written with all its names."""
    columns = [
        _of_used(column.combine_chunks()) if pa.types.is_dictionary(column.type) else column
        for column in group.columns
    ]
    return pa.table(columns, schema=group.schema)


def _of_used(column: pa.DictionaryArray) -> pa.DictionaryArray:
    codes = np.asarray(column.indices.fill_null(-1))
    counts = np.bincount(codes[codes >= 0], minlength=len(column.dictionary))
    used = np.flatnonzero(counts)
    if len(used) == len(column.dictionary):
        return column
    own = np.zeros(len(column.dictionary) + 1, np.int32)  # the last one is null's
    own[used] = np.arange(len(used), dtype=np.int32)
    indices = pa.array(own[codes], mask=codes < 0 if column.null_count else None)
    return pa.DictionaryArray.from_arrays(indices, column.dictionary.take(pa.array(used)))


def write_part(store: Path, project: str, machine: str, part: Part) -> Entry:
    """Write one part; return the paths of its files, relative to the store."""
    tables = {
        "values": part.values.select(FAMILIES["values"].names),
        "intervals": _coded(part.values),
        "samples": _lists(part),
    }
    return {
        family: None if table is None else _write(store, family, project, machine, table)
        for family, table in tables.items()
    }


def _write(store: Path, family: str, project: str, machine: str, table: pa.Table) -> str:
    content = parquet_bytes(table)
    name = f"{hashlib.sha256(content).hexdigest()[:16]}.parquet"
    path = f"{family}/project={_folder(project)}/machine={_folder(machine)}/{name}"
    if not (store / path).exists():  # else it holds these very bytes
        write_atomically(store / path, content)
    return path


def _folder(name: str) -> str:
    """Spell a name as (a piece of) one folder name; the real name stands in the columns."""
    safe = quote(name, safe=" +")
    if len(safe) > 150:
        safe = f"{safe[:130]}-{hashlib.sha256(name.encode()).hexdigest()[:16]}"
    return safe


def _coded(values: pa.Table) -> pa.Table:
    plain = {name: values[name].to_numpy() for name in INTERVALS}
    coded, exact = intervals.encode(values["value"].to_numpy(), plain)
    columns = {"power": pa.array(coded.power, mask=~exact)}
    columns |= {f"{name}_step": pa.array(coded.steps[name], mask=~exact) for name in INTERVALS}
    columns |= {name: pa.array(plain[name], mask=exact | np.isnan(plain[name])) for name in plain}
    return pa.table(columns, schema=FAMILIES["intervals"])


def _decoded(value: pa.ChunkedArray, table: pa.Table) -> dict[str, pa.Array]:
    """Return the columns of `intervals.INTERVALS`, null where there is no number."""
    steps = {name: table[f"{name}_step"].fill_null(0).to_numpy() for name in INTERVALS}
    coded = intervals.Coded(table["power"].fill_null(0).to_numpy(), steps)
    exact, decoded = table["power"].is_valid().to_numpy(), intervals.decode(value.to_numpy(), coded)
    columns = {}
    for name in INTERVALS:
        numbers = np.where(exact, decoded[name], table[name].to_numpy())
        columns[name] = pa.array(numbers, mask=np.isnan(numbers))
    return columns


def _lists(part: Part) -> pa.Table | None:
    if not any(samples.recorded.any() for samples in part.lists.values()):
        return None
    rows = len(part.values)
    columns = [to_arrow(part.lists.get(name) or no_samples(rows)) for name in LISTS]
    return pa.table(columns, schema=FAMILIES["samples"])


def without_samples(part: Part, sources: Iterable[str]) -> Part:
    """Return a part in which, of many samples of these sources' rows, only the quantiles stay."""
    if "samples" not in part.lists:
        return part
    texts = pa.array(list(sources), TEXT)
    old = np.asarray(pc.is_in(part.values["source"].cast(TEXT), value_set=texts))
    short, quantiles = reduced(part.lists["samples"], old)
    if known := part.lists.get("quantiles"):
        quantiles = either(quantiles, known)
    return Part(part.values, {"samples": short, "quantiles": quantiles})


def read_part(store: Path, entry: Mapping[str, Any]) -> Part:
    """Read a part back, of this schema or an older one."""
    groups = list(read_groups(store, entry, columns=None, samples=True, wanted={}))
    table = pa.concat_tables(groups) if groups else ROWS.empty_table()
    lists = {name: from_arrow(table[name]) for name in LISTS if name in table.column_names}
    return Part(
        table.select(ROWS.names).unify_dictionaries(),
        {name: column for name, column in lists.items() if column.recorded.any()},
    )


def read_groups(
    store: Path,
    entry: Mapping[str, Any],
    *,
    columns: Iterable[str] | None,
    samples: bool,
    wanted: Mapping[str, Iterable[str]],
    between: tuple[datetime | None, datetime | None] = (None, None),
) -> Iterator[pa.Table]:
    """Read a part group by group, those that may have what is wanted.

    Parameters
    ----------
    columns : iterable of str or None
        Columns of `values` to read; all by default.
    samples : bool
        Whether to add the columns of `schema.LISTS`.
    wanted : mapping
        Texts by column; groups whose statistics tell that they have none are passed over.
    between : pair
        Moments between which commits lie; groups without such are passed over, too.
    """
    chosen = list(ROWS.names if columns is None else columns)
    if "intervals" not in entry:
        yield _older(store, entry, samples).select([*chosen, *(LISTS if samples else ())])
        return
    values = pq.ParquetFile(store / entry["values"])
    asked = [name for name in chosen if name not in INTERVALS]
    coded = pq.ParquetFile(store / entry["intervals"]) if len(asked) < len(chosen) else None
    beside = pq.ParquetFile(store / entry["samples"]) if samples and entry["samples"] else None
    for number in range(values.num_row_groups):
        if not _may_have(values.metadata.row_group(number), wanted, between):
            continue
        needed = asked if coded is None else [*{*asked, "value"}]
        table = values.read_row_group(number, needed)
        if coded is not None:
            decoded = _decoded(table["value"], coded.read_row_group(number))
            table = _with(table, decoded)
        table = table.select(chosen).cast(pa.schema([ROWS.field(name) for name in chosen]))
        if beside is not None:
            lists = beside.read_row_group(number)
            table = _with(table, {name: lists[name] for name in LISTS})
        elif samples:
            nothing = pa.nulls(len(table), pa.list_(pa.float64()))
            table = _with(table, dict.fromkeys(LISTS, nothing))
        yield table


def _with(table: pa.Table, columns: Mapping[str, Any]) -> pa.Table:
    for name, column in columns.items():
        table = table.append_column(name, column)
    return table


def _may_have(
    group: pq.RowGroupMetaData,
    wanted: Mapping[str, Iterable[str]],
    between: tuple[datetime | None, datetime | None],
) -> bool:
    """Whether the statistics of a row group leave room for what is wanted."""
    since, until = between
    for place in range(group.num_columns):
        column = group.column(place)
        if not column.is_stats_set or not column.statistics.has_min_max:
            continue
        low, high = column.statistics.min, column.statistics.max
        if column.path_in_schema == "commit_date":
            if (since and high < since) or (until and low >= until):
                return False
        elif (texts := wanted.get(column.path_in_schema)) is not None:
            # Parquet orders text by its bytes.
            first, last = str(low).encode(), str(high).encode()
            if not any(first <= text.encode() <= last for text in texts):
                return False
    return True


def _older(store: Path, entry: Mapping[str, Any], samples: bool) -> pa.Table:
    """Read a part of an older schema, in which all statistics lie beside the values."""
    values = pq.read_table(store / entry["values"], partitioning=None)
    table = completed(values, SCHEMAS["values"])
    place = table.schema.get_field_index("params")
    texts = [as_text(tuple(pairs)) for pairs in table["params"].to_pylist()]
    table = table.set_column(place, "params", pa.array(texts, TEXT).dictionary_encode()).cast(ROWS)
    if not samples:
        return table
    wanted = pa.schema([*ROWS, *FAMILIES["samples"]])
    if entry["samples"] is not None:
        lists = pq.read_table(store / entry["samples"], columns=["samples"], partitioning=None)
        table = _with(table, {"samples": lists["samples"]})
    return completed(table, wanted)
