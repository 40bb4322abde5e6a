"""The newest commits at a glance: how far each strategy or benchmark is from where it began.

A step shows as a colour that stays, a library-wide one as a column, what recovered as an island.
Every cell compares with the same few commits, so that slow drifts show as well.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from convbench.report.links import history_link
from convbench.report.measurements import Commit, Measurements
from convbench.report.readable import percent
from convbench.report.series import Change, Series

MOST_COMMITS = 48
LEAST_COMMITS = 8
MOST_ROWS = 10
BASE = 5
"""Commits whose median a history is compared with: its first ones among those shown."""

STEPS = (1.05, 1.1, 1.25, 1.5, 2.0)
"""Factors, up or down, at which a darker shade begins; below the first there is none."""

NOISE_TIMES = 3.0
"""A group is shaded beyond so many typical differences between its neighbouring commits."""


@dataclass(frozen=True, slots=True)
class Shade:
    """All cells of a row that have one shade: 1 … 5, upwards positive, as one path."""

    level: int
    path: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A change that was found: where it stands, in percent of the width, and which way it went."""

    at: float
    kind: str


@dataclass(frozen=True, slots=True)
class Row:
    """One strategy or benchmark: its cells, and where it is now."""

    name: str
    short: str
    link: str
    histories: int
    shades: tuple[Shade, ...]
    gaps: str
    marks: tuple[Mark, ...]
    now: str
    event: str
    said: str


@dataclass(frozen=True, slots=True)
class Movement:
    """The rows that moved most; how many others there are; the ends of the axis."""

    rows: tuple[Row, ...]
    others: int
    commits: int
    first: Commit
    last: Commit
    steps: tuple[str, ...] = tuple(f"{(step - 1) * 100:.0f} %" for step in STEPS)
    base: int = BASE


@dataclass(slots=True)
class _Group:
    name: str
    series: list[Series]
    ratios: dict[int, list[float]]
    found: list[tuple[Change, Series]]


def build_movement(measurements: Measurements, series: Sequence[Series]) -> Movement | None:
    """Build the picture; None where there are too few commits, or nothing moved."""
    shown = measurements.commits[-MOST_COMMITS:]
    if len(shown) < LEAST_COMMITS:
        return None
    start = shown[0].position
    rows = []
    groups = _groups(series, start)
    shorts = _short_names([group.name for group in groups])
    for group in groups:
        ratios = [_typical(group.ratios.get(commit.position)) for commit in shown]
        row = _row(group, shorts[group.name], ratios, start)
        if row.shades or row.marks:
            rows.append((_rank(group, ratios), row))
    if not rows:
        return None
    rows.sort(key=lambda pair: (pair[0], pair[1].name))
    kept = tuple(row for _, row in rows[:MOST_ROWS])
    return Movement(kept, len(groups) - len(kept), len(shown), shown[0], shown[-1])


def _groups(series: Sequence[Series], start: int) -> list[_Group]:
    groups: dict[str, _Group] = {}
    for one in series:
        # Of a strategy the time alone: its memory and error are other questions.
        if one.strategy and one.unit != "seconds":
            continue
        name = one.strategy or one.measure
        group = groups.setdefault(name, _Group(name, [], {}, []))
        group.series.append(one)
        for line in one.lines:
            columns = line.columns
            shown = (columns.position >= start) & (columns.value > 0)
            values = columns.value[shown]
            if values.size <= BASE:
                continue
            ratios = (values / median(values[:BASE].tolist())).tolist()
            for position, ratio in zip(columns.position[shown].tolist(), ratios, strict=True):
                group.ratios.setdefault(position, []).append(ratio)
            group.found += [
                (change, one)
                for change in line.changes
                if change.position >= start and not change.is_silent and change.ratio > 0
            ]
    return [group for group in groups.values() if group.ratios]


def _short_names(names: Sequence[str]) -> dict[str, str]:
    """Leave out modules, where what remains still tells the benchmarks apart."""
    short = {name: ".".join(name.split(".")[-2:]) for name in names}
    counts = Counter(short.values())
    return {name: short[name] if counts[short[name]] == 1 else name for name in names}


def _typical(ratios: Sequence[float] | None) -> float | None:
    return median(ratios) if ratios else None


def _size(change: Change) -> float:
    return abs(math.log(change.ratio))


def _rank(group: _Group, ratios: Sequence[float | None]) -> tuple[bool, float]:
    """Put what changed for certain first, then what went furthest."""
    sizes = [_size(change) for change, _ in group.found]
    moved = [abs(math.log(ratio)) for ratio in ratios if ratio]
    return not sizes, -max([*sizes, *moved], default=0.0)


def _row(group: _Group, short: str, ratios: Sequence[float | None], start: int) -> Row:
    known = [ratio for ratio in ratios if ratio is not None]
    steps = [abs(math.log(after / before)) for before, after in pairwise(known)]
    noise = math.exp(NOISE_TIMES * median(steps)) if steps else 1.0
    cells = [_level(ratio, noise) for ratio in ratios]
    levels = Counter(level for level in cells if level)
    newest = max(group.found, key=lambda one: (one[0].position, _size(one[0])), default=None)
    change, at = newest or (None, group.series[0])
    return Row(
        name=group.name,
        short=short,
        link=history_link(at),
        histories=sum(len(one.lines) for one in group.series),
        shades=tuple(Shade(level, _path(cells, level)) for level in sorted(levels)),
        gaps=_path(cells, None),
        marks=_marks(group.found, start, len(ratios)),
        now=_now(known[-1]) if known else "",
        event=change.event if change else "",
        said=f"{'▲' if change.ratio > 1 else '▼'} {percent(change.ratio)}" if change else "",
    )


def _level(ratio: float | None, noise: float) -> int | None:
    """Give the shade of a cell: 0 within the noise, None without a value."""
    if ratio is None:
        return None
    size = max(ratio, 1 / ratio)
    level = sum(size >= step for step in STEPS) if size > noise else 0
    return level if ratio > 1 else -level


def _path(cells: Sequence[int | None], wanted: int | None) -> str:
    """Write the cells of one shade as runs, in units of a cell's width."""
    parts, at = [], 0
    while at < len(cells):
        end = at
        while end < len(cells) and cells[end] == cells[at]:
            end += 1
        if cells[at] == wanted:
            parts.append(f"M{at} 0h{end - at}v1h-{end - at}z")
        at = end
    return "".join(parts)


def _marks(found: Sequence[tuple[Change, Series]], start: int, width: int) -> tuple[Mark, ...]:
    """Mark each commit once, by the largest change there."""
    largest: dict[int, Change] = {}
    for change, _ in found:
        known = largest.get(change.position)
        if known is None or _size(change) > _size(known):
            largest[change.position] = change
    return tuple(
        Mark(round((position - start + 0.5) / width * 100, 2), largest[position].kind)
        for position in sorted(largest)
    )


def _now(ratio: float) -> str:
    return "±0 %" if 0.995 < ratio < 1.005 else percent(ratio)
