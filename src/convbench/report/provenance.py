"""Where the numbers come from: runs, machines, BLAS builds, versions, and what failed."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from convbench.report.cells import refusal_of, refusals
from convbench.report.links import commit_link, history_link
from convbench.report.measurements import Measurements, day, minute
from convbench.report.readable import quantity, significant
from convbench.report.series import FAILED, Series


@dataclass(frozen=True, slots=True)
class Build:
    """A BLAS build in a run, and whether the guard proved it."""

    line: str
    identity: str
    guard: str


@dataclass(frozen=True, slots=True)
class RunRow:
    """One measuring run."""

    machine: str
    commit: str
    subject: str
    commit_url: str
    started: str
    minutes: str
    builds: tuple[Build, ...]
    load: str
    exit_code: str
    dropped: str


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
    """A history whose newest commit failed."""

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
    subjects = {commit.commit: commit for commit in measurements.commits}
    rows = []
    for run in runs.to_dict("records"):
        commit = subjects.get(run["commit"])
        of_run = environments[
            (environments["run"] == run["run"]) & (environments["machine"] == run["machine"])
        ]
        builds = tuple(
            Build(
                text(row["blas"]) or text(row["environment"]),
                text(row["identity"]),
                text(row["guard"]),
            )
            for row in of_run.sort_values(["blas", "environment"]).to_dict("records")
        )
        seconds = (run["finished_at"] - run["started_at"]) / pd.Timedelta(seconds=1)
        rows.append(
            RunRow(
                machine=text(run["machine"]),
                commit=text(run["commit"])[:8],
                subject=commit.subject if commit else "",
                commit_url=commit_link(repo_url, text(run["commit"])),
                started=minute(run["started_at"]),
                minutes="" if pd.isna(seconds) else f"{significant(seconds / 60, 2)} min",
                builds=builds,
                load=_load(run["load_before"], run["load_after"]),
                exit_code="" if pd.isna(run["asv_exit_code"]) else str(int(run["asv_exit_code"])),
                dropped=", ".join(f"{k}={v}" for k, v in (run["dropped_variables"] or {}).items()),
            )
        )
    return tuple(rows)


def machine_rows(measurements: Measurements) -> tuple[MachineRow, ...]:
    """Describe the machines that have values."""
    known = measurements.tables["machines"].drop_duplicates("machine").set_index("machine")
    rows = []
    for machine, values in measurements.newest.groupby("machine", sort=True):
        facts = []
        if machine in known.index:
            row = known.loc[machine]
            cores = f"{text(row['num_cpu'])} cores" if text(row["num_cpu"]) else ""
            facts = [
                text(row["cpu"]),
                text(row["arch"]),
                cores,
                _memory(text(row["ram"])),
                text(row["os"]),
            ]
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


def failures(measurements: Measurements, series: Sequence[Series]) -> tuple[Failure, ...]:
    """List the histories whose newest commit failed, with the guard's message where it refused."""
    refused = refusals(measurements.tables["environments"])
    rows = []
    for one in series:
        for line in one.lines:
            if line.newest.status == FAILED:
                reason = refusal_of(measurements, line, line.newest, refused)
                values = [value for key, value in one.params if key != "strategy"]
                rows.append(
                    Failure(
                        one.strategy or one.measure,
                        " · ".join([*([one.measure] if one.strategy else []), *values]),
                        measurements.place(line.machine, line.name),
                        measurements.commits[line.newest.position].short,
                        reason,
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


def text(value: object) -> str:
    """Give a cell of a text column; empty where it is missing."""
    return "" if value is None or value is pd.NaT or value != value else str(value)


def _load(before: float, after: float) -> str:
    if pd.isna(before) and pd.isna(after):
        return ""
    return " → ".join("?" if pd.isna(load) else f"{load:.2f}" for load in (before, after))


def _memory(ram: str) -> str:
    """Write asv's memory: kB from older versions, bytes from newer ones, or any text."""
    if not ram.isdigit():
        return ram
    # No machine of these years has 2 TB or only 2 GB: the two units don't meet.
    size = int(ram) if int(ram) > 2e9 else int(ram) * 1000
    return quantity(size, "bytes")
