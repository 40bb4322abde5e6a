"""The site in one picture, for a README or a chat: the finding, the counts, the worst events."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from convbench.report.champions import Champions
from convbench.report.events import EventRow
from convbench.report.measurements import Measurements
from convbench.report.newest import NewestValues
from convbench.report.overview import Overview
from convbench.report.pages import environment
from convbench.report.readable import counted
from convbench.report.series import FAILED, SKIPPED
from convbench.report.sparkline import Sparkline
from convbench.report.verdicts import IMPROVED, REGRESSED, UNCHANGED, UNDECIDED
from convbench.report.xml_text import fitted, text_width, wrapped, xml_text
from convbench.stats.changes import IMPROVEMENT, REGRESSION, STARTS_FAILING

PICTURE = "overview.svg"

WIDTH, MARGIN = 800, 28
MOST_ROWS = 8
HEADLINE, TEXT, SMALL, BOLD = 26, 14, 12, 1.16
"""Sizes of the three kinds of words, and how much wider bold ones are."""

WORSE, BETTER, BROKEN, INK = "#b34700", "#0066ab", "#9c2f6b", "#14181d"
COLOURS = {
    REGRESSED: WORSE,
    IMPROVED: BETTER,
    FAILED: BROKEN,
    UNCHANGED: "#9aa7b4",
    UNDECIDED: "#aab4bf",
    SKIPPED: "#d5dbe1",
    REGRESSION: WORSE,
    IMPROVEMENT: BETTER,
    STARTS_FAILING: BROKEN,
}
TILE = 106
"""Pixels from one tile to the next: six and the total fit."""

ROW = 46
NAME, SPARK, RIGHT = 178, 476, 590
"""Where a row's name, sparkline and last words begin."""


@dataclass(frozen=True, slots=True)
class Words:
    """A line of words at a height."""

    y: int
    text: str


@dataclass(frozen=True, slots=True)
class PosterTile:
    """A count; `width` is its part of the bar below the tiles, which begins at `start`."""

    x: int
    number: str
    label: str
    colour: str
    start: float
    width: float


@dataclass(frozen=True, slots=True)
class PosterRow:
    """An event, a winner or a value: in two lines, with its history where one is drawn."""

    y: int
    strong: str
    colour: str
    name: str
    detail: str
    sparkline: Sparkline | None
    right: str
    below: str


@dataclass(frozen=True, slots=True)
class Poster:
    """The picture, ready to draw."""

    title: str
    asof: str
    headline: tuple[Words, ...]
    lede: tuple[Words, ...]
    tiles: tuple[PosterTile, ...]
    tiles_y: int
    heading: Words
    rows: tuple[PosterRow, ...]
    foot: str
    height: int
    width: int = WIDTH
    margin: int = MARGIN
    spark: int = SPARK
    right: int = RIGHT
    name: int = NAME


def poster(
    measurements: Measurements, rows: Sequence[EventRow], overview: Overview, title: str
) -> str:
    """Draw the picture; `rows` are all events."""
    template = environment().get_template("poster.svg.j2")
    return template.render(
        poster=build_poster(measurements, rows, overview, title), colours=COLOURS
    )


def build_poster(
    measurements: Measurements, rows: Sequence[EventRow], overview: Overview, title: str
) -> Poster:
    """Put the picture together, from top to bottom."""
    inner = WIDTH - 2 * MARGIN
    headline = _lines(overview.title, HEADLINE * BOLD, inner, 2, 92, 32)
    below = headline[-1].y + 28
    lede = _lines(" ".join(overview.lede), TEXT, inner, 3, below, 20)
    tiles_y = (lede[-1].y if lede else headline[-1].y) + 26
    heading, found = _found(rows, overview)
    first = tiles_y + (92 if overview.total else 10)
    placed = tuple(
        _placed(row, first + 20 + ROW * index) for index, row in enumerate(found[:MOST_ROWS])
    )
    bottom = placed[-1].y + ROW if placed else first
    return Poster(
        title=fitted(xml_text(title), TEXT * BOLD, 330),
        asof=fitted(xml_text(_as_of(measurements, overview)), SMALL, 380),
        headline=headline,
        lede=lede,
        tiles=tuple(_tiles(overview)),
        tiles_y=tiles_y,
        heading=Words(first + 4, heading if placed else ""),
        rows=placed,
        foot=fitted(xml_text(overview.control or overview.total_note), SMALL, 600),
        height=bottom + 34,
    )


