"""Events: the changes of all histories by their cause, with what a team decided about each.

What the statistics of `stats` say of one history, of all, and of a cause comes together here.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from convbench.results.changes import Searched
from convbench.results.schema import empty_frame
from convbench.stats.changes import HISTORY
from convbench.stats.events import summarise
from convbench.stats.false_discovery import kept
from convbench.stats.grouping import group
from convbench.stats.triage import Entry, applied


@dataclass(frozen=True, slots=True)
class Found:
    """What one detection found.

    Parameters
    ----------
    changes
        The table `changes`, and `point`: the name of the first value of the new level.
    events
        The table `events` but for its commands, and `point`: that of the clearest change.
    notes
        What to tell of the triage: entries without effect.
    """

    changes: pd.DataFrame
    events: pd.DataFrame
    notes: tuple[str, ...]


def find_events(
    searched: Sequence[Searched],
    commits: pd.DataFrame,
    entries: Sequence[Entry] = (),
    *,
    q: float,
    min_ratio: float = 1.0,
) -> Found:
    """Keep the changes that are discoveries, and gather those of one cause.

    Parameters
    ----------
    searched
        Every history of the store.
    commits
        The table `commits`.
    entries
        What was decided about events.
    q
        Share of false ones that is accepted among the histories said to have changed.
    min_ratio
        Factor, up or down, below which an event is left out, with its changes. It is asked of
        events, not of changes: a history that moved a little less has moved all the same.
    """
    tested = [one for one in searched if one.has_enough_commits or one.changes]
    rows = [row for one in tested for row in one.changes]
    changes, events = empty_frame("changes"), empty_frame("events").assign(point="")
    if rows:
        histories = _frame(tested)
        changes = group(kept(pd.DataFrame(rows), histories=len(tested), q=q), histories)
    if len(changes):
        events = summarise(changes, histories)
        large = [max(_factor(ratio), min_ratio) == _factor(ratio) for ratio in events["ratio"]]
        events = events[large].reset_index(drop=True)
        changes = changes[changes["event"].isin(set(events["event"]))]
        order = ["project", "position", "event", *HISTORY[1:], "p_adjusted"]
        changes = changes.sort_values(order, kind="stable", ignore_index=True)
        events = _with_points(events, changes)
    events, notes = applied(events, entries, commits)
    return Found(changes, events, tuple(notes))


def _frame(searched: Sequence[Searched]) -> pd.DataFrame:
    """Tell what was searched as the statistics want it: one row per history."""
    texts = {name: [one.labels[name] for one in searched] for name in (*HISTORY, "strategy")}
    # As objects: Arrow's text is asked cell by cell, which takes ten times as long.
    frame = pd.DataFrame(texts, dtype=object)
    return frame.assign(
        first_position=[int(one.positions[0]) for one in searched],
        last_position=[int(one.positions[-1]) for one in searched],
        noise=[one.noise for one in searched],
        positions=pd.Series([one.positions for one in searched], dtype=object),
        moves=pd.Series([one.moves for one in searched], dtype=object),
    )


def _factor(ratio: float) -> float:
    """Give how large a ratio is, whichever way; a failure, which has none, is beyond all."""
    return max(ratio, 1 / ratio) if ratio > 0 else math.inf


def _with_points(events: pd.DataFrame, changes: pd.DataFrame) -> pd.DataFrame:
    """Add the point of each event's clearest change."""
    key = ["event", *HISTORY]
    clearest = changes.sort_values("p_adjusted", kind="stable").drop_duplicates(key)
    points = clearest[[*key, "point"]]
    return events.merge(points, on=key, how="left", validate="one_to_one")
