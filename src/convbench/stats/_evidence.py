"""The evidence that a history's level differs before and after one commit.

Two measures must agree. The *rank evidence* (`_ranks`) can't be deceived by the distribution of
the noise, but believes that all points are exchangeable. The *shift evidence* compares the means of
clipped values with a standard error that knows what ranks don't: how much each side scatters
(Welch 1947), with few points drawn towards the whole history's scatter (as in the moderated t of
Smyth 2004), and how much neighbours correlate (`_noise`). Both are in nats, like -log p.
"""

import math
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from convbench.stats._ranks import greatest_rank_evidence, rank_evidence
from convbench.stats.change_points import WINDOW
from convbench.stats.normal_scale import MEDIAN_TO_DEVIATION

Values = NDArray[np.float64]

PRIOR_DEGREES = 4.0
"""How many points' worth of the whole history's variance each side's own is mixed with."""

_CLIP = 3.0
_FEW = 8  # points, of which a median deviation tells little


@dataclass(frozen=True, slots=True)
class Sides:
    """What the points on both sides of a change say; the scale is that of the points.

    Parameters
    ----------
    shift
        Difference of the clipped means, after minus before.
    squares_before, squares_after
        Sums of squared clipped distances from these means.
    before, after
        Numbers of points.
    rank, greatest_rank
        Rank evidence, and what it would be if the sides didn't overlap at all.
    """

    shift: float
    squares_before: float
    squares_after: float
    before: int
    after: int
    rank: float
    greatest_rank: float


@dataclass(frozen=True, slots=True)
class Shift:
    """A shift with its standard error and degrees of freedom (Student's t)."""

    size: float
    error: float
    degrees: float

    @property
    def evidence(self) -> float:
        """Logarithm of the likelihood ratio against no shift; t² / 2 for many degrees."""
        if self.error == 0:
            return math.inf if self.size else 0.0
        square = (self.size / self.error) ** 2
        return (self.degrees + 1) / 2 * math.log1p(square / self.degrees)


def sides_of(points: Values, low: int, start: int, high: int, noise: float) -> Sides:
    """Compare the points of a change with those before it.

    Parameters
    ----------
    points : array, shape (n,)
    low, start, high
        Neighbouring changes (or ends), and the change between them.
    noise
        Least robust standard deviation taken for clipping.
    """
    left, right = points[max(low, start - WINDOW) : start], points[start : start + WINDOW]
    right = right[: high - start]
    return Sides(*_sides(left, right, noise))


def shift_of(sides: Sides, deviation: float, factor: float, degrees: float) -> Shift:
    """Put a shift into relation to the noise.

    Parameters
    ----------
    deviation
        Standard deviation of the history's points about their levels.
    factor
        Long-run factor of their variance.
    degrees
        Degrees of freedom of `deviation`: no estimate here can have more.
    """
    errors, weights = [], []
    for squares, count in (
        (sides.squares_before, sides.before),
        (sides.squares_after, sides.after),
    ):
        own = PRIOR_DEGREES + count - 1
        errors.append((PRIOR_DEGREES * deviation**2 + squares) / own / count)
        weights.append(errors[-1] ** 2 / min(own, degrees))
    total = sum(errors)
    welch = total**2 / sum(weights) if total else degrees
    return Shift(sides.shift, math.sqrt(total * factor), min(welch, degrees))


@njit(cache=True)
def _sides(left, right, noise):  # type: ignore[no-untyped-def]
    mean_before, squares_before = _clipped_moments(left, noise)
    mean_after, squares_after = _clipped_moments(right, noise)
    return (
        mean_after - mean_before,
        squares_before,
        squares_after,
        left.size,
        right.size,
        rank_evidence(left, right),
        greatest_rank_evidence(left.size, right.size),
    )


@njit(cache=True)
def _clipped_moments(points, noise):  # type: ignore[no-untyped-def]
    median = np.median(points)
    distances = points - median
    if points.size < _FEW:
        limit = 2 * _CLIP * noise
    else:
        limit = _CLIP * max(noise, MEDIAN_TO_DEVIATION * np.median(np.abs(distances)))
    distances = np.clip(distances, -limit, limit)
    mean = distances.mean()
    return median + mean, ((distances - mean) ** 2).sum()