def _lines(text: str, size: float, room: float, most: int, y: int, step: int) -> tuple[Words, ...]:
    lines = wrapped(xml_text(text), size, room, most)
    return tuple(Words(y + step * index, line) for index, line in enumerate(lines))


def _as_of(measurements: Measurements, overview: Overview) -> str:
    if not measurements.commits:
        return ""
    newest = measurements.commits[-1]
    machines = [row.machine for row in overview.machines]
    where = machines[0] if len(machines) == 1 else counted(len(machines), "machine")
    return ", ".join(filter(None, [f"{where} · as of {newest.short}", newest.date]))


def _tiles(overview: Overview) -> Iterator[PosterTile]:
    if not overview.total:
        return
    noun = "history" if overview.total == 1 else "histories"
    yield PosterTile(MARGIN, f"{overview.total:,}", noun, INK, 0.0, 0.0)
    start = float(MARGIN)
    for index, tile in enumerate(overview.tiles, start=1):
        width = round(tile.share / 100 * (WIDTH - 2 * MARGIN), 1)
        yield PosterTile(
            MARGIN + TILE * index,
            f"{tile.number:,}",
            tile.label,
            COLOURS[tile.state],
            round(start, 1),
            width,
        )
        start += width


def _found(rows: Sequence[EventRow], overview: Overview) -> tuple[str, list[PosterRow]]:
    """Choose what the rows tell: events of concern, else who wins where, else newest values."""
    told = [row for row in rows if not row.is_silent]
    if told:
        worst = sorted(told, key=_severity)
        more = f"{MOST_ROWS} of {len(told)} events" if len(told) > MOST_ROWS else "Events"
        return f"{more}, the worst first, each by its median change", [_event(row) for row in worst]
    if overview.champions:
        champions = overview.champions
        where = f"{champions.columns[0]}, {champions.dtype}"
        return f"Who is fastest, with {where}", list(_winners(champions))
    return "Newest values", list(_values(overview.newest))


def _severity(row: EventRow) -> tuple[bool, float, str]:
    return row.kind not in (REGRESSION, STARTS_FAILING), -row.size, row.event


def _event(row: EventRow) -> PosterRow:
    return PosterRow(
        0,
        row.change,
        COLOURS.get(row.kind, BETTER),
        row.name,
        row.detail,
        row.sparkline,
        " ".join(filter(None, [row.commit, row.date])),
        f"{row.cause} · {counted(row.histories, 'history', 'histories')}",
    )


def _winners(champions: Champions) -> Iterator[PosterRow]:
    for row in champions.rows:
        best = row.champions[0]
        if best is not None and not best.alone:
            tied = f"tied with {', '.join(best.ties)}" if best.ties else ""
            detail = " · ".join(filter(None, [row.head.problem, tied]))
            below = f"the slowest, {best.slowest_ratio}" if best.slowest else ""
            yield PosterRow(0, best.time, INK, best.strategy, detail, None, best.slowest, below)


def _values(newest: NewestValues) -> Iterator[PosterRow]:
    for group in newest.groups:
        for row in group.rows:
            for column, cell in zip(newest.columns, row.cells, strict=True):
                if cell is not None and cell.text:
                    detail = f"{group.title} · {group.detail}".removesuffix(" · ")
                    yield PosterRow(
                        0, cell.text, INK, row.label, detail, cell.sparkline, column, cell.interval
                    )


def _placed(row: PosterRow, y: int) -> PosterRow:
    """Put a row at its height, and cut its words to their columns."""
    room = (SPARK if row.sparkline else RIGHT) - NAME - 12
    last = WIDTH - MARGIN - RIGHT
    return PosterRow(
        y,
        fitted(xml_text(row.strong), TEXT * BOLD, NAME - MARGIN - 8),
        row.colour,
        _shortened(xml_text(row.name), room),
        fitted(xml_text(row.detail), SMALL, room),
        row.sparkline,
        fitted(xml_text(row.right), TEXT, last),
        fitted(xml_text(row.below), SMALL, last),
    )


def _shortened(name: str, room: float) -> str:
    """Cut a name to its column: of a benchmark's dotted one the last parts tell most."""
    parts = name.split(".")
    ends = (f"…{'.'.join(parts[first:])}" for first in range(1, len(parts)))
    whole = (end for end in (name, *ends) if text_width(end, TEXT * BOLD) <= room)
    return next(whole, fitted(parts[-1], TEXT * BOLD, room))
