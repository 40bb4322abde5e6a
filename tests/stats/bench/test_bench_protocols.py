"""The tests of the bench: one who knows gets full marks, one who guesses gets what guesses get."""

from collections.abc import Iterable

import numpy as np
import pytest

from convbench.stats.bench.detectors import plain_threshold
from convbench.stats.bench.figures import Cell, Figure
from convbench.stats.bench.noise import KINDS, Values
from convbench.stats.bench.protocols import (
    ALERTS,
    CEILING,
    CLEAR_SIZES,
    EXTRA,
    F1,
    FALSE,
    GOAL_PROTOCOLS,
    MISSED,
    PROTOCOLS,
    WITHIN,
    evaluate,
    evaluate_ceiling,
    history,
    scaled,
)
from convbench.stats.bench.scoring import Find


class Knowing:
    """Knows the changes of every series of a cell, also of their beginnings."""

    def __init__(self, name: str, cell: Cell) -> None:
        self.changes: dict[float, tuple[int, ...]] = {}
        for repetition in range(cell.series):
            one = history(PROTOCOLS[name], cell, repetition)
            self.changes[one.values[0]] = one.changes

    def __call__(self, values: Values) -> list[int]:
        return [place for place in self.changes[values[0]] if place < values.size]


def nothing(_: Values) -> list[int]:
    return []


def everything(values: Values) -> list[int]:
    return list(range(values.size))


def small(name: str) -> Cell:
    """The first cell of a test with noise that leaves doubt, and few series."""
    cells = [cell for cell in PROTOCOLS[name].cells if cell.cv >= 0.02 and cell.points <= 200]
    return scaled(cells[:1], 0.1)[0]


def values_of(name: str, find: Find, cell: Cell | None = None) -> dict[str, float]:
    figures = evaluate(name, cell or small(name), "d", find)
    return {one.measure: one.value for one in figures}


def knowing(name: str) -> dict[str, float]:
    return values_of(name, Knowing(name, small(name)))


def test_who_knows_finds_everything_and_nothing_else() -> None:
    exact = {WITHIN[0]: 1.0, WITHIN[1]: 1.0, WITHIN[2]: 1.0, EXTRA: 0.0}

    assert knowing("step") == exact
    assert knowing("length") == exact
    assert knowing("five") == {F1: 1.0, MISSED: 0.0, EXTRA: 0.0}
    assert knowing("false") == {FALSE: 0.0}
    assert knowing("online") == {ALERTS: 0.0}
    assert knowing("delay") == {"delay median": 1.0, "delay p90": 1.0, MISSED: 0.0}


def test_who_reports_nothing_is_never_wrong_and_misses_everything() -> None:
    assert values_of("step", nothing) == {**dict.fromkeys(WITHIN.values(), 0.0), EXTRA: 0.0}
    assert values_of("five", nothing) == {F1: 0.0, MISSED: 1.0, EXTRA: 0.0}
    assert values_of("false", nothing) == {FALSE: 0.0}
    assert values_of("online", nothing) == {ALERTS: 0.0}
    delays = values_of("delay", nothing)
    assert (delays[MISSED], delays["delay median"]) == (1.0, np.inf)


def test_who_reports_everything_is_mostly_wrong() -> None:
    step, five = values_of("step", everything), values_of("five", everything)

    # Of 200 commits 5 are within ±2 of the step; of 200 detections 5 find a change.
    assert step == {**dict.fromkeys(WITHIN.values(), 1.0), EXTRA: 195.0}
    assert five == {F1: pytest.approx(2 * 5 / (2 * 5 + 195)), MISSED: 0.0, EXTRA: 195.0}
    assert values_of("false", everything) == {FALSE: 1.0}
    # Every detection has one beside it that was there before: one alert in all 101 looks.
    assert values_of("online", everything)[ALERTS] == pytest.approx(1 / 101)
    assert values_of("delay", everything)["delay median"] == 1.0


