"""The noise of the bench is what its table says: moments, shares and correlations of each kind."""

import math

import numpy as np
import pytest
from scipy.stats import kstest

from convbench.stats.bench.noise import (
    DRIFT_HEIGHT,
    KINDS,
    OUTLIER_HEIGHT,
    OUTLIER_SHARE,
    Values,
    draw_noise,
    generator,
)

POINTS = 100_000
CV = 0.02


def long(kind: str, cv: float = CV, points: int = POINTS) -> Values:
    return draw_noise(kind, points, cv, generator(7, kind))


def many(kind: str, points: int, count: int) -> Values:
    """Independent short histories, shape (count, points)."""
    return np.array([draw_noise(kind, points, CV, generator(7, kind, k)) for k in range(count)])


def lag_1(noise: Values) -> float:
    return float(np.corrcoef(noise[:-1], noise[1:])[0, 1])


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_keys_give_the_same_noise_and_others_give_other_noise(kind: str) -> None:
    first, again, other_seed, other_key = (
        draw_noise(kind, 50, CV, generator(seed, "test", key))
        for seed, key in ((1000, 1), (1000, 1), (1001, 1), (1000, 2))
    )

    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other_seed)
    assert not np.array_equal(first, other_key)


def test_the_generator_is_the_stated_one() -> None:
    """Anyone can draw the same series: seed and CRC-32 of the keys' texts, in this order."""
    # As `printf test | gzip | tail -c8 | od -N4 -tu4` tells them.
    stated = np.random.default_rng([1000, 3632233996, 2322626082])

    assert generator(1000, "test", 20).random() == stated.random()


def test_series_of_different_keys_are_uncorrelated() -> None:
    """A correlation of independent series of n points has the standard deviation 1 / √n."""
    series = np.array([generator(1000, "A/A", "logn", k).standard_normal(1000) for k in range(40)])
    correlations = np.corrcoef(series)[np.triu_indices(40, k=1)]

    assert np.abs(correlations).max() < 4.5 / math.sqrt(1000)
    assert np.sqrt(np.mean(correlations**2)) == pytest.approx(1 / math.sqrt(1000), rel=0.1)


@pytest.mark.parametrize("kind", KINDS)
def test_noise_is_proportional_to_its_size(kind: str) -> None:
    outliers = OUTLIER_HEIGHT if kind == "outlier" else 0.0
    small, large = long(kind, 0.01, 2000), long(kind, 0.02, 2000)

    difference = np.abs(large - 2 * small)

    # An outlier is as high whatever the noise: it is there once in the one, twice in the other.
    assert np.all((difference < 1e-12) | (np.abs(difference - outliers) < 1e-12))


@pytest.mark.parametrize("kind", ["logn", "ar1"])
def test_gaussian_noise_is_gaussian(kind: str) -> None:
    noise = many(kind, 2, 4000)[:, 1] / CV

    assert kstest(noise, "norm").pvalue > 0.01


@pytest.mark.parametrize("kind", ["logn", "hetero", "ar1", "bimodal", "sticky"])
def test_the_standard_deviation_is_the_stated_one(kind: str) -> None:
    """Bimodal: .4² + 2² · .3 · .7 = 1, so the same as the others."""
    spread = np.std(long(kind)) / CV

    # Some 2 % of chance where neighbours or blocks hang together, far less elsewhere.
    assert spread == pytest.approx(1.0, abs=0.04)


def test_outliers_are_five_percent_and_thirty_percent_high() -> None:
    noise = long("outlier", cv=0.001)
    high = noise > OUTLIER_HEIGHT / 2

    share_error = math.sqrt(OUTLIER_SHARE * (1 - OUTLIER_SHARE) / POINTS)
    assert high.mean() == pytest.approx(0.05, abs=4 * share_error)
    assert math.exp(np.median(noise[high])) == pytest.approx(1.3, abs=0.001)
    assert abs(lag_1(high.astype(float))) < 4 / math.sqrt(POINTS)


def test_hetero_has_stretches_of_three_spreads() -> None:
    noise = np.abs(long("hetero")) / CV
    windows = np.sqrt(np.mean(noise[: POINTS // 10 * 10].reshape(-1, 10) ** 2, axis=1))
    scale = math.sqrt((0.25 + 1 + 4) / 3)

    # A tenth of windows of 10 points deviates by more than some 40 % of its own spread.
    low, high = np.quantile(windows, [0.1, 0.9])
    assert low == pytest.approx(0.5 / scale, rel=0.4)
    assert high == pytest.approx(2.0 / scale, rel=0.4)
    assert abs(lag_1(long("hetero"))) < 0.02
    assert lag_1(noise**2) > 0.1


def test_drift_is_a_line_to_three_times_the_noise_either_way() -> None:
    histories = many("drift", 500, 200)
    rise = (histories[:, -50:].mean(axis=1) - histories[:, :50].mean(axis=1)) / CV

    # Means of the outer tenths lie 9 tenths of the way apart; each rise errs by √(2 / 50) = 0.2.
    assert np.abs(rise).mean() == pytest.approx(0.9 * DRIFT_HEIGHT, abs=0.05)
    assert np.all(np.abs(rise) > 1.5)
    assert 70 <= np.sum(rise > 0) <= 130  # 200 fair coins, 4 standard deviations


@pytest.mark.parametrize("kind", ["bimodal", "sticky"])
def test_three_tenths_of_points_lie_in_the_upper_mode(kind: str) -> None:
    upper = long(kind) / CV > 1.0

    assert upper.mean() == pytest.approx(0.3, abs=0.02)


def test_modes_alternate_at_random_or_stay() -> None:
    """A Markov chain that leaves with .175 and enters with .075 correlates by 1 - .25 = .75."""
    upper = {kind: (long(kind) / CV > 1.0).astype(float) for kind in ("bimodal", "sticky")}

    # Some .012 of the points lie beyond 1.0 by chance, which costs the correlation a little.
    assert abs(lag_1(upper["bimodal"])) < 4 / math.sqrt(POINTS)
    assert lag_1(upper["sticky"]) == pytest.approx(0.75, abs=0.05)


def test_ar1_halves_the_correlation_at_every_step() -> None:
    noise = long("ar1")

    assert lag_1(noise) == pytest.approx(0.5, abs=4 / math.sqrt(POINTS))
    assert np.corrcoef(noise[:-2], noise[2:])[0, 1] == pytest.approx(0.25, abs=0.02)


@pytest.mark.parametrize("kind", ["ar1", "sticky"])
def test_chains_start_as_they_go_on(kind: str) -> None:
    """The first point has the distribution of any other: no run-in that a detector could see."""
    first = many(kind, 20, 4000)[:, 0] / CV
    last = many(kind, 20, 4000)[:, -1] / CV

    # Errors of a mean and of a standard deviation over 4,000 histories: below .016 each.
    assert first.mean() == pytest.approx(last.mean(), abs=4 * 0.016 * math.sqrt(2))
    assert first.std() == pytest.approx(last.std(), abs=4 * 0.016 * math.sqrt(2))
