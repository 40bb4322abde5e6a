import dataclasses
import json
import math
import re
import shlex
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sample_store import (
    Store,
    convolution_store,
    foreign_store,
    found_change,
    row,
    versions_store,
)
from scipy import stats
from test_site import HOSTILE, hostile_store

from convbench.report import compare_data
from convbench.report.cell_verdicts import (
    FAILING,
    FASTER,
    LEAST_REACH,
    MISSING,
    SAME,
    SLOWER,
    SUSPECT,
    UNDECIDED,
    VERDICTS,
    Judged,
    Reading,
    changes_between,
    judge,
    reach_of,
    readings_of,
    side_of,
)
from convbench.report.compare_data import compare_files
from convbench.report.compared import MOST_ROWS, Compared, build_compared, title_of
from convbench.report.compared_cells import Cells, Choice, command_of, first_choice
from convbench.report.data_files import UNSAFE
from convbench.report.measurements import Measurements
from convbench.report.packing import ALPHABET, BASE, MOST_STEPS, pack_steps
from convbench.report.series import Change, Line, Point, build_series, columns_of
from convbench.report.site import site_files

MIN_COMMITS = 6
QUIET = [1.0, 1.01, 0.99, 1.005, 0.995, 1.0, 1.01, 0.99, 1.0, 1.0]
"""A history whose noise explains a few percent."""


def line(
    *values: float | None,
    width: float | None = 0.001,
    name: str = "openblas",
    changes: tuple[Change, ...] = (),
) -> Line:
    """Make a line with a value at each commit; None has failed."""
    points = tuple(
        Point(at, None, None, None, "failed", "env", "run")
        if value is None
        else Point(
            at,
            value,
            None if width is None else value * (1 - width),
            None if width is None else value * (1 + width),
            "ok",
            "env",
            "run",
        )
        for at, value in enumerate(values)
    )
    return Line("box", name, "", columns_of(points), changes, len(points))


def change(position: int, before: float, after: float, *, off: float = 0.02) -> Change:
    ratio = after / before
    bounds = ratio / (1 + off), ratio * (1 + off)
    kind = "regression" if ratio > 1 else "improvement"
    return Change(position, before, after, ratio, kind, *bounds, "3f2a9c1b04", "code")


def verdict(base: Line, head: Line, at: tuple[int, int], unit: str = "seconds") -> Judged:
    sides = [
        side_of(one, position, reach_of(one, MIN_COMMITS), *readings_of([one.columns]))
        for one, position in zip((base, head), at, strict=True)
    ]
    return judge(*sides, unit, MIN_COMMITS)


def within(one: Line, base: int, head: int, unit: str = "seconds") -> Judged:
    """Compare two commits of one line."""
    return verdict(one, one, (base, head), unit)


# Two commits of one line.


def test_without_a_found_change_no_pair_of_commits_is_slower_or_faster() -> None:
    for factor in (0.1, 0.5, 0.9, 1, 1.1, 2, 10):
        judged = within(line(*QUIET, factor), 9, 10)

        assert judged.verdict in (SAME, SUSPECT)


def test_what_noise_explains_is_within_noise_and_what_it_does_not_is_unconfirmed() -> None:
    assert within(line(*QUIET, 1.01), 9, 10).verdict == SAME
    far = within(line(*QUIET, 1.5), 9, 10)
    assert far.verdict == SUSPECT
    assert far.known.endswith("; no change found")


def test_the_noisier_a_history_the_farther_it_reaches() -> None:
    quiet = line(*QUIET)
    noisy = line(*(value**10 for value in QUIET))

    reaches = [reach_of(one, MIN_COMMITS) for one in (quiet, noisy)]

    assert reaches[1] == pytest.approx(10 * reaches[0], rel=1e-2)
    assert within(line(*noisy_values(), 1.2), 9, 10).verdict == SAME


def scattered(part: float) -> Line:
    """Make a line of two levels, four values of each lie so far from it, on either side."""
    logs = np.array([0, part, -part, part, -part])
    values = np.exp(np.concatenate([logs, logs[::-1] + 1]))
    return line(*values.tolist(), width=0, changes=(change(5, 1.0, math.e),))


