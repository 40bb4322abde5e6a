"""Where one strategy overtakes another: laws of families, of crossings and of the picture."""

import math
from itertools import pairwise
from typing import Any

import pytest
from sample_store import PROBLEMS, SIDES, STRANGE_INTERVALS, convolution_store

from convbench.report.cells import Cell
from convbench.report.crossover import Crossing, find_crossings, find_crossovers
from convbench.report.crossover_figure import crossover_picture
from convbench.report.matrix import build_matrices
from convbench.report.problem_families import Family, find_families
from convbench.report.series import build_series
from convbench.workloads import WORKLOADS

BASE = {
    "batch": 1, "in_channels": 16, "height": 32, "width": 32, "out_channels": 8,
    "kernel_height": 3, "kernel_width": 3, "stride_h": 1, "stride_w": 1, "padding_h": 0,
    "padding_w": 0, "dilation_h": 1, "dilation_w": 1, "groups": 1, "flops": 1000,
}  # fmt: skip


def facts(*changes: dict[str, int]) -> dict[str, dict[str, Any]]:
    """Make problems p0, p1 … that differ from the base."""
    return {f"p{number}": BASE | change for number, change in enumerate(changes)}


def side(size: int) -> dict[str, int]:
    return {"height": size, "width": size}


def kernel(size: int, padding: int = 0) -> dict[str, int]:
    sizes = {"kernel_height": size, "kernel_width": size}
    return sizes | {"padding_h": padding, "padding_w": padding}


def families(problems: dict[str, dict[str, Any]]) -> tuple[Family, ...]:
    return find_families(problems, list(problems))


def test_problems_that_differ_in_one_size_are_a_family_smallest_first() -> None:
    (family,) = families(facts(side(64), side(16), side(32)))

    assert family.size == "image side"
    assert family.members == ((16, "p1"), (32, "p2"), (64, "p0"))
    assert family.rest == "16 → 8 channels, 3×3 filters"


