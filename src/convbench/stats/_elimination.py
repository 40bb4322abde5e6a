"""Which candidate changes remain: the weakest goes first, then everything is judged anew.

Three reasons send a change away, in this order. *Excursion*: two changes less than `MIN_STAY`
commits apart that return to the old level are one disturbance; a regression that lasted longer
and was repaired stays, as two changes. *Weakness*: its evidence (`_evidence`) is below the
thresholds. *Slope*: a straight line explains about as well the points between its neighbours, and
what is around it or the whole history too (`_trend`). After each, the neighbours move to where they
now fit best and the noise is estimated again, from longer segments: noise whose neighbours
correlate looks like many levels until the first of them are gone.
"""

import itertools
import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from convbench.stats._evidence import Shift, Sides, shift_of, sides_of
from convbench.stats._location import relocated
from convbench.stats._noise import long_run_factor, pooled_noise
from convbench.stats._trend import MIN_SIDE as MIN_LINE_SIDE
from convbench.stats._trend import levels_over_line, step_over_line
from convbench.stats.change_points import WINDOW
from convbench.stats.median import median

Values = NDArray[np.float64]

MIN_STAY = 8
"""Commits; what returns earlier was a disturbance."""

NEAR = 50
"""Points before and after an excursion whose medians are compared."""

RETURN_SHARE = 0.35
"""Part of an excursion's height by which it may miss the old level and still have returned."""

RANK_THRESHOLD = {20: 8.08, 50: 9.60, 100: 9.99, 200: 10.10, 500: 10.26, 1000: 10.33}
"""Points -> greatest rank evidence of all splits that chance exceeds at 1e-4 per point."""

SHORT_SIDE, SHORT_SIDE_FLOORED, FEW_POINTS = 4, 3, 11
"""Where the sides don't overlap and the shorter one has so many points (the second, if the noise is
the least assumed), or the history no more than `FEW_POINTS`, ranks have said all they can, and the
shift alone decides."""

RELIEF_SIDES = 6, 12
"""From so many points of the shorter side to so many, the threshold of ranks falls by
`RANK_RELIEF`: what deceives few points has no chance with many."""

RANK_RELIEF = 2.0

SHIFT_RELIEF, SHIFT_RELIEF_SIDES = 2.0, (6, 24)
"""The same for the threshold of shifts, which is otherwise that of ranks."""

SMALL_EXTRA = {5: 2.0, 6: 0.2, 8: 0.5, 10: 0.3, 12: 0.0}
"""Points of a history -> what is added: few degrees of freedom, and ranks that can say little."""

CERTAIN_DEGREES = 1e6
"""Degrees of freedom of noise that is the floor, not an estimate."""


@dataclass(frozen=True, slots=True)
class Noise:
    """The scatter of points about the levels between some changes.

    Parameters
    ----------
    deviation, degrees
        Standard deviation of a point, and the degrees of freedom of this estimate.
    factor
        Long-run factor of the variance.
    floored
        Whether the points scatter less than the least noise assumed.
    """

    deviation: float
    degrees: float
    factor: float
    floored: bool


@dataclass(frozen=True, slots=True)
class Change:
    """A change, the ends of its segments, its shift and what its evidence is above the least."""

    low: int
    start: int
    high: int
    shift: Shift
    margin: float


