"""Which sources are taken in, and whether their unchanged files must be read again."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from convbench.results.contexts import Context
from convbench.results.manifest import Manifest, SourceRecord
from convbench.results.planning import Findings, Looking, look_at
from convbench.results.processors import Processors
from convbench.results.recording import record_benchmarks
from convbench.results.result_file import Benchmark, utf8
from convbench.results.small_tables import SmallTables
from convbench.results.sources import BENCHMARKS


def accept(
    contexts: list[Context],
    before: Manifest,
    tables: SmallTables,
    looking: Looking,
    found: Findings,
) -> dict[str, SourceRecord]:
    """Find what is to be read of every source; return the records of all sources.

    A source whose machine the store knows as another one is refused: a measuring run whole, of a
    plain results directory that machine.
    """
    known = {context.project: tables.benchmarks(context.project) for context in contexts}
    _describe(contexts, before, tables)
    news = {project: _news(was, tables.benchmarks(project)) for project, was in known.items()}
    records, processors = dict(before.sources), Processors(before.sources)
    for context in contexts:
        key, old = context.source.key, before.sources.get(context.source.key)
        folders = _known_machines(context, looking, processors)
        if context.facts is not None and len(folders) < len(context.machine_files):
            continue  # a run is stored whole or not
        record = _record(context, folders, old, looking)
        same = old is not None and _gives_same_rows(record, old, news[context.project])
        if not same:
            record = replace(record, undescribed=())
        for folder in folders:
            look_at(context, folder, same, looking, found)
        records[key] = record
        processors.add(key, record)
    given = {context.source.key for context in contexts}
    for key, record in records.items():
        if key not in given and record.project in news and _concerns(news[record.project], record):
            records[key] = record.outdated()
    return records


def _describe(contexts: list[Context], before: Manifest, tables: SmallTables) -> None:
    """Add new descriptions to the store's.

    asv forgets the descriptions of benchmarks that are gone, so all are kept. Of several of one
    benchmark the one that was collected last stands.
    """
    for context in contexts:
        old = before.sources.get(context.source.key)
        if old is None or old.context.get(BENCHMARKS) != context.digests.get(BENCHMARKS):
            record_benchmarks(tables, context.project, context.benchmarks.values())


@dataclass(frozen=True)
class _News:
    """Benchmarks that are described for the first time, and whether any is described otherwise."""

    described: frozenset[str]
    otherwise: bool


def _news(was: Mapping[str, Benchmark], now: Mapping[str, Benchmark]) -> _News:
    otherwise = any(_labels(was[name]) != _labels(now[name]) for name in was)
    return _News(frozenset(now.keys() - was.keys()), otherwise)


def _labels(benchmark: Benchmark) -> tuple[object, ...]:
    """Return what a description puts into rows."""
    return benchmark.unit, benchmark.param_names


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
            looking.refuse(f"{context.source.shown}/{utf8(folder)}", reason)
    return accepted


def _record(
    context: Context, folders: list[str], old: SourceRecord | None, looking: Looking
) -> SourceRecord:
    """Return what the manifest notes of a source; machines that vanished stay."""
    machines: dict[str, Mapping[str, list[str]]] = {} if old is None else dict(old.machines)
    for folder in folders:
        machine = looking.words.machine(utf8(folder))
        machines[machine] = context.statement(folder).as_entry()
    return SourceRecord(
        project=context.project,
        run=context.run,
        context={**context.digests, "words": looking.words.digest},
        machines=machines,
        undescribed=() if old is None else old.undescribed,
    )


def _gives_same_rows(record: SourceRecord, old: SourceRecord, news: _News) -> bool:
    """Whether files that are as they were would give the rows that the store has."""
    ours, theirs = ({**one.context, BENCHMARKS: ""} for one in (record, old))
    owner = (record.project, record.run) == (old.project, old.run)
    return owner and ours == theirs and not _concerns(news, old)


def _concerns(news: _News, record: SourceRecord) -> bool:
    """Whether new descriptions give a source's rows other labels."""
    # A first one concerns old files only where they had the benchmark without one.
    return news.otherwise or bool(news.described & set(record.undescribed))
