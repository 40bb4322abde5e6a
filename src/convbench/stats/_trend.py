"""Whether changes are steps or pieces of a slope (compiled).

A step in the middle of its points leaves a line a quarter of its evidence only, so near the noise
the points between two changes often can't say. Then the levels of more than one change are compared
with one line: of real steps, the more there are the worse a line does; of a slope, the better.
"""

import numpy as np
from numba import njit

WINDOWS = (25, 50, 100, 200)
"""Points on each side that are looked at: a slow drift shows in wide windows only, a step beside
other disturbances in narrow ones only."""

MIN_SIDE = 6
"""With fewer points on a side, a line and a step can't be told apart."""

MAX_GAP, GAP_PER_POINT = 8.0, 0.4
"""How much better than a line levels must fit, in squared units of the noise: as much as the
first, or, where that were too much to ask of so few points, the second times the shorter side."""

LINE_LEAD = 1.0
"""How much better than all levels around a change one line must fit, in the same units, before the
change is called a piece of it: with more than one change that is hardly chance."""

_CLIP = 3.0


@njit(cache=True)
def step_over_line(points, low, start, high, noise, factor):  # type: ignore[no-untyped-def]
    """Return by how much a step beats a line in the window where it does best, less what it must.

    Negative: in every window a straight line explains the change about as well.

    Parameters
    ----------
    points : array, shape (n,)
    low, start, high
        Neighbouring changes (or ends), and the change between them.
    noise, factor
        Standard deviation of a point, and the long-run factor of its square.
    """
    best = -np.inf
    for window in WINDOWS:
        left, right = max(low, start - window), min(high, start + window)
        side = min(start - left, right - start)
        edges = np.array([0, start - left, right - left])
        gap = _gap(_clipped(points[left:right], edges, noise), edges) / (noise * noise * factor)
        best = max(best, gap - min(MAX_GAP, GAP_PER_POINT * side))
        if left == low and right == high:
            break
    return best


@njit(cache=True)
def levels_over_line(points, edges, start, noise, factor):  # type: ignore[no-untyped-def]
    """Return by how much levels stand against one line where they do worst; negative: they don't.

    Looked at are the whole history, and windows around one change with all changes within.

    Parameters
    ----------
    points : array, shape (n,)
    edges : array, shape (changes + 2,)
        0, first positions of all segments but the first, n.
    start
        The change in the middle of the windows.
    noise, factor
        As for `step_over_line`.
    """
    variance = noise * noise * factor
    worst = _gap(_clipped(points, edges, noise), edges) / variance - MAX_GAP
    for window in WINDOWS:
        left, right = max(0, start - window), min(points.size, start + window)
        inner = edges[(edges > left + 2) & (edges < right - 2)]
        nearby = np.concatenate((np.array([left]), inner, np.array([right]))) - left
        gap = _gap(_clipped(points[left:right], nearby, noise), nearby) / variance
        worst = min(worst, gap + LINE_LEAD)
    return worst


@njit(cache=True)
def _clipped(points, edges, noise):  # type: ignore[no-untyped-def]
    """Bring points no farther than `_CLIP` from the median of their segment."""
    clipped = np.empty(points.size)
    for q in range(edges.size - 1):
        level = np.median(points[edges[q] : edges[q + 1]])
        for i in range(edges[q], edges[q + 1]):
            clipped[i] = level + min(max(points[i] - level, -_CLIP * noise), _CLIP * noise)
    return clipped - clipped.mean()


@njit(cache=True)
def _gap(clipped, edges):  # type: ignore[no-untyped-def]
    """Return the squares that levels leave less than a line does."""
    by_levels = 0.0
    for q in range(edges.size - 1):
        total = clipped[edges[q] : edges[q + 1]].sum()
        by_levels += total * total / (edges[q + 1] - edges[q])
    n, moment = clipped.size, 0.0
    for i in range(n):
        moment += (i - (n - 1) / 2) * clipped[i]
    return by_levels - moment * moment * 12 / (n * (n * n - 1.0))
