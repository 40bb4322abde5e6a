"""The roofline: effective and executed rates of one problem, or of one strategy, under ceilings."""

import math
from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sample_store import (
    DISTURBED,
    FORTY_STRATEGIES,
    PROBLEMS,
    Store,
    convolution_store,
    flops,
    foreign_store,
    trusted_store,
)
from test_roofs import BANDWIDTHS, ROOFS, add_ceilings
from test_site import Elements

from convbench.report.labels import CHARACTER, LINE, dot, overlap
from convbench.report.matrix import build_matrices
from convbench.report.roofline import PROBLEM, STRATEGY, Roofline, Rooflines, build_rooflines
from convbench.report.roofline_figure import (
    WIDE,
    WIDE_BESIDE,
    RooflinePicture,
    Spot,
    roofline_picture,
)
from convbench.report.roofs import Roof
from convbench.report.series import build_series
from convbench.report.site import site_files

RATES = st.tuples(st.floats(1e5, 1e12), st.floats(0.05, 300))


def view_of(store: Store) -> Rooflines | None:
    measurements = store.measurements()
    series = build_series(measurements)
    return build_rooflines(measurements, series, build_matrices(measurements, series))


def variant(
    store: Store, problem: str = "question", line: str = "openblas", strategy: str = ""
) -> Roofline:
    view = view_of(store)
    assert view is not None
    wanted = ("", strategy) if strategy else (problem, "")
    return next(
        one
        for one in view.variants
        if (one.problem, one.strategy, one.line, one.dtype) == (*wanted, line, "float32")
    )


def spots(rates: list[tuple[float, float]], intensity: float) -> list[Spot]:
    return [Spot(intensity, rate, factor, "direct") for rate, factor in rates]


def with_ceilings(commits: int = 1) -> Store:
    store = convolution_store(commits)
    for index in range(commits):
        add_ceilings(store, index)
    return store


def test_every_problem_is_a_picture_for_each_build_and_data_type() -> None:
    view = view_of(convolution_store(1))

    assert view is not None
    pictures = [one for one in view.variants if one.by == PROBLEM]
    found = {(one.line, one.dtype, one.problem) for one in pictures}
    assert found == {
        *((line, "float32", problem) for line in ("openblas", "mkl") for problem in PROBLEMS),
        *((line, "float64", "question") for line in ("openblas", "mkl")),
    }
    assert len(found) == len(pictures)
    # Problems before strategies; the smallest first, in the data type of most problems.
    assert view.variants[: len(pictures)] == tuple(pictures)
    assert (view.variants[0].problem, view.variants[0].dtype) == ("question", "float32")


def test_effective_and_executed_rates_are_told_apart() -> None:
    one = variant(with_ceilings())
    rows = {row.name: row for row in one.rows}

    # Made-up times differ by a per cent of noise from these.
    assert float(rows["fft"].effective.split()[0]) == pytest.approx(
        flops("question") / 196e-6 / 1e9, rel=0.1
    )
    assert rows["fft"].factor == "×9.0"
    assert float(rows["fft"].executed.split()[0]) == pytest.approx(
        9 * flops("question") / 196e-6 / 1e9, rel=0.1
    )
    assert (rows["im2col"].executed, rows["im2col"].factor) == (
        rows["im2col"].effective, "×1.00",
    )  # fmt: skip
    marks = dict(zip(rows, one.picture.marks, strict=True))
    assert marks["im2col"].executed is None
    assert marks["fft"].executed is not None


def test_the_fastest_stands_first_and_in_the_title_with_its_part_of_the_peak() -> None:
    one = variant(with_ceilings())
    seconds = [float(row.effective.split()[0]) for row in one.rows if "GFLOP" in row.effective]

    assert seconds == sorted(seconds, reverse=True)
    assert one.title == (
        f"{one.rows[0].name} is fastest on question: {one.rows[0].effective}, "
        f"{one.rows[0].of_peak} of the FMA peak"
    )


def test_of_one_strategy_alone_the_title_claims_no_race() -> None:
    store = convolution_store(1)
    store.rows = [made for made in store.rows if made["strategy"] in ("", "loops")]

    assert variant(store).title.startswith("loops alone was measured on question: ")


def test_the_page_begins_with_a_run_that_was_not_cut_short() -> None:
    store = convolution_store(1)
    store.rows = [
        made
        for made in store.rows
        if made["blas"] != "openblas" or made["strategy"] in ("", "loops")
    ]
    view = view_of(store)

    assert view is not None
    assert [view.variants[0].line, view.variants[-1].line] == ["mkl", "openblas"]


