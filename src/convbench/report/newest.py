"""The newest value of every history, in groups that fit on a screen."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from convbench.report.cells import facts_of_problems
from convbench.report.links import history_link
from convbench.report.measurements import Measurements
from convbench.report.naming import line_order
from convbench.report.readable import SCALES, quantity, significant
from convbench.report.series import Line, Series
from convbench.report.sparkline import Sparkline, sparkline
from convbench.report.winners import MEASURE
from convbench.stats.null_control import BENCHMARK as NULL_CONTROL

# Pages stay light on large suites: the rest of a group is one click away, in its history.
MOST_ROWS, MOST_COLUMNS = 12, 4


@dataclass(frozen=True, slots=True)
class ValueCell:
    """The newest value on one line; `disturbed` says why its run was, if it was."""

    status: str
    text: str
    interval: str
    disturbed: str
    sparkline: Sparkline | None


@dataclass(frozen=True, slots=True)
class ValueRow:
    """One series on every line; None where a line never measured it."""

    label: str
    link: str
    cells: tuple[ValueCell | None, ...]


@dataclass(frozen=True, slots=True)
class ValueGroup:
    """Series read together: one problem's strategies, or one benchmark's parameters."""

    title: str
    detail: str
    rows: tuple[ValueRow, ...]
    more: int
    more_link: str


@dataclass(frozen=True, slots=True)
class NewestValues:
    """All groups, with the lines that are their columns."""

    columns: tuple[str, ...]
    hidden_columns: int
    groups: tuple[ValueGroup, ...]


def newest_values(measurements: Measurements, series: Sequence[Series]) -> NewestValues:
    """Group the series and write each line's newest value."""
    lines = sorted(
        {(line.machine, line.name) for one in series for line in one.lines},
        key=lambda line: (line[0], line in measurements.outdated, line_order(line[1])),
    )
    # All threads hold few strategies: one thread goes first where there is no room for both.
    ranked_lines = sorted(
        lines,
        key=lambda line: (line in measurements.outdated, measurements.uses_all_threads(*line)),
    )
    shown = [line for line in lines if line in ranked_lines[:MOST_COLUMNS]]
    several = len({machine for machine, _ in lines}) > 1
    names = len({name for _, name in lines}) > 1
    columns = tuple(
        " · ".join(filter(None, (machine if several else "", line if names or not several else "")))
        for machine, line in shown
    )
    facts = facts_of_problems(measurements.tables["problems"])
    flops = {name: int(row["flops"]) for name, row in facts.items()}
    last: dict[str, int] = {}
    for machine, position in zip(
        measurements.newest["machine"], measurements.newest["position"], strict=True
    ):
        last[machine] = max(position, last.get(machine, 0))
    groups: dict[tuple[str, str], list[Series]] = {}
    # Within a problem the fastest strategy stands first.
    # The null control is no news but a measure of trust, and has a view of its own.
    ranked = (one for one in series if one.benchmark != NULL_CONTROL)
    for one in sorted(ranked, key=lambda one: _order(one, flops, last)):
        groups.setdefault(_group(one), []).append(one)
    return NewestValues(
        columns,
        len(lines) - len(shown),
        tuple(
            _value_group(measurements, title, detail, members, shown)
            for (title, detail), members in groups.items()
        ),
    )


def _group(one: Series) -> tuple[str, str]:
    if one.strategy and one.problem:
        # A unit without prefixes is said once; `relative error` is longer than its numbers.
        unit = "" if one.unit in SCALES else one.unit
        return one.problem, " · ".join(filter(None, (one.dtype, one.measure, unit)))
    return one.measure, one.unit


def _order(
    one: Series, flops: Mapping[str, int], last: Mapping[str, int]
) -> tuple[bool, int, str, float, str, str, float]:
    """Run times first, small problems first; other measures by name; what is gone at the end."""
    cell = bool(one.strategy and one.problem)
    last_value = one.lines[0].newest.value
    return (
        all(line.newest.position < last[line.machine] for line in one.lines),
        0 if cell and one.measure == MEASURE else 1 if cell else 2,
        one.measure,
        flops.get(one.problem, math.inf) if cell else 0.0,
        one.problem,
        one.dtype if cell else "",
        (math.inf if last_value is None else last_value) if one.strategy else 0.0,
    )


def _value_group(
    measurements: Measurements,
    title: str,
    detail: str,
    members: Sequence[Series],
    lines: Sequence[tuple[str, str]],
) -> ValueGroup:
    rows = tuple(_value_row(measurements, one, lines) for one in members[:MOST_ROWS])
    more = max(len(members) - MOST_ROWS, 0)
    return ValueGroup(title, detail, rows, more, history_link(members[-1]) if more else "")


def _value_row(
    measurements: Measurements, one: Series, lines: Sequence[tuple[str, str]]
) -> ValueRow:
    by_name = {(line.machine, line.name): line for line in one.lines}
    cells = tuple(
        _value_cell(measurements, by_name[key], one.unit) if key in by_name else None
        for key in lines
    )
    if one.strategy and one.problem:
        return ValueRow(one.strategy, history_link(one), cells)
    if one.strategy:
        return ValueRow(", ".join(value for _, value in one.params), history_link(one), cells)
    return ValueRow(
        one.dtype if one.label == f"dtype={one.dtype}" else one.label, history_link(one), cells
    )


def _value_cell(measurements: Measurements, line: Line, unit: str) -> ValueCell:
    point = line.newest
    disturbed = measurements.disturbed.get((line.machine, point.run), "")
    if point.value is None:
        return ValueCell(point.status, "", "", disturbed, None)
    interval = ""
    if point.low is not None and point.high is not None and point.value:
        half = (point.high - point.low) / 2 / abs(point.value) * 100
        interval = f"±{significant(half, 2)} %" if half >= 0.05 else "±0 %"
    scaled = unit if unit in SCALES else ""
    return ValueCell(
        point.status,
        quantity(point.value, scaled),
        interval,
        disturbed,
        sparkline(line, len(measurements.commits)),
    )
