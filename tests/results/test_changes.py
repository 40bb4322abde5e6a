"""What a search of histories adds to the statistics: what it takes out, and what it joins."""

import dataclasses

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from convbench.results.changes import Searched, Surroundings, packages_changed, search
from convbench.results.histories import LABELS, History
from convbench.stats.null_control import BENCHMARK as NULL_CONTROL

COMMITS = [f"c{number}" for number in range(40)]
KNOWN = Surroundings(order={"p": (np.arange(40), COMMITS)}, disturbed={}, packages={})


def history(numbers: "np.ndarray", **labels: str) -> History:
    """Make a history of one value per commit; NaN fails."""
    count = len(numbers)
    texts = np.full(count, "", object)
    given = {"project": "p", "machine": "m", "unit": "seconds", "benchmark": "b.time_x", **labels}
    return History(
        labels={**dict.fromkeys(LABELS, ""), **given},
        params={},
        commits=np.array(COMMITS[:count], object),
        positions=np.arange(count),
        numbers=numbers,
        statuses=np.where(np.isnan(numbers), "failed", "ok").astype(object),
        runs=texts,
        identities=texts,
    )


def noisy(*levels: tuple[float, int], seed: int) -> "np.ndarray":
    level = np.concatenate([np.full(count, value) for value, count in levels])
    return level * np.exp(0.01 * np.random.default_rng(seed).standard_normal(len(level)))


def searched(*histories: History, is_rate: bool = False) -> list[Searched]:
    return list(search(histories, KNOWN, lambda _: is_rate))


BUSY = ((1.0, 16), (1.3, 3), (1.0, 21))


def controls() -> list[History]:
    """Make the histories of a null control on a machine that was busy for three commits."""
    return [
        history(noisy(*BUSY, seed=seed), benchmark=NULL_CONTROL, params=str(seed))
        for seed in range(6)
    ]


def test_what_a_machine_does_to_all_for_a_while_is_no_change_of_one() -> None:
    """Three commits at +30 %, which the null control shows as well."""
    own = history(noisy(*BUSY, seed=100))
    seen: list[np.ndarray] = []

    def watch(values: "np.ndarray", **_: object) -> list[object]:
        seen.append(values)
        return []

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("convbench.results.changes.find_change_points", watch)
        searched(*controls(), own)

    assert np.median(own.numbers[16:19]) > 1.25
    assert np.median(seen[-1][16:19]) < 1.1
    for one, given in zip(seen, controls(), strict=False):
        assert_array_equal(one, given.numbers)  # the control itself is what is compared with


@pytest.mark.parametrize("labels", [{"environment": "other"}, {"unit": "bytes"}, {"blas": "mkl"}])
def test_only_times_that_were_measured_beside_the_control_are_corrected(
    labels: dict[str, str],
) -> None:
    own = history(noisy(*BUSY, seed=100), **labels)
    seen: list[np.ndarray] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "convbench.results.changes.find_change_points",
            lambda values, **_: seen.append(values) or [],
        )
        searched(*controls(), own)

    assert_array_equal(seen[-1], own.numbers)


def test_a_change_says_where_it_is_and_between_which_commits() -> None:
    (found,) = searched(history(noisy((1.0, 20), (1.5, 20), seed=1)))
    (change,) = found.changes

    assert (change["commit"], change["previous_commit"], change["position"]) == ("c20", "c19", 20)
    assert change["range_first_position"] <= 20 <= change["range_last_position"]
    assert change["range_first"] == COMMITS[change["range_first_position"]]
    assert change["range_last"] == COMMITS[change["range_last_position"]]
    assert change["ratio_low"] < 1.5 < change["ratio_high"]
    assert change["points"] == len(found.positions) == 40


def test_commits_that_a_history_did_not_measure_are_in_its_range() -> None:
    """A history of every second commit: the first bad one may be that before the measured one."""
    every = history(noisy((1.0, 10), (1.5, 10), seed=1))
    half = dataclasses.replace(
        every,
        positions=2 * np.arange(20),
        commits=np.array(COMMITS[::2], object),
    )
    (whole,), (sparse,) = (searched(one)[0].changes for one in (every, half))

    last_good = 2 * (whole["range_first_position"] - 1)
    assert sparse["range_first_position"] == last_good + 1
    assert sparse["range_last_position"] == 2 * whole["range_last_position"]


def test_failures_are_changes_of_their_own_kind() -> None:
    numbers = noisy((1.0, 40), seed=1)
    numbers[[10, 20, 21, 22]] = np.nan  # one alone is no state
    (found,) = searched(history(numbers))

    assert [(one["kind"], one["commit"], one["previous_commit"]) for one in found.changes] == [
        ("starts failing", "c20", "c19"),
        ("works again", "c23", "c22"),
    ]
    assert [one["recovered"] for one in found.changes] == [True, False]
    assert all(np.isnan(one["ratio"]) for one in found.changes)


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [
        ({"numpy": "2.1.0"}, {"numpy": "2.2.0"}, "numpy 2.1.0 → 2.2.0"),
        ({"numpy": "2.1.0"}, {"numpy": "2.1.0"}, ""),
        ({"numpy": "1", "mkl": "3"}, {"numpy": "1", "blis": ""}, "blis added, mkl 3 removed"),
        ({"six": ""}, {"six": "1.0"}, "six unpinned → 1.0"),
        ({}, {"numpy": "2.1.0"}, ""),  # of one of the two nothing is known
    ],
)
def test_packages_that_differ_are_named(
    before: dict[str, str], after: dict[str, str], text: str
) -> None:
    assert packages_changed(before, after) == text
    assert packages_changed(list(before.items()), list(after.items())) == text  # type: ignore[arg-type]
