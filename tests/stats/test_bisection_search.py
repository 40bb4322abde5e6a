"""A bisection names the right commit with the error stated, whatever the size of the step is."""

import itertools
import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from convbench.errors import BadUsage
from convbench.stats import bisection_search
from convbench.stats.bisection_search import (
    KNOWN,
    MOST_BLOCKS,
    Progress,
    Question,
    interval,
    progress,
)
from convbench.stats.level_bound import bad_level
from convbench.stats.planning import blocks_needed
from convbench.stats.sequential import step

Noise = Callable[[np.random.Generator], float]

DELTA = math.log(1.1)
ERROR = 0.02


def normal(rng: np.random.Generator) -> float:
    return float(rng.standard_normal())


def heavy_tailed(rng: np.random.Generator) -> float:
    return float(rng.standard_t(3)) / math.sqrt(3)


def commits(places: int) -> tuple[str, ...]:
    return tuple(f"c{number}" for number in range(places + 1))


def bisected(
    question: Question,
    level: Callable[[int], float],
    noise: Callable[[], float] = lambda: 0.0,
    broken: Sequence[str] = (),
) -> Progress:
    """Measure what is wanted until nothing is; `level` says how much slower a commit is."""
    values: dict[str, list[float]] = {}
    skipped: dict[str, str] = {}
    while True:
        now = progress(question, values, skipped)
        if now.wanted is None:
            return now
        assert now.outcome is None
        if now.wanted in broken:
            skipped[now.wanted] = "can't be built"
        else:
            place = question.commits.index(now.wanted)
            values.setdefault(now.wanted, []).append(level(place) + noise())


def random_bisections(
    rng: np.random.Generator, noise: Noise, *, spread: float, expected: float | None, count: int
) -> tuple[int, int]:
    """Bisect so many random histories; count the right and the wrong commits."""
    right = wrong = 0
    for _ in range(count):
        places = int(rng.integers(2, 25))
        at = int(rng.integers(1, places + 1))
        question = Question(commits(places), expected, ERROR)
        now = bisected(
            question,
            lambda place, at=at: DELTA * (place >= at),
            lambda: spread * DELTA * noise(rng),
        )
        if now.outcome == "found":
            right += now.suspects.first_bad == f"c{at}"
            wrong += now.suspects.first_bad != f"c{at}"
    return right, wrong


def test_the_right_commit_is_found_as_often_as_stated() -> None:
    rng = np.random.default_rng(11)
    # What was seen may have been larger than the truth, as is what is found by searching.
    cases = [
        (normal, 0.2, DELTA, 30),
        (normal, 0.5, 1.5 * DELTA, 50),
        (heavy_tailed, 0.5, DELTA, 50),
        (heavy_tailed, 0.5, None, 30),
        (normal, 0.8, DELTA, 40),
    ]

    counts = [
        random_bisections(rng, noise, spread=spread, expected=expected, count=count)
        for noise, spread, expected, count in cases
    ]

    right, wrong = (sum(each) for each in zip(*counts, strict=True))
    number = sum(count for *_, count in cases)
    # More than this would happen with probability 1e-4 at an error of exactly .02.
    assert wrong <= binom.isf(1e-4, number, ERROR)
    # Those without an answer ended at `MOST_BLOCKS`: few even at the greatest noise.
    assert right >= (1 - ERROR) * number - binom.isf(1e-4, number, ERROR)


def test_the_mean_of_the_ends_would_be_too_large_too_often() -> None:
    """Shows that a bound is needed: blocks end when their mean is large."""
    rng = np.random.default_rng(12)
    too_large = 0
    for _ in range(150):
        values: tuple[float, ...] = ()
        while not bad_level(values, DELTA, ERROR):
            values += (DELTA + DELTA * normal(rng),)
        too_large += np.mean(values) > 1.1 * DELTA

    assert too_large > binom.isf(1e-4, 150, ERROR)


