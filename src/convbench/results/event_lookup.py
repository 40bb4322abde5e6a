"""One event by its id, with what a bisection needs of it: a cell, and the commits around it."""

import difflib
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from convbench.errors import BadResults, BadUsage
from convbench.results.loading import load_table
from convbench.results.raw_files import printable
from convbench.results.schema import DETECTED
from convbench.stats.changes import FAILURES, STARTS_FAILING

_SHOWN = 60
_NEAR = 3

_TIME = "seconds"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a bisection looks for.

    Parameters
    ----------
    good, bad
        Commits: the last one known to be at the old level, the first known to be at the new one.
    event
        Its full id; empty where the commits were named.
    bench
        Regular expression of the cell, where there is no event.
    benchmark, params
        The cell of an event; parameters as the store's tables write them.
    environment, blas, threads
        Where the event showed most clearly.
    expected
        Log ratio that was seen; None if nothing was. 1 for failures.
    has_times
        False for an event of failures.
    good_works
        False for a benchmark that failed before.
    """

    good: str
    bad: str
    event: str = ""
    bench: str = ""
    benchmark: str = ""
    params: str = ""
    environment: str = ""
    blas: str = ""
    threads: str = "1"
    expected: float | None = None
    has_times: bool = True
    good_works: bool = True


def find_event(store: Path, asked: str) -> Wanted:
    """Find an event by its id, by its first digits, or by an id that it had before.

    Raises
    ------
    BadUsage
        There is none or there are several, or its measure can't be bisected.
    BadResults
        The store is none, or holds no events.
    """
    row = event_named(read_events(store), asked)
    failures = row["kind"] in FAILURES
    if not failures and row["unit"] != _TIME:
        raise BadUsage(
            f"event {row['event']} is one of {_short(row['unit'])}: only times are measured again"
        )
    return Wanted(
        event=row["event"],
        good=_before(load_table(store, "commits"), row),
        bad=row["range_last"],
        **{name: row[name] or "" for name in ("benchmark", "params", "environment", "blas")},
        threads="all" if row["threads"] == "all" else "1",
        expected=1.0 if failures else _log_ratio(row),
        has_times=not failures,
        good_works=not failures or row["kind"] == STARTS_FAILING,
    )


def read_events(store: Path) -> pd.DataFrame:
    """Read the events of a store that was searched, and by a convbench that has this table.

    Raises
    ------
    BadResults
        The store is none, or was not searched.
    """
    events = load_table(store, "events")
    searched = all((store / f"{name}.parquet").is_file() for name in DETECTED)
    if (events.empty and not searched) or events["range_first"].isna().any():
        raise BadResults(f"{store} has no events: run convbench detect {store}")
    return events


def event_named(events: pd.DataFrame, asked: str) -> dict[str, Any]:
    """Give the event that has this id, had it before, or begins with these digits.

    Raises
    ------
    BadUsage
        There is none, or there are several; the message has the nearest ids.
    """
    if events.empty:
        raise BadUsage(f"EVENT {_short(asked)} names no event: convbench detect found none")
    frame = events.astype(object).where(events.notna(), None)
    rows = [{str(name): cell for name, cell in row.items()} for row in frame.to_dict("records")]
    # Its own id first: of two events of one commit, one is known as the other.
    found = (
        [row for row in rows if row["event"] == asked]
        or [row for row in rows if asked in (row["known_as"] or "").split()]
        or [row for row in rows if asked and row["event"].startswith(asked)]
    )
    if len(found) == 1:
        return found[0]
    ids = sorted({row["event"] for row in found or rows})
    if found:
        listed, what = ids[:_NEAR], f"may be any of {len(found)} events"
    else:
        listed = difflib.get_close_matches(asked[:_SHOWN], ids, _NEAR, 0.3) or ids[:_NEAR]
        what = "names no event"
    raise BadUsage(f"EVENT {_short(asked)} {what}; near: {', '.join(map(_short, listed))}")


def _before(commits: pd.DataFrame, row: dict[str, Any]) -> str:
    """Give the commit before the range: the last one that was measured at the old level."""
    own = commits[commits["project"] == row["project"]]
    earlier = own[own["position"] < row["range_first_position"]]
    if earlier.empty:
        raise BadResults(
            f"no commit is known before the range of event {row['event']}: run convbench detect"
        )
    return str(earlier.sort_values("position")["commit"].iloc[-1])


def _log_ratio(row: dict[str, Any]) -> float | None:
    """Give the size of the clearest change, else that of the event; None where it has none."""
    before, after, ratio = (row[name] or math.nan for name in ("before", "after", "ratio"))
    sizes = [after / before if before > 0 and after > 0 else math.nan, ratio]
    usable = [one for one in sizes if one > 0 and math.isfinite(one) and one != 1]
    return math.log(usable[0]) if usable else None


def _short(text: object) -> str:
    shown = str(text)
    return printable(shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}…")
