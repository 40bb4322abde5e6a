"""The picture of one change: the values around it, and the levels before and after as lines."""

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from convbench.report.axes import FEW, OUTLIER_DISTANCES, Scale, linear, ticks
from convbench.report.measurements import Commit
from convbench.report.readable import quantity, scale_of
from convbench.report.series import FAILED, Line, Point

AROUND = 30
"""Points that are drawn on each side of a change: a step is not to be sought among thousands."""

MOST_TICKS = 7

MARGIN = 0.12
"""Part of the range of values that stays free above and below them."""

MOST_WITNESSES = 6
"""Other histories that are drawn behind a step: more would be a thicket."""

FEWEST = 3
"""Values on each side of a step without which a history is no witness."""


@dataclass(frozen=True, slots=True)
class Frame:
    """The size of a picture, and where its plot lies in it; words stand outside the plot.

    Coordinates have so many decimal `digits`: in a small picture whole pixels are fine enough.
    """

    width: int
    height: int
    left: int
    right: int
    top: int
    bottom: int
    has_words: bool = True
    digits: int = 1


LARGE = Frame(1120, 300, 72, 1100, 28, 262)
SMALL = Frame(200, 44, 4, 196, 5, 39, has_words=False, digits=0)


@dataclass(frozen=True, slots=True)
class Step:
    """A change as it is drawn: positions of measured commits, and the levels; None for failures.

    The first commit of the new level lies after `last_good`, and not after `last`.
    """

    position: int
    last_good: int
    last: int
    before: float | None
    after: float | None


@dataclass(frozen=True, slots=True)
class StepPicture:
    """Coordinates of the picture of a step.

    `doubt` spans the commits that may be the first of the new level, where there are several.
    `levels` are x, x and y of the level before and after; `others` are the x of further changes.
    What stands at a commit has its position at the end: the data of all views name it.
    `witnesses` are paths and names of other histories, scaled to the level before.
    """

    frame: Frame
    path: str
    band: str
    dots: tuple[tuple[float, float, str, int], ...]
    failures: tuple[tuple[float, int], ...]
    levels: tuple[tuple[float, float, float, str], ...]
    witnesses: tuple[tuple[str, str], ...]
    mark: float
    doubt: tuple[float, float] | None
    others: tuple[tuple[float, int], ...]
    x_ticks: tuple[tuple[float, str], ...]
    y_ticks: tuple[tuple[float, str], ...]
    y_title: str


def step_picture(
    line: Line,
    step: Step,
    unit: str,
    commits: Sequence[Commit],
    frame: Frame,
    witnesses: Sequence[tuple[str, Line]] = (),
) -> StepPicture:
    """Draw the points around a step; values beyond the range lie on its edge.

    `witnesses` are histories of the same elsewhere, with their names; those that were not measured
    on both sides of the step are left out.
    """
    points = _around(line, step.position)
    limits = _limits(points, step)
    ends = points[0].position, points[-1].position
    x = _rounded(linear(ends, (frame.left + 12, frame.right - 12)), frame)
    y = _rounded(_clipped(limits, frame), frame)
    name, size = scale_of(sum(limits) / 2, unit)
    spots = [(p, _spot(x, y, p.position, p.value)) for p in points if p.value is not None]
    words = frame.has_words
    return StepPicture(
        frame=frame,
        path=_path([spot for _, spot in spots]),
        band=_band(points, x, y) if words else "",
        dots=tuple((*spot, quantity(p.value or 0.0, unit), p.position) for p, spot in spots)
        if words
        else (),
        failures=tuple((x(p.position), p.position) for p in points if p.status == FAILED),
        levels=_levels(line, step, ends, x, y, unit),
        witnesses=tuple(
            (path, name)
            for name, other in witnesses[:MOST_WITNESSES]
            if (path := _witness(other, step, ends, x, y))
        ),
        mark=x(step.position),
        doubt=_doubt(step, ends, x),
        others=tuple(
            (x(change.position), change.position)
            for change in line.changes
            if ends[0] <= change.position <= ends[1] and change.position != step.position
        ),
        x_ticks=_commit_ticks(points, commits, x) if words else (),
        y_ticks=tuple((y(t), f"{t / size:,.10g}") for t in ticks(*limits, 4)) if words else (),
        y_title=name if words else "",
    )


