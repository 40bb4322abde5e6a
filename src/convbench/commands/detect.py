"""Find the commits that changed a benchmark, and write them into the store's table `events`."""

import argparse
import json
import math
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from convbench.errors import BadUsage
from convbench.report.naming import is_rate
from convbench.report.readable import counted
from convbench.results import load, load_table, newest, write_table
from convbench.results.schema import OK, SKIPPED, empty_frame, params_text
from convbench.stats import MIN_COMMITS, find_change_points

SUMMARY = "find the commits at which a benchmark moved to another level"

HISTORY = ("project", "machine", "environment", "blas", "threads", "benchmark", "params")
"""What one history is about; values of another benchmark version are another history."""

COPIED = (*HISTORY, "strategy", "problem", "dtype", "commit", "unit")
"""Columns that an event takes from the row of its commit."""

SHOWN = 10
"""Changes that are printed; all of them are in the store."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `convbench detect`."""
    parser.add_argument("store", type=Path, help="folder that `convbench collect` wrote")
    parser.add_argument(
        "--min-ratio",
        type=float,
        default=1.0,
        help="leave out changes by less than this factor, up or down (default: 1.0, keep all)",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document instead")


def run(arguments: argparse.Namespace, say: Callable[[str], None]) -> int:
    """Detect over the whole store and replace its events."""
    if not arguments.min_ratio >= 1:
        raise BadUsage(f"--min-ratio must be at least 1; got {arguments.min_ratio}")
    histories = read_histories(arguments.store)
    found = [event for history in histories for event in events_of(history)]
    kept = [event for event in found if change_factor(event["ratio"]) >= arguments.min_ratio]
    write_table(arguments.store, "events", events_table(kept))
    summary = summarise(histories, kept)
    for line in [as_json(summary)] if arguments.json else report_lines(summary):
        say(line)
    return 0


def read_histories(store: Path) -> list[pd.DataFrame]:
    """Read every history of a store that has a value: one row per commit, oldest first."""
    values = newest(load(store))
    order = load_table(store, "commits")[["project", "commit", "position"]]
    values = values.merge(order, on=["project", "commit"], how="left")
    distinct = {id(params): params_text(params) for params in values["params"]}
    values["params"] = [distinct[id(params)] for params in values["params"]]
    values["value"] = values["value"].where(values["status"] == OK)
    values["measured"] = values["status"] != SKIPPED
    keys = [*HISTORY, "version"]
    # A commit measured under two BLAS identities has two rows: the history takes the newer.
    rows = values.sort_values(
        [*keys, "position", "commit_date", "commit", "measured", "started_at", "run"],
        na_position="first",
        kind="stable",
    ).drop_duplicates([*keys, "commit"], keep="last")
    # Sorted by the keys, so a history is a stretch of rows.
    keyed = rows[keys].fillna("")
    starts = np.flatnonzero(keyed.ne(keyed.shift()).any(axis=1))
    ends = np.append(starts, len(rows))[1:]  # of no rows there are none
    measured = rows["value"].notna().to_numpy()
    return [
        rows.iloc[start:end]
        for start, end in zip(starts, ends, strict=True)
        if measured[start:end].any()
    ]


def events_of(history: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Find the changes of one history, as rows of the table `events`."""
    values = history["value"].to_numpy("float64", na_value=math.nan)
    unit = str(history["unit"].iloc[-1])
    found = find_change_points(values, higher_is_better=is_rate(unit))
    columns = {name: history[name].to_numpy(object) for name in COPIED} if found else {}
    finite = np.flatnonzero(np.isfinite(values))
    for change in found:
        before = finite[np.searchsorted(finite, change.index) - 1]
        yield {name: column[change.index] for name, column in columns.items()} | {
            "previous_commit": columns["commit"][before],
            "before": change.before,
            "after": change.after,
            "ratio": change.ratio,
            "kind": "regression" if change.is_regression else "improvement",
            "points": len(finite),
            "position": int(history["position"].iloc[change.index]),
        }


def change_factor(ratio: float) -> float:
    """Give the size of a change without its direction: 2 for twice and for half."""
    return max(ratio, 1 / ratio) if ratio > 0 else math.inf


def events_table(events: list[dict[str, Any]]) -> pd.DataFrame:
    """Make the table `events`, also when nothing was found."""
    return pd.DataFrame(events) if events else empty_frame("events")


def summarise(histories: list[pd.DataFrame], events: list[dict[str, Any]]) -> dict[str, Any]:
    """Count histories and changes."""
    lengths = [int(history["value"].notna().sum()) for history in histories]
    kinds = Counter(event["kind"] for event in events)
    return {
        "histories": len(histories),
        "histories_with_enough_commits": sum(length >= MIN_COMMITS for length in lengths),
        "most_commits": max(lengths, default=0),
        "min_commits": MIN_COMMITS,
        "regressions": kinds["regression"],
        "improvements": kinds["improvement"],
        "events": events,
    }


def as_json(summary: dict[str, Any]) -> str:
    """Write the summary as one JSON document; a ratio to zero is null, as JSON has no infinity."""
    events = [
        event | {"ratio": event["ratio"] if math.isfinite(event["ratio"]) else None}
        for event in summary["events"]
    ]
    return json.dumps(summary | {"events": events}, allow_nan=False)


def report_lines(summary: dict[str, Any]) -> Iterator[str]:
    """Write the summary for a terminal, the largest changes first."""
    yield (
        f"{counted(summary['histories'], 'history', 'histories')}, "
        f"{summary['histories_with_enough_commits']:,} with the {summary['min_commits']} commits "
        "that a verdict needs"
    )
    if not summary["histories_with_enough_commits"]:
        yield f"{summary['most_commits']} of {summary['min_commits']} commits: no verdict yet"
        return
    yield (
        f"{counted(len(summary['events']), 'change')} found: "
        f"{counted(summary['regressions'], 'regression')}, "
        f"{counted(summary['improvements'], 'improvement')}"
    )
    largest = sorted(summary["events"], key=lambda event: -change_factor(event["ratio"]))
    for event in largest[:SHOWN]:
        yield (
            f"  {event['kind']:<11}  ×{event['ratio']:<7.3g} at {event['commit'][:8]}  "
            f"{event['benchmark']}({event['params']})  {event['machine']}, {event['environment']}"
        )
    if len(largest) > SHOWN:
        yield f"  and {len(largest) - SHOWN:,} smaller ones, in the store"
