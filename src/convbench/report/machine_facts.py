"""Facts of machines, side by side: hardware, measured ceilings, noise, and what was measured."""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import pandas as pd

from convbench.report.links import commit_link
from convbench.report.machine_host import FACTS, host_of, noisy_settings
from convbench.report.machine_peaks import Ceiling
from convbench.report.measurements import Measurements, minute, text
from convbench.report.naming import line_order, name_threads, records
from convbench.report.outcomes import Outcomes
from convbench.report.provenance import MachineRow
from convbench.report.readable import counted, significant
from convbench.report.series import FAILED, OK, Series
from convbench.report.trust import ControlRow, Trust, percentage
from convbench.stats import noise_of
from convbench.stats.null_control import BENCHMARK as NULL_CONTROL

MOST_BUILDS = 6
"""Builds or environments of a machine that are named."""


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that is known of a machine; `kind` is how it is marked.

    It is empty, failed, disturbed, or finding: what makes timings noisy.
    """

    text: str
    note: str = ""
    link: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class FactRow:
    """One kind of fact, and the items of each machine; none where it is not known."""

    name: str
    cells: tuple[tuple[Item, ...], ...]


@dataclass(frozen=True, slots=True)
class Section:
    """Facts that belong together; of a kind that no machine knows there is no row."""

    title: str
    rows: tuple[FactRow, ...]


# Gives the items of a machine.
Items = Callable[[str], Iterable[Item]]


def sections_of(
    measurements: Measurements,
    series: Sequence[Series],
    outcomes: Outcomes,
    machines: Sequence[MachineRow],
    found: Sequence[Ceiling],
    trust: Trust | None,
    repo_url: str,
) -> tuple[Section, ...]:
    """Put the facts together, in the order of `machines`; a section without any is left out."""
    rows = {
        "What it is": _host_rows(measurements),
        "What it reaches, measured": _ceiling_rows(found),
        "How noisy it is": _noise_rows(series, trust),
        "What was measured": _work_rows(measurements, outcomes, machines)
        | _run_rows(measurements, repo_url),
    }
    names = [row.machine for row in machines]
    sections = (_section(title, names, of_section) for title, of_section in rows.items())
    return tuple(section for section in sections if section.rows)


def _section(title: str, names: Sequence[str], rows: Mapping[str, Items]) -> Section:
    made = (
        FactRow(name, tuple(tuple(items(machine)) for machine in names))
        for name, items in rows.items()
    )
    return Section(title, tuple(row for row in made if any(row.cells)))


def _joined(*words: str) -> str:
    return ", ".join(filter(None, words))


def _host_rows(measurements: Measurements) -> dict[str, Items]:
    rows = {text(row["machine"]): row for row in records(measurements.tables["machines"])}
    hosts = {machine: host_of(row) for machine, row in rows.items()}

    def fact(words: Callable[[Mapping[str, Any], Mapping[str, Any]], str]) -> Items:
        def items(machine: str) -> Iterable[Item]:
            said = words(rows[machine], hosts[machine]) if machine in rows else ""
            return [Item(said)] if said else []

        return items

    def findings(machine: str) -> Iterable[Item]:
        found = noisy_settings(rows[machine], hosts[machine]) if machine in rows else ()
        items = [Item(words, kind="finding") for words in found]
        # Without the facts of a run nothing was looked at: that is not "nothing found".
        return items or ([Item("none")] if hosts.get(machine) else [])

    return {name: fact(words) for name, words in FACTS} | {"Doctor's findings": findings}


def _ceiling_rows(found: Sequence[Ceiling]) -> dict[str, Items]:
    """Give a row to each kind and data type; its items are the numbers of threads."""
    rows: dict[str, dict[str, list[Item]]] = {}
    for one in found:
        name = f"{one.name} {one.dtype or 'bandwidth'}"
        threads = name_threads(one.threads) if one.threads else ""
        blas = one.blas if one.kind == "gemm" else ""
        item = Item(one.words, _joined(threads, blas), one.link)
        rows.setdefault(name, {}).setdefault(one.machine, []).append(item)
    return {name: _listed(of_machine) for name, of_machine in rows.items()}


def _listed(items: Mapping[str, Sequence[Item]]) -> Items:
    return lambda machine: items.get(machine, ())


def _noise_rows(series: Sequence[Series], trust: Trust | None) -> dict[str, Items]:
    widths: dict[str, list[float]] = {}
    noises: dict[str, list[float]] = {}
    for one in series:
        if one.unit != "seconds" or one.benchmark == NULL_CONTROL:
            continue
        for line in one.lines:
            point = line.newest
            if point.value and point.low is not None and point.high is not None:
                half = (point.high - point.low) / 2 / point.value
                widths.setdefault(line.machine, []).append(half)
            noise = noise_of(line.values)
            if not math.isnan(noise):
                noises.setdefault(line.machine, []).append(noise)
    controls = trust.controls if trust else ()
    return {
        "A/A spread": _listed({row.machine: [_spread(row)] for row in controls}),
        "A/A rate": _listed({row.machine: [_rate(row)] for row in controls}),
        "Interval of a value": _listed({m: [_typical(found, "±")] for m, found in widths.items()}),
        "From commit to commit": _listed({m: [_typical(found)] for m, found in noises.items()}),
    }


def _spread(row: ControlRow) -> Item:
    return Item(f"{row.spread} in the median", f"{row.largest} at most")


def _rate(row: ControlRow) -> Item:
    pairs = f"{row.alarms} of {counted(row.pairs, 'pair')}"
    return Item(
        f"{pairs} called different", f"true rate < {row.upper}, 95 % sure", "#/coverage?part=trust"
    )


def _typical(found: Sequence[float], sign: str = "") -> Item:
    histories = counted(len(found), "history", "histories")
    return Item(f"{sign}{percentage(median(found))}", f"median of {histories}")


def _work_rows(
    measurements: Measurements, outcomes: Outcomes, machines: Sequence[MachineRow]
) -> dict[str, Items]:
    failed = Counter(line.machine for one, line in outcomes.histories if one.state == FAILED)
    known = {row.machine: row for row in machines}
    ok = measurements.newest["status"] == OK
    counts = measurements.newest["machine"][ok].value_counts()

    def values(machine: str) -> Iterable[Item]:
        facts = known[machine]
        dates = facts.first if facts.first == facts.last else f"{facts.first} to {facts.last}"
        yield Item(f"{counts.get(machine, 0):,}", _joined(counted(facts.commits, "commit"), dates))

    def failures(machine: str) -> Iterable[Item]:
        if not failed[machine]:
            return [Item("none")]
        histories = counted(failed[machine], "history", "histories")
        return [Item(histories, "by their newest outcome", "#/coverage?state=failed", "failed")]

    has_blas = any(text(row["blas"]) for row in measurements.rows_of_lines.values())
    return {
        "BLAS builds" if has_blas else "Environments": lambda one: _builds(measurements, one),
        "Values": values,
        "Failed": failures,
    }


def _builds(measurements: Measurements, machine: str) -> Iterable[Item]:
    rows = measurements.rows_of_lines
    lines = sorted((name for at, name in rows if at == machine), key=line_order)
    # What is measured today before what is not any more.
    lines.sort(key=lambda name: (machine, name) in measurements.outdated)
    for name in lines[:MOST_BUILDS]:
        identity = text(rows[machine, name]["blas_identity"])
        old = "not measured any more" if (machine, name) in measurements.outdated else ""
        yield Item(name, _joined(identity if identity not in name else "", old))
    if len(lines) > MOST_BUILDS:
        yield Item(f"and {len(lines) - MOST_BUILDS} more")


def _run_rows(measurements: Measurements, repo_url: str) -> dict[str, Items]:
    runs = measurements.tables["runs"].sort_values(["started_at", "run"], kind="stable")
    of_machine = {str(machine): rows for machine, rows in runs.groupby("machine", sort=True)}

    def told(say: Callable[[pd.DataFrame], Iterable[Item]]) -> Items:
        return lambda machine: say(of_machine[machine]) if machine in of_machine else ()

    def time_per_run(machine: str) -> Iterable[Item]:
        if machine in of_machine:
            return _time_of_runs(of_machine[machine])
        return _time_of_benchmarks(measurements, machine)

    return {
        "Runs": told(_runs),
        "Time per run": time_per_run,
        "Last run": lambda machine: _last(measurements, machine, repo_url),
    }


def _runs(runs: pd.DataFrame) -> Iterable[Item]:
    said = runs["disturbed"].dropna()
    disturbed = int((said != "").sum())
    quiet = "none of them disturbed" if len(said) == len(runs) and not disturbed else ""
    yield Item(f"{len(runs):,}", quiet, "#/coverage?part=runs")
    if disturbed:
        yield Item(f"{disturbed:,} disturbed", kind="disturbed")


def _time_of_runs(runs: pd.DataFrame) -> Iterable[Item]:
    """Tell how long runs took from start to end, and what the newest one was allowed."""
    minutes = (runs["finished_at"] - runs["started_at"]).dropna().dt.total_seconds() / 60
    budget = runs["budget_minutes"].iloc[-1]
    allowed = "" if pd.isna(budget) else f"budget {significant(budget, 2)} min, last run"
    if len(minutes):
        yield Item(_span(minutes), allowed)


def _time_of_benchmarks(measurements: Measurements, machine: str) -> Iterable[Item]:
    """Tell how long asv's benchmarks took at a commit, where it recorded that."""
    rows = measurements.newest[measurements.newest["machine"] == machine]
    # asv records one duration per benchmark, whatever its parameters.
    each = rows.drop_duplicates(["commit", "environment", "benchmark"]).dropna(subset=["duration"])
    minutes = each.groupby(["commit", "environment"])["duration"].sum() / 60
    if len(minutes):
        yield Item(_span(minutes), "benchmarks alone, of one commit and environment")


def _span(minutes: pd.Series) -> str:
    """Write the median, with the shortest and the longest where they differ."""
    unit, length = ("min", 1) if minutes.median() >= 1 else ("s", 1 / 60)
    ends = minutes.quantile([0, 0.5, 1]) / length
    low, middle, high = (significant(one, 2) for one in ends)
    return f"{middle} {unit}" + (f" ({low} to {high})" if low != high else "")


def _last(measurements: Measurements, machine: str, repo_url: str) -> Iterable[Item]:
    """Name the commit that was measured last, and when: by run, else by what asv recorded."""
    rows = measurements.newest[measurements.newest["machine"] == machine]
    ordered = rows[["started_at", "position"]].sort_values(
        ["started_at", "position"], na_position="first", kind="stable"
    )
    started, position = ordered.iloc[-1]
    moment = "" if pd.isna(started) else f"{minute(started)} UTC"
    commit = measurements.commits[int(position)]
    words = f"{commit.short} of {commit.date}" if commit.date else commit.short
    yield Item(words, _joined(moment, commit.subject), commit_link(repo_url, commit.commit))
