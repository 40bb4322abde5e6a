"""Give results to the place that machines share: a folder, a git branch or S3.

Only what the place does not have yet goes there, as a bundle that is named by its content: nobody
overwrites anybody, and several machines push at once. The place stands in convbench.toml, as
`[shared] place = "…"`, or in --place.
"""

import argparse
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from convbench.results.collection import say_nothing
from convbench.results.words import CONFIG
from convbench.sharing import open_place, push

EXAMPLES = r"""
convbench push results/runs
convbench push .asv/results --place s3://bucket/benchmarks --project numpy
convbench push results/runs --place git+origin#benchmark-results
"""
SEE_ALSO = "docs/sharing.md; convbench pull, convbench collect"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `convbench push`."""
    parser.add_argument(
        "results",
        metavar="RESULTS",
        nargs="+",
        type=Path,
        help="runs (results/runs), one run, or an asv results directory, of which new files go",
    )
    add_place(parser)
    parser.add_argument(
        "--project",
        metavar="NAME",
        help="the project's name where no facts.json says it (default: the folder's name)",
    )
    parser.add_argument("--json", action="store_true", help="print the summary as one JSON object")


def add_place(parser: argparse.ArgumentParser) -> None:
    """Declare the option that push and pull share."""
    parser.add_argument(
        "--place",
        metavar="PLACE",
        help="a folder, git+https://HOST/PATH#BRANCH, git+ssh://…#BRANCH, git+file:///PATH#BRANCH, "
        "git+REMOTE#BRANCH (a remote of the repository here) or s3://BUCKET/PREFIX "
        f"(default: [shared] place in {CONFIG})",
    )


def run(arguments: argparse.Namespace, say: Callable[[str], None]) -> int:
    """Push, and say in one line what was new; exit 2 when something can't be pushed."""
    done = push(
        arguments.results,
        open_place(arguments.place),
        project=arguments.project,
        say=say_nothing if arguments.json else say,
    )
    if arguments.json:
        say(json.dumps(asdict(done)))
    else:
        for refused in done.refused:
            say(f"not pushed: {refused}")
        say(done.text)
    return 2 if done.refused else 0
