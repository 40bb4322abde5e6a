"""Axes: from values to coordinates, round ticks, a range that one outlier can't spoil."""

import math
from collections.abc import Callable, Sequence
from statistics import median

Scale = Callable[[float], float]

# Values further from the median than this many median distances are drawn as arrows at the edge.
OUTLIER_DISTANCES = 12.0
# Up to so many values, intervals are as interesting as the values.
FEW = 12
# An interval makes room up to this factor of the values: asv's of few samples pass 0, or are huge.
FARTHEST = 10.0
# The least height of a value axis, relative to its middle: else noise would look like an event.
LEAST_SPAN = 0.2


def linear(domain: tuple[float, float], target: tuple[float, float]) -> Scale:
    """Map a domain onto coordinates; a domain without extent maps to the middle."""
    (low, high), (start, end) = domain, target
    if high == low:
        return lambda _: (start + end) / 2
    return lambda value: start + (value - low) / (high - low) * (end - start)


def logarithmic(domain: tuple[float, float], target: tuple[float, float]) -> Scale:
    """Map a positive domain onto coordinates by its logarithm."""
    inner = linear((math.log10(domain[0]), math.log10(domain[1])), target)
    return lambda value: inner(math.log10(value))


def ticks(low: float, high: float, count: int = 5) -> list[float]:
    """Give about `count` round numbers (1, 2 or 5 times a power of ten) within a range."""
    if not high > low:
        return [low]
    rough = (high - low) / count
    power: float = 10.0 ** math.floor(math.log10(rough))
    step = next((m * power for m in (1, 2, 5) if m * power >= rough), 10 * power)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [number * step for number in range(first, last + 1)]


def decades(low: float, high: float) -> list[float]:
    """Give the powers of ten within a range."""
    first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    return [10.0**exponent for exponent in range(first, last + 1)]


def robust_range(
    values: Sequence[float],
    bounds: Sequence[float] = (),
    *,
    levels: Sequence[float] = (),
    least: float = LEAST_SPAN,
) -> tuple[float, float]:
    """Give the range to draw: without far outliers, and never only the noise.

    Few values have no outliers (two levels of one point each are both worth seeing) and show
    their intervals, whose ends are `bounds`, up to `FARTHEST` times the greatest value. What holds
    for many values, `levels`, is never left out. `least` is the least height, relative to the
    middle.
    """
    if not values:
        return 0.0, 1.0
    few = len(values) <= FEW
    middle = median(values)
    distance = median(abs(value - middle) for value in values)
    limit = math.inf if few or distance == 0 else OUTLIER_DISTANCES * distance
    farthest = FARTHEST * max(map(abs, values)) or math.inf
    ends = [min(max(bound, -farthest), farthest) for bound in bounds] if few else []
    kept = [*(value for value in values if abs(value - middle) <= limit), *ends]
    low, high = min((*kept, *levels)), max((*kept, *levels))
    missing = least * abs(middle) - (high - low)
    if missing > 0:
        low, high = low - missing / 2, high + missing / 2
    if high == low:
        return low - 1, high + 1
    margin = 0.08 * (high - low)
    # Times and sizes are never negative; an axis below zero would only puzzle.
    return (low - margin if min(values) < 0 else max(low - margin, 0.0)), high + margin


def spread(positions: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Push sorted label positions apart until each is `gap` from the next, within a range.

    They move as little as can be, by least squares: of crowded ones the middle stays (isotonic
    regression by pooling neighbours). Where the range is too short, the last ones leave it.
    """
    blocks: list[tuple[float, int]] = []  # sum and number of the positions that touch
    for index, position in enumerate(positions):
        total, count = position - index * gap, 1
        while blocks and blocks[-1][0] / blocks[-1][1] > total / count:
            before, number = blocks.pop()
            total, count = total + before, count + number
        blocks.append((total, count))
    starts = [total / count for total, count in blocks for _ in range(count)]
    latest = max(high - (len(starts) - 1) * gap, low)
    return [min(max(start, low), latest) + index * gap for index, start in enumerate(starts)]
