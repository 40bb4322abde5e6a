"""Collecting: asv results directories into the store, reading only what changed.

Nothing that was collected is ever lost: rows of a file or a source that vanished stay, and a file
that was damaged after it had been collected keeps its older rows. To forget, make a new store.
A store of an older schema becomes one of today's: what is given again is read again whole, and the
other rows stay with nulls where they know nothing.

A source whose machine has the name of another machine is refused: of two that contradict each other
the one in the store stays, and among new ones the run that started first.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from convbench.errors import BadResults, BadUsage
from convbench.results.acceptance import accept
from convbench.results.adapters import Origin
from convbench.results.building import built_parts
from convbench.results.contexts import Context, read_context
from convbench.results.file_hashes import FileHashes
from convbench.results.manifest import (
    Manifest,
    SourceRecord,
    read_manifest,
    with_parts,
    write_manifest,
)
from convbench.results.part_building import PartBuilt, PartTask
from convbench.results.partition import PartRecord
from convbench.results.planning import (
    Findings,
    Layout,
    Looking,
    foreign_files,
    known_files,
    newest_by_project,
    part_tasks,
    source_key,
)
from convbench.results.raw_files import printable
from convbench.results.recording import record_facts, record_machine, record_part
from convbench.results.result_file import utf8
from convbench.results.schema import SCHEMA_VERSION
from convbench.results.small_tables import SmallTables
from convbench.results.sources import Source, find_sources, of_machines, start_of
from convbench.results.store import MANIFEST, locked, remove_orphans
from convbench.results.upgrading import upgraded
from convbench.results.words import Words

Say = Callable[[str], None]


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


@dataclass(frozen=True)
class Request:
    """What a user asked of a collection beside paths and store, as `collect` takes it."""

    project: str | None
    repo: Path | None
    words: Words
    origin: Origin
    keep_samples: int | None
    jobs: int
    partial: bool
    """Whether only some machines are collected."""
    say: Say


def say_nothing(line: str) -> None:
    """Pass over a line."""


def collect(
    paths: Iterable[Path | str] | Path | str,
    store: Path | str,
    *,
    project: str | None = None,
    repo: Path | str | None = None,
    words: Words | None = None,
    origin: Origin | None = None,
    only_machines: Iterable[str] | str | None = None,
    keep_samples: int | None = None,
    jobs: int = 1,
    say: Say = say_nothing,
) -> Summary:
    """Read asv results directories into a store, incrementally.

    Parameters
    ----------
    paths : path or iterable of paths
        asv results directories, folders that hold some at any depth, or JSON files of other tools
        (`convbench.results.adapters`).
    store : path
        The store's folder; made if it is not there.
    project : str, optional
        Name of the project, where no ``facts.json`` says it; by default the folder's.
    repo : path, optional
        The project's git repository: gives commits their order, subjects, tags and branches.
    words : Words, optional
        Which parameters and variables fill the columns strategy, problem, dtype, threads, blas.
    origin : Origin, optional
        Commit and machine of other tools' files, where they don't say it.
    only_machines : str or iterable of str, optional
        Read only these machines' folders of asv results directories, by their names or those that
        `words` give them. What only other machines' directories describe is not known then.
    keep_samples : int, optional
        Keep all samples of so many commits, the newest ones, and quantiles of the others; by
        default as before, 100 at first.
    jobs : int
        Processes that read. More than one need a program whose main module can be imported again
        (``if __name__ == "__main__"``), as Python's `multiprocessing` does.
    say : callable
        Takes one line per damaged file, refused source and step of long work.

    Returns
    -------
    Summary
    """
    given = [paths] if isinstance(paths, Path | str) else list(paths)
    request = Request(
        project=project,
        repo=None if repo is None else Path(repo),
        words=words or Words(),
        origin=origin or Origin(),
        keep_samples=keep_samples,
        jobs=jobs,
        partial=only_machines is not None,
        say=say,
    )
    store = Path(store)
    sources = find_sources(given, store)
    if only_machines is not None:
        wanted = [only_machines] if isinstance(only_machines, str) else list(only_machines)
        sources = of_machines(sources, wanted, request.words)
    with locked(store, say):
        return _collect(sources, store, request)


def _collect(sources: list[Source], store: Path, request: Request) -> Summary:
    """Collect while the store is locked."""
    tables, hashes = SmallTables(store), FileHashes(store)
    on_disk = _on_disk(store)
    remove_orphans(store, on_disk.paths)
    before = _as_asked(store, on_disk, tables, request)
    damaged: list[str] = []

    def refuse(shown: str, reason: str) -> None:
        damaged.append(printable(f"{shown}: skipped, {reason}"))
        request.say(damaged[-1])

    contexts = _contexts(sources, before, request, hashes, refuse)
    found = Findings()
    looking = _looking(before, hashes, request, refuse)
    accepted = accept(contexts, before, store, tables, looking, found)
    kept: list[PartRecord] = list(before.parts)
    tasks: list[PartTask] = []
    moved = _take_along(tables, before, accepted)
    if found.to_read or moved or before is not on_disk:
        benchmarks = {context.project: tables.benchmarks(context.project) for context in contexts}
        layout = Layout(store, accepted, benchmarks, request.words, before.keep_samples)
        kept, tasks = part_tasks(before.parts, found, layout)
    built = _built(tasks, found, hashes, request, refuse)
    nothing = not found.unchanged and not any(part.read for part in built)
    if damaged and nothing and not request.partial:
        raise BadResults(f"nothing could be read: {len(damaged)} damaged, first {damaged[0]}")
    _record(tables, contexts, accepted, built, found, request, moved)
    after = replace(before, sources=accepted)
    after = with_parts(after, kept + [part.part for part in built])
    _publish(store, on_disk, before, after, tables)
    hashes.write()
    return _summary(contexts, after, found, built, damaged)


def _looking(
    before: Manifest, hashes: FileHashes, request: Request, refuse: Callable[[str, str], None]
) -> Looking:
    known = known_files(before.parts)
    files = ((part.project, part.files) for part in before.parts)
    return Looking(
        known=known,
        foreign=foreign_files(known),
        newest=newest_by_project(files, before.keep_samples),
        hashes=hashes,
        words=request.words,
        refuse=refuse,
        say=request.say,
    )


def _built(
    tasks: list[PartTask],
    found: Findings,
    hashes: FileHashes,
    request: Request,
    refuse: Callable[[str, str], None],
) -> list[PartBuilt]:
    """Build the parts, name what was damaged, remember what was read."""
    built = []
    for part in built_parts(tasks, request.jobs, request.say):
        built.append(part)
        for file, reason in part.damaged:
            refuse(file.shown, reason)
        for file_read in part.read:
            source = file_read.record.source
            hashes.remember(source, found.stats[source], file_read.record.sha256)
    return built


def _publish(
    store: Path, on_disk: Manifest, before: Manifest, after: Manifest, tables: SmallTables
) -> None:
    """Write tables and manifest; what only the old one knows goes when the new one is there."""
    tables.write(_projects(before) | _projects(after), _machines(before) | _machines(after))
    if after != on_disk or not (store / MANIFEST).exists():
        write_manifest(store, after)
    if _machines(before) - _machines(after):
        tables.write(_projects(after), _machines(after))


def _projects(manifest: Manifest) -> set[str]:
    return {source.project for source in manifest.sources.values()}


def _machines(manifest: Manifest) -> set[tuple[str, str]]:
    return {(part.project, part.machine) for part in manifest.parts}


def _on_disk(store: Path) -> Manifest:
    """Return the store's manifest as it is."""
    manifest = read_manifest(store) if (store / MANIFEST).exists() else Manifest()
    if manifest.combined:
        raise BadUsage(
            f"--store {store} was combined from other stores; collect into one of those, "
            "and `convbench combine` them again"
        )
    return manifest