def reach_of_scattered(part: float) -> float:
    # Of the eight distances that are not 0 the farthest is left out; ten values, two levels.
    variance = 7 * part**2 / (10 - 1 - 2)
    return float(stats.t.isf(0.001 / 2, 10 - 1 - 2)) * math.sqrt(2 * variance)


@pytest.mark.parametrize("part", [0.01, 0.05, 0.1])
def test_a_reach_is_what_two_values_of_one_scatter_exceed_once_in_a_thousand(part: float) -> None:
    reach = reach_of(scattered(part), MIN_COMMITS)

    assert reach == pytest.approx(reach_of_scattered(part), abs=1e-4)


def test_how_far_noise_reaches_is_told_in_the_times_themselves() -> None:
    reach = reach_of_scattered(0.05)  # 0.38: upwards 47 %

    known = within(scattered(0.05), 0, 1).known

    assert known == f"noise explains up to ±{100 * (math.exp(reach) - 1):.0f}\u00a0%"


def test_how_far_noise_reaches_is_a_part_or_from_a_doubling_on_a_factor() -> None:
    wild = line(*(value**200 for value in QUIET), 1.2)

    assert re.fullmatch(r"noise explains up to ±\d(\.\d)?\u00a0%", within(line(*QUIET), 8, 9).known)
    assert re.fullmatch(r"noise explains up to ×[\d.,]+", within(wild, 9, 10).known)


def noisy_values() -> list[float]:
    return [value**10 for value in QUIET]


def test_a_reach_is_of_any_unit_and_not_moved_by_the_value_that_is_judged() -> None:
    base = reach_of(line(*QUIET), MIN_COMMITS)

    assert reach_of(line(*(1e-6 * value for value in QUIET)), MIN_COMMITS) == base
    assert reach_of(line(*QUIET, 100.0), MIN_COMMITS) < 1.5 * base


def test_levels_that_detect_found_are_no_noise() -> None:
    base = reach_of(line(*QUIET), MIN_COMMITS)
    stepped = line(*QUIET, *(2 * value for value in QUIET), changes=(change(10, 1, 2),))

    assert reach_of(stepped, MIN_COMMITS) < 1.1 * base

    levels = [level * value for level in (1, 2, 8) for value in QUIET]
    changes = change(10, 1, 2), change(20, 2, 8)
    assert reach_of(line(*levels, changes=changes), MIN_COMMITS) < 1.1 * base


def test_nothing_below_two_percent_is_called_different() -> None:
    assert reach_of(line(*[1.0] * 20), MIN_COMMITS) == pytest.approx(LEAST_REACH, abs=1e-4)
    assert within(line(*[1.0] * 20, 1.015, width=0), 19, 20).verdict == SAME
    assert within(line(*[1.0] * 20, 1.025, width=0), 19, 20).verdict == SUSPECT


@pytest.mark.parametrize("seed", range(3))
def test_equal_cells_are_hardly_ever_called_different(seed: int) -> None:
    noise = np.random.default_rng(seed)
    called = sum(
        within(line(*np.exp(noise.normal(0, 0.05, 30)), width=0), 28, 29).verdict != SAME
        for _ in range(1000)
    )

    assert called <= 8  # 1 in 1,000 is meant; the scatter is estimated


def test_intervals_that_touch_show_no_difference() -> None:
    judged = within(line(*QUIET, 1.5, width=0.25), 9, 10)

    assert judged.verdict == SAME
    assert judged.known == "the intervals of both values overlap"
    assert judged.low <= 1 <= judged.high


def test_a_ratio_of_values_lies_between_those_of_their_bounds() -> None:
    judged = within(line(*QUIET, 1.5, width=0.1), 9, 10)

    assert judged.ratio == pytest.approx(1.5)
    assert judged.low == pytest.approx(1.5 * 0.9 / 1.1, abs=0.005)
    assert judged.high == pytest.approx(1.5 * 1.1 / 0.9, abs=0.005)


