"""Compare, and close the gate on a confirmed regression: for continuous integration."""

import argparse
import traceback
from collections.abc import Callable

from convbench.commands import compare
from convbench.errors import ConvbenchError
from convbench.report.comparison_text import gate

BROKEN = 2
"""Exit code when there is no answer."""

SUMMARY = "exit 1 on a confirmed regression beyond the threshold"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `convbench gate`, which are those of `compare`."""
    compare.add_arguments(parser)


def run(arguments: argparse.Namespace, say: Callable[[str], None]) -> int:
    """Compare; 1 on a confirmed regression beyond the threshold, 0 otherwise, and say why."""
    try:
        return _answer(arguments, say)
    except (ConvbenchError, OSError):
        raise  # one line and 2
    except Exception:  # Python would exit with 1, which is the alarm
        traceback.print_exc()
        return BROKEN


def _answer(arguments: argparse.Namespace, say: Callable[[str], None]) -> int:
    comparison = compare.compared(arguments, say)
    if comparison is None:
        return compare.INTERRUPTED
    code, reason = gate(comparison.judgements, comparison.settings, len(comparison.skipped))
    if not compare.prints_document(arguments):
        say(reason)
    return code
