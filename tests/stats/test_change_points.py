import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import binom

from convbench.stats import MIN_COMMITS, ChangePoint, find_change_points, noise_of
from convbench.stats.change_points import NOISE_FLOOR

Values = NDArray[np.float64]


def noisy(*levels: tuple[float, int], cv: float = 0.02, seed: int = 0) -> Values:
    """Draw a history: `count` points around each level, with log-normal noise."""
    rng = np.random.default_rng([2026, seed])
    steps = np.concatenate([np.full(count, level) for level, count in levels])
    return steps * np.exp(cv * rng.standard_normal(steps.size))


def indices(values: Values) -> list[int]:
    return [change.index for change in find_change_points(values)]


@pytest.mark.parametrize("cv", [0.002, 0.01, 0.03])
@pytest.mark.parametrize("ratio", [1.5, 1 / 1.5])
@pytest.mark.parametrize("count", [20, 60, 200])
def test_a_clear_step_is_found_at_its_first_commit(cv: float, ratio: float, count: int) -> None:
    at = count // 3
    found = [
        indices(noisy((1.0, at), (ratio, count - at), cv=cv, seed=seed)) == [at]
        for seed in range(25)
    ]

    # The step is at least 13 standard deviations; the worst that chance does to 99.5 % of 25.
    assert sum(found) >= binom.ppf(1e-4, len(found), 0.995)


def test_a_step_near_the_noise_is_found_within_one_commit_as_often_as_stated() -> None:
    # 5 % at a CV of 2 %: 2.44 standard deviations, where knowing both levels would give .94.
    hits = [
        any(abs(index - 100) <= 1 for index in indices(noisy((1, 100), (1.05, 100), seed=seed)))
        for seed in range(120)
    ]

    assert sum(hits) >= binom.ppf(1e-4, len(hits), 0.88)


@pytest.mark.parametrize("ratio", [1.6, 1 / 1.6])
@pytest.mark.parametrize(("before", "after"), [(2, 3), (3, 2), (3, 3), (3, 4)])
def test_with_the_fewest_commits_a_large_step_is_found(
    ratio: float, before: int, after: int
) -> None:
    found = [
        indices(noisy((1.0, before), (ratio, after), seed=seed)) == [before] for seed in range(60)
    ]

    assert sum(found) >= binom.ppf(1e-4, len(found), 0.93)


def test_levels_are_medians_in_the_unit_of_the_values() -> None:
    values = np.array([1.0, 1.1, 0.9, 1.0, 1.0, 3.0, 3.1, 2.9, 3.0, 3.0])

    (change,) = find_change_points(values)

    assert (change.index, change.before, change.after) == (5, 1.0, 3.0)
    assert change.ratio == 3.0


def test_five_steps_are_all_found() -> None:
    values = noisy((1, 30), (1.2, 30), (1, 40), (1.3, 25), (1.6, 40), (1.2, 35))

    assert indices(values) == [30, 60, 100, 125, 165]


@pytest.mark.parametrize("at", [0, 1, 10, 18, 19])
@pytest.mark.parametrize("size", [1.3, 10, 1e6, 0.1])
def test_a_single_outlier_is_no_change(at: int, size: float) -> None:
    values = noisy((1.0, 20))
    values[at] *= size

    assert find_change_points(values) == []


@pytest.mark.parametrize("count", [6, 8, 12, 20, 21, 100])
def test_two_new_points_at_the_end_are_no_change_yet(count: int) -> None:
    values = np.ones(count)
    values[-2:] = 2.0

    assert find_change_points(values) == []
    assert find_change_points(values[::-1]) == []


@pytest.mark.parametrize("cv", [NOISE_FLOOR, 1.2 * NOISE_FLOOR, 0.02])
@pytest.mark.parametrize("count", [12, 20, 50, 200])
def test_nor_are_two_new_points_in_noise(cv: float, count: int) -> None:
    steps = [(1.0, count - 2), (1 + 15 * cv, 2)]
    changes = [indices(noisy(*steps, cv=cv, seed=seed)) for seed in range(40)]

    assert not any(count - 2 in found for found in changes)


def test_a_drift_as_small_as_the_noise_is_no_step() -> None:
    drift = np.exp(np.linspace(0, 0.02, 100))

    changes = [find_change_points(noisy((1.0, 100), seed=seed) * drift) for seed in range(200)]

    assert sum(map(len, changes)) <= binom.ppf(1 - 1e-4, 20_000, 1e-4)


