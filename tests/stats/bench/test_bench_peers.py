"""The table of detectors: ours, plain rules by hand, peers where installed, named where not."""

import importlib.util

import numpy as np
import pytest

from convbench.stats import find_change_points
from convbench.stats.bench import perfherder as rule
from convbench.stats.bench.detectors import DETECTORS, Detector, plain_threshold
from convbench.stats.bench.noise import Values
from convbench.stats.bench.perfherder import perfherder

NAMES = ("ours", "asv", "otava", "pelt-2", "pelt-6", "perfherder", "threshold-5", "threshold-10")


def noisy(*levels: float, length: int = 50, cv: float = 0.01) -> Values:
    rng = np.random.default_rng(3)
    return np.repeat(levels, length) * np.exp(cv * rng.standard_normal(length * len(levels)))


def test_the_names_are_these() -> None:
    """Results carry them."""
    assert tuple(DETECTORS) == NAMES


def test_ours_is_what_users_call() -> None:
    values = noisy(1.0, 1.1, 1.0)

    assert DETECTORS["ours"].find(values) == [c.index for c in find_change_points(values)]


@pytest.mark.parametrize("name", NAMES)
def test_a_clear_step_is_found_by_all(name: str) -> None:
    detector = DETECTORS[name]
    if not detector.installed:
        pytest.skip(detector.how_to_install)

    found = detector.find(noisy(1.0, 2.0))

    assert found == [50]
    assert all(type(place) is int for place in found)


@pytest.mark.parametrize("name", NAMES)
def test_equal_values_have_no_change(name: str) -> None:
    detector = DETECTORS[name]
    if not detector.installed:
        pytest.skip(detector.how_to_install)

    assert list(detector.find(np.ones(60))) == []


def test_a_missing_peer_is_named_with_the_way_to_install_it() -> None:
    detector = Detector("peer", lambda _: [], "its rule", "some-package", "no_such_module")

    assert not detector.installed
    assert detector.how_to_install == (
        "peer is left out: some-package is not installed; pip install some-package, "
        "or convbench[detectors] for every peer"
    )


@pytest.mark.parametrize("name", [n for n in NAMES if DETECTORS[n].module])
def test_a_peer_is_installed_when_python_finds_it(name: str) -> None:
    detector = DETECTORS[name]

    assert detector.installed == (importlib.util.find_spec(detector.module) is not None)


def test_what_is_ours_needs_nothing() -> None:
    own = [one for one in DETECTORS.values() if not one.module]

    assert [one.name for one in own] == ["ours", "perfherder", "threshold-5", "threshold-10"]
    assert all(one.installed and one.version == "" for one in own)


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ([1, 1, 1, 1.04], []),  # 4 % of 1
        ([1, 1, 1, 1.06], [3]),
        ([1, 1, 1, 1 / 1.06], [3]),  # down by the same factor
        ([1, 1, 1, 0.955], []),  # 4.5 % less: within 1 / 1.05
        ([1, 1, 2], []),  # two values are no baseline
        ([1, 1, 1, 2, 2, 2, 2], [3]),  # the baseline begins anew at the report
        ([1, 1, 1, 2, 1, 1, 1, 1], [3]),  # median of 2, 1, 1 is 1 again
        ([1, 1, 1, 2, 2, 2, 1], [3, 6]),
        ([1] * 5 + [1.04] * 9 + [1.085] * 2, []),  # creeping: the last ten are the baseline
    ],
)
def test_a_plain_threshold_compares_with_the_median_of_the_last_values(
    values: list[float], found: list[int]
) -> None:
    assert plain_threshold(np.array(values, dtype=float), share=0.05) == found


def brute_force(values: Values) -> list[int]:
    """Perfherder's t once more, from the formula."""
    scores, since = [0.0], 0
    for i in range(1, len(values)):
        size = min(max(since, 12), 24)
        before, after = values[max(0, i - size) : i], values[i : i + 12]
        weights = np.arange(1, len(before) + 1), np.arange(len(after), 0, -1)  # the nearest most
        means = np.average(before, weights=weights[0]), np.average(after, weights=weights[1])
        spread = sum(
            np.sum((part - mean) ** 2) / max(len(part) - 1, 1) / len(part)
            for part, mean in zip((before, after), means, strict=True)
        )
        scores.append(abs(means[1] - means[0]) / np.sqrt(spread) if spread else 0.0)
        since = 0 if scores[-1] > 7 else since + 1
    return [
        i
        for i in range(12, len(values) - 11)
        if scores[i] > 7 and scores[i] >= scores[i - 1] and scores[i] >= max(scores[i : i + 2])
    ]


@pytest.mark.parametrize("levels", [(1, 1.2), (1, 1.1, 1), (1, 1, 1), (1, 1.05, 1.3, 1)])
def test_perfherder_is_the_weighted_t_test(levels: tuple[float, ...]) -> None:
    values = noisy(*levels)

    assert perfherder(values) == brute_force(values)


def test_perfherder_is_the_weighted_t_test_where_every_commit_is_in_doubt(
    rng: np.random.Generator,
) -> None:
    """Random walks: hundreds of scores on either side of the threshold."""
    walks = np.exp(0.02 * np.cumsum(rng.standard_normal((20, 200)), axis=1))
    expected = [brute_force(walk) for walk in walks]

    assert sum(map(len, expected)) > 50
    assert [perfherder(walk) for walk in walks] == expected


def test_perfherder_waits_for_twelve_values_of_the_new_level() -> None:
    values = noisy(1.0, 1.5)

    assert perfherder(values[: 50 + rule.AFTER]) == [50]
    assert perfherder(values[: 50 + rule.AFTER - 1]) == []


def test_perfherder_sees_a_step_without_any_noise() -> None:
    assert perfherder(np.repeat([1.0, 2.0], 30)) == [30]
