"""The noise of a history whose changes are known: size, and how far neighbours go together.

The mean of values that correlate varies more than their spread says, by the factor of the long-run
variance, 1 + 2 Σ ρ_j over all lags j (Newey & West 1987). Correlations are taken to decay
geometrically from the second lag on, as in an ARMA(1,1) process: modes that last are not AR(1).
"""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from convbench.stats.normal_scale import MEDIAN_TO_DEVIATION

Values = NDArray[np.float64]
Positions = NDArray[np.int64]

CLIP = 3.0
"""Residuals count at most this many robust standard deviations."""

MAX_CORRELATION = 0.85
"""Above it a history is rather a random walk, and the factor without bound."""

CLEAR = 1.5
"""From so many standard errors on, a correlation counts in full."""


@njit(cache=True)
def pooled_noise(points, starts, least):  # type: ignore[no-untyped-def]
    """Return (standard deviation, lag-1 correlation, lag-2 correlation) about segment medians.

    Parameters
    ----------
    points : array, shape (n,)
    starts : array, shape (changes,)
        First positions of all segments but the first.
    least
        Robust standard deviation below which none is taken for clipping.
    """
    n = points.size
    residuals = np.empty(n)
    edges = np.concatenate((np.array([0]), starts, np.array([n])))
    for q in range(edges.size - 1):
        segment = points[edges[q] : edges[q + 1]]
        residuals[edges[q] : edges[q + 1]] = segment - np.median(segment)
    limit = CLIP * max(np.median(np.abs(residuals)) * MEDIAN_TO_DEVIATION, least)
    residuals = np.clip(residuals, -limit, limit)
    products = np.zeros(3)
    for q in range(edges.size - 1):
        segment = residuals[edges[q] : edges[q + 1]]
        segment = segment - segment.mean()
        for lag in range(3):
            for i in range(segment.size - lag):
                products[lag] += segment[i] * segment[i + lag]
    if products[0] == 0:
        return 0.0, 0.0, 0.0
    # Subtracting each segment's own mean lowers its correlations by one over its length.
    bias = (edges.size - 1) / n
    deviation = math.sqrt(products[0] / max(n - edges.size + 1, 1))
    return deviation, products[1] / products[0] + bias, products[2] / products[0] + bias


def long_run_factor(first: float, second: float, n: int) -> float:
    """Return how much correlation multiplies the variance of a mean; 1 for none.

    Parameters
    ----------
    first, second
        Correlations at lags 1 and 2, estimated from `n` points.
    """
    rho = _shrunk(first, n)
    if rho == 0:
        return 1.0
    decay = max(rho, min(_shrunk(second, n) / rho, MAX_CORRELATION))
    return 1 + 2 * rho / (1 - decay)


def _shrunk(correlation: float, n: int) -> float:
    """Take off what chance may have made of none (one standard error), unless it is clear."""
    error = 1 / math.sqrt(n)
    kept = correlation if correlation > CLEAR * error else correlation - error
    return min(max(kept, 0.0), MAX_CORRELATION)
