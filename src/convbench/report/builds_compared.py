"""The view of BLAS builds against each other: a row per strategy, a bar per build.

A variant is a machine, a number of threads, a data type and a baseline.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from convbench.report.build_bars import Axis, Bar, axis_of, bar, verdicts_in_words
from convbench.report.build_ratios import CALLS_NO_BLAS, Ratio, control_factor, ratios_of
from convbench.report.builds import Library, builds_of
from convbench.report.cells import families
from convbench.report.figures import Tick
from convbench.report.measurements import ALL_THREADS, Measurements, text
from convbench.report.naming import line_order, name_threads, records
from convbench.report.readable import significant, times
from convbench.report.series import Series
from convbench.report.winners import Found, group_timings

MOST_BUILDS = 4
"""So many builds of a machine are compared, those that its newest commit measured first."""

# A machine, a number of threads and a data type; in it the builds by name.
Group = tuple[str, str, str]
Timings = Mapping[str, Found]
# By build, in order, and strategy.
Ratios = Mapping[str, Mapping[str, Ratio]]


@dataclass(frozen=True, slots=True)
class ComparedRow:
    """A strategy's bars, in the order of the builds; None where a build has no ratio.

    `effects` are the ratios as numbers, to order rows by; empty where there is none.
    """

    strategy: str
    family: str
    bars: tuple[Bar | None, ...]
    effects: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ComparedBuild:
    """A build that is compared with the baseline, and how far its controls lie from 1.

    `left` and `width` are the controls' band in the picture, in percent; without controls
    `spread` is empty and there is no band.
    """

    name: str
    mark: int
    summary: str
    spread: str
    left: float
    width: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """One variant; `rows` may call the BLAS, `controls` do not; `one` is where 1 stands."""

    machine: str
    threads: str
    dtype: str
    baseline: str
    lede: str
    builds: tuple[ComparedBuild, ...]
    ticks: tuple[Tick, ...]
    one: float
    rows: tuple[ComparedRow, ...]
    controls: tuple[ComparedRow, ...]


@dataclass(frozen=True, slots=True)
class Identity:
    """What a build was when it was last measured; what was not recorded is empty."""

    machine: str
    line: str
    identity: str
    ran: str
    lapack: str
    guard: str
    libraries: tuple[Library, ...]
    commit: str


@dataclass(frozen=True, slots=True)
class BuildsCompared:
    """All variants, and what the builds were; `left_out` names those that were too many."""

    variants: tuple[Comparison, ...]
    identities: tuple[Identity, ...]
    left_out: tuple[str, ...]

    @property
    def orders(self) -> tuple[str, ...]:
        """The builds that rows can be ordered by, where there is a choice."""
        names = dict.fromkeys(one.name for each in self.variants for one in each.builds)
        return tuple(names) if any(len(one.builds) > 1 for one in self.variants) else ()


def build_comparisons(
    measurements: Measurements, series: Sequence[Series]
) -> BuildsCompared | None:
    """Build the view; None where no machine measured strategies with two builds."""
    groups, left_out = _group_builds(measurements, series)
    family = families(measurements.tables["cells"])
    variants = [
        variant
        for group, timings in groups.items()
        for baseline in timings
        if (variant := _compare(measurements, group, timings, baseline, family))
    ]
    if not variants:
        return None
    return BuildsCompared(tuple(variants), _identities(measurements, variants), left_out)


def _group_builds(
    measurements: Measurements, series: Sequence[Series]
) -> tuple[dict[Group, Timings], tuple[str, ...]]:
    """Give the builds of each group, at most so many, and name those that were too many."""
    groups: dict[Group, dict[str, Found]] = {}
    dropped: dict[str, None] = {}
    timed = group_timings(series)
    for machine, line, dtype in sorted(timed, key=lambda key: _rank(measurements, *key)):
        row = measurements.rows_of_lines[machine, line]
        if not text(row["blas"]):
            continue
        threads = _threads(row)
        builds = groups.setdefault((machine, threads, dtype), {})
        if len(builds) < MOST_BUILDS:
            builds[_without_threads(line, threads)] = timed[machine, line, dtype]
        else:
            dropped[_without_threads(line, threads)] = None

    def order(group: Group) -> tuple[object, ...]:
        """All threads, which few strategies can use, stand last; data types of few problems too."""
        machine, threads, dtype = group
        problems = {problem for found in groups[group].values() for _, problem in found}
        return machine, threads == name_threads(ALL_THREADS), threads, -len(problems), dtype

    return {key: groups[key] for key in sorted(groups, key=order)}, tuple(dropped)


def _rank(measurements: Measurements, machine: str, line: str, dtype: str) -> tuple[object, ...]:
    return machine, (machine, line) in measurements.outdated, line_order(line), dtype


def _threads(row: Mapping[str, Any]) -> str:
    threads = text(row["threads"])
    return name_threads(threads) if threads else ""


def _without_threads(line: str, threads: str) -> str:
    """Name a build by its line: all builds of a variant have the same threads."""
    return line.replace(f" · {threads}", "", 1) if threads else line


def _compare(
    measurements: Measurements,
    group: Group,
    timings: Timings,
    baseline: str,
    family: Mapping[str, str],
) -> Comparison | None:
    compared = {
        name: ratios
        for name, found in timings.items()
        if name != baseline and (ratios := ratios_of(measurements, found, timings[baseline]))
    }
    if not compared:
        return None
    marks = {name: mark for mark, name in enumerate(timings)}
    axis = axis_of(one for ratios in compared.values() for one in ratios.values())
    factors = {name: _control_factor(ratios) for name, ratios in compared.items()}
    rows = [
        _row(strategy, family.get(strategy, ""), compared, marks, factors, axis)
        for strategy in _by_effect(compared)
    ]
    calling = tuple(row for row in rows if row.strategy not in CALLS_NO_BLAS)
    machine, threads, dtype = group
    return Comparison(
        machine,
        threads,
        dtype,
        baseline,
        _lede(measurements, compared),
        tuple(
            _build(name, marks[name], baseline, factors[name], calling, axis) for name in compared
        ),
        axis.ticks,
        axis.place(1.0),
        calling,
        tuple(row for row in rows if row.strategy in CALLS_NO_BLAS),
    )


def _control_factor(ratios: Mapping[str, Ratio]) -> float | None:
    return control_factor(one for name, one in ratios.items() if name in CALLS_NO_BLAS)


def _by_effect(compared: Ratios) -> list[str]:
    """Order strategies by the ratio of the first build that is compared, what gains most first."""
    first = next(iter(compared.values()))
    names = {strategy for ratios in compared.values() for strategy in ratios}
    return sorted(names, key=lambda name: (first[name].value if name in first else math.inf, name))


def _row(
    strategy: str,
    family: str,
    compared: Ratios,
    marks: Mapping[str, int],
    factors: Mapping[str, float | None],
    axis: Axis,
) -> ComparedRow:
    bars, effects = [], []
    for name, ratios in compared.items():
        ratio = ratios.get(strategy)
        bars.append(bar(name, marks[name], ratio, factors[name], axis) if ratio else None)
        effects.append(f"{ratio.value:.6g}" if ratio else "")
    return ComparedRow(strategy, family, tuple(bars), tuple(effects))


def _build(
    name: str,
    mark: int,
    baseline: str,
    factor: float | None,
    rows: Sequence[ComparedRow],
    axis: Axis,
) -> ComparedBuild:
    verdicts = [one.verdict for row in rows for one in row.bars if one and one.build == name]
    summary = verdicts_in_words(name, baseline, verdicts)
    if factor is None:
        return ComparedBuild(name, mark, summary, "", 0.0, 0.0)
    left, right = axis.place(1 / factor), axis.place(factor)
    spread = f"{significant(100 * (factor - 1), 2)} %" if factor < 2 else f"×{times(factor)}"
    return ComparedBuild(name, mark, summary, spread, left, round(right - left, 2))


def _lede(measurements: Measurements, compared: Ratios) -> str:
    """Say what is divided, over which problems and at which commit."""
    every = [
        one for ratios in compared.values() for ratio in ratios.values() for one in ratio.problems
    ]
    names = sorted({one.problem for one in every})
    over = f"on the problem {names[0]}"
    if len(names) > 1:
        over = f"geometric mean over each strategy's problems, {len(names)} in all"
    positions = sorted({one.position for one in every})
    at = f"at commit {measurements.commits[positions[-1]].short}"
    if len(positions) > 1:
        at = f"each at the newest commit that measured both, {at} or before"
    return f"{over}, {at}"


def _identities(measurements: Measurements, variants: Sequence[Comparison]) -> tuple[Identity, ...]:
    """Describe the builds of all variants, each from the run that measured it last."""
    wanted = {
        (one.machine, one.threads, name)
        for one in variants
        for name in (one.baseline, *(build.name for build in one.builds))
    }
    columns = ["machine", "line", "environment", "run", "commit", "threads", "blas_identity"]
    newest = measurements.newest.sort_values(["position", "started_at"], kind="stable")
    rows = newest.drop_duplicates(["machine", "line"], keep="last")[columns]
    ordered = sorted(records(rows), key=lambda row: (row["machine"], line_order(row["line"])))
    return tuple(
        _identity(measurements, row)
        for row in ordered
        if (row["machine"], _threads(row), _without_threads(row["line"], _threads(row))) in wanted
    )


def _identity(measurements: Measurements, row: Mapping[str, Any]) -> Identity:
    told = measurements.tables["environments"]
    keys = ("machine", "environment", "run", "commit")
    same = [told[key].fillna("") == text(row[key]) for key in keys]
    builds = builds_of(told[same[0] & same[1] & same[2] & same[3]])
    commit = next(one.short for one in measurements.commits if one.commit == row["commit"])
    names = row["machine"], row["line"], text(row["blas_identity"])
    if not builds:
        return Identity(*names, "", "", "", (), commit)
    one = builds[0]
    return Identity(*names, one.ran, one.lapack, one.guard, one.libraries, commit)