def test_a_fastest_that_executes_less_says_what_it_executes() -> None:
    store = with_ceilings()
    for cell in store.tables["cells"]:
        if cell["strategy"] == "im2col":
            cell["flops"] //= 4
    one = variant(store)

    assert one.rows[0].name == "im2col"
    assert f"{one.rows[0].effective} effective; it executes {one.rows[0].executed}" in one.title


def test_what_is_executed_is_never_guessed() -> None:
    store = with_ceilings()
    store.tables["cells"] = []
    one = variant(store)

    assert {(row.executed, row.factor, row.of_peak) for row in one.rows} == {("", "", "")}
    assert "peak" not in one.title
    text = Elements(site_files(store.measurements())["index.html"]).text
    assert "not known" in text


def test_operations_that_another_commit_executed_are_not_this_ones() -> None:
    store = convolution_store(2)
    store.tables["cells"] = [cell for cell in store.tables["cells"] if cell["run"] == "run-0"]

    assert {row.executed for row in variant(store).rows} == {""}


@pytest.mark.parametrize(
    ("moved", "words"),
    [(100_000, "below the 15.0 at which DRAM"), (1000, "above the 15.0 at which DRAM")],
)
def test_the_page_says_on_which_side_of_the_ridge_a_problem_lies(moved: int, words: str) -> None:
    store = with_ceilings()
    for problem in store.tables["problems"]:
        problem["bytes_float32"] = moved

    assert words in variant(store).lede


def test_without_ceilings_the_points_stay_and_the_page_says_how_to_measure_them() -> None:
    store = convolution_store(1)
    one = variant(store)
    text = Elements(site_files(store.measurements())["index.html"]).text

    assert (one.roofs, one.picture.ceilings) == ((), ())
    assert len(one.picture.marks) == len(one.rows) > 5
    assert {row.of_peak for row in one.rows} == {""}
    assert "No ceiling of this machine and build was measured" in text
    assert "convbench measure HEAD" in text


def test_the_ceilings_are_those_of_the_build() -> None:
    store = with_ceilings()
    add_ceilings(store, 0, blas="mkl", factor=1.5)

    single, other = (variant(store, line=line) for line in ("openblas", "mkl"))

    assert {roof.name for roof in single.roofs} == {"GEMM", "FMA", *BANDWIDTHS}
    assert other.roofs[0].rate == 1.5 * single.roofs[0].rate


def test_a_value_of_an_earlier_commit_or_a_disturbed_run_is_marked() -> None:
    store = trusted_store(2)
    store.rows = [
        made for made in store.rows if not (made["strategy"] == "einsum" and made["run"] == "run-1")
    ]
    rows = {row.name: row for row in variant(store).rows}

    assert (rows["einsum"].commit, rows["einsum"].disturbed) == ("000000a1", "")
    assert (rows["im2col"].commit, rows["im2col"].disturbed) == ("", DISTURBED)


def test_a_strategy_of_several_problems_is_a_picture_for_each_build_and_data_type() -> None:
    view = view_of(convolution_store(1))

    assert view is not None
    pictures = [one for one in view.variants if one.by == STRATEGY]
    of_problems = [one for one in view.variants if one.by == PROBLEM and one.dtype == "float32"]
    strategies = {row.name for one in of_problems for row in one.rows}
    # With float64 one problem alone was measured, whose picture has all of it.
    assert {(one.line, one.dtype, one.strategy) for one in pictures} == {
        (line, "float32", strategy) for line in ("openblas", "mkl") for strategy in strategies
    }
    assert {one.problem for one in pictures} == {""}
    assert view.names(STRATEGY) == list(dict.fromkeys(one.strategy for one in pictures))
    assert view.names(PROBLEM) == list(dict.fromkeys(one.problem for one in of_problems))


@pytest.mark.parametrize("strategy", ["im2col", "fft"])
def test_a_strategys_picture_says_of_each_problem_what_the_problems_picture_says(
    strategy: str,
) -> None:
    store = with_ceilings()
    of_strategy = variant(store, strategy=strategy)

    assert {row.name for row in of_strategy.rows} == set(PROBLEMS)
    for row in of_strategy.rows:
        (same,) = (other for other in variant(store, row.name).rows if other.name == strategy)
        assert (row.time, row.effective, row.executed, row.factor, row.of_peak, row.link) == (
            same.time, same.effective, same.executed, same.factor, same.of_peak, same.link,
        )  # fmt: skip
    marks = dict(
        zip((row.name for row in of_strategy.rows), of_strategy.picture.marks, strict=True)
    )
    assert {mark.executed is None for mark in marks.values()} == {strategy == "im2col"}