def test_an_interval_that_reaches_zero_shows_nothing() -> None:
    for at in ((9, 10), (10, 9)):
        judged = within(line(*QUIET, 3.0, width=1.5), *at)

        assert judged.verdict == SAME
        assert judged.low == 0
        assert judged.high == math.inf


def test_a_found_change_decides_by_its_levels_whatever_the_two_values_are() -> None:
    values = [*QUIET[:5], *(1.3 * value for value in QUIET[:5])]
    values[9] = 0.9  # fast by chance
    judged = within(line(*values, changes=(change(5, 1.0, 1.3),)), 4, 9)

    assert judged.verdict == SLOWER
    assert (judged.base, judged.head) == (1.0, 1.3)
    assert judged.ratio == pytest.approx(1.3)
    assert judged.low < judged.ratio < judged.high
    assert [one.position for one in judged.changes] == [5]


def test_one_change_has_its_own_bounds_and_of_several_the_squares_add_up() -> None:
    both = (change(3, 1.0, 1.3), change(6, 1.3, 2.0))
    one = line(1, 1, 1, 1.3, 1.3, 1.3, 2, 2, 2, changes=both)

    first, all_of_it = within(one, 0, 5), within(one, 0, 8)

    assert (first.low, first.high) == pytest.approx((1.3 / 1.02, 1.3 * 1.02))
    assert all_of_it.known == "2 changes found"
    farther = 1.02 ** math.sqrt(2)
    assert (all_of_it.low, all_of_it.high) == pytest.approx((2.0 / farther, 2.0 * farther))


@pytest.mark.parametrize("bounds", [(None, None), (0.0, 4.0)])
def test_a_change_without_bounds_is_judged_by_its_levels(
    bounds: tuple[float | None, float | None],
) -> None:
    low, high = bounds
    known = dataclasses.replace(change(5, 1.0, 1.3), low=low, high=high)

    judged = within(line(*QUIET, changes=(known,)), 4, 9)

    assert (judged.verdict, judged.low, judged.high) == (SLOWER, 1.3, 1.3)


@pytest.mark.parametrize("levels", [(0.0, 1.0), (1.0, 0.0)])
def test_a_change_from_or_to_zero_has_no_ratio(levels: tuple[float, float]) -> None:
    found = Change(5, *levels, math.inf, "regression")

    judged = within(line(*QUIET, changes=(found,)), 4, 9)

    assert (judged.verdict, judged.ratio) == (UNDECIDED, None)
    assert (judged.base, judged.head) == levels


def test_backwards_a_regression_is_an_improvement() -> None:
    one = line(*QUIET[:5], *(1.3 * value for value in QUIET[:5]), changes=(change(5, 1.0, 1.3),))

    there, back = within(one, 2, 8), within(one, 8, 2)

    assert (there.verdict, back.verdict) == (SLOWER, FASTER)
    assert there.ratio * back.ratio == pytest.approx(1)
    assert there.low * back.high == pytest.approx(1)


def test_changes_that_undo_each_other_leave_no_difference() -> None:
    both = (change(3, 1.0, 1.3), change(6, 1.3, 1.0))
    one = line(1, 1, 1, 1.3, 1.3, 1.3, 1, 1, 1, changes=both)

    assert within(one, 0, 8).verdict == SAME
    assert within(one, 0, 8).known == "2 changes found, and undone"
    assert within(one, 0, 4).verdict == SLOWER
    assert within(one, 4, 8).verdict == FASTER


@pytest.mark.parametrize(("at", "found"), [((4, 5), True), ((5, 6), False), ((3, 4), False)])
def test_a_change_lies_between_two_commits_if_the_later_one_has_it(
    at: tuple[int, int], found: bool
) -> None:
    one = line(*QUIET, changes=(change(5, 1.0, 1.3),))
    sides = [side_of(one, position, None, *readings_of([one.columns])) for position in at]

    assert bool(changes_between(*sides)) is found
    assert bool(changes_between(*reversed(sides))) is found


def test_of_a_rate_more_is_faster() -> None:
    one = line(*QUIET[:5], *(1.3 * value for value in QUIET[:5]), changes=(change(5, 1.0, 1.3),))

    assert within(one, 2, 8, "images/s").verdict == FASTER


