"""The sequential test keeps its error whenever it stops; the bisection keeps the sum of them."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import integrate
from scipy.stats import binom

from convbench.errors import BadUsage
from convbench.stats.bisection import next_candidate, step_error, steps_left, suspects
from convbench.stats.sequential import (
    LEAST_BLOCKS,
    STANDARDISED_MEANS,
    expected_blocks,
    log_evidence,
    step,
)

DELTA, MOST = 0.05, 120


def normal(rng: np.random.Generator, count: int) -> np.ndarray:
    return rng.standard_normal(count)


def heavy_tailed(rng: np.random.Generator, count: int) -> np.ndarray:
    return rng.standard_t(3, count) / math.sqrt(3)


def disturbed(rng: np.random.Generator, count: int) -> np.ndarray:
    """One block in ten is displaced by six standard deviations, either way."""
    return rng.standard_normal(count) + rng.choice([0, 6, -6], count, p=[0.9, 0.05, 0.05])


def answers(
    noise: Callable[[np.random.Generator, int], np.ndarray],
    *,
    sd: float,
    level: str,
    error: float = 0.05,
    pilot: int = 0,
    repeats: int = 150,
) -> list[tuple[str | None, int]]:
    """Bisect's use: look after every block, stop at the first answer."""
    rng = np.random.default_rng([5, pilot, round(1000 * sd), level == "bad"])
    found = []
    for _ in range(repeats):
        values = sd * noise(rng, MOST) + DELTA * (level == "bad")
        earlier = DELTA + sd * noise(rng, pilot)
        answer = None
        for blocks in range(1, MOST + 1):
            answer = step(values[:blocks], DELTA, error, pilot=earlier)
            if answer:
                break
        found.append((answer, blocks))
    return found


@pytest.mark.parametrize("pilot", [0, 12])
@pytest.mark.parametrize("level", ["good", "bad"])
@pytest.mark.parametrize("noise", [normal, heavy_tailed, disturbed])
@pytest.mark.parametrize("ratio", [0.3, 1.0])
def test_wrong_answers_are_at_most_as_frequent_as_stated(noise, ratio, level, pilot):
    found = answers(noise, sd=ratio * DELTA, level=level, pilot=pilot)

    wrong = sum(answer not in (level, None) for answer, _ in found)
    # More than this would happen with probability 1e-4 at an error of exactly .05.
    assert wrong <= binom.isf(1e-4, len(found), 0.05)


def test_looking_after_every_block_costs_a_plain_t_test_its_error():
    """Shows that the guarantee above is one: the same stops with t tests exceed it."""
    rng = np.random.default_rng(6)
    values = 0.05 * rng.standard_normal((300, 60))
    counts = np.arange(3, 61)
    cumulative = np.cumsum(values, 1)[:, 2:], np.cumsum(values**2, 1)[:, 2:]
    means = cumulative[0] / counts
    errors = np.sqrt((cumulative[1] / counts - means**2) / (counts - 1))

    wrong = (means / errors > 1.7).any(axis=1).sum()

    assert wrong > binom.isf(1e-4, 300, 0.05)


@pytest.mark.parametrize("level", ["good", "bad"])
@pytest.mark.parametrize("pilot", [0, 12])
@pytest.mark.parametrize("ratio", [0.1, 0.5, 1.0])
def test_expected_blocks_are_about_the_mean_of_what_it_takes(ratio, pilot, level):
    found = answers(normal, sd=ratio * DELTA, level=level, pilot=pilot, repeats=60)

    mean = np.mean([blocks for _, blocks in found])
    expected = expected_blocks(ratio * DELTA, DELTA, 0.05, pilot_blocks=pilot)
    # "About": measured over 400 repeats it lies within 20 %; 60 add 3 standard errors, about 20 %.
    assert mean == pytest.approx(expected, rel=0.4, abs=0.5)


def test_evidence_is_a_martingale_with_mean_one_under_its_null_hypothesis():
    """Averaged over noise of any scale, the likelihood ratio after three blocks is one."""
    rng = np.random.default_rng(8)
    values = 3.0 * rng.standard_normal((4000, 3))

    ratios = [math.exp(log_evidence(3, row.sum(), row @ row, 0)) for row in values]

    assert np.mean(ratios) == pytest.approx(1, abs=5 * np.std(ratios) / math.sqrt(len(ratios)))


def integral(count: int, slope: float) -> float:
    """Log of the docstring's integral, by another rule, scaled by the integrand's peak."""
    peak = (slope + math.sqrt(slope**2 + 4 * (count - 1))) / 2

    def exponent(s: float) -> float:
        return (count - 1) * math.log(s) - s**2 / 2 + slope * s

    def scaled(s: float) -> float:
        return math.exp(exponent(s) - exponent(peak))

    left, right = (integrate.quad(scaled, *ends)[0] for ends in ((0, peak), (peak, peak + 15)))
    return math.log(left + right) + exponent(peak)


