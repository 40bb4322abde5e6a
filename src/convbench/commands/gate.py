"""Compare, and close the gate on a confirmed regression: for continuous integration.

Arguments and measurement are those of `convbench compare`. The gate closes when a cell is slower by
more than the threshold, with the margins and error rates of docs/comparing.md. This runs the code
of both commits: give it no secrets when one of them is a stranger's.
"""

import argparse
import traceback
from collections.abc import Callable

from convbench.commands import compare
from convbench.errors import ConvbenchError
from convbench.report.comparison_text import gate

BROKEN = 2
"""Exit code when there is no answer."""

EXAMPLES = r"""
convbench gate origin/main HEAD
convbench gate origin/main HEAD --threshold 5% --budget-minutes 20 \
    --junit gate.xml --markdown comment.md
"""
SEE_ALSO = "docs/comparing.md; convbench compare, convbench bisect"
NO = "a regression beyond the threshold is confirmed"


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