def _as_asked(store: Path, manifest: Manifest, tables: SmallTables, request: Request) -> Manifest:
    """Return a manifest of today's schema, with the samples to keep as asked."""
    if manifest.schema_version != SCHEMA_VERSION:
        request.say(
            f"{store} has schema version {manifest.schema_version} and becomes {SCHEMA_VERSION}: "
            "given sources are read again, rows of others stay as they are"
        )
        manifest = upgraded(store, manifest, tables)
        tables.renew()
    if request.keep_samples in (None, manifest.keep_samples):
        return manifest
    return replace(manifest, keep_samples=request.keep_samples)


def _contexts(
    sources: list[Source],
    before: Manifest,
    request: Request,
    hashes: FileHashes,
    refuse: Callable[[str, str], None],
) -> list[Context]:
    """Read what the sources say: those of the store first, new ones by their start."""
    ordered = sorted(sources, key=lambda s: "" if s.key in before.sources else start_of(s))
    contexts = (
        read_context(source, request.project, request.origin, hashes, refuse) for source in ordered
    )
    return [context for context in contexts if context is not None]


def _take_along(
    tables: SmallTables, before: Manifest, accepted: Mapping[str, SourceRecord]
) -> set[str]:
    """Give projects what is known of the files of sources that now are theirs; some may be gone.

    Returns
    -------
    set of str
        These projects.
    """
    moved: dict[tuple[str, str], set[str]] = {}
    for part in before.parts:
        for file in part.files:
            source = accepted.get(source_key(file.source))
            if source is not None and source.project != part.project:
                moved.setdefault((part.project, source.project), set()).add(file.commit)
    for (former, project), commits in moved.items():
        tables.take_along(commits, former, project)
    return {project for _, project in moved}


