"""Collecting: asv results directories into the store, reading only what changed.

Nothing that was collected is ever lost: rows of a file or a source that vanished stay, and a file
that was damaged after it had been collected keeps its older rows. To forget, make a new store.
A store of an older schema becomes one of today's: what is given again is read again whole, and the
other rows stay with nulls where they know nothing.

A source whose machine has the name of another machine is refused: of two that contradict each other
the one in the store stays, and among new ones the run that started first.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from convbench.errors import BadResults
from convbench.results.file_hashes import FileHashes
from convbench.results.processors import Processors, Statement
from convbench.results.schema import FAILED, OK, SCHEMA_VERSION, SKIPPED
from convbench.results.small_tables import SmallTables
from convbench.results.source_reading import SourceReading, read_source
from convbench.results.sources import find_sources, start_of
from convbench.results.store import (
    MANIFEST,
    locked,
    new_manifest,
    parts_of,
    read_manifest,
    remove_orphans,
    upgraded,
    write_manifest,
)


@dataclass(frozen=True)
class Summary:
    """What one collection did; rows are those of the given sources, read now or before."""

    sources_read: int
    sources_unchanged: int
    files_read: int
    files_unchanged: int
    ok: int
    failed: int
    skipped: int
    damaged: tuple[str, ...] = field(default=())

    @property
    def text(self) -> str:
        """One line for people."""
        refused = f", {len(self.damaged)} damaged" if self.damaged else ""
        return (
            f"sources: {self.sources_read} read, {self.sources_unchanged} unchanged; "
            f"files: {self.files_read} read, {self.files_unchanged} unchanged{refused}; "
            f"rows: {self.ok} ok, {self.failed} failed, {self.skipped} skipped"
        )


def _say_nothing(line: str) -> None:
    """Pass over a line."""


def collect(
    paths: Iterable[Path | str] | Path | str,
    store: Path | str,
    *,
    project: str | None = None,
    repo: Path | str | None = None,
    say: Callable[[str], None] = _say_nothing,
) -> Summary:
    """Read asv results directories into a store, incrementally.

    Parameters
    ----------
    paths : path or iterable of paths
        asv results directories, or folders that hold some at any depth.
    store : path
        The store's folder; made if it is not there.
    project : str, optional
        Name of the project, where no ``facts.json`` says it; by default the folder's.
    repo : path, optional
        The project's git repository: gives commits their order, subjects and tags.
    say : callable
        Takes one line per damaged file and refused source.

    Returns
    -------
    Summary
    """
    given = [paths] if isinstance(paths, Path | str) else list(paths)
    store = Path(store)
    sources = find_sources(given, store)
    with locked(store, say):
        hashes, tables = FileHashes(store), SmallTables(store)
        manifest = _manifest(store, tables, say)
        remove_orphans(store, manifest)
        known: dict[str, dict[str, Any]] = manifest["sources"]
        processors = Processors(known)
        readings = []
        for source in sorted(sources, key=lambda s: "" if s.key in known else start_of(s)):
            old = known.get(source.key)
            reading = read_source(source, store, old, project, hashes, tables, processors, say)
            if reading.entry is not None:
                known[source.key] = reading.entry
                processors.add(source.key, reading.entry)
            readings.append(reading)
        damaged = [line for reading in readings for line in reading.damaged]
        if damaged and not any(r.entry and r.entry["machines"] for r in readings):
            raise BadResults(f"nothing could be read: {len(damaged)} damaged, first {damaged[0]}")
        projects = {reading.entry["project"] for reading in readings if reading.entry is not None}
        tables.order_commits(projects, None if repo is None else Path(repo))
        tables.write({entry["project"] for entry in known.values()})
        write_manifest(store, manifest)
        hashes.write()
    return _summary(readings)


def _manifest(store: Path, tables: SmallTables, say: Callable[[str], None]) -> dict[str, Any]:
    """Return the store's manifest, of today's schema."""
    if not (store / MANIFEST).exists():
        return new_manifest()
    manifest = read_manifest(store)
    if manifest["schema_version"] == SCHEMA_VERSION:
        return manifest
    say(
        f"{store} has schema version {manifest['schema_version']} and becomes {SCHEMA_VERSION}: "
        "given sources are read again, rows of others stay as they are"
    )
    for part in parts_of(manifest):
        machine = tables.machine(part["project"], part["machine"])
        part["processor"] = Statement.of({}, machine).as_entry()
    return upgraded(manifest)


def _summary(readings: list[SourceReading]) -> Summary:
    rows = dict.fromkeys((OK, FAILED, SKIPPED), 0)
    for reading in readings:
        for part in (reading.entry or {"machines": {}})["machines"].values():
            for status, count in part["rows"].items():
                rows[status] += count
    read = sum(reading.files_read > 0 for reading in readings)
    return Summary(
        sources_read=read,
        sources_unchanged=len(readings) - read,
        files_read=sum(reading.files_read for reading in readings),
        files_unchanged=sum(reading.files_unchanged for reading in readings),
        ok=rows[OK],
        failed=rows[FAILED],
        skipped=rows[SKIPPED],
        damaged=tuple(line for reading in readings for line in reading.damaged),
    )