@pytest.mark.parametrize("expected", [DELTA, None])
@pytest.mark.parametrize("noise", [normal, heavy_tailed])
def test_the_bound_of_the_bad_level_holds_whenever_one_looks(
    noise: Noise, expected: float | None
) -> None:
    rng = np.random.default_rng(13)
    broken = 0
    for _ in range(60):
        values = tuple(DELTA + 0.7 * DELTA * noise(rng) for _ in range(30))
        looks = [bad_level(values[:blocks], expected, ERROR) for blocks in range(2, 31)]
        broken += max(looks) > DELTA

    # More than this would happen with probability 1e-4 at an error of exactly .02.
    assert broken <= binom.isf(1e-4, 60, ERROR)


@given(
    st.lists(st.floats(0.9, 1.1), min_size=6, max_size=12),
    st.floats(1e-3, 10),
    st.sampled_from([1, -1]),
)
@settings(max_examples=30)
def test_the_bound_scales_with_its_values_and_has_their_sign(
    values: list[float], factor: float, sign: int
) -> None:
    one = bad_level(tuple(values), None, 0.05)
    other = bad_level(tuple(sign * factor * value for value in values), None, 0.05)

    # The search ends at 2^-12 of the mean, which is at most 1.1.
    assert other == pytest.approx(sign * factor * one, abs=factor * 1.2 * 2**-11)
    assert 0 < one <= np.mean(values)


@given(st.integers(1, 40), st.data())
@settings(max_examples=60, deadline=None)
def test_without_noise_every_place_is_found_in_the_fewest_steps(places: int, data: st.DataObject):
    at = data.draw(st.integers(1, places))
    sign = data.draw(st.sampled_from([1, -1]))
    question = Question(commits(places), None, ERROR)

    now = bisected(question, lambda place: sign * DELTA * (place >= at))

    assert (now.outcome, now.suspects.first_bad) == ("found", f"c{at}")
    assert now.suspects.last_good == f"c{at - 1}"
    assert len(now.steps) <= math.ceil(math.log2(places)) if places > 1 else not now.steps
    assert now.blocks == sum(len(each.values) for each in (now.ends, *now.steps))


@given(st.integers(2, 24), st.data())
@settings(max_examples=60, deadline=None)
def test_skipped_commits_widen_the_answer_and_never_exclude_the_truth(
    places: int, data: st.DataObject
):
    at = data.draw(st.integers(1, places))
    inner = commits(places)[1:-1]
    broken = data.draw(st.lists(st.sampled_from(inner), unique=True)) if inner else []
    question = Question(commits(places), DELTA, ERROR)

    now = bisected(question, lambda place: DELTA * (place >= at), broken=broken)

    candidates = (*now.suspects.between, now.suspects.first_bad)
    assert f"c{at}" in candidates
    assert set(now.suspects.between) <= set(broken)
    assert now.outcome == ("range" if now.suspects.between else "found")
    assert all(each.verdict == "skipped" for each in now.steps if each.commit in broken)
    spent = sum(each.error for each in (now.ends, *now.steps) if each.values)
    assert spent <= ERROR * (1 + 1e-9)


def test_a_change_that_is_not_there_is_not_reproduced() -> None:
    rng = np.random.default_rng(14)
    outcomes = [
        bisected(Question(commits(8), expected, ERROR), lambda _: 0.0, lambda: 0.01 * normal(rng))
        for expected in (DELTA, -DELTA, None)
        for _ in range(20)
    ]

    reproduced = sum(now.ends.verdict == "bad" for now in outcomes)
    # 3 steps and the ends share the error: a quarter of it is what each may be wrong.
    assert reproduced <= binom.isf(1e-4, len(outcomes), ERROR / 4)
    assert sum(now.outcome == "not reproduced" for now in outcomes) >= 54
    assert all(not now.steps for now in outcomes if now.ends.verdict != "bad")


def test_half_of_what_was_seen_is_a_change_all_the_same() -> None:
    now = bisected(Question(commits(8), 2 * DELTA, ERROR), lambda place: DELTA * (place >= 3))

    assert (now.outcome, now.suspects.first_bad) == ("found", "c3")


def test_a_change_the_other_way_is_another_one() -> None:
    now = bisected(Question(commits(8), DELTA, ERROR), lambda place: -DELTA * (place >= 3))

    assert now.outcome == "not reproduced"


