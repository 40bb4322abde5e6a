"""A bisection as a function of what was measured so far: what it knows, and what to measure next.

First the bad end is compared with the good one: if the change does not show again, there is
nothing to look for. If it does, each candidate is judged against the good end by the sequential
test of `stats/sequential.py`, with the blocks of the ends as its pilot.

That test needs to know the bad level δ; it is given a lower bound of it (`stats/level_bound.py`).
"Bad" refutes the good level and "good" refutes the bound, and both are as certain as stated for any
δ above the bound.

The error stated covers everything: the comparison of the ends and every step have an equal share,
and a candidate whose test ended without an answer has spent its share as well. All is computed
anew from the block values, so that an interrupted bisection goes on as if it had not been.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from scipy import special

from convbench.errors import BadUsage
from convbench.stats.bisection import (
    CommitVerdict,
    Range,
    next_candidate,
    step_error,
    steps_left,
    suspects,
)
from convbench.stats.block_evidence import SPREAD_FLOOR
from convbench.stats.level_bound import bad_level
from convbench.stats.planning import blocks_needed
from convbench.stats.sequential import Answer, step

Verdict = Literal["good", "bad", "skipped", "undecided"]
Outcome = Literal["found", "range", "not reproduced", "undecided"]

MOST_BLOCKS = 200
"""Of one candidate: a level that is neither good nor bad would never be decided."""

SMALLEST = math.log(1.02)
"""Least change looked for where no size is known: less is as good as equal."""

KNOWN = 0.5
"""Share of its estimate that the lower bound of δ reaches before the ends are done with.

A lower one makes the ends cheaper and good candidates dearer; in simulations of 2 to 32 commits
with noise of a fifth to a half of the step this one takes the fewest blocks.
"""


@dataclass(frozen=True, slots=True)
class Question:
    """What a bisection is asked.

    Parameters
    ----------
    commits
        Oldest first, from the one known to be good to the one known to be bad.
    expected
        Log ratio of the bad level to the good one as it was seen; None where nobody knows.
    error
        Greatest probability of naming a wrong commit.
    """

    commits: tuple[str, ...]
    expected: float | None
    error: float

    def __post_init__(self) -> None:
        """Refuse what can't be asked."""
        suspects(self.commits, {})
        if not 0 < self.error < 0.5:
            raise BadUsage(f"the error is {self.error}; give a probability between 0 and 0.5")
        if self.expected is not None and not 0 < abs(self.expected) < math.inf:
            raise BadUsage(f"the expected log ratio is {self.expected}; give one other than 0")


