"""How far the bad level lies from the good one at least, at whatever time one looks.

A mean is too large more often than too small when blocks end as soon as a difference is clear, and
a test that takes such a mean for the bad level is wrong more often than it says. The bound is the
largest level d for which "the difference is d or less" is refuted by the evidence of
`stats/sequential.py`, as zero is when the difference is said to be one. That evidence exceeds
1 / error for the true level with probability `error` at most, over all looks together: so the
bounds of all looks hold together with the same probability, and the largest of them may be kept
(a confidence sequence: Darling & Robbins 1967; Lai 1976).
"""

import math
from functools import lru_cache

import numpy as np

from convbench.stats.sequential import LEAST_BLOCKS, log_evidence

_HALVINGS = 12
"""Of the interval in which the bound of δ is searched."""


@lru_cache(maxsize=64)  # asked again after every block of every step
def bad_level(values: tuple[float, ...], expected: float | None, error: float) -> float:
    """Return a bound that the true difference of the ends exceeds, signed as the difference is.

    Parameters
    ----------
    values
        Block values of the ends.
    expected
        The log ratio that was seen, of which only the sign matters here; None for either sign.
    error
        Greatest probability that it is wrong, whenever one looks.

    Returns
    -------
    float
        0 while no difference of that sign is certain.
    """
    blocks = np.asarray(values, dtype=np.float64)
    if len(blocks) < LEAST_BLOCKS:
        return 0.0
    sign = math.copysign(1.0, blocks.mean() if expected is None else expected)
    # Of two signs each has half of the error.
    limit = math.log((2 if expected is None else 1) / error)
    towards_bad = sign * blocks
    mean = float(towards_bad.mean())

    def refuted(level: float) -> bool:
        beyond = towards_bad - level
        total, square = float(beyond.sum()), float(beyond @ beyond)
        return log_evidence(len(beyond), total, square, 0) >= limit

    if mean <= 0 or not refuted(0.0):
        return 0.0
    low, high = 0.0, mean
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if refuted(middle) else (low, middle)
    return sign * low
