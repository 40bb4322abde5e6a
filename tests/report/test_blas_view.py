"""The view of BLAS builds against each other: ratios, their intervals, and the control."""

import math
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sample_store import (
    BUILDS,
    DISTURBED,
    Store,
    convolution_store,
    foreign_store,
    row,
    trusted_store,
    versions_store,
)
from test_site import Elements

from convbench.report.build_bars import axis_of, bar
from convbench.report.build_ratios import (
    CALLS_NO_BLAS,
    ProblemRatio,
    Ratio,
    control_factor,
    ratios_of,
)
from convbench.report.builds_compared import (
    MOST_BUILDS,
    BuildsCompared,
    Comparison,
    build_comparisons,
)
from convbench.report.series import build_series
from convbench.report.site import site_files
from convbench.report.winners import group_timings

CONTROL, CALLING = "numba_loops", "im2col"


def view_of(store: Store) -> BuildsCompared | None:
    measurements = store.measurements()
    return build_comparisons(measurements, build_series(measurements))


def variants_of(store: Store) -> tuple[Comparison, ...]:
    view = view_of(store)
    assert view is not None
    return view.variants


def ratios(store: Store, build: str = "mkl", baseline: str = "openblas") -> Mapping[str, Ratio]:
    measurements = store.measurements()
    timed = group_timings(build_series(measurements))
    lines = {line: found for (_, line, dtype), found in timed.items() if dtype == "float32"}
    return ratios_of(measurements, lines[build], lines[baseline])


def timed(
    index: int,
    value: float | None,
    *,
    strategy: str = CALLING,
    problem: str = "question",
    blas: str = "openblas",
    width: float = 0.02,
    threads: str = "1",
) -> dict[str, object]:
    params = {"strategy": strategy, "problem": problem, "dtype": "float32"}
    made = row(index, value, params=params, blas=blas, width=width)
    return made | {"threads": threads, "environment": f"env-{blas}-{threads}"}


def pair(
    index: int, value: float, base: float, *, width: float = 0.02, **names: str
) -> list[dict[str, object]]:
    return [
        timed(index, base, width=width, **names),
        timed(index, value, width=width, blas="mkl", **names),
    ]


def one_problem(value: float, low: float, high: float) -> Ratio:
    return Ratio((ProblemRatio("question", value, (low, high), 0, "", ""),))


def test_a_ratio_is_the_geometric_mean_over_the_problems() -> None:
    store = Store(rows=[*pair(0, 1e-3, 2e-3), *pair(0, 4e-3, 1e-3, problem="vgg16_conv3_2")])

    ratio = ratios(store)[CALLING]

    assert [one.value for one in ratio.problems] == pytest.approx([0.5, 4.0])
    assert ratio.value == pytest.approx(math.sqrt(0.5 * 4.0))


def test_the_interval_of_a_ratio_joins_those_of_two_independent_times() -> None:
    store = Store(rows=pair(0, 1.0, 1.0, width=0.03))

    low, high = ratios(store)[CALLING].interval or (0.0, 0.0)

    # By hand: log(0.97) and log(1.03), as the sides of a right angle.
    above = math.exp(math.hypot(math.log(1.03), math.log(0.97)))
    assert (low, high) == pytest.approx((1 / above, above))


def test_the_mean_of_equal_problems_is_known_better_by_the_root_of_their_number() -> None:
    names = ["question", "cifar_resnet20_3x3", "mobilenetv2_dw3", "vgg16_conv3_2"]
    one = Store(rows=pair(0, 1.0, 1.0))
    four = Store(rows=[made for name in names for made in pair(0, 1.0, 1.0, problem=name)])

    wide, narrow = (
        math.log((ratios(store)[CALLING].interval or (1.0, 1.0))[1]) for store in (one, four)
    )

    assert narrow == pytest.approx(wide / 2)


@given(
    st.lists(
        st.tuples(st.floats(1e-6, 1e3), st.floats(1e-6, 1e3), st.floats(0.001, 0.5)),
        min_size=1,
        max_size=3,
    )
)
def test_the_other_way_round_is_one_over_it(cases: list[tuple[float, float, float]]) -> None:
    store = Store()
    for number, (value, base, width) in enumerate(cases):
        store.rows += pair(0, value, base, width=width, problem=f"problem_{number}")

    there, back = ratios(store)[CALLING], ratios(store, "openblas", "mkl")[CALLING]

    assert there.value * back.value == pytest.approx(1)
    assert there.interval is not None
    assert back.interval is not None
    assert there.interval[0] * back.interval[1] == pytest.approx(1)
    assert there.interval[0] <= there.value <= there.interval[1]


def test_times_of_two_commits_are_never_divided() -> None:
    store = Store(rows=[*pair(0, 1.0, 2.0), timed(1, 8.0, blas="mkl")])

    (problem,) = ratios(store)[CALLING].problems

    assert (problem.value, problem.position) == (0.5, 0)


