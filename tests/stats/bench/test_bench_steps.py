"""Histories of the bench change where they say they do."""

import itertools
import math

import numpy as np
import pytest

from convbench.stats.bench.noise import generator
from convbench.stats.bench.steps import (
    END_DISTANCE,
    LEVEL,
    STEP_DISTANCE,
    History,
    one_step,
    several_steps,
    spiked,
    step_at,
    unchanging,
)

QUIET = 1e-9
"""A noise far below every step: what is left is the levels."""


def levels_of(history: History) -> list[float]:
    parts = np.split(np.log(history.values / LEVEL), history.changes)
    assert all(np.ptp(part) < 1e-6 for part in parts)
    return [float(part[0]) for part in parts]


def steps(count: int, seed: int = 1) -> History:
    return several_steps(count, "logn", 200, QUIET, 0.10, generator(seed, count))


@pytest.mark.parametrize("points", [20, 50, 200, 1000])
def test_one_step_lies_in_the_middle_seven_tenths(points: int) -> None:
    drawn = [one_step("logn", points, QUIET, 0.05, generator(1, points, k)) for k in range(400)]
    positions = [history.changes[0] for history in drawn]

    # Of 20 commits 3 to 17: all of them are drawn, none outside.
    assert min(positions) >= 0.15 * points
    assert max(positions) <= 0.85 * points
    assert np.mean(positions) == pytest.approx(points / 2, abs=4 * points * 0.7 / math.sqrt(4800))


def test_a_step_goes_up_or_down_by_the_same_factor() -> None:
    drawn = [one_step("logn", 50, QUIET, 0.05, generator(1, "sign", k)) for k in range(400)]
    ratios = np.array([history.values[-1] / history.values[0] for history in drawn])

    assert set(ratios.round(6)) == {1.05, round(1 / 1.05, 6)}
    assert 160 <= np.sum(ratios > 1) <= 240  # 400 fair coins, 4 standard deviations
    assert all(levels_of(one) == pytest.approx(one.levels, abs=1e-6) for one in drawn)


def test_a_step_lies_where_it_is_asked_for() -> None:
    history = step_at(60, "logn", 100, QUIET, 0.05, generator(1))

    assert history.changes == (60,)
    assert abs(levels_of(history)[1]) == pytest.approx(math.log(1.05), abs=1e-6)


@pytest.mark.parametrize("count", [5, 8])
def test_several_steps_keep_their_distance(count: int) -> None:
    drawn = [steps(count, seed) for seed in range(300)]
    inner = [b - a for one in drawn for a, b in itertools.pairwise(one.changes)]

    assert all(len(one.changes) == count for one in drawn)
    assert min(one.changes[0] for one in drawn) == END_DISTANCE
    assert max(one.changes[-1] for one in drawn) == 200 - END_DISTANCE - 1
    assert min(inner) == STEP_DISTANCE


def test_several_steps_are_uniform_among_all_that_keep_their_distance() -> None:
    """A small case, counted out: two steps in 40 commits have 28 = 8 · 7 / 2 places."""
    points = 2 * END_DISTANCE + (STEP_DISTANCE - 1) + 8
    drawn = [
        several_steps(2, "logn", points, QUIET, 0.1, generator(seed, "places")).changes
        for seed in range(5600)
    ]
    places, counts = np.unique(drawn, axis=0, return_counts=True)

    # 200 expected in each place with a standard deviation of 14.
    assert len(places) == 28
    assert np.all(np.abs(counts - 200) < 4.5 * 14)


def test_levels_are_sums_of_steps_of_one_size() -> None:
    history = steps(5)
    heights = np.diff(levels_of(history))

    np.testing.assert_allclose(np.abs(heights), math.log(1.1), atol=1e-6)
    assert history.levels == pytest.approx(levels_of(history), abs=1e-6)


def test_a_history_without_change_is_its_noise() -> None:
    history = unchanging("bimodal", 100, QUIET, generator(1))

    assert history.changes == ()
    np.testing.assert_allclose(history.values, LEVEL, rtol=1e-6)


def test_a_spike_is_one_value_twice_the_others() -> None:
    history = spiked("logn", 100, QUIET, generator(1))
    ratios = np.sort(history.values / LEVEL)

    assert history.changes == ()
    assert ratios[-1] == pytest.approx(2.0, abs=1e-6)
    np.testing.assert_allclose(ratios[:-1], 1.0, atol=1e-6)
