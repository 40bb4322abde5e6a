"""A store of an older version becomes one of today's: its parts are written anew.

What is given again is read again whole; the other rows stay, with nulls where they know nothing.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from convbench.results.manifest import Manifest
from convbench.results.part_columns import Part, PartColumns
from convbench.results.part_files import read_part, write_part
from convbench.results.partition import FileRecord, PartRecord
from convbench.results.processors import Statement
from convbench.results.schema import SCHEMA_VERSION, STATUSES, TEXT
from convbench.results.small_tables import SmallTables
from convbench.results.words import Words

# About what a row takes in a result file; files of an older store have no size.
_BYTES_PER_ROW = 100


def upgraded(store: Path, manifest: Manifest, tables: SmallTables) -> Manifest:
    """Return the manifest of an older store as one of this version, whose parts are written."""
    sources = {
        key: replace(source, machines=_statements(source.project, source.machines, tables))
        for key, source in manifest.sources.items()
    }
    parts = [_part(store, part) for part in manifest.parts]
    written = tuple(part for part in parts if part.files)
    return replace(manifest, schema_version=SCHEMA_VERSION, sources=sources, parts=written)


def _statements(
    project: str, machines: Mapping[str, Mapping[str, list[str]]], tables: SmallTables
) -> dict[str, Mapping[str, list[str]]]:
    """Return what is known of the machines' processors; version 1 had it in a table only."""
    return {
        machine: said or Statement.of({}, tables.machine(project, machine)).as_entry()
        for machine, said in machines.items()
    }


def _part(store: Path, old: PartRecord) -> PartRecord:
    rows = read_part(store, old.paths)
    paths = pc.binary_join_element_wise(old.older_source, rows.values["source"].cast(TEXT), "/")
    place = rows.values.schema.get_field_index("source")
    values = rows.values.set_column(place, "source", paths.dictionary_encode())
    columns = PartColumns(Words())
    files = _files(values)
    owner = {"project": old.project, "machine": old.machine}
    columns.add_part(Part(values, rows.lists), [file.source for file in files], owner)
    written = write_part(store, old.project, old.machine, columns.finished())
    return PartRecord(old.project, old.machine, written, files)


def _files(values: pa.Table) -> tuple[FileRecord, ...]:
    table = pa.table(
        {
            "source": values["source"].cast(TEXT),
            "commit": values["commit"].cast(TEXT),
            "date": values["commit_date"].cast(pa.int64()),
            **{
                name: pc.equal(values["status"].cast(TEXT), name).cast(pa.int64())
                for name in STATUSES
            },
        }
    )
    wanted = [("commit", "min"), ("date", "min"), *((name, "sum") for name in STATUSES)]
    files = table.group_by("source").aggregate(wanted).to_pylist()
    return tuple(
        FileRecord(
            source=file["source"],
            sha256="",
            date_ms=file["date_min"] or 0,
            commit=file["commit_min"],
            size_bytes=_BYTES_PER_ROW * sum(file[f"{name}_sum"] for name in STATUSES),
            **{name: file[f"{name}_sum"] for name in STATUSES},
        )
        for file in sorted(files, key=lambda file: (file["date_min"] or 0, file["source"]))
    )
