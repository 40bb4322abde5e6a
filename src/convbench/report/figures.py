"""The pictures of a history as coordinates; templates draw them as SVG before Plotly is there."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from types import MappingProxyType

from convbench.report.axes import Scale, linear, robust_range, ticks
from convbench.report.measurements import Commit
from convbench.report.naming import is_rate
from convbench.report.readable import percent, quantity, scale_of
from convbench.report.series import Change, Line
from convbench.report.thinning import thinned

WIDTH, HEIGHT = 1120, 360
LEFT, RIGHT, TOP, BOTTOM = 64, 16, 26, 44
LABEL_WIDTH = 76
LABEL_ROOM = 120
"""In pixels: what the words of a change take, and where the picture's right side has no room."""

MOST_BARS = 5
LEVEL = 3
"""Values that make a level, which is no outlier."""
EDGE = 62  # half a tick's words, so that the first and last commit's are not cut


@dataclass(frozen=True, slots=True)
class Tick:
    """A tick's coordinate and words."""

    at: float
    label: str


@dataclass(frozen=True, slots=True)
class Curve:
    """One line of the picture; `colour` counts from 0, `dots` are x, y and what to say.

    `band` outlines the intervals; with few commits, where an area would suggest a trend, it is
    one bar for each (`has_bars`). `rings` mark the values of disturbed runs.
    """

    name: str
    colour: int
    path: str
    band: str
    has_bars: bool
    dots: tuple[tuple[float, float, str], ...]
    rings: tuple[tuple[float, float, str], ...]
    outliers: tuple[tuple[float, str], ...]
    failures: tuple[tuple[float, str], ...]


@dataclass(frozen=True, slots=True)
class Mark:
    """A change: where, what to write, which kind, and whether the words stand left of the line.

    A label that has no room is empty.
    """

    x: float
    label: str
    kind: str
    left: bool


@dataclass(frozen=True, slots=True)
class HistoryPicture:
    """A history with its axes, ready to draw."""

    title: str
    y_title: str
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    curves: tuple[Curve, ...]
    marks: tuple[Mark, ...]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    top: int = TOP
    bottom: int = HEIGHT - BOTTOM


def history_picture(
    title: str,
    lines: Sequence[tuple[str, Line]],
    unit: str,
    commits: Sequence[Commit],
    colours: Sequence[int] = (),
    disturbed: Mapping[tuple[str, str], str] = MappingProxyType({}),
) -> HistoryPicture:
    """Draw lines over the commits, with intervals as bands and changes as marks.

    Each line has a label and, where `colours` are given, the number of its colour. `disturbed` says
    of machines and runs why their values get a ring.
    """
    values = [value for _, line in lines for _, value in line.measured]
    bounds = [
        bound
        for _, line in lines
        for point in line.points
        for bound in (point.low, point.high)
        if bound is not None
    ]
    levels = [level for _, line in lines for level in _levels(line)]
    low, high = robust_range(values, bounds, levels=levels)
    x_scale = linear(_extent(lines), (LEFT + EDGE, WIDTH - RIGHT - EDGE))
    y_scale = linear((low, high), (HEIGHT - BOTTOM, TOP))
    name, size = scale_of(median(values) if values else 1.0, unit)
    return HistoryPicture(
        title=title,
        y_title=f"{name}{_better(unit)}",
        x_ticks=_commit_ticks(lines, commits, x_scale),
        y_ticks=tuple(
            Tick(round(y_scale(tick), 1), f"{tick / size:,.10g}") for tick in ticks(low, high)
        ),
        curves=tuple(
            _curve(
                label,
                colour,
                thinned(line),
                unit,
                commits,
                disturbed,
                x_scale,
                y_scale,
                (low, high),
            )
            for colour, (label, line) in zip(colours or range(len(lines)), lines, strict=True)
        ),
        marks=_marks((change for _, line in lines for change in line.changes), x_scale),
    )


def _levels(line: Line) -> list[float]:
    """Give what many commits share: each level between two changes, and the newest values."""
    cuts = [change.position for change in line.changes]
    parts: dict[int, list[float]] = {}
    for position, value in line.measured:
        parts.setdefault(sum(cut <= position for cut in cuts), []).append(value)
    newest = [values[-LEVEL:] for values in list(parts.values())[-1:]]
    lasting = [values for values in parts.values() if len(values) >= LEVEL]
    return [median(values) for values in (*lasting, *newest)]


