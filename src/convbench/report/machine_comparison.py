"""Machines against each other: ratios of time over common cells, and parts of a measured peak."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

import numpy as np

from convbench.report.axes import linear
from convbench.report.cells import facts_of_problems
from convbench.report.links import view_link
from convbench.report.machine_pairs import (
    Cells,
    Pair,
    Place,
    cells_by_place,
    pairs_of,
    timed_series,
)
from convbench.report.machine_peaks import Ceiling, measured_peak
from convbench.report.measurements import Measurements
from convbench.report.readable import times
from convbench.report.series import Series
from convbench.report.trust import percentage

MOST_TABLES, MOST_NAMES, MOST_BASES = 12, 40, 8
"""Places, rows of each table, and machines that others are compared with, that are drawn."""

SAME = math.log(1.005)
"""A ratio that differs less from 1 would be written as 1.00."""

STRIP_WIDTH, STRIP_EDGE = 160, 6

SLOWER, FASTER, EQUAL = "slower", "faster", "equal"


@dataclass(frozen=True, slots=True)
class Ratio:
    """A geometric mean of times over the base machine's, in words.

    `kind` is slower or faster; equal where the intervals of at least half the pairs touch.
    """

    words: str
    kind: str
    log: float

    @property
    def value(self) -> float:
        """The other machine's time over the base machine's."""
        return math.exp(self.log)

    @property
    def factor(self) -> str:
        """The words without their sign: ×1.4 slower."""
        return self.words.split(" ", 1)[1]


@dataclass(frozen=True, slots=True)
class Strip:
    """Where the mean, the middle 80 % of cells and the base machine lie on the table's one axis."""

    low: float
    mean: float
    high: float
    base: float


@dataclass(frozen=True, slots=True)
class Against:
    """One machine against the base, over the cells of both; what is not known is empty.

    What is found of the two alone is told in `title` and `lede`.
    """

    machine: str
    link: str
    ratio: Ratio
    cells: int
    slower: int
    equal: int
    faster: int
    bounds: tuple[float, float]
    spread: str
    strip: Strip | None
    peak: Ceiling | None
    at_equal_peak: str
    shares: str
    other_commits: int
    title: str = ""
    lede: str = ""


@dataclass(frozen=True, slots=True)
class NameCell:
    """One strategy or benchmark on one machine against the base."""

    ratio: Ratio
    shares: str
    cells: int


