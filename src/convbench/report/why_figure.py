"""Operations against time as coordinates: the points of one question and its matrix product."""

from collections.abc import Sequence
from dataclasses import dataclass

from convbench.report.axes import Scale, decades, logarithmic, spread
from convbench.report.figures import Tick
from convbench.report.readable import operations, round_quantity, seconds, significant, times
from convbench.report.why import Timing

WIDTH, HEIGHT = 1120, 470
LEFT, RIGHT, TOP, BOTTOM = 64, 18, 20, 50
LABEL_GAP, LABEL_SHIFT = 17.0, 46.0
RATES = tuple(10.0**exponent for exponent in range(-5, 5))


@dataclass(frozen=True, slots=True)
class Spot:
    """A point and its label; `role` is asked, fastest, dense or other."""

    name: str
    value: str
    role: str
    x: float
    y: float
    label_x: float
    label_y: float


@dataclass(frozen=True, slots=True)
class RateLine:
    """All points of equal GFLOP/s, cut to the plot."""

    x1: float
    y1: float
    x2: float
    y2: float
    label: str


@dataclass(frozen=True, slots=True)
class WhyPicture:
    """The scatter with its axes, ready to draw; `arrow` goes from the asked code to np.dot."""

    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    rates: tuple[RateLine, ...]
    spots: tuple[Spot, ...]
    arrow: tuple[float, float, float, float] | None
    arrow_label: str
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    top: int = TOP
    bottom: int = HEIGHT - BOTTOM


def why_picture(
    timings: Sequence[Timing], dense: Timing, direct_flops: int, asked: str
) -> WhyPicture:
    """Place the strategies and the matrix product.

    A strategy whose executed operations are unknown stands at the direct algorithm's.
    """
    everything = [*timings, dense]
    flops = [timing.flops or direct_flops for timing in everything]
    x_domain = (min(flops) / 2.2, max(flops) * 3.2)
    y_domain = (
        min(timing.seconds for timing in everything) / 2,
        max(timing.seconds for timing in everything) * 2,
    )
    x_scale = logarithmic(x_domain, (LEFT, WIDTH - RIGHT))
    y_scale = logarithmic(y_domain, (HEIGHT - BOTTOM, TOP))
    spots = _label(
        [
            _spot(timing, flop, x_scale, y_scale, _role(timing, timings, dense, asked))
            for timing, flop in zip(everything, flops, strict=True)
        ]
    )
    start = next((spot for spot in spots if spot.role == "asked"), None)
    end = next(spot for spot in spots if spot.role == "dense")
    asked_timing = next((timing for timing in timings if timing.name == asked), None)
    return WhyPicture(
        x_ticks=tuple(Tick(round(x_scale(t), 1), operations(t)) for t in decades(*x_domain)),
        y_ticks=tuple(
            Tick(round(y_scale(t), 1), round_quantity(t, "seconds")) for t in decades(*y_domain)
        ),
        rates=tuple(
            line for rate in RATES if (line := _rate_line(rate, x_domain, y_domain)) is not None
        ),
        spots=tuple(spots),
        arrow=_shortened(start, end) if start else None,
        arrow_label=_arrow_label(asked_timing, dense, direct_flops) if asked_timing else "",
    )


def _role(timing: Timing, timings: Sequence[Timing], dense: Timing, asked: str) -> str:
    if timing is dense:
        return "dense"
    if timing.name == asked:
        return "asked"
    return "fastest" if timing is min(timings, key=lambda one: one.seconds) else "other"


def _spot(timing: Timing, flops: int, x_scale: Scale, y_scale: Scale, role: str) -> Spot:
    x, y = round(x_scale(flops), 1), round(y_scale(timing.seconds), 1)
    return Spot(timing.name, seconds(timing.seconds), role, x, y, x, y)


def _label(spots: Sequence[Spot]) -> list[Spot]:
    """Put labels right of their points, pushed apart where points share a column."""
    columns: dict[int, list[Spot]] = {}
    for spot in sorted(spots, key=lambda one: (one.x, one.y)):
        near = next((x for x in columns if abs(x - spot.x) < 150), int(spot.x))
        columns.setdefault(near, []).append(spot)
    placed = []
    for column in columns.values():
        ordered = sorted(column, key=lambda one: one.y)
        heights = spread([one.y for one in ordered], LABEL_GAP, TOP + 8, HEIGHT - BOTTOM - 8)
        # A column of one point needs no leader line, so its label stands close.
        shift = LABEL_SHIFT if len(ordered) > 1 else 14.0
        right = max(one.x for one in ordered) + shift
        for spot, height in zip(ordered, heights, strict=True):
            placed.append(
                Spot(spot.name, spot.value, spot.role, spot.x, spot.y, right, round(height, 1))
            )
    return placed


def _rate_line(
    rate: float, x_domain: tuple[float, float], y_domain: tuple[float, float]
) -> RateLine | None:
    """Cut the line time = operations ÷ rate to the plot; None outside it."""
    x_scale = logarithmic(x_domain, (LEFT, WIDTH - RIGHT))
    y_scale = logarithmic(y_domain, (HEIGHT - BOTTOM, TOP))
    per_second = rate * 1e9
    first = max(x_domain[0], y_domain[0] * per_second)
    last = min(x_domain[1], y_domain[1] * per_second)
    if first * 1.3 > last:
        return None
    return RateLine(
        round(x_scale(first), 1),
        round(y_scale(first / per_second), 1),
        round(x_scale(last), 1),
        round(y_scale(last / per_second), 1),
        f"{significant(rate, 1)} GFLOP/s",
    )


def _shortened(start: Spot, end: Spot) -> tuple[float, float, float, float]:
    """Keep the arrow off both points."""
    length = max(((end.x - start.x) ** 2 + (end.y - start.y) ** 2) ** 0.5, 1.0)
    dx, dy = (end.x - start.x) / length * 16, (end.y - start.y) / length * 16
    return (
        round(start.x + dx, 1),
        round(start.y + dy, 1),
        round(end.x - dx, 1),
        round(end.y - dy, 1),
    )


def _arrow_label(asked: Timing, dense: Timing, direct_flops: int) -> str:
    work = (dense.flops or direct_flops) / (asked.flops or direct_flops)
    faster = asked.seconds / dense.seconds
    if faster < 1:
        return f"{times(work)}× the operations in {times(1 / faster)}× the time"
    return f"{times(work)}× the operations in 1/{times(faster)} of the time"
