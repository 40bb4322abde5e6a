"""Verdicts of a comparison: SLOWER, FASTER, SAME or AMBIGUOUS, cell by cell.

The rules, in this order:

1. An arm gave no value: FAILED.
2. Equivalence holds (two one-sided tests, Schuirmann 1987): SAME. A difference that is certain yet
   lies within the margin is SAME too, shown with its ratio and its p-value.
3. Stage 1 selected the cell and stage 2 agrees: SLOWER or FASTER.
4. Else AMBIGUOUS: no difference was shown and none excluded. What a repetition could show is said.

Blocks, stages and looks are defined in `block_evidence` and `block_stages`. Equal evidence and
settings give equal judgements whatever the order of the cells; exchanging BASE and HEAD exchanges
SLOWER and FASTER and inverts every ratio.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from convbench.stats.block_budget import Plan, wants
from convbench.stats.block_evidence import INTERVAL, Estimate, Evidence, Settings
from convbench.stats.block_stages import Assessment, assess
from convbench.stats.planning import minimum_detectable_ratio

__all__ = ["Evidence", "Judgement", "Plan", "Settings", "Verdict", "judge", "wants"]

DETECTION_POWER = 0.9
"""Chance with which a minimum detectable ratio is detected."""


class Verdict(Enum):
    """What is said of one cell."""

    SLOWER = "SLOWER"
    FASTER = "FASTER"
    SAME = "SAME"
    AMBIGUOUS = "AMBIGUOUS"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """The verdict on one cell, with what it rests on; None stands for what is not known.

    Parameters
    ----------
    name
        Full name of the cell.
    verdict
        As in the module's rules.
    ratio, ratio_low, ratio_high
        Time of HEAD ÷ time of BASE with its 95 % interval. Of stage 2 alone for SLOWER and FASTER:
        stage 1 chose these cells for their large estimates, which are therefore too large on
        average; stage 2 is unbiased. Of all blocks otherwise.
    p_screen, p_confirm
        Two-sided p-value of stage 1 over all its looks, one-sided p-value of stage 2.
    blocks
        Blocks measured, both stages.
    minimum_detectable_ratio
        Least ratio that stage 1 with as many blocks again finds in nine of ten cases.
    reason
        One sentence.
    """

    name: str
    verdict: Verdict
    ratio: float | None
    ratio_low: float | None
    ratio_high: float | None
    p_screen: float | None
    p_confirm: float | None
    blocks: int
    minimum_detectable_ratio: float | None
    reason: str


def judge(evidence: Sequence[Evidence], settings: Settings) -> list[Judgement]:
    """Judge all cells of one run together, in the order given.

    Raises
    ------
    BadResults
        For values that are not finite and for names that stand twice.
    """
    return [_judgement(one, settings) for one in assess(evidence, settings)]


def _judgement(cell: Assessment, settings: Settings) -> Judgement:
    verdict, reason = _verdict(cell, settings)
    directed = verdict in (Verdict.SLOWER, Verdict.FASTER)
    shown = cell.confirm if directed and cell.confirm else cell.all_blocks
    reach = shown.reach((1 - INTERVAL) / 2)
    known = verdict is not Verdict.FAILED and shown.blocks > 0
    return Judgement(
        name=cell.evidence.name,
        verdict=verdict,
        ratio=_ratio(shown.mean) if known else None,
        ratio_low=_ratio(shown.mean - reach) if known else None,
        ratio_high=_ratio(shown.mean + reach) if known else None,
        p_screen=cell.p_screen if cell.looked else None,
        p_confirm=cell.p_confirm,
        blocks=cell.all_blocks.blocks,
        minimum_detectable_ratio=_detectable(cell.all_blocks, settings) if known else None,
        reason=reason,
    )


def _verdict(cell: Assessment, settings: Settings) -> tuple[Verdict, str]:
    """Apply the rules of the module's docstring."""
    if cell.evidence.failed:
        return Verdict.FAILED, cell.evidence.failed
    if cell.same:
        margin = f"within {_percent(settings.margin)} of equal, by two one-sided tests"
        certain = "; the difference itself is certain" if cell.selected else ""
        return Verdict.SAME, f"The ratio lies {margin}{certain}."
    if cell.confirm and cell.p_confirm is not None and cell.p_confirm <= settings.confirm_alpha:
        verdict = Verdict.SLOWER if cell.direction > 0 else Verdict.FASTER
        return verdict, (
            f"Stage 1 found a difference and {cell.confirm.blocks} blocks on other processes "
            "confirm its direction."
        )
    return Verdict.AMBIGUOUS, _doubt(cell, settings)


def _doubt(cell: Assessment, settings: Settings) -> str:
    """Say which step a cell without a verdict did not take."""
    measured = len(cell.evidence.screen)
    if not cell.looked:
        return f"Stage 1 has {measured} of the {settings.looks[0]} blocks of its first look."
    if cell.confirm:
        return f"Stage 1 found a difference that {cell.confirm.blocks} other blocks don't confirm."
    if cell.selected:
        return (
            f"Stage 1 found a difference; stage 2 has {len(cell.evidence.confirm)} of "
            f"{cell.confirm_blocks} blocks."
        )
    if cell.p_screen <= settings.screen_alpha:
        return "Stage 1 found a difference that is no discovery among so many cells."
    return f"Neither a difference nor equality within {_percent(settings.margin)} is shown."


def _detectable(shown: Estimate, settings: Settings) -> float | None:
    if shown.blocks < 2:
        return None
    ratio = minimum_detectable_ratio(
        shown.spread, shown.blocks, alpha=settings.look_alpha / 2, power=DETECTION_POWER
    )
    return ratio if math.isfinite(ratio) else None


def _ratio(log_ratio: float) -> float | None:
    """Give the ratio of a logarithm; None where it is beyond any timing."""
    return math.exp(log_ratio) if abs(log_ratio) < 700 else None


def _percent(ratio: float) -> str:
    return f"{(ratio - 1) * 100:.3g} %"
