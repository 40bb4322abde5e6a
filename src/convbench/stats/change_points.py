"""Find the commits at which a history moves to a new level.

**Scale.** Distances are taken between logarithms, so that 5 % is the same step at any speed; where
a value is zero or negative, between the values themselves. The noise comes from commits, not from
intervals within one run: half of all neighbours differ by less than 0.954 standard deviations.

**Candidates** are all changes that pay in an optimal partitioning with bounded loss
(`_segmentation`): quick, insensitive to outliers, and far too many where the noise is no white
noise. **Elimination** (`_elimination`) sends the weakest away, one by one, until all that are left
bring evidence enough by ranks and by shift (`_evidence`, `_ranks`, `_noise`), are no disturbance
that passed, and no piece of a slope (`_trend`). **Location** (`_location`) is where two levels fit
best, with the commits among which the change lies at 95 % confidence.

**False changes.** The thresholds start from those that the greatest rank evidence of all splits of
exchangeable noise exceeds at 1e-4 per point, and were then moved until every kind of noise that the
bench knows (`convbench.stats.bench`) stayed within its goal on seeds other than the bench's own.
Measured at a CV of 2 %, per 10,000 points of histories of 50, 200 and 1,000 commits (200,000 points
of each kind): Gaussian noise, outliers, two modes and changing scatter 0 to 0.5; a drift of three
standard deviations 10, autocorrelation of .5 about 2, modes that last 80: what stays for ten
commits is a level by any measure. Of histories of 5 to 20 commits: 0 to 4, two modes up to 8. While
a history grows commit by commit, the first four kinds give 0 to 3 alerts per 10,000 new commits.

**Missed changes.** Of five steps of 5 % or 10 %, up or down, in 200 commits (1.9 to 5 standard
deviations of the noise) about 15 % are missed, most of them where neighbours correlate. Near the
noise a step and a slope differ little: a ramp between two levels is told as one or two steps.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from convbench.stats.median import median

if TYPE_CHECKING:
    from convbench.stats._description import Description

Values = NDArray[np.float64]

MIN_COMMITS = 5
"""A history with fewer values than this has no verdict."""

NOISE_FLOOR = 0.001
"""Least noise assumed, relative to the level: 0.1 %. Without it a history whose values repeat
exactly (memory, counts) would have no noise, and its last digit would be a change."""

WINDOW = 100
"""Points on each side of a change that are compared, not past the neighbouring changes."""

PENALTY_FACTOR = 3.5
"""What a candidate costs, per log(points); in squared units of the noise."""

# The median of |difference of two points| is this many standard deviations of Gaussian noise.
_MEDIAN_DIFFERENCE = 0.6744897501960817 * math.sqrt(2)


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
    p_value
        Chance that noise alone shows such a change anywhere in a history of this length.
    ratio_low, ratio_high
        95 % interval of `ratio`, from the scatter of the commits; NaN where the ratio has none.
    first, last
        Positions of the commits among which the first one of the new level lies with 95 %
        confidence; `first` <= `index` <= `last`.
    """

    index: int
    before: float
    after: float
    higher_is_better: bool = False
    p_value: float = math.nan
    ratio_low: float = math.nan
    ratio_high: float = math.nan
    first: int = -1
    last: int = -1

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
    values: ArrayLike, *, higher_is_better: bool = False, noise_floor: float = NOISE_FLOOR
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

    Returns
    -------
    list of ChangePoint
        Empty when fewer than `MIN_COMMITS` commits have a value. For the rate of false changes
        see the module.
    """
    history = np.asarray(values, dtype=np.float64)
    if history.ndim != 1:
        raise ValueError(
            f"values has shape {history.shape}; one history is one-dimensional, oldest commit first"
        )
    positions = np.flatnonzero(np.isfinite(history))
    present = history[positions]
    if positions.size < MIN_COMMITS or np.all(present == present[0]):
        return []
    points, floor, unit = _comparable(present, noise_floor)
    found = []
    for start, before, after, told in _changes(points, floor, present):
        shifts = told.shift_low, told.shift_high
        ratio_low, ratio_high = _ratio_interval(before, after, shifts, unit)
        found.append(
            ChangePoint(
                index=int(positions[start]),
                before=before,
                after=after,
                higher_is_better=higher_is_better,
                p_value=told.p_value,
                ratio_low=ratio_low,
                ratio_high=ratio_high,
                first=int(positions[told.first]),
                last=int(positions[told.last]),
            )
        )
    return found


def noise_of(values: ArrayLike, *, noise_floor: float = NOISE_FLOOR) -> float:
    """Estimate how much the values of one history scatter about its levels, relative to them.

    Parameters
    ----------
    values, noise_floor
        As of `find_change_points`.

    Returns
    -------
    float
        A standard deviation, at least `noise_floor`; NaN for fewer than `MIN_COMMITS` values.
    """
    history = np.asarray(values, dtype=np.float64)
    present = history[np.isfinite(history)]
    if present.size < MIN_COMMITS:
        return math.nan
    if np.all(present == present[0]):
        return noise_floor
    points, floor, _ = _comparable(present, noise_floor)
    relative = noise_floor / floor if floor else 1.0
    return max(_noise(points) * relative, noise_floor)


def _changes(
    points: Values, floor: float, present: Values
) -> Iterator[tuple[int, float, float, "Description"]]:
    """Yield each change's place, the medians before and after it, and what is told of it."""
    # Here, because Numba takes 0.6 s to import.
    from convbench.stats._description import described
    from convbench.stats._elimination import Elimination
    from convbench.stats._segmentation import candidate_starts

    noise = _noise(points)
    scale = max(noise, floor)
    if scale == 0:
        return
    candidates = candidate_starts(
        (points - median(points)) / scale, _penalty(points.size, noise > floor)
    )
    changes, scatter = Elimination(points, noise, floor).remaining(candidates)
    segments = np.split(present, [change.start for change in changes])
    # Halves: the sum of two medians must not overflow.
    levels = [2 * median(segment / 2) for segment in segments]
    for change, before, after in zip(changes, levels, levels[1:], strict=False):
        if before != after:
            yield change.start, before, after, described(points, change, scatter)


