import re
from itertools import combinations, pairwise

import pytest

from convbench.report.axes import decades, linear, logarithmic, robust_range, spread, ticks
from convbench.report.figures import history_picture
from convbench.report.labels import beside, dot, overlap
from convbench.report.measurements import Commit
from convbench.report.series import Change, Line, Point, columns_of
from convbench.report.sparkline import sparkline
from convbench.report.why import Timing
from convbench.report.why_figure import WhyPicture, why_picture


def line(*values: float | None, changes: tuple[Change, ...] = (), width: float = 0.1) -> Line:
    points = tuple(
        Point(position, value, None, None, "failed", "env", "run")
        if value is None
        else Point(position, value, value - width, value + width, "ok", "env", "run")
        for position, value in enumerate(values)
    )
    return Line("machine", "openblas", "", columns_of(points), changes, len(points))


def commits(count: int) -> list[Commit]:
    return [Commit(n, f"{n:08x}" * 5, f"2026-01-{n + 1:02d}", f"subject {n}") for n in range(count)]


def test_scales_map_ends_to_ends() -> None:
    assert linear((0, 10), (100, 200))(5) == 150
    assert logarithmic((1, 100), (0, 2))(10) == pytest.approx(1)
    assert linear((3, 3), (0, 10))(3) == 5


def test_ticks_are_round_and_inside() -> None:
    assert ticks(0, 10) == [0, 2, 4, 6, 8, 10]
    assert ticks(9.4, 11.6) == pytest.approx([9.5, 10, 10.5, 11, 11.5])
    assert decades(2e-6, 3e-3) == pytest.approx([1e-5, 1e-4, 1e-3])


def test_noise_does_not_fill_an_axis() -> None:
    low, high = robust_range([1.0, 1.001, 0.999])

    assert high - low > 0.2


def test_one_spike_does_not_flatten_a_history() -> None:
    values = [1.0, 1.1, 0.9] * 10

    assert robust_range([*values, 50.0])[1] < 2


def test_an_axis_of_times_never_goes_below_zero() -> None:
    assert robust_range([0.01, 10.0])[0] == 0


def test_labels_are_pushed_apart_within_the_plot() -> None:
    placed = spread([10, 11, 12, 99], 5, 0, 100)

    assert all(b - a >= 5 for a, b in pairwise(placed))
    assert placed[-1] <= 100


def test_of_crowded_labels_the_middle_stays() -> None:
    assert spread([50, 50, 50], 10, 0, 100) == pytest.approx([40, 50, 60])
    assert spread([20, 50, 51, 80], 10, 0, 100) == pytest.approx([20, 45.5, 55.5, 80])


def test_a_picture_has_a_dot_for_each_value_and_a_cross_for_each_failure() -> None:
    picture = history_picture("t", [("openblas", line(1, 1.2, None, 1.1))], "seconds", commits(4))

    (curve,) = picture.curves
    assert len(curve.dots) == 3
    assert len(curve.failures) == 1
    assert curve.has_bars
    assert curve.band.count("V") == 3
    assert "00000001 2026-01-02 subject 1" in curve.dots[1][2]


def test_lines_that_moved_together_share_one_mark_of_the_larger_change() -> None:
    lines = [
        ("openblas", line(1, 1, 2, changes=(Change(2, 1, 2, 2.0, "regression"),))),
        ("mkl", line(1, 1, 1.5, changes=(Change(2, 1, 1.5, 1.5, "regression"),))),
    ]

    picture = history_picture("t", lines, "seconds", commits(3))

    assert [mark.label for mark in picture.marks] == ["▲ +100 %"]