def test_a_short_history_has_no_verdict_yet() -> None:
    judged = within(line(1, 1, 2), 1, 2)

    assert judged.verdict == UNDECIDED
    assert judged.known == "3 of 6 commits"
    assert judged.ratio == 2


def test_a_history_of_as_many_commits_as_a_verdict_needs_has_one() -> None:
    enough = line(*QUIET[:MIN_COMMITS])

    assert within(enough, 0, MIN_COMMITS - 1).verdict == SAME


def test_of_two_histories_the_shorter_one_tells_what_is_lacking() -> None:
    long, short = line(*QUIET), line(1, 1, name="mkl")

    for pair in ((long, short), (short, long)):
        assert verdict(*pair, (0, 1)).known == "2 of 6 commits"


def test_to_fail_is_told_and_to_be_missing_is_not_comparable() -> None:
    one = line(*QUIET, None, 1.0, None)

    assert within(one, 9, 10).verdict == FAILING
    assert within(one, 10, 12).verdict == MISSING  # as before: no news
    assert within(one, 10, 12).known == "fails at both"
    assert within(one, 99, 12).verdict == FAILING  # not known to have failed before
    assert within(one, 10, 11).verdict == MISSING
    assert within(one, 10, 11).known == "failed at the base"
    assert within(one, 9, 99).known == "no value at the head"


@pytest.mark.parametrize("values", [(0.0, 1.0), (1.0, 0.0), (-1.0, 1.0)])
def test_what_has_no_ratio_has_no_verdict(values: tuple[float, float]) -> None:
    judged = within(line(*QUIET, *values), 10, 11)

    assert (judged.verdict, judged.ratio) == (UNDECIDED, None)


# Two lines.


def test_two_lines_differ_where_the_noise_of_both_does_not_explain_it() -> None:
    base = line(*QUIET)
    at = (9, 9)

    assert verdict(base, line(*QUIET, name="mkl"), at).verdict == SAME
    assert verdict(base, line(*(1.3 * x for x in QUIET), name="mkl"), at).verdict == SLOWER
    assert verdict(base, line(*(0.7 * x for x in QUIET), name="mkl"), at).verdict == FASTER
    noisy = line(*(0.8 * x for x in noisy_values()), name="mkl")
    assert verdict(base, noisy, at).verdict == SAME


def test_of_two_lines_of_a_rate_the_greater_is_faster() -> None:
    more = line(*(1.3 * x for x in QUIET), name="mkl")

    assert verdict(line(*QUIET), more, (9, 9), "images/s").verdict == FASTER


def test_the_noise_of_either_line_counts() -> None:
    quiet, noisy = line(*QUIET), line(*(1.12 * x for x in noisy_values()), name="mkl")

    assert verdict(quiet, noisy, (9, 9)).verdict == SAME
    assert verdict(noisy, quiet, (9, 9)).verdict == SAME


def test_changes_of_one_line_say_nothing_of_another() -> None:
    head = line(*QUIET, name="mkl", changes=(change(5, 1.0, 1.3),))

    assert verdict(line(*QUIET), head, (0, 9)).changes == ()


# The view.


def compared_of(measurements: Measurements) -> Compared:
    found = build_compared(measurements, build_series(measurements))
    assert found is not None
    return found


def moved_store() -> Store:
    """Make a store of twelve commits, at the newest of which `fft` takes twice as long."""
    store = convolution_store(12)
    for made in store.rows:
        if made["strategy"] == "fft" and made["run"] == "run-11" and made["unit"] == "seconds":
            for name in ("value", "ci_low", "ci_high", "q25", "q75"):
                made[name] = 2 * made[name]
    return store


def test_counts_add_up_to_all_cells() -> None:
    view = compared_of(moved_store().measurements())

    assert sum(count.number for count in view.counts) == view.total
    assert view.title == "9 of 118 cells may differ, unconfirmed"
    assert len(view.rows) == MOST_ROWS < view.total


