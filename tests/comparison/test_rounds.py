"""Rounds: blocks go where they are asked for, and the time is kept."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from convbench.comparison import rounds
from convbench.comparison.arms import Arm, Cell, Place
from convbench.comparison.blocks import Bench, Values
from convbench.comparison.processes import Workshop
from convbench.comparison.rounds import measure_rounds
from convbench.errors import MeasureFailed

CELLS = [Cell(name, (Place(name), Place(name))) for name in "abc"]
ARM = Arm("arm", Path("python"), {}, ())


@dataclass
class Wish:
    screen: Mapping[str, int] = field(default_factory=dict)
    confirm: Mapping[str, int] = field(default_factory=dict)


class Clock:
    now = 1000.0

    def monotonic(self) -> float:
        return self.now


class Played(Bench):
    """A bench whose blocks take ten seconds each and give their own number."""

    clock: Clock
    taken: list[list[str]]
    broken: Mapping[str, Values]

    def warm_up(self, cells: Sequence[Cell]) -> dict[str, Values]:
        return {one.name: self.broken.get(one.name, Values()) for one in cells}

    def seconds_per_block(self, together: int) -> dict[str, float]:
        return {one.name: 10 / together for one in CELLS}

    def block(self, cells: Sequence[Cell]) -> dict[str, float | Values]:
        names = [one.name for one in cells]
        self.taken.append(names)
        self.clock.now += 10
        self.blocks += 1
        return dict.fromkeys(names, float(self.blocks))


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Played:
    played = Played(Workshop(Path(), {}, Path()), (ARM, ARM))
    played.clock, played.taken, played.broken = Clock(), [], {}
    monkeypatch.setattr(rounds, "time", played.clock)
    return played


def silent(_: str) -> None:
    pass


def test_every_cell_gets_the_blocks_asked_for_in_its_own_stage(bench: Played) -> None:
    wishes = {
        0: Wish({"a": 3, "b": 1}, {"c": 2}),
        1: Wish({"a": 2}, {"c": 1}),
        3: Wish(confirm={"a": 1}),
        4: Wish(),
    }

    values = measure_rounds(bench, CELLS, lambda *_: wishes[bench.blocks], say=silent)

    assert bench.taken == [["a", "b", "c"], ["a", "c"], ["a"], ["a"]]
    assert values["a"] == Values(screen=[1, 2, 3], confirm=[4])
    assert values["b"] == Values(screen=[1])
    assert values["c"] == Values(confirm=[1, 2])


@pytest.mark.parametrize("budget", [5, 10, 25, 30, 99])
def test_a_budget_is_never_exceeded_by_more_than_one_block(bench: Played, budget: int) -> None:
    measure_rounds(
        bench,
        CELLS,
        lambda *_: Wish({"a": 100}),
        budget_seconds=budget,
        say=silent,
    )

    # Blocks of ten seconds: as many as it takes to reach the budget.
    assert bench.blocks == math.ceil(budget / 10)


def test_whoever_decides_is_told_values_costs_and_the_time_left(bench: Played) -> None:
    told = []

    def decide(values: Mapping[str, Values], costs: Mapping[str, float], left: float) -> Wish:
        told.append(([len(values[name].screen) for name in "abc"], costs["a"], left))
        return Wish({"a": 1}) if len(told) < 3 else Wish()

    measure_rounds(bench, CELLS, decide, budget_seconds=100, say=silent)

    cost = 10 / len(CELLS)
    assert told[0] == ([0, 0, 0], cost, 100)
    # One cell asked for, so it bears the starts alone.
    assert told[1] == ([0, 0, 0], 10, 100)
    # The last one asks what is left open.
    assert [left for *_, left in told] == [100, 100, 90, math.inf]


def test_what_the_budget_is_too_short_for_is_said(bench: Played) -> None:
    said: list[str] = []

    def decide(_: object, costs: Mapping[str, float], left: float) -> Wish:
        wish = Wish({"a": 9 - bench.blocks, "b": 3}, {})
        return wish if left >= sum(n * costs[name] for name, n in wish.screen.items()) else Wish()

    measure_rounds(bench, CELLS, decide, budget_seconds=59, say=said.append)

    # Nine blocks of a and three of b, at ten seconds for both.
    assert bench.taken == []
    assert said[-1] == (
        "the budget is too short for the next look at 2 of 3 cells, which takes 1.0 minutes"
    )


@pytest.mark.parametrize("budget", [50, math.inf])
def test_nothing_is_open_where_nobody_asks_or_no_budget_was_given(
    bench: Played, budget: float
) -> None:
    said: list[str] = []

    measure_rounds(
        bench,
        CELLS,
        lambda *_: Wish({"a": 2 - bench.blocks} if bench.blocks < 2 else {}),
        budget_seconds=budget,
        say=said.append,
    )

    assert not any("budget" in line for line in said)


def test_the_first_block_shows_what_blocks_cost_before_more_are_asked_for(bench: Played) -> None:
    asked = []

    def decide(values: Mapping[str, Values], *_: object) -> Wish:
        asked.append([len(values[name].screen) for name in "abc"])
        return Wish(dict.fromkeys("abc", 5 - bench.blocks) if bench.blocks < 5 else {})

    measure_rounds(bench, CELLS, decide, say=silent)

    assert asked == [[0, 0, 0], [1, 1, 1], [5, 5, 5]]


@pytest.mark.parametrize(
    ("seconds", "fitting"),
    [
        # A block costs ten seconds for its starts and two for every cell.
        (160, "abc"),
        (159, "ab"),
        (140, "ab"),
        (139, "a"),
        (120, "a"),
        (119, ""),
    ],
)
def test_as_many_cells_are_asked_for_as_fit_with_their_starts(
    bench: Played, monkeypatch: pytest.MonkeyPatch, seconds: float, fitting: str
) -> None:
    def costs(together: int) -> dict[str, float]:
        return dict.fromkeys("abc", 10 / together + 2)

    def decide(_: object, costs: Mapping[str, float], left: float) -> Wish:
        wish, spent = {}, 0.0
        for name in "abc":
            spent += 10 * costs[name]
            if spent <= left + 1e-9:
                wish[name] = 10 - bench.blocks
        return Wish({name: blocks for name, blocks in wish.items() if blocks})

    monkeypatch.setattr(bench, "seconds_per_block", costs)
    measure_rounds(bench, CELLS, decide, budget_seconds=seconds, say=silent)

    assert bench.taken[:1] == ([list(fitting)] if fitting else [])


def test_a_cell_that_can_not_be_compared_gets_no_block_though_asked_for(bench: Played) -> None:
    bench.broken = {"a": Values(failed="no")}
    wishes = [Wish({"a": 2, "b": 1}), Wish()]

    measure_rounds(bench, CELLS, lambda *_: wishes[bench.blocks], say=silent)

    assert bench.taken == [["b"]]


def test_a_comparison_without_any_time_is_refused_with_the_first_reason(bench: Played) -> None:
    bench.broken = {name: Values(failed=f"{name} is broken") for name in "abc"}

    with pytest.raises(MeasureFailed, match=r"none of the 3 cells .*: a is broken"):
        measure_rounds(bench, CELLS, lambda *_: Wish({"a": 1}), say=silent)
