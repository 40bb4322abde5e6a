"""What two machines measured alike: the cells of each place, and their values side by side.

A *cell* is one strategy on one problem, or, in a project without strategies, one timed benchmark
with its parameters. A *place* is what must be the same on both machines: a BLAS build or an
environment, with its number of threads. A *pair* is a cell that two machines measured at one place.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from convbench.report.links import history_link
from convbench.report.measurements import Measurements, text
from convbench.report.naming import name_threads
from convbench.report.series import Line, Point, Series
from convbench.report.winners import MEASURE, newest_value
from convbench.stats.null_control import BENCHMARK as NULL_CONTROL


@dataclass(frozen=True, slots=True)
class Place:
    """Where a cell was measured; the label is empty where each machine has a place of its own."""

    label: str
    threads: str
    dtype: str


# Of one place, by machine and number of the series: its line.
Cells = Mapping[str, Mapping[int, Line]]


@dataclass(frozen=True, slots=True)
class Pair:
    """One cell on the base machine and on another; both points have a value above zero.

    `flops` are the operations of the cell's problem, None where they are not known.
    """

    name: str
    link: str
    base: Point
    other: Point
    flops: float | None

    @property
    def log_ratio(self) -> float:
        """The logarithm of the other machine's time over the base machine's."""
        return math.log(self.other.value or 1.0) - math.log(self.base.value or 1.0)

    @property
    def may_be_equal(self) -> bool:
        """Whether the two intervals touch; without intervals nothing is claimed."""
        if self.base.low is None or self.base.high is None:
            return False
        if self.other.low is None or self.other.high is None:
            return False
        return self.base.low <= self.other.high and self.other.low <= self.base.high

    @property
    def of_one_commit(self) -> bool:
        """Whether both machines measured the same source."""
        return self.base.position == self.other.position


def timed_series(series: Sequence[Series]) -> tuple[Series, ...]:
    """Give what machines are compared by: the strategies' run times, else all benchmarks' times."""
    strategies = tuple(
        one for one in series if one.measure == MEASURE and one.strategy and one.problem
    )
    return strategies or tuple(
        one for one in series if one.unit == "seconds" and one.benchmark != NULL_CONTROL
    )


def cells_by_place(
    measurements: Measurements, timed: Sequence[Series], *, pooled: bool = False
) -> dict[Place, Cells]:
    """Group the lines that have a value by place and machine.

    Of several lines of a machine at one place (BLAS versions, say) the one measured last stands.
    `pooled` takes all environments of a machine as one place.
    """
    several = len({text(row["threads"]) for row in measurements.rows_of_lines.values()}) > 1
    places: dict[Place, dict[str, dict[int, Line]]] = {}
    for number, one in enumerate(timed):
        for line in one.lines:
            if not newest_value(line).value:
                continue
            row = measurements.rows_of_lines[line.machine, line.name]
            dtype = one.dtype if one.strategy else ""
            place = Place("", "", dtype) if pooled else _place(row, dtype, several)
            cells = places.setdefault(place, {}).setdefault(line.machine, {})
            known = cells.get(number)
            if known is None or _position(line) >= _position(known):
                cells[number] = line
    return dict(places)


def _position(line: Line) -> int:
    return newest_value(line).position


def _place(row: Mapping[str, object], dtype: str, several: bool) -> Place:
    threads = text(row["threads"])
    label = text(row["blas"]) or text(row["environment"])
    words = f"{label} · {name_threads(threads)}" if several and threads else label
    return Place(words, threads, dtype)


def pairs_of(
    timed: Sequence[Series], cells: Cells, base: str, machine: str, flops: Mapping[str, float]
) -> Iterator[Pair]:
    """Pair the cells of two machines, in the order of the series."""
    for number, line in cells[base].items():
        if number in cells[machine]:
            one = timed[number]
            points = _same_commit(line, cells[machine][number])
            if all((point.value or 0.0) > 0 for point in points):
                name = one.strategy or one.measure
                yield Pair(name, history_link(one, machine), *points, flops.get(one.problem))


def _same_commit(base: Line, other: Line) -> tuple[Point, Point]:
    """Take the newest commit that both lines have, else the newest of each."""
    shared = np.intersect1d(base.positions, other.positions, assume_unique=True)
    if not shared.size:
        return newest_value(base), newest_value(other)
    base_at, other_at = (
        int(np.searchsorted(line.columns.position, shared[-1])) for line in (base, other)
    )
    return base.columns.point(base_at), other.columns.point(other_at)