def test_rows_stand_by_what_needs_attention_then_by_effect() -> None:
    store = moved_store()
    store.tables["changes"] = [
        found_change(
            11,
            before=1e-5,
            after=ratio * 1e-5,
            params=f"strategy={strategy}, problem=question, dtype=float32",
        )
        for strategy, ratio in {"im2col": 1.2, "einsum": 1.3, "shifted": 0.1}.items()
    ]
    view = compared_of(store.measurements())
    ranks = [list(VERDICTS).index(one.verdict) for one in view.rows]

    assert ranks == sorted(ranks)
    assert [(one.verdict, one.name) for one in view.rows[:2]] == [
        (SLOWER, "einsum"),
        (SLOWER, "im2col"),
    ]
    suspects = [one for one in view.rows if one.verdict == SUSPECT]
    assert {one.name for one in suspects} == {"fft"}
    assert {one.words for one in suspects} == {"▲ looks slower"}


def test_nothing_is_compared_with_itself() -> None:
    measurements = convolution_store(2).measurements()
    cells = Cells(measurements, build_series(measurements))

    assert not list(cells.pairs(Choice(1, 1)))
    against_one = list(cells.pairs(Choice(1, 1, base_blas="openblas")))
    assert {head.line.name for _, _, head in against_one} == {"mkl"}


def choice_of(store: Store) -> Choice | None:
    measurements = store.measurements()
    return first_choice(Cells(measurements, build_series(measurements)))


def test_the_newest_commit_is_compared_with_the_one_before() -> None:
    assert choice_of(convolution_store(3)) == Choice(1, 2)


def test_a_commit_that_measured_little_is_no_base() -> None:
    store = convolution_store(4)
    kept = [made for made in store.rows if made["run"] != "run-2"]
    partial = [made for made in store.rows if made["run"] == "run-2"][:3]

    assert choice_of(Store(kept + partial, store.tables)) == Choice(1, 3)


def test_of_one_commit_two_builds_are_compared() -> None:
    choice = choice_of(convolution_store(1))

    assert choice is not None
    assert (choice.base, choice.head) == (0, 0)
    assert (choice.base_blas, choice.blas) == ("openblas", "mkl")


def test_of_one_commit_and_one_build_two_machines_are_compared() -> None:
    choice = choice_of(foreign_store(1))

    assert choice is not None
    assert (choice.base_machine, choice.machine) == ("arm-box", "intel-box")


@pytest.mark.parametrize("store", [Store(), Store([row(0, 1.0)])], ids=["empty", "one value"])
def test_where_nothing_can_be_compared_there_is_no_view(store: Store) -> None:
    files = site_files(store.measurements())

    assert choice_of(store) is None
    assert "#/compare" not in files["index.html"]
    assert not [path for path in files if path.startswith("data/c/")]


@pytest.mark.parametrize(
    ("counts", "title"),
    [
        ({}, "Nothing to compare"),
        ({SAME: 3}, "Nothing beyond the noise in 3 cells"),
        ({UNDECIDED: 1}, "No verdict yet on 1 cell"),
        ({SAME: 3, MISSING: 1}, "Nothing beyond the noise in 3 cells, 1 not comparable"),
        ({UNDECIDED: 1, MISSING: 1200}, "No verdict yet on 1 cell, 1,200 not comparable"),
        ({MISSING: 2}, "2 cells, none with a value at both"),
        ({SUSPECT: 1, SAME: 1}, "1 of 2 cells may differ, unconfirmed"),
        ({SLOWER: 1, FASTER: 2, SAME: 1}, "1 slower, 2 faster of 4 cells"),
        ({SLOWER: 1, SUSPECT: 2}, "1 slower of 3 cells, 2 unconfirmed"),
    ],
)
def test_the_title_is_the_finding(counts: dict[str, int], title: str) -> None:
    assert title_of(counts) == title


@pytest.mark.parametrize(
    ("choice", "command"),
    [
        (Choice(0, 1), "convbench compare 000000a1 000000a2"),
        (
            Choice(0, 1, blas="mkl"),
            "convbench compare 000000a1 000000a2 --environment virtualenv-py3.12-mkl",
        ),
        (
            Choice(1, 1, blas="mkl", base_blas="openblas"),
            "convbench compare blas:openblas blas:mkl --at 000000a2",
        ),
        (Choice(0, 1, blas="mkl", base_blas="openblas"), ""),  # two things at once
        (Choice(0, 1, base_machine="elsewhere"), ""),  # it measures on one machine
        (Choice(1, 1, base_blas="openblas"), ""),
    ],
)
def test_the_command_measures_what_is_compared(choice: Choice, command: str) -> None:
    assert command_of(convolution_store(2).measurements(), choice) == command


