"""Find the commits that changed benchmarks: one row per change, and one event per cause.

Every history of the store is searched; changes of one cause become one event, attributed to code,
machine, BLAS build, environment or measurement with its evidence. The store's tables changes and
events are replaced.
"""

import argparse
import json
import math
import shlex
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from convbench.errors import BadUsage
from convbench.report.naming import is_rate, records
from convbench.report.points import command
from convbench.report.readable import counted, significant
from convbench.results import load_table, write_table
from convbench.results.changes import Searched, search, surroundings
from convbench.results.events import Found, find_events
from convbench.results.histories import read_histories
from convbench.results.raw_files import printable
from convbench.results.schema import SCHEMAS
from convbench.results.triage_file import read_triage
from convbench.stats import MIN_COMMITS
from convbench.stats.changes import IMPROVEMENT, REGRESSION, STARTS_FAILING, WORKS_AGAIN
from convbench.stats.false_discovery import Q
from convbench.stats.triage import SILENT

EXAMPLES = """\
convbench detect results/store
convbench detect results/store --min-ratio 1.05 --all
convbench detect results/store --q 0.01 --json
"""
SEE_ALSO = "docs/detecting.md; convbench triage, convbench bisect"

_SHOWN = 80
"""Characters of a name that a line of the terminal has room for."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `convbench detect`."""
    parser.add_argument(
        "store", metavar="STORE", type=Path, help="folder that `convbench collect` wrote"
    )
    parser.add_argument(
        "--min-ratio",
        type=float,
        metavar="FACTOR",
        default=1.0,
        help="leave out events of less than this factor, up or down (default: 1.0, keep all)",
    )
    parser.add_argument(
        "--q",
        type=float,
        metavar="SHARE",
        default=Q,
        help=f"share of changed histories that may be false (default: {Q:g})",
    )
    parser.add_argument(
        "--triage",
        type=Path,
        metavar="FILE",
        help="what was decided about events (default: ./triage.toml, if it is there)",
    )
    parser.add_argument(
        "--all", action="store_true", help="list events that are expected or ignored as well"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document instead")


def run(arguments: argparse.Namespace, say: Callable[[str], None]) -> int:
    """Detect over the whole store and replace its changes and events."""
    if not arguments.min_ratio >= 1:
        raise BadUsage(f"--min-ratio must be at least 1; got {arguments.min_ratio}")
    if not 0 < arguments.q < 1:
        raise BadUsage(f"--q must lie between 0 and 1; got {arguments.q}")
    entries = read_triage(arguments.triage)
    known = surroundings(arguments.store)
    searched = [
        one
        for histories in read_histories(arguments.store)
        for one in search(histories, known, is_rate)
    ]
    commits = load_table(arguments.store, "commits")
    q, min_ratio = arguments.q, arguments.min_ratio
    found = find_events(searched, commits, entries, q=q, min_ratio=min_ratio)
    found = with_commands(found, arguments.store)
    write_table(arguments.store, "changes", found.changes)
    write_table(arguments.store, "events", found.events)
    summary = summarise(searched, found)
    every = arguments.all
    for line in [as_json(summary)] if arguments.json else report_lines(summary, every=every):
        say(line)
    return 0


def with_commands(found: Found, store: Path) -> Found:
    """Add the commands that measure an event's clearest change again, and find its commit.

    What starts failing has no value that could be measured again.
    """
    events = found.events
    # A name that begins with a dash would be read as an option.
    place = f"--store {shlex.quote(f'./{store}' if str(store).startswith('-') else str(store))}"
    reproduce = [
        "" if kind == STARTS_FAILING else f"{command(point)} {place}"
        for kind, point in zip(events["kind"], events["point"], strict=True)
    ]
    bisect = [f"convbench bisect {event} {place}" for event in events["event"]]
    return replace(found, events=events.assign(reproduce=reproduce, bisect=bisect))


def summarise(searched: Sequence[Searched], found: Found) -> dict[str, Any]:
    """Count histories, changes and events, and list the events, worst first."""
    lengths = [len(one.positions) for one in searched]
    events = [
        {name: event[name] for name in SCHEMAS["events"].names} for event in records(found.events)
    ]
    told = [event for event in events if event["triage"] not in SILENT]
    kinds = Counter(event["kind"] for event in told)
    return {
        "histories": len(searched),
        "histories_with_enough_commits": sum(length >= MIN_COMMITS for length in lengths),
        "most_commits": max(lengths, default=0),
        "min_commits": MIN_COMMITS,
        "changes": len(found.changes),
        "regressions": kinds[REGRESSION],
        "improvements": kinds[IMPROVEMENT],
        "starting_to_fail": kinds[STARTS_FAILING],
        "working_again": kinds[WORKS_AGAIN],
        "events": sorted(events, key=_severity),
        "notes": list(found.notes),
    }


def _severity(event: Mapping[str, Any]) -> tuple[int, float, str]:
    """Sort by what an event did, then by how much."""
    order = (STARTS_FAILING, REGRESSION, WORKS_AGAIN, IMPROVEMENT)
    ratio = event["ratio"]
    size = max(ratio, 1 / ratio) if ratio > 0 else math.inf
    return order.index(event["kind"]), -size, event["event"]


def as_json(summary: Mapping[str, Any]) -> str:
    """Write the summary as one JSON document; what is no finite number is null."""
    events = [{name: _plain(value) for name, value in event.items()} for event in summary["events"]]
    return json.dumps({**summary, "events": events}, allow_nan=False)


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def report_lines(summary: Mapping[str, Any], *, every: bool) -> Iterator[str]:
    """Write the summary for a terminal: one line per event, the worst first."""
    yield (
        f"{counted(summary['histories'], 'history', 'histories')}, "
        f"{summary['histories_with_enough_commits']:,} with the {summary['min_commits']} commits "
        "that a verdict needs"
    )
    yield from (f"note: {note}" for note in summary["notes"])
    events = summary["events"]
    if not summary["histories_with_enough_commits"] and not events:
        yield f"{summary['most_commits']} of {summary['min_commits']} commits: no verdict yet"
        return
    yield _counts(summary)
    silent = sum(event["triage"] in SILENT for event in events)
    shown = [event for event in events if every or event["triage"] not in SILENT]
    several = len({event["project"] for event in events}) > 1
    yield from (event_line(event, with_project=several) for event in shown)
    if silent and not every:
        yield f"{counted(silent, 'event')} expected or ignored, not listed (--all lists them)"


def _counts(summary: Mapping[str, Any]) -> str:
    changes, events = summary["changes"], len(summary["events"])
    kinds = [
        counted(summary["regressions"], "regression"),
        counted(summary["improvements"], "improvement"),
    ]
    for name in ("starting_to_fail", "working_again"):
        if summary[name]:
            kinds.append(f"{summary[name]:,} {name.replace('_', ' ')}")
    found = f"{counted(changes, 'change')} of {counted(events, 'event')} found"
    return f"{found}: {', '.join(kinds)}"


def event_line(event: Mapping[str, Any], *, with_project: bool = False) -> str:
    """Write one event: id, kind, effect, cause, where in the history, what, how widely."""
    machines, builds = event["machines"], event["builds"]
    widely = [counted(event["changes"], "history", "histories"), counted(machines, "machine")]
    if builds:
        widely.append(counted(builds, "build"))
    names = [event["project"]] if with_project else []
    subject = ": ".join([*names, event["subject"] or "everything"])
    columns = [
        event["event"],
        f"{event['kind']:<14}",
        f"{_effect(event):<22}",
        f"{event['cause']:<11}",
        f"{_commits(event):<17}",
        subject if len(subject) <= _SHOWN else f"{subject[:_SHOWN]}…",
        ", ".join(widely),
        *(["recovered"] if event["recovered"] else []),
        *([event["triage"]] if event["triage"] else []),
    ]
    return printable("  ".join(columns))  # names are anybody's text


def _effect(event: Mapping[str, Any]) -> str:
    """Write the ratio with its interval; a failure has none."""
    if math.isnan(event["ratio"]):
        return ""
    ratio, low, high = (
        significant(event[name]) if math.isfinite(event[name]) else "?"
        for name in ("ratio", "ratio_low", "ratio_high")
    )
    return f"×{ratio} [{low}–{high}]"


def _commits(event: Mapping[str, Any]) -> str:
    """Name the first bad commit, or the first and the last that it may be."""
    first, last = event["range_first"][:8], event["range_last"][:8]
    return event["commit"][:8] if first == last else f"{first}–{last}"
