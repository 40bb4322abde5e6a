"""Find the commits at which a history moves to a new level.

A history is split by optimal partitioning with a bounded loss. A dynamic programme walks over the
points and keeps, for each of a few hundred candidate levels, the least cost of a history that ends
on this level: a point costs its squared distance to the level in units of the noise, but never more
than `MAX_LOSS`; going to another level costs `penalty` once. Since an outlier costs at most
`MAX_LOSS` and `penalty` is more than twice that, one or two strange points are never a level,
not even at the end of a history.

Distances are taken between logarithms, so that 5 % is the same step at any speed; where a value is
zero or negative, between the values themselves.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Values = NDArray[np.float64]

MIN_COMMITS = 6
"""A history with fewer values than this has no verdict: three points on each side of a step."""

NOISE_FLOOR = 0.001
"""Least noise assumed, relative to the level: 0.1 %. Without it a history whose values repeat
exactly (memory, counts) would have no noise, and its last digit would be a change."""

PENALTY_FACTOR = 6.0
"""What a change costs, per log(points); in squared units of the noise."""

MAX_LOSS = 9.0
"""What one point costs at most: as much as three standard deviations of the noise."""

LEVELS = 128
"""Candidate levels: half of them evenly spaced, which finds short segments far from the others,
half at quantiles, which is fine where the points are dense."""

SMALL_SAMPLE_FACTOR = {6: 1.7, 8: 1.8, 10: 1.6, 15: 1.4, 20: 1.3, 30: 1.15, 50: 1.0}
"""Points of a history -> how much its estimated noise is raised; linear in log(points) between.

The median of five differences is often far below the noise. The factors were raised by hand until
simulated Gaussian noise (20,000 to 100,000 points of each of 17 lengths, 6 to 200, cut into
histories) gave 0.1 to 0.3 false changes per 1,000 points at 6 to 15 points and fewer above.
Without factors, and with 256 levels, it was 0.6 to 1.1 at 6 to 20 points.
"""

# The tail of the bounded loss still rises this much per standard deviation. It decides nothing but
# ties: a strange point between two levels belongs to the nearer one, from either side.
TIE_SLOPE = 1e-6

# The median of |difference of two points| is this many standard deviations of Gaussian noise.
MEDIAN_DIFFERENCE = 0.6744897501960817 * math.sqrt(2)


@dataclass(frozen=True, slots=True)
class ChangePoint:
    """The first commit of a new level in a history.

    Parameters
    ----------
    index
        Position of that commit in the history; commits without a value count.
    before, after
        Median of the values between this change and its neighbours, in the history's own unit.
    higher_is_better
        Whether a greater value is the better one, as for a rate.
    """

    index: int
    before: float
    after: float
    higher_is_better: bool = False

    @property
    def ratio(self) -> float:
        """Level after the change over level before; infinite or NaN when that was zero."""
        if self.before == 0:
            return math.copysign(math.inf, self.after) if self.after else math.nan
        return self.after / self.before

    @property
    def is_regression(self) -> bool:
        """Whether the new level is the worse one."""
        return (self.after > self.before) != self.higher_is_better


def find_change_points(
    values: ArrayLike,
    *,
    higher_is_better: bool = False,
    noise_floor: float = NOISE_FLOOR,
    penalty_factor: float = PENALTY_FACTOR,
) -> list[ChangePoint]:
    """Find the changes of level in one history, oldest first.

    Parameters
    ----------
    values : array, shape (n,)
        One value per commit, oldest first; NaN or infinity where there is none.
    higher_is_better
        Whether a greater value is the better one; decides `ChangePoint.is_regression` only.
    noise_floor
        Least noise assumed, relative to the level.
    penalty_factor
        Evidence that a change must bring, per log(n); greater means fewer changes.

    Returns
    -------
    list of ChangePoint
        Empty when fewer than `MIN_COMMITS` commits have a value. On independent Gaussian noise
        at most one false change per 1,000 points at 6 to 200 points; noise whose neighbours
        correlate gives more.
    """
    history = np.asarray(values, dtype=np.float64)
    if history.ndim != 1:
        raise ValueError(
            f"values has shape {history.shape}; one history is one-dimensional, oldest commit first"
        )
    positions = np.flatnonzero(np.isfinite(history))
    if positions.size < MIN_COMMITS:
        return []
    present = history[positions]
    points, floor = _comparable(present, noise_floor)
    noise = max(_noise(points), floor)
    if noise == 0 or np.all(points == points[0]):
        return []
    # Three outliers at an end must cost more than a change, two must not.
    penalty = max(penalty_factor * math.log(points.size), 2 * MAX_LOSS + 0.25)
    starts = _segment_starts((points - np.median(points)) / noise, penalty)
    levels = [float(np.median(segment)) for segment in np.split(present, starts)]
    return [
        ChangePoint(int(positions[start]), before, after, higher_is_better)
        for start, before, after in zip(starts, levels, levels[1:], strict=False)
        if before != after
    ]


def _comparable(present: Values, noise_floor: float) -> tuple[Values, float]:
    """Put values on the scale where steps are compared; return the noise floor on that scale."""
    if np.all(present > 0):
        return np.log(present), noise_floor
    sizes = np.abs(present[present != 0])
    return present, noise_floor * float(np.median(sizes)) if sizes.size else 0.0


def _noise(points: Values) -> float:
    """Estimate the noise from neighbours, which no step but one difference each disturbs."""
    typical = float(np.median(np.abs(np.diff(points)))) / MEDIAN_DIFFERENCE
    lengths, factors = zip(*SMALL_SAMPLE_FACTOR.items(), strict=True)
    return typical * float(np.interp(math.log(points.size), np.log(lengths), factors))


def _candidate_levels(points: Values) -> Values:
    """Choose the levels that segments may take."""
    half = np.linspace(0, 1, LEVELS // 2)
    ranks = np.arange(points.size) / (points.size - 1)
    lowest, highest, *quantiles = np.interp([0.005, 0.995, *half], ranks, np.sort(points))
    return np.unique(np.concatenate([lowest + half * (highest - lowest), quantiles]))


def _segment_starts(points: Values, penalty: float) -> Sequence[int]:
    """Split standardised points at the least total cost; return the starts but the first."""
    distances = np.abs(points[:, None] - _candidate_levels(points))
    costs = np.minimum(distances**2, MAX_LOSS) + TIE_SLOPE * np.minimum(distances, 1e3)
    # In place: row i becomes the least cost of points 0..i that ends on each level. Half the time
    # of a long history is the calls of this loop, hence `argmin`: NumPy's quickest minimum.
    for previous, current in itertools.pairwise(costs):
        current += np.minimum(previous, previous.item(previous.argmin()) + penalty)
    best = costs.argmin(axis=1)
    moved = costs > costs.min(axis=1, keepdims=True) + penalty
    starts = []
    level = best[-1]
    for last in range(len(points) - 2, -1, -1):
        if moved[last, level]:
            starts.append(last + 1)
            level = best[last]
    return starts[::-1]