@pytest.mark.parametrize(
    ("size", "changes"),
    [
        ("batch", [{"batch": n} for n in (1, 4, 8)]),
        ("kernel side", [kernel(n) for n in (1, 3, 5)]),
        ("kernel side", [kernel(n, n // 2) for n in (1, 3, 5)]),
        ("input channels", [{"in_channels": n} for n in (4, 16, 64)]),
        ("output channels", [{"out_channels": n} for n in (4, 16, 64)]),
        ("channels", [{"in_channels": n, "out_channels": n} for n in (4, 16, 64)]),
        (
            "channels",
            [{"in_channels": n, "out_channels": n, "groups": n} for n in (4, 16, 64)],
        ),
    ],
)
def test_every_size_is_found(size: str, changes: list[dict[str, int]]) -> None:
    (family,) = families(facts(*changes))

    assert family.size == size
    assert len(family.members) == 3


def test_two_sizes_are_no_family() -> None:
    assert families(facts(side(64), side(16))) == ()


def test_what_differs_in_something_else_is_in_no_family() -> None:
    assert families(facts(side(64), side(16), side(32) | {"stride_h": 2})) == ()
    assert families(facts(side(64), side(16), side(32) | {"dilation_w": 2})) == ()
    assert families(facts(side(64), side(16), {"height": 32, "width": 48})) == ()


def test_a_problem_without_facts_is_in_no_family() -> None:
    known = facts(side(64), side(16))

    assert find_families(known, [*known, "stranger"]) == ()


def test_a_part_of_a_family_is_no_family_of_its_own() -> None:
    # A 1×1 kernel without padding keeps the image's side, the others here do not.
    (family,) = families(facts(kernel(1), kernel(3), kernel(5), kernel(7)))

    assert [size for size, _ in family.members] == [1, 3, 5, 7]


def test_padding_that_keeps_the_side_is_one_thing_whatever_the_kernel() -> None:
    (family,) = families(facts(kernel(3, 1), kernel(5, 2), kernel(7, 3), kernel(7, 0)))

    assert [size for size, _ in family.members] == [3, 5, 7]


def test_equal_shapes_are_one_member() -> None:
    assert families(facts(side(64), side(16), side(16))) == ()


def test_our_own_catalogue_is_told_apart_by_the_same_columns() -> None:
    """Nothing that a problem has is forgotten: else unlike problems would be one family."""
    (arguments, *_) = WORKLOADS.values()

    pairs = {name for name, value in arguments.items() if isinstance(value, tuple)}
    assert {name for name in arguments if name not in pairs} | {
        f"{name}_{axis}" for name in pairs for axis in "hw"
    } == BASE.keys() - {"flops"}


def cells(*seconds: float | None, width: float = 1.01) -> list[Cell | None]:
    """Make the cells of a line."""
    return [
        one and Cell("ok", seconds=one, low=one / width, high=one * width) for one in seconds
    ]  # fmt: skip


def test_a_crossing_lies_between_the_sizes_where_each_is_faster() -> None:
    lines = {"im2col": cells(1.0, 2.0, 8.0), "fft": cells(4.0, 4.0, 4.0)}

    (crossing,) = find_crossings(lines, [4, 8, 16])

    assert (crossing.before, crossing.after, crossing.low, crossing.high) == (
        "im2col", "fft", 8, 16,
    )  # fmt: skip
    assert crossing.about == pytest.approx(8 * math.sqrt(2))
    assert crossing.words == "fft overtakes im2col between 8 and 16, at about 11"


def test_within_the_intervals_nobody_overtakes() -> None:
    lines = {"a": cells(1.0, 2.0, 4.0), "b": cells(1.5, 2.4, 3.95)}

    assert find_crossings(lines, [1, 2, 3]) == ()


def test_sizes_at_which_both_are_equal_are_said() -> None:
    lines = {"a": cells(1.0, 2.0, 4.0), "b": cells(1.5, 2.01, 3.0)}

    (crossing,) = find_crossings(lines, [1, 2, 3])

    assert crossing == Crossing("a", "b", 1, 3, None, (2,))
    assert crossing.words == (
        "b overtakes a between 1 and 3; at 2 they are equal within their intervals"
    )


def test_who_was_equal_from_the_first_size_on_overtakes_nobody() -> None:
    lines = {"a": cells(1.0, 2.0, 4.0), "b": cells(1.005, 2.01, 3.0)}

    (crossing,) = find_crossings(lines, [1, 2, 3])

    assert crossing.low is None
    assert crossing.words == "b and a are equal within their intervals at 1 and 2; b is faster at 3"


def test_the_leader_may_change_twice() -> None:
    lines = {"a": cells(1.0, 4.0, 9.0), "b": cells(2.0, 2.0, 5.0), "c": cells(3.0, 3.0, 3.0)}

    found = find_crossings(lines, [1, 2, 3])

    assert [(one.before, one.after) for one in found] == [("a", "b"), ("b", "c")]


def test_auto_overtakes_nobody() -> None:
    lines = {"a": cells(1.0, 4.0), "b": cells(2.0, 2.0), "auto": cells(0.99, 1.98)}

    assert [(one.before, one.after) for one in find_crossings(lines, [1, 2])] == [("a", "b")]


def test_who_stops_being_measured_is_not_overtaken() -> None:
    lines = {"a": cells(1.0, None, None), "b": cells(2.0, 2.0, 2.0)}

    assert find_crossings(lines, [1, 2, 3]) == ()


def test_a_size_without_a_time_is_passed_over() -> None:
    lines = {"a": cells(1.0, None, 4.0), "b": cells(2.0, None, 2.0), "c": cells(9.0, 9.0, 9.0)}

    found = find_crossings(lines, [1, 2, 3])

    assert [(one.before, one.after, one.low, one.high) for one in found] == []

    lines["c"] = cells(9.0, None, 9.0)
    (crossing,) = find_crossings(lines, [1, 2, 3])
    assert (crossing.before, crossing.after, crossing.low, crossing.high) == ("a", "b", 1, 3)


def test_without_intervals_every_difference_counts() -> None:
    lines = {"a": [Cell("ok", seconds=one) for one in (1.0, 2.0)],
             "b": [Cell("ok", seconds=one) for one in (1.1, 1.9)]}  # fmt: skip

    assert [one.after for one in find_crossings(lines, [1, 2])] == ["b"]


def test_a_picture_has_the_sizes_as_ticks_and_the_crossing_between() -> None:
    values = {"a": [(1e-12, 0.9e-12, 1.1e-12), (4e-12, 3e-12, 5e-12)], "b": [None, (2e-12,) * 3]}

    picture = crossover_picture("kernel side", [3, 9], values, [(5.0, "a", "b")])

    assert [tick.label for tick in picture.x_ticks] == ["3", "9"]
    ((x, words),) = picture.meetings
    assert picture.x_ticks[0].at < x < picture.x_ticks[1].at
    assert words == "b overtakes a"
    first, second = picture.lines
    assert len(first.dots) == 2
    assert len(second.dots) == 1
    x, y, low, high = first.dots[0]
    assert (x, low > y > high) == (picture.x_ticks[0].at, True)
    assert abs(first.label_y - second.label_y) >= 16


def test_names_of_lines_that_end_together_stand_apart() -> None:
    values = {f"s{n}": [(1e-12,) * 3, ((2 + n / 100) * 1e-12,) * 3] for n in range(7)}

    picture = crossover_picture("batch", [1, 2], values, [])

    heights = sorted(line.label_y for line in picture.lines)
    assert min(after - before for before, after in pairwise(heights)) >= 16
    assert heights == [line.label_y for line in reversed(picture.lines)]


@pytest.mark.parametrize(("low", "high"), STRANGE_INTERVALS)
def test_an_interval_however_wide_leaves_the_lines_their_room(low: float, high: float) -> None:
    values = {"a": [(1e-12, low * 1e-12, high * 1e-12), (4e-12, 4e-12 * low, 4e-12 * high)]}

    picture = crossover_picture("batch", [1, 2], values, [])

    (first, second) = picture.lines[0].dots
    for _, y, bottom, top in (first, second):
        assert picture.bottom > bottom > y > top > picture.top
    # Of at most two decades of intervals and the factor of 4 itself, the lines have this share.
    assert first[1] - second[1] >= 0.2 * (picture.bottom - picture.top)


def test_faster_per_operation_stands_lower() -> None:
    picture = crossover_picture("batch", [1, 2], {"a": [(1e-12,) * 3, (2e-12,) * 3]}, [])

    (line,) = picture.lines
    assert line.dots[0][1] > line.dots[1][1]


def test_a_family_in_the_store_is_drawn_and_others_are_not() -> None:
    measurements = convolution_store(1, problems=[*PROBLEMS, *SIDES]).measurements()

    matrix = build_matrices(measurements, build_series(measurements))[0]

    (crossover,) = matrix.crossovers
    # cifar_resnet20_3x3 has the same filters, at 32.
    assert [size for size, _ in crossover.family.members] == [8, 16, 32, 64]
    assert crossover.title == "By image side, 8 to 64: 16 → 16 channels, 3×3 filters"
    assert crossover.left_out == 3
    assert {name for name, _ in crossover.rows} == {line.name for line in crossover.picture.lines}


def test_without_a_family_there_is_no_crossover() -> None:
    measurements = convolution_store(1).measurements()

    assert build_matrices(measurements, build_series(measurements))[0].crossovers == ()


def test_problems_that_nobody_did_are_in_no_picture() -> None:
    known = facts(side(64), side(16), side(32))
    rows = [("a", [*cells(1.0, 2.0), Cell("skipped")]), ("b", [*cells(1.0, 2.0), Cell("failed")])]

    assert find_crossovers(rows, list(known), known) == ()  # type: ignore[arg-type]