def test_environments_without_builds_are_compared_by_their_names() -> None:
    measurements = dataclasses.replace(versions_store().measurements())
    names = [name for _, name in measurements.rows_of_lines if name.startswith("openblas")]
    choice = Choice(0, 0, blas=names[1], base_blas=names[0])

    words = shlex.split(command_of(measurements, choice))

    assert words[2:4] == ["environment:virtualenv-py3.12-openblas"] * 2


# The data.


def data_of(files: dict[str, str], name: str) -> Any:
    return json.loads(files[f"data/{name}.js"][len(f'CB.put("{name}",') : -len(");\n")])


def outcomes_of(files: dict[str, str], position: int) -> dict[str, Any]:
    """Give what the files hold of a commit, found as the page finds it."""
    starts = data_of(files, "c/cells")["starts"]
    number = sum(start <= position for start in starts) - 1
    commits = data_of(files, f"c/{number}")
    commit = commits[position - starts[number]]
    at = commit["at"]
    return commit | {"at": commits[at]["at"] if isinstance(at, int) else at}


def unpacked(text: str, cells: list[int], shared: dict[str, Any]) -> list[int]:
    """Read the packed values of a commit."""
    wide = {cell: (width, signed) for cell, width, signed in shared["wide"]}
    numbers = []
    for cell in cells:
        width, signed = wide.get(cell, (shared["width"], 0))
        number = 0
        for sign in text[:width]:
            number = BASE * number + ALPHABET.index(sign)
        text = text[width:]
        odd = -(number + 1) // 2 if number % 2 else number // 2
        numbers.append(odd if signed else number)
    assert not text
    return numbers


def test_the_files_hold_every_value_with_five_digits() -> None:
    measurements = convolution_store(3).measurements()
    view = compared_of(measurements)
    files = compare_files(view)
    exponents = data_of(files, "c/cells")["exponent"]

    for position in range(3):
        data = outcomes_of(files, position)
        runs = zip(data["at"][::2], data["at"][1::2], strict=True)
        at = [cell for first, count in runs for cell in range(first, first + count)]
        numbers = unpacked(data["y"], at, data_of(files, "c/cells"))
        kept = {cell: float(f"{y}e{exponents[cell]}") for cell, y in zip(at, numbers, strict=True)}
        wanted = {
            cell: value
            for cell, (_, _, line) in enumerate(view.cells.lines)
            for where, value in line.measured
            if where == position
        }
        assert kept == {cell: float(f"{value:.5g}") for cell, value in wanted.items()}


def test_cells_that_follow_each_other_are_written_as_one_run() -> None:
    view = compared_of(foreign_store(3).measurements())

    data = outcomes_of(compare_files(view), 2)

    assert data["at"] == [0, len(view.cells.lines)]


def test_bounds_are_never_narrower_than_they_were() -> None:
    for width in (0.0, 0.0004, 0.0101, 0.3):
        [readings] = readings_of([line(1.23456, width=width).columns])
        reading = readings.at(0)
        assert reading is not None
        assert reading.low <= 1.23456 * (1 - width) * (1 + 1e-4)
        assert reading.high >= 1.23456 * (1 + width) * (1 - 1e-4)


@pytest.mark.parametrize("value", [1e-310, 5e-324, 1e99, -2.0, 0.0])
def test_values_of_any_size_are_written(value: float) -> None:
    store = Store([row(at, x, width=0) for at, x in enumerate([value, 1.0, 2.0])])

    files = site_files(store.measurements())

    shared = data_of(files, "c/cells")
    for position, wanted in enumerate((value, 1.0, 2.0)):
        (number,) = unpacked(outcomes_of(files, position)["y"], [0], shared)
        kept = float(f"{number}e{shared['exponent'][0]}")
        # Of a line that spans more digits than a number has, the greatest value decides.
        assert kept == pytest.approx(wanted, rel=1e-4, abs=max(abs(value), 2.0) * 1e-9)


