"""Where the numbers come from: runs, machines, BLAS builds, versions, and what failed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from convbench.report.builds import SHORT_SHA, Build, builds_of, mark_repeats
from convbench.report.cells import refusal_of, refusals
from convbench.report.links import commit_link, history_link
from convbench.report.measurements import Measurements, day, is_true, minute, text
from convbench.report.naming import records
from convbench.report.outcomes import Outcomes, outcome_of
from convbench.report.readable import counted, quantity, significant
from convbench.report.series import FAILED


@dataclass(frozen=True, slots=True)
class Fact:
    """Something a run recorded; `shown` is what fits in a line, `whole` all of it."""

    name: str
    shown: str
    whole: str


@dataclass(frozen=True, slots=True)
class RunRow:
    """One measuring run: of what, where, how long, on which builds and how quietly."""

    run: str
    machine: str
    commit: str
    subject: str
    commit_url: str
    dirty: bool
    started: str
    minutes: str
    effort: tuple[str, ...]
    disturbed: str
    builds: tuple[Build, ...]
    load: str
    exit_code: str
    dropped: str
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class MachineRow:
    """A machine and what was measured on it."""

    machine: str
    facts: str
    lines: int
    commits: int
    values: int
    first: str
    last: str


@dataclass(frozen=True, slots=True)
class Failure:
    """A history that counts as failed; `commit` is the one at which it did."""

    name: str
    detail: str
    where: str
    commit: str
    reason: str
    link: str


def run_rows(measurements: Measurements, repo_url: str) -> tuple[RunRow, ...]:
    """Describe the runs, newest first."""
    runs = measurements.tables["runs"].sort_values(
        ["started_at", "machine", "run"], ascending=False, kind="stable"
    )
    environments = measurements.tables["environments"]
    subjects = {commit.commit: commit.subject for commit in measurements.commits}
    rows = []
    told: dict[str, dict[tuple[str, str], Build]] = {}
    for run in records(runs):
        of_machine = told.setdefault(text(run["machine"]), {})
        of_run = environments[
            (environments["run"] == run["run"]) & (environments["machine"] == run["machine"])
        ]
        rows.append(
            RunRow(
                run=text(run["run"]),
                machine=text(run["machine"]),
                commit=text(run["commit"])[:8],
                subject=subjects.get(run["commit"], ""),
                commit_url=commit_link(repo_url, text(run["commit"])),
                dirty=is_true(run["dirty"]),
                started=minute(run["started_at"]),
                minutes=_minutes((run["finished_at"] - run["started_at"]) / pd.Timedelta("1min")),
                effort=tuple(_effort(run)),
                disturbed=text(run["disturbed"]),
                builds=mark_repeats(builds_of(of_run), of_machine),
                load=_load(run["load_before"], run["load_after"]),
                exit_code=_count(run["asv_exit_code"]),
                dropped=", ".join(f"{k}={v}" for k, v in (run["dropped_variables"] or {}).items()),
                facts=tuple(_facts(run)),
            )
        )
    return tuple(rows)


def _effort(run: Mapping[str, Any]) -> Iterator[str]:
    """Say what was planned and what became of it; nothing where a run did not record it."""
    measured, budget = _minutes(run["measured_minutes"]), _minutes(run["budget_minutes"])
    if measured:
        yield f"{measured} of a budget of {budget}" if budget else f"{measured} without a budget"
    if _count(run["rounds"]):
        yield counted(int(run["rounds"]), "round")
    if _count(run["cells_left_out"]) not in ("", "0"):
        yield f"{counted(int(run['cells_left_out']), 'cell')} left out"
    if is_true(run["quick"]):
        yield "quick: fewer samples than usual"


def _facts(run: Mapping[str, Any]) -> Iterator[Fact]:
    """List what else a run recorded of itself."""
    for name, column in (
        ("Run", "run"),
        ("Command", "command"),
        ("Only benchmarks like", "bench"),
        ("Environments made by", "environment_type"),
        ("Lock file, SHA-256", "lock_sha256"),
        ("Environments, SHA-256", "environments_sha256"),
        ("Python", "python"),
        ("asv", "asv_version"),
    ):
        whole = text(run[column])
        if whole:
            yield Fact(name, whole[:SHORT_SHA] if column.endswith("sha256") else whole, whole)
    if _count(run["seed"]):
        yield Fact("Seed", _count(run["seed"]), _count(run["seed"]))


def _count(value: float) -> str:
    return "" if pd.isna(value) else str(int(value))


def _minutes(value: float) -> str:
    return "" if pd.isna(value) else f"{significant(value, 2)} min"


def machine_rows(measurements: Measurements) -> tuple[MachineRow, ...]:
    """Describe the machines that have values."""
    known = {row["machine"]: row for row in records(measurements.tables["machines"])}
    rows = []
    for machine, values in measurements.newest.groupby("machine", sort=True):
        facts = _machine_facts(known[machine]) if machine in known else ()
        dates = values["commit_date"]
        rows.append(
            MachineRow(
                str(machine),
                ", ".join(filter(None, facts)),
                values["line"].nunique(),
                values["commit"].nunique(),
                int((values["status"] == "ok").sum()),
                day(dates.min()),
                day(dates.max()),
            )
        )
    return tuple(rows)


def _machine_facts(row: Mapping[str, Any]) -> Iterator[str]:
    """Say what a machine is; what asv or an older version did not know is left out."""
    yield from (text(row["cpu"]), text(row["arch"]))
    cores, cpus = _count(row["cores"]), text(row["num_cpu"])
    known = int(cores) if cores else int(cpus) if cpus.isdigit() else None
    if known:
        yield counted(known, "core") + (f", {cpus} CPUs" if cores and cpus != cores else "")
    elif cpus:
        yield f"{cpus} cores"
    size = row["ram_bytes"]
    yield memory(text(row["ram"])) if pd.isna(size) else quantity(size, "bytes")
    yield text(row["os"])
    if not pd.isna(row["virtualised"]):
        yield f"virtualised ({row['virtualised']})" if row["virtualised"] else "not virtualised"
    if text(row["governor"]):
        yield f"governor {row['governor']}"


def failures(measurements: Measurements, outcomes: Outcomes) -> tuple[Failure, ...]:
    """List the histories that count as failed, with the guard's message where it refused."""
    refused = refusals(measurements.tables["environments"])
    rows = []
    for outcome, line in outcomes.histories:
        if outcome.state == FAILED:
            one, point = outcome.series, outcome_of(line)
            values = [value for key, value in one.params if key != "strategy"]
            rows.append(
                Failure(
                    one.strategy or one.measure,
                    " · ".join([*([one.measure] if one.strategy else []), *values]),
                    measurements.place(line.machine, line.name),
                    measurements.commits[point.position].short,
                    refusal_of(measurements, line, point, refused),
                    history_link(one, line.machine),
                )
            )
    return tuple(rows)


def package_versions(measurements: Measurements) -> tuple[str, ...]:
    """Name the package versions of the newest environments, each once."""
    environments = measurements.tables["environments"]
    if environments.empty:
        return ()
    positions = {commit.commit: commit.position for commit in measurements.commits}
    newest = environments.assign(position=environments["commit"].map(positions)).dropna(
        subset=["position"]
    )
    newest = newest[newest["position"] == newest["position"].max()]
    versions: dict[str, set[str]] = {}
    for packages in newest["packages"]:
        for name, version in (packages or {}).items():
            if version:
                versions.setdefault(name, set()).add(version)
    return tuple(f"{name} {' and '.join(sorted(versions[name]))}" for name in sorted(versions))


def _load(before: float, after: float) -> str:
    if pd.isna(before) and pd.isna(after):
        return ""
    return " → ".join("?" if pd.isna(load) else f"{load:.2f}" for load in (before, after))


def memory(ram: str) -> str:
    """Write asv's memory: kB from older versions, bytes from newer ones, or any text."""
    if not ram.isdigit():
        return ram
    # No machine of these years has 2 TB or only 2 GB: the two units don't meet.
    size = int(ram) if int(ram) > 2e9 else int(ram) * 1000
    return quantity(size, "bytes")