def _penalty(n: int, is_noisy: bool) -> float:
    """Return what a candidate costs; see `MAX_LOSS` of `_segmentation`."""
    from convbench.stats._elimination import FEW_POINTS
    from convbench.stats._segmentation import MAX_LOSS

    by_length = PENALTY_FACTOR * math.log(n)
    if is_noisy and n > FEW_POINTS:
        return by_length
    # Where ranks are not asked, three outliers at an end must cost more than a change, two must
    # not: but two of five must, or five commits would never have a change.
    return max(by_length, (2 if n > MIN_COMMITS else 1.5) * MAX_LOSS + 0.25)


def _comparable(present: Values, noise_floor: float) -> tuple[Values, float, float]:
    """Put values on the scale where steps are compared.

    Returns the points, the noise floor on their scale, and the value of one unit of it; 0 where the
    scale is logarithmic.
    """
    if np.all(present > 0):
        return np.log(present), noise_floor, 0.0
    unit = float(np.abs(present).max())
    points = present / unit
    return points, noise_floor * median(np.abs(points[points != 0])), unit


def _noise(points: Values) -> float:
    """Estimate the noise from neighbours, which no step but one difference each disturbs."""
    return median(np.abs(np.diff(points))) / _MEDIAN_DIFFERENCE


def _ratio_interval(
    before: float, after: float, shifts: tuple[float, float], unit: float
) -> tuple[float, float]:
    """Turn an interval of shifts into one of ratios that holds the ratio of the medians."""
    if before == 0:
        return math.nan, math.nan
    ratio = after / before
    ends = [math.exp(shift) if unit == 0 else 1 + shift * unit / before for shift in shifts]
    return min(*ends, ratio), max(*ends, ratio)
