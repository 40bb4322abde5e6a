"""The data of the view of one event: a small file for each, loaded when a link names the event."""

from collections.abc import Sequence
from dataclasses import asdict

from convbench.report.data_files import script
from convbench.report.event_figure import StepPicture
from convbench.report.event_page import EventPage, Moved
from convbench.report.event_surroundings import RangeCommit


def event_files(pages: Sequence[EventPage]) -> dict[str, str]:
    """Make the data file of every event, and of the names that it had before."""
    files = {}
    for page in pages:
        name = f"events/{page.row.event}"
        files[f"data/{name}.js"] = script(name, _page_data(page))
        for alias in page.aliases:
            old = f"events/{alias}"
            files[f"data/{old}.js"] = script(old, {"now": page.row.event})
    return files


def _page_data(page: EventPage) -> dict[str, object]:
    """Write a page; tables in columns, pictures without what all of a size share."""
    row = page.row
    facts = ("event", "kind", "change", "interval", "levels", "cause", "evidence", "extent")
    more = (
        "triage",
        "reason",
        "commit",
        "commit_url",
        "date",
        "subject",
        "between",
        "unrepeatable",
    )
    return {
        **{name: getattr(row, name) for name in (*facts, *more, "name", "detail", "link")},
        "recovered": row.recovered,
        "what": page.subject,
        "happened": page.happened,
        "picture": page.picture and _large(page.picture),
        "histories": _columns(page.histories) | {
            "picture": [one.picture and _small(one.picture) for one in page.histories]
        },
        "moreHistories": page.more_histories,
        "commits": _columns(page.commits),
        "moreCommits": page.more_commits,
        "environments": [
            [one.where, one.histories, one.difference.same, one.difference.rows]
            for one in page.environments
        ],
        "commands": [[one.text, one.does] for one in page.commands],
        "others": [
            [one.event, one.change, one.kind, one.name, one.cause, one.triage]
            for one in page.others
        ],
    }  # fmt: skip


def _columns(rows: Sequence[Moved] | Sequence[RangeCommit]) -> dict[str, list[object]]:
    """Turn rows into columns; a column that is empty throughout is left out."""
    names = [name for name in (type(rows[0]).__slots__ if rows else ()) if name != "picture"]
    columns = {name: [getattr(row, name) for row in rows] for name in names}
    return {name: column for name, column in columns.items() if any(column)}


def _large(picture: StepPicture) -> dict[str, object]:
    """Leave out the path, which goes through the dots."""
    return {name: value for name, value in asdict(picture).items() if name != "path"}


def _small(picture: StepPicture) -> list[object]:
    spans = [level[:3] for level in picture.levels]
    failures = [x for x, _ in picture.failures]
    return [picture.path, spans, picture.mark, picture.doubt, failures]
