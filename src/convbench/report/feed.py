"""The events as an Atom feed (RFC 4287): one entry for each that is somebody's concern."""

import uuid
from collections.abc import Mapping, Sequence
from urllib.parse import quote
from xml.etree import ElementTree as ET

import pandas as pd

from convbench.report.events import EventRow
from convbench.report.measurements import Measurements
from convbench.report.xml_text import xml_text

FEED = "events.atom"

MOST_ENTRIES = 100
"""Events that the feed holds: the newest."""

NAMESPACE = uuid.UUID("5f3c8a52-0a5e-4c56-9d6f-6f4a0f6f8d11")
"""What ids are made in. It never changes: a reader would take every entry for a new one."""

UNDATED = "1970-01-01T00:00:00Z"
"""What stands for a commit whose date is not known: Atom needs one."""


def feed(
    measurements: Measurements, rows: Sequence[EventRow], title: str, site_url: str = ""
) -> str:
    """Write the feed; `rows` are all events. Its dates are those of commits: there is no clock.

    `site_url` is the address of the site's folder, for links that also hold where a reader does not
    resolve them against the feed's own address; ids do not depend on it.
    """
    base = f"{site_url.rstrip('/')}/" if site_url else ""
    dates = commit_dates(measurements)
    newest = measurements.commits[-1].commit if measurements.commits else ""
    root = ET.Element("feed", xmlns="http://www.w3.org/2005/Atom")
    _add(root, "id", identity(measurements.project))
    _add(root, "title", f"{title}: benchmark events")
    _add(root, "subtitle", _subtitle(measurements, rows))
    _add(root, "updated", max(dates.values(), default=UNDATED) if newest else UNDATED)
    _add(_add(root, "author"), "name", "convbench")
    _link(root, "self", f"{base}{FEED}", "application/atom+xml")
    _link(root, "alternate", f"{base}index.html{'#/changes' if rows else ''}", "text/html")
    for row in told_first(rows)[:MOST_ENTRIES]:
        root.append(_entry(measurements, row, dates, base))
    ET.indent(root)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def told_first(rows: Sequence[EventRow]) -> list[EventRow]:
    """Give the events that are somebody's concern, those of the newest commit first."""
    told = (row for row in rows if not row.is_silent)
    return sorted(told, key=lambda row: (-row.position, row.event))


def event_address(row: EventRow) -> str:
    """Give the address of an event's page, from the folder of the site."""
    return f"index.html#/event?id={quote(row.event, safe='')}"


def identity(project: str, event: str = "") -> str:
    """Give the id of a project's feed, or of an entry: the same wherever the site lies."""
    return uuid.uuid5(NAMESPACE, f"{project}\0{event}").urn


def commit_dates(measurements: Measurements) -> Mapping[str, str]:
    """Give the moment of each commit as RFC 3339 has it; commits without one are not in it."""
    moments = measurements.newest.groupby("commit", sort=True)["commit_date"].min()
    return {str(commit): _utc(moment) for commit, moment in moments.dropna().items()}


def _utc(moment: pd.Timestamp) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _subtitle(measurements: Measurements, rows: Sequence[EventRow]) -> str:
    if measurements.unsearched:
        return f"No verdicts: {measurements.unsearched}"
    silent = sum(row.is_silent for row in rows)
    return "Changes of benchmarks by cause, dated by their commit" + (
        f"; {silent} expected or ignored ones are left out" if silent else ""
    )


def _entry(
    measurements: Measurements, row: EventRow, dates: Mapping[str, str], base: str
) -> ET.Element:
    commit = measurements.commits[row.position].commit
    entry = ET.Element("entry")
    _add(entry, "id", identity(measurements.project, row.event))
    # To fail, or to work again, is a change in words already.
    kind = "" if row.kind in row.change else f"{row.kind} of "
    _add(entry, "title", f"{row.change}: {kind}{row.name}")
    _add(entry, "updated", dates.get(commit, UNDATED))
    _link(entry, "alternate", base + event_address(row), "text/html")
    if row.commit_url:
        _link(entry, "related", row.commit_url)
    for term in (row.kind, row.cause, row.triage):
        ET.SubElement(entry, "category", term=xml_text(term))
    content = _add(entry, "content", " ".join(_sentences(row)))
    content.set("type", "text")
    return entry


def _sentences(row: EventRow) -> list[str]:
    """Say all of an event in sentences, for those who read nothing but this."""
    what = ", ".join(filter(None, [row.levels, row.interval]))
    where = f"Somewhere in {row.between}, seen" if row.between else "Seen"
    told = [
        f"{row.name} ({row.detail}){': ' if what else ''}{what}.",
        f"{where} at {' '.join(filter(None, [row.commit, row.date]))}: {row.subject}.",
        f"Cause: {row.cause}{f' ({row.evidence})' if row.evidence else ''}.",
        f"It moved {row.extent}{', and recovered' if row.recovered else ''}.",
        f"Event {row.event}, {row.triage}{f': {row.reason}' if row.reason else ''}.",
    ]
    return [*told, *(f"{one.text} ({one.does})." for one in row.commands)]


def _add(parent: ET.Element, name: str, text: str = "") -> ET.Element:
    child = ET.SubElement(parent, name)
    child.text = xml_text(text) or None
    return child


def _link(parent: ET.Element, relation: str, address: str, kind: str = "") -> None:
    link = ET.SubElement(parent, "link", rel=relation, href=xml_text(address))
    if kind:
        link.set("type", kind)
