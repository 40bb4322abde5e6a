"""The roofline as coordinates: points under the ceilings that were measured.

Both axes are logarithmic: operations per byte that must move, and operations per second. An
effective rate stands at the direct algorithm's operations per byte; what executes other than these
stands on the diagonal through its effective rate as well. Across, places are per cent of the plot,
so that one picture fits a desk and a phone; words keep their size.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from convbench.report.axes import Scale, decades, logarithmic, spread
from convbench.report.labels import CHARACTER, LINE, Box, beside, dot, overlap
from convbench.report.readable import round_quantity
from convbench.report.roofs import Roof

TOP, BOTTOM, LEAST_HEIGHT = 30, 54, 480
WIDE, WIDE_BESIDE, NARROW = 832, 1000, 270
"""Pixels of a plot: with names at its right, with names within it, and on a phone."""

ROOM = 2.0  # factor of room beyond the outermost points and ceilings
LEAST_SPAN = 100.0  # an axis of two decades has two ticks at least
INSET = 6.0

Domain = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Spot:
    """What is to be placed: operations per byte, effective flop/s, executed ÷ direct, a name."""

    intensity: float
    rate: float
    factor: float
    name: str


@dataclass(frozen=True, slots=True)
class Words:
    """Where words begin, or end, in pixels from their point or from the plot's corner."""

    x: float
    y: float
    ends: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    """A spot's rates as places; `executed` is None where it executes the direct operations.

    `words` are from the effective point; those of a column of names are from the plot's right edge
    and top. `number` is where a number stands instead on a phone.
    """

    x: float
    y: float
    executed: tuple[float, float] | None
    words: Words
    number: Words


@dataclass(frozen=True, slots=True)
class Ceiling:
    """A roof as a line, and where its words stand: pixels from the place `words_x` across."""

    roof: Roof
    x1: float
    y1: float
    x2: float
    y2: float
    words_x: float
    words: Words


@dataclass(frozen=True, slots=True)
class RateTick:
    """A tick of rates; `unit` is what a phone has no room for."""

    at: float
    label: str
    unit: str


@dataclass(frozen=True, slots=True)
class RooflinePicture:
    """The picture, ready to draw; `marks` in the order of the spots given."""

    x_ticks: tuple[tuple[float, str], ...]
    y_ticks: tuple[RateTick, ...]
    ceilings: tuple[Ceiling, ...]
    marks: tuple[Mark, ...]
    in_column: bool
    height: int
    top: int = TOP

    @property
    def bottom(self) -> int:
        """Where the plot ends."""
        return self.height - BOTTOM


def roofline_picture(
    spots: Sequence[Spot], roofs: Sequence[Roof], *, in_column: bool
) -> RooflinePicture:
    """Place spots under the ceilings of their machine, build and data type.

    `in_column` is for spots of one problem, which all have its operations per byte: their names
    stand in a column at the right. Else every name stands beside its spot.
    """
    names = round(LINE * len(spots)) if in_column else 0
    height = max(LEAST_HEIGHT, TOP + BOTTOM + names)
    across = [spot.intensity * scale for spot in spots for scale in (1.0, spot.factor)]
    x_domain = _domain([*across, *_ridges(roofs)])
    up = [spot.rate * scale for spot in spots for scale in (1.0, spot.factor)]
    y_domain = _domain([*up, *(roof.rate for roof in roofs if roof.is_peak)])
    x_scale = logarithmic(x_domain, (0.0, 100.0))
    y_scale = logarithmic(y_domain, (height - BOTTOM, TOP))
    placed = [_placed(spot, x_scale, y_scale) for spot in spots]
    wide = WIDE if in_column else WIDE_BESIDE
    taken = _boxes(placed, wide)
    lines = tuple(_ceilings(roofs, (x_domain, y_domain), (x_scale, y_scale), wide, taken))
    words = _column_words if in_column else _beside_words
    return RooflinePicture(
        tuple((_part(x_scale, tick), f"{tick:,.10g}") for tick in decades(*x_domain)),
        tuple(_rate_tick(y_scale, tick) for tick in decades(*y_domain)),
        lines,
        tuple(
            Mark(*place, *both)
            for place, *both in zip(
                placed,
                words(spots, placed, lines, height),
                _numbers(placed, height),
                strict=True,
            )
        ),
        in_column,
        height,
    )


Placed = tuple[float, float, tuple[float, float] | None]


def _placed(spot: Spot, x_scale: Scale, y_scale: Scale) -> Placed:
    executed = None
    if spot.factor != 1.0:
        x, y = spot.intensity * spot.factor, spot.rate * spot.factor
        executed = _part(x_scale, x), _pixel(y_scale, y)
    return _part(x_scale, spot.intensity), _pixel(y_scale, spot.rate), executed


def _domain(values: Iterable[float]) -> Domain:
    known = list(values)
    low, high = min(known) / ROOM, max(known) * ROOM
    missing = max(LEAST_SPAN * low / high, 1.0) ** 0.5
    return low / missing, high * missing


def _ridges(roofs: Sequence[Roof]) -> list[float]:
    """Give the operations per byte at which bandwidths meet the highest peak."""
    peak = max((roof.rate for roof in roofs if roof.is_peak), default=0.0)
    return [peak / roof.rate for roof in roofs if not roof.is_peak and peak]


