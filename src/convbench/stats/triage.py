"""What a team decided about events: which are acknowledged, expected or ignored, and why.

Decisions are entries by event id, with a reason. An entry also holds for an event that is known as
its id (see `grouping.known_as`), unless another event has exactly this id. An entry with an end
holds until the data reach it: `until` a date, while no commit is newer; `until` a commit, while it
is not among the data. There is no clock.
"""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

ACKNOWLEDGED, EXPECTED, IGNORED = "acknowledged", "expected", "ignored"
STATES = (ACKNOWLEDGED, EXPECTED, IGNORED)

SILENT = (EXPECTED, IGNORED)
"""States of events that nobody needs to look at: counted, but not listed unless asked for."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One decision.

    Parameters
    ----------
    event
        Id of the event.
    state
        One of `STATES`: known and to be dealt with, wanted or accepted, of no interest.
    reason
        Why, for the next reader.
    until
        A date, or a commit as its first digits, at least 7; None holds forever.
    by
        Who decided, if told.
    """

    event: str
    state: str
    reason: str
    until: datetime.date | str | None = None
    by: str = ""


def applied(
    events: pd.DataFrame, entries: Sequence[Entry], commits: pd.DataFrame
) -> tuple[pd.DataFrame, list[str]]:
    """Mark the events that a team has decided about.

    Parameters
    ----------
    events
        With `project`, `event` (its id) and, where it is known, `known_as` (ids between spaces).
    entries
        Decisions; of several for one id the last one counts.
    commits
        Measured commits: `project`, `commit`, `position`, `commit_date`.

    Returns
    -------
    DataFrame, list of str
        `events` with `triage` (a state, or empty) and `triage_reason`; and what to tell the reader:
        entries that name no event, or have ended.
    """
    by_id = {entry.event: entry for entry in entries}
    notes = []
    exact = set(events["event"])
    places: dict[str, list[int]] = {name: [] for name in by_id}
    aliases = events["known_as"].fillna("") if "known_as" in events else [""] * len(events)
    for row, (event, others) in enumerate(zip(events["event"], aliases, strict=True)):
        for name in {event, *(set(others.split()) - exact)} & by_id.keys():
            places[name].append(row)
    decided: dict[int, Entry] = {}
    for name, entry in by_id.items():
        if not places[name]:
            notes.append(f"event {name} is not among the events; its entry has no effect")
            continue
        for row in places[name]:
            if _ended(entry, commits[commits["project"] == events["project"].iloc[row]]):
                notes.append(f"event {name} was {entry.state} until {entry.until}, which has come")
            elif row not in decided or name == events["event"].iloc[row]:
                decided[row] = entry
    return _marked(events, decided), list(dict.fromkeys(notes))


def _marked(events: pd.DataFrame, decided: Mapping[int, Entry]) -> pd.DataFrame:
    """Write decisions, by place of row, into columns."""
    rows = [decided.get(row) for row in range(len(events))]
    return events.assign(
        triage=pd.Series([one.state if one else "" for one in rows], events.index, dtype="str"),
        triage_reason=pd.Series(
            [one.reason if one else "" for one in rows], events.index, dtype="str"
        ),
    )


def _ended(entry: Entry, commits: pd.DataFrame) -> bool:
    """Tell whether the data have reached the end of an entry."""
    if entry.until is None or commits.empty:
        return False
    if isinstance(entry.until, datetime.date):
        newest = commits["commit_date"].max()
        return bool(pd.notna(newest) and newest.date() > entry.until)
    return bool(commits["commit"].astype(str).str.startswith(entry.until).any())