def _curve(
    label: str,
    colour: int,
    line: Line,
    unit: str,
    commits: Sequence[Commit],
    disturbed: Mapping[tuple[str, str], str],
    x_scale: Scale,
    y_scale: Scale,
    limits: tuple[float, float],
) -> Curve:
    low, high = limits
    # Few commits: intervals of several lines stand side by side.
    shift = 7.0 * colour if len(line.points) <= MOST_BARS else 0.0

    def spot(position: int, value: float) -> tuple[float, float]:
        return round(x_scale(position) + shift, 1), round(y_scale(min(max(value, low), high)), 1)

    banded = [
        (p.position, p.low, p.high)
        for p in line.points
        if p.value is not None and p.low is not None and p.high is not None
    ]
    outline = [spot(position, upper) for position, _, upper in banded]
    floor = [spot(position, lower) for position, lower, _ in banded]
    if len(banded) <= MOST_BARS:
        ends = zip(outline, floor, strict=True)
        band = "".join(f"M{x:g} {top:g}V{bottom:g}" for (x, top), (_, bottom) in ends)
    else:
        band = f"{_absolute_path([*outline, *reversed(floor)])}Z"
    spots = [(*spot(position, value), position, value) for position, value in line.measured]
    dots = [
        (x, y, f"{label}: {quantity(value, unit)}, {_name(commits[position])}")
        for x, y, position, value in spots
    ]
    rings = [
        (*spot(p.position, p.value), f"{label}: disturbed, {disturbed[line.machine, p.run]}")
        for p in line.points
        if p.value is not None and (line.machine, p.run) in disturbed
    ]
    outliers = [(x, quantity(value, unit)) for x, _, _, value in spots if not low <= value <= high]
    failures = [
        (round(x_scale(p.position), 1), f"{label}: failed, {_name(commits[p.position])}")
        for p in line.points
        if p.status == "failed"
    ]
    return Curve(
        label,
        colour,
        _absolute_path([(x, y) for x, y, _, _ in spots]),
        band,
        len(banded) <= MOST_BARS,
        # Above a few dozen points dots are clutter; the line says it all.
        tuple(dots) if len(dots) <= 40 else (),
        tuple(rings),
        tuple(outliers),
        tuple(failures),
    )


def _name(commit: Commit) -> str:
    return " ".join(filter(None, (commit.short, commit.date, commit.subject)))


def _better(unit: str) -> str:
    """Say which way is the better one, where a unit tells."""
    if is_rate(unit):
        return " (higher is better)"
    return " (lower is better)" if unit == "seconds" else ""


def _extent(lines: Sequence[tuple[str, Line]]) -> tuple[int, int]:
    positions = [point.position for _, line in lines for point in line.points]
    return (min(positions), max(positions)) if positions else (0, 1)


def _commit_ticks(
    lines: Sequence[tuple[str, Line]], commits: Sequence[Commit], x_scale: Scale
) -> tuple[Tick, ...]:
    """Label about eight of the commits: by number and date while few, by date when many."""
    positions = sorted({point.position for _, line in lines for point in line.points})
    step = max(1, -(-len(positions) // 8))
    few = len(positions) <= 8
    made, previous = [], ""
    for position in positions[::step]:
        commit = commits[position]
        # Of many commits of one day only the first is named by it.
        words = commit.date if commit.date != previous else commit.short
        made.append(
            Tick(
                round(x_scale(position), 1),
                f"{commit.short} {commit.date}" if few else words or commit.short,
            )
        )
        previous = commit.date
    return tuple(made)


def _marks(changes: Iterable[Change], x_scale: Scale) -> tuple[Mark, ...]:
    """Mark each commit once, by its largest change: lines that moved together share a mark.

    Where marks stand close, the largest change has the words.
    """
    largest: dict[int, Change] = {}
    for change in changes:
        known = largest.get(change.position)
        if known is None or _size(change) > _size(known):
            largest[change.position] = change
    places = {position: round(x_scale(position), 1) for position in largest}
    worded: dict[int, float] = {}
    for position in sorted(largest, key=lambda one: (-_size(largest[one]), one)):
        left = _label_left(places[position])
        if all(abs(left - other) >= LABEL_WIDTH for other in worded.values()):
            worded[position] = left
    marks = []
    for position in sorted(largest):
        change, x = largest[position], places[position]
        words = f"{'▲' if change.ratio > 1 else '▼'} {percent(change.ratio)}"
        marks.append(
            Mark(x, words if position in worded else "", change.kind, x > WIDTH - LABEL_ROOM)
        )
    return tuple(marks)


def _label_left(x: float) -> float:
    """Give where the words of a mark begin: right of it, but left where the picture ends."""
    return x - LABEL_WIDTH if x > WIDTH - LABEL_ROOM else x


def _size(change: Change) -> float:
    return max(change.ratio, 1 / change.ratio) if change.ratio > 0 else float("inf")


def _absolute_path(spots: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:g} {y:g}" for x, y in spots) if spots else ""