@dataclass(frozen=True, slots=True)
class NameRow:
    """One strategy or benchmark on every machine; None where it has no common cell."""

    name: str
    link: str
    cells: tuple[NameCell | None, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """The machines that measured the same at one place, against one of them, `machine`.

    `line` is the place's label; `others` counts the names that did not fit into `names`.
    """

    machine: str
    line: str
    dtype: str
    link: str
    peak: Ceiling | None
    rows: tuple[Against, ...]
    names: tuple[NameRow, ...]
    others: int

    @property
    def farthest(self) -> Against:
        """The machine that differs most from the base: what is told of the comparison."""
        return max(self.rows, key=lambda row: abs(row.ratio.log))


def compare_machines(
    measurements: Measurements, series: Sequence[Series], found: Sequence[Ceiling]
) -> tuple[Comparison, ...]:
    """Compare the machines at every place where two measured the same.

    At each the machine with the most cells is what others are compared with, the place with the
    most cells first; after these, the same places with each other machine in that part.
    """
    if not measurements.several_machines:
        return ()
    timed = timed_series(series)
    problems = facts_of_problems(measurements.tables["problems"])
    flops = {name: float(row["flops"]) for name, row in problems.items()}

    def compared(places: Mapping[Place, Cells]) -> list[Comparison]:
        made = [
            (place, one)
            for place, cells in places.items()
            if (one := _comparison(timed, place, cells, flops, found, _bases(cells)[0]))
        ]
        made.sort(key=lambda each: -sum(row.cells for row in each[1].rows))
        further = (
            _comparison(timed, place, places[place], flops, found, base)
            for place, _ in made[:MOST_TABLES]
            for base in _bases(places[place])[1:MOST_BASES]
        )
        return [*(one for _, one in made[:MOST_TABLES]), *filter(None, further)]

    comparisons = compared(cells_by_place(measurements, timed))
    if not comparisons and not any(one.strategy for one in timed):
        # Without a common environment, each machine's own stands for it.
        comparisons = compared(cells_by_place(measurements, timed, pooled=True))
    return tuple(comparisons)


def _bases(cells: Cells) -> list[str]:
    """Order the machines of a place: the most cells first."""
    return sorted(cells, key=lambda machine: (-len(cells[machine]), machine))


def _comparison(
    timed: Sequence[Series],
    place: Place,
    cells: Cells,
    flops: Mapping[str, float],
    found: Sequence[Ceiling],
    base: str,
) -> Comparison | None:
    """Compare the machines of one place with one of them."""
    pairs = {
        machine: common
        for machine in _bases(cells)
        if machine != base and (common := list(pairs_of(timed, cells, base, machine, flops)))
    }
    if not pairs:
        return None
    peaks = {
        machine: measured_peak(found, machine, place.dtype, place.threads) for machine in cells
    }
    rows = [
        _against(machine, common, place, peaks[base], peaks[machine])
        for machine, common in pairs.items()
    ]
    names = _names(pairs, peaks, base)
    return Comparison(
        base,
        place.label,
        place.dtype,
        _link(base, place),
        peaks[base],
        _with_strips(rows),
        tuple(names[:MOST_NAMES]),
        max(len(names) - MOST_NAMES, 0),
    )


def compare_with(timed: Sequence[Series], cells: Cells, base: str) -> Comparison | None:
    """Compare others than machines, environments say, whose cells stand by their names."""
    return _comparison(timed, Place("", "", ""), cells, {}, (), base)


def _against(
    machine: str, pairs: Sequence[Pair], place: Place, base: Ceiling | None, peak: Ceiling | None
) -> Against:
    ratio = mean_ratio(pairs)
    logs = [pair.log_ratio for pair in pairs]
    low, high = (float(bound) for bound in np.quantile(logs, (0.1, 0.9)))
    apart = [log for log, pair in zip(logs, pairs, strict=True) if not pair.may_be_equal]
    slower = sum(log > 0 for log in apart)
    return Against(
        machine,
        _link(machine, place),
        ratio,
        len(pairs),
        slower,
        len(pairs) - len(apart),
        len(apart) - slower,
        (low, high),
        f"×{times(math.exp(low))} to ×{times(math.exp(high))}" if len(pairs) > 1 else "",
        None,
        peak,
        f"×{times(math.exp(ratio.log) * peak.rate / base.rate)}" if base and peak else "",
        _shares(pairs, base, peak),
        sum(not pair.of_one_commit for pair in pairs),
    )


def mean_ratio(pairs: Sequence[Pair]) -> Ratio:
    """Give the geometric mean of the other machine's times over the base machine's."""
    log = fmean(pair.log_ratio for pair in pairs)
    tied = 2 * sum(pair.may_be_equal for pair in pairs) >= len(pairs)
    if tied or abs(log) < SAME:
        return Ratio(f"≈ ×{times(math.exp(log))}", EQUAL, log)
    if log > 0:
        return Ratio(f"▲ ×{times(math.exp(log))} slower", SLOWER, log)
    return Ratio(f"▼ ×{times(math.exp(-log))} faster", FASTER, log)


def _shares(pairs: Sequence[Pair], base: Ceiling | None, peak: Ceiling | None) -> str:
    """Write the geometric means of % of peak, on the base machine and on the other one."""
    rates = [
        (math.log(pair.flops / (pair.base.value or 1.0)),
         math.log(pair.flops / (pair.other.value or 1.0)))
        for pair in pairs
        if pair.flops
    ]  # fmt: skip
    if not rates or not base or not peak:
        return ""
    means = (math.exp(fmean(column)) for column in zip(*rates, strict=True))
    parts = zip(means, (base.rate, peak.rate), strict=True)
    return " → ".join(percentage(mean / rate) for mean, rate in parts)


def _names(
    pairs: Mapping[str, Sequence[Pair]], peaks: Mapping[str, Ceiling | None], base: str
) -> list[NameRow]:
    """Compare by name; what differs most from its machine's mean stands first."""
    overall = {machine: mean_ratio(rows).log for machine, rows in pairs.items()}
    by_name: dict[str, dict[str, list[Pair]]] = {}
    for machine, rows in pairs.items():
        for pair in rows:
            by_name.setdefault(pair.name, {}).setdefault(machine, []).append(pair)
    rows_of_names = []
    for name, of_machine in by_name.items():
        cells = {
            machine: NameCell(
                mean_ratio(rows), _shares(rows, peaks[base], peaks[machine]), len(rows)
            )
            for machine, rows in of_machine.items()
        }
        special = max(abs(cell.ratio.log - overall[machine]) for machine, cell in cells.items())
        farthest = max(
            (pair for rows in of_machine.values() for pair in rows),
            key=lambda pair: abs(pair.log_ratio),
        )
        row = NameRow(name, farthest.link, tuple(cells.get(machine) for machine in pairs))
        rows_of_names.append((-special, name, row))
    return [row for _, _, row in sorted(rows_of_names, key=lambda one: one[:2])]


def _with_strips(rows: Sequence[Against]) -> tuple[Against, ...]:
    """Put every row's spread on one logarithmic axis, which has the base machine at 1."""
    ends = [0.0, *(bound for row in rows for bound in (*row.bounds, row.ratio.log))]
    if max(ends) - min(ends) < SAME:
        return tuple(rows)
    scale = linear((min(ends), max(ends)), (STRIP_EDGE, STRIP_WIDTH - STRIP_EDGE))

    def strip(row: Against) -> Strip:
        logs = (row.bounds[0], row.ratio.log, row.bounds[1], 0.0)
        return Strip(*(round(scale(log), 1) for log in logs))

    return tuple(replace(row, strip=strip(row)) for row in rows)


def _link(machine: str, place: Place) -> str:
    """Link to the machine's table of strategies; empty in a project without."""
    if not place.dtype:
        return ""
    return view_link("matrix", {"machine": machine, "blas": place.label, "dtype": place.dtype})
