"""Candidate changes: optimal partitioning with a bounded loss (compiled).

A dynamic programme walks over the points and keeps, for each of `LEVELS` candidate levels, the
least cost of a history that ends on this level: a point costs its squared distance to the level in
units of the noise, but never more than `MAX_LOSS`; going to another level costs a penalty once.
Bounding the loss makes one strange point cheaper than two changes, however strange it is.

Sources: Jackson et al. 2005, "An algorithm for optimal partitioning of data on an interval" (the
programme); Fearnhead & Rigaill 2019, "Changepoint detection in the presence of outliers" (the
loss). A fixed grid of levels instead of their exact piecewise-quadratic costs makes the time
`LEVELS` · n whatever the data.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

Values = NDArray[np.float64]
Positions = NDArray[np.int64]

LEVELS = 256
"""Half of them evenly spaced, which finds short segments far from the others, half at quantiles,
which is fine where the points are dense."""

MAX_LOSS = 9.0
"""What one point costs at most: as much as three standard deviations of the noise."""

# The tail of the bounded loss still rises this much per standard deviation. It decides nothing but
# ties: a strange point between two levels belongs to the nearer one, from either side.
_TIE_SLOPE = 1e-6

_PLACES = np.concatenate([[0.005, 0.995], np.linspace(0, 1, LEVELS // 2)])


def candidate_starts(points: Values, penalty: float) -> Positions:
    """Split standardised points at the least total cost; return the starts of all but the first.

    Parameters
    ----------
    points : array, shape (n,)
        In units of the noise.
    penalty
        What going to another level costs.
    """
    starts: Positions = _partition(points, _candidate_levels(points), penalty)
    return starts


def _candidate_levels(points: Values) -> Values:
    """Choose the levels that segments may take."""
    ranks = np.arange(points.size) / (points.size - 1)
    found = np.interp(_PLACES, ranks, np.sort(points))
    lowest, highest, quantiles = found[0], found[1], found[2:]
    return np.unique(np.concatenate([lowest + _PLACES[2:] * (highest - lowest), quantiles]))


@njit(cache=True)
def _partition(points, levels, penalty):  # type: ignore[no-untyped-def]
    costs = np.zeros(levels.size)
    moved = np.zeros((points.size, levels.size), np.bool_)
    best = np.empty(points.size, np.int64)
    for i in range(points.size):
        if i > 0:
            from_best = costs[best[i - 1]] + penalty
            for g in range(levels.size):
                moved[i, g] = costs[g] > from_best
                costs[g] = min(costs[g], from_best)
        for g in range(levels.size):
            distance = abs(points[i] - levels[g])
            costs[g] += min(distance * distance, MAX_LOSS) + _TIE_SLOPE * min(distance, 1e3)
        best[i] = np.argmin(costs)
    return _backtrack(moved, best)


@njit(cache=True)
def _backtrack(moved, best):  # type: ignore[no-untyped-def]
    starts = np.empty(best.size, np.int64)
    count, level = 0, best[-1]
    for i in range(best.size - 1, 0, -1):
        if moved[i, level]:
            starts[count] = i
            count += 1
            level = best[i - 1]
    return starts[:count][::-1].copy()