def test_builds_without_a_common_commit_are_not_compared() -> None:
    assert view_of(Store(rows=[timed(0, 1.0), timed(1, 1.0, blas="mkl")])) is None


@pytest.mark.parametrize("status", ["failed", "skipped"])
def test_what_has_no_time_has_no_ratio(status: str) -> None:
    store = Store(rows=[*pair(0, 1.0, 2.0), *pair(0, 1.0, 2.0, strategy="kn2row")])
    store.rows[-1] |= {"status": status, "value": math.nan}

    assert ratios(store).keys() == {CALLING}


def test_without_an_interval_nothing_is_claimed() -> None:
    store = Store(rows=pair(0, 1.0, 2.0))
    store.rows[0] |= dict.fromkeys(("ci_low", "ci_high", "q25", "q75"), math.nan)

    (drawn,) = variants_of(store)[0].rows[0].bars

    assert drawn is not None
    assert (drawn.verdict, drawn.filled, drawn.interval) == ("unknown", False, "")
    assert drawn.direction == "no interval"


def test_a_time_without_an_interval_is_shown_but_not_in_the_mean() -> None:
    store = Store(rows=[*pair(0, 1.0, 2.0), *pair(0, 9.0, 1.0, problem="vgg16_conv3_2")])
    store.rows[-1] |= dict.fromkeys(("ci_low", "ci_high", "q25", "q75"), math.nan)

    (drawn,) = variants_of(store)[0].rows[0].bars

    assert drawn is not None
    assert (drawn.ratio, drawn.not_counted, drawn.verdict) == ("0.500", 1, "better")
    assert [end.ratio for end in drawn.extremes] == ["0.500", "9.00"]
    assert len(drawn.dots) == 2
    html = site_files(store.measurements())["index.html"]
    assert "1 without interval" in html


def test_a_build_that_differs_from_nothing_is_a_tie_everywhere() -> None:
    store = convolution_store(1)
    store.rows = [made for made in store.rows if made["blas"] == "openblas"]
    store.rows += [
        made | {"blas": "mkl", "blas_identity": BUILDS["mkl"], "environment": "mkl"}
        for made in store.rows
    ]

    for one in variants_of(store):
        bars = [drawn for line in (*one.rows, *one.controls) for drawn in line.bars if drawn]
        assert {drawn.verdict for drawn in bars} == {"same"}
        assert {drawn.at for drawn in bars} == {one.one}
        assert "no difference shown in 6 strategies that call a BLAS" in one.builds[0].summary


@pytest.mark.parametrize(
    ("interval", "factor", "verdict", "direction"),
    [
        ((0.87, 0.85, 0.89), None, "better", "▼ 13 % less time"),
        ((0.87, 0.85, 0.89), 1.05, "better", "▼ 13 % less time"),
        ((0.87, 0.85, 0.89), 1.2, "within", "▼ 13 % less time"),
        ((1.15, 1.01, 1.3), None, "worse", "▲ 15 % more time"),
        ((2.43, 2.4, 2.5), None, "worse", "▲ 2.4× the time"),
        ((1.15, 0.99, 1.3), None, "same", "no difference shown"),
        ((1.0, 1.0, 1.0), None, "same", "no difference shown"),
    ],
)
def test_the_direction_is_written_out(
    interval: tuple[float, float, float], factor: float | None, verdict: str, direction: str
) -> None:
    ratio = one_problem(*interval)

    drawn = bar("mkl", 1, ratio, factor, axis_of([ratio]))

    assert (drawn.verdict, drawn.direction) == (verdict, direction)
    assert drawn.filled == (verdict != "same")


def test_controls_stand_apart_and_say_how_far_the_comparison_is_off() -> None:
    store = Store(rows=[*pair(0, 1.04, 1.0, strategy=CONTROL), *pair(0, 0.8, 1.0)])

    one = variants_of(store)[0]

    assert [line.strategy for line in one.rows] == [CALLING]
    assert [line.strategy for line in one.controls] == [CONTROL]
    assert one.builds[0].spread == "4.0 %"
    assert one.builds[0].left < one.one < one.builds[0].left + one.builds[0].width
    assert "faster than openblas in 1 of 1 strategy that calls a BLAS" in one.builds[0].summary


def test_a_difference_that_controls_have_too_is_no_evidence() -> None:
    store = Store(rows=[*pair(0, 1.3, 1.0, strategy=CONTROL), *pair(0, 0.8, 1.0)])

    one = variants_of(store)[0]

    (drawn,) = one.rows[0].bars
    assert drawn is not None
    assert (drawn.verdict, drawn.tone, drawn.filled) == ("within", "muted", True)
    assert "no difference shown" in one.builds[0].summary


