"""Where a change lies: its most likely first commit, and the commits it may be (compiled)."""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

Values = NDArray[np.float64]

MAX_LOSS = 9.0
"""What one point costs at most, in squared units of the noise; as in `_segmentation`."""

MIN_SIDE = 2
"""Points that a change leaves on each side at least."""

_ROUNDS = 3
_TIE_SLOPE = 1e-6


@njit(cache=True)
def relocated(points, low, start, high, noise):  # type: ignore[no-untyped-def]
    """Move a change within points[low:high] to where the two levels fit best.

    Levels and place take turns: each level is the mean of the points within three standard
    deviations of it, each place the least sum of bounded losses. Returns the new start.
    """
    for _ in range(_ROUNDS):
        excess = _excess(points[low:high], start - low, noise)
        best = start
        for place in range(MIN_SIDE, high - low - MIN_SIDE + 1):
            if excess[place] < excess[best - low] - 1e-9:
                best = low + place
        if best == start:
            break
        start = best
    return start


@njit(cache=True)
def confidence_range(points, low, start, high, noise, share):  # type: ignore[no-untyped-def]
    """Return the (first, last) of the places among which the change lies.

    Every place is as likely as exp(-excess loss / 2), given the two levels; the range grows from
    `start` to the likelier side until it holds `share` of the whole.
    """
    excess = _excess(points[low:high], start - low, noise)
    weights = np.zeros(excess.size)
    for place in range(1, high - low):
        weights[place] = math.exp(-min(max(excess[place] - excess[start - low], -60), 700) / 2)
    wanted = share * weights.sum()
    first = last = start - low
    held = weights[first]
    while held < wanted:
        before = weights[first - 1] if first > 1 else -1.0
        after = weights[last + 1] if last + 1 < high - low else -1.0
        if before < 0 and after < 0:
            break
        if before >= after:
            first -= 1
            held += before
        else:
            last += 1
            held += after
    return low + first, low + last


@njit(cache=True)
def _excess(points, start, noise):  # type: ignore[no-untyped-def]
    """Return the loss of a change at each place, up to a constant, given the levels at `start`."""
    left = _level(points[:start], noise)
    right = _level(points[start:], noise)
    losses = np.zeros(points.size + 1)
    for i in range(points.size):
        here = abs(points[i] - left) / noise
        there = abs(points[i] - right) / noise
        gain = min(here * here, MAX_LOSS) - min(there * there, MAX_LOSS)
        tie = _TIE_SLOPE * (min(here, 1e3) - min(there, 1e3))
        losses[i + 1] = losses[i] + gain + tie
    return losses


@njit(cache=True)
def _level(points, noise):  # type: ignore[no-untyped-def]
    """Return the mean of the points near it, from their median on: the least bounded loss."""
    level = np.median(points)
    for _ in range(_ROUNDS):
        total, count = 0.0, 0
        for point in points:
            if abs(point - level) <= math.sqrt(MAX_LOSS) * noise:
                total += point
                count += 1
        if count == 0:
            break
        level = total / count
    return level
