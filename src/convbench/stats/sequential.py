"""Good or bad, from as few blocks as needed: the sequential test behind `convbench bisect`.

A candidate commit runs either at the level of the known good commit or at the bad level, δ away in
log time. Its blocks against the good commit arrive one by one, x₁ … xₙ, with mean 0 or δ and an
unknown standard deviation σ. After each block the test answers `good`, `bad` or `None`: go on.

Each level is tested as a null hypothesis by a ratio of likelihoods that knows no σ. Let x be the
deviations from that level, signed towards the other one. What scaling leaves unchanged has, for a
standardised mean θ = μ/σ, the likelihood

    exp(−nθ²/2) · ∫ s^(N−1) · exp(−s²/2 + s·θ·Σx/√Q) ds    over s > 0,  Q = Σx² (+ pilot),  N = n

relative to the same integral at θ = 0. That ratio is a martingale with mean one under the null
hypothesis whatever σ is, and so is its average over several θ. By Ville's inequality it ever
exceeds 1 / error with probability at most `error`: the answer may be looked at after every block.
A level is refuted when its ratio exceeds 1 / error; the answer is the other level, provided that
the mean lies nearer to that one.

A *pilot*, earlier blocks of the same benchmark (those that remeasured the event), adds what is
known of σ: their squared deviations from their own mean to Q and their number less one to N. The
bound then holds if the candidate's blocks are as noisy as the pilot's.

The bound is proved for independent normal blocks. At an error of .05, simulated wrong answers
stayed at .035 and below for normal noise, Student's t with 3 degrees of freedom and displaced
blocks, with σ/δ from .1 to 2; blocks that correlate by .3 reach .07 at σ = δ and .095 at σ = 2δ.

References
----------
Ville 1939; Lai, "On confidence sequences", Ann. Statist. 4, 1976 (t statistics);
Pérez-Ortiz, Lardy, de Heide & Grünwald, "E-statistics, group invariance and anytime-valid
testing", Ann. Statist. 52, 2024.
"""

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from convbench.errors import BadUsage
from convbench.stats.block_evidence import SPREAD_FLOOR

Answer = Literal["good", "bad"]

LEAST_BLOCKS = 2
"""Blocks before any answer: a single one may be all disturbance."""

MOST_EXPECTED = 10_000
"""Blocks at which the search for an expected number gives up."""

STANDARDISED_MEANS = np.array([0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0])
"""The θ averaged over, ½ … 32: σ is unknown, so the size of the step in units of σ is too."""

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(96)
_HALF_WIDTH = 10.0
"""Of the range of integration, in standard deviations of the integrand's normal approximation."""


def step(
    values: Sequence[float], delta: float, error: float, *, pilot: Sequence[float] = ()
) -> Answer | None:
    """Decide from the blocks so far whether a candidate is good or bad, or go on.

    Parameters
    ----------
    values
        Block values of the candidate against the good commit, in order of measurement.
    delta
        Log ratio of the bad level to the good one; negative when "bad" is faster.
    error
        Greatest probability of a wrong answer, whichever level is true and however long it takes.
    pilot
        Block values of another comparison with the same noise and any level.

    Raises
    ------
    BadUsage
        For a delta of zero or an error that is no probability below one half.
    """
    _check(delta, error)
    blocks = np.asarray(values, dtype=np.float64)
    if len(blocks) < LEAST_BLOCKS:
        return None
    known = np.asarray(pilot, dtype=np.float64)
    square = float(((known - known.mean()) ** 2).sum()) if len(known) > 1 else 0.0
    freedom = max(len(known) - 1, 0)
    towards_bad = blocks * math.copysign(1.0, delta)
    nearer_bad = float(towards_bad.mean()) > abs(delta) / 2
    # Only the level that lies farther off can be refuted in favour of the nearer one.
    deviations = towards_bad if nearer_bad else abs(delta) - towards_bad
    total, own_square = float(deviations.sum()), float(deviations @ deviations)
    if log_evidence(len(blocks), total, own_square + square, freedom) < math.log(1 / error):
        return None
    return "bad" if nearer_bad else "good"


def expected_blocks(sd: float, delta: float, error: float, *, pilot_blocks: int = 0) -> int:
    """Return about how many blocks `step` takes: those it takes when noise is exactly typical.

    Parameters
    ----------
    sd
        Standard deviation of a block value.
    delta, error
        As for `step`.
    pilot_blocks
        Number of blocks in the pilot.
    """
    _check(delta, error)
    if not 0 <= sd < math.inf:
        raise BadUsage(f"the spread of block values is {sd}; give a number from 0 up")
    freedom = max(pilot_blocks - 1, 0)

    def enough(blocks: int) -> bool:
        square = (blocks - 1 + freedom) * sd**2 + blocks * delta**2
        evidence = log_evidence(blocks, blocks * abs(delta), square, freedom)
        return evidence >= math.log(1 / error)

    high = LEAST_BLOCKS
    while not enough(high) and high < MOST_EXPECTED:
        high *= 2
    low = max(high // 2, LEAST_BLOCKS - 1)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def log_evidence(blocks: int, total: float, square: float, freedom: int) -> float:
    """Return the log of the averaged likelihood ratio against a mean of zero, for means above.

    Parameters
    ----------
    blocks, total
        Number and sum of the deviations.
    square
        Sum of squares of the deviations and of the pilot.
    freedom
        Degrees of freedom of the pilot.
    """
    count = blocks + freedom
    floor = count * SPREAD_FLOOR**2
    slopes = STANDARDISED_MEANS * total / math.sqrt(square + floor)
    integrals = _log_integral(count, slopes) - _log_integral(count, np.zeros(1))
    terms = integrals - blocks * STANDARDISED_MEANS**2 / 2
    return float(np.logaddexp.reduce(terms)) - math.log(len(terms))


def _log_integral(count: int, slopes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return log ∫ s^(count − 1) · exp(−s²/2 + slope·s) ds over s > 0, for count ≥ 2.

    The integrand has one peak; Gauss and Legendre's rule on ten standard deviations around it
    leaves an error below 1e-9 for slopes of zero and above, the only ones asked for.
    """
    power = count - 1
    peak = (slopes + np.sqrt(slopes**2 + 4 * power)) / 2
    width = 1 / np.sqrt(1 + power / peak**2)
    low, high = np.maximum(peak - _HALF_WIDTH * width, 0.0), peak + _HALF_WIDTH * width
    half = ((high - low) / 2)[:, None]
    s = (low + high)[:, None] / 2 + half * _NODES
    exponents = power * np.log(s) - s**2 / 2 + slopes[:, None] * s
    top = exponents.max(axis=1, keepdims=True)
    sums = (np.exp(exponents - top) * (half * _WEIGHTS)).sum(axis=1)
    result: NDArray[np.float64] = np.log(sums) + top[:, 0]
    return result


def _check(delta: float, error: float) -> None:
    if delta == 0 or not math.isfinite(delta):
        raise BadUsage(f"the step between good and bad is {delta}; give a log ratio other than 0")
    if not 0 < error < 0.5:
        raise BadUsage(f"the error is {error}; give a probability between 0 and 0.5")
