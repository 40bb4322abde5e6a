"""What always taking one strategy costs: laws of the mean, its interval, the order, the words."""

import math
from dataclasses import replace

import pytest
from sample_store import Store, convolution_store, row

from convbench.report.cells import Cell
from convbench.report.matrix import Matrix, build_matrices
from convbench.report.regret import MOST_FIRST, STRIP_WIDTH, Cost, Regret, find_regret
from convbench.report.series import build_series

PROBLEMS = ("small", "middle", "large")


def cell(seconds: float | None, best: float, width: float = 1.02) -> Cell:
    """Make a cell as `build_cell` does; without seconds a skipped one."""
    if seconds is None:
        return Cell("skipped", reason="too large")
    factor = seconds / best
    bounds = {"low": seconds / width, "high": seconds * width}
    return Cell("ok", factor=factor, wins=factor == 1, seconds=seconds, **bounds)


def regret_of(times: dict[str, tuple[float | None, ...]], width: float = 1.02) -> Regret:
    """Rank strategies by their seconds on the problems."""
    columns = list(zip(*times.values(), strict=True))
    best = [min(one for one in column if one is not None) for column in columns]
    rows = [
        (name, [cell(one, least, width) for one, least in zip(ones, best, strict=True)])
        for name, ones in times.items()
    ]
    found = find_regret(rows, PROBLEMS[: len(best)])
    assert found is not None
    return found


def cost_of(regret: Regret, strategy: str) -> Cost:
    return next(cost for cost in regret.costs if cost.strategy == strategy)


def test_the_cost_is_the_geometric_mean_over_the_fastest_of_each_problem() -> None:
    regret = regret_of({"a": (1.0, 8.0, 1.0), "b": (2.0, 1.0, 4.0)})

    assert cost_of(regret, "a").mean == pytest.approx(2.0)  # cube root of 1·8·1
    assert cost_of(regret, "b").mean == pytest.approx(2.0)  # cube root of 2·1·4


def test_the_worst_problem_is_named() -> None:
    cost = cost_of(regret_of({"a": (1.0, 8.0, 1.0), "b": (2.0, 1.0, 4.0)}), "b")

    assert (cost.worst, cost.worst_on) == (pytest.approx(4.0), "large")


def test_a_scale_of_the_times_changes_nothing() -> None:
    times = {"a": (1.0, 8.0, 1.0), "b": (2.0, 1.0, 4.0)}
    scaled = {name: tuple(7e-6 * one for one in ones) for name, ones in times.items()}

    means = [[cost.mean for cost in regret_of(one).costs] for one in (times, scaled)]

    assert means[0] == pytest.approx(means[1])


def test_who_is_always_the_fastest_costs_nothing_and_has_no_doubt() -> None:
    cost = cost_of(regret_of({"a": (1.0, 1.0), "b": (2.0, 3.0)}), "a")

    assert (cost.mean, cost.low, cost.high, cost.worst) == (1.0, 1.0, 1.0, 1.0)


def test_intervals_are_added_in_quadrature() -> None:
    width = 1.1
    cost = cost_of(regret_of({"a": (1.0, 1.0), "b": (2.0, 3.0)}, width), "b")

    # On each problem the interval of b and that of a; then the mean of two.
    half = math.sqrt(4 * math.log(width) ** 2) / 2
    assert cost.high == pytest.approx(cost.mean * math.exp(half))
    assert cost.low == pytest.approx(cost.mean / math.exp(half))


def test_no_interval_claims_that_a_strategy_beats_the_fastest() -> None:
    cost = cost_of(regret_of({"a": (1.0, 1.0), "b": (1.01, 1.0)}, 1.5), "b")

    assert cost.low == 1.0


def test_one_time_without_an_interval_leaves_the_mean_without() -> None:
    rows = [
        ("a", [cell(1.0, 1.0), cell(1.0, 1.0)]),
        ("b", [cell(2.0, 1.0), replace(cell(3.0, 1.0), low=None, high=None)]),
    ]

    regret = find_regret(rows, PROBLEMS[:2])

    assert regret is not None
    assert cost_of(regret, "b").interval == ""
    assert cost_of(regret, "b").mean == pytest.approx(math.sqrt(6))


def test_who_cannot_do_all_stands_below_who_can() -> None:
    regret = regret_of({"a": (1.0, None, None), "b": (3.0, 1.0, None), "c": (9.0, 9.0, 9.0)})

    assert [cost.strategy for cost in regret.costs] == ["c", "b", "a"]
    assert cost_of(regret, "a").undone == ("middle", "large")


def test_a_mean_is_over_the_problems_done() -> None:
    cost = cost_of(regret_of({"a": (1.0, 1.0), "b": (4.0, None)}), "b")

    assert (cost.mean, cost.done) == (pytest.approx(4.0), 1)


