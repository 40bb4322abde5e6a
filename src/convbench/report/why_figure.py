"""Operations against time as coordinates: the points of one question and its matrix product."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from convbench.report.axes import decades, logarithmic
from convbench.report.figures import Tick
from convbench.report.labels import LINE, Box, Label, beside, dot, left_of_column, overlap
from convbench.report.readable import operations, round_quantity, seconds, times
from convbench.report.roofs import Roof
from convbench.report.why import Timing
from convbench.report.why_lines import (
    BOTTOM,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    Domain,
    RateLine,
    RoofLine,
    bandwidth_lines,
    peak_lines,
    rate_line,
    rounded,
)

LEAST_HEIGHT = 470
SIDE = 210  # room for words left of the leftmost points and right of the rightmost
RATES = tuple(10.0**exponent for exponent in range(-5, 5))
COLUMN = 30  # points of so many pixels stand one above the other
ROOM = 22  # height for each label of the leftmost column


@dataclass(frozen=True, slots=True)
class Spot:
    """A point and its label; `role` is asked, fastest, dense or other."""

    name: str
    value: str
    role: str
    x: float
    y: float
    label: Label


@dataclass(frozen=True, slots=True)
class Arrow:
    """An arrow from the asked code to np.dot; `part` is where along it the words stand."""

    x1: float
    y1: float
    x2: float
    y2: float
    label: str
    part: float

    def at(self, part: float) -> tuple[float, float]:
        """Give the place so far along the arrow, 0 to 1."""
        return self.x1 + part * (self.x2 - self.x1), self.y1 + part * (self.y2 - self.y1)

    def words(self, part: float) -> Box:
        """Give the box of the words that are centred above that place."""
        x, y = self.at(part)
        box = Label(x, y - LINE / 2, "start").box(len(self.label))
        half = (box[2] - box[0]) / 2
        return box[0] - half, box[1], box[2] - half, box[3]


@dataclass(frozen=True, slots=True)
class WhyPicture:
    """The scatter with its axes, ready to draw; `spots` in the order of the timings, then np.dot.

    The domains are the axes' ends, in operations and seconds.
    """

    x_domain: Domain
    y_domain: Domain
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    rates: tuple[RateLine, ...]
    roofs: tuple[RoofLine, ...]
    spots: tuple[Spot, ...]
    arrow: Arrow | None
    height: int
    width: int = WIDTH
    left: int = LEFT
    right: int = WIDTH - RIGHT
    top: int = TOP

    @property
    def bottom(self) -> int:
        """Where the plot ends."""
        return self.height - BOTTOM


def why_picture(
    timings: Sequence[Timing],
    dense: Timing,
    direct_flops: int,
    asked: str,
    *,
    roofs: Sequence[Roof] = (),
    moved_bytes: int = 0,
) -> WhyPicture:
    """Place the strategies and the matrix product; the more share a column, the higher.

    A strategy whose executed operations are unknown stands at the direct algorithm's. Peaks bound
    every point; bandwidths are drawn for the bytes that the convolution must move, `moved_bytes`.
    """
    everything = [*timings, dense]
    flops = [timing.flops or direct_flops for timing in everything]
    x_domain = _with_sides(flops)
    times_taken = [timing.seconds for timing in everything]
    least = [roof.seconds(direct_flops, moved_bytes) for roof in roofs]
    y_domain = (min(times_taken + least) / 2, max(times_taken) * 2)
    x_scale = logarithmic(x_domain, (LEFT, WIDTH - RIGHT))
    xs = [x_scale(number) for number in flops]
    crowd = sum(x < min(xs) + COLUMN for x in xs)
    height = max(LEAST_HEIGHT, TOP + BOTTOM + ROOM * crowd)
    y_scale = logarithmic(y_domain, (height - BOTTOM, TOP))
    ys = map(y_scale, times_taken)
    points = [(round(x, 1), round(y, 1)) for x, y in zip(xs, ys, strict=True)]
    peak = max((roof.rate / 1e9 for roof in roofs if roof.is_peak), default=RATES[-1])
    rates = tuple(
        line
        for rate in RATES
        if rate <= peak and (line := rate_line(rate, x_domain, y_domain, x_scale, y_scale))
    )
    domains, scales = (x_domain, y_domain), (x_scale, y_scale)
    roof_lines = (
        *peak_lines(roofs, direct_flops, domains, scales, middle=(min(xs) + max(xs)) / 2),
        *bandwidth_lines(roofs, moved_bytes, y_scale, height),
    )
    roles = [_role(timing, timings, dense, asked) for timing in everything]
    words = [f"{timing.name} {seconds(timing.seconds)}" for timing in everything]
    arrow = _arrow(timings, dense, direct_flops, asked, points)
    fixed = [Label(line.x2 - 6, line.y2 + 12, "end").box(len(line.label)) for line in rates]
    fixed += [line.words for line in roof_lines]
    labels = _labels(points, words, fixed, arrow, height)
    return WhyPicture(
        x_domain=x_domain,
        y_domain=y_domain,
        x_ticks=tuple(Tick(round(x_scale(t), 1), operations(t)) for t in decades(*x_domain)),
        y_ticks=tuple(
            Tick(round(y_scale(t), 1), round_quantity(t, "seconds")) for t in decades(*y_domain)
        ),
        rates=rates,
        roofs=roof_lines,
        spots=tuple(
            Spot(timing.name, seconds(timing.seconds), role, *point, label)
            for timing, role, point, label in zip(everything, roles, points, labels, strict=True)
        ),
        arrow=arrow,
        height=height,
    )


def _with_sides(flops: Sequence[int]) -> Domain:
    """Give the axis' ends, with room for words on both sides of the points."""
    low, high = min(flops), max(flops)
    plot = WIDTH - RIGHT - LEFT
    beyond = max(high / low, 10.0) ** (SIDE / (plot - 2 * SIDE))
    return low / beyond, high * beyond


