"""One source into the store: which files changed, their rows, the manifest's entry."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from convbench.results.asv_files import (
    DAMAGE,
    Benchmark,
    ResultFile,
    parse_benchmarks,
    parse_machine,
    parse_result,
)
from convbench.results.facts import Facts, parse_facts, tables_of
from convbench.results.file_hashes import FileHashes
from convbench.results.grids import Grids, utf8
from convbench.results.processors import Processors, Statement
from convbench.results.rows import assemble, merge, read_part, with_constants, write_rows
from convbench.results.schema import COUNT, KEYS, SCHEMAS
from convbench.results.small_tables import SmallTables
from convbench.results.sources import (
    BENCHMARKS,
    FACTS,
    MACHINE,
    Source,
    one_line,
    project_name,
)

Say = Callable[[str], None]
Refuse = Callable[[str, Exception], None]
Entry = dict[str, Any]


@dataclass(frozen=True)
class SourceReading:
    """What reading one source gave; `entry` is its new entry in the manifest, None without one."""

    entry: Entry | None
    files_read: int = 0
    files_unchanged: int = 0
    damaged: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Context:
    """What all files of one source are read with."""

    source: Source
    store: Path
    project: str
    facts: Facts | None
    benchmarks: dict[str, Benchmark]
    machine_files: dict[str, dict[str, str]]
    hashes: FileHashes
    tables: SmallTables
    refuse: Refuse

    @property
    def run(self) -> str:
        return "" if self.facts is None else utf8(self.facts.run)

    def statement(self, machine: str) -> Statement:
        """Return what the source says of a machine's processor."""
        host = self.facts.host if self.facts and self.facts.machine == machine else {}
        return Statement.of(host, self.machine_files[machine])


def read_source(
    source: Source,
    store: Path,
    old: Entry | None,
    project: str | None,
    hashes: FileHashes,
    tables: SmallTables,
    processors: Processors,
    say: Say,
) -> SourceReading:
    """Read what changed in one source, write its parts, add to the small tables."""
    damaged: list[str] = []

    def refuse(name: str, error: Exception) -> None:
        damaged.append(f"{source.shown}/{utf8(name)}: skipped, {one_line(error)}")
        say(damaged[-1])

    try:
        facts_hash, facts = _facts(source, hashes)
    except DAMAGE as error:
        # Rows without their run and BLAS identity would be other points: better none.
        refuse(FACTS, error)
        return SourceReading(entry=old, damaged=tuple(damaged))
    try:
        digest, benchmarks = _benchmarks(source, hashes)
    except DAMAGE as error:
        refuse(BENCHMARKS, error)
        # An older good one stays in force; without one the next collection looks again.
        digest, benchmarks = "" if old is None else old["context"].get(BENCHMARKS, ""), {}
    name = utf8(facts.project if facts else project or project_name(source))
    known = tables.benchmarks(name) | benchmarks
    files = _machine_files(source, refuse)
    context = _Context(source, store, name, facts, known, files, hashes, tables, refuse)
    strangers = _strangers(context, processors)
    if facts is not None and strangers:
        return SourceReading(entry=old, damaged=tuple(damaged))  # a run is stored whole or not
    head = {
        "project": name,
        "run": context.run,
        "context": {BENCHMARKS: digest, FACTS: facts_hash},
    }
    reading = _read_machines(context, head, old, strangers)
    if reading.files_read:
        _add_tables(context, benchmarks)
    return replace(reading, damaged=tuple(damaged))


def _machine_files(source: Source, refuse: Refuse) -> dict[str, dict[str, str]]:
    """Read what ``machine.json`` says of each machine; one without it has its name alone."""
    files = {}
    for machine in source.machines:
        files[machine] = parse_machine(b"{}")
        try:
            files[machine] = parse_machine((source.path / machine / MACHINE).read_bytes())
        except FileNotFoundError:
            pass
        except DAMAGE as error:
            refuse(f"{machine}/{MACHINE}", error)
    return files


def _strangers(context: _Context, processors: Processors) -> set[str]:
    """Refuse the machines that the store knows as other ones; return their names."""
    strangers = set()
    for machine in context.source.machines:
        statement = context.statement(machine)
        place = (context.source.key, context.project, utf8(machine))
        if reason := processors.refusal(*place, statement):
            context.refuse(machine, ValueError(reason))
            strangers.add(machine)
    return strangers


def _read_machines(
    context: _Context, head: Entry, old: Entry | None, strangers: set[str]
) -> SourceReading:
    """Read every machine of a source but strangers; machines that vanished keep their rows."""
    same_context = old is not None and all(old[key] == head[key] for key in head)
    machines = {} if old is None else dict(old["machines"])
    readings = []
    for machine in context.source.machines:
        if machine in strangers:
            continue
        reading = _read_machine(context, machine, machines.get(utf8(machine)), same_context)
        readings.append(reading)
        if reading.entry is not None:
            processor = {"processor": context.statement(machine).as_entry()}
            machines[utf8(machine)] = reading.entry | processor
    return SourceReading(
        entry=head | {"machines": machines},
        files_read=sum(reading.files_read for reading in readings),
        files_unchanged=sum(reading.files_unchanged for reading in readings),
    )