def _pixel(y_scale: Scale, value: float) -> float:
    return round(y_scale(value), 1)


def _part(x_scale: Scale, value: float) -> float:
    return round(x_scale(value), 2)


def _rate_tick(y_scale: Scale, tick: float) -> RateTick:
    number, unit = round_quantity(tick, "flop/s").split(" ")
    prefix = unit.removesuffix("FLOP/s") if unit.endswith("FLOP/s") else ""
    return RateTick(_pixel(y_scale, tick), f"{number} {prefix}".rstrip(), unit.removeprefix(prefix))


def _boxes(placed: Sequence[Placed], width: float) -> list[Box]:
    """Give what the points cover in a plot of so many pixels."""
    spots = [spot for x, y, executed in placed for spot in ((x, y), executed) if spot]
    return [dot(x * width / 100, y) for x, y in spots]


def _column_words(
    spots: Sequence[Spot], placed: Sequence[Placed], _: Sequence[Ceiling], height: int
) -> list[Words]:
    order = sorted(range(len(spots)), key=lambda index: placed[index][1])
    heights = spread(
        [placed[index][1] for index in order], LINE, TOP + LINE / 2, height - BOTTOM - LINE / 2
    )
    found = dict(zip(order, heights, strict=True))
    return [Words(10, round(found[index], 1)) for index in range(len(spots))]


def _beside_words(
    spots: Sequence[Spot], placed: Sequence[Placed], lines: Sequence[Ceiling], height: int
) -> list[Words]:
    taken = _boxes(placed, WIDE_BESIDE)
    taken += [_box(line, len(line.roof.words)) for line in lines]
    return _besides(placed, [len(spot.name) for spot in spots], taken, WIDE_BESIDE, height)


def _numbers(placed: Sequence[Placed], height: int) -> list[Words]:
    return _besides(placed, [2] * len(placed), _boxes(placed, NARROW), NARROW, height)


def _besides(
    placed: Sequence[Placed], characters: Sequence[int], taken: list[Box], width: int, height: int
) -> list[Words]:
    """Put words beside the points, each where the ones before it left room."""
    within = (0.0, float(TOP), float(width), float(height - BOTTOM))
    words = []
    for (x, y, _), length in zip(placed, characters, strict=True):
        at = x * width / 100
        label = beside(at, y, length, taken, within)
        taken.append(label.box(length))
        words.append(Words(round(label.x - at), round(label.y - y), label.anchor == "end"))
    return words


def _box(line: Ceiling, characters: int) -> Box:
    left = line.words_x * WIDE_BESIDE / 100 + line.words.x
    left -= CHARACTER * characters if line.words.ends else 0
    return left, line.words.y - LINE, left + CHARACTER * characters, line.words.y


def _peak_words(
    ridge: float, y: float, characters: int, width: float, taken: Sequence[Box]
) -> tuple[float, Words]:
    """Choose where a peak is named: right of the slopes, and not on points."""
    wide = CHARACTER * characters
    for x, ends in ((ridge, False), (100.0, True), *((step, False) for step in range(95, 0, -5))):
        at = x * width / 100 + (-INSET if ends else INSET + 4)
        left = at - (wide if ends else 0.0)
        box = (left, y - LINE, left + wide, y)
        if left >= 0 and left + wide <= width and not any(overlap(box, one) for one in taken):
            return round(x, 2), Words(-INSET if ends else INSET + 4, y, ends)
    return 100.0, Words(-INSET, y, ends=True)


def _ceilings(
    roofs: Sequence[Roof],
    domains: tuple[Domain, Domain],
    scales: tuple[Scale, Scale],
    width: float,
    taken: Sequence[Box],
) -> Iterable[Ceiling]:
    """Draw peaks level from where the fastest memory reaches them, bandwidths up to the peak."""
    (x_low, x_high), (y_low, y_high) = domains
    x_scale, y_scale = scales
    peaks = sorted((roof for roof in roofs if roof.is_peak), key=lambda roof: -roof.rate)
    bandwidths = sorted((one for one in roofs if not one.is_peak), key=lambda one: -one.rate)
    ridge = max((x_scale(one) for one in _ridges(roofs)), default=0.0)
    for index, roof in enumerate(peaks):
        fastest = bandwidths[0].rate if bandwidths else math.inf
        x = _part(x_scale, max(x_low, min(roof.rate / fastest, x_high)))
        y = _pixel(y_scale, roof.rate)
        # The highest is named above its line, the others below theirs.
        above = round(y + (17 if index else -6), 1)
        named = _peak_words(ridge, above, len(roof.words), width, taken)
        yield Ceiling(roof, x, y, 100.0, y, *named)
    top = peaks[0].rate if peaks else y_high
    lines: list[tuple[Roof, tuple[float, float], tuple[float, float]]] = []
    for roof in bandwidths:
        first, last = max(x_low, y_low / roof.rate), min(x_high, top / roof.rate)
        if first < last:
            start, end = (
                (_part(x_scale, x), _pixel(y_scale, x * roof.rate)) for x in (first, last)
            )
            lines.append((roof, start, end))
    low = TOP + LINE
    words = spread([start[1] + LINE for _, start, _ in lines], LINE, low, y_scale(y_low) - 6)
    for (roof, start, end), y in zip(lines, words, strict=True):
        yield Ceiling(roof, *start, *end, start[0], Words(INSET, round(y, 1)))
