"""Errors against times as coordinates: both axes logarithmic, the better corner at lower left."""

from collections.abc import Sequence
from dataclasses import dataclass

from convbench.report.axes import decades, logarithmic, ticks
from convbench.report.figures import Tick
from convbench.report.labels import NEAR, Box, Label, beside, dot, overlap
from convbench.report.readable import significant

WIDTH, HEIGHT = 1120, 400
LEFT, RIGHT, TOP, BOTTOM = 76, 24, 30, 48
ROOM = 1.25  # factor of room beyond the outermost points
EXACT_DECADES = 1.0  # where an error is zero, it stands so far below the least other

# A strategy's name, times slower, error, and whether it is on the front.
Point = tuple[str, float, float, bool]


@dataclass(frozen=True, slots=True)
class FrontSpot:
    """A point; the label is None where there is no room for it, `led` where a line joins it."""

    x: float
    y: float
    label: Label | None
    led: bool


@dataclass(frozen=True, slots=True)
class FrontPicture:
    """The picture, ready to draw; `spots` in the order of the points, `steps` is the front."""

    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    spots: tuple[FrontSpot, ...]
    steps: str
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    top: int = TOP
    bottom: int = HEIGHT - BOTTOM


def front_picture(points: Sequence[Point], first: str = "") -> FrontPicture:
    """Place strategies by how much slower and how inaccurate they are.

    Those on the front are labelled first, then the strategy named `first`, then the others while
    there is room beside them.
    """
    slower = [point[1] for point in points]
    positive = [point[2] for point in points if point[2] > 0]
    exact = len(positive) < len(points)
    least = min(positive, default=1e-16) / (10**EXACT_DECADES if exact else 1.0)
    x_domain = (min(slower) / ROOM, max(slower) * ROOM)
    y_domain = (least / ROOM, max(positive, default=1e-15) * ROOM)
    x_scale = logarithmic(x_domain, (LEFT, WIDTH - RIGHT))
    y_scale = logarithmic(y_domain, (HEIGHT - BOTTOM, TOP))
    places = [
        (round(x_scale(point[1]), 1), round(y_scale(max(point[2], least)), 1)) for point in points
    ]
    y_ticks = [
        Tick(round(y_scale(tick), 1), significant(tick, 1 if tick < 0.01 else 3))
        for tick in _ticks(min(positive, default=1e-16) / ROOM, y_domain[1])
    ]
    if exact:
        y_ticks.append(Tick(round(y_scale(least), 1), "0"))
    return FrontPicture(
        tuple(
            Tick(round(x_scale(tick), 1), f"×{tick:,.10g}")
            for tick in _ticks(max(x_domain[0], 1.0), x_domain[1])
        ),
        tuple(y_ticks),
        _spots(points, places, first),
        _steps([place for place, point in zip(places, points, strict=True) if point[3]]),
    )


def _ticks(low: float, high: float) -> list[float]:
    """Give powers of ten, with their halves and fifths while these are few."""
    powers = decades(low / 10, high)
    fine = [power * step for power in powers for step in (1, 2, 5)]
    inside = [tick for tick in fine if low <= tick <= high]
    if len(inside) <= 1:
        return [tick for tick in ticks(low, high, 4) if tick > 0]
    return inside if len(inside) <= 8 else decades(low, high)


def _spots(
    points: Sequence[Point], places: Sequence[tuple[float, float]], first: str
) -> tuple[FrontSpot, ...]:
    plot: Box = (LEFT, TOP - 10, WIDTH - RIGHT + 20, HEIGHT - BOTTOM)
    taken = [dot(*place) for place in places]
    spots: dict[int, FrontSpot] = {}
    order = sorted(
        range(len(points)), key=lambda index: (not points[index][3], points[index][0] != first)
    )
    for index in order:
        (x, y), name = places[index], points[index][0]
        label = beside(x, y, len(name), taken, plot)
        box = label.box(len(name))
        free = not any(overlap(box, other) for other in taken)
        near = abs(label.x - x) <= NEAR
        # Lines to far labels are for those that matter: many of them would hide the points.
        if free and (near or points[index][3] or name == first):
            taken.append(box)
            shown = Label(round(label.x, 1), round(label.y, 1), label.anchor)
            spots[index] = FrontSpot(x, y, shown, led=not near)
        else:
            spots[index] = FrontSpot(x, y, None, led=False)
    return tuple(spots[index] for index in range(len(points)))


def _steps(front: Sequence[tuple[float, float]]) -> str:
    """Outline what the front beats: from each of its points right, then down to the next."""
    if not front:
        return ""
    ordered = sorted(front)
    path = f"M{ordered[0][0]:g} {TOP}V{ordered[0][1]:g}"
    for x, y in ordered[1:]:
        path += f"H{x:g}V{y:g}"
    return f"{path}H{WIDTH - RIGHT}"
