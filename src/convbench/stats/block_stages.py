"""The two stages of a comparison: which cells stage 1 selects, and whether stage 2 confirms them.

Stage 1 selects a cell when its p-value, adjusted for the looks, is at most `screen_alpha` and
Benjamini and Hochberg's procedure over all cells of the run rejects it at `q`. More blocks only
lower an adjusted p-value, so a selected cell stays selected and gets no more of stage 1, unless
what is measured later shows a greater correlation: then it is judged by that one.

Stage 2 measures a selected cell on other processes, a number of times that stage 1 fixes, and is
looked at once, when they are complete. Its test is one-sided in the direction of stage 1: chance
passes both with probability `screen_alpha` × `confirm_alpha`, 5e-5 by default.

Simulated runs of 500 equal cells with all their looks gave no false SLOWER or FASTER in 30,000
cells of normal noise and in 30,000 with 3 degrees of freedom, and one in 30,000 with blocks that
correlate by .3. A cell that is compared alone can't know that correlation well: 17 in 20,000.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from convbench.stats.block_evidence import (
    Estimate,
    Evidence,
    Settings,
    checked,
    estimate,
    shared_correlation,
)
from convbench.stats.false_discovery import discoveries
from convbench.stats.planning import blocks_needed

CONFIRM_POWER = 0.98
"""Chance with which stage 2 should confirm what is one standard error below stage 1's estimate."""

LEAST_CONFIRM = 6
"""Blocks of stage 2 at least: with fewer, the ratio it reports is hardly known."""


@dataclass(frozen=True, slots=True)
class Assessment:
    """Where one cell stands.

    Parameters
    ----------
    evidence
        What was measured.
    looked
        Stage 1 blocks at the last complete look; 0 before the first.
    screen
        Estimate of stage 1 at that look.
    all_blocks
        Estimate from every block of both stages.
    p_screen
        Two-sided p-value of stage 1, adjusted for all looks; 1 before the first.
    direction
        Sign of the difference at the look that gave `p_screen`.
    selected
        Stage 1 sends the cell to stage 2.
    confirm_blocks
        Blocks that stage 2 takes; 0 for cells that are not selected.
    confirm
        Estimate of stage 2 once complete, else None.
    p_confirm
        Its one-sided p-value in the direction of stage 1.
    same
        The ratio lies within the margin, by two one-sided tests at the last look or after stage 2.
    """

    evidence: Evidence
    looked: int
    screen: Estimate
    all_blocks: Estimate
    p_screen: float
    direction: int
    selected: bool
    confirm_blocks: int
    confirm: Estimate | None
    p_confirm: float | None
    same: bool


@dataclass(frozen=True, slots=True)
class _Screened:
    """Stage 1 of a cell: the estimate at the last complete look, the adjusted p, its direction."""

    last: Estimate
    p: float
    direction: int


def assess(evidence: Sequence[Evidence], settings: Settings) -> list[Assessment]:
    """Put every cell of a run through both stages; failed cells count as not measured.

    Raises
    ------
    BadResults
        For values that are not finite and for names that stand twice.
    """
    checked(evidence)
    correlation = shared_correlation([cell.screen for cell in evidence if not cell.failed])
    screened = [_screen(cell, correlation, settings) for cell in evidence]
    p_values = np.array([one.p for one in screened])
    measured = np.array([not cell.failed for cell in evidence], dtype=bool)
    selected = p_values <= settings.screen_alpha
    selected[measured] &= discoveries(p_values[measured], settings.q)
    assessed = [
        _assessment(cell, stage, correlation, settings)
        for cell, stage in zip(evidence, screened, strict=True)
    ]
    return [
        _confirmed(cell, correlation, settings) if chosen else cell
        for cell, chosen in zip(assessed, selected, strict=True)
    ]


def _screen(cell: Evidence, correlation: float, settings: Settings) -> _Screened:
    """Judge stage 1 at each of its complete looks."""
    last, smallest, direction = estimate(cell.screen[:0]), 1.0, 0
    for look in settings.looks:
        if look <= len(cell.screen) and not cell.failed:
            last = estimate(cell.screen[:look], correlation)
            p = min(last.p_different() * len(settings.looks), 1.0)
            if p < smallest:
                smallest, direction = p, 1 if last.mean > 0 else -1
    return _Screened(last, smallest, direction)


def _assessment(
    cell: Evidence, screened: _Screened, correlation: float, settings: Settings
) -> Assessment:
    """Say where a cell stands that stage 1 did not select."""
    return Assessment(
        evidence=cell,
        looked=screened.last.blocks,
        screen=screened.last,
        all_blocks=estimate(np.concatenate([cell.screen, cell.confirm]), correlation),
        p_screen=screened.p,
        direction=screened.direction,
        selected=False,
        confirm_blocks=0,
        confirm=None,
        p_confirm=None,
        same=screened.last.within(settings.margin, settings.equivalence_alpha),
    )


def _confirmed(cell: Assessment, correlation: float, settings: Settings) -> Assessment:
    """Put a selected cell through stage 2, as far as it was measured."""
    blocks = _confirm_blocks(cell.screen, settings)
    if len(cell.evidence.confirm) < blocks:
        return replace(cell, selected=True, confirm_blocks=blocks)
    values = cell.evidence.confirm[:blocks]
    confirm = estimate(values, correlation)
    both = estimate(np.concatenate([cell.evidence.screen[: cell.looked], values]), correlation)
    return replace(
        cell,
        selected=True,
        confirm_blocks=blocks,
        confirm=confirm,
        p_confirm=replace(confirm, mean=cell.direction * confirm.mean).p_above(),
        same=both.within(settings.margin, settings.equivalence_alpha),
    )


def _confirm_blocks(screen: Estimate, settings: Settings) -> int:
    """Fix the length of stage 2 from stage 1 alone, so that looking at stage 2 can't bias it.

    The estimate that got a cell selected tends to be too large; one standard error is taken off.
    """
    effect = max(abs(screen.mean) - screen.error, screen.error)
    needed = blocks_needed(
        screen.spread, math.exp(effect), alpha=settings.confirm_alpha, power=CONFIRM_POWER
    )
    most = max(settings.looks[-1], LEAST_CONFIRM)
    return min(max(needed or most, LEAST_CONFIRM), most)
