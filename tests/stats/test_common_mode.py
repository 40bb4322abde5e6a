import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray

from convbench.stats.common_mode import (
    MIN_HISTORIES,
    _less_noise,
    _logarithms,
    _shrunk_without_self,
    _standard_errors,
    _transients,
    corrected,
)

Matrix = NDArray[np.float64]

CV = 0.02
HISTORIES, COMMITS = 60, 200


def own_noise(seed: int, histories: int = HISTORIES, commits: int = COMMITS) -> Matrix:
    return CV * np.random.default_rng([7, seed]).standard_normal((histories, commits))


def disturbances(seed: int, size: float) -> NDArray[np.float64]:
    """A machine that is slower throughout at one in each 20 commits, not at the ends."""
    at = np.arange(0, COMMITS, 20) + np.random.default_rng([8, seed]).integers(4, 16, COMMITS // 20)
    return np.where(np.isin(np.arange(COMMITS), at), size, 0.0)


def noise_of(values: Matrix) -> float:
    """Standard deviation from commit to commit, over all histories."""
    return float(np.std(np.diff(np.log(values), axis=1)) / np.sqrt(2))


def robust_noise_of(values: Matrix) -> Matrix:
    differences = np.abs(np.diff(np.log(values), axis=1))
    return np.asarray(1.4826 * np.median(differences, axis=1) / np.sqrt(2))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("controls", [0, 3, 8])
def test_a_machine_that_is_slow_now_and_then_is_taken_away(seed: int, controls: int) -> None:
    slow = disturbances(seed, size=0.1)
    values = np.exp(own_noise(seed) + slow)
    control = np.exp(own_noise(seed + 100, histories=controls) + slow)

    after = corrected(values, control)

    # 5 % of commits at +10 % add .1²·.05·.95 to a variance of .02²: 1.48 of the own noise.
    assert noise_of(values) > 1.3 * CV
    # Left over: the error of the median of 3, which is .7 of one history's own noise, at 5 %.
    assert noise_of(after) < 1.08 * CV


@pytest.mark.parametrize("seed", range(3))
def test_a_machine_that_is_never_the_same_is_taken_away(seed: int) -> None:
    moods = CV * np.random.default_rng([9, seed]).standard_normal(COMMITS)
    values = np.exp(own_noise(seed) + moods)

    after = corrected(values)

    # Two equal variances before. The median of 60 leaves π/2/60 of one, shrinking costs the moods
    # within two errors, and transients fall short of moods that the running levels share.
    assert noise_of(values) > 1.35 * CV
    assert noise_of(after) < 1.15 * CV


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("controls", [0, 1, 3, 8])
def test_where_nothing_is_common_nothing_is_lost_or_gained(seed: int, controls: int) -> None:
    values = np.exp(own_noise(seed))

    after = corrected(values, np.exp(own_noise(seed + 200, histories=controls)))

    # A threshold at two errors lets 5 % of commits pass, each shrunk to a part of its error.
    assert abs(noise_of(after) / noise_of(values) - 1) < 0.01
    assert np.median(robust_noise_of(after) / robust_noise_of(values)) == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("controls", [0, 4])
def test_histories_that_do_not_feel_the_machine_are_left_alone(controls: int) -> None:
    slow = disturbances(1, size=0.1)
    feels = (np.arange(HISTORIES) < HISTORIES * 2 // 3)[:, None]
    values = np.exp(own_noise(1) + feels * slow)
    control = np.exp(own_noise(300, histories=controls) + slow)

    after = corrected(values, control)

    (deaf,) = np.nonzero(~feels[:, 0])
    # Their shares are 0 or of the size of one history's noise over ten disturbed commits.
    assert noise_of(after[deaf]) < 1.02 * noise_of(values[deaf])
    assert noise_of(after[~np.isin(np.arange(HISTORIES), deaf)]) < 1.1 * CV


@pytest.mark.parametrize("at", [3, 20, 100, 180, 197, 199])
@pytest.mark.parametrize("controls", [0, 5])
@pytest.mark.parametrize("step", [0.05, -0.3, 1.0])
def test_a_step_that_all_histories_make_stays(at: int, controls: int, step: float) -> None:
    level = step * (np.arange(COMMITS) >= at)
    values = np.exp(own_noise(4) + level)
    control = np.exp(own_noise(5, histories=controls) + level)

    change = np.log(corrected(values, control)) - np.log(values)

    # A common part has the error 1.25·.02/√5 = .011 at most; no commit takes more than four.
    assert np.abs(change.mean(axis=0)).max() < 0.045
    assert abs(change[:, at:].mean() - change[:, :at].mean()) < 0.003


def test_without_noise_a_step_is_exact_and_a_disturbance_vanishes() -> None:
    level = np.where(np.arange(60) >= 30, np.log(1.2), 0.0)
    slow = np.where(np.isin(np.arange(60), [15, 45, 46]), 0.5, 0.0)
    values = np.exp(np.tile(level + slow, (MIN_HISTORIES, 1)))

    assert_allclose(corrected(values), np.exp(np.tile(level, (MIN_HISTORIES, 1))), rtol=1e-12)


@pytest.mark.parametrize("side", ["newest", "oldest"])
def test_at_an_end_a_disturbance_may_be_a_step_and_stays(side: str) -> None:
    slow = np.zeros(60)
    slow[-2:] = 0.5
    values = np.exp(np.tile(slow if side == "newest" else slow[::-1], (MIN_HISTORIES, 1)))

    assert_array_equal(corrected(values), values)


@settings(max_examples=50)
@given(st.integers(0, 10_000), st.integers(0, 4), st.floats(0, 0.5))
def test_no_history_gets_larger_transients(seed: int, controls: int, missing: float) -> None:
    rng = np.random.default_rng(seed)
    values = np.exp(0.1 * rng.standard_t(2, (25, 40)) + 0.3 * (rng.random(40) < 0.1))
    values[rng.random(values.shape) < missing] = np.nan
    control = np.exp(0.1 * rng.standard_t(2, (controls, 40)))
    removed = np.log(values) - np.log(corrected(values, control))

    before = _transients(_logarithms(values))

    # What is subtracted minimises Σ|r − b·c|, so by convexity the sum can only fall.
    assert np.all(
        np.nansum(np.abs(before - removed), axis=1) <= np.nansum(np.abs(before), axis=1) + 1e-9
    )


@pytest.mark.parametrize("histories", [MIN_HISTORIES, MIN_HISTORIES + 1, 40])
def test_the_common_part_for_a_history_is_the_median_of_all_others(histories: int) -> None:
    rng = np.random.default_rng(histories)
    transients = np.round(rng.standard_normal((histories, 30)) + 3, 1)  # with ties
    transients[:, 20:][rng.random((histories, 10)) < 0.03] = np.nan
    errors = _standard_errors(transients)

    common = _shrunk_without_self(transients)

    for row, own in enumerate(transients):
        others = np.delete(transients, row, axis=0)
        counted = ~np.isnan(own) & (np.sum(~np.isnan(others), axis=0) >= MIN_HISTORIES - 1)
        expected = np.where(counted, _less_noise(np.nanmedian(others, axis=0), errors), 0.0)
        assert_array_equal(common[row], expected)


def test_units_are_of_no_consequence() -> None:
    values = np.exp(own_noise(6) + disturbances(6, size=0.1))
    scales = np.exp(np.random.default_rng(0).uniform(-9, 9, (HISTORIES, 1)))

    assert_allclose(corrected(values * scales), corrected(values) * scales, rtol=1e-9)


def test_commits_that_nothing_measured_are_passed_over() -> None:
    values = np.exp(own_noise(7) + disturbances(7, size=0.1))
    with_gap = np.insert(values, 90, np.nan, axis=1)

    assert_array_equal(corrected(with_gap), np.insert(corrected(values), 90, np.nan, axis=1))


def test_a_history_without_logarithms_is_left_alone() -> None:
    values = np.exp(own_noise(8) + disturbances(8, size=0.2))
    values[0] -= values[0].mean()

    after = corrected(values)

    assert_array_equal(after[0], values[0])
    assert noise_of(after[1:]) < noise_of(values[1:])


@pytest.mark.parametrize("shape", [(0, 5), (5, 0), (0, 0), (MIN_HISTORIES - 1, 50)])
def test_with_too_few_histories_and_no_control_values_stay(shape: tuple[int, int]) -> None:
    values = np.exp(np.random.default_rng(1).standard_normal(shape))

    assert_array_equal(corrected(values), values)
    assert_array_equal(corrected(values, np.empty((0, shape[1]))), values)


def test_matrices_of_other_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match=r"values has shape \(3,\)"):
        corrected([1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="control has 2 commits and values 3"):
        corrected(np.ones((20, 3)), np.ones((1, 2)))
