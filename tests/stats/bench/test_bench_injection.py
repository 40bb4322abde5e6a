"""Steps put into real histories: where they lie, what counts, what is passed over."""

import numpy as np
import pytest

from convbench.stats.bench.cost import cost
from convbench.stats.bench.figures import Figure
from convbench.stats.bench.injection import (
    FLAGS,
    FOUND,
    LEAST_POINTS,
    MOST_POINTS,
    SITES,
    SIZES,
    Measured,
    chosen,
    inject,
    usable,
    without_common_mode,
)
from convbench.stats.bench.noise import Values


def alone(*histories: Values) -> list[Measured]:
    return [Measured(values, np.arange(values.size)) for values in histories]


def flat(count: int, length: int = 100) -> list[Measured]:
    """Histories without any noise, each of its own level."""
    return alone(*(np.full(length, 1.0 + number) for number in range(count)))


def exact(values: Values) -> list[int]:
    return [int(place) for place in np.flatnonzero(np.diff(values)) + 1]


def by_size(figures: list[Figure]) -> dict[float, Figure]:
    return {one.cell.step: one for one in figures if one.measure == FOUND}


def flags(figures: list[Figure]) -> Figure:
    return next(one for one in figures if one.measure == FLAGS)


def test_who_sees_every_difference_finds_every_step() -> None:
    figures = inject("some", flat(20), "d", exact, 1)

    assert flags(figures).value == 0
    assert {size: one.value for size, one in by_size(figures).items()} == dict.fromkeys(SIZES, 1.0)
    assert {one.total for one in by_size(figures).values()} == {20 * SITES}


def test_who_reports_nothing_finds_nothing() -> None:
    figures = inject("some", flat(20), "d", lambda _: [], 1)

    assert [one.value for one in figures] == [0.0] * len(figures)


def test_sites_near_own_flags_are_passed_over() -> None:
    """Flags at every 11th commit leave none that is farther than 5 from all."""
    figures = inject("some", flat(20), "d", lambda values: list(range(0, values.size, 11)), 1)

    assert flags(figures).value == pytest.approx(0.1)
    assert {one.total for one in by_size(figures).values()} == {0}


def test_steps_lie_in_the_middle_and_go_both_ways() -> None:
    seen: list[Values] = []
    inject("some", flat(50), "d", lambda values: seen.append(values) or [], 1)
    changed = [values for values in seen if np.ptp(values) > 0]
    places = [exact(values)[0] for values in changed]
    ratios = {round(float(values[-1] / values[0]), 4) for values in changed}

    assert len(changed) == 50 * SITES * len(SIZES)
    assert 15 <= min(places) < 20
    assert 80 < max(places) <= 85
    assert ratios == {round((1 + d) ** sign, 4) for d in SIZES for sign in (-1, 1)}


def test_sites_don_t_depend_on_the_detector() -> None:
    """But for those that are passed over."""
    sites: list[list[int]] = [[], []]
    for seen in sites:
        inject("some", flat(5), "d", lambda values, seen=seen: seen.extend(exact(values)) or [], 1)

    assert sites[0] == sites[1] != []


def test_short_histories_are_left_out_and_long_ones_cut_to_the_newest() -> None:
    histories = [np.arange(1.0, 1 + length) for length in (LEAST_POINTS - 1, LEAST_POINTS, 1000)]

    kept = usable(alone(*histories))

    assert [one.values.size for one in kept] == [LEAST_POINTS, MOST_POINTS]
    assert (kept[-1].values[-1], kept[-1].commits[-1]) == (1000, 999)


def test_a_share_of_the_histories_is_spread_evenly() -> None:
    assert chosen(101, 0.1) == [0, 11, 22, 33, 44, 56, 67, 78, 89, 100]
    assert chosen(0, 0.1) == []


def test_only_a_share_is_looked_at() -> None:
    figures = inject("some", flat(20), "d", exact, 1, share=0.25)

    assert flags(figures).total == 5 * 100
    assert {one.total for one in by_size(figures).values()} == {5 * SITES}


def busy_machine(histories: int, commits: int = 100) -> list[Measured]:
    """Times of one environment, all of them half slower at every fifth commit."""
    rng = np.random.default_rng(3)
    busy = np.where(np.arange(commits) % 5 == 4, 1.5, 1.0)
    return [
        Measured(
            busy * np.exp(0.01 * rng.standard_normal(commits)), np.arange(commits), beside="py3"
        )
        for _ in range(histories)
    ]


def test_detect_sees_a_history_without_what_the_others_share_with_it() -> None:
    histories = busy_machine(30)
    sees = without_common_mode(histories)
    changed = histories[0].values.copy()
    changed[50:] *= 1.05

    quiet = sees(0, changed)

    assert histories[0].values.max() > 1.4
    assert quiet[3:-3].max() < 1.1  # at the ends a level and a disturbance look alike
    assert np.median(quiet[50:]) / np.median(quiet[:50]) == pytest.approx(1.05, abs=0.02)


def test_detect_sees_lonely_histories_as_they_are() -> None:
    history = np.exp(np.random.default_rng(4).standard_normal(100))

    assert np.array_equal(without_common_mode(alone(history))(0, history), history)


def test_cost_is_what_the_clock_says() -> None:
    """A clock that goes 3 ms per look: between two looks 3 ms went by."""
    ticks = iter(range(10_000))

    figures = cost("d", exact, lambda: next(ticks) * 0.003, 1)

    assert {one.cell.points for one in figures} == {200, 500, 1000}
    assert {one.cell.step > 0 for one in figures} == {False, True}
    assert [one.value for one in figures] == pytest.approx([3.0] * len(figures))
