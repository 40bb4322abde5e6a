"""One series over the commits: which one is shown first, its picture, its words and its table."""

from collections.abc import Sequence
from dataclasses import dataclass

from convbench.report.figures import HistoryPicture, history_picture
from convbench.report.links import commit_link, history_link, view_link
from convbench.report.matrix import Matrix
from convbench.report.measurements import Measurements
from convbench.report.naming import line_order
from convbench.report.points import Points, command
from convbench.report.readable import counted, percent, quantity
from convbench.report.series import OK, Change, Line, Point, Series
from convbench.report.winners import MEASURE

MOST_ROWS = 12
"""So many of the newest commits stand in the document's table; scripts have all."""


@dataclass(frozen=True, slots=True)
class TableRow:
    """One commit of the table below the picture."""

    commit: str
    date: str
    subject: str
    commit_url: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PointCard:
    """One point in words, and the command that measures it again."""

    value: str
    line: str
    commit: str
    date: str
    run: str
    disturbed: str
    command: str


@dataclass(frozen=True, slots=True)
class EventNote:
    """One event of the lines shown: how it changed them, and what is known of it."""

    kind: str
    words: str
    known: str
    link: str


@dataclass(frozen=True, slots=True)
class History:
    """The view of the series shown first; `point` is the newest value of its first line."""

    title: str
    detail: str
    link: str
    machine: str
    columns: tuple[str, ...]
    notes: tuple[str, ...]
    events: tuple[EventNote, ...]
    rows: tuple[TableRow, ...]
    more_rows: int
    point: PointCard | None
    picture: HistoryPicture


def build_history(
    measurements: Measurements,
    series: Sequence[Series],
    matrices: Sequence[Matrix],
    repo_url: str = "",
) -> History | None:
    """Build the view of the first series; None without any."""
    one = first_series(series, matrices)
    if one is None:
        return None
    machine = default_machine(series, one)
    lines = labelled_lines(one, machine)
    title, detail = titles(one)
    rows = _rows(measurements, lines, one.unit, repo_url)
    return History(
        title,
        detail,
        history_link(one, machine),
        machine,
        tuple(label for label, _ in lines),
        (
            *(verdict(label, line, measurements) for label, line in lines),
            *disturbed_notes(measurements, lines),
        ),
        _event_notes(measurements, lines),
        rows[:MOST_ROWS],
        max(len(rows) - MOST_ROWS, 0),
        _point_card(measurements, one, lines),
        history_picture(
            f"{title}, {detail}",
            lines,
            one.unit,
            measurements.commits,
            line_colours(series, lines),
            measurements.disturbed,
        ),
    )


def _event_notes(
    measurements: Measurements, lines: Sequence[tuple[str, Line]]
) -> tuple[EventNote, ...]:
    """Describe each event that changed one of the lines, newest first, by its oldest change."""
    changes = [change for _, line in lines for change in line.changes if change.event]
    newest_first = sorted(changes, key=lambda change: -change.position)
    events = {change.event: change for change in newest_first}
    return tuple(
        EventNote(
            change.kind,
            f"{_moved(change)} at {measurements.commits[change.position].short}",
            ", ".join(filter(None, [change.cause, change.triage])),
            view_link("event", {"id": change.event}),
        )
        for change in sorted(events.values(), key=lambda change: -change.position)
    )


def _moved(change: Change) -> str:
    """Write a change with its interval: ▲ +18 % (+15 % to +21 %)."""
    words = f"{'▲' if change.ratio > 1 else '▼'} {percent(change.ratio)}"
    if change.low is None or change.high is None:
        return words
    return f"{words} ({percent(change.low)} to {percent(change.high)})"


def disturbed_notes(
    measurements: Measurements, lines: Sequence[tuple[str, Line]]
) -> tuple[str, ...]:
    """Say what a ring means, with the newest run's reason; nothing where no value has one."""
    marked = [
        (point.position, measurements.disturbed[line.machine, point.run])
        for _, line in lines
        for point in line.points
        if point.value is not None and (line.machine, point.run) in measurements.disturbed
    ]
    if not marked:
        return ()
    values = counted(len(marked), "ringed value")
    return (f"⚠ {values} of disturbed runs; the newest: {max(marked)[1]}",)