def _around(line: Line, position: int) -> tuple[Point, ...]:
    """Cut the points around a position out of a line."""
    at = bisect_left(line.columns.position, position)
    numbers = range(len(line.columns.position))[max(at - AROUND, 0) : at + AROUND]
    return tuple(line.columns.point(number) for number in numbers)


def _limits(points: Sequence[Point], step: Step) -> tuple[float, float]:
    """Give the range to draw: what is usual on both sides, as near as shows the step best."""
    kept = [level for level in (step.before, step.after) if level is not None]
    for is_after in (False, True):
        side = [p for p in points if (p.position >= step.position) == is_after]
        kept += _usual([p.value for p in side if p.value is not None])
        if len(side) <= FEW:
            kept += [bound for p in side for bound in (p.low, p.high) if bound is not None]
    low, high = min(kept, default=0.0), max(kept, default=1.0)
    margin = MARGIN * (high - low) or MARGIN * abs(high) or 1.0
    # Times and sizes are never negative; an axis below zero would only puzzle.
    return (max(low - margin, 0.0) if low >= 0 else low - margin), high + margin


def _usual(values: Sequence[float]) -> list[float]:
    """Leave out the values that are far from the others; of few values none is."""
    middle = median(values) if values else 0.0
    distance = median(abs(value - middle) for value in values) if values else 0.0
    limit = OUTLIER_DISTANCES * distance if distance and len(values) > FEW else math.inf
    return [value for value in values if abs(value - middle) <= limit]


def _rounded(scale: Scale, frame: Frame) -> Scale:
    return lambda value: round(scale(value), frame.digits)


def _clipped(limits: tuple[float, float], frame: Frame) -> Scale:
    scale = linear(limits, (frame.bottom, frame.top))
    return lambda value: scale(min(max(value, limits[0]), limits[1]))


def _spot(x: Scale, y: Scale, position: int, value: float) -> tuple[float, float]:
    return x(position), y(value)


def _path(spots: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:g} {y:g}" for x, y in spots) if spots else ""


def _band(points: Sequence[Point], x: Scale, y: Scale) -> str:
    """Draw each interval as a bar."""
    return "".join(
        f"M{x(p.position):g} {y(p.high):g}V{y(p.low):g}"
        for p in points
        if p.value is not None and p.low is not None and p.high is not None
    )


def _witness(line: Line, step: Step, ends: tuple[int, int], x: Scale, y: Scale) -> str:
    """Draw another history, scaled so that its median before the step is the step's own level."""
    values = [(at, value) for at, value in line.measured if ends[0] <= at <= ends[1]]
    before = [value for at, value in values if at < step.position]
    if not step.before or min(len(before), len(values) - len(before)) < FEWEST:
        return ""
    moved = (step.last_good < change.position <= step.last for change in line.changes)
    middle = median(before)
    if middle <= 0 or any(moved):
        return ""
    return _path([_spot(x, y, at, value / middle * step.before) for at, value in values])


def _levels(
    line: Line, step: Step, ends: tuple[int, int], x: Scale, y: Scale, unit: str
) -> tuple[tuple[float, float, float, str], ...]:
    """Draw each level from change to change."""
    changes = [change.position for change in line.changes]
    start = max([ends[0], *(at for at in changes if at < step.position)])
    end = min([ends[1], *(at for at in changes if at > step.position)])
    spans = (start, step.position, step.before), (step.position, end, step.after)
    return tuple(
        (x(first), x(last), y(level), quantity(level, unit))
        for first, last, level in spans
        if level is not None
    )


def _doubt(step: Step, ends: tuple[int, int], x: Scale) -> tuple[float, float] | None:
    if step.last - step.last_good <= 1:
        return None
    first, last = max(step.last_good, ends[0]), min(step.last, ends[1])
    return (x(first), x(last)) if first < last else None


def _commit_ticks(
    points: Sequence[Point], commits: Sequence[Commit], x: Scale
) -> tuple[tuple[float, str], ...]:
    """Name about `MOST_TICKS` commits by date; of several of one day all but one by hash."""
    shown = [commits[p.position] for p in points[:: max(1, -(-len(points) // MOST_TICKS))]]
    dates = ["", *(commit.date for commit in shown)]
    return tuple(
        (x(commit.position), commit.short if old == new or not new else new)
        for commit, (old, new) in zip(shown, pairwise(dates), strict=True)
    )
