"""Make one store of several that have different machines.

Several machines, or several processes, collect each into a store of its own; this puts them
together without reading the raw files again.
"""

import argparse
import json
from collections.abc import Callable
from dataclasses import asdict

from convbench.results.collection import say_nothing
from convbench.results.combining import combine

EXAMPLES = """\
convbench combine box-1/store/ box-2/store/ --store store/ --repo .
"""
SEE_ALSO = "docs/results.md; convbench collect"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `convbench combine`."""
    parser.add_argument(
        "stores",
        metavar="STORE",
        nargs="+",
        help="what `convbench collect` wrote; no machine of a project may be in two of them",
    )
    parser.add_argument(
        "--store",
        metavar="DIR",
        required=True,
        help="the combined store; made if absent, else its content is replaced",
    )
    parser.add_argument(
        "--repo",
        metavar="DIR",
        help="the project's git repository: order, subjects, tags and branches of commits",
    )
    parser.add_argument("--json", action="store_true", help="print the summary as one JSON object")


def run(arguments: argparse.Namespace, say: Callable[[str], None]) -> int:
    """Combine, and say in one line what there is."""
    done = combine(
        arguments.stores,
        arguments.store,
        repo=arguments.repo,
        say=say_nothing if arguments.json else say,
    )
    say(json.dumps(asdict(done)) if arguments.json else done.text)
    return 0
