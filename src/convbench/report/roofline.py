"""How far from the machine's ceilings: the strategies of one problem, or one strategy's problems.

A strategy has two rates. The *effective* one divides the direct algorithm's operations by the time:
it compares strategies, and one that needs fewer operations may exceed every ceiling. The *executed*
one divides what the strategy really computes: only it can be held against the machine.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from convbench.report.cell_costs import cell_costs
from convbench.report.cells import facts_of_problems, families
from convbench.report.matrix import Matrix
from convbench.report.measurements import Measurements
from convbench.report.readable import seconds, significant, times
from convbench.report.roofline_figure import RooflinePicture, Spot, roofline_picture
from convbench.report.roofline_points import Rated, rated_cells
from convbench.report.roofline_words import (
    effective_words,
    executed_words,
    lede_of_problem,
    lede_of_strategy,
    part_of_peak,
    peak_of,
    title_of_problem,
    title_of_strategy,
)
from convbench.report.roofs import Roof, roofs_of
from convbench.report.series import Series
from convbench.report.winners import group_timings

COLOURS = 8

PROBLEM, STRATEGY = "problem", "strategy"

FEWEST_PROBLEMS = 2
"""A strategy with fewer has no picture of its own: the one of the problem says as much."""


@dataclass(frozen=True, slots=True)
class RooflineRow:
    """A strategy, or a problem, with its rates in words; what is not known is empty.

    `factor` is the operations that it executes for each one of the direct algorithm, `of_peak` the
    executed rate as a part of the highest measured peak.
    """

    name: str
    family: str
    colour: int
    intensity: str
    time: str
    seconds: float
    effective: str
    executed: str
    factor: str
    of_peak: str
    commit: str
    disturbed: str
    link: str


@dataclass(frozen=True, slots=True)
class Roofline:
    """One variant: a problem, or a strategy, on a machine and line, in one data type.

    `by` says which of the two; the other one is empty. Strategies of a problem stand fastest first,
    problems of a strategy by their executed rate, else the effective one.
    """

    by: str
    machine: str
    line: str
    identity: str
    dtype: str
    problem: str
    strategy: str
    commit: str
    title: str
    lede: str
    picture: RooflinePicture
    rows: tuple[RooflineRow, ...]
    roofs: tuple[Roof, ...]


@dataclass(frozen=True, slots=True)
class Rooflines:
    """The view; `families` are named with their colours."""

    variants: tuple[Roofline, ...]
    families: tuple[tuple[str, int], ...]

    def names(self, by: str) -> list[str]:
        """Give the problems, or the strategies, that can be chosen, each once."""
        return list(dict.fromkeys(getattr(one, by) for one in self.variants if one.by == by))


@dataclass(frozen=True, slots=True)
class _Palette:
    """Colours by family."""

    families: Mapping[str, str]
    colours: Mapping[str, int]

    def of(self, strategy: str) -> tuple[str, int]:
        family = self.families.get(strategy, "")
        return family, self.colours.get(family, COLOURS - 1)


def build_rooflines(
    measurements: Measurements, series: Sequence[Series], matrices: Sequence[Matrix]
) -> Rooflines | None:
    """Build the view; None where no problem's operations and bytes are known."""
    facts = facts_of_problems(measurements.tables["problems"])
    executed = cell_costs(measurements.tables["cells"], "flops")
    family = families(measurements.tables["cells"])
    colours = {name: index % COLOURS for index, name in enumerate(sorted(set(family.values())))}
    palette = _Palette(family, colours)
    timed = group_timings(series)
    tables = []
    for matrix in matrices:
        key = (matrix.machine, matrix.line, matrix.dtype)
        rated = list(rated_cells(measurements, timed[key], facts, executed, matrix.dtype))
        tables.append((matrix, rated, roofs_of(series, *key)))
    most = max((len(rated) for _, rated, _ in tables), default=0)
    # Of a run that was cut short little is known: it stands behind the others.
    tables.sort(key=lambda table: len(table[1]) < most / 2)
    variants = [one for table in tables for one in _variants(*table, palette)]
    if not variants:
        return None
    # What the page begins with, a problem, before what is asked for.
    variants.sort(key=lambda one: one.by != PROBLEM)
    return Rooflines(tuple(variants), tuple(colours.items()))


def _variants(
    matrix: Matrix, rated: Sequence[Rated], roofs: tuple[Roof, ...], palette: _Palette
) -> Iterable[Roofline]:
    """Give the pictures of one table of strategies × problems, in its order."""
    for head in matrix.heads:
        ones = [one for one in rated if one.problem == head.problem]
        if ones:
            ones.sort(key=lambda one: (one.seconds, one.strategy))
            words = title_of_problem(ones, roofs), lede_of_problem(ones[0], roofs)
            yield _variant(matrix, PROBLEM, ones, words, roofs, palette)
    for row in matrix.rows:
        ones = [one for one in rated if one.strategy == row.strategy]
        if len(ones) >= FEWEST_PROBLEMS:
            ones.sort(key=lambda one: (-(one.executed or one.effective), one.problem))
            words = title_of_strategy(ones, roofs), lede_of_strategy(ones, roofs)
            yield _variant(matrix, STRATEGY, ones, words, roofs, palette)


def _variant(
    matrix: Matrix,
    by: str,
    rated: Sequence[Rated],
    words: tuple[str, str],
    roofs: tuple[Roof, ...],
    palette: _Palette,
) -> Roofline:
    of_problem = by == PROBLEM
    rows = tuple(_row(one, of_problem, roofs, palette, matrix.commit) for one in rated)
    spots = [
        Spot(one.intensity, one.effective, one.factor or 1.0, row.name)
        for one, row in zip(rated, rows, strict=True)
    ]
    return Roofline(
        by,
        matrix.machine,
        matrix.line,
        matrix.identity,
        matrix.dtype,
        rated[0].problem if of_problem else "",
        "" if of_problem else rated[0].strategy,
        matrix.commit,
        *words,
        roofline_picture(spots, roofs, in_column=of_problem),
        rows,
        roofs,
    )


def _row(
    one: Rated, of_problem: bool, roofs: Sequence[Roof], palette: _Palette, newest: str
) -> RooflineRow:
    return RooflineRow(
        one.strategy if of_problem else one.problem,
        *palette.of(one.strategy),
        significant(one.intensity),
        seconds(one.seconds),
        one.seconds,
        effective_words(one),
        executed_words(one),
        "" if one.factor is None else f"×{times(one.factor)}",
        part_of_peak(one, peak_of(roofs)),
        one.commit if one.commit != newest else "",
        one.disturbed,
        one.link,
    )
