"""Changes of one cause: which rows of `changes` are one event.

Two changes have one cause when they are of one project and kind, concern one *subject*, could have
happened at one commit, and are of similar size:

- **Subject**: the strategy; for a benchmark without strategies its module and class
  (``module.Class.time_x`` → ``module.Class``), or everything (`subjects`).
- **Commit**: a change may lie at its own commit, one beside it, or anywhere in its range. The
  commit that most changes can lie at gathers these; the rest is gathered again. So all changes of
  an event have a commit in common, and a row of close commits is no chain that links everything.
  A change that could be of several events goes to the nearest.
- **Size**: factors, as |log ratio|, within 2 of each other or with intervals that overlap, directly
  or through others. Where everything changes, sizes differ and are not asked for.

The **id** of an event is a hash of project, kind, subject and its most supported commit, so it
doesn't depend on the order of rows. Of events that share all of these and differ in size, the one
of most histories has this id, the others one with their rank. A history that joins at this commit
never changes the id, unless it changes these ranks; one that joins beside it does when it moves the
most supported commit. The ids that the event would have at its other commits are its `known_as`,
which `triage` honours: an id once given names the event for as long as one of its changes stays at
the commit the id was made from.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from convbench.stats.causes import (
    Numbers,
    causes_of,
    log_sizes,
    most_supported,
    sorted_groups,
)
from convbench.stats.changes import HISTORY, history_numbers, plain
from convbench.stats.subjects import EVERYTHING, of_everything, subjects_of

ID_DIGITS = 10

_NEEDED = [
    *(*HISTORY, "strategy", "kind", "commit", "position", "p_value"),
    *("range_first_position", "range_last_position", "ratio", "ratio_low", "ratio_high"),
]


def group(changes: pd.DataFrame, histories: pd.DataFrame | None = None) -> pd.DataFrame:
    """Tell which event each change belongs to.

    Parameters
    ----------
    changes
        One row per change (see `convbench.stats.changes`), in any order.
    histories
        One row per history that was searched, with `HISTORY`, `first_position` and `last_position`
        of its values; without it no event can be told to concern everything.

    Returns
    -------
    DataFrame
        `changes` with `subject`, `event` (the id, 10 hexadecimal digits) and `lasted` (commits
        until the next change of the same history, NaN when there is none).
    """
    # Ties are broken by the order of rows, so all work is done in one order.
    order = changes.reset_index(drop=True).sort_values([*HISTORY, "position", "kind"]).index
    ordered = plain(changes[_NEEDED].iloc[order])
    subjects = np.array(subjects_of(ordered), dtype=object)
    if histories is not None:
        subjects[of_everything(ordered, subjects, histories)] = EVERYTHING
    ordered = ordered.assign(subject=subjects)
    back = np.argsort(order)
    return changes.assign(
        subject=subjects[back].astype(str),
        lasted=_lasted(ordered)[back],
        event=_event_ids(ordered)[back].astype(str),
    )


def _event_ids(changes: pd.DataFrame) -> NDArray[np.object_]:
    """Name the event of each change."""
    events = np.full(len(changes), "", dtype=object)
    for (project, kind, subject), rows in sorted_groups(changes, ["project", "kind", "subject"]):
        causes = causes_of(changes.iloc[rows], by_size=subject != EVERYTHING)
        for commit, members in _named(causes, changes, rows):
            for rank, one in enumerate(members):
                events[one] = event_id(project, kind, subject, commit, rank)
    return events


def event_id(project: str, kind: str, subject: str, commit: str, rank: int = 0) -> str:
    """Name a cause; of several at one commit that differ in size, `rank` 0 has most histories."""
    parts = [project, kind, subject, commit, *([str(rank)] if rank else [])]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:ID_DIGITS]


def known_as(event: pd.DataFrame) -> list[str]:
    """Give the ids that an event would have at any commit of its changes, sorted."""
    project, kind, subject = (str(event[name].iloc[0]) for name in ("project", "kind", "subject"))
    return sorted(event_id(project, kind, subject, commit) for commit in set(event["commit"]))


def _lasted(changes: pd.DataFrame) -> NDArray[np.float64]:
    """Count commits until the next change of the same history; NaN when there is none."""
    (history,) = history_numbers(changes)
    position = changes["position"].to_numpy("int64")
    order = np.lexsort((position, history))
    lasted = np.full(len(changes), np.nan)
    same = history[order][1:] == history[order][:-1]
    lasted[order[:-1][same]] = np.diff(position[order])[same]
    return lasted


def _named(
    causes: Sequence[Numbers], changes: pd.DataFrame, rows: Numbers
) -> Iterator[tuple[str, list[Numbers]]]:
    """Yield each first bad commit with its causes, the one of most histories first."""
    position = changes["position"].to_numpy("int64")
    by_commit: dict[str, list[tuple[int, float, Numbers]]] = defaultdict(list)
    for cause in causes:
        members = rows[cause]
        one = changes.iloc[members]
        at = members[position[members] == most_supported(one)]
        # One position is one commit of the project.
        commit = min(str(changes["commit"].iloc[row]) for row in at)
        largest = float(np.nanmax(np.nan_to_num(log_sizes(one)[0])))
        by_commit[commit].append((-len(members), -largest, members))
    for commit, ranked in by_commit.items():
        yield commit, [members for *_, members in sorted(ranked, key=lambda one: one[:2])]
