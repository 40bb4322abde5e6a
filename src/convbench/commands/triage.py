"""Write down what was decided about an event, or list what is decided and what is open.

Decisions stand in triage.toml, which a team keeps beside its code; `convbench detect` and the pages
read it. An entry with --until ends by itself.
"""

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd

from convbench.commands.detect import event_line
from convbench.errors import BadUsage
from convbench.report.naming import records
from convbench.report.readable import counted
from convbench.results import load_table
from convbench.results.event_lookup import event_named, read_events
from convbench.results.raw_files import printable
from convbench.results.triage_file import TRIAGE, read_triage, write_entry
from convbench.stats.triage import ACKNOWLEDGED, EXPECTED, IGNORED, Entry, applied

EXAMPLES = """\
# what is decided, and what is open
convbench triage

convbench triage 3fa1 --expected --reason "the new default is exact"
convbench triage 3fa1 --acknowledged --reason "in work" --until 2026-12-01
"""
SEE_ALSO = "docs/detecting.md; convbench detect"

Say = Callable[[str], None]

_STATES = {
    ACKNOWLEDGED: "known, and still told",
    EXPECTED: "wanted or accepted: counted, else not told",
    IGNORED: "of no interest: counted, else not told",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `convbench triage`."""
    parser.add_argument(
        "event",
        nargs="?",
        default="",
        metavar="EVENT",
        help="id, or the first digits of it (default: list what is decided and what is open)",
    )
    states = parser.add_mutually_exclusive_group()
    for state, words in _STATES.items():
        states.add_argument(
            f"--{state}", dest="state", action="store_const", const=state, help=words
        )
    parser.add_argument("--reason", metavar="TEXT", help="why, for those who read it later; needed")
    parser.add_argument(
        "--until",
        metavar="END",
        help="a date such as 2026-12-01, or a commit: the entry ends when the data reach it",
    )
    parser.add_argument("--by", metavar="NAME", help="who decided")
    parser.add_argument(
        "--file",
        type=Path,
        metavar="FILE",
        default=Path(TRIAGE),
        help=f"the triage file (default: {TRIAGE})",
    )
    parser.add_argument(
        "--store",
        type=Path,
        metavar="DIR",
        default=Path("results/store"),
        help="what `convbench collect` wrote (default: results/store)",
    )


def run(arguments: argparse.Namespace, say: Say) -> int:
    """Write an entry for EVENT; without one, list entries and the events without a decision."""
    given = {name: getattr(arguments, name) for name in ("state", "reason", "until", "by")}
    table = {name: text for name, text in given.items() if text is not None}
    if not arguments.event and table:
        raise BadUsage(f"--{table.get('state', min(table))} needs EVENT, the id of an event")
    if arguments.event:
        _check(arguments)
    events = read_events(arguments.store)
    commits = load_table(arguments.store, "commits")
    if not arguments.event:
        entries = read_triage(arguments.file) if arguments.file.exists() else ()
        lines = _listed(entries, arguments.file, *applied(events, entries, commits))
    else:
        event = event_named(events, arguments.event)["event"]
        old = write_entry(arguments.file, {"id": event, **table})
        entries = read_triage(arguments.file)
        lines = _told(event, old, arguments.file, *applied(events, entries, commits))
    for line in lines:
        say(printable(line))
    return 0


def _check(arguments: argparse.Namespace) -> None:
    """Ask for what every entry needs."""
    if arguments.state is None:
        raise BadUsage(f"give a decision: one of {', '.join(f'--{state}' for state in _STATES)}")
    if not (arguments.reason or "").strip():
        raise BadUsage("--reason is missing: say why, for those who read it later")


def _told(
    event: str, old: Entry | None, file: Path, events: pd.DataFrame, notes: list[str]
) -> Iterator[str]:
    """Say what was written, and where it has no effect."""
    (one,) = records(events[events["event"] == event])
    yield event_line(one)
    yield f"{file}: entry {f'replaced; it was {_decision(old)}' if old else 'added'}"
    yield from (f"note: {note}" for note in notes if event in note)


def _listed(
    entries: tuple[Entry, ...], file: Path, events: pd.DataFrame, notes: list[str]
) -> Iterator[str]:
    """List the entries, those without effect, and the events that none is in force for."""
    yield f"{counted(len(entries), 'entry', 'entries')} in {file}"
    yield from (f"{entry.event}  {_decision(entry)}" for entry in entries)
    yield from (f"note: {note}" for note in notes)
    undecided = events[events["triage"] == ""].sort_values("position", ascending=False)
    yield f"{counted(len(events), 'event')}, {len(undecided):,} without a decision, newest first"
    several = len(set(events["project"])) > 1
    yield from (event_line(one, with_project=several) for one in records(undecided))


def _decision(entry: Entry) -> str:
    """Write an entry but for its event: what, until when, by whom and why."""
    until = f" until {entry.until}" if entry.until else ""
    by = f" by {entry.by}" if entry.by else ""
    return f"{entry.state}{until}{by}: {entry.reason}"
