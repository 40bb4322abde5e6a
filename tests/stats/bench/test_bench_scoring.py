"""What counts as found, against an oracle that tries every matching."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convbench.stats.bench.noise import Values
from convbench.stats.bench.scoring import (
    SAME_ALERT,
    TOLERANCE,
    Matches,
    online_alerts,
    online_delay,
    within,
)

POSITIONS = st.lists(st.integers(0, 30), max_size=5, unique=True).map(sorted)


def nearest_first(true: list[int], detected: list[int], tolerance: int) -> int:
    """The definition word for word: take the nearest free pair again and again."""
    changes, places = set(true), set(detected)
    found = 0
    while pairs := [(abs(p - c), c, p) for c in changes for p in places if abs(p - c) <= tolerance]:
        _, change, place = min(pairs)
        changes.remove(change)
        places.remove(place)
        found += 1
    return found


def most_possible(true: list[int], detected: list[int], tolerance: int) -> int:
    """The greatest number of pairs of any matching, by trying all."""
    few, many = sorted([true, detected], key=len)
    return max(
        sum(abs(a - b) <= tolerance for a, b in zip(few, chosen, strict=True))
        for chosen in itertools.permutations(many, len(few))
    )


@given(POSITIONS, POSITIONS, st.integers(0, 6))
def test_matching_is_nearest_first(true: list[int], detected: list[int], tolerance: int) -> None:
    matches = within(true, detected, tolerance)

    assert matches.found == nearest_first(true, detected, tolerance)
    assert matches == Matches(
        matches.found, len(detected) - matches.found, len(true) - matches.found
    )
    # Greedy loses at most half of what is possible, and nothing where changes lie far apart.
    best = most_possible(true, detected, tolerance)
    assert best / 2 <= matches.found <= best


@given(POSITIONS, POSITIONS)
def test_changes_far_apart_lose_nothing_by_greed(true: list[int], detected: list[int]) -> None:
    apart = [position * (2 * TOLERANCE + 1) for position in true]

    found = within(apart, detected, TOLERANCE).found

    assert found == most_possible(apart, detected, TOLERANCE)


@pytest.mark.parametrize(
    ("true", "detected", "tolerance", "expected"),
    [
        ([50], [52], 2, Matches(1, 0, 0)),
        ([50], [53], 2, Matches(0, 1, 1)),
        ([50], [49, 51], 2, Matches(1, 1, 0)),  # the second is not the same change again
        ([50, 53], [51], 2, Matches(1, 0, 1)),
        ([], [3], 2, Matches(0, 1, 0)),
        ([], [], 2, Matches(0, 0, 0)),
    ],
)
def test_matching_by_hand(
    true: list[int], detected: list[int], tolerance: int, expected: Matches
) -> None:
    assert within(true, detected, tolerance) == expected


def test_an_alert_is_what_no_earlier_look_had_nearby() -> None:
    looks = {10: [], 11: [5], 12: [8], 13: [5, 12], 14: [], 15: [12]}

    alerts = online_alerts(lambda values: looks[values.size], np.zeros(15), 10)

    # 8 is 3 from 5; 12 is 4 from 8; the last look brings nothing new.
    assert SAME_ALERT == 3
    assert alerts == [(11, 5), (13, 12)]


def test_a_detection_that_wanders_in_small_steps_alerts_once() -> None:
    alerts = online_alerts(lambda values: [values.size - 5], np.zeros(60), 10)

    assert alerts == [(10, 5)]


def test_two_detections_far_apart_are_two_alerts_of_one_look() -> None:
    assert online_alerts(lambda _: [2, 9], np.zeros(10), 10) == [(10, 2), (10, 9)]


@pytest.mark.parametrize(("seen_from", "delay"), [(21, 1.0), (24, 4.0), (40, 20.0), (41, math.inf)])
def test_the_delay_counts_commits_of_the_new_level(seen_from: int, delay: float) -> None:
    def find(values: Values) -> list[int]:
        return [19] if values.size >= seen_from else [3]

    assert online_delay(find, np.zeros(40), 20) == delay
