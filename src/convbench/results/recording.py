"""What was read beside the rows, into the small tables."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

from convbench.results.contexts import Context
from convbench.results.facts import tables_of
from convbench.results.part_building import FileRead, PartBuilt
from convbench.results.result_file import Benchmark, utf8
from convbench.results.small_tables import Row, SmallTables
from convbench.results.words import Words

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def record_part(tables: SmallTables, built: PartBuilt, words: Words) -> None:
    """Add what the files of a part say of their commits, environments and benchmarks."""
    project, machine = built.part.project, built.part.machine
    tables.add("commits", [_commit_row(project, file) for file in built.read])
    rows = [_environment_row(project, machine, file, words) for file in built.read]
    tables.add("environments", rows)
    for file in built.read:
        record_benchmarks(tables, project, file.benchmarks.values())


def _commit_row(project: str, file: FileRead) -> Row:
    date = _EPOCH + timedelta(milliseconds=file.head.commit_date_ms)
    return {"project": project, "commit": file.head.commit, "commit_date": date}


def _environment_row(project: str, machine: str, file: FileRead, words: Words) -> Row:
    head = file.head
    identity, sha256 = file.build
    return {
        "project": project,
        "machine": machine,
        "environment": head.environment,
        "run": file.run,
        "commit": head.commit,
        **{
            column: words.of_environment(column, head.variables, head.requirements)
            for column in ("blas", "threads")
        },
        "guard": "",
        "libraries_json": "[]",
        "identity": identity,
        "blas_sha256": sha256,
        "packages": [("python", head.python), *head.requirements.items()],
    }


def record_benchmarks(tables: SmallTables, project: str, benchmarks: Iterable[Benchmark]) -> None:
    """Add descriptions; what was described before is described anew."""
    tables.add(
        "benchmarks",
        (
            {"project": project, **asdict(known), "param_names": list(known.param_names)}
            for known in benchmarks
        ),
    )


def record_facts(tables: SmallTables, context: Context, words: Words) -> None:
    """Add what a measuring run's facts say; after what its files say, since facts know better."""
    facts = context.facts
    if facts is None:
        return
    machine = words.machine(utf8(facts.machine))
    for table, rows in tables_of(facts).items():
        if table != "machines" or _is_newest(tables, context, machine):
            here = ({**row, "machine": machine} if "machine" in row else row for row in rows)
            tables.add(table, here)


def record_machine(tables: SmallTables, context: Context, folder: str, words: Words) -> None:
    """Add what ``machine.json`` says, unless a newer run said it; a run's host fills its gaps."""
    machine = words.machine(utf8(folder))
    if not _is_newest(tables, context, machine):
        return
    statement, said = context.statement(folder), context.machine_files[folder]
    row = {
        **said,
        "project": context.project,
        "machine": machine,
        "cpu": said["cpu"] or statement.host.model,
        "num_cpu": said["num_cpu"] or statement.host.cpus,
    }
    tables.add("machines", [row])


def _is_newest(tables: SmallTables, context: Context, machine: str) -> bool:
    """Whether no run of a machine started later; a source without a start is never newer."""
    runs = tables.runs_of(context.project, machine)
    others = [start for run, start in runs.items() if run != context.run and start is not None]
    started_at = None if context.facts is None else context.facts.started_at
    return not others or (started_at is not None and started_at >= max(others))