def _role(timing: Timing, timings: Sequence[Timing], dense: Timing, asked: str) -> str:
    if timing is dense:
        return "dense"
    if timing.name == asked:
        return "asked"
    return "fastest" if timing is min(timings, key=lambda one: one.seconds) else "other"


def _labels(
    points: Sequence[tuple[float, float]],
    words: Sequence[str],
    fixed: Sequence[Box],
    arrow: Arrow | None,
    height: int,
) -> list[Label]:
    """Put words left of the leftmost points, which are most, and beside the others where free."""
    plot: Box = (LEFT, TOP, WIDTH - RIGHT, height - BOTTOM)
    first = min(x for x, _ in points) + COLUMN
    column = [index for index, (x, _) in enumerate(points) if x < first]
    listed = left_of_column(
        [points[index] for index in column], TOP + LINE / 2, height - BOTTOM - LINE / 2
    )
    placed = dict(zip(column, listed, strict=True))
    taken = [dot(*point) for point in points]
    taken += [label.box(len(words[index])) for index, label in placed.items()]
    taken += fixed
    if arrow:
        taken += [dot(*arrow.at(step / 40)) for step in range(41)]
        taken.append(arrow.words(arrow.part))
    # From top to bottom, np.dot first: it is what all are compared with.
    rest = (index for index in range(len(points)) if index not in placed)
    for index in sorted(rest, key=lambda one: (one != len(points) - 1, points[one][1])):
        placed[index] = beside(*points[index], len(words[index]), taken, plot)
        taken.append(placed[index].box(len(words[index])))
    return [rounded(placed[index]) for index in range(len(points))]


def _arrow(
    timings: Sequence[Timing],
    dense: Timing,
    direct_flops: int,
    asked: str,
    points: Sequence[tuple[float, float]],
) -> Arrow | None:
    """Draw the arrow, its words as near to its middle as no point stands."""
    index = next((n for n, timing in enumerate(timings) if timing.name == asked), None)
    if index is None:
        return None
    label = _arrow_label(timings[index], dense, direct_flops)
    bare = Arrow(*_shortened(points[index], points[-1]), label, 0.5)
    parts = (0.5, 0.45, 0.55, 0.4, 0.6, 0.35, 0.65, 0.3, 0.7)
    dots = [dot(*point) for point in points]
    free = (p for p in parts if not any(overlap(bare.words(p), one) for one in dots))
    return replace(bare, part=next(free, 0.5))


def _shortened(
    start: tuple[float, float], end: tuple[float, float]
) -> tuple[float, float, float, float]:
    """Keep the arrow off both points."""
    (x1, y1), (x2, y2) = start, end
    length = max(((x2 - x1) ** 2 + (y2 - y1) ** 2) ** 0.5, 1.0)
    dx, dy = (x2 - x1) / length * 16, (y2 - y1) / length * 16
    return round(x1 + dx, 1), round(y1 + dy, 1), round(x2 - dx, 1), round(y2 - dy, 1)


def _arrow_label(asked: Timing, dense: Timing, direct_flops: int) -> str:
    work = (dense.flops or direct_flops) / (asked.flops or direct_flops)
    faster = asked.seconds / dense.seconds
    if faster < 1:
        return f"{times(work)}× the operations in {times(1 / faster)}× the time"
    return f"{times(work)}× the operations in 1/{times(faster)} of the time"