@pytest.mark.parametrize("count", [40, 200])
def test_words_of_close_changes_never_overlap_and_the_largest_keeps_them(count: int) -> None:
    positions = [count // 2, count // 2 + 1, count // 2 + 2, count - 2, count - 1]
    ratios = [1.1, 3.0, 1.2, 1.3, 1.4]
    changes = tuple(
        Change(at, 1, ratio, ratio, "regression")
        for at, ratio in zip(positions, ratios, strict=True)
    )
    lines = [("openblas", line(*[1.0] * count, changes=changes))]

    picture = history_picture("t", lines, "seconds", commits(count))

    assert len(picture.marks) == len(changes)
    worded = [mark for mark in picture.marks if mark.label]
    assert [mark.label for mark in worded] == ["▲ ×3.0", "▲ +40 %"]
    spans = [(mark.x - 76, mark.x) if mark.left else (mark.x, mark.x + 76) for mark in worded]
    assert all(a[1] <= b[0] for a, b in pairwise(sorted(spans)))


def test_few_values_show_their_whole_intervals() -> None:
    picture = history_picture("t", [("openblas", line(1.0, width=0.6))], "seconds", commits(1))

    top, bottom = (float(end) for end in picture.curves[0].band.split(" ")[1].split("V"))
    assert picture.top < top < bottom < picture.bottom


def test_an_interval_without_bounds_to_speak_of_leaves_the_values_their_room() -> None:
    strange = history_picture("t", [("openblas", line(1.0, 2.0, width=1e300))], "s", commits(2))

    (_, one, *_), (_, two, *_) = strange.curves[0].dots
    # The values differ by 1; the intervals, the lower cut at 0, end at 10 times the greater value.
    assert one - two >= (strange.bottom - strange.top) / 25


def test_many_commits_have_a_band() -> None:
    picture = history_picture("t", [("openblas", line(*[1.0] * 8))], "seconds", commits(8))

    assert not picture.curves[0].has_bars
    assert picture.curves[0].band.endswith("Z")


def test_a_picture_of_one_commit_is_drawn() -> None:
    picture = history_picture("t", [("openblas", line(1.0))], "seconds", commits(1))

    assert len(picture.x_ticks) == 1
    assert picture.left < picture.curves[0].dots[0][0] < picture.right


def test_a_long_sparkline_keeps_the_first_point_of_a_change() -> None:
    values = [1.0] * 501 + [2.0] * 499
    change = Change(501, 1.0, 2.0, 2.0, "regression")

    drawn = sparkline(line(*values, changes=(change,)), 1000)

    assert drawn is not None
    steps = drawn.path.split("l")[1]
    # Two levels and nothing between: one vertical step only.
    assert steps.count("-") == 1


def test_a_sparkline_of_one_change_marks_it_alone_and_shows_its_height() -> None:
    """Two changes of 1 %; as a picture of the whole history they are noise."""
    values = [1.0] * 20 + [1.01] * 20 + [1.02] * 20
    both = (Change(20, 1.0, 1.01, 1.01, "regression"), Change(40, 1.01, 1.02, 1.01, "regression"))

    whole = sparkline(line(*values, changes=both), 600)
    told = sparkline(line(*values, changes=both), 600, 40)

    assert whole is not None
    assert told is not None
    assert (len(whole.marks), len(told.marks)) == (2, 1)
    assert whole.dot[0] < 15 < 90 < told.dot[0]  # sixty of six hundred commits, or all of them
    assert rises(whole.path) <= 3 < 10 <= rises(told.path)


def rises(path: str) -> int:
    """How far a relative path goes up in all."""
    steps = re.findall(r"-?\d+", path.split("l")[1])
    return -sum(min(int(step), 0) for step in steps[1::2])


def test_a_level_of_many_commits_is_never_out_of_the_picture() -> None:
    values = [1.0, 1.001] * 40 + [3.0] * 10

    assert robust_range(values)[1] < 2
    assert robust_range(values, levels=(1.0, 3.0))[1] > 3


def test_a_picture_leaves_out_no_line_no_level_and_no_newest_value() -> None:
    """Sixty values near 1; one outlier goes, what many commits share or the newest do stays."""
    many = [1.0, 1.001] * 30
    lines = {
        "other": [("a", line(*many)), ("b", line(*[0.4, 0.401] * 10))],
        "level": [("a", line(*many, *[3.0] * 8, *many, changes=_changes(60, 68)))],
        "newest": [("a", line(*many, 2.0, 2.0))],
        "outlier": [("a", line(*many, 9.0, *many))],
    }

    left_out = {
        name: sum(
            len(curve.outliers)
            for curve in history_picture("t", these, "seconds", commits(130)).curves
        )
        for name, these in lines.items()
    }
    assert left_out == {"other": 0, "level": 0, "newest": 0, "outlier": 1}


def _changes(*positions: int) -> tuple[Change, ...]:
    return tuple(Change(at, 1.0, 3.0, 3.0, "regression") for at in positions)


def test_a_history_without_values_has_no_sparkline() -> None:
    assert sparkline(line(None, None), 2) is None


def test_the_scatter_puts_strategies_at_what_they_execute() -> None:
    timings = [Timing(name="loops", seconds=1e-2, flops=61_440), Timing(name="fft", seconds=1e-4)]
    dense = Timing(name="np.dot", seconds=1e-4, flops=3_072_000)

    picture = why_picture(timings, dense, 61_440, "loops")

    spots = {spot.name: spot for spot in picture.spots}
    assert spots["loops"].x == spots["fft"].x < spots["np.dot"].x
    assert spots["loops"].y < spots["fft"].y == spots["np.dot"].y
    assert [spots[name].role for name in ("loops", "fft", "np.dot")] == [
        "asked",
        "fastest",
        "dense",
    ]
    assert picture.arrow is not None
    assert picture.arrow.label == "50× the operations in 1/100 of the time"


def crowded_picture(crowd: int) -> WhyPicture:
    """Draw many strategies of the same operations, some of more, and the product."""
    timings = [
        Timing(name=f"gemm_variant_{n}", seconds=4e-6 * 1.08**n, flops=61_440) for n in range(crowd)
    ]
    timings += [
        Timing(name=f"transform_{n}", seconds=3e-5 * 2**n, flops=230_000 + 40_000 * n)
        for n in range(8)
    ]
    timings.append(Timing(name="loops", seconds=14e-3, flops=61_440))
    dense = Timing(name="np.dot 500×3072", seconds=1e-4, flops=3_072_000)
    return why_picture(timings, dense, 61_440, "loops")


@pytest.mark.parametrize("crowd", [1, 10, 40])
def test_words_of_the_scatter_cover_neither_each_other_nor_points(crowd: int) -> None:
    picture = crowded_picture(crowd)

    boxes = [spot.label.box(len(f"{spot.name} {spot.value}")) for spot in picture.spots]

    assert not [pair for pair in combinations(boxes, 2) if overlap(*pair)]
    dots = [dot(spot.x, spot.y) for spot in picture.spots]
    assert not [(one, other) for one in boxes for other in dots if overlap(one, other)]
    for left, top, right, bottom in boxes:
        assert picture.left <= left < right <= picture.right
        assert picture.top <= top < bottom <= picture.bottom


def test_the_scatter_grows_with_the_strategies_that_share_a_column() -> None:
    assert crowded_picture(10).height < crowded_picture(30).height < crowded_picture(40).height


def test_words_without_a_free_place_stand_right_of_their_point() -> None:
    everywhere = (0.0, 0.0, 1000.0, 1000.0)

    label = beside(500, 500, 10, [everywhere], everywhere)

    assert (label.anchor, label.y) == ("start", 500)
    assert label.x > 500