@pytest.mark.parametrize("level", [0.0, 1.0, -3.0, 1e-300, 1e300])
def test_equal_values_have_no_change(level: float) -> None:
    assert find_change_points(np.full(50, level)) == []


def test_a_step_between_exactly_equal_values_is_found() -> None:
    assert indices(np.repeat([100.0, 101.0], [9, 11])) == [9]


@settings(deadline=None, max_examples=60, derandomize=True)
@given(
    levels=st.lists(st.integers(1, 50), min_size=1, max_size=5),
    stays=st.lists(st.integers(8, 30), min_size=5, max_size=5),
    sign=st.sampled_from([1, -1]),
)
def test_steps_without_noise_are_told_exactly(
    levels: list[int], stays: list[int], sign: int
) -> None:
    stays = stays[: len(levels)]
    values = sign * np.repeat(np.array(levels, dtype=float) * 1000, stays)
    edges = np.cumsum(stays)[:-1]
    steps = [
        (edge, sign * 1000.0 * before, sign * 1000.0 * after)
        for edge, before, after in zip(edges, levels, levels[1:], strict=False)
        if before != after
    ]

    changes = find_change_points(values)

    assert [(change.index, change.before, change.after) for change in changes] == steps
    assert all(change.first == change.index == change.last for change in changes)


@pytest.mark.parametrize("count", [12, 60, 500])
def test_without_noise_three_new_commits_are_a_change(count: int) -> None:
    values = np.ones(count)
    values[-3:] = 1.01

    assert indices(values) == [count - 3]


def test_a_step_below_the_noise_floor_is_none() -> None:
    values = np.repeat([100.0, 100.0 * (1 + NOISE_FLOOR)], 20)

    assert find_change_points(values) == []
    assert len(find_change_points(values, noise_floor=NOISE_FLOOR / 10)) == 1


def test_a_regression_that_was_repaired_remains_two_changes() -> None:
    values = noisy((1.0, 40), (1.2, 8), (1.0, 40))

    assert indices(values) == [40, 48]


def test_a_level_that_returns_within_eight_commits_was_a_disturbance() -> None:
    assert indices(noisy((1.0, 40), (1.2, 7), (1.0, 40))) == []


