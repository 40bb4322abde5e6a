"""A comparison as GitHub's annotations: an error per cell that closes the gate.

They are lines on stdout which the runner takes for its own (workflow commands), so nothing in a
name may end one or begin another. GitHub shows ten errors of a step: the last one counts the rest.
"""

from collections.abc import Callable

from convbench.report.comparison_text import (
    Comparison,
    factor,
    is_beyond,
    ordered,
    with_interval,
)
from convbench.report.readable import counted
from convbench.results.raw_files import printable
from convbench.stats.block_comparison import Judgement

MOST = 10


def as_annotations(comparison: Comparison, file_of: Callable[[str], str]) -> str:
    """Write a line per cell that closes the gate, the worst first; none for an open gate.

    Parameters
    ----------
    comparison : Comparison
        What was compared.
    file_of : callable
        Gives the file of a cell's benchmark in the repository; empty where it is not known.
    """
    beyond = [one for one in ordered(comparison.judgements) if is_beyond(one, comparison.settings)]
    shown = beyond if len(beyond) <= MOST else beyond[: MOST - 1]
    lines = [_error(one, comparison, file_of(one.name)) for one in shown]
    if more := len(beyond) - len(shown):
        title = f"{counted(more, 'more cell')} slower"
        lines.append(f"::error title={_property(title)}::the job's summary names all of them")
    return "".join(f"{line}\n" for line in lines)


def _error(one: Judgement, comparison: Comparison, file: str) -> str:
    where = f"file={_property(file)}," if file else ""
    title = f"slower: {printable(one.name)}"
    said = f"{with_interval(one)}; allowed is ×{factor(comparison.settings.threshold)}"
    return f"::error {where}title={_property(title)}::{_message(f'{title}, {said}')}"


def _message(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """Quote what would end a property as well."""
    return _message(text).replace(":", "%3A").replace(",", "%2C")