def test_a_strategys_problems_stand_by_their_executed_rate_and_the_title_names_the_ends() -> None:
    store = with_ceilings()
    for made in store.rows:
        if made["problem"] == "vgg16_conv3_2":  # the longest, and so the slowest by its rate
            made["value"] *= 1000
    one = variant(store, strategy="fft")
    parts = [float(row.of_peak.split()[0]) for row in one.rows]

    assert parts == sorted(parts, reverse=True)
    assert one.title == (
        f"fft executes at {one.rows[0].of_peak} of the FMA peak on {one.rows[0].name}, "
        f"at {one.rows[-1].of_peak} on {one.rows[-1].name}"
    )
    assert "It executes ×9.0 the operations of the direct algorithm." in one.lede


def test_without_ceilings_a_strategys_title_has_its_effective_rates() -> None:
    one = variant(convolution_store(1), strategy="im2col")

    assert one.title == (
        f"im2col reaches {one.rows[0].effective} on {one.rows[0].name}, "
        f"{one.rows[-1].effective} on {one.rows[-1].name}"
    )
    assert one.lede == "It executes the direct algorithm's operations."


def test_operations_of_some_problems_alone_are_told_as_such() -> None:
    store = convolution_store(1)
    for cell in store.tables["cells"]:
        if cell["strategy"] == "fft" and cell["problem"] != "question":
            cell["flops"] = 0

    lede = variant(store, strategy="fft").lede

    assert (
        lede
        == "It executes ×9.0 the operations of the direct algorithm on the 1 where that is known."
    )


@pytest.mark.parametrize(
    ("moved", "words"),
    [
        ({}, "None of its 4 problems lies below the 15.0 at which DRAM"),
        ({"question": 100_000}, "1 of its 4 problems lies below the 15.0 at which DRAM"),
        (dict.fromkeys(PROBLEMS, 10**12), "All of its 4 problems lie below the 15.0 at which DRAM"),
    ],
)
def test_the_page_counts_a_strategys_problems_below_the_ridge(
    moved: dict[str, int], words: str
) -> None:
    store = with_ceilings()
    for problem in store.tables["problems"]:
        problem["bytes_float32"] = moved.get(problem["problem"], 1000)

    assert words in variant(store, strategy="im2col").lede


def test_a_project_without_strategies_has_no_such_view() -> None:
    assert view_of(foreign_store()) is None
    assert "#/roofline" not in site_files(foreign_store().measurements())["index.html"]


@pytest.mark.parametrize("unknown", [{"flops": 0}, {"bytes_float32": 0, "bytes_float64": 0}])
def test_a_problem_of_unknown_size_has_no_picture(unknown: dict[str, int]) -> None:
    store = convolution_store(1)
    for problem in store.tables["problems"]:
        problem |= unknown if problem["problem"] == "question" else {}

    view = view_of(store)

    assert view is not None
    assert "question" not in {one.problem for one in view.variants}


@given(st.lists(RATES, min_size=1, max_size=45), st.floats(0.2, 2000), st.booleans(), st.booleans())
def test_everything_lies_within_the_plot(
    rates: list[tuple[float, float]], intensity: float, has_roofs: bool, in_column: bool
) -> None:
    drawn = roofline_picture(
        spots(rates, intensity), ROOFS if has_roofs else (), in_column=in_column
    )

    for mark in drawn.marks:
        for x, y in filter(None, ((mark.x, mark.y), mark.executed)):
            assert 0 <= x <= 100
            assert drawn.top <= y <= drawn.bottom
        if in_column:
            assert drawn.top <= mark.words.y <= drawn.bottom
    for line in drawn.ceilings:
        assert 0 <= line.x1 <= line.x2 <= 100
        assert drawn.top <= line.y2 <= line.y1 <= drawn.bottom


