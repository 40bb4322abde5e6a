"""What a test gives: one number per detector, cell and measure, and how sure it is.

Nearly all measures are ratios of two sums over series: false changes over points, found steps over
steps, alerts over looks. Their standard error is that of a ratio of means, with whole series as the
unit, because detections within a series hang together. Their bounds are those of Clopper and
Pearson (1934), which hold where the counted things are independent, and say something where nothing
was counted: none in n means less than about 3.7 in n. Delays are summed up by quantiles.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import betaincinv

from convbench.stats.bench.noise import Values

Tally = Mapping[str, tuple[float, float]]
"""What one series adds to each measure: measure -> (numerator, denominator)."""

CONFIDENCE = 0.95

DELAY = "delay"
"""The measure whose numerators are delays, infinite for what was missed."""

QUANTILES = {"delay median": 0.5, "delay p90": 0.9}


@dataclass(frozen=True, slots=True)
class Cell:
    """One kind of series in one test.

    Parameters
    ----------
    test
        Name of the test.
    kind
        Kind of noise, or name of a file of real histories.
    points
        Length of a series; 0 where they differ.
    cv
        Coefficient of variation of the noise; 0 where it isn't known.
    step
        Relative size of the true changes, 0.05 for 5 %; 0 without any.
    series
        How many are drawn.
    """

    test: str
    kind: str
    points: int
    cv: float
    step: float
    series: int


@dataclass(frozen=True, slots=True)
class Figure:
    """One number.

    Parameters
    ----------
    cell, detector, measure
        What it is about.
    value
        The ratio count ÷ total, or a quantile; NaN without data, infinite for a delay of what is
        mostly missed.
    se
        Standard error over series; NaN for quantiles.
    low, high
        95 % bounds; NaN where there are none (a count that can exceed its total).
    count, total
        Sums over the series; for quantiles the series, twice.
    """

    cell: Cell
    detector: str
    measure: str
    value: float
    se: float
    low: float
    high: float
    count: float
    total: float


def summarise(cell: Cell, detector: str, tallies: Sequence[Tally]) -> list[Figure]:
    """Sum up what the series of a cell gave."""
    found = []
    for measure in dict.fromkeys(name for tally in tallies for name in tally):
        pairs = np.array([tally[measure] for tally in tallies if measure in tally], dtype=float)
        if measure == DELAY:
            found += [
                Figure(cell, detector, name, *_quantile(pairs[:, 0], share), *(pairs.shape[0],) * 2)
                for name, share in QUANTILES.items()
            ]
        else:
            found.append(Figure(cell, detector, measure, *_ratio(pairs)))
    return found


def pooled(figures: Sequence[Figure], cell: Cell) -> Figure:
    """Put together the same measure of several cells, whose series are independent.

    Parameters
    ----------
    figures
        Ratios of one measure and detector, of different cells; at least one.
    cell
        What the result is to be called.
    """
    tried = [one for one in figures if one.total > 0]
    count, total = sum(one.count for one in tried), sum(one.total for one in tried)
    # The error of a weighted mean of independent ratios, the weights being their totals.
    error = math.hypot(*(one.total * one.se for one in tried))
    value, error = (count / total, error / total) if tried else (math.nan, math.nan)
    detector, measure = figures[0].detector, figures[0].measure
    return Figure(cell, detector, measure, value, error, *exact_bounds(count, total), count, total)


def exact_bounds(count: float, total: float) -> tuple[float, float]:
    """Give the two-sided 95 % bounds of a share (Clopper and Pearson 1934)."""
    if not 0 <= count <= total or total == 0:
        return math.nan, math.nan
    tail = (1 - CONFIDENCE) / 2
    low = float(betaincinv(count, total - count + 1, tail)) if count else 0.0
    high = float(betaincinv(count + 1, total - count, 1 - tail)) if count < total else 1.0
    return low, high


def _ratio(pairs: Values) -> tuple[float, float, float, float, float, float]:
    """Give value, standard error, bounds and sums of a ratio."""
    counts, totals = pairs.T
    count, total = float(counts.sum()), float(totals.sum())
    if total == 0:
        return math.nan, math.nan, math.nan, math.nan, count, total
    value, series = count / total, len(pairs)
    error = math.nan
    if series > 1:
        residuals = counts - value * totals
        error = math.sqrt(float((residuals**2).sum()) * series / (series - 1)) / total
    return value, error, *exact_bounds(count, total), count, total


def _quantile(sizes: Values, share: float) -> tuple[float, float, float, float]:
    """Give a quantile and the order statistics between which it lies with 95 %.

    How many values lie below the true quantile is binomial, whatever their distribution.
    """
    from scipy.stats import binom

    ordered = np.sort(sizes)
    last = ordered.size - 1
    tail = (1 - CONFIDENCE) / 2
    ranks = [
        math.ceil(share * ordered.size) - 1,
        int(binom.ppf(tail, ordered.size, share)) - 1,
        int(binom.ppf(1 - tail, ordered.size, share)),
    ]
    value, low, high = (float(ordered[min(max(rank, 0), last)]) for rank in ranks)
    return value, math.nan, low, high
