"""Null p-values: how surprising the null control's differences would be, if chance were all.

Nothing differs between the two arms of a pair, so a p-value that keeps what it promises lies
anywhere between 0 and 1 with equal probability. Too many near 0 mean that samples or intervals
claim to know more than they do: the samples of one process resemble each other more than those of
two. Too many near 1 mean the contrary.

A pair's p-value is that of the two-sided Mann-Whitney test of its samples, where both arms have
`LEAST_SAMPLES`; else that of a normal test of the logarithms, with the standard errors that asv's
99 % intervals stand for.
"""

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from convbench.stats.null_control import paired

LEAST_SAMPLES = 5
"""With fewer in each arm the test has too few p-values to give: 5 and 5 have 13 below 1."""

INTERVAL_DEVIATIONS = 2.5758293035489004
"""Half a 99 % interval of the normal distribution, in standard deviations."""

BINS = 10
BAND = 0.95


@dataclass(frozen=True, slots=True)
class PValues:
    """The null p-values of some pairs; `sampled` are of samples, the others of intervals."""

    each: tuple[float, ...]
    sampled: int


@dataclass(frozen=True, slots=True)
class Bins:
    """How many p-values lie in each of `BINS` equal parts of 0 to 1.

    `low` and `high` bound what chance gives: all bins lie within them with probability `BAND`
    or more (Bonferroni), so one bin outside is evidence by itself.
    """

    counts: tuple[int, ...]
    expected: float
    low: int
    high: int


def null_p_values(values: pd.DataFrame) -> PValues:
    """Judge the pairs of the null control's rows, in the order of machine, run and case.

    `values` are as for `null_control`; where they have no column `samples`, intervals are taken.
    """
    pairs = paired(values)
    found, sampled = [], 0
    for row in pairs.to_dict("records"):
        first, second = (_samples(row.get(f"samples_{arm}")) for arm in "ab")
        if min(len(first), len(second)) >= LEAST_SAMPLES:
            found.append(_of_samples(first, second))
            sampled += 1
        elif (p_value := _of_intervals(row)) is not None:
            found.append(p_value)
    return PValues(tuple(found), sampled)


def binned(values: Sequence[float]) -> Bins:
    """Count p-values in bins, with what as many uniform ones would give."""
    counts = np.histogram(values, bins=BINS, range=(0.0, 1.0))[0]
    low, high = _band(len(values))
    return Bins(tuple(int(count) for count in counts), len(values) / BINS, low, high)


@cache
def _band(number: int) -> tuple[int, int]:
    """Bound a bin's count from both sides, by exact binomial tails."""
    each = (1 - BAND) / BINS / 2
    if number > _MOST_EXACT:
        # So many are normal for every purpose of a picture; 2.807 is the quantile of `each`.
        middle, half = number / BINS, 2.807 * math.sqrt(number / BINS * (1 - 1 / BINS))
        return math.ceil(middle - half), math.floor(middle + half)
    tails = [
        math.comb(number, k) * (1 / BINS) ** k * (1 - 1 / BINS) ** (number - k)
        for k in range(number + 1)
    ]
    below = np.cumsum(tails)
    return int(np.searchsorted(below, each)), int(np.searchsorted(below, 1 - each))


_MOST_EXACT = 500


def _samples(value: object) -> np.ndarray[Any, np.dtype[np.float64]]:
    # Missing is None, or NaN where a join found none.
    return np.asarray([] if value is None or isinstance(value, float) else value, np.float64)


def _of_samples(first: Any, second: Any) -> float:
    # Compiled: takes longer to import than all else here to run.
    from convbench.stats._ranks import rank_evidence

    return math.exp(-float(rank_evidence(first, second)))


def _of_intervals(row: Mapping[Hashable, Any]) -> float | None:
    """Give the p-value of two values and their intervals; None where one reaches down to 0."""
    if min(row["ci_low_a"], row["ci_low_b"]) <= 0:
        return None
    widths = (math.log(row[f"ci_high_{arm}"] / row[f"ci_low_{arm}"]) for arm in "ab")
    error = math.hypot(*widths) / (2 * INTERVAL_DEVIATIONS)
    if error == 0:
        return 1.0 if row["distance"] == 0 else 0.0
    return math.erfc(row["distance"] / error / math.sqrt(2))
