"""Which sources are taken in, and which of their unchanged files must be read again."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from convbench.results import labels
from convbench.results.contexts import Context
from convbench.results.labels import Descriptions, mislabelled
from convbench.results.manifest import Manifest, SourceRecord
from convbench.results.planning import Findings, Looking, look_at, source_key
from convbench.results.processors import Processors
from convbench.results.recording import record_benchmarks
from convbench.results.result_file import utf8
from convbench.results.small_tables import SmallTables


def accept(
    contexts: list[Context],
    before: Manifest,
    store: Path,
    tables: SmallTables,
    looking: Looking,
    found: Findings,
) -> dict[str, SourceRecord]:
    """Find what is to be read of every source; return the records of all sources.

    A source whose machine the store knows as another one is refused: a measuring run whole, of a
    plain results directory that machine.
    """
    _describe(contexts, before, tables)
    of_projects = {context.project: tables.benchmarks(context.project) for context in contexts}
    described = {
        context.source.key: {**of_projects[context.project], **context.benchmarks}
        for context in contexts
        if not context.source.foreign  # whose files describe themselves
    }
    stale = _stale(before, store, described)
    records, processors = dict(before.sources), Processors(before.sources)
    for context in contexts:
        key, old = context.source.key, before.sources.get(context.source.key)
        folders = _known_machines(context, looking, processors)
        if context.facts is not None and len(folders) < len(context.machine_files):
            continue  # a run is stored whole or not
        record = _record(context, folders, old, looking)
        for folder in folders:
            look_at(context, folder, stale.get(key, set()), looking, found)
        if key in described and stale.get(key, set()) <= found.source_of.keys():
            record = replace(record, labels=labels.digest(described[key]))
        records[key] = record
        processors.add(key, record)
    return records


def _describe(contexts: list[Context], before: Manifest, tables: SmallTables) -> None:
    """Add new descriptions to the store's.

    asv forgets the descriptions of benchmarks that are gone, so all are kept. Of several of one
    benchmark the one that was collected last stands.
    """
    for context in contexts:
        old = before.sources.get(context.source.key)
        known = tables.benchmarks(context.project)
        new = old is None or old.described != context.described
        if new or not context.benchmarks.keys() <= known.keys():
            record_benchmarks(tables, context.project, context.benchmarks.values())


def _stale(
    before: Manifest, store: Path, described: Mapping[str, Descriptions]
) -> dict[str, set[str]]:
    """Return, by source, the files whose rows have other labels than they would get now."""
    asked = {
        key: one
        for key, one in described.items()
        if key in before.sources and before.sources[key].labels != labels.digest(one)
    }
    stale: dict[str, set[str]] = defaultdict(set)
    for part in before.parts:
        keys = {file.source: source_key(file.source) for file in part.files}
        by_file = {file: asked[key] for file, key in keys.items() if key in asked}
        for file in mislabelled(store, part, by_file) if by_file else ():
            stale[keys[file]].add(file)
    return stale


def _known_machines(context: Context, looking: Looking, processors: Processors) -> list[str]:
    """Return the folders of the machines that the store does not know as other ones."""
    accepted = []
    for folder in context.machine_files:
        machine = looking.words.machine(utf8(folder))
        place = (context.source.key, context.project, machine)
        reason = processors.refusal(*place, context.statement(folder))
        if reason is None:
            accepted.append(folder)
        else:
            looking.refuse(context.source.shows(folder), reason)
    return accepted


def _record(
    context: Context, folders: Iterable[str], old: SourceRecord | None, looking: Looking
) -> SourceRecord:
    """Return what the manifest notes of a source; machines that vanished stay."""
    machines: dict[str, Mapping[str, list[str]]] = {} if old is None else dict(old.machines)
    for folder in folders:
        machine = looking.words.machine(utf8(folder))
        machines[machine] = context.statement(folder).as_entry()
    return SourceRecord(
        project=context.project,
        run=context.run,
        described=context.described,
        labels="",
        machines=machines,
    )
