"""The oracle of one step: exact where it must be, and as good as the reference's table says."""

import math

import numpy as np
import pytest
from scipy.stats import norm

from convbench.stats.bench.ceiling import LOG_DENSITIES, most_likely_change
from convbench.stats.bench.noise import KINDS, draw_noise, generator
from convbench.stats.bench.steps import one_step

CV = 0.02


def located(kind: str, size: float, series: int, within: int) -> float:
    """Share of steps of `size` standard deviations that the oracle locates."""
    step = math.expm1(size * CV)
    hits = 0
    for number in range(series):
        history = one_step(kind, 200, CV, step, generator(5, kind, size, number))
        hits += abs(most_likely_change(history, kind, CV) - history.changes[0]) <= within
    return hits / series


@pytest.mark.parametrize(
    ("size", "within", "published"),
    [(1, 1, 0.52), (1, 2, 0.65), (1.5, 1, 0.73), (2, 1, 0.86), (2.5, 1, 0.94), (3, 1, 0.98)],
)
def test_gaussian_steps_are_located_as_often_as_was_published(
    size: float, within: int, published: float
) -> None:
    """Maximum likelihood on 4,000 series of 200 Gaussian points, both levels known."""
    series = 1000
    error = math.sqrt(published * (1 - published) * (1 / series + 1 / 4000)) + 0.005

    assert located("logn", size, series, within) == pytest.approx(published, abs=3.5 * error)


@pytest.mark.parametrize("kind", LOG_DENSITIES)
def test_a_step_far_above_the_noise_is_located_exactly(kind: str) -> None:
    step = math.expm1(60 * CV)
    histories = [one_step(kind, 50, CV, step, generator(5, kind, k)) for k in range(100)]

    assert all(most_likely_change(one, kind, CV) == one.changes[0] for one in histories)


@pytest.mark.parametrize("kind", LOG_DENSITIES)
def test_the_densities_are_those_of_the_noise(kind: str) -> None:
    """Integrated, they give the shares of a drawn sample below some limits."""
    grid = np.linspace(-0.2, 0.6, 80_001)
    density = np.exp(LOG_DENSITIES[kind](grid, CV))
    distribution = np.cumsum(density) / density.sum()
    noise = draw_noise(kind, 40_000, CV, generator(5, kind, "sample"))

    limits = np.array([-0.02, 0.0, 0.02, 0.04, 0.1])
    told = np.interp(limits, grid, distribution)
    drawn = np.mean(noise[:, None] <= limits, axis=0)

    # A share of 40,000 errs by at most .0025.
    np.testing.assert_allclose(told, drawn, atol=4 * 0.0025)


def test_the_gaussian_density_is_scipy_s_but_for_a_constant() -> None:
    noise = np.array([-0.03, 0.0, 0.01])
    difference = LOG_DENSITIES["logn"](noise, CV) - norm.logpdf(noise, scale=CV)

    np.testing.assert_allclose(difference, difference[0])


def test_only_kinds_of_independent_points_have_a_density() -> None:
    assert set(LOG_DENSITIES) < set(KINDS)
    assert not {"ar1", "sticky", "drift", "hetero"} & set(LOG_DENSITIES)
