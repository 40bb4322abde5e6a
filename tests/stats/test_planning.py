"""Power of the block test: the reference's table, a simulation, and the laws between the three."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import special, stats

from convbench.errors import BadUsage
from convbench.stats.planning import blocks_needed, detection_power, minimum_detectable_ratio

TABLE = {
    0.005: ((11, 10), (6, 6), (4, 4), (4, 4)),
    0.01: ((28, 25), (11, 10), (6, 5), (4, 4)),
    0.02: ((96, 83), (28, 25), (9, 8), (6, 5)),
    0.04: ((368, 314), (97, 83), (20, 18), (9, 8)),
}
"""By spread: blocks for 95 and 90 % power at α = .001 for 1, 2, 5 and 10 %, computed elsewhere."""

SPREADS = st.floats(0.001, 0.1)
RATIOS = st.floats(1.005, 1.5)
ALPHAS = st.sampled_from([0.05, 0.01, 0.001, 0.001 / 6])


@pytest.mark.parametrize("spread", TABLE)
def test_blocks_needed_are_those_of_the_published_table(spread: float):
    found = tuple(
        tuple(blocks_needed(spread, ratio, alpha=0.001, power=power) for power in (0.95, 0.9))
        for ratio in (1.01, 1.02, 1.05, 1.1)
    )

    assert found == TABLE[spread]


def test_power_is_the_share_of_simulated_tests_that_reject():
    count, blocks, spread, ratio, alpha = 20_000, 8, 0.02, 1.04, 0.01
    rng = np.random.default_rng(20)
    values = math.log(ratio) + spread * rng.standard_normal((count, blocks))
    statistics = values.mean(1) / values.std(1, ddof=1) * math.sqrt(blocks)

    found = (statistics > special.stdtrit(blocks - 1, 1 - alpha)).mean()

    # Five standard errors of a share of `count` trials are at most 5 · ½ / √count = .018.
    power = detection_power(spread, ratio, blocks, alpha=alpha)
    assert found == pytest.approx(power, abs=5 * 0.5 / math.sqrt(count))


def test_power_without_an_effect_is_the_level():
    assert detection_power(0.02, 1.0, 10, alpha=0.01) == pytest.approx(0.01, rel=1e-6)


@given(SPREADS, RATIOS, st.integers(2, 200), ALPHAS)
def test_power_is_the_tail_of_scipys_noncentral_t(spread, ratio, blocks, alpha):
    noncentrality = math.sqrt(blocks) * math.log(ratio) / spread
    assume(noncentrality < 30)  # beyond, scipy's density sums answer NaN

    expected = stats.nct.sf(stats.t.isf(alpha, blocks - 1), blocks - 1, noncentrality)

    assert detection_power(spread, ratio, blocks, alpha=alpha) == pytest.approx(expected, abs=1e-6)


@given(SPREADS, RATIOS, st.integers(2, 500), ALPHAS)
def test_a_speed_up_is_found_as_easily_as_the_slow_down_of_the_same_factor(
    spread, ratio, blocks, alpha
):
    up = detection_power(spread, ratio, blocks, alpha=alpha)
    down = detection_power(spread, 1 / ratio, blocks, alpha=alpha)

    assert up == pytest.approx(down, abs=1e-9)


@given(SPREADS, RATIOS, ALPHAS, st.sampled_from([0.8, 0.9, 0.95]))
def test_blocks_needed_are_enough_and_one_fewer_is_not(spread, ratio, alpha, power):
    blocks = blocks_needed(spread, ratio, alpha=alpha, power=power)

    assert blocks is not None
    assert detection_power(spread, ratio, blocks, alpha=alpha) >= power
    if blocks > 2:
        assert detection_power(spread, ratio, blocks - 1, alpha=alpha) < power


@given(SPREADS, st.integers(3, 500), ALPHAS, st.sampled_from([0.8, 0.9, 0.95]))
def test_the_minimum_detectable_ratio_has_exactly_the_power(spread, blocks, alpha, power):
    ratio = minimum_detectable_ratio(spread, blocks, alpha=alpha, power=power)

    assume(math.isfinite(ratio))
    # scipy solves for the non-centrality to about 1e-4 of the probability at few blocks.
    assert detection_power(spread, ratio, blocks, alpha=alpha) == pytest.approx(power, abs=1e-3)


def test_no_number_of_blocks_shows_a_ratio_of_one():
    assert blocks_needed(0.01, 1.0, alpha=0.001, power=0.9) is None


def test_one_block_shows_nothing():
    assert minimum_detectable_ratio(0.01, 1, alpha=0.001, power=0.9) == math.inf
    assert detection_power(0.01, 2.0, 1, alpha=0.001) == 0


@pytest.mark.parametrize("spread", [0.0, -1.0, math.inf, math.nan])
def test_a_spread_that_is_none_is_refused(spread: float):
    with pytest.raises(BadUsage, match="give a positive number"):
        blocks_needed(spread, 1.05, alpha=0.001, power=0.9)


@pytest.mark.parametrize("alpha", [0.0, 0.5, math.nan])
def test_a_level_that_is_none_is_refused(alpha: float):
    with pytest.raises(BadUsage, match=r"between 0 and 0\.5"):
        detection_power(0.01, 1.05, 10, alpha=alpha)
