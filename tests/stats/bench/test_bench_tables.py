"""Figures as tables and JSON, and the goals that they decide."""

import json
import math
from collections.abc import Sequence
from dataclasses import replace

import pytest

from convbench.stats.bench import goals, table
from convbench.stats.bench.cost import COST, MILLISECONDS
from convbench.stats.bench.figures import Cell, Figure, Tally, summarise
from convbench.stats.bench.injection import FLAGS, FOUND, INJECTION, SIZES
from convbench.stats.bench.noise import KINDS
from convbench.stats.bench.protocols import (
    CEILING,
    F1,
    FALSE,
    GOAL_PROTOCOLS,
    MISSED,
    PROTOCOLS,
    WITHIN,
    history,
)
from convbench.stats.bench.steps import History
from convbench.stats.bench.wording import commits, number, percent, share


def figures_of(cell: Cell, tally: Tally, detector: str = "ours") -> list[Figure]:
    return summarise(cell, detector, [tally] * cell.series)


def rates(test: str, measure: str, count: float, total: float) -> list[Figure]:
    cells = {**PROTOCOLS, **GOAL_PROTOCOLS}[test].cells
    return [one for cell in cells for one in figures_of(cell, {measure: (count, total)})]


def injected(found: float, flags: float, detector: str = "ours") -> list[Figure]:
    cell = Cell(INJECTION, goals.REAL, 0, 0.0, 0.0, 1000)
    return [
        *figures_of(cell, {FLAGS: (flags, 1000)}, detector),
        *(
            one
            for size in SIZES
            for one in figures_of(replace(cell, step=size), {FOUND: (found, 1)}, detector)
        ),
    ]


def five(score: float, detector: str) -> list[Figure]:
    cells = GOAL_PROTOCOLS["goal five"].cells
    tally = {F1: (100 * score, 100), MISSED: (100 - 100 * score, 100)}
    return [one for cell in cells for one in figures_of(cell, tally, detector)]


def timed(points: int, milliseconds: float) -> Figure:
    cell = Cell(COST, "outlier", points, 0.02, 0.0, 15)
    return Figure(cell, "ours", MILLISECONDS, milliseconds, math.nan, 0, 9, 15, 15)


def verdicts(figures: Sequence[Figure], word: str) -> list[bool | None]:
    return [goal.reached for goal in goals.judge(figures) if word in goal.text]


@pytest.mark.parametrize(
    ("test", "measure", "word", "most"),
    [("goal false", FALSE, "false changes per 10,000", 1), ("goal online", "alerts", "alerts", 5)],
)
def test_a_rate_reaches_its_goal_up_to_the_bound(
    test: str, measure: str, word: str, most: float
) -> None:
    assert verdicts(rates(test, measure, most, 10_000), word) == [True]
    assert verdicts(rates(test, measure, 1.01 * most, 10_000), word) == [False]
    assert verdicts([], word) == [None]


def test_one_calm_kind_above_the_bound_misses_and_a_hard_one_does_not() -> None:
    calm = rates("goal false", FALSE, 0, 10_000)

    def raised(kind: str) -> list[bool | None]:
        worse = [
            replace(one, count=0.01 * one.total) if one.cell.kind == kind else one for one in calm
        ]
        return verdicts(worse, "false changes per 10,000")

    assert {kind: raised(kind) for kind in KINDS} == {
        kind: [kind not in goals.CALM] for kind in KINDS
    }


@pytest.mark.parametrize(("gap", "reached"), [(0.019, True), (0.021, False)])
def test_location_is_judged_against_the_ceiling_on_the_same_series(
    gap: float, reached: bool
) -> None:
    cells = GOAL_PROTOCOLS["goal step"].cells
    figures = [
        one
        for cell in cells
        for detector, found in ((goals.OURS, 0.9 - gap), (CEILING, 0.9))
        for one in figures_of(cell, {WITHIN[1]: (found, 1)}, detector)
    ]

    assert verdicts(figures, "ceiling") == [reached]


def test_one_cell_in_which_clear_steps_are_missed_misses_the_goal() -> None:
    cells = GOAL_PROTOCOLS["goal clear"].cells
    figures = [one for cell in cells for one in figures_of(cell, {WITHIN[0]: (0.95, 1)})]

    assert verdicts(figures, "located exactly") == [True]
    figures[3] = replace(figures[3], value=0.89)
    assert verdicts(figures, "located exactly") == [False]


