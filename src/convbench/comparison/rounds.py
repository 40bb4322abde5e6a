"""Spending blocks where they are asked for, until nobody asks or the time is up."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from convbench.comparison.arms import Cell
from convbench.comparison.blocks import Bench, Values, add, require_one

SECONDS_BETWEEN_WORDS = 10.0


class Wanted(Protocol):
    """Blocks to measure next, by name of the cell and stage."""

    @property
    def screen(self) -> Mapping[str, int]:
        """Of the first stage."""

    @property
    def confirm(self) -> Mapping[str, int]:
        """Of the second stage."""


Decide = Callable[[Mapping[str, Values], Mapping[str, float], float], Wanted]
"""From values, the seconds of a block of each cell, and the seconds left: what to measure next."""


def measure_rounds(
    bench: Bench,
    cells: Sequence[Cell],
    decide: Decide,
    *,
    budget_seconds: float = math.inf,
    say: Callable[[str], None],
) -> dict[str, Values]:
    """Warm up, then measure what `decide` asks for; ask again when that is done.

    It is also asked again after the first block, which shows what a block costs.

    Parameters
    ----------
    bench : Bench
        The arms.
    cells : sequence of Cell
        What is compared.
    decide : callable
        The statistics, which this side knows nothing of.
    budget_seconds : float
        From now on. The block that runs when they are over is the last one.
    say : callable
        Is told how far it is.

    Raises
    ------
    MeasureFailed
        An arm can't import the suite, or no cell gives a time in both arms.
    """
    deadline = time.monotonic() + budget_seconds
    say(f"warming up both arms, cells: {len(cells)}")
    values = bench.warm_up(cells)
    require_one(values)
    while wanted := _asked(decide, bench, values, deadline - time.monotonic()):
        if bench.blocks == 0:
            wanted = {stage: dict.fromkeys(asked, 1) for stage, asked in wanted.items()}
        if not _measure(bench, cells, values, wanted, deadline, say):
            break
    if budget_seconds < math.inf:
        _say_what_is_open(decide, bench, values, say)
    return values


def _asked(
    decide: Decide, bench: Bench, values: Mapping[str, Values], seconds_left: float
) -> dict[str, dict[str, int]]:
    """Ask what to measure next; the cells that are asked for share the starts among them."""
    if seconds_left <= 0:
        return {}
    together = len(values)
    while True:
        plan = decide(values, bench.seconds_per_block(together), seconds_left)
        stages = {"screen": dict(plan.screen), "confirm": dict(plan.confirm)}
        asked = sum(map(len, stages.values()))
        if not asked:
            return {}
        if asked >= together:
            return stages
        together = asked


def _say_what_is_open(
    decide: Decide, bench: Bench, values: Mapping[str, Values], say: Callable[[str], None]
) -> None:
    """Say what the budget was too short for: blocks that would be asked for if there were time."""
    stages = _asked(decide, bench, values, math.inf)
    open_ = {name: blocks for asked in stages.values() for name, blocks in asked.items()}
    if not open_:
        return
    costs = bench.seconds_per_block(len(open_))
    minutes = sum(blocks * costs[name] for name, blocks in open_.items()) / 60
    say(
        f"the budget is too short for the next look at {len(open_)} of {len(values)} cells,"
        f" which takes {minutes:.1f} minutes"
    )


def _measure(
    bench: Bench,
    cells: Sequence[Cell],
    values: dict[str, Values],
    wanted: dict[str, dict[str, int]],
    deadline: float,
    say: Callable[[str], None],
) -> bool:
    """Measure what is wanted, block by block; False when the time is up before."""
    said = -math.inf
    while True:
        stages = {
            name: stage
            for stage, asked in wanted.items()
            for name, blocks in asked.items()
            if blocks > 0 and values[name].comparable
        }
        pending = [cell for cell in cells if cell.name in stages]
        if not pending:
            return True
        if time.monotonic() >= deadline:
            return False
        if time.monotonic() - said >= SECONDS_BETWEEN_WORDS:
            said = time.monotonic()
            say(_words(bench.blocks, stages))
        block = bench.block(pending)
        for name, value in block.items():
            add(values, stages[name], {name: value})
            wanted[stages[name]][name] -= 1


def _words(measured: int, stages: Mapping[str, str]) -> str:
    screened = sum(stage == "screen" for stage in stages.values())
    confirmed = len(stages) - screened
    parts = [f"{screened} screened"] * bool(screened) + [f"{confirmed} confirmed"] * bool(confirmed)
    return f" block {measured + 1}: {' and '.join(parts)}"