def first_series(series: Sequence[Series], matrices: Sequence[Matrix]) -> Series | None:
    """Choose what to show first: the newest change, else a winner, else the first."""
    changed = [
        (line.changes[-1].position, -index)
        for index, one in enumerate(series)
        for line in one.lines
        if line.changes
    ]
    if changed:
        return series[-max(changed)[1]]
    if matrices:
        win, dtype = matrices[0].wins[0], matrices[0].dtype
        won = (MEASURE, win.strategy, win.problem, dtype)
        for one in series:
            if (one.measure, one.strategy, one.problem, one.dtype) == won:
                return one
    # A benchmark that was removed long ago is no good start.
    return max(
        series, key=lambda one: max(line.newest.position for line in one.lines), default=None
    )


def default_machine(series: Sequence[Series], one: Series) -> str:
    """Choose the machine to start with; empty means all: then machines are the lines."""
    machines = {line.machine for each in series for line in each.lines}
    names = {line.name for each in series for line in each.lines}
    if len(machines) > 1 and len(names) == 1:
        return ""
    return one.lines[0].machine


def labelled_lines(one: Series, machine: str) -> list[tuple[str, Line]]:
    """Label the lines of a machine; of all machines with the machine's name as well."""
    lines = [line for line in one.lines if machine in ("", line.machine)]
    machines = len({line.machine for line in lines}) > 1
    names = len({line.name for line in lines}) > 1
    return [
        (
            f"{line.machine} · {line.name}"
            if machines and names
            else line.machine
            if machines
            else line.name,
            line,
        )
        for line in lines
    ]


def line_colours(series: Sequence[Series], lines: Sequence[tuple[str, Line]]) -> list[int]:
    """Give each line a colour: a build keeps its own everywhere; with one build, machines do."""
    everything = [line for one in series for line in one.lines]
    if len({line.machine for _, line in lines}) > 1 and len({line.name for _, line in lines}) == 1:
        machines = sorted({line.machine for line in everything})
        return [machines.index(line.machine) for _, line in lines]
    names = sorted({line.name for line in everything}, key=line_order)
    return [names.index(line.name) for _, line in lines]


def titles(one: Series) -> tuple[str, str]:
    """Name a series: what a reader looks for first, then the rest."""
    if one.strategy and one.problem:
        rest = [value for name, value in one.params if name not in ("strategy", "problem")]
        return f"{one.strategy} on {one.problem}", " · ".join([*rest, one.measure])
    params = ", ".join(f"{name}={value}" for name, value in one.params)
    return one.measure, params or one.unit


def verdict(label: str, line: Line, measurements: Measurements) -> str:
    """Say what is known of one line; two points are never compared."""
    if line.changes:
        found = ", ".join(f"{percent(change.ratio)}" for change in line.changes)
        return f"{label}: {counted(len(line.changes), 'change')} found ({found})"
    if line.always_skipped:
        return f"{label}: skipped at every commit"
    measured, needed = line.searched, measurements.min_commits
    if measured < needed:
        return f"{label}: {measured} of {counted(needed, 'commit')}: no verdict yet"
    if measurements.unsearched:
        return f"{label}: no verdict yet, {measurements.unsearched}"
    return f"{label}: no change found in {counted(measured, 'commit')}"


def _point_card(
    measurements: Measurements, one: Series, lines: Sequence[tuple[str, Line]]
) -> PointCard | None:
    """Describe the newest value of the first line that has one."""
    points = Points(measurements)
    for label, line in lines:
        point = next((point for point in reversed(line.points) if point.value is not None), None)
        if point is not None:
            commit = measurements.commits[point.position]
            return PointCard(
                _in_words(point, one.unit),
                label,
                commit.short,
                commit.date,
                point.run,
                measurements.disturbed.get((line.machine, point.run), ""),
                command(points.name(one, line, point.run, point.position)),
            )
    return None


def _rows(
    measurements: Measurements, lines: Sequence[tuple[str, Line]], unit: str, repo_url: str
) -> tuple[TableRow, ...]:
    by_position = [{point.position: point for point in line.points} for _, line in lines]
    positions = sorted({position for points in by_position for position in points}, reverse=True)
    rows = []
    for position in positions:
        commit = measurements.commits[position]
        values = []
        for points in by_position:
            point = points.get(position)
            if point is None:
                values.append("–")
            else:
                values.append(_in_words(point, unit))
        rows.append(
            TableRow(
                commit.short,
                commit.date,
                commit.subject,
                commit_link(repo_url, commit.commit),
                tuple(values),
            )
        )
    return tuple(rows)


def _in_words(point: Point, unit: str) -> str:
    if point.value is None:
        return point.status if point.status != OK else "no number"
    if point.low is None or point.high is None:
        return quantity(point.value, unit)
    low, high = quantity(point.low, unit), quantity(point.high, unit)
    return f"{quantity(point.value, unit)} [{low}, {high}]"
