"""What a detector costs: processor time per history, by a clock that the caller gives.

The only numbers of the bench that a second run doesn't repeat.
"""

import math
from collections.abc import Callable

import numpy as np

from convbench.stats.bench.figures import Cell, Figure
from convbench.stats.bench.noise import generator
from convbench.stats.bench.scoring import Find
from convbench.stats.bench.steps import several_steps, unchanging

COST = "cost"
MILLISECONDS = "CPU ms"

STEPS = 8
STEP = 0.20
CV = 0.02
KIND = "outlier"
LENGTHS = (200, 500, 1000)
SERIES = 15


def cost(detector: str, find: Find, clock: Callable[[], float], seed: int) -> list[Figure]:
    """Time a detector on histories without a change and with eight steps.

    Parameters
    ----------
    clock
        Processor time of this process, in seconds.

    Returns
    -------
    list of Figure
        Median milliseconds per history, between the quartiles.
    """
    figures = []
    for points in LENGTHS:
        for step in (0.0, STEP):
            cell = Cell(COST, KIND, points, CV, step, SERIES)
            times = [_milliseconds(cell, number, find, clock, seed) for number in range(SERIES + 1)]
            # The first call may compile or import.
            low, middle, high = (float(q) for q in np.quantile(times[1:], (0.25, 0.5, 0.75)))
            figures.append(
                Figure(
                    cell, detector, MILLISECONDS, middle, math.nan, low, high, sum(times), SERIES
                )
            )
    return figures


def _milliseconds(
    cell: Cell, number: int, find: Find, clock: Callable[[], float], seed: int
) -> float:
    rng = generator(seed, cell.test, cell.points, cell.step, number)
    if cell.step:
        history = several_steps(STEPS, cell.kind, cell.points, cell.cv, cell.step, rng)
    else:
        history = unchanging(cell.kind, cell.points, cell.cv, rng)
    start = clock()
    find(history.values)
    return (clock() - start) * 1e3