def test_who_is_two_commits_late_is_within_two_only() -> None:
    cell = small("step")
    knows = Knowing("step", cell)

    late = values_of("step", lambda values: [place + 2 for place in knows(values)], cell)

    assert late == {WITHIN[0]: 0.0, WITHIN[1]: 0.0, WITHIN[2]: 1.0, EXTRA: 0.0}


@pytest.mark.parametrize("name", PROTOCOLS)
def test_a_cell_gives_the_same_whatever_ran_before(name: str) -> None:
    def find(values: Values) -> list[int]:
        return plain_threshold(values, share=0.04)

    cells = scaled(PROTOCOLS[name].cells, 0.05)
    cells = [cells[0], cells[-1]]

    def figures(order: Iterable[Cell]) -> dict[Cell, list[Figure]]:
        return {cell: evaluate(name, cell, "d", find) for cell in order}

    forth, back = figures(cells), figures(reversed(cells))

    assert repr([forth[cell] for cell in cells]) == repr([back[cell] for cell in cells])


@pytest.mark.parametrize("name", PROTOCOLS)
def test_another_seed_draws_other_series(name: str) -> None:
    first, other = (history(PROTOCOLS[name], small(name), 0, seed).values for seed in (1000, 1001))

    assert not np.array_equal(first, other)


def test_fewer_series_are_the_first_of_all_series() -> None:
    """So a quick run is a part of the whole one, not another one."""
    whole, part = small("step"), scaled([small("step")], 0.5)[0]
    drawn = [history(PROTOCOLS["step"], cell, 1).values for cell in (whole, part)]

    assert part.series < whole.series
    np.testing.assert_array_equal(*drawn)


def test_the_protocols_have_the_stated_sizes() -> None:
    """As in the reference: so many series of so many points."""
    false = PROTOCOLS["false"].cells
    assert {(c.kind, c.points, c.series) for c in false} == {
        (kind, points, series)
        for kind in KINDS
        for points, series in ((20, 800), (50, 500), (200, 200), (1000, 50))
    }
    assert len(PROTOCOLS["step"].cells) == 3 * 5 * 5
    assert {c.series for c in PROTOCOLS["step"].cells} == {60}
    assert len(PROTOCOLS["five"].cells) == 5 * 4
    assert sum(c.series * (120 - 20 + 1) for c in PROTOCOLS["online"].cells) == 7 * 3030
    assert {(c.points, c.series) for c in PROTOCOLS["delay"].cells} == {(100, 20)}


def test_the_goals_have_the_stated_sizes() -> None:
    by_kind = [c for c in GOAL_PROTOCOLS["goal false"].cells if c.kind == "logn"]
    looks = [c for c in GOAL_PROTOCOLS["goal online"].cells if c.kind == "logn"]
    assert sum(c.points * c.series for c in by_kind) == 200_000
    assert sum(c.series * 101 for c in looks) == 10_100
    assert {c.series for c in GOAL_PROTOCOLS["goal step"].cells} == {3000}


def test_goals_are_judged_on_draws_of_their_own() -> None:
    default, goal = PROTOCOLS["false"], GOAL_PROTOCOLS["goal false"]
    cells = [next(c for c in p.cells if c.points == 50) for p in (default, goal)]
    drawn = [history(p, c, 0).values for p, c in zip((default, goal), cells, strict=True)]

    assert not np.array_equal(*drawn)


def test_clear_steps_are_five_standard_deviations_high() -> None:
    """5 % noise is too much for 20 %: log 1.2 is 3.6 of it; 2 % is too much for 10 %: 4.8."""
    gaussian = {(cv, step) for kind, cv, step in CLEAR_SIZES if kind == "logn"}

    assert gaussian == {(0.005, 0.1), (0.005, 0.2), (0.01, 0.1), (0.01, 0.2), (0.02, 0.2)}


def test_the_ceiling_is_there_where_one_step_is_asked_for() -> None:
    step = evaluate_ceiling("step", small("step"))

    assert {one.measure for one in step} == {*WITHIN.values(), EXTRA}
    assert {one.detector for one in step} == {CEILING}
    assert evaluate_ceiling("five", small("five")) == []
    assert [name for name, one in PROTOCOLS.items() if one.has_ceiling] == ["step", "length"]
