"""A comparison as Markdown, for the comment of a pull request.

Names stand as code: on GitHub that also keeps them from calling people and linking issues.
"""

import html
import re
from collections.abc import Mapping, Sequence

from convbench.report.comparison_text import (
    Comparison,
    gate,
    ordered,
    probability,
    remark,
    summary,
    with_interval,
)
from convbench.report.readable import counted
from convbench.results.raw_files import printable
from convbench.stats.block_comparison import Judgement, Verdict

MOST_ROWS = 200
"""Rows of one comment, which GitHub ends at 65,536 characters; the JSON document has all."""

_SPECIAL = re.compile(r"""[!"#$&*:<>?@\[\\\]_`{|}~]|(?<=www)\.""", re.IGNORECASE)
"""Signs that mean something within a line, and the dot of `www.`, of which GitHub makes links."""


def as_markdown(comparison: Comparison) -> str:
    """Write the heading, the gate's reason and tables: what changed, and folded the rest."""
    _, reason = gate(comparison.judgements, comparison.settings, len(comparison.skipped))
    cells = ordered(comparison.judgements)
    quiet = (Verdict.SAME, Verdict.AMBIGUOUS)
    loud = [one for one in cells if one.verdict not in quiet]
    rest = [one for one in cells if one.verdict in quiet]
    shown = max(MOST_ROWS - len(loud), 0)
    parts = [
        f"### {code(comparison.base)} → {code(comparison.head)}",
        f"{summary(comparison)}. {text(reason)}.",
        *_linked(comparison.link),
        *_table(loud, MOST_ROWS),
        *(_folded(rest, shown) if rest else []),
        *(_left_out(comparison.skipped, max(shown - len(rest), 0)) if comparison.skipped else []),
    ]
    return "\n\n".join(parts) + "\n"


def code(name: str) -> str:
    """Write a name as code that nothing in it can end.

    A code span can't hold the bar of a table, and hardly its own backticks and backslashes; a name
    with one of these is written as HTML with every sign as a character reference.
    """
    safe = printable(name).strip()
    if safe and not re.search(r"[`|\\]", safe):
        return f"`{safe}`"
    return f"<code>{text(safe)}</code>"


def text(words: str) -> str:
    """Write words so that none of their signs is Markdown, HTML or a link."""
    return re.sub(_SPECIAL, lambda match: f"&#{ord(match.group())};", printable(words))


def _linked(link: str) -> list[str]:
    """Lead to the site, which knows the commits once they were measured and collected."""
    return [f"[Compare on the site]({link}), once both commits are measured there"] if link else []


def _folded(cells: Sequence[Judgement], most: int) -> list[str]:
    title = html.escape(f"{counted(len(cells), 'cell')} without a confirmed difference")
    return [f"<details><summary>{title}</summary>", *_table(cells, most), "</details>"]


def _left_out(skipped: Mapping[str, str], most: int) -> list[str]:
    """Write the cells that an arm does not implement, folded too."""
    title = f"{counted(len(skipped), 'cell')} not comparable"
    rows = [f"| {code(name)} | {text(reason)} |" for name, reason in sorted(skipped.items())]
    table = _cut(["| cell | reason |", "|---|---|"], rows, most)
    return [f"<details><summary>{title}</summary>", *table, "</details>"]


def _table(cells: Sequence[Judgement], most: int) -> list[str]:
    head = ["| verdict | head ÷ base | p | blocks | cell |", "|---|---|--:|--:|---|"]
    return _cut(head, [_row(one) for one in cells], most)


def _cut(head: Sequence[str], rows: Sequence[str], most: int) -> list[str]:
    """Write a table of so many rows, and how many more there are."""
    cut = len(rows) - most
    more = [f"and {counted(cut, 'more cell')}, in the JSON document"] if cut > 0 else []
    return [*(["\n".join([*head, *rows[:most]])] if rows[:most] else []), *more]


def _row(judgement: Judgement) -> str:
    words = remark(judgement)
    cell = code(judgement.name) + (f" {text(words)}" if words else "")
    fields = (
        judgement.verdict.value,
        text(with_interval(judgement)),
        text(probability(judgement.p_screen)),
        str(judgement.blocks),
        cell,
    )
    return f"| {' | '.join(fields)} |"