@given(st.lists(RATES, min_size=2, max_size=45), st.floats(0.2, 2000))
def test_labels_are_pushed_apart_in_the_order_of_the_points(
    rates: list[tuple[float, float]], intensity: float
) -> None:
    drawn = roofline_picture(spots(rates, intensity), ROOFS, in_column=True)
    marks = sorted(drawn.marks, key=lambda one: one.words.y)

    assert all(low.words.y + LINE <= high.words.y + 0.11 for low, high in pairwise(marks))
    assert all(low.y <= high.y for low, high in pairwise(marks))


def test_names_among_points_cover_no_point_and_no_other_name() -> None:
    rates = [(10 ** (7 + index / 5), 1.0 if index % 3 else 4.0) for index in range(20)]
    names = [Spot(2.0**index, *rate, "resnet50_conv2_3x3") for index, rate in enumerate(rates)]
    drawn = roofline_picture(names, ROOFS, in_column=False)
    boxes = []
    for mark in drawn.marks:
        left = mark.x * WIDE_BESIDE / 100 + mark.words.x
        left -= CHARACTER * 18 if mark.words.ends else 0
        boxes.append(
            (left, mark.y + mark.words.y - 8, left + CHARACTER * 18, mark.y + mark.words.y + 8)
        )
    points = [dot(mark.x * WIDE_BESIDE / 100, mark.y) for mark in drawn.marks]

    assert not any(overlap(one, other) for one, other in combinations(boxes, 2))
    assert not any(overlap(one, point) for one in boxes for point in points)


@given(st.floats(1e6, 1e11), st.floats(0.05, 300), st.floats(0.2, 2000))
def test_other_operations_move_a_strategy_along_the_slope_of_a_bandwidth(
    rate: float, factor: float, intensity: float
) -> None:
    roofs = [Roof("DRAM", 16e9, "byte/s"), ROOFS[1]]
    drawn = roofline_picture(spots([(rate, factor)], intensity), roofs, in_column=True)
    (mark,) = drawn.marks
    slope = next(line for line in drawn.ceilings if line.roof.name == "DRAM")

    if mark.executed is not None and abs(mark.executed[0] - mark.x) > 2.5:
        part = (mark.executed[1] - mark.y) / (mark.executed[0] - mark.x)
        along = (slope.y2 - slope.y1) / (slope.x2 - slope.x1)
        assert part == pytest.approx(along, rel=0.02)


def test_a_bandwidth_ends_at_the_highest_peak_and_a_peak_begins_at_the_fastest_level() -> None:
    drawn = roofline_picture(spots([(1e9, 1.0)], 10.0), ROOFS, in_column=True)
    lines = {line.roof.name: line for line in drawn.ceilings}

    for level in BANDWIDTHS:
        assert lines[level].y2 == lines["FMA"].y1
    assert lines["FMA"].x1 == pytest.approx(lines["L1"].x2, abs=0.02)
    assert lines["GEMM"].x1 < lines["FMA"].x1
    assert lines["FMA"].x2 == 100


@pytest.mark.parametrize("intensity", [0.3, 2.7, 20.0, 60.0, 420.0])
def test_the_names_of_the_peaks_do_not_cover_the_points(intensity: float) -> None:
    drawn: RooflinePicture = roofline_picture(
        spots([(150e9, 1.0), (239e9, 1.0)], intensity), ROOFS, in_column=True
    )
    column = drawn.marks[0].x * WIDE / 100

    for line in drawn.ceilings:
        if line.roof.is_peak:
            width = CHARACTER * len(line.roof.words)
            left = line.words_x * WIDE / 100 + line.words.x - (width if line.words.ends else 0)
            assert not left - 4 < column < left + width + 4


def test_forty_strategies_get_a_higher_picture() -> None:
    few = variant(convolution_store(1))
    many = variant(convolution_store(1, strategies=FORTY_STRATEGIES))

    assert many.picture.height > few.picture.height
    assert many.picture.height >= LINE * len(many.rows)
    assert not any(math.isnan(mark.words.y) for mark in many.picture.marks)


@pytest.mark.parametrize(
    ("rate", "words"),
    [(2e11, ("100 G", "FLOP/s")), (3e12, ("1 T", "FLOP/s")), (40.0, ("10", "flop/s"))],
)
def test_a_phone_has_the_prefix_of_a_rate_without_its_unit(
    rate: float, words: tuple[str, str]
) -> None:
    drawn = roofline_picture(spots([(rate, 1.0)], 10.0), (), in_column=True)

    assert words in [(tick.label, tick.unit) for tick in drawn.y_ticks]