@pytest.mark.parametrize(("blocks", "mean", "freedom"), [(2, 0.9, 0), (5, 2.0, 0), (4, 0.0, 7)])
def test_evidence_is_the_average_of_the_docstrings_ratios(blocks, mean, freedom):
    square = blocks * mean**2 + (blocks - 1 + freedom) * 0.5**2
    count, slope = blocks + freedom, blocks * mean / math.sqrt(square)

    logs = [
        integral(count, theta * slope) - integral(count, 0.0) - blocks * theta**2 / 2
        for theta in STANDARDISED_MEANS
    ]

    expected = np.logaddexp.reduce(logs) - math.log(len(logs))
    # The rule in use is exact to 1e-9, its opponent to 1.5e-8.
    assert log_evidence(blocks, blocks * mean, square, freedom) == pytest.approx(expected, abs=1e-7)


# Multiples of 1/256 are subtracted and added without rounding.
@given(
    st.lists(st.integers(-80, 80), min_size=2, max_size=12),
    st.integers(3, 50),
    st.sampled_from([0.05, 0.01]),
)
@settings(max_examples=50)
def test_exchanging_the_levels_exchanges_the_answers(numbers, step_size, error):
    assume(2 * sum(numbers) != step_size * len(numbers))  # halfway, neither level is nearer
    values, delta = [number / 256 for number in numbers], step_size / 256
    other = {"good": "bad", "bad": "good", None: None}

    answer = step(values, delta, error)

    assert step([delta - value for value in values], delta, error) == other[answer]
    assert step([-value for value in values], -delta, error) == answer


def test_a_single_block_is_never_enough():
    assert LEAST_BLOCKS == 2
    assert step([0.05], 0.05, 0.05, pilot=[0.05, 0.0500001, 0.05]) is None


def test_values_without_any_noise_are_decided():
    assert step([0.05] * 3, 0.05, 0.01) == "bad"
    assert step([0.0] * 3, 0.05, 0.01) == "good"


def test_less_error_takes_more_blocks():
    assert expected_blocks(0.05, 0.05, 0.001) > expected_blocks(0.05, 0.05, 0.05)


@pytest.mark.parametrize(("delta", "error"), [(0.0, 0.05), (math.nan, 0.05), (0.1, 0), (0.1, 0.5)])
def test_a_step_that_is_none_is_refused(delta, error):
    with pytest.raises(BadUsage, match="give a"):
        step([0.1, 0.1], delta, error)


@given(st.integers(1, 60), st.data())
def test_a_bisection_finds_the_first_bad_commit_in_the_steps_stated(places, data):
    commits = [f"c{index}" for index in range(places + 1)]
    first_bad = data.draw(st.integers(1, places))
    verdicts, error_left, steps = {}, 0.05, steps_left(commits, {})

    for _ in range(places):
        if (commit := next_candidate(commits, verdicts)) is None:
            break
        error_left -= step_error(commits, verdicts, error_left)
        verdicts[commit] = "bad" if commits.index(commit) >= first_bad else "good"

    assert steps == math.ceil(math.log2(places))
    assert len(verdicts) <= steps
    assert error_left >= -1e-12
    found = suspects(commits, verdicts)
    assert (found.first_bad, found.between) == (commits[first_bad], ())


@given(st.integers(2, 40), st.data())
def test_skipped_commits_stay_suspects_and_the_errors_still_add_up(places, data):
    commits = [f"c{index}" for index in range(places + 1)]
    first_bad = data.draw(st.integers(1, places))
    unbuildable = data.draw(st.sets(st.sampled_from(commits[1:-1])))
    verdicts, spent = {}, 0.0

    while (commit := next_candidate(commits, verdicts)) is not None:
        if commit in unbuildable:
            verdicts[commit] = "skipped"
            continue
        spent += step_error(commits, verdicts, 0.05 - spent)
        verdicts[commit] = "bad" if commits.index(commit) >= first_bad else "good"

    found = suspects(commits, verdicts)
    assert spent <= 0.05 + 1e-12
    assert set(found.between) <= unbuildable
    assert commits[first_bad] in (*found.between, found.first_bad)


def test_the_steps_of_a_bisection_without_skips_have_equal_shares():
    commits = [str(index) for index in range(17)]
    verdicts, left, shares = {}, 0.04, []

    while (commit := next_candidate(commits, verdicts)) is not None:
        shares.append(step_error(commits, verdicts, left))
        left -= shares[-1]
        verdicts[commit] = "bad"

    assert shares == pytest.approx([0.01] * 4)


def test_verdicts_that_contradict_each_other_are_refused():
    with pytest.raises(BadUsage, match="c is good though the earlier b is bad"):
        next_candidate("abcd", {"b": "bad", "c": "good"})


@pytest.mark.parametrize("commits", [["a"], ["a", "b", "a"]])
def test_commits_that_span_nothing_are_refused(commits):
    with pytest.raises(BadUsage, match="give two or more"):
        next_candidate(commits, {})
