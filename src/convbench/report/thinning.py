"""Fewer points for a picture than a line has, without losing what a reader looks for."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from convbench.report.series import OK, Line, Point

MOST_POINTS = 360
"""A hundred and twenty buckets: what a picture of some thousand pixels can tell apart."""


def thinned(line: Line, most: int = MOST_POINTS) -> Line:
    """Keep of each bucket of points the least, the middle and the greatest value.

    Failures stay, and so do the points on either side of each change.
    """
    if len(line.columns.position) <= most:
        return line
    points = line.points
    changed = {change.position for change in line.changes}
    kept = {point.position for point in points if point.status != OK or point.position in changed}
    kept |= {before.position for before, at in pairwise(points) if at.position in changed}
    size = -(-len(points) // (most // 3))
    for start in range(0, len(points), size):
        kept |= {point.position for point in _typical(points[start : start + size])}
    numbers = [at for at, point in enumerate(points) if point.position in kept]
    return replace(line, columns=line.columns.kept(numbers))


def _typical(bucket: Sequence[Point]) -> list[Point]:
    ordered = sorted(
        (point for point in bucket if point.value is not None), key=lambda point: point.value or 0.0
    )
    return [ordered[0], ordered[(len(ordered) - 1) // 2], ordered[-1]] if ordered else []
