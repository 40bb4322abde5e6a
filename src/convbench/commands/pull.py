"""Bring results of other machines from the place that they share, whole and checked.

What is here already is not read again; a bundle of which a file is missing or differs from its
manifest is not taken. The place stands in convbench.toml, as `[shared] place = "…"`, or in --place.
"""

import argparse
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from convbench.commands.push import add_place
from convbench.sharing import open_place, pull, pull_as_asv

EXAMPLES = r"""
convbench pull results/runs
convbench pull .asv/results --as-asv --place git+origin#benchmark-results
"""
SEE_ALSO = "docs/sharing.md; convbench push, convbench collect"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `convbench pull`."""
    parser.add_argument("folder", metavar="DIR", type=Path, help="gets it; made if absent")
    add_place(parser)
    parser.add_argument(
        "--as-asv",
        action="store_true",
        help="make DIR one asv results directory with the newest version of each file, for "
        "`asv publish` and `asv run NEW`; by default DIR gets a folder for each bundle",
    )
    parser.add_argument("--json", action="store_true", help="print the summary as one JSON object")


def run(arguments: argparse.Namespace, say: Callable[[str], None]) -> int:
    """Pull, and say in one line what was new; exit 2 when a bundle can't be taken."""
    place = open_place(arguments.place)
    done = (pull_as_asv if arguments.as_asv else pull)(place, arguments.folder)
    if arguments.json:
        say(json.dumps(asdict(done)))
    else:
        for refused in done.refused:
            say(f"not pulled: {refused}")
        say(done.text)
    return 2 if done.refused else 0
