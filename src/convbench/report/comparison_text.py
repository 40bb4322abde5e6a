"""A comparison as text for a terminal and as JSON, and what the gate says of it.

Cells stand in one order everywhere: by verdict, what needs attention first, then by size of the
difference, then by name; the order of measurement changes no byte. Names are anybody's text: in
the terminal nothing of them acts, and JSON is ASCII.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

from convbench.report.readable import counted, significant
from convbench.results.raw_files import printable
from convbench.stats.block_comparison import Judgement, Settings, Verdict

FORMAT = 1
"""Version of the JSON document."""

ATTENTION = (
    Verdict.SLOWER,
    Verdict.FAILED,
    Verdict.FASTER,
    Verdict.AMBIGUOUS,
    Verdict.SAME,
)


@dataclass(frozen=True, slots=True)
class Comparison:
    """All that the outputs say.

    Parameters
    ----------
    base, head
        What the arms are called.
    judgements
        One per cell, in any order.
    settings
        What they were judged by.
    skipped
        Cells that are not comparable, since an arm does not implement them: name and reason.
    base_commit, head_commit
        Full hashes, where commits were compared.
    link
        Address of these two commits in the published site's Compare; empty without a site.
    """

    base: str
    head: str
    judgements: Sequence[Judgement]
    settings: Settings
    skipped: Mapping[str, str] = field(default_factory=dict)
    base_commit: str = ""
    head_commit: str = ""
    link: str = ""


def gate(judgements: Sequence[Judgement], settings: Settings, skipped: int = 0) -> tuple[int, str]:
    """Give the gate's exit code, and the reason in one line.

    The gate closes (1) on a cell that is SLOWER with a ratio above the threshold, and on nothing
    else. SLOWER says that the ratio is above one beyond reasonable doubt; its size is the estimate
    of stage 2, which no selection has biased. Were the lower bound compared with the threshold, a
    regression of exactly that size would hardly ever close it, and a real one only when it is much
    larger than what was asked for.

    An open gate says what it does not rest on: failed cells, cells without enough blocks for a
    look at them, `skipped` ones that are not comparable, and whether nothing at all was judged.
    """
    limit = f"×{factor(settings.threshold)}"
    slower = [one for one in ordered(judgements) if one.verdict is Verdict.SLOWER]
    beyond = [one for one in slower if is_beyond(one, settings)]
    if beyond:
        worst = beyond[0]
        more = len(beyond) - 1
        others = (
            f", as {'is' if more == 1 else 'are'} {counted(more, 'other cell')}" if more else ""
        )
        return 1, (
            f"gate closed: {printable(worst.name)} is slower, ×{factor(worst.ratio)}{others}; "
            f"allowed is {limit}"
        )
    failed = _counts(judgements)[Verdict.FAILED]
    doubtful = [one for one in judgements if one.verdict is Verdict.AMBIGUOUS]
    unseen = sum(not _looked_at(one) for one in doubtful)
    asides = {
        "slower within it": len(slower),
        "ambiguous": len(doubtful) - unseen,
        "with too few blocks": unseen,
        "failed": failed,
        "not comparable": skipped,
    }
    said = ", ".join(f"{count} {words}" for words, count in asides.items() if count)
    aside = f" ({said})" if said else ""
    cells = counted(len(judgements), "cell")
    if failed + unseen == len(judgements):
        return 0, f"gate open: nothing was judged, neither good nor bad, in {cells}{aside}"
    return 0, f"gate open: no confirmed regression beyond {limit} in {cells}{aside}"


def is_beyond(judgement: Judgement, settings: Settings) -> bool:
    """Tell whether this cell closes the gate."""
    slower = judgement.verdict is Verdict.SLOWER
    return slower and judgement.ratio is not None and judgement.ratio > settings.threshold


def as_lines(comparison: Comparison) -> list[str]:
    """Write the table and the summary, without ends of lines."""
    rows = [_row(one) for one in ordered(comparison.judgements)]
    header = ("verdict", "head ÷ base", "p", "blocks", "cell")
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    table = [_aligned(row, widths) for row in (header, *rows)] if rows else []
    return [
        f"base {printable(comparison.base)}",
        f"head {printable(comparison.head)}",
        "",
        *table,
        *([""] if table else []),
        summary(comparison),
        *_left_out(comparison.skipped),
    ]


def as_json(comparison: Comparison) -> str:
    """Write the JSON document; unknown numbers are null."""
    code, reason = gate(comparison.judgements, comparison.settings, len(comparison.skipped))
    counts = _counts(comparison.judgements)
    document = {
        "format": FORMAT,
        "base": comparison.base,
        "head": comparison.head,
        "commits": {"base": comparison.base_commit, "head": comparison.head_commit},
        "link": comparison.link,
        "settings": asdict(comparison.settings),
        "summary": {verdict.value: counts[verdict] for verdict in Verdict},
        "gate": {"exit_code": code, "reason": reason},
        "cells": [
            asdict(one) | {"verdict": one.verdict.value} for one in ordered(comparison.judgements)
        ],
        "not_comparable": [
            {"name": name, "reason": reason} for name, reason in sorted(comparison.skipped.items())
        ],
    }
    return json.dumps(document, indent=1, allow_nan=False) + "\n"


def ordered(judgements: Sequence[Judgement]) -> list[Judgement]:
    """Put cells in the order of every output."""
    return sorted(judgements, key=lambda one: (ATTENTION.index(one.verdict), -_size(one), one.name))


def summary(comparison: Comparison) -> str:
    """Count the verdicts in one line."""
    counts = _counts(comparison.judgements)
    said = ", ".join(f"{counts[v]} {v.value.lower()}" for v in ATTENTION if counts[v])
    cells = counted(len(comparison.judgements), "cell")
    return f"{cells}: {said}" if said else "no cell was compared"


def factor(ratio: float | None) -> str:
    """Write a ratio with the digits that a comparison needs: 1.004, 0.982, 12.3.

    Two blocks may leave hundreds of powers of ten open.
    """
    if ratio is None:
        return "–"
    if not 0.001 <= ratio <= 1000:
        return ">1000" if ratio > 1 else "<0.001"
    return f"{ratio:.3f}" if 0.1 <= ratio < 9.9995 else significant(ratio)


def with_interval(judgement: Judgement) -> str:
    """Write the ratio with its 95 % interval."""
    if judgement.ratio is None:
        return "–"
    low, high = factor(judgement.ratio_low), factor(judgement.ratio_high)
    return f"×{factor(judgement.ratio)} [{low}–{high}]"


def probability(p: float | None) -> str:
    """Write a p-value with two digits."""
    return "–" if p is None else "<1e-99" if p < 1e-99 else f"{p:.2g}"


def remark(judgement: Judgement) -> str:
    """Say what a reader needs besides the numbers: why it failed, what would have been seen."""
    if judgement.verdict is Verdict.FAILED:
        return printable(judgement.reason)
    if judgement.verdict is not Verdict.AMBIGUOUS:
        return ""
    if judgement.minimum_detectable_ratio is None or not _looked_at(judgement):
        return judgement.reason
    least = judgement.minimum_detectable_ratio
    if least > 10:
        return f"{judgement.reason} As many blocks again would not detect ×10."
    return f"{judgement.reason} As many blocks again would detect ×{factor(least)}."


def _looked_at(judgement: Judgement) -> bool:
    """Tell whether stage 1 had its first look at a cell."""
    return judgement.p_screen is not None


def _left_out(skipped: Mapping[str, str]) -> list[str]:
    """Count cells that an arm does not implement and name the first; the documents have all."""
    if not skipped:
        return []
    name, reason = min(skipped.items())
    return [f"not comparable: {counted(len(skipped), 'cell')}; {printable(f'{name}: {reason}')}"]


def _row(judgement: Judgement) -> tuple[str, ...]:
    words = remark(judgement)
    cell = printable(judgement.name)
    return (
        judgement.verdict.value,
        with_interval(judgement),
        probability(judgement.p_screen),
        str(judgement.blocks),
        f"{cell}  ({words})" if words else cell,
    )


def _aligned(row: tuple[str, ...], widths: list[int]) -> str:
    """Put words to the left and numbers to the right of their columns; names end the line."""
    verdict, ratio, p, blocks, cell = row
    left = f"{verdict:<{widths[0]}}  {ratio:<{widths[1]}}"
    return f"{left}  {p:>{widths[2]}}  {blocks:>{widths[3]}}  {cell}"


def _counts(judgements: Sequence[Judgement]) -> Counter[Verdict]:
    return Counter(one.verdict for one in judgements)


def _size(judgement: Judgement) -> float:
    """Order by how far the ratio is from one, either way."""
    ratio = judgement.ratio
    return max(ratio, 1 / ratio) if ratio else 0.0
