"""Everything on one event, for the view that a link to it opens.

The row of the view Changes says the essentials; here stand every history that the event changed,
the commits it may have begun with, what differed around it, and what else happened there.
"""

import math
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from convbench.report.event_figure import LARGE, SMALL, Frame, Step, StepPicture, step_picture
from convbench.report.event_lines import EventLines
from convbench.report.event_surroundings import (
    Difference,
    Environments,
    KnownCommits,
    RangeCommit,
)
from convbench.report.event_words import change_of, interval_of
from convbench.report.events import Command, EventRow, found_events
from convbench.report.links import history_link
from convbench.report.measurements import Commit, Measurements, is_true, text
from convbench.report.naming import records
from convbench.report.readable import counted, percent, quantity, significant, times
from convbench.report.series import Line, Series
from convbench.stats.changes import FAILURES, STARTS_FAILING

MOST_HISTORIES = 60
"""Histories of an event that are listed with a picture: of more, the clearest."""

_NAME = re.compile(r"[0-9a-z]+")
"""What the id of an event looks like; another text could name any file."""

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Moved:
    """One history that an event changed; `commit` is empty where it is the event's own."""

    name: str
    detail: str
    link: str
    change: str
    interval: str
    before: str
    after: str
    p: str
    commit: str
    notes: str
    picture: StepPicture | None


@dataclass(frozen=True, slots=True)
class Compared:
    """What differed before and after, in which environments, for how many histories."""

    where: str
    histories: str
    difference: Difference


@dataclass(frozen=True, slots=True)
class EventPage:
    """Everything on one event: `subject` is what `happened`, as in im2col became 20 % slower.

    `picture` is that of the event's clearest history.
    """

    row: EventRow
    subject: str
    happened: str
    picture: StepPicture | None
    histories: tuple[Moved, ...]
    more_histories: int
    commits: tuple[RangeCommit, ...]
    more_commits: int
    environments: tuple[Compared, ...]
    commands: tuple[Command, ...]
    others: tuple[EventRow, ...]
    aliases: tuple[str, ...]

    @property
    def title(self) -> str:
        """What happened, in one sentence."""
        return f"{self.subject} {self.happened}"


def build_event_pages(
    measurements: Measurements,
    series: Sequence[Series],
    rows: Sequence[EventRow],
    repo_url: str = "",
) -> tuple[EventPage, ...]:
    """Build the page of every event of a commit that was measured; `rows` are all of these."""
    events = found_events(measurements)
    if not events:
        return ()
    changes: dict[str, list[Row]] = defaultdict(list)
    for change in records(measurements.tables["changes"]):
        changes[text(change["event"])].append(change)
    pages = _Pages(measurements, series, rows, repo_url)
    return tuple(
        pages.page(event, row, changes[row.event])
        for event, row in zip(events, rows, strict=True)
        if _NAME.fullmatch(row.event)
    )


