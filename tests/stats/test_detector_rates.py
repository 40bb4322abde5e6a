"""What the detector promises: how rarely it is wrong, how often it is right, and how quick it is.

Each rate is a binomial test: it fails where a detector as good as stated would do so once in ten
thousand. The noise here is drawn anew, not from the bench.
"""

import itertools
import math
import time
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import binom, poisson

from convbench.stats import _elimination
from convbench.stats.change_points import ChangePoint, find_change_points

Values = NDArray[np.float64]
Noise = Callable[[np.random.Generator, int], Values]

CV = 0.02
CHANCE = 1e-4


def normal(rng: np.random.Generator, n: int) -> Values:
    return rng.standard_normal(n)


def outliers(rng: np.random.Generator, n: int) -> Values:
    return rng.standard_normal(n) + (rng.random(n) < 0.05) * math.log(1.3) / CV


def two_modes(rng: np.random.Generator, n: int) -> Values:
    return 0.4 * rng.standard_normal(n) + 2.0 * (rng.random(n) < 0.3)


def blocks_of_scatter(rng: np.random.Generator, n: int) -> Values:
    """Scatter that halves and doubles every 10 to 40 commits."""
    scales: list[float] = []
    while len(scales) < n:
        scales += [float(rng.choice([0.5, 1.0, 2.0]))] * int(rng.integers(10, 41))
    return rng.standard_normal(n) * scales[:n] / math.sqrt(1.75)


KINDS = [normal, outliers, two_modes, blocks_of_scatter]