def _record(
    tables: SmallTables,
    contexts: list[Context],
    accepted: Mapping[str, SourceRecord],
    built: list[PartBuilt],
    found: Findings,
    request: Request,
    moved: set[str],
) -> None:
    """Add to the small tables what was read, and put commits in order."""
    for part in built:
        record_part(tables, part, request.words)
    read = {found.source_of[file.record.source] for part in built for file in part.read}
    for context in contexts:
        for folder in _folders(context, accepted, request.words):
            record_machine(tables, context, folder, request.words)
        if context.source.key in read:
            record_facts(tables, context, request.words)
    projects = moved | {context.project for context in contexts if context.source.key in read}
    if request.repo is not None:  # tags and branches move without new results
        projects |= {context.project for context in contexts}
    tables.order_commits(projects, request.repo)


def _folders(context: Context, accepted: Mapping[str, SourceRecord], words: Words) -> Iterator[str]:
    """Yield the folders of a source's machines that were taken in."""
    record = accepted.get(context.source.key)
    for folder in context.machine_files:
        if record is not None and words.machine(utf8(folder)) in record.machines:
            yield folder


def _summary(
    contexts: list[Context],
    manifest: Manifest,
    found: Findings,
    built: list[PartBuilt],
    damaged: list[str],
) -> Summary:
    read = [file.record.source for part in built for file in part.read]
    sources_read = {found.source_of[source] for source in read}
    given = {context.source.key for context in contexts}
    files = [
        file
        for part in manifest.parts
        for file in part.files
        if file.source in given or source_key(file.source) in given
    ]
    return Summary(
        sources_read=len(sources_read),
        sources_unchanged=len(contexts) - len(sources_read),
        files_read=len(read),
        files_unchanged=sum(not record.damage for record in found.unchanged),
        ok=sum(file.ok for file in files),
        failed=sum(file.failed for file in files),
        skipped=sum(file.skipped for file in files),
        damaged=tuple(damaged),
    )
