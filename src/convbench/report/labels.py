"""Words beside points, placed so that they cover neither points nor each other."""

from collections.abc import Sequence
from dataclasses import dataclass

from convbench.report.axes import spread

# left, top, right, bottom
Box = tuple[float, float, float, float]

LINE = 17.0  # pixels from one line of words to the next
CHARACTER = 7.0  # mean width of a character, rather too wide
NEAR, FAR = 14.0, 40.0  # from a point to its words, without and with room for a leader line
FURTHEST = 9  # lines that words may stand above or below their point
DOT = 7.0


@dataclass(frozen=True, slots=True)
class Label:
    """Where words stand: the middle of their `start` or their `end`, as SVG's text-anchor says."""

    x: float
    y: float
    anchor: str

    def box(self, characters: int) -> Box:
        """Give the box that so many characters fill."""
        width = CHARACTER * characters
        left = self.x - (width if self.anchor == "end" else 0.0)
        return left, self.y - LINE / 2, left + width, self.y + LINE / 2


def dot(x: float, y: float) -> Box:
    """Give the box of a point."""
    return x - DOT, y - DOT, x + DOT, y + DOT


def left_of_column(points: Sequence[tuple[float, float]], low: float, high: float) -> list[Label]:
    """List the words of points that stand one above the other, left of them all."""
    order = sorted(range(len(points)), key=lambda index: points[index][1])
    heights = spread([points[index][1] for index in order], LINE, low, high)
    placed = dict(zip(order, heights, strict=True))
    x = min(x for x, _ in points) - (FAR if len(points) > 1 else NEAR)
    return [Label(x, placed[index], "end") for index in range(len(points))]


def beside(x: float, y: float, characters: int, taken: Sequence[Box], within: Box) -> Label:
    """Find the nearest free place for a point's words; right of it where none is free."""
    for label in _places(x, y):
        box = label.box(characters)
        if _contains(within, box) and not any(overlap(box, other) for other in taken):
            return label
    return Label(x + NEAR, y, "start")


def _places(x: float, y: float) -> list[Label]:
    """List the places beside a point, nearest first."""
    near = [Label(x + NEAR, y, "start"), Label(x - NEAR, y, "end")]
    steps = [sign * step * LINE for step in range(1, FURTHEST + 1) for sign in (-1, 1)]
    far = [
        Label(x + shift, y + step, anchor)
        for step in steps
        for shift, anchor in ((FAR, "start"), (-FAR, "end"))
    ]
    return near + far


def overlap(one: Box, other: Box) -> bool:
    """Whether two boxes share a pixel."""
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _contains(outer: Box, inner: Box) -> bool:
    return (
        outer[0] <= inner[0]
        and outer[1] <= inner[1]
        and inner[2] <= outer[2]
        and inner[3] <= outer[3]
    )