def test_ties_count_as_fastest() -> None:
    rows = [
        ("a", [cell(1.0, 1.0), cell(1.0, 1.0)]),
        ("b", [replace(cell(1.01, 1.0), ties=True), cell(2.0, 1.0)]),
    ]

    regret = find_regret(rows, PROBLEMS[:2])

    assert regret is not None
    assert cost_of(regret, "b").best_on == 1


def test_the_sentence_sets_auto_against_the_best_fixed_choice() -> None:
    regret = regret_of({"auto": (1.1, 1.0), "b": (1.0, 4.0), "c": (9.0, 9.0)})

    assert regret.sentence == (
        "Always taking auto costs ×1.05 the time of the fastest in the geometric mean, "
        "at worst ×1.1 (on small). Of the others that did every problem b costs least: "
        "×2.0 the time of the fastest in the geometric mean, at worst ×4.0 (on middle)."
    )


def test_the_sentence_says_so_when_nobody_did_everything() -> None:
    regret = regret_of({"auto": (1.0, 1.0), "b": (2.0, None)})

    assert regret.sentence == (
        "Always taking auto costs nothing: it was the fastest everywhere. "
        "No other strategy did all 2 problems."
    )


def test_the_sentence_says_over_how_many_problems_auto_was() -> None:
    regret = regret_of({"auto": (2.0, None), "b": (1.0, 1.0)})

    assert "over the 1 of 2 problems that it did" in regret.sentence


def test_without_auto_the_best_fixed_choice_alone_is_named() -> None:
    regret = regret_of({"a": (1.0, 4.0), "b": (9.0, 1.0)})

    assert regret.sentence.startswith("Of the strategies that did every problem a costs least")


def test_few_rows_stand_together_and_many_in_two_parts_with_auto_in_the_first() -> None:
    few = regret_of({"a": (1.0, 1.0), "b": (2.0, None)})
    times = {f"s{number:02}": (1.0 + number, 1.0 + number) for number in range(20)}
    many = regret_of(times | {"auto": (50.0, 50.0)})

    assert [len(few.first), len(few.rest)] == [2, 0]
    first = [cost.strategy for cost in many.first]
    assert first == [f"s{number:02}" for number in range(MOST_FIRST)] + ["auto"]
    assert len(many.rest) == 10


def test_strips_run_from_one_to_the_worst_of_their_part() -> None:
    regret = regret_of({"a": (1.0, 1.0), "b": (2.0, 5.0)})

    first, strip = (cost_of(regret, name).strip for name in "ab")
    assert first is not None
    assert strip is not None
    assert strip.worst == pytest.approx(STRIP_WIDTH - 4)
    assert first.mean == pytest.approx(4)
    assert strip.low < strip.mean < strip.high < strip.worst
    logs = math.log(cost_of(regret, "b").mean) / math.log(5.0)
    assert (strip.mean - 4) / (STRIP_WIDTH - 8) == pytest.approx(logs, abs=0.001)
    assert regret.most == pytest.approx(5.0)


def test_one_strategy_or_one_problem_is_no_choice() -> None:
    assert find_regret([("a", [cell(1.0, 1.0), cell(1.0, 1.0)])], PROBLEMS[:2]) is None
    assert find_regret([("a", [cell(1.0, 1.0)]), ("b", [cell(2.0, 1.0)])], PROBLEMS[:1]) is None


def matrix_of(store: Store) -> Matrix:
    measurements = store.measurements()
    return build_matrices(measurements, build_series(measurements))[0]


def test_the_table_of_a_store_agrees_with_its_cells() -> None:
    matrix = matrix_of(convolution_store(1))

    assert matrix.regret is not None
    for each in matrix.rows:
        factors = [one.factor for one in each.cells if one.status == "ok"]
        cost = cost_of(matrix.regret, each.strategy)
        assert cost.mean == pytest.approx(math.prod(factors) ** (1 / len(factors)))
        assert len(cost.undone) == len(matrix.heads) - len(factors)


def test_the_finding_counts_wins_without_auto_as_a_rival() -> None:
    store = Store()
    times = {"p": {"a": 1.0, "auto": 1.001, "b": 3.0}, "q": {"a": 1.0, "b": 1.001, "auto": 1.002}}
    for problem, ones in times.items():
        for strategy, value in ones.items():
            params = {"strategy": strategy, "problem": problem, "dtype": "float32"}
            store.rows.append(row(0, value, params=params))

    # On p only auto ties with a, on q b as well.
    assert (
        matrix_of(store).finding == "Of 2 problems fastest alone: a on 1; 1 is shared or unclear."
    )
