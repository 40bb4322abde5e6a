"""The changes by cause: one row per event of `detect`, with evidence, decision and commands."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from convbench.report.event_lines import EventLines
from convbench.report.event_sizes import size_choices
from convbench.report.event_words import change_of, clearest_of, interval_of, levels_of, size_of
from convbench.report.links import commit_link, history_link
from convbench.report.measurements import Measurements, is_true, text
from convbench.report.movement import Movement, build_movement
from convbench.report.naming import records
from convbench.report.readable import counted
from convbench.report.series import Series
from convbench.report.sparkline import Sparkline, sparkline
from convbench.stats.changes import KINDS, REGRESSION, STARTS_FAILING
from convbench.stats.triage import SILENT, STATES

OPEN = "open"
"""State of an event that nobody decided about."""

MOST_ROWS = 500
"""Events that are listed: of more, the worst."""

FIRST_ROWS = 12
"""Of these stand in the document; the others are loaded when asked for."""

_FAILED_FIRST = (
    "The first changed point failed: convbench reproduce has no value there to measure again and"
    " compare with. A bisection runs the benchmark, and sees whether it fails."
)


@dataclass(frozen=True, slots=True)
class Command:
    """What to type, and what it does."""

    does: str
    text: str


@dataclass(frozen=True, slots=True)
class EventRow:
    """One event; its numbers are the median's, its history is that of the clearest change.

    `clearest`: the effect there, whose `levels` are told; empty where it is the event's own.
    `of_older_version`: the benchmark has another version by now, so no history that is drawn shows
    the event. `unrepeatable`: why no value can be measured again; empty where one can.
    """

    event: str
    kind: str
    change: str
    interval: str
    clearest: str
    levels: str
    recovered: bool
    name: str
    detail: str
    link: str
    sparkline: Sparkline | None
    of_older_version: bool
    position: int
    commit: str
    commit_url: str
    date: str
    subject: str
    between: str
    cause: str
    evidence: str
    histories: int
    extent: str
    triage: str
    reason: str
    size: float
    commands: tuple[Command, ...]
    unrepeatable: str

    @property
    def is_silent(self) -> bool:
        """Whether it was decided that this event is nobody's concern."""
        return self.triage in SILENT


@dataclass(frozen=True, slots=True)
class EventsView:
    """The view: rows, those to be told first, and what there is to choose by.

    `told` gives the kinds of all events that are somebody's concern, by their ids: also of those
    beyond `MOST_ROWS`.
    """

    title: str
    lede: str
    rows: tuple[EventRow, ...]
    hidden: int
    every: tuple[EventRow, ...]
    told: Mapping[str, str]
    kinds: tuple[str, ...]
    causes: tuple[str, ...]
    states: tuple[str, ...]
    sizes: Mapping[str, str]
    movement: Movement | None

    @property
    def reproduce(self) -> Mapping[str, str]:
        """The commands that measure an event again, by its id; of some there is none."""
        return {
            row.event: one.text
            for row in self.every
            for one in row.commands
            if one.text.startswith("convbench reproduce ")
        }

    @property
    def first_rows(self) -> tuple[EventRow, ...]:
        """Give the newest, which stand in the document."""
        return self.rows[:FIRST_ROWS]

    @property
    def later_rows(self) -> tuple[EventRow, ...]:
        """Give the others."""
        return self.rows[FIRST_ROWS:]


def build_events(
    measurements: Measurements, series: Sequence[Series], repo_url: str = ""
) -> EventsView | None:
    """Build the view; None where nothing was found."""
    rows = event_rows(measurements, series, repo_url)
    if not rows:
        return None
    listed = sorted(sorted(rows, key=_severity)[:MOST_ROWS], key=_rank)
    causes = Counter(row.cause for row in listed)
    states = {row.triage for row in listed}
    return EventsView(
        title=_title(rows),
        lede=_lede(rows),
        rows=tuple(listed),
        hidden=max(len(rows) - MOST_ROWS, 0),
        every=tuple(rows),
        told={row.event: row.kind for row in rows if not row.is_silent},
        kinds=tuple(kind for kind in KINDS if any(row.kind == kind for row in listed)),
        causes=tuple(sorted(causes, key=lambda cause: (-causes[cause], cause))),
        states=tuple(state for state in (OPEN, *STATES) if state in states),
        sizes=size_choices([row.size for row in listed]),
        movement=build_movement(measurements, series),
    )


def event_rows(
    measurements: Measurements, series: Sequence[Series], repo_url: str = ""
) -> list[EventRow]:
    """Describe every event of a commit that was measured, in the order of the table `events`."""
    shown = _Shown(measurements, series, repo_url)
    return [shown.row(one) for one in found_events(measurements)]


