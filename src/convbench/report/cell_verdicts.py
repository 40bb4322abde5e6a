"""What the store says of two values of one benchmark: a verdict, and how it was reached.

The *reach* of a line is how far two of its values may lie apart by chance: the scatter of its
values about the median of their level, the farthest left out (it may be what is judged), times the
quantile of Student's t that chance exceeds once in a thousand, and never less than `LEAST_REACH`.
"""

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from convbench.report.naming import is_rate
from convbench.report.packing import MOST_STEPS
from convbench.report.readable import counted, significant
from convbench.report.rounding import rounded
from convbench.report.series import FAILED, OK, Change, Line, PointColumns
from convbench.stats.median import median

SLOWER, FASTER, SUSPECT = "slower", "faster", "suspect"
SAME, UNDECIDED, FAILING, MISSING = "same", "undecided", "failing", "missing"

VERDICTS = {
    SLOWER: "slower",
    FAILING: "failing",
    SUSPECT: "unconfirmed",
    FASTER: "faster",
    UNDECIDED: "no verdict yet",
    SAME: "within noise",
    MISSING: "not comparable",
}
"""Name of each verdict, in the order in which they need attention."""

LEAST_REACH = math.log(1.02)
"""As good as equal, as by default in `convbench compare`."""

CHANCE = 0.001
"""How often two values of an unchanged line lie beyond its reach, were its noise normal."""

DIGITS = 5
"""Digits of a value that are kept."""

BOUND_STEP = 1e-3
"""Bounds are kept in steps of this part of their value, rounded away from it."""

MOST_BELOW = round(1 / BOUND_STEP)
"""The lower bound is at least 0; asv's may lie below."""

REACH_STEP = 1e-4
"""The logarithm of a reach is kept in steps of this."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A value as the site keeps it: five digits, and its bounds in `BOUND_STEP` of it."""

    value: float
    below: int | None
    above: int | None

    @property
    def low(self) -> float | None:
        """The lower bound."""
        return None if self.below is None else self.value * (1 - BOUND_STEP * self.below)

    @property
    def high(self) -> float | None:
        """The upper bound."""
        return None if self.above is None else self.value * (1 + BOUND_STEP * self.above)


@dataclass(frozen=True, slots=True)
class Readings:
    """The readings of a line in columns, as `Reading` has them.

    A value that there is not is NaN; steps to bounds that there are not are -1.
    """

    value: NDArray[np.float64]
    below: NDArray[np.int64]
    above: NDArray[np.int64]

    def at(self, number: int) -> Reading | None:
        """Give one of them, by its number; None where there is no value."""
        value, below, above = (
            column[number].item() for column in (self.value, self.below, self.above)
        )
        if math.isnan(value):
            return None
        return Reading(value, None, None) if below < 0 else Reading(value, below, above)


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two compared: what a line has at a commit."""

    position: int
    line: Line
    status: str
    reading: Reading | None
    reach: float | None


@dataclass(frozen=True, slots=True)
class Judged:
    """A verdict; `ratio` is head ÷ base, with bounds where they are known."""

    verdict: str
    base: float | None
    head: float | None
    ratio: float | None
    low: float | None
    high: float | None
    known: str
    changes: tuple[Change, ...] = ()


def readings_of(lines: Sequence[PointColumns]) -> tuple[Readings, ...]:
    """Give the values of each line's points as the site keeps them; in one go, as lines are short.

    Parameters
    ----------
    lines
        At least one.
    """
    values, low, high = (
        np.concatenate([getattr(line, name) for line in lines]) for name in ("value", "low", "high")
    )
    known = ~np.isnan(values)
    value = rounded(np.where(known, values, 1.0), DIGITS)
    bounded = known & (value > 0) & ~np.isnan(low) & ~np.isnan(high)
    positive = np.where(bounded, value, 1.0)
    with np.errstate(over="ignore"):  # a bound may be any number of times the value
        parts = 1 - low / positive, high / positive - 1
    below, above = (
        np.maximum(np.ceil(np.where(bounded, part, 0.0) / BOUND_STEP), 0) for part in parts
    )
    bounded &= above <= MOST_STEPS  # millions of times the value: that bounds nothing
    columns = (
        np.where(known, value, np.nan),
        np.where(bounded, np.minimum(below, MOST_BELOW), -1).astype(np.int64),
        np.where(bounded, above, -1).astype(np.int64),
    )
    ends = np.cumsum([len(line.value) for line in lines])[:-1]
    return tuple(map(Readings, *(np.split(column, ends) for column in columns)))


def reach_of(line: Line, min_commits: int) -> float | None:
    """Give the logarithm of a line's reach; None where it has too few values to say."""
    values = line.values
    if values.size < min_commits or values.min() <= 0:
        return None
    logs = np.log(values)
    starts = [change.position for change in line.changes]
    cuts = np.searchsorted(line.positions, starts)
    levels = [level for level in np.split(logs, cuts) if level.size]
    distances = np.sort(np.concatenate([np.abs(each - median(each)) for each in levels]))
    freedom = distances.size - 1 - len(levels)
    if freedom < 1:
        return None
    squares = float(np.sum(distances[:-1] ** 2))
    reach = _quantile(freedom) * math.sqrt(2 * squares / freedom)
    return round(max(reach, LEAST_REACH) / REACH_STEP) * REACH_STEP


