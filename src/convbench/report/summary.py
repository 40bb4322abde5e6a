"""What a script or a chat wants to know of a site, as JSON; docs/summary.schema.json defines it."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from convbench.report.badges import INDEX, WHOLE
from convbench.report.events import EventRow
from convbench.report.feed import FEED, commit_dates, event_address, told_first
from convbench.report.links import commit_link
from convbench.report.measurements import Measurements
from convbench.report.outcomes import STALE
from convbench.report.overview import Overview, verdict_note
from convbench.report.poster import PICTURE
from convbench.report.series import OK, Series
from convbench.report.verdicts import count_states
from convbench.stats.changes import KINDS
from convbench.stats.triage import STATES

SUMMARY = "summary.json"

FORMAT = 1
"""Raised when a field changes its meaning or goes; new fields do not raise it."""

MOST_EVENTS = 10
"""Events that are told one by one: the newest that are somebody's concern."""


def summary(
    measurements: Measurements,
    series: Sequence[Series],
    rows: Sequence[EventRow],
    overview: Overview,
    title: str,
    repo_url: str = "",
) -> str:
    """Write the summary; `rows` are all events."""
    told = told_first(rows)
    outcomes = overview.outcomes
    content = {
        "format": FORMAT,
        "project": measurements.project,
        "title": title,
        "headline": overview.title,
        "details": list(overview.lede),
        "undecided": verdict_note(measurements, series),
        "newest_commit": _newest_commit(measurements, repo_url),
        "commits": len(measurements.commits),
        "histories": {"total": overview.total, **count_states(outcomes, measurements)},
        "stale": sum(one.state == STALE for one in outcomes.every),
        "events": {
            "total": len(rows),
            "of_concern": len(told),
            "of_concern_by_kind": _counted((row.kind for row in told), KINDS),
            "by_kind": _counted((row.kind for row in rows), KINDS),
            "by_cause": _counted(row.cause for row in rows),
            "by_triage": _counted((row.triage for row in rows), ("open", *STATES)),
            "newest": [_event(row) for row in told[:MOST_EVENTS]],
        },
        "machines": _machines(measurements),
        "files": {"feed": FEED, "picture": PICTURE, "badge": WHOLE, "badges": INDEX},
    }
    return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _newest_commit(measurements: Measurements, repo_url: str) -> Mapping[str, str] | None:
    if not measurements.commits:
        return None
    newest = measurements.commits[-1]
    return {
        "commit": newest.commit,
        "date": commit_dates(measurements).get(newest.commit, ""),
        "subject": newest.subject,
        "url": commit_link(repo_url, newest.commit),
    }


def _counted(found: Iterable[str], first: Sequence[str] = ()) -> Mapping[str, int]:
    """Count words: those of `first` in their order even if there are none, then the others."""
    counts = Counter(found)
    return {word: counts[word] for word in (*first, *sorted(counts.keys() - {*first}))}


def _event(row: EventRow) -> Mapping[str, Any]:
    return {
        "event": row.event,
        "kind": row.kind,
        "change": row.change,
        "interval": row.interval,
        "levels": row.levels,
        "name": row.name,
        "detail": row.detail,
        "histories": row.histories,
        "commit": row.commit,
        "date": row.date,
        "subject": row.subject,
        "cause": row.cause,
        "triage": row.triage,
        "page": event_address(row),
    }


def _machines(measurements: Measurements) -> list[Mapping[str, Any]]:
    newest = measurements.newest
    values = newest[newest["status"] == OK].groupby("machine").size()
    return [
        {
            "machine": machine,
            "values": int(values.get(machine, 0)),
            "newest_commit": measurements.commits[position].commit,
        }
        for machine, position in sorted(measurements.last_positions.items())
    ]
