"""The tests on synthetic histories: which series, and what is counted on each.

A test is a list of cells and two functions: one draws a series of a cell, the other lets a detector
see it and counts. Every series has a generator of its own (`noise.generator`), so neither the order
nor the choice of tests, cells or detectors changes a number, and every detector sees the same
series.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from convbench.stats.bench import steps
from convbench.stats.bench.ceiling import LOG_DENSITIES, most_likely_change
from convbench.stats.bench.figures import DELAY, Cell, Figure, Tally, summarise
from convbench.stats.bench.noise import KINDS, generator
from convbench.stats.bench.scoring import (
    TOLERANCE,
    Find,
    is_near,
    online_alerts,
    online_delay,
    within,
)
from convbench.stats.bench.steps import History

SEED = 1000
"""The seed of development; whoever judges takes another."""

CEILING = "ceiling"
"""Who knows everything but the commit (`ceiling`), listed beside the detectors."""

FALSE, ALERTS, F1, MISSED = "false changes", "alerts", "F1", "missed"
EXTRA = "extra"
WITHIN = {0: "within ±0", 1: "within ±1", 2: "within ±2"}

CV = 0.02
"""Coefficient of variation of the noise of histories without changes."""

ONLINE_POINTS, ONLINE_FIRST = 120, 20
DELAY_POINTS, DELAY_CHANGE = 100, 60
"""Lengths of histories that grow, where looking begins, and where the step lies."""

SPIKE_POINTS = 100
STEPS = 5

Draw = Callable[[Cell, np.random.Generator], History]
Judge = Callable[[Find, History], Tally]


@dataclass(frozen=True, slots=True)
class Protocol:
    """One test.

    Parameters
    ----------
    title
        What it asks, in a few words.
    cells
        What is drawn.
    draw
        Cell and generator in, one history out.
    judge
        Detector and history in, counts out.
    """

    title: str
    cells: tuple[Cell, ...]
    draw: Draw
    judge: Judge

    @property
    def has_ceiling(self) -> bool:
        """Whether it asks where one step lies, which the oracle of `ceiling` can answer."""
        return self.judge is _location


def history(protocol: Protocol, cell: Cell, repetition: int, seed: int = SEED) -> History:
    """Draw one series of a cell."""
    keys = (cell.test, cell.kind, cell.points, cell.cv, cell.step, repetition)
    return protocol.draw(cell, generator(seed, *keys))


def evaluate(name: str, cell: Cell, detector: str, find: Find, seed: int = SEED) -> list[Figure]:
    """Let a detector see every series of a cell of the test `name`."""
    protocol = ALL_PROTOCOLS[name]
    tallies = [
        protocol.judge(find, history(protocol, cell, repetition, seed))
        for repetition in range(cell.series)
    ]
    return summarise(cell, detector, tallies)


def evaluate_ceiling(name: str, cell: Cell, seed: int = SEED) -> list[Figure]:
    """Let the oracle of `ceiling` see the same series; nothing where it has no answer."""
    protocol = ALL_PROTOCOLS[name]
    if cell.kind not in LOG_DENSITIES or not protocol.has_ceiling:
        return []
    drawn = (history(protocol, cell, repetition, seed) for repetition in range(cell.series))
    tallies = [
        _located([most_likely_change(one, cell.kind, cell.cv)], one.changes[0]) for one in drawn
    ]
    return summarise(cell, CEILING, tallies)


def scaled(cells: Iterable[Cell], share: float) -> list[Cell]:
    """Take a share of the series of each cell, at least two."""
    return [replace(cell, series=max(round(cell.series * share), 2)) for cell in cells]


def _without_change(cell: Cell, rng: np.random.Generator) -> History:
    return steps.unchanging(cell.kind, cell.points, cell.cv, rng)


def _with_spike(cell: Cell, rng: np.random.Generator) -> History:
    return steps.spiked(cell.kind, cell.points, cell.cv, rng)


def _with_step(cell: Cell, rng: np.random.Generator) -> History:
    return steps.one_step(cell.kind, cell.points, cell.cv, cell.step, rng)


def _with_late_step(cell: Cell, rng: np.random.Generator) -> History:
    return steps.step_at(DELAY_CHANGE, cell.kind, cell.points, cell.cv, cell.step, rng)


def _with_steps(cell: Cell, rng: np.random.Generator) -> History:
    return steps.several_steps(STEPS, cell.kind, cell.points, cell.cv, cell.step, rng)


def _false_changes(find: Find, one: History) -> Tally:
    return {FALSE: (len(find(one.values)), one.values.size)}


def _location(find: Find, one: History) -> Tally:
    return _located(find(one.values), one.changes[0])


def _located(found: Sequence[int], change: int) -> Tally:
    extra = sum(not is_near(position, (change,), TOLERANCE) for position in found)
    hits = {name: (is_near(change, found, near), 1) for near, name in WITHIN.items()}
    return {**hits, EXTRA: (extra, 1)}


def _several(find: Find, one: History) -> Tally:
    """Count F1 = 2 TP / (2 TP + FP + FN), which is a ratio of sums as well."""
    matches = within(one.changes, find(one.values), TOLERANCE)
    twice = 2 * matches.found
    return {
        F1: (twice, twice + matches.false + matches.missed),
        MISSED: (matches.missed, len(one.changes)),
        EXTRA: (matches.false, 1),
    }


def _alerts(find: Find, one: History) -> Tally:
    looks = one.values.size - ONLINE_FIRST + 1
    return {ALERTS: (len(online_alerts(find, one.values, ONLINE_FIRST)), looks)}


def _delay(find: Find, one: History) -> Tally:
    delay = online_delay(find, one.values, one.changes[0])
    return {DELAY: (delay, 1), MISSED: (math.isinf(delay), 1)}


def _unchanging_cells(test: str, series: Mapping[int, int]) -> tuple[Cell, ...]:
    return tuple(
        Cell(test, kind, points, CV, 0.0, count)
        for kind in KINDS
        for points, count in series.items()
    )


def _step_cells(
    test: str, series: int, sizes: Iterable[tuple[str, int, float, float]]
) -> tuple[Cell, ...]:
    return tuple(Cell(test, kind, points, cv, step, series) for kind, points, cv, step in sizes)


STEP_KINDS = ("logn", "outlier", "bimodal")
NOISES = (0.005, 0.01, 0.02, 0.05, 0.10)
SIZES = (0.01, 0.02, 0.05, 0.10, 0.20)
FIVE_KINDS = ("logn", "outlier", "bimodal", "hetero", "ar1")
FIVE_SIZES = ((0.01, 0.05), (0.02, 0.10), (0.02, 0.05), (0.05, 0.10))
DELAY_SIZES = (("logn", 0.01, 0.05), ("logn", 0.02, 0.05), ("outlier", 0.02, 0.10))
GOAL_SIZES = (
    *(("logn", 0.01, 0.05), ("logn", 0.02, 0.05), ("logn", 0.05, 0.10)),
    *(("outlier", 0.02, 0.05), ("outlier", 0.05, 0.10), ("bimodal", 0.02, 0.05)),
)
"""Noise and step of the cells whose location is compared with the ceiling."""

CLEAR = 5.0
"""A step of so many standard deviations of the noise is to be located exactly."""

CLEAR_SIZES = tuple(
    (kind, cv, step)
    for kind in STEP_KINDS
    for cv in NOISES
    for step in SIZES
    if step >= 0.10 and math.log1p(step) >= CLEAR * cv
)

PROTOCOLS: Mapping[str, Protocol] = {
    "false": Protocol(
        "false changes in histories without any",
        _unchanging_cells("false", {20: 800, 50: 500, 200: 200, 1000: 50}),
        _without_change,
        _false_changes,
    ),
    "step": Protocol(
        "one step in 200 commits",
        _step_cells(
            "step",
            60,
            ((kind, 200, cv, step) for kind in STEP_KINDS for cv in NOISES for step in SIZES),
        ),
        _with_step,
        _location,
    ),
    "length": Protocol(
        "one step of 5 % in short and long histories",
        _step_cells("length", 60, (("logn", points, 0.02, 0.05) for points in (20, 50, 1000))),
        _with_step,
        _location,
    ),
    "five": Protocol(
        "five steps in 200 commits",
        _step_cells(
            "five",
            40,
            ((kind, 200, cv, step) for kind in FIVE_KINDS for cv, step in FIVE_SIZES),
        ),
        _with_steps,
        _several,
    ),
    "online": Protocol(
        "alerts while a history without change grows",
        _unchanging_cells("online", {ONLINE_POINTS: 30}),
        _without_change,
        _alerts,
    ),
    "delay": Protocol(
        "commits until a step is found",
        _step_cells(
            "delay", 20, ((kind, DELAY_POINTS, cv, step) for kind, cv, step in DELAY_SIZES)
        ),
        _with_late_step,
        _delay,
    ),
}
"""Name -> test, as run by default."""

GOAL_PROTOCOLS: Mapping[str, Protocol] = {
    "goal false": replace(
        PROTOCOLS["false"], cells=_unchanging_cells("goal false", {50: 1000, 200: 500, 1000: 50})
    ),
    "goal online": replace(
        PROTOCOLS["online"], cells=_unchanging_cells("goal online", {ONLINE_POINTS: 100})
    ),
    "goal step": replace(
        PROTOCOLS["step"],
        cells=_step_cells(
            # The difference to the ceiling is asked for to 2 %: its standard error is then 0.4 %.
            "goal step",
            3000,
            ((kind, 200, cv, step) for kind, cv, step in GOAL_SIZES),
        ),
    ),
    "goal clear": replace(
        PROTOCOLS["step"],
        cells=_step_cells(
            "goal clear", 600, ((kind, 200, cv, step) for kind, cv, step in CLEAR_SIZES)
        ),
    ),
    "goal delay": replace(
        PROTOCOLS["delay"],
        cells=_step_cells("goal delay", 100, (("logn", DELAY_POINTS, 0.01, 0.05),)),
    ),
    "goal spike": Protocol(
        "false changes where one value is strange",
        (Cell("goal spike", "logn", SPIKE_POINTS, CV, 0.0, 500),),
        _with_spike,
        _false_changes,
    ),
    "goal five": replace(
        PROTOCOLS["five"],
        cells=_step_cells(
            "goal five",
            100,
            ((kind, 200, cv, step) for kind in FIVE_KINDS for cv, step in FIVE_SIZES),
        ),
    ),
}
"""The same tests with as many series as the goals need, on other draws."""

ALL_PROTOCOLS: Mapping[str, Protocol] = {**PROTOCOLS, **GOAL_PROTOCOLS}