def _benchmarks(source: Source, hashes: FileHashes) -> tuple[str, dict[str, Benchmark]]:
    path = source.path / BENCHMARKS
    digest, raw = hashes.look(path, f"{source.key}/{BENCHMARKS}")
    return digest, parse_benchmarks(raw or path.read_bytes())


def _facts(source: Source, hashes: FileHashes) -> tuple[str, Facts | None]:
    path = source.path / FACTS
    if not path.exists():
        return "", None
    digest, raw = hashes.look(path, f"{source.key}/{FACTS}")
    facts = parse_facts(raw or path.read_bytes())
    for name, rows in tables_of(facts).items():  # damage must show before anything is read
        _check(name, rows)
    return digest, facts


def _check(name: str, rows: list[dict[str, Any]]) -> None:
    """Raise what Arrow or we have against rows of a small table."""
    pa.Table.from_pylist(rows, SCHEMAS[name])
    if any(row[column] is None for row in rows for column in KEYS[name]):
        raise ValueError(f"null in {' or '.join(KEYS[name])} of {name}")
    counts = [field.name for field in SCHEMAS[name] if field.type == COUNT]
    cut = {c for row in rows for c in counts if row.get(c) is not None and row[c] != int(row[c])}
    if cut:  # Arrow would drop what is behind the point
        raise ValueError(f"no whole number in {', '.join(sorted(cut))} of {name}")


def _add_tables(context: _Context, benchmarks: dict[str, Benchmark]) -> None:
    context.tables.add(
        "benchmarks",
        (
            {"project": context.project, **asdict(known), "param_names": list(known.param_names)}
            for known in benchmarks.values()
        ),
    )
    if context.facts is None:
        return
    # After the rows that result files gave: facts know what was really loaded.
    for table, rows in tables_of(context.facts).items():
        if table != "machines" or _is_newest_of(context, context.facts.machine):
            context.tables.add(table, rows)


def _is_newest_of(context: _Context, machine: str) -> bool:
    """Whether no run of a machine started later; a source without a start is never newer."""
    runs = context.tables.runs_of(context.project, utf8(machine))
    others = [start for run, start in runs.items() if run != context.run and start is not None]
    started_at = None if context.facts is None else context.facts.started_at
    return not others or (started_at is not None and started_at >= max(others))


def _read_machine(
    context: _Context, machine: str, old: Entry | None, same_context: bool
) -> SourceReading:
    """Read the changed result files of one machine into a new part."""
    source, grids, tables = context.source, Grids(), []
    old_files: dict[str, str] = {} if old is None else old["files"]
    files: dict[str, str] = {}
    unchanged = 0
    for name in source.result_files(machine):
        path, shown = source.path / machine / name, f"{machine}/{name}"
        try:
            digest, raw = context.hashes.look(path, f"{source.key}/{utf8(shown)}")
            if same_context and old_files.get(utf8(name)) == digest:
                unchanged += 1
                continue
            result = parse_result(raw or path.read_bytes(), context.benchmarks, grids)
        except DAMAGE as error:
            context.refuse(shown, error)
            continue
        files[utf8(name)] = digest
        constants = _constants(context, utf8(machine), utf8(shown), result)
        tables.append(with_constants(result.rows, constants, result.commit_date))
        _add_rows(context, constants, result)
    entry = old
    if tables:
        _add_machine(context, machine)
        rows = assemble(tables, grids)
        if old is not None:
            owner = {"project": context.project, "run": context.run}
            read_again = [f"{utf8(machine)}/{name}" for name in files]
            rows = merge(read_part(context.store, old), rows, read_again, owner)
        entry = write_rows(context.store, context.project, utf8(machine), rows)
        entry["files"] = old_files | files
    return SourceReading(entry, len(files), unchanged)


def _constants(context: _Context, machine: str, source: str, result: ResultFile) -> dict[str, str]:
    facts, environment = context.facts, result.environment
    return {
        "project": context.project,
        "machine": machine,
        "environment": environment,
        "blas": result.blas,
        "blas_identity": "" if facts is None else facts.identity(environment),
        "blas_sha256": "" if facts is None else facts.blas_sha256(environment),
        "commit": result.commit,
        "run": context.run,
        "threads": result.threads,
        "source": source,
    }


def _add_rows(context: _Context, constants: dict[str, str], result: ResultFile) -> None:
    """Add what a result file says of its commit and environment to the small tables."""
    commit = {name: constants[name] for name in KEYS["commits"]}
    date = {"commit_date": result.commit_date}
    context.tables.add("commits", [commit | date])
    environment = {name: constants[name] for name in (*KEYS["environments"], "blas", "threads")}
    environment |= {"guard": "", "libraries_json": "[]", "identity": constants["blas_identity"]}
    environment |= {"blas_sha256": constants["blas_sha256"]}
    context.tables.add("environments", [environment | {"packages": list(result.packages.items())}])


def _add_machine(context: _Context, machine: str) -> None:
    """Add what ``machine.json`` says, unless a newer run said it; a run's host fills its gaps."""
    if not _is_newest_of(context, machine):
        return
    statement, said = context.statement(machine), context.machine_files[machine]
    row = said | {
        "project": context.project,
        "machine": utf8(machine),
        "cpu": said["cpu"] or statement.host.model,
        "num_cpu": said["num_cpu"] or statement.host.cpus,
    }
    context.tables.add("machines", [row])