def test_what_all_commits_share_tells_of_each_cell_what_a_verdict_needs() -> None:
    store = Store([row(n, 1.0 + n, params={"at": at}) for at in "ab" for n in range(8)])
    store.rows[0] = row(0, None, params={"at": "a"}, status="failed")
    moved = found_change(4, before=2.5, after=6.5, params="at=b", blas="openblas")
    store.tables["changes"] = [moved | {"event": "3f2a9c1b04"}]
    measurements = store.measurements()
    view = compared_of(measurements)

    shared = data_of(compare_files(view), "c/cells")

    assert shared["first"] == {"base": "000000a7", "head": "000000a8"}
    assert shared["measured"] == [7, 8]
    reaches = [shared["reachStep"] * reach for reach in shared["reach"]]
    lines = [line for _, _, line in view.cells.lines]
    assert reaches == pytest.approx([reach_of(line, 6) for line in lines], rel=1e-9)
    bounds = moved["ratio_low"], moved["ratio_high"]
    assert shared["changes"] == [[1, [[4, 2.5, 6.5, *bounds, "3f2a9c1b04"]]]]
    assert [place[-1] for place in shared["places"]] == [0]


def test_the_files_tell_which_places_use_all_threads() -> None:
    store = convolution_store(2)
    for made in store.rows:
        made["threads"] = "all" if made["blas"] == "mkl" else "1"

    places = data_of(compare_files(compared_of(store.measurements())), "c/cells")["places"]

    assert {(blas, all_threads) for _, _, blas, _, all_threads in places} == {
        ("openblas", 0),
        ("mkl", 1),
    }


@pytest.mark.parametrize(
    ("low", "high", "steps"),
    [
        (0.9904, 1.0196, (10, 20)),
        (1.0, 1.0196, (0, 20)),
        (0.9804, 1.0, (20, 0)),
        (1.0, 1.0, (0, 0)),
        (None, None, (None, None)),
    ],
)
def test_the_files_hold_the_bounds_of_each_value_that_has_any(
    low: float | None, high: float | None, steps: tuple[int | None, int | None]
) -> None:
    store = Store([row(n, 1.0, params={"at": at}, width=0.03125) for at in "ab" for n in (0, 1)])
    store.rows[0] |= {"ci_low": low, "ci_high": high, "q25": low, "q75": high}

    bounds = outcomes_of(compare_files(compared_of(store.measurements())), 0)["bounds"]

    assert bounds == pack_steps(*steps) + pack_steps(32, 32)  # away from the value


def test_where_no_value_has_bounds_none_are_written() -> None:
    store = Store([row(n, 1.0) | {"ci_low": None, "ci_high": None} for n in (0, 1)])
    for made in store.rows:
        made |= {"q25": None, "q75": None}

    assert "bounds" not in outcomes_of(compare_files(compared_of(store.measurements())), 0)


def test_commits_share_a_file_until_it_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    view = compared_of(foreign_store(7).measurements())
    cells = len(view.cells.lines)
    monkeypatch.setattr(compare_data, "FULL", 3 * cells)

    files = compare_files(view)

    assert data_of(files, "c/cells")["starts"] == [0, 3, 6]
    assert [len(data_of(files, f"c/{number}")) for number in range(3)] == [3, 3, 1]
    assert len(files) == 4
    for position in range(7):
        assert outcomes_of(files, position)["at"] == [0, cells]


def test_commits_of_one_file_may_have_measured_different_cells() -> None:
    store = foreign_store(5)
    store.rows = store.rows[:-1]  # the newest commit lacks the last cell
    store.rows = [made for at, made in enumerate(store.rows) if at != 0]  # the oldest another
    view = compared_of(store.measurements())
    files = compare_files(view)

    assert data_of(files, "c/cells")["starts"] == [0]
    for position in range(5):
        wanted = {
            cell
            for cell, (_, _, line) in enumerate(view.cells.lines)
            if position in dict(line.measured)
        }
        runs = outcomes_of(files, position)["at"]
        pairs = zip(runs[::2], runs[1::2], strict=True)
        assert {cell for start, size in pairs for cell in range(start, start + size)} == wanted


