"""Time per operation against a size as coordinates: a line for each strategy, axes logarithmic."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from convbench.report.axes import FARTHEST, Scale, decades, logarithmic, spread
from convbench.report.figures import Tick
from convbench.report.labels import CHARACTER, LINE
from convbench.report.readable import round_quantity

WIDTH, HEIGHT = 1120, 400
LEFT, MARGIN, TOP, BOTTOM = 76, 190, 30, 48
ROOM = 1.15  # factor of room beyond the outermost values
COLOURS = 8
TICK = 5 * CHARACTER  # the least distance of two ticks' words

# A time per operation with its interval, None where a strategy has no time at a size.
Value = tuple[float, float, float] | None


@dataclass(frozen=True, slots=True)
class SizeLine:
    """A strategy's line; `dots` are x, y and the ends of the interval."""

    name: str
    colour: int
    path: str
    dots: tuple[tuple[float, float, float, float], ...]
    label_y: float


@dataclass(frozen=True, slots=True)
class CrossoverPicture:
    """The picture, ready to draw; `meetings` are the places where lines of leaders cross."""

    x_title: str
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    lines: tuple[SizeLine, ...]
    meetings: tuple[tuple[float, str], ...]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - MARGIN
    top: int = TOP
    bottom: int = HEIGHT - BOTTOM


def crossover_picture(
    x_title: str,
    sizes: Sequence[int],
    values: Mapping[str, Sequence[Value]],
    crossings: Sequence[tuple[float, str, str]],
) -> CrossoverPicture:
    """Place the lines.

    Parameters
    ----------
    x_title : str
        What the size is.
    sizes : sequence of int
        The sizes that were measured, smallest first.
    values : mapping of str to sequence
        For each strategy the seconds per direct operation at each size, with its interval.
    crossings : sequence of (float, str, str)
        Where the fastest strategy changes: the size, who was and who is the fastest.
    """
    values = {name: [_cut(one) for one in ones] for name, ones in values.items()}
    known = [bound for ones in values.values() for one in ones if one for bound in one]
    x_scale = logarithmic((sizes[0], sizes[-1]), (LEFT + 24, WIDTH - MARGIN - 12))
    domain = (min(known) / ROOM, max(known) * ROOM)
    y_scale = logarithmic(domain, (HEIGHT - BOTTOM, TOP))
    return CrossoverPicture(
        x_title,
        _size_ticks(sizes, x_scale),
        tuple(
            Tick(round(y_scale(tick), 1), _per_operation(tick)) for tick in _value_ticks(*domain)
        ),
        _lines(sizes, values, x_scale, y_scale),
        tuple(
            (round(x_scale(at), 1), f"{after} overtakes {before}")
            for at, before, after in crossings
        ),
    )


def _cut(value: Value) -> Value:
    if value is None:
        return None
    middle, low, high = value
    return middle, max(low, middle / FARTHEST), min(high, middle * FARTHEST)


def _per_operation(seconds: float) -> str:
    """Write a round time of one operation, which may be less than a nanosecond."""
    if seconds < 0.9995e-9:
        return round_quantity(seconds * 1e12, "ps")
    return round_quantity(seconds, "seconds")


def _size_ticks(sizes: Sequence[int], x_scale: Scale) -> tuple[Tick, ...]:
    """Label the sizes measured, but for those whose words would touch."""
    made: list[Tick] = []
    for size in sizes:
        at = round(x_scale(size), 1)
        if not made or at - made[-1].at >= TICK:
            made.append(Tick(at, f"{size:,}"))
    return tuple(made)


def _value_ticks(low: float, high: float) -> list[float]:
    fine = [power * step for power in decades(low / 10, high) for step in (1, 2, 5)]
    inside = [tick for tick in fine if low <= tick <= high]
    return inside if len(inside) <= 8 else decades(low, high)


def _lines(
    sizes: Sequence[int], values: Mapping[str, Sequence[Value]], x_scale: Scale, y_scale: Scale
) -> tuple[SizeLine, ...]:
    def y_of(value: float) -> float:
        return round(y_scale(value), 1)

    dots = {
        name: tuple(
            (round(x_scale(size), 1), y_of(one[0]), y_of(one[1]), y_of(one[2]))
            for size, one in zip(sizes, ones, strict=True)
            if one
        )
        for name, ones in values.items()
    }
    # Each label stands at the end of its line, pushed off the others.
    order = sorted(dots, key=lambda name: dots[name][-1][1])
    heights = spread(
        [dots[name][-1][1] for name in order], LINE, TOP + LINE / 2, HEIGHT - BOTTOM - LINE / 2
    )
    labels = dict(zip(order, heights, strict=True))
    return tuple(
        SizeLine(
            name,
            index % COLOURS,
            "M" + "L".join(f"{x:g} {y:g}" for x, y, *_ in spots),
            spots,
            round(labels[name], 1),
        )
        for index, (name, spots) in enumerate(dots.items())
    )