@functools.cache
def _quantile(freedom: int) -> float:
    from scipy.special import stdtrit  # takes longer to import than all else here to run

    return float(stdtrit(freedom, 1 - CHANCE / 2))


def judge(base: Side, head: Side, unit: str, min_commits: int) -> Judged:
    """Compare two sides: by the changes found between them, else by what noise explains."""
    if head.status == FAILED:
        verdict, words = (
            (MISSING, "fails at both") if base.status == FAILED else (FAILING, "fails at the head")
        )
        return _without_ratio(verdict, base, head, words)
    lacking = [
        f"{'failed' if side.status == FAILED else 'no value'} at the {name}"
        for name, side in (("base", base), ("head", head))
        if side.reading is None
    ]
    if base.reading is None or head.reading is None:
        return _without_ratio(MISSING, base, head, ", ".join(lacking))
    same_line = (base.line.machine, base.line.name) == (head.line.machine, head.line.name)
    if same_line and (found := changes_between(base, head)):
        return _by_changes(base, head, found, unit)
    return _by_noise(base, head, base.reading, head.reading, unit, min_commits, same_line)


def changes_between(base: Side, head: Side) -> tuple[Change, ...]:
    """Give the changes of a line after the older side's commit, up to the newer one's."""
    older, newer = sorted((base.position, head.position))
    return tuple(one for one in head.line.changes if older < one.position <= newer)


def _by_changes(base: Side, head: Side, found: Sequence[Change], unit: str) -> Judged:
    """Compare the levels before the first change and after the last."""
    before, after = found[0].before, found[-1].after
    if base.position > head.position:
        before, after = after, before
    if before <= 0 or after <= 0:
        return Judged(UNDECIDED, before, after, None, None, None, "a level of 0 has no ratio")
    ratio = after / before
    # Independent errors: their squares add up.
    width = math.sqrt(math.fsum(_width(one) ** 2 for one in found))
    low, high = ratio * math.exp(-width), ratio * math.exp(width)
    names = counted(len(found), "change") + " found"
    if low <= 1 <= high:
        return Judged(SAME, before, after, ratio, low, high, f"{names}, and undone", tuple(found))
    return Judged(_direction(ratio, unit), before, after, ratio, low, high, names, tuple(found))


def _width(change: Change) -> float:
    """Give half the width of a change's interval, as a logarithm; 0 where it is not known."""
    low, high = change.low, change.high
    if low is None or high is None or low <= 0:
        return 0.0
    return math.log(high / low) / 2


def _by_noise(
    base: Side,
    head: Side,
    old: Reading,
    new: Reading,
    unit: str,
    min_commits: int,
    same_line: bool,
) -> Judged:
    if old.value <= 0 or new.value <= 0:
        words = "a value of 0 or below has no ratio"
        return Judged(UNDECIDED, old.value, new.value, None, None, None, words)
    ratio = new.value / old.value
    low = new.low / old.high if new.low is not None and old.high else None
    high = None
    if new.high is not None and old.low is not None:
        high = new.high / old.low if old.low > 0 else math.inf

    def judged(verdict: str, known: str) -> Judged:
        return Judged(verdict, old.value, new.value, ratio, low, high, known)

    reach = joint_reach(base, head)
    if reach is None:
        fewest = min(base.line.values.size, head.line.values.size)
        needed = counted(min_commits, "commit")
        few = fewest < min_commits
        return judged(UNDECIDED, f"{fewest} of {needed}" if few else "noise not known")
    noise = f"noise explains up to {_reach_in_words(reach)}"
    if abs(math.log(ratio)) <= reach:
        return judged(SAME, noise)
    if low is not None and high is not None and low <= 1 <= high:
        return judged(SAME, "the intervals of both values overlap")
    if same_line:
        return judged(SUSPECT, f"{noise}; no change found")
    return judged(_direction(ratio, unit), noise)


def _reach_in_words(reach: float) -> str:
    """Write a reach as a part, one of a doubling or more as a factor."""
    if reach >= math.log(2):
        return f"×{significant(math.exp(reach), 2)}"
    return f"±{significant(100 * math.expm1(reach), 2)}\u00a0%"


def joint_reach(base: Side, head: Side) -> float | None:
    """Give the reach between two lines: the mean of their variances."""
    if base.reach is None or head.reach is None:
        return None
    return math.sqrt((base.reach**2 + head.reach**2) / 2)


def _direction(ratio: float, unit: str) -> str:
    return SLOWER if (ratio > 1) != is_rate(unit) else FASTER


def _without_ratio(verdict: str, base: Side, head: Side, known: str) -> Judged:
    before, after = (side.reading.value if side.reading else None for side in (base, head))
    return Judged(verdict, before, after, None, None, None, known)


def side_of(line: Line, position: int, reach: float | None, readings: Readings) -> Side:
    """Give what a line has at a commit."""
    at = line.columns.at(position)
    if at is None:
        return Side(position, line, "", None, reach)
    reading, status = readings.at(at), line.columns.status[at]
    return Side(position, line, status if reading or status != OK else "", reading, reach)