def found_events(measurements: Measurements) -> list[dict[str, Any]]:
    """Give the rows of the table `events` whose commit was measured."""
    measured = {commit.commit for commit in measurements.commits}
    return [row for row in records(measurements.tables["events"]) if row["commit"] in measured]


def events_note(view: EventsView | None) -> str:
    """Count the events in one line, for other views; empty without any."""
    if view is None:
        return ""
    total = len(view.rows) + view.hidden
    return f"{counted(total, 'event')}: {view.lede[0].lower()}{view.lede[1:]}"


def _rank(row: EventRow) -> tuple[bool, int, bool, float, str]:
    return row.is_silent, -row.position, *_severity(row)[1:]


def _severity(row: EventRow) -> tuple[bool, bool, float, str]:
    bad = row.kind in (REGRESSION, STARTS_FAILING)
    return row.is_silent, not bad, -row.size, row.event


def _title(rows: Sequence[EventRow]) -> str:
    told = [row for row in rows if not row.is_silent]
    if not told:
        return f"{counted(len(rows), 'event')}, none of concern"
    kinds = Counter(row.kind for row in told)
    words = {
        REGRESSION: counted(kinds[REGRESSION], "regression"),
        "improvement": counted(kinds["improvement"], "improvement"),
        STARTS_FAILING: f"{kinds[STARTS_FAILING]} starting to fail",
        "works again": f"{kinds['works again']} working again",
    }
    named = [words[kind] for kind in KINDS if kinds[kind]]
    return " and ".join(filter(None, [", ".join(named[:-1]), named[-1]]))


def _lede(rows: Sequence[EventRow]) -> str:
    """Say what caused the events, and what was decided about them."""
    causes = Counter(row.cause for row in rows)
    states = Counter(row.triage for row in rows if row.triage != OPEN)
    by_cause = ", ".join(f"{cause} {number}" for cause, number in causes.most_common())
    decided = ", ".join(f"{state} {number}" for state, number in states.most_common())
    return f"By cause: {by_cause}." + (f" Decided: {decided}." if decided else "")


class _Shown:
    """Turns rows of the table `events` into rows of the view."""

    def __init__(self, measurements: Measurements, series: Sequence[Series], repo_url: str) -> None:
        self._measurements = measurements
        self._commits = {commit.commit: commit for commit in measurements.commits}
        self._repo_url = repo_url
        self._lines = EventLines(measurements, series)

    def row(self, event: Mapping[str, Any]) -> EventRow:
        one, line = self._lines.series(event), self._lines.line(event)
        drawn = self._lines.drawn(event)
        commit = self._commits[event["commit"]]
        changes = drawn.changes if drawn else ()
        own = next((one.position for one in changes if one.event == event["event"]), None)
        return EventRow(
            event=event["event"],
            kind=event["kind"],
            change=change_of(event),
            interval=interval_of(event),
            clearest=clearest_of(event),
            levels=levels_of(event),
            recovered=is_true(event["recovered"]),
            name=self._lines.name(event),
            detail=self._lines.detail(event),
            link=history_link(one, text(event["machine"])) if one else "",
            sparkline=sparkline(drawn, len(self._measurements.commits), own) if drawn else None,
            of_older_version=line is not None and drawn is None,
            position=commit.position,
            commit=commit.short,
            commit_url=commit_link(self._repo_url, commit.commit),
            date=commit.date,
            subject=commit.subject,
            between=_between(event),
            cause=text(event["cause"]),
            evidence=text(event["evidence"]),
            histories=int(event["changes"]),
            extent=_extent(event),
            triage=text(event["triage"]) or OPEN,
            reason=text(event["triage_reason"]),
            size=size_of(event),
            commands=_commands(event),
            unrepeatable=_FAILED_FIRST if event["kind"] == STARTS_FAILING else "",
        )


def _between(event: Mapping[str, Any]) -> str:
    """Name the range of the first bad commit, where it is not one commit."""
    first, last = text(event["range_first"])[:8], text(event["range_last"])[:8]
    return f"{first} to {last}" if first != last else ""


def _extent(event: Mapping[str, Any]) -> str:
    machines, builds = int(event["machines"]), int(event["builds"])
    histories = int(event["changes"])
    # Everything has no name of its own: what is named is where it shows most clearly.
    is_one_of_many = histories > 1 and not text(event["subject"])
    parts = [
        "the clearest of " * is_one_of_many + counted(histories, "history", "histories"),
        counted(machines, "machine") if machines else "",
        counted(builds, "build") if builds > 1 else "",
    ]
    return ", ".join(filter(None, parts))


def _commands(event: Mapping[str, Any]) -> tuple[Command, ...]:
    wanted = (
        ("measures the first changed value again", text(event["reproduce"])),
        ("finds the commit by measuring", text(event["bisect"])),
    )
    return tuple(Command(does, command) for does, command in wanted if command)
