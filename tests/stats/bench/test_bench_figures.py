"""Sums over series: values, errors by simulation, bounds by SciPy."""

import math

import numpy as np
import pytest
from scipy.stats import binom, binomtest

from convbench.stats.bench.figures import (
    DELAY,
    Cell,
    Figure,
    Tally,
    exact_bounds,
    pooled,
    summarise,
)

CELL = Cell("test", "logn", 100, 0.02, 0.05, 4)


def only(tallies: list[Tally]) -> Figure:
    (figure,) = summarise(CELL, "d", tallies)
    return figure


def test_a_ratio_is_the_sum_of_counts_over_the_sum_of_totals() -> None:
    figure = only([{"m": (1, 10)}, {"m": (3, 30)}, {"m": (0, 10)}])

    assert (figure.count, figure.total, figure.value) == (4, 50, 4 / 50)
    assert (figure.cell, figure.detector, figure.measure) == (CELL, "d", "m")


def test_the_error_is_that_of_clusters_not_of_points(rng: np.random.Generator) -> None:
    """False changes come in pairs, up and down: the error over many benches is what is told."""
    pairs = 2 * rng.binomial(3, 0.1, size=(2000, 40))
    values = pairs.sum(axis=1) / (40 * 50)
    told = [only([{"m": (count, 50)} for count in counts]).se for counts in pairs[:200]]
    as_if_independent = math.sqrt(values.mean() * (1 - values.mean()) / 2000)

    # Spread of 2,000 values errs by 1.6 %, the mean of 200 errors by less.
    assert np.mean(told) == pytest.approx(values.std(), rel=0.06)
    assert as_if_independent < 0.8 * values.std()


@pytest.mark.parametrize(("count", "total"), [(0, 10), (1, 40), (20, 40), (40, 40), (0, 3030)])
def test_the_bounds_are_scipy_s_exact_ones(count: int, total: int) -> None:
    oracle = binomtest(count, total).proportion_ci(0.95, method="exact")

    assert exact_bounds(count, total) == pytest.approx((oracle.low, oracle.high), rel=1e-9)


def test_what_can_exceed_its_total_has_no_bounds() -> None:
    figure = only([{"m": (3, 1)}, {"m": (0, 1)}])

    assert figure.value == 1.5
    assert math.isnan(figure.low)
    assert math.isnan(figure.high)


def test_nothing_tried_has_no_value() -> None:
    figure = only([{"m": (0, 0)}, {"m": (0, 0)}])

    assert math.isnan(figure.value)
    assert figure.total == 0


def test_delays_are_told_by_quantiles_and_a_missed_one_is_infinite() -> None:
    delays = [*range(1, 18), math.inf, math.inf, math.inf]
    median, ninth = summarise(CELL, "d", [{DELAY: (delay, 1)} for delay in delays])

    assert (median.measure, median.value) == ("delay median", 10)
    assert (ninth.measure, ninth.value) == ("delay p90", math.inf)


def test_bounds_of_a_quantile_cover_it_in_95_of_100_cases(rng: np.random.Generator) -> None:
    samples = rng.exponential(size=(2000, 20))
    true = math.log(2)
    covered = 0
    for sample in samples:
        median, _ = summarise(CELL, "d", [{DELAY: (delay, 1)} for delay in sample])
        covered += median.low <= true <= median.high

    assert covered >= binom.ppf(0.001, 2000, 0.95)


def test_pooled_cells_are_as_their_series_together() -> None:
    """Weights are the totals, so with cells of one size the error is that of all series."""
    tallies: list[list[Tally]] = [
        [{"m": (k % 3, 20)} for k in range(300)],
        [{"m": (k % 3, 20)} for k in range(300)],
    ]
    parts = [only(each) for each in tallies]
    together = only([*tallies[0], *tallies[1]])

    both = pooled(parts, CELL)

    assert (both.count, both.total, both.value) == (600, 12000, together.value)
    assert (both.low, both.high) == (together.low, together.high)
    assert both.se == pytest.approx(together.se, rel=0.01)


def test_cells_in_which_nothing_was_tried_don_t_count() -> None:
    empty, full = only([{"m": (0, 0)}, {"m": (0, 0)}]), only([{"m": (1, 2)}, {"m": (1, 2)}])

    assert pooled([empty, full], CELL).value == 0.5
    assert math.isnan(pooled([empty], CELL).value)
