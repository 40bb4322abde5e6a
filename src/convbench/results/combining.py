"""Combining: one store of several whose partitions, machines of projects, don't overlap.

Machines can so be collected at the same time, each into a store of its own. A part never changes
and is named by its content, so a combined store links to the parts and reads no rows. What is
small is merged: tables by their keys, commits put in order again.

A combined store is made again whenever its stores changed, and never collected into: its files are
named as in the stores that it was made of. Readers see its old parts or its new ones, since the
manifest is written last. Each store kept all samples of its own newest commits, which may be more
commits than one collection of everything would keep them of.
"""

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from convbench.errors import BadResults, BadUsage
from convbench.results.collection import Say, say_nothing
from convbench.results.manifest import Manifest, read_manifest, with_parts, write_manifest
from convbench.results.planning import Place
from convbench.results.result_file import utf8
from convbench.results.schema import DETECTED, SCHEMA_VERSION, TABLES
from convbench.results.small_tables import Row, SmallTables
from convbench.results.store import (
    MANIFEST,
    locked,
    read_table,
    remove_orphans,
    write_atomically,
)

# Blank, not null, where a store was collected without a repository.
_OF_GIT = ("parents", "subject", "author", "tags", "branches")


@dataclass(frozen=True)
class Combination:
    """What one combining did; partitions, parts and rows are those of the combined store."""

    stores: int
    partitions: int
    parts_linked: int
    parts_unchanged: int
    ok: int
    failed: int
    skipped: int

    @property
    def text(self) -> str:
        """One line for people."""
        return (
            f"stores: {self.stores} combined; partitions: {self.partitions}; "
            f"parts: {self.parts_linked} linked, {self.parts_unchanged} unchanged; "
            f"rows: {self.ok} ok, {self.failed} failed, {self.skipped} skipped"
        )


@dataclass(frozen=True)
class _Shard:
    """One of the stores; `key` is its path relative to the combined one."""

    path: Path
    shown: str
    key: str
    manifest: Manifest

    @property
    def places(self) -> set[Place]:
        return {(part.project, part.machine) for part in self.manifest.parts}

    @property
    def newest(self) -> dict[str, int]:
        """The date of each project's newest file."""
        dates: dict[str, int] = {}
        for part in self.manifest.parts:
            newest = max(file.date_ms for file in part.files)
            dates[part.project] = max(newest, dates.get(part.project, newest))
        return dates


def combine(
    stores: Iterable[Path | str],
    store: Path | str,
    *,
    repo: Path | str | None = None,
    say: Say = say_nothing,
) -> Combination:
    """Make one store of several; the same stores give the same bytes.

    Parameters
    ----------
    stores : iterable of path
        Stores that `collect` made. No two may have the same machine of the same project.
    store : path
        The combined store's folder; made if it is not there, else its content is replaced.
    repo : path, optional
        The project's git repository: order, subjects, tags and branches of commits. Without it
        commits are ordered by date, and keep what the stores know of them.
    say : callable
        Takes one line when another process is waited for.

    Returns
    -------
    Combination

    Raises
    ------
    BadResults
        One of the stores can't be read.
    BadUsage
        Stores overlap, or have an older schema; or `store` is one of them, or was collected into.
    """
    given, store = list(map(Path, stores)), Path(store)
    _shards(given, store)  # what is refused must not leave a new folder
    with locked(store, say):
        return _combine(_shards(given, store), store, None if repo is None else Path(repo))


def _shards(given: list[Path], store: Path) -> list[_Shard]:
    """Read the stores' manifests, in an order that does not depend on how they were given."""
    if not given:
        raise BadUsage(f"nothing to combine into {store}; expected one store or more")
    shards = {}
    for path in given:
        if path.resolve() == store.resolve():
            raise BadUsage(f"--store {store} is one of those to combine; expected another folder")
        key = utf8(Path(os.path.relpath(path.resolve(), store.resolve())).as_posix())
        shards[key] = _Shard(path, utf8(path), key, _manifest(path))
    ordered = [shard for _, shard in sorted(shards.items())]
    for one, other in combinations(ordered, 2):
        for project, machine in sorted(one.places & other.places):
            raise BadUsage(
                f"{one.shown} and {other.shown} both have machine {machine} of project {project}; "
                "collect each machine into one store only (--only-machine)"
            )
    return ordered


