"""Flags that other environments share, without any label."""

import numpy as np
import pytest

from convbench.stats.bench.agreement import AGREES, NEAR, agree
from convbench.stats.bench.figures import Figure
from convbench.stats.bench.noise import Values


def stepping(at: int, factor: float = 1.2, commits: int = 60) -> tuple[Values, Values]:
    """One history: its commits, and values that move once."""
    return np.arange(commits), np.where(np.arange(commits) < at, 1.0, factor)


def agreed(
    *series: tuple[Values, Values], flags: dict[int, list[int]], same: bool = True
) -> Figure:
    names = ["one"] * len(series) if same else [f"{number}" for number in range(len(series))]
    (figure,) = agree("some", "d", names, series, flags)
    assert figure.measure == AGREES
    return figure


def test_a_flag_agrees_when_the_other_environment_moves_the_same_way() -> None:
    assert agreed(stepping(30), stepping(30, 1.1), flags={0: [30]}).value == 1
    assert agreed(stepping(30), stepping(30, 0.9), flags={0: [30]}).value == 0
    assert agreed(stepping(30), stepping(99), flags={0: [30]}).value == 0


def test_flags_on_noise_agree_half_of_the_time() -> None:
    rng = np.random.default_rng(5)
    series = [(np.arange(60), np.exp(0.02 * rng.standard_normal(60))) for _ in range(1000)]
    names = [f"{number // 2}" for number in range(1000)]
    flags = {number: [30] for number in range(0, 1000, 2)}

    (figure,) = agree("some", "d", names, series, flags)

    # 500 tosses of a coin: four standard deviations are .09.
    assert figure.total == 500
    assert figure.value == pytest.approx(0.5, abs=0.09)


def test_who_measured_no_commit_near_or_too_few_has_no_say() -> None:
    far = (np.arange(60) * 10 + 5, stepping(3)[1])  # commits 5, 15, …: 5 away from 30
    assert NEAR < 5
    assert agree("some", "d", ["one", "one"], [stepping(30), far], {0: [30]}) == []
    assert agree("some", "d", ["one", "one"], [stepping(3), stepping(3)], {0: [3]}) == []


def test_other_benchmarks_and_unknown_ones_have_no_say() -> None:
    series = [stepping(30), stepping(30)]

    assert agree("some", "d", ["one", "two"], series, {0: [30]}) == []
    assert agree("some", "d", ["", ""], series, {0: [30]}) == []


def test_flags_side_by_side_are_one() -> None:
    assert agreed(stepping(30), stepping(30), flags={0: [29, 30, 32, 40]}).total == 1
