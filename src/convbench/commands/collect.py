"""`convbench collect`: asv results into the store."""

import argparse
import json
from collections.abc import Callable
from dataclasses import asdict

from convbench.results import collect

SUMMARY = "read asv results into the store, only what changed"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `convbench collect`."""
    parser.add_argument(
        "results_dirs",
        metavar="RESULTS_DIR",
        nargs="+",
        help="an asv results directory (with benchmarks.json), or a folder that holds some",
    )
    parser.add_argument("--store", metavar="DIR", required=True, help="the store; made if absent")
    parser.add_argument(
        "--project",
        metavar="NAME",
        help="the project's name where no facts.json says it (default: the folder's name)",
    )
    parser.add_argument(
        "--repo", metavar="DIR", help="the project's git repository: order and subjects of commits"
    )
    parser.add_argument(
        "--strict",
        action="store_true",
        help="exit 2 when a file is damaged or a machine's name refused; the rest is collected",
    )
    parser.add_argument("--json", action="store_true", help="print the summary as one JSON object")


def run(arguments: argparse.Namespace, say: Callable[[str], None]) -> int:
    """Collect, and say in one line what was read."""
    summary = collect(
        arguments.results_dirs,
        arguments.store,
        project=arguments.project,
        repo=arguments.repo,
        say=_say_nothing if arguments.json else say,
    )
    say(json.dumps(asdict(summary)) if arguments.json else summary.text)
    return 2 if arguments.strict and summary.damaged else 0


def _say_nothing(line: str) -> None:
    """Pass over a line: with --json the summary holds every damaged file."""