def test_a_level_between_the_two_ends_undecided(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bisection_search, "MOST_BLOCKS", 15)
    level = {0: 0.0, 1: 0.0, 2: 0.27 * DELTA, 3: DELTA, 4: DELTA}
    noise = itertools.cycle([0.35 * DELTA, -0.35 * DELTA])

    now = bisected(Question(commits(4), DELTA, ERROR), level.__getitem__, lambda: next(noise))

    between = next(each for each in now.steps if each.commit == "c2")
    assert (between.verdict, len(between.values)) == ("undecided", 15)
    assert (now.outcome, now.suspects.between) == ("undecided", ("c2",))
    assert (now.suspects.last_good, now.suspects.first_bad) == ("c1", "c3")


def test_ends_that_noise_hides_are_undecided(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bisection_search, "MOST_BLOCKS", 12)
    rng = np.random.default_rng(16)

    now = bisected(Question(commits(4), DELTA, ERROR), lambda _: 0.0, lambda: 5 * normal(rng))

    assert (now.outcome, now.blocks) == ("undecided", 12)
    assert now.fixed_blocks() is None


def test_the_size_is_known_to_a_share_before_any_candidate_is_measured() -> None:
    rng = np.random.default_rng(17)
    question = Question(commits(8), DELTA, ERROR)

    now = bisected(question, lambda place: DELTA * (place >= 3), lambda: 0.05 * normal(rng))

    assert len(now.ends.values) < MOST_BLOCKS
    bound = bad_level(now.ends.values, DELTA, now.ends.error)
    assert bound >= KNOWN * np.mean(now.ends.values)
    # One block fewer was not enough: nothing is measured for nothing.
    fewer = now.ends.values[:-1]
    assert bad_level(fewer, DELTA, now.ends.error) < KNOWN * np.mean(fewer)


def test_the_first_step_ends_when_its_share_of_the_error_allows_it_and_not_before() -> None:
    rng = np.random.default_rng(18)
    question = Question(commits(16), DELTA, ERROR)

    now = bisected(question, lambda place: DELTA * (place >= 3), lambda: 0.05 * normal(rng))

    first = now.steps[0]
    level = bad_level(now.ends.values, DELTA, now.ends.error)
    assert first.error == pytest.approx(ERROR / 5)  # the ends and ⌈log₂ 16⌉ steps
    assert step(first.values, level, first.error, pilot=now.ends.values) == first.verdict == "bad"
    assert step(first.values[:-1], level, first.error, pilot=now.ends.values) is None


def test_fixed_numbers_are_those_of_tests_with_the_errors_of_the_steps() -> None:
    values: Mapping[str, Sequence[float]] = {
        "c2": [0.10, 0.102, 0.098, 0.101, 0.099],
        "c1": [0.001, -0.001, 0.0, 0.002],
    }
    now = progress(Question(commits(2), 0.1, ERROR), values, {})

    assert (now.outcome, now.suspects.first_bad) == ("found", "c2")
    spread = math.sqrt((np.var(values["c2"]) * 5 + np.var(values["c1"]) * 4) / (4 + 3))
    ratio = math.exp(np.mean(values["c2"]))
    share = ERROR / 2
    one = blocks_needed(spread, ratio, alpha=share, power=1 - share)
    assert now.fixed_blocks() == 2 * one


def test_the_interval_is_students() -> None:
    ratio, low, high = interval([0.0, 0.2])

    # Standard error .1, and 12.706 is the quantile of t with one degree of freedom.
    assert (ratio, low, high) == pytest.approx(
        (math.exp(0.1), math.exp(0.1 - 1.2706), math.exp(0.1 + 1.2706)), rel=1e-4
    )


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (Question.__name__, "1 commits to bisect"),
        ("error", "the error is 0.5"),
        ("expected", "the expected log ratio is 0"),
    ],
)
def test_a_question_without_an_answer_is_refused(given: str, message: str) -> None:
    wrong = {
        "Question": lambda: Question(("a",), None, ERROR),
        "error": lambda: Question(("a", "b"), None, 0.5),
        "expected": lambda: Question(("a", "b"), 0.0, ERROR),
    }

    with pytest.raises(BadUsage, match=message):
        wrong[given]()