class _Pages:
    """Puts pages together from what all of them share."""

    def __init__(
        self,
        measurements: Measurements,
        series: Sequence[Series],
        rows: Sequence[EventRow],
        repo_url: str,
    ) -> None:
        self._measurements = measurements
        self._commits: Sequence[Commit] = measurements.commits
        self._positions = {one.commit: one.position for one in measurements.commits}
        self._lines = EventLines(measurements, series)
        self._known = KnownCommits(measurements, repo_url)
        self._environments = Environments(measurements)
        self._names = {row.event for row in rows}
        self._at: dict[int, list[EventRow]] = defaultdict(list)
        for row in rows:
            self._at[row.position].append(row)

    def page(self, event: Row, row: EventRow, changes: Sequence[Row]) -> EventPage:
        """Build the page of an event from its row and its changes."""
        ranked = sorted(changes, key=lambda change: _clarity(change, event))
        lead = ranked[0] if ranked else event
        commits, more_commits = self._known.range(event)
        return EventPage(
            row=row,
            subject=_subject(event, row),
            happened=f"{_became(event)} at {row.commit}",
            picture=self._picture(lead, LARGE, self._witnesses(lead, changes)),
            histories=tuple(self._moved(one, event) for one in ranked[:MOST_HISTORIES]),
            more_histories=max(len(ranked) - MOST_HISTORIES, 0),
            commits=commits,
            more_commits=more_commits,
            environments=self._compared(ranked),
            commands=(*row.commands, _triage(row)),
            others=tuple(one for one in self._at[row.position] if one.event != row.event),
            aliases=tuple(
                name
                for name in text(event["known_as"]).split()
                if name not in self._names and _NAME.fullmatch(name)
            ),
        )

    def _moved(self, change: Row, event: Row) -> Moved:
        one, unit = self._lines.series(change), text(change["unit"])
        p = change["p_adjusted"]
        own = change["commit"] == event["commit"]
        failed = change["kind"] in FAILURES
        return Moved(
            name=self._lines.name(change),
            detail=self._lines.detail(change),
            link=history_link(one, text(change["machine"])) if one else "",
            change=change_of(change),
            interval=interval_of(change),
            before="" if failed else quantity(change["before"], unit),
            after="" if failed else quantity(change["after"], unit),
            p="" if failed or p is None or math.isnan(p) else significant(p, 2),
            commit="" if own else text(change["commit"])[:8],
            notes=_notes(change, self._lines.drawn(change) is None),
            picture=self._picture(change, SMALL),
        )

    def _witnesses(self, lead: Row, changes: Sequence[Row]) -> list[tuple[str, Line]]:
        """Give the lines of the same series on which the event changed nothing, with names."""
        one = self._lines.series(lead)
        seen = {id(self._lines.line(change)) for change in changes}
        return [
            (self._measurements.place(line.machine, line.name), line)
            for line in (one.lines if one else ())
            if id(line) not in seen
        ]

    def _picture(
        self, change: Row, frame: Frame, witnesses: Sequence[tuple[str, Line]] = ()
    ) -> StepPicture | None:
        line = self._lines.drawn(change)
        position = self._positions.get(change["commit"])
        if line is None or position is None:
            return None
        last_good = self._known.last_good(change)
        levels = (change["before"], change["after"])
        step = Step(
            position,
            position - 1 if last_good is None else min(last_good, position),
            max(self._positions.get(text(change["range_last"]), position), position),
            *(float(one) if one is not None and math.isfinite(one) else None for one in levels),
        )
        return step_picture(line, step, text(change["unit"]), self._commits, frame, witnesses)

    def _compared(self, changes: Sequence[Row]) -> tuple[Compared, ...]:
        """Compare environments; those that differ alike are told together."""
        found: dict[Difference, dict[str, int]] = {}
        for change in changes:
            where = " · ".join(filter(None, map(text, (change["machine"], change["environment"]))))
            places = found.setdefault(self._environments.difference(change), {})
            places[where] = places.get(where, 0) + 1
        return tuple(
            Compared(
                ", ".join(places), counted(sum(places.values()), "history", "histories"), difference
            )
            for difference, places in found.items()
        )


def _clarity(change: Row, event: Row) -> tuple[bool, float, float, str]:
    """Sort changes: the event's own history first, then by how sure and how large they are."""
    labels = ("machine", "environment", "benchmark", "params")
    own = all(text(change[name]) == text(event[name]) for name in labels)
    p, ratio = change["p_adjusted"], change["ratio"]
    size = abs(math.log(ratio)) if ratio is not None and 0 < ratio < math.inf else 0.0
    rest = " ".join(text(change[name]) for name in labels)
    return not own, 1.0 if p is None or math.isnan(p) else p, -size, rest


def _subject(event: Row, row: EventRow) -> str:
    """Name what changed: the clearest history's own name, or what several benchmarks share."""
    benchmarks = int(event["benchmarks"])
    return (
        row.name if benchmarks == 1 else text(event["subject"]) or counted(benchmarks, "benchmark")
    )


def _became(event: Row) -> str:
    """Say how a level went: became 20 % slower, rose by 20 %, fell to a third of it."""
    ratio = event["ratio"]
    if event["kind"] in FAILURES or ratio is None or math.isnan(ratio):
        return "began to fail" if event["kind"] == STARTS_FAILING else "works again"
    if not 0 < ratio < math.inf:
        return "rose from 0" if ratio else "fell to 0"
    size = max(ratio, 1 / ratio)
    if text(event["unit"]) == "seconds":
        words = "slower" if ratio > 1 else "faster"
        return f"became {f'{times(size)} times' if size >= 2 else _share(ratio)} {words}"
    if size >= 3:
        whole, part = f"{times(size)} times its level", f"1/{times(size)} of its level"
        return f"rose to {whole}" if ratio > 1 else f"fell to {part}"
    return f"{'rose' if ratio > 1 else 'fell'} by {_share(ratio)}"


def _share(ratio: float) -> str:
    return percent(ratio).lstrip("+−")


def _notes(change: Row, undrawn: bool) -> str:
    """Say what a reader of one history must know besides."""
    disturbed = text(change["disturbed"])
    words = (
        "recovered" if is_true(change["recovered"]) else "",
        f"⚠ disturbed run: {disturbed}" if disturbed else "",
        "older version of the benchmark, not drawn" if undrawn else "",
    )
    return "; ".join(filter(None, words))


def _triage(row: EventRow) -> Command:
    """Give the command that writes a decision, with the options that `bisect` was given."""
    bisect = next((one.text for one in row.commands if one.text.startswith("convbench bisect")), "")
    options = bisect.removeprefix(f"convbench bisect {row.event}") if row.event in bisect else ""
    return Command(
        "writes down that it is known; with --expected or --ignored instead it is told no more",
        f"convbench triage {row.event} --acknowledged --reason 'WHY'{options}",
    )
