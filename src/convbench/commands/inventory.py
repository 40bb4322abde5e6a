"""List what the store has of every machine and environment, and what it lacks."""

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import pandas as pd

from convbench.report.readable import counted
from convbench.results.inventory import Holdings, Place, holdings
from convbench.results.raw_files import printable

EXAMPLES = """\
convbench inventory results/store
convbench inventory results/store --project numpy --json
"""
SEE_ALSO = "docs/results.md; convbench collect"

SHOWN = 4
"""Names in one line; --json has all of them."""

DIGITS = 8


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `convbench inventory`."""
    parser.add_argument("store", metavar="STORE", type=Path, help="what `convbench collect` wrote")
    parser.add_argument("--project", metavar="NAME", help="only this project")
    parser.add_argument("--json", action="store_true", help="print full lists as one JSON object")


def run(arguments: argparse.Namespace, say: Callable[[str], None]) -> int:
    """List the projects of a store."""
    found = holdings(arguments.store, arguments.project)
    for line in [as_json(found)] if arguments.json else lines(found):
        say(line)
    return 0


def as_json(found: Sequence[Holdings]) -> str:
    """Write everything as one JSON object; dates are days."""
    projects = [asdict(project) for project in found]
    return json.dumps({"projects": projects}, default=_day)


def _day(moment: pd.Timestamp) -> str:
    return f"{moment:%Y-%m-%d}"


def lines(found: Sequence[Holdings]) -> Iterator[str]:
    """Write the inventory for people."""
    if not found:
        yield "no values yet"
    for project in found:
        yield (
            f"{printable(project.project)}: {counted(project.known, 'commit')} known"
            f" (positions {project.first_position:,} to {project.last_position:,}),"
            f" {project.measured:,} measured in {counted(len(project.places), 'place')}"
        )
        for place in project.places:
            yield f"  {printable(place.machine)}, {printable(place.environment)}"
            for name, text in _facts(place, project.known):
                yield f"    {name + ':':<15} {text}"


def _facts(place: Place, known: int) -> Iterator[tuple[str, str]]:
    days = f"{_day(place.first)} to {_day(place.last)}"
    yield "measured", f"{len(place.commits):,} of {counted(known, 'commit')}, {days}"
    by = f" by {printable(place.run)}" if place.run else ""
    counts = f"{place.ok:,} ok, {place.failed:,} failed, {place.skipped:,} skipped"
    yield "newest", f"{_short(place.commits[-1])}{by}: {counts}"
    if place.missing:
        number = sum(map(len, place.missing))
        stretches = list(map(_stretch, place.missing))
        more = sum(map(len, place.missing[SHOWN:]))
        yield "missing", f"{counted(number, 'commit')}: {_listed(stretches, more)}"
    for name, names in (("never measured", place.never_measured), ("failing", place.failing)):
        if names:
            yield name, _listed(list(map(printable, names)), len(names[SHOWN:]))


def _short(commit: str) -> str:
    return printable(commit[:DIGITS])


def _stretch(commits: Sequence[str]) -> str:
    """Write missing commits that follow each other by the first and the last of them."""
    first, last = _short(commits[0]), _short(commits[-1])
    if len(commits) == 1:
        return first
    return f"{first}…{last} ({len(commits):,})"


def _listed(texts: Sequence[str], more: int) -> str:
    return ", ".join([*texts[:SHOWN], *([f"{more:,} more"] if more else [])])
