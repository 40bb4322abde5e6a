"""The newest value of every history, in groups that fit on a screen."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from convbench.report.cells import facts_of_problems
from convbench.report.links import history_link
from convbench.report.measurements import Measurements
from convbench.report.naming import line_order
from convbench.report.outcomes import outcome_of
from convbench.report.readable import SCALES, quantity, significant
from convbench.report.series import Line, Series
from convbench.report.sparkline import Sparkline, sparkline
from convbench.report.winners import MEASURE
from convbench.stats.null_control import BENCHMARK as NULL_CONTROL

MOST_ROWS, MOST_COLUMNS = 12, 4
"""Rows of a group, and lines, that stand in the document."""

MOST_CELLS = 48
"""Values that stand in the document, each with its curve; the others are found by words."""


@dataclass(frozen=True, slots=True)
class ValueCell:
    """The newest value on one line; `disturbed` says why its run was, if it was.

    `commit` is that of a value which a newer run, that did not select it, left as it was.
    """

    status: str
    text: str
    interval: str
    disturbed: str
    commit: str
    sparkline: Sparkline | None


@dataclass(frozen=True, slots=True)
class ValueRow:
    """One series, by its number, on every line; None where a line never measured it."""

    label: str
    link: str
    series: int
    cells: tuple[ValueCell | None, ...]


@dataclass(frozen=True, slots=True)
class ValueGroup:
    """Series read together: one problem's strategies, or one benchmark's parameters.

    Of `rows` the first `shown` stand in the document and have curves; `more_link` leads to
    the next.
    """

    title: str
    detail: str
    rows: tuple[ValueRow, ...]
    shown: int
    more_link: str

    @property
    def more(self) -> int:
        """The rows that do not stand in the document."""
        return len(self.rows) - self.shown


@dataclass(frozen=True, slots=True)
class NewestValues:
    """All groups, with the lines that are their columns."""

    columns: tuple[str, ...]
    hidden_columns: int
    groups: tuple[ValueGroup, ...]

    @property
    def drawn(self) -> tuple[ValueGroup, ...]:
        """The groups that stand in the document."""
        return tuple(group for group in self.groups if group.shown)

    @property
    def rows(self) -> int:
        """The rows of all groups."""
        return sum(len(group.rows) for group in self.groups)

    @property
    def more(self) -> int:
        """The rows that do not stand in the document."""
        return sum(group.more for group in self.groups)


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
    return NewestValues(
        columns,
        len(lines) - len(shown),
        tuple(_value_groups(measurements, series, shown)),
    )


def _value_groups(
    measurements: Measurements, series: Sequence[Series], lines: Sequence[tuple[str, str]]
) -> Iterator[ValueGroup]:
    """Write all groups; the first have curves, as long as there is room for them."""
    numbers = {id(one): number for number, one in enumerate(series)}
    left = MOST_CELLS
    for (title, detail), members in grouped(measurements, series).items():
        members = sorted(members, key=_is_skipped)
        told = sum(not _is_skipped(one) for one in members)
        # A group that begins shows a few rows at least, so that it is worth its heading.
        shown = min(told, MOST_ROWS, max(left // max(len(lines), 1), 3)) if left > 0 else 0
        left -= shown * len(lines)
        yield ValueGroup(
            title,
            detail,
            tuple(
                _value_row(measurements, one, numbers[id(one)], lines, drawn=at < shown)
                for at, one in enumerate(members)
            ),
            shown,
            history_link(members[min(shown, len(members) - 1)]),
        )


def grouped(
    measurements: Measurements, series: Sequence[Series]
) -> Mapping[tuple[str, str], Sequence[Series]]:
    """Give the series of each group, by title and detail, in the order in which they are read."""
    facts = facts_of_problems(measurements.tables["problems"])
    flops = {name: int(row["flops"]) for name, row in facts.items()}
    groups: dict[tuple[str, str], list[Series]] = {}
    # Within a problem the fastest strategy stands first.
    # The null control is no news but a measure of trust, and has a view of its own.
    ranked = (one for one in series if one.benchmark != NULL_CONTROL)
    for one in sorted(ranked, key=lambda one: _order(one, flops, measurements.last_positions)):
        groups.setdefault(_group(one), []).append(one)
    return groups


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
    last_value = outcome_of(one.lines[0]).value
    return (
        all(line.newest.position < last[line.machine] for line in one.lines),
        0 if cell and one.measure == MEASURE else 1 if cell else 2,
        one.measure,
        flops.get(one.problem, math.inf) if cell else 0.0,
        one.problem,
        one.dtype if cell else "",
        (math.inf if last_value is None else last_value) if one.strategy else 0.0,
    )


def _is_skipped(one: Series) -> bool:
    """Whether there is nothing to see of a series on any line."""
    return all(line.always_skipped for line in one.lines)


def _value_row(
    measurements: Measurements,
    one: Series,
    number: int,
    lines: Sequence[tuple[str, str]],
    *,
    drawn: bool,
) -> ValueRow:
    by_name = {(line.machine, line.name): line for line in one.lines}
    cells = tuple(
        _value_cell(measurements, by_name[key], one.unit, drawn=drawn) if key in by_name else None
        for key in lines
    )
    return ValueRow(_label(one), history_link(one) if drawn else "", number, cells)


def _label(one: Series) -> str:
    if one.strategy and one.problem:
        return one.strategy
    if one.strategy:
        return ", ".join(value for _, value in one.params)
    return one.dtype if one.label == f"dtype={one.dtype}" else one.label


def _value_cell(measurements: Measurements, line: Line, unit: str, *, drawn: bool) -> ValueCell:
    point = outcome_of(line)
    disturbed = measurements.disturbed.get((line.machine, point.run), "")
    if point.value is None:
        return ValueCell(point.status, "", "", disturbed, "", None)
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
        "" if point == line.newest else measurements.commits[point.position].short,
        sparkline(line, len(measurements.commits)) if drawn else None,
    )
