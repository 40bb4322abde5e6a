"""Say what differs between two environments: packages, BLAS, threads, machine.

A and B are ENVIRONMENT, MACHINE/ENVIRONMENT or RUN/ENVIRONMENT; of several runs it is the newest.
Facts of the machines are compared when the environments lie on two. The exit code is 0 whether
anything differs or not: two environments are meant to differ.
"""

import argparse
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from convbench.report.readable import counted
from convbench.results.environment_diff import Environment, compare, find
from convbench.results.raw_files import printable

EXAMPLES = """\
convbench diff-env results/store box-1/py3.12-openblas box-2/py3.12-openblas
convbench diff-env results/store py3.12-openblas py3.12-mkl --commit 0123abcd
"""
SEE_ALSO = "docs/results.md; convbench inventory"

DIGITS = 8
HASH_DIGITS = 12
"""Digits of a hash, as rows of values have them; --json has all."""

NOT_KNOWN = "–"
NO_TEXT = "''"
WIDEST = 40
"""Characters after which a value no longer pushes the next column to the right."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `convbench diff-env`."""
    parser.add_argument("store", metavar="STORE", type=Path, help="what `convbench collect` wrote")
    parser.add_argument("a", metavar="A", help="an environment")
    parser.add_argument("b", metavar="B", help="the other one")
    parser.add_argument("--commit", metavar="HASH", help="as they were when it was measured")
    parser.add_argument("--all", action="store_true", help="list what is the same, too")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(arguments: argparse.Namespace, say: Callable[[str], None]) -> int:
    """Compare two environments."""
    a, b = find(arguments.store, (arguments.a, arguments.b), commit=arguments.commit)
    facts = compare(a, b)
    shown = facts if arguments.all else facts[~facts["same"]]
    if arguments.json:
        say(json.dumps({"a": _name(a), "b": _name(b), "facts": shown.to_dict("records")}))
        return 0
    say(f"A: {_title(a)}")
    say(f"B: {_title(b)}")
    for line in _table(shown):
        say(line)
    say(_sum_up(int((~facts["same"]).sum()), len(facts)))
    return 0


def _name(environment: Environment) -> Mapping[str, Any]:
    names = ("project", "machine", "environment", "run", "commit")
    return {name: getattr(environment, name) for name in names}


def _title(environment: Environment) -> str:
    name = f"{printable(environment.machine)}/{printable(environment.environment)}"
    by = f", run {printable(environment.run)}" if environment.run else ""
    of = f", the newest of {environment.runs:,} records" if environment.runs > 1 else ""
    return f"{name}{by}, commit {printable(environment.commit[:DIGITS])}{of}"


def _sum_up(different: int, known: int) -> str:
    verb = "differs" if 1 in (different, known) else "differ"
    return f"{different:,} of {counted(known, 'known fact')} {verb}"


def _table(facts: pd.DataFrame) -> Iterator[str]:
    rows = [
        (printable(fact), _shown(fact, a), _shown(fact, b))
        for fact, a, b in facts[["fact", "a", "b"]].to_numpy()
    ]
    first, second = (
        max((min(len(row[column]), WIDEST) for row in rows), default=0) for column in (0, 1)
    )
    for name, a, b in rows:
        yield f"  {name:<{first}}  {a:<{second}}  {b}"


def _shown(fact: str, cell: str | None) -> str:
    if cell is None:
        return NOT_KNOWN
    # What nobody pinned is there, without a version.
    return printable(cell[:HASH_DIGITS] if fact.endswith("sha256") else cell) or NO_TEXT