@pytest.mark.parametrize("count", range(MIN_COMMITS))
def test_too_few_values_have_no_change(count: int) -> None:
    values = np.repeat([1.0, 100.0], [count // 2, count - count // 2])

    assert find_change_points(values) == []
    assert find_change_points([*values, math.nan, math.nan, math.inf]) == []


def test_commits_without_a_value_count_in_the_index() -> None:
    values = noisy((1.0, 10), (2.0, 10))
    gaps = np.insert(values, [0, 3, 10, 15], math.nan)

    (change,) = find_change_points(gaps)

    assert change.index == 13  # after the three gaps before it, one of them right at the step
    assert gaps[change.index] == values[10]


@pytest.mark.parametrize(("low", "high"), [(0.0, 5.0), (-4.0, -2.0), (-1.0, 1.0)])
def test_values_that_have_no_logarithm_are_compared_as_they_are(low: float, high: float) -> None:
    rng = np.random.default_rng(3)
    values = np.repeat([low, high], 15) + 0.05 * rng.standard_normal(30)
    values[0] = min(low, 0.0)

    assert indices(values) == [15]


def test_the_ratio_to_a_level_of_zero_is_infinite() -> None:
    (change,) = find_change_points(np.repeat([0.0, 5.0], 10))

    assert (change.before, change.after, change.ratio) == (0.0, 5.0, math.inf)
    assert change.is_regression
    assert math.isnan(ChangePoint(3, 0.0, 0.0).ratio)


@pytest.mark.parametrize("higher_is_better", [False, True])
def test_a_regression_is_a_change_to_the_worse(higher_is_better: bool) -> None:
    values = noisy((1.0, 20), (2.0, 20), (1.0, 20))

    up, down = find_change_points(values, higher_is_better=higher_is_better)

    assert (up.is_regression, down.is_regression) == (not higher_is_better, higher_is_better)


@st.composite
def histories(draw: st.DrawFn) -> Values:
    """Draw histories of one to four levels; continuous noise, so that no two choices tie."""
    counts = draw(st.lists(st.integers(2, 25), min_size=1, max_size=4))
    levels = [draw(st.sampled_from([1.0, 1.03, 1.1, 1.5, 4.0])) for _ in counts]
    cv = draw(st.sampled_from([0.001, 0.02, 0.1]))
    values = noisy(*zip(levels, counts, strict=True), cv=cv, seed=draw(st.integers(0, 10_000)))
    spikes = draw(st.sets(st.integers(0, values.size - 1), max_size=3))
    values[sorted(spikes)] *= draw(st.sampled_from([0.2, 1.3, 7.0]))
    return values


@settings(deadline=None, max_examples=50, derandomize=True)
@given(values=histories(), scale=st.floats(1e-12, 1e12))
def test_the_unit_of_the_values_changes_nothing(values: Values, scale: float) -> None:
    assert indices(values * scale) == indices(values)


@settings(deadline=None, max_examples=50, derandomize=True)
@given(values=histories())
def test_a_reversed_history_has_the_mirrored_changes(values: Values) -> None:
    forward = find_change_points(values)
    backward = find_change_points(values[::-1])

    mirrored = [
        (values.size - change.index, change.after, change.before) for change in reversed(backward)
    ]
    assert [(change.index, change.before, change.after) for change in forward] == mirrored


@settings(deadline=None, max_examples=50, derandomize=True)
@given(values=histories())
def test_what_is_told_of_a_change_is_ordered(values: Values) -> None:
    for change in find_change_points(values):
        assert change.ratio_low <= change.ratio <= change.ratio_high
        assert 0 < change.first <= change.index <= change.last < values.size
        assert 0 <= change.p_value <= 1


@settings(deadline=None, max_examples=30, derandomize=True)
@given(values=histories())
def test_better_upwards_turns_verdicts_and_nothing_else(values: Values) -> None:
    lower = find_change_points(values)
    higher = find_change_points(values, higher_is_better=True)

    assert [change.is_regression for change in lower] == [
        not change.is_regression for change in higher
    ]
    assert [(change.index, change.ratio, change.p_value) for change in lower] == [
        (change.index, change.ratio, change.p_value) for change in higher
    ]


@settings(deadline=None, max_examples=40, derandomize=True)
@given(values=histories(), gap=st.integers(0, 8))
def test_gaps_move_changes_and_nothing_else(values: Values, gap: int) -> None:
    gaps = np.concatenate([np.full(gap, math.nan), values, np.full(gap, math.nan)])

    assert indices(gaps) == [index + gap for index in indices(values)]


@settings(deadline=None, max_examples=40, derandomize=True)
@given(values=histories(), data=st.data())
def test_commits_without_a_value_change_no_more_than_positions(
    values: Values, data: st.DataObject
) -> None:
    holes = sorted(data.draw(st.sets(st.integers(0, values.size), max_size=5)))
    gaps = np.insert(values, holes, math.inf)
    places = np.flatnonzero(np.isfinite(gaps))

    def told(values: Values, places: NDArray[np.int64]) -> list[tuple[object, ...]]:
        return [
            (places[change.index], places[change.first], places[change.last], change.p_value)
            for change in find_change_points(values)
        ]

    assert told(gaps, np.arange(gaps.size)) == told(values, places)


def test_the_input_is_not_modified() -> None:
    values = noisy((1.0, 20), (2.0, 20))
    before = values.copy()

    find_change_points(values)

    np.testing.assert_array_equal(values, before)


def test_two_dimensions_are_refused() -> None:
    with pytest.raises(ValueError, match=r"shape \(2, 6\); one history is one-dimensional"):
        find_change_points(np.ones((2, 6)))


def test_the_noise_of_a_history_is_relative_and_knows_no_steps() -> None:
    rng = np.random.default_rng(6)
    values = 3.0 * np.exp(0.02 * rng.standard_normal(400))
    values[200:] *= 2

    assert noise_of(values) == pytest.approx(0.02, rel=0.2)
    # 3 and 6 with noise of 2 %, less 4: levels of -1 and 2, and the noise in units of them.
    assert noise_of(values - 4.0) == pytest.approx(0.04, rel=0.5)
    assert noise_of(np.full(10, 7.0)) == NOISE_FLOOR
    assert math.isnan(noise_of([1.0, 2.0, 3.0, 4.0]))
