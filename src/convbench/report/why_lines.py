"""Lines of the scatter of operations and time: equal rates, and the roofs that were measured."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from convbench.report.axes import Scale, spread
from convbench.report.labels import LINE, Box, Label
from convbench.report.readable import significant
from convbench.report.roofs import Roof

WIDTH = 1120
LEFT, RIGHT, TOP, BOTTOM = 64, 18, 20, 50
CORNER = 110  # width of a rate's words

Domain = tuple[float, float]


@dataclass(frozen=True, slots=True)
class RateLine:
    """All points of equal GFLOP/s, cut to the plot."""

    x1: float
    y1: float
    x2: float
    y2: float
    label: str


@dataclass(frozen=True, slots=True)
class RoofLine:
    """The least times at a peak, whatever computes, or at a bandwidth, for the question's bytes.

    `seconds` is the least time for what the question computes or moves, `label` where it is named.
    """

    x1: float
    y1: float
    x2: float
    y2: float
    roof: Roof
    seconds: float
    label: Label

    @property
    def words(self) -> Box:
        """The box of the words."""
        return self.label.box(len(self.roof.words))


def rate_line(
    rate: float, x_domain: Domain, y_domain: Domain, x_scale: Scale, y_scale: Scale
) -> RateLine | None:
    """Cut the line time = operations ÷ rate to the plot; None outside it."""
    per_second = rate * 1e9
    first = max(x_domain[0], y_domain[0] * per_second)
    last = min(x_domain[1], y_domain[1] * per_second)
    if first * 1.3 > last:
        return None
    end = x_scale(last)
    return RateLine(
        round(x_scale(first), 1),
        round(y_scale(first / per_second), 1),
        round(end, 1),
        round(y_scale(last / per_second), 1),
        # Words end where the line ends: of one in the left corner they would leave the plot.
        f"{significant(rate, 1)} GFLOP/s" if end > LEFT + CORNER else "",
    )


def peak_lines(
    roofs: Sequence[Roof],
    direct_flops: int,
    domains: tuple[Domain, Domain],
    scales: tuple[Scale, Scale],
    *,
    middle: float,
) -> Iterator[RoofLine]:
    """Draw the lines of the peaks, named between the points: the highest below its line."""
    peaks = sorted((roof for roof in roofs if roof.is_peak), key=lambda roof: roof.rate)
    for roof in peaks:
        line = rate_line(roof.rate / 1e9, *domains, *scales)
        if line is None:
            continue
        part = (middle - line.x1) / (line.x2 - line.x1)
        y = line.y1 + part * (line.y2 - line.y1)
        below = roof is peaks[-1]
        label = Label(middle + 8, y + 6, "start") if below else Label(middle - 8, y - 6, "end")
        least = roof.seconds(direct_flops, 0)
        yield RoofLine(line.x1, line.y1, line.x2, line.y2, roof, least, rounded(label))


def bandwidth_lines(
    roofs: Sequence[Roof], moved_bytes: int, y_scale: Scale, height: int
) -> Iterator[RoofLine]:
    """Draw the least times at the bandwidths, named at the right end, where no strategy is."""
    right = WIDTH - RIGHT
    slowest_first = sorted((roof for roof in roofs if not roof.is_peak), key=lambda one: one.rate)
    least = [roof.seconds(0, moved_bytes) for roof in slowest_first]
    ys = [round(y_scale(value), 1) for value in least]
    places = spread([y - LINE / 2 for y in ys], LINE, TOP, height - BOTTOM - LINE / 2)
    for roof, value, y, place in zip(slowest_first, least, ys, places, strict=True):
        yield RoofLine(LEFT, y, right, y, roof, value, rounded(Label(right - 6, place, "end")))


def rounded(label: Label) -> Label:
    """Round a label's place, for the same bytes on every machine."""
    return Label(round(label.x, 1), round(label.y, 1), label.anchor)