def drawn(noise: Noise, n: int, count: int, *, step: float = 0.0, seed: int = 0) -> list[Values]:
    """Draw histories with a step of `step` upwards in the middle."""
    rng = np.random.default_rng([2026, n, seed])
    shift = np.repeat([0.0, math.log1p(step)], [n // 2, n - n // 2])
    return [np.exp(CV * noise(rng, n) + shift) for _ in range(count)]


def false_changes(noise: Noise, n: int, points: int) -> int:
    return sum(len(find_change_points(history)) for history in drawn(noise, n, points // n))


@pytest.mark.parametrize("noise", KINDS)
@pytest.mark.parametrize("n", [50, 200, 1000])
def test_at_most_one_false_change_in_ten_thousand_points(noise: Noise, n: int) -> None:
    # Up to 0.3 measured.
    assert false_changes(noise, n, 60_000) <= binom.ppf(1 - CHANCE, 60_000, 1e-4)


@pytest.mark.parametrize(
    ("noise", "n"),
    [
        *itertools.product([normal, outliers, blocks_of_scatter], [5, 6, 8, 10, 14, 20]),
        # Three commits in a row in the rarer mode, and all others not, are a step: from 14 on only.
        *itertools.product([two_modes], [14, 20, 30]),
    ],
)
def test_short_histories_have_at_most_two_in_ten_thousand(noise: Noise, n: int) -> None:
    assert false_changes(noise, n, 20_000) <= binom.ppf(1 - CHANCE, 20_000, 2e-4)


@pytest.mark.parametrize("noise", KINDS)
def test_that_test_would_notice_lower_thresholds(
    noise: Noise, monkeypatch: pytest.MonkeyPatch
) -> None:
    lower = {n: threshold - 6 for n, threshold in _elimination.RANK_THRESHOLD.items()}
    monkeypatch.setattr(_elimination, "RANK_THRESHOLD", lower)

    assert false_changes(noise, 14, 40_000) > binom.ppf(1 - CHANCE, 40_000, 2e-4)


@pytest.mark.parametrize("noise", KINDS)
def test_at_most_five_alerts_in_ten_thousand_new_commits(noise: Noise) -> None:
    looks = alerts = 0
    for history in drawn(noise, 90, 50, seed=1):
        told: list[int] = []
        for newest in range(20, history.size + 1):
            places = [change.index for change in find_change_points(history[:newest])]
            for place in places:
                alerts += all(abs(place - other) > 3 for other in told)
                told.append(place)
            looks += 1

    assert alerts <= binom.ppf(1 - CHANCE, looks, 5e-4)


def drift(rng: np.random.Generator, n: int) -> Values:
    return rng.standard_normal(n) + np.linspace(0, 3, n) * rng.choice([-1, 1])


def test_a_drift_is_rarely_told_as_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    # 1.2 in a thousand points measured.
    most = binom.ppf(1 - CHANCE, 20_000, 1.5e-3)
    assert false_changes(drift, 200, 20_000) <= most

    monkeypatch.setattr(_elimination, "step_over_line", lambda *_: 0.0)
    assert false_changes(drift, 200, 20_000) > most


def ramp(rng: np.random.Generator, n: int) -> Values:
    return rng.standard_normal(n) + np.interp(np.arange(n), [n / 4, 3 * n / 4], [0, 8])


def test_a_ramp_is_no_stair(monkeypatch: pytest.MonkeyPatch) -> None:
    # 1.3 changes in each of a hundred histories measured, 3.7 if only the whole were looked at.
    most = poisson.ppf(1 - CHANCE, 100 * 2)
    assert false_changes(ramp, 200, 20_000) <= most

    monkeypatch.setattr(_elimination, "levels_over_line", lambda *_: 0.0)
    assert false_changes(ramp, 200, 20_000) > most


def missed_of_five(count: int) -> int:
    """Count the steps of 5 % that are missed where each history has five, up or down."""
    rng = np.random.default_rng([2026, 5])
    missed = 0
    for _ in range(count):
        places = 12 + np.sort(rng.choice(116, 5, replace=False)) + 15 * np.arange(5)
        steps = np.zeros(200)
        steps[places] = rng.choice([-1, 1], 5) * math.log1p(0.05)
        found = find_change_points(np.exp(CV * rng.standard_normal(200) + np.cumsum(steps)))
        missed += sum(not within(found, int(place), 2) for place in places)
    return missed


def test_of_five_steps_few_are_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    # 5 % at a CV of 2 %, 15 to 130 commits apart.
    most = binom.ppf(1 - CHANCE, 500, 0.06)
    assert missed_of_five(100) <= most

    # What a line between the neighbours explains as well would go without a second look.
    monkeypatch.setattr(_elimination, "levels_over_line", lambda *_: -math.inf)
    assert missed_of_five(100) > most


def within(changes: list[ChangePoint], place: int, distance: int) -> bool:
    return any(abs(change.index - place) <= distance for change in changes)


@pytest.mark.parametrize(
    ("noise", "step", "distance", "share"),
    [
        (normal, 0.05, 1, 0.91),  # 2.44 standard deviations; knowing both levels would give .93
        (outliers, 0.05, 1, 0.88),
        (two_modes, 0.05, 1, 0.88),
        (normal, 0.12, 0, 0.98),  # 5.7 standard deviations: wrong only when a point lies beyond 2.8
        (blocks_of_scatter, 0.10, 2, 0.96),
    ],
)
def test_a_step_is_found_as_often_as_stated(
    noise: Noise, step: float, distance: int, share: float
) -> None:
    found = [
        within(find_change_points(history), 100, distance)
        for history in drawn(noise, 200, 300, step=step)
    ]

    assert sum(found) >= binom.ppf(CHANCE, len(found), share)


def test_a_clear_step_is_told_four_commits_later() -> None:
    # 5 % at a CV of 1 %
    delays = []
    for history in drawn(normal, 120, 40, step=0.05):
        calm = history**0.5 * np.exp(np.repeat([0, math.log(1.05) / 2], 60))
        told = (k for k in range(1, 60) if within(find_change_points(calm[: 60 + k]), 60, 2))
        delays.append(next(told))

    assert np.median(delays) <= 4


@pytest.mark.parametrize("noise", KINDS)
@pytest.mark.parametrize("n", [30, 200])
def test_intervals_hold_the_truth_as_often_as_they_say(noise: Noise, n: int) -> None:
    told = [find_change_points(history) for history in drawn(noise, n, 300, step=0.12)]
    changes = [change for (change,) in (found for found in told if len(found) == 1)]

    sizes = sum(change.ratio_low <= 1.12 <= change.ratio_high for change in changes)
    places = sum(change.first <= n // 2 <= change.last for change in changes)

    assert len(changes) >= 200
    assert sizes >= binom.ppf(CHANCE, len(changes), 0.93)  # .93 to .97 measured for 95 %
    assert places >= binom.ppf(CHANCE, len(changes), 0.95)


def test_intervals_of_size_are_no_wider_than_they_must_be() -> None:
    told = [find_change_points(history) for history in drawn(normal, 200, 300, step=0.12)]

    held = sum(found[0].ratio_low <= 1.12 <= found[0].ratio_high for found in told)

    # A hundred points on each side: about 95 %, where intervals twice as wide would hold 99.99 %.
    assert held <= binom.ppf(1 - CHANCE, len(told), 0.96)


@pytest.mark.parametrize("noise", KINDS)
def test_p_values_are_no_smaller_than_they_should_be(
    noise: Noise, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Thresholds 3 nats lower tell more of the noise; margins and so p-values refer to them.
    lower = {n: threshold - 3 for n, threshold in _elimination.RANK_THRESHOLD.items()}
    monkeypatch.setattr(_elimination, "RANK_THRESHOLD", lower)
    n, count = 100, 400
    smallest = [
        min((change.p_value * math.e**3 for change in find_change_points(history)), default=1.0)
        for history in drawn(noise, n, count, seed=2)
    ]

    for level in (0.03, 0.1, 0.2):
        assert np.sum(np.array(smallest) <= level) <= binom.ppf(1 - CHANCE, count, level)


def test_p_values_fall_with_the_evidence() -> None:
    medians = [
        np.median([find_change_points(h)[0].p_value for h in drawn(normal, 60, 20, step=step)])
        for step in (0.08, 0.12, 0.2)
    ]

    assert medians == sorted(medians, reverse=True)
    assert medians[-1] < 1e-4


def test_a_thousand_points_take_five_milliseconds() -> None:
    history = drawn(outliers, 1000, 1)[0]
    levels = history * np.exp(np.repeat([0, 0.1, -0.1, 0.2, 0.1, 0, 0.1, 0.2], 125))

    def milliseconds(values: Values) -> float:
        start = time.process_time()
        for _ in range(5):
            find_change_points(values)
        return (time.process_time() - start) * 1e3 / 5

    for values in (history, levels):
        find_change_points(values)  # compiles
        # The best of some: 0.5 and 2.4 measured.
        assert min(milliseconds(values) for _ in range(5)) <= 5