def _manifest(path: Path) -> Manifest:
    manifest = read_manifest(path)
    if manifest.schema_version != SCHEMA_VERSION:
        raise BadUsage(
            f"{path} has schema version {manifest.schema_version}; `convbench collect` into it "
            "once to bring it up to date"
        )
    return manifest


def _combine(shards: list[_Shard], store: Path, repo: Path | None) -> Combination:
    """Combine while the store is locked."""
    before = read_manifest(store) if (store / MANIFEST).exists() else Manifest(combined=True)
    if not before.combined:
        raise BadUsage(f"--store {store} was collected into; expected a new folder")
    remove_orphans(store, before.paths)
    linked = sum(_linked(shard, store) for shard in shards)
    tables = _merged(shards, store, repo)
    after = _whole(shards)
    places = {(part.project, part.machine) for part in after.parts}
    tables.write({project for project, _ in places}, places)
    if after != before:
        # Found by `convbench detect` in what was there before.
        for name in DETECTED:
            (store / f"{name}.parquet").unlink(missing_ok=True)
    write_manifest(store, after)
    files = [file for part in after.parts for file in part.files]
    return Combination(
        stores=len(shards),
        partitions=len(places),
        parts_linked=linked,
        parts_unchanged=len(after.parts) - linked,
        ok=sum(file.ok for file in files),
        failed=sum(file.failed for file in files),
        skipped=sum(file.skipped for file in files),
    )


def _linked(shard: _Shard, store: Path) -> int:
    """Link the files of all parts; return how many parts are new."""
    new = 0
    for part in shard.manifest.parts:
        names = [name for name in part.paths.values() if name]
        new += not all((store / name).exists() for name in names)
        for name in names:
            try:
                _link(shard.path / name, store / name)
            except FileNotFoundError:
                raise BadResults(
                    f"{shard.shown} has no {name} any more; combine again, or collect into it again"
                ) from None
    return new


def _link(source: Path, target: Path) -> None:
    if target.exists():  # it holds these very bytes
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        target.hardlink_to(source)
    except FileNotFoundError:
        raise
    except OSError:  # another file system, or one without links
        write_atomically(target, source.read_bytes())


def _whole(shards: list[_Shard]) -> Manifest:
    """Return the manifest of all stores together.

    A source is named by the way to its store and from there on, so that two stores which were
    collected from one directory have an entry each.
    """
    manifest = Manifest(
        keep_samples=max(shard.manifest.keep_samples for shard in shards),
        sources={
            f"{shard.key}/{source}": record
            for shard in shards
            for source, record in shard.manifest.sources.items()
        },
        combined=True,
    )
    return with_parts(manifest, [part for shard in shards for part in shard.manifest.parts])


def _merged(shards: list[_Shard], store: Path, repo: Path | None) -> SmallTables:
    """Merge the small tables; of two rows of one key the one of the newer results stands."""
    tables = SmallTables(store, anew=True)
    projects = set()
    # What was found in a store of one machine is not worth keeping: attribution compares machines.
    for name in sorted(set(TABLES) - set(DETECTED)):
        tables.add(name, ())  # it is written also when no store has rows of it any more
        for _, project, rows in sorted(_by_age(shards, name), key=lambda found: found[0]):
            tables.add(name, map(_known, rows))
            projects.add(project)
    tables.order_commits(projects, repo)
    return tables


def _by_age(
    shards: list[_Shard], name: str
) -> Iterator[tuple[tuple[float, str, str], str, list[Row]]]:
    """Yield the rows of each project in each store, with what they are to be ordered by."""
    for shard in shards:
        rows: dict[str, list[Row]] = defaultdict(list)
        for row in read_table(shard.path, name).to_pylist():
            rows[row["project"]].append(row)
        newest = shard.newest
        for project, found in rows.items():
            yield (newest.get(project, 0), shard.key, project), project, found


def _known(row: Row) -> Row:
    """Leave out what a store does not know, which another may."""
    return {
        name: cell
        for name, cell in row.items()
        if cell is not None and (cell or name not in _OF_GIT)
    }
