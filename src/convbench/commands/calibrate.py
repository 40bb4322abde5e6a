"""Fit the cost model, by which the strategy auto chooses, to this machine.

Every candidate is timed on problems of many shapes; that takes minutes. The fitted rows are kept in
the user's cache, where auto finds them.
"""

import argparse
import json
import math
from collections.abc import Callable
from dataclasses import asdict

from convbench import calibration
from convbench.errors import BadUsage
from convbench.strategies import _model

EXAMPLES = """\
convbench calibrate

# keep nothing, print the rows as Python
convbench calibrate --seconds 0.03 --literal
"""
SEE_ALSO = "docs/strategies.md; convbench explain"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `convbench calibrate`."""
    parser.add_argument(
        "--seconds",
        type=float,
        metavar="S",
        default=0.015,
        help="time spent on each candidate and problem (default: 0.015)",
    )
    output = parser.add_mutually_exclusive_group()
    output.add_argument(
        "--literal", action="store_true", help="print the table as Python and keep nothing"
    )
    output.add_argument("--json", action="store_true", help="print it as JSON and keep nothing")


def run(arguments: argparse.Namespace, say: Callable[[str], None]) -> int:
    """Measure, fit, and keep the rows in the user's cache, where `auto` finds them."""
    if not 0 < arguments.seconds < math.inf:
        raise BadUsage(f"--seconds must be a positive number of seconds; got {arguments.seconds}")
    comment = "# " if arguments.literal else ""
    fitted, regret = calibration.calibrate(
        seconds=arguments.seconds,
        say=_say_nothing if arguments.json else lambda line: say(f"{comment}{line}"),
    )
    if arguments.json:
        say(json.dumps(asdict(fitted)))
        return 0
    say(
        f"{comment}what auto would choose takes {regret.mean:.3f}x the fastest candidate in the "
        f"geometric mean, {regret.worst:.2f}x at worst (threads: {regret.threads}, "
        f"{regret.problem})"
    )
    if arguments.literal:
        for line in calibration.literal(fitted):
            say(line)
        return 0
    calibration.save(fitted)
    say(f"kept in {_model.calibration_file()} for: {_model.machine()}")
    return 0


def _say_nothing(line: str) -> None:
    """Pass over a line: what is printed is read by programs."""
