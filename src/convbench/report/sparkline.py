"""A history the size of a word."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from convbench.report.axes import LEAST_SPAN, linear, robust_range
from convbench.report.series import Line

WIDTH, HEIGHT = 96, 22
MOST_POINTS = 40
LEAST_TIMES = 3.0
"""Height of the picture of one change, in changes, where nothing else needs more."""


@dataclass(frozen=True, slots=True)
class Sparkline:
    """A word-sized history: one path, a dot on the newest value, marks at changes."""

    path: str
    dot: tuple[int, int]
    marks: tuple[tuple[int, str], ...]
    width: int = WIDTH
    height: int = HEIGHT


def sparkline(line: Line, commits: int, told: int | None = None) -> Sparkline | None:
    """Draw a line's values on the axis of all commits; None without a value.

    `told` is the commit of the one change that the picture is about: then that alone is marked and
    high enough to be seen, and the line's own commits fill the width.
    """
    points = line.measured
    if not points:
        return None
    ends = (0, commits - 1) if told is None else (points[0][0], points[-1][0])
    x_scale = linear((ends[0], max(ends[1], ends[0] + 1)), (3, WIDTH - 4))
    own = [change for change in line.changes if change.position == told]
    # A small change that is the subject is no noise.
    least = min([LEAST_SPAN, *(LEAST_TIMES * abs(change.ratio - 1) for change in own)])
    levels = [level for change in line.changes for level in (change.before, change.after)]
    low, high = robust_range([value for _, value in points], levels=levels, least=least)
    y_scale = linear((low, high), (HEIGHT - 2, 2))
    thinned = _thin(points, {change.position for change in line.changes})
    spots = [
        (round(x_scale(position)), round(y_scale(min(max(value, low), high))))
        for position, value in thinned
    ]
    marks = tuple(
        (round(x_scale(change.position)), change.kind)
        for change in (line.changes if told is None else own)
    )
    return Sparkline(_relative_path(spots), spots[-1], marks)


def _thin(points: Sequence[tuple[int, float]], keep: set[int]) -> list[tuple[float, float]]:
    """Take the median of each bucket, but every change's first point as it is."""
    if len(points) <= MOST_POINTS:
        return [(float(position), value) for position, value in points]
    size = -(-len(points) // MOST_POINTS)
    thinned: list[tuple[float, float]] = []
    bucket: list[tuple[int, float]] = []
    for point in points:
        # A bucket ends before a change, so that no median mixes two levels.
        if bucket and (len(bucket) == size or point[0] in keep):
            thinned.append((bucket[0][0], median(value for _, value in bucket)))
            bucket = []
        bucket.append(point)
    return [*thinned, (float(points[-1][0]), median(value for _, value in bucket))]


def _relative_path(spots: Sequence[tuple[int, int]]) -> str:
    """Write a path in steps of whole pixels: a third of the bytes of absolute coordinates."""
    x, y = spots[0]
    words = [f"m{x} {y}l"] if len(spots) > 1 else [f"m{x} {y}"]
    for next_x, next_y in spots[1:]:
        words.append(f"{next_x - x} {next_y - y} ".replace(" -", "-"))
        x, y = next_x, next_y
    return "".join(words).strip()