@dataclass(frozen=True, slots=True)
class Step:
    """What is known of one commit against the good one.

    Parameters
    ----------
    commit
        Its hash.
    verdict
        None while blocks are still wanted.
    values
        Block values: log time of the commit minus log time of the good one.
    error
        Share of the error that its test may use.
    reason
        Why it was skipped.
    """

    commit: str
    verdict: Verdict | None
    values: tuple[float, ...]
    error: float
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a bisection stands.

    Parameters
    ----------
    ends
        The comparison of the bad end with the good one.
    steps
        Candidates, in the order of measurement.
    wanted
        The commit of which a block is wanted next; None at the end.
    outcome
        None before the end. `undecided` where too few or no answers could be had in `MOST_BLOCKS`
        blocks each; `range` where what is left was skipped.
    suspects
        Where the first bad commit lies.
    """

    ends: Step
    steps: tuple[Step, ...]
    wanted: str | None
    outcome: Outcome | None
    suspects: Range

    @property
    def blocks(self) -> int:
        """How many blocks were measured."""
        return sum(len(each.values) for each in (self.ends, *self.steps))

    def fixed_blocks(self) -> int | None:
        """Say how many blocks the same answers need when their number is fixed beforehand.

        That is for tests between none and the size seen, as if the size had been known, with the
        spread seen; both kinds of error are the step's. None where no size is known, or no number
        of blocks is enough.
        """
        if self.ends.verdict != "bad":
            return None
        tests = [each for each in (self.ends, *self.steps) if each.values]
        freedom = sum(len(each.values) - 1 for each in tests)
        square = sum(float(np.var(each.values)) * len(each.values) for each in tests)
        spread = max(math.sqrt(square / max(freedom, 1)), SPREAD_FLOOR)
        ratio = math.exp(abs(float(np.mean(self.ends.values))))
        needed = [
            blocks_needed(spread, ratio, alpha=each.error, power=1 - each.error) for each in tests
        ]
        known = [number for number in needed if number is not None]
        return sum(known) if len(known) == len(needed) else None


def progress(
    question: Question, values: Mapping[str, Sequence[float]], skipped: Mapping[str, str]
) -> Progress:
    """Work out where a bisection stands.

    Parameters
    ----------
    question
        What is looked for.
    values
        Block values of commits against the good one, in order of measurement.
    skipped
        Commits that can't be measured, and why.
    """
    commits = question.commits
    bad = commits[-1]
    share = question.error / (steps_left(commits, {}) + 1)
    measured = tuple(values.get(bad, ()))
    ends = Step(bad, _shows_again(measured, question.expected, share), measured, share)
    if ends.verdict == "bad":
        return _search(question, ends, values, skipped)
    outcomes: dict[Verdict, Outcome] = {"good": "not reproduced", "undecided": "undecided"}
    outcome = outcomes[ends.verdict] if ends.verdict else None
    return Progress(ends, (), None if outcome else bad, outcome, suspects(commits, {}))


def interval(values: Sequence[float]) -> tuple[float, float, float]:
    """Return the mean of block values with its 95 % interval (Student), as ratios.

    The interval is infinite below two values; NaN stands for a mean of none.
    """
    mean, half = _mean_and_half_width(values)
    return math.exp(mean), math.exp(mean - half), math.exp(min(mean + half, 700.0))


def _search(
    question: Question,
    ends: Step,
    values: Mapping[str, Sequence[float]],
    skipped: Mapping[str, str],
) -> Progress:
    """Go through the steps in their order, up to the one that is not decided yet."""
    commits, at_bad_level = question.commits, ends.values
    delta = bad_level(at_bad_level, question.expected, ends.error)
    left = question.error - ends.error
    verdicts: dict[str, CommitVerdict] = {}
    steps: list[Step] = []
    while candidate := next_candidate(commits, verdicts):
        share = step_error(commits, verdicts, left)
        one = _judged(candidate, values, skipped, delta, share, at_bad_level)
        if one.values:
            left -= share
        steps.append(one)
        if one.verdict is None:
            return Progress(ends, tuple(steps), candidate, None, suspects(commits, verdicts))
        if one.verdict == "bad":  # what is known of the bad level grows; no bound is taken back
            at_bad_level += one.values
            better = bad_level(at_bad_level, question.expected, ends.error)
            delta = max(delta, better, key=abs)
        verdicts[candidate] = one.verdict if one.verdict in ("good", "bad") else "skipped"
    found = suspects(commits, verdicts)
    open_ones = {one.commit for one in steps if one.verdict == "undecided"} & set(found.between)
    outcome: Outcome = "undecided" if open_ones else "range" if found.between else "found"
    return Progress(ends, tuple(steps), None, outcome, found)


def _judged(
    commit: str,
    values: Mapping[str, Sequence[float]],
    skipped: Mapping[str, str],
    delta: float,
    share: float,
    pilot: tuple[float, ...],
) -> Step:
    measured = tuple(values.get(commit, ()))
    if commit in skipped:
        return Step(commit, "skipped", measured, share, skipped[commit])
    verdict: Verdict | None = _answer(measured, delta, share, pilot)
    if verdict is None and len(measured) >= MOST_BLOCKS:
        verdict = "undecided"
    return Step(commit, verdict, measured, share)


@lru_cache(maxsize=256)
def _answer(
    values: tuple[float, ...], delta: float, error: float, pilot: tuple[float, ...]
) -> Answer | None:
    """Give the sequential test's answer; those of earlier steps are asked for again and again."""
    return step(values, delta, error, pilot=pilot)


def _shows_again(values: tuple[float, ...], expected: float | None, error: float) -> Verdict | None:
    """Judge the bad end: `bad` when the change shows again and its size is known well enough.

    `good` says that it is nearer to none than to half of what was seen: sizes that were seen
    because they were large are mostly smaller when looked at again.
    """
    level = bad_level(values, expected, error)
    enough = len(values) >= MOST_BLOCKS
    if level and (enough or abs(level) >= KNOWN * abs(float(np.mean(values)))):
        return "bad"
    if not level and _is_none(values, expected, error):
        return "good"
    return "undecided" if enough else None


def _is_none(values: Sequence[float], expected: float | None, error: float) -> bool:
    """Tell whether the change that is looked for is refuted."""
    if expected is not None:
        return step(values, expected / 2, error) == "good"
    return all(step(values, sign * SMALLEST, error / 2) == "good" for sign in (1, -1))


def _mean_and_half_width(values: Sequence[float]) -> tuple[float, float]:
    count = len(values)
    if count < 2:
        return (float(values[0]) if count else math.nan), math.inf
    error = float(np.std(values, ddof=1)) / math.sqrt(count)
    return float(np.mean(values)), float(special.stdtrit(count - 1, 0.975)) * error