def test_without_a_control_the_page_says_so() -> None:
    store = Store(rows=pair(0, 0.8, 1.0))
    text = Elements(site_files(store.measurements())["index.html"]).text

    assert variants_of(store)[0].builds[0].spread == ""
    assert "No strategy that calls no BLAS was measured with two builds" in text


@given(st.lists(st.floats(0.1, 10), min_size=1))
def test_nine_in_ten_controls_lie_within_their_factor(values: list[float]) -> None:
    factor = control_factor(one_problem(value, value, value) for value in values)

    assert factor is not None
    within = [abs(math.log(value)) <= math.log(factor) + 1e-9 for value in values]
    assert sum(within) >= 0.9 * len(values)
    assert control_factor([]) is None


def test_what_gains_most_stands_first() -> None:
    for one in variants_of(convolution_store(2)):
        for lines in (one.rows, one.controls):
            effects = [float(line.effects[0]) for line in lines]
            assert effects == sorted(effects)


def test_every_build_is_a_baseline_of_each_thread_count_and_dtype() -> None:
    store = convolution_store(1)
    store.rows += [
        made | {"threads": "all", "environment": f"{made['environment']}-all"}
        for made in store.rows
    ]

    found = [(one.threads, one.dtype, one.baseline) for one in variants_of(store)]

    # One thread first, and the data type of most problems.
    assert found == [
        (threads, dtype, baseline)
        for threads in ("1 thread", "all threads")
        for dtype in ("float32", "float64")
        for baseline in ("openblas", "mkl")
    ]


def test_more_builds_than_fit_are_named() -> None:
    store = Store()
    for number in range(MOST_BUILDS + 2):
        store.rows.append(timed(0, 1.0 + number, blas=f"build{number}"))

    view = view_of(store)

    assert view is not None
    assert {len(one.builds) for one in view.variants} == {MOST_BUILDS - 1}
    assert view.left_out == ("build4", "build5")
    assert view.orders == ("build1", "build2", "build3", "build0")
    assert "left out here: build4, build5" in site_files(store.measurements())["index.html"]


def test_versions_of_one_blas_are_builds() -> None:
    view = view_of(versions_store())

    assert view is not None
    assert any("0.3.30" in build.name for one in view.variants for build in one.builds)
    assert {one.identity for one in view.identities} > {"MKL 2026.2", "OpenBLAS 0.3.31 Haswell"}


def test_the_builds_are_identified_by_the_run_that_measured_them_last() -> None:
    store = trusted_store(2)
    view = view_of(store)

    assert view is not None
    assert [(one.line, one.identity, one.guard) for one in view.identities] == [
        ("openblas", BUILDS["openblas"], "ok"),
        ("mkl", BUILDS["mkl"], "ok"),
    ]
    (library,) = view.identities[0].libraries
    assert (library.name, view.identities[0].commit) == ("libopenblas.so.0", "000000a2")
    (library,) = view.identities[1].libraries
    assert library.name == "libmkl.so.0"
    assert f"<code>{library.sha256}</code>" in site_files(store.measurements())["index.html"]


def test_a_ratio_of_a_disturbed_run_is_doubted() -> None:
    bars = [
        drawn
        for one in variants_of(trusted_store())
        for line in one.rows
        for drawn in line.bars
        if drawn
    ]

    assert {drawn.disturbed for drawn in bars} == {DISTURBED}


@pytest.mark.parametrize("blas", BUILDS)
def test_one_build_has_no_such_view(blas: str) -> None:
    store = convolution_store(2)
    store.rows = [made for made in store.rows if made["blas"] == blas]

    assert view_of(store) is None
    assert "#/blas" not in site_files(store.measurements())["index.html"]


def test_environments_without_a_blas_are_no_builds() -> None:
    store = Store(rows=pair(0, 1.0, 2.0))
    for made in store.rows:
        made |= {"blas": "", "blas_identity": ""}

    assert view_of(store) is None


def test_a_project_without_strategies_has_no_such_view() -> None:
    assert view_of(foreign_store()) is None


def test_an_axis_shows_1_and_all_that_is_drawn() -> None:
    for low, high in ((0.99, 1.01), (0.5, 0.6), (0.9, 30.0), (1.5, 1.6), (0.001, 1.2)):
        ratio = one_problem(math.sqrt(low * high), low, high)
        axis = axis_of([ratio])
        labels = [tick.label for tick in axis.ticks]

        assert "1" in labels
        assert 2 <= len(labels) <= 12
        assert 0 < axis.place(low) <= axis.place(high) < 100
        assert all(0 < tick.at < 100 for tick in axis.ticks)


def test_the_names_of_controls_are_those_that_results_carry() -> None:
    assert {"loops", "numba_loops", "einsum", "winograd_f2x3"} <= CALLS_NO_BLAS
    assert not {"im2col", "loops_dot", "fft", "fft_tiled", "auto"} & CALLS_NO_BLAS