def test_of_many_cells_each_commit_has_its_own_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compare_data, "FULL", 1)

    files = compare_files(compared_of(foreign_store(5).measurements()))

    assert data_of(files, "c/cells")["starts"] == [0, 1, 2, 3, 4]


@given(st.integers(0, MOST_STEPS), st.integers(0, MOST_STEPS))
@example(0, BASE - 3)
@example(BASE - 2, BASE**2 - 2)
@example(BASE**2 - 1, BASE**2)
def test_steps_are_told_apart_by_their_text(below: int, above: int) -> None:
    def step(text: str) -> tuple[int, str]:
        digits = [ALPHABET.index(sign) for sign in text]
        if digits[0] < BASE - 2:
            return digits[0], text[1:]
        near = digits[1] * BASE + digits[2]
        if near < BASE**2 - 1:
            return near, text[3:]
        return sum(d * BASE**at for at, d in enumerate(reversed(digits[3:8]))), text[8:]

    first, rest = step(pack_steps(below, above))

    assert (first, *step(rest)) == (below, above, "")
    assert pack_steps(None, 3) == pack_steps(None, None) == ALPHABET[-1]


def test_packed_text_needs_no_escape() -> None:
    assert len(set(ALPHABET)) == BASE == 90
    assert json.dumps(ALPHABET) == f'"{ALPHABET}"'
    assert not set(ALPHABET) & set(UNSAFE)


def test_an_interval_that_reaches_millions_of_times_its_value_is_none() -> None:
    far = Point(0, 1.0, 0.5, 1e8, "ok", "env", "run")
    farther = Point(1, 1e-9, -1e308, 1e308, "ok", "env", "run")

    [readings] = readings_of([columns_of([far, farther])])

    assert [readings.at(0), readings.at(1)] == [Reading(1.0, None, None), Reading(1e-9, None, None)]


def test_a_new_commit_leaves_full_files_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compare_data, "FULL", 2 * len(convolution_store(1).rows))
    older, newer = (site_files(convolution_store(n).measurements()) for n in (5, 6))

    assert data_of(older, "c/cells")["starts"] == data_of(newer, "c/cells")["starts"]
    for number in range(len(data_of(older, "c/cells")["starts"]) - 1):
        assert older[f"data/c/{number}.js"] == newer[f"data/c/{number}.js"]
    assert older["data/c/0.js"] == newer["data/c/0.js"]


def test_failures_are_written_where_there_are_any() -> None:
    store = convolution_store(3)
    view = compared_of(store.measurements())
    failing = [
        {position for position, one in enumerate(line.points) if one.status == "failed"}
        for _, _, line in view.cells.lines
    ]
    files = compare_files(view)

    for position in range(3):
        wanted = [cell for cell, positions in enumerate(failing) if position in positions]
        assert outcomes_of(files, position).get("failed", []) == wanted
    assert any(failing)


def test_tags_are_told_of_the_commits_that_have_them_themselves() -> None:
    store = convolution_store(3)
    store.tables["commits"][2]["tags"] = ["v2.0", "<b>"]
    for commit in store.tables["commits"]:
        commit["position"] *= 2
    between = {"commit": "f" * 40, "position": 3, "tags": ["v1.5"]}  # not measured itself
    store.tables["commits"].append(store.tables["commits"][1] | between)
    view = compared_of(store.measurements())
    document = site_files(store.measurements())["index.html"]

    assert view.tags == {2: ["<b>", "v2.0"]}
    assert "<b>&lt;b&gt;</b> <b>v2.0</b> <code>000000a3</code>" in document


def test_hostile_names_stand_as_text_in_the_document() -> None:
    document = site_files(hostile_store().measurements())["index.html"]
    view = document[document.index('data-view="compare"') :]
    view = view[: view.index("</section>")]

    assert "&lt;" in view  # one of them is among the first
    for name in HOSTILE:
        assert "<" not in name or name not in view