class Elimination:
    """One history's points, and what has been found out about them.

    Parameters
    ----------
    points : array, shape (n,)
    noise
        Standard deviation estimated from neighbouring points.
    floor
        Least standard deviation of the noise.
    """

    def __init__(self, points: Values, noise: float, floor: float) -> None:
        self.points = points
        self.scale = max(noise, floor)
        self.floor = floor
        self._rank_threshold = _rank_threshold(points.size)
        self._sides: dict[tuple[int, int, int], Sides] = {}

    def remaining(self, candidates: Iterable[int]) -> tuple[list[Change], Noise]:
        """Return the changes that stand, oldest first, and the noise about them."""
        starts = [int(start) for start in candidates]
        for place in range(len(starts)):
            self._relocate(starts, place)
        while True:
            noise = self._noise(starts)
            judged = self._judged(starts, noise)
            doomed = self._doomed(judged, noise)
            if not doomed:
                return judged, noise
            del starts[doomed.start : doomed.stop]
            for place in (doomed.start - 1, doomed.start):
                self._relocate(starts, place)

    def _doomed(self, judged: list[Change], noise: Noise) -> range:
        """Return the places of the changes that go next; empty when all stand."""
        excursion = self._excursion(judged)
        if excursion:
            return excursion
        weakest = _least([change.margin for change in judged])
        return weakest or _least(self._over_line(judged, noise))

    def _noise(self, starts: list[int]) -> Noise:
        n = self.points.size
        places = np.array(starts, dtype=np.int64)
        deviation, first, second = pooled_noise(self.points, places, self.scale)
        floored = deviation <= self.floor
        return Noise(
            deviation=max(deviation, self.floor),
            degrees=CERTAIN_DEGREES if floored else max(n - len(starts) - 1, 1),
            factor=long_run_factor(first, second, n),
            floored=floored,
        )

    def _judged(self, starts: list[int], noise: Noise) -> list[Change]:
        changes = []
        for low, start, high in zip(
            [0, *starts], starts, [*starts[1:], self.points.size], strict=False
        ):
            key = low, start, high
            if key not in self._sides:
                self._sides[key] = sides_of(self.points, low, start, high, self.scale)
            sides = self._sides[key]
            shift = shift_of(sides, noise.deviation, noise.factor, noise.degrees)
            margin = self._margin(sides, shift, noise)
            changes.append(Change(low, start, high, shift, margin))
        return changes

    def _margin(self, sides: Sides, shift: Shift, noise: Noise) -> float:
        """Return by how much the lesser evidence exceeds its threshold."""
        n = self.points.size
        side = min(sides.before, sides.after)
        threshold = self._rank_threshold
        by_shift = shift.evidence - shift_threshold(threshold, n, side)
        wanted = threshold - RANK_RELIEF * _ramp(side, *RELIEF_SIDES)
        apart = sides.rank >= sides.greatest_rank - 1e-9
        least = SHORT_SIDE_FLOORED if noise.floored else SHORT_SIDE
        if apart and (n <= FEW_POINTS or side >= least):
            return by_shift
        return min(by_shift, sides.rank - wanted)

    def _over_line(self, judged: list[Change], noise: Noise) -> list[float]:
        """Score every change as a step; what is negative is rather a piece of a slope."""
        variance = noise.deviation, noise.factor
        edges = np.array([0, *(change.start for change in judged), self.points.size])
        scores = []
        for change in judged:
            low, start, high = change.low, change.start, change.high
            score = 0.0
            if min(start - low, high - start) >= MIN_LINE_SIDE:
                score = step_over_line(self.points, low, start, high, *variance)
            if score < 0:
                score = max(score, levels_over_line(self.points, edges, start, *variance))
            scores.append(score)
        return scores

    def _excursion(self, judged: list[Change]) -> range:
        """Return the places of the shortest pair of changes that is a disturbance."""
        shortest, found = MIN_STAY, range(0)
        for place, (up, down) in enumerate(itertools.pairwise(judged)):
            if down.start - up.start < shortest and self._returns(up, down):
                shortest, found = down.start - up.start, range(place, place + 2)
        return found

    def _returns(self, up: Change, down: Change) -> bool:
        """Tell whether the level after two changes is the one before them."""
        before = median(self.points[max(up.low, up.start - NEAR) : up.start])
        between = median(self.points[up.start : down.start])
        after = median(self.points[down.start : min(down.high, down.start + NEAR)])
        height = max(abs(between - before), abs(between - after))
        one_side = (between - before) * (between - after) > 0
        return bool(one_side and abs(after - before) <= max(RETURN_SHARE * height, self.scale))

    def _relocate(self, starts: list[int], place: int) -> None:
        """Move a change to where it fits best between its neighbours."""
        if 0 <= place < len(starts):
            low = starts[place - 1] if place else 0
            high = starts[place + 1] if place + 1 < len(starts) else self.points.size
            start = starts[place]
            starts[place] = int(
                relocated(
                    self.points,
                    max(low, start - WINDOW),
                    start,
                    min(high, start + WINDOW),
                    self.scale,
                )
            )


def shift_threshold(rank_threshold: float, n: int, side: int) -> float:
    """Return the evidence that the shift of a change must bring."""
    lengths, extra = zip(*SMALL_EXTRA.items(), strict=True)
    relief = SHIFT_RELIEF * _ramp(side, *SHIFT_RELIEF_SIDES)
    return rank_threshold - relief + float(np.interp(n, lengths, extra))


def _rank_threshold(n: int) -> float:
    lengths, thresholds = zip(*RANK_THRESHOLD.items(), strict=True)
    return float(np.interp(math.log(n), np.log(lengths), thresholds))


def _ramp(value: float, low: float, high: float) -> float:
    """Rise from 0 at `low` to 1 at `high`."""
    return min(max((value - low) / (high - low), 0.0), 1.0)


def _least(scores: list[float]) -> range:
    """Return the place of the least score if it is negative; of equals, the first."""
    place = int(np.argmin(scores)) if scores else 0
    return range(place, place + 1) if scores and scores[place] < 0 else range(0)