@pytest.mark.parametrize(
    ("found", "flags", "reached"), [(0.531, 3.69, True), (0.529, 3.69, False), (0.531, 3.71, False)]
)
def test_real_histories_need_both(found: float, flags: float, reached: bool) -> None:
    assert verdicts(injected(found, flags, "detect"), goals.REAL) == [reached]


def test_f1_has_to_be_above_every_other_one() -> None:
    above = [*five(0.95, "ours"), *five(0.94, "otava"), *five(0.1, "asv")]
    beaten = [*five(0.93, "ours"), *five(0.94, "otava")]

    assert verdicts(above, "above every other") == [True]
    assert verdicts(beaten, "above every other") == [False]
    assert verdicts(five(0.95, "ours"), "above every other") == [None]  # nobody to compare with
    assert verdicts(above, "missed") == [True]
    assert verdicts(beaten, "missed") == [False]


def test_times_are_judged_by_the_slower_case() -> None:
    reached = [
        [goal.reached for goal in goals.judge_cost([timed(1000, one), timed(500, each)])]
        for one, each in ((5.0, 12.0), (5.1, 12.1))
    ]

    # 10,000 histories of 12 ms on two cores take 60 s.
    assert reached == [[True, True], [False, False]]
    assert [goal.reached for goal in goals.judge_cost([])] == [None, None]


def test_a_goal_that_was_not_measured_says_what_is_missing() -> None:
    for goal in (*goals.judge([]), *goals.judge_cost([])):
        assert goal.verdict == "not judged"
        assert "was not run" in goal.measured or "needs --" in goal.measured


def test_every_test_has_a_table() -> None:
    for name, protocol in PROTOCOLS.items():
        cells = [cell for cell in protocol.cells if cell.points <= 200]
        figures = [
            one
            for cell in cells
            for one in summarise(
                cell, "ours", [protocol.judge(lambda _: [], drawn(name, cell))] * 2
            )
        ]
        (sheet,) = table.sheets(figures)

        assert sheet.title.lower() == protocol.title
        assert [row[0] for row in sheet.rows] == ["ours"]


def drawn(name: str, cell: Cell) -> History:
    return history(PROTOCOLS[name], cell, 0)


def test_rates_are_pooled_over_lengths_and_told_with_bounds() -> None:
    (sheet,) = table.sheets(rates("false", FALSE, 1, 10_000))

    # 1,550 series of each kind: 1,550 false changes in 15,500,000 points.
    assert sheet.heading == ("", *KINDS)
    assert sheet.rows == (("ours", *["1.0 (1.0–1.1)"] * len(KINDS)),)


def test_a_missing_figure_is_a_dash() -> None:
    figures = [one for one in rates("false", FALSE, 0, 100) if one.cell.kind != "ar1"]
    (sheet,) = table.sheets(figures)

    assert sheet.rows[0][1 + list(KINDS).index("ar1")] == "–"


def test_injection_has_a_column_for_each_collection() -> None:
    (sheet,) = table.sheets([*injected(0.5, 3), *injected(0.25, 12, "asv")])

    assert sheet.heading == ("", goals.REAL)
    assert sheet.rows == (
        ("ours", "3.0; 0.50 0.50 0.50 0.50 ±0.00"),
        ("asv", "12; 0.25 0.25 0.25 0.25 ±0.00"),
    )


def test_text_is_aligned_and_markdown_has_as_many_cells_in_every_row() -> None:
    (sheet,) = table.sheets([*injected(0.5, 3), *injected(0.25, 12, "asv")])

    text, markdown = list(table.in_text(sheet)), list(table.in_markdown(sheet))

    assert len({len(line) for line in text[-3:]}) == 1
    assert {line.count("|") for line in markdown if line.startswith("|")} == {3}


def test_json_has_no_nan() -> None:
    rows = table.as_rows([timed(1000, math.inf), *injected(0.5, 3)])

    json.dumps(rows, allow_nan=False)
    assert rows[0]["value"] is None
    assert rows[0]["test"] == COST


def test_numbers_are_short() -> None:
    assert [number(x) for x in (0, 0.04, 1.234, 9.96, 123.4, math.nan)] == [
        *("0", "0.0", "1.2", "10", "123", "–")
    ]
    assert (share(0.987), share(0.987, 3), share(math.nan)) == ("0.99", "0.987", "–")
    assert (percent(0.05), percent(0.005, 1)) == ("5 %", "0.5 %")
    assert (commits(4.0), commits(math.inf)) == ("4", "–")
