"""What cells of the matrix know beside their times, and in which order strategies stand."""

import pytest
from sample_store import BUILDS, MACHINE, Store, commit_name, convolution_store, row

from convbench.report.cell_measures import cell_measures
from convbench.report.cells import Cell
from convbench.report.matrix import Matrix, build_matrices, shown_measures
from convbench.report.series import build_series
from convbench.report.site import site_files

FFT = {"strategy": "fft", "problem": "question", "dtype": "float32"}


def matrices_of(store: Store) -> tuple[Matrix, ...]:
    measurements = store.measurements()
    return build_matrices(measurements, build_series(measurements))


def cell_of(matrix: Matrix, strategy: str, problem: str = "question") -> Cell:
    column = [head.problem for head in matrix.heads].index(problem)
    return next(each for each in matrix.rows if each.strategy == strategy).cells[column]


def add(store: Store, index: int, value: float, benchmark: str, unit: str) -> None:
    made = row(index, value, params=FFT, benchmark=benchmark, unit=unit)
    store.rows.append(made)


def simple_store(times: dict[str, dict[str, float]], width: float = 0.02) -> Store:
    """Make a store of one build: seconds by problem and strategy."""
    store = Store()
    for problem, ones in times.items():
        for strategy, value in ones.items():
            params = {"strategy": strategy, "problem": problem, "dtype": "float32"}
            store.rows.append(row(0, value, params=params, width=width))
    return store


def test_a_win_that_others_tie_with_is_shared() -> None:
    (matrix,) = matrices_of(
        simple_store({"p": {"a": 1.0, "b": 1.01, "c": 3.0}, "q": {"a": 1.0, "b": 2.0, "c": 3.0}})
    )

    assert [(one.wins, one.shared, one.ties) for one in matrix.rows[0].cells] == [
        (True, True, False), (True, False, False),
    ]  # fmt: skip
    assert [one.ties for one in matrix.rows[1].cells] == [True, False]
    assert not any(one.shared for each in matrix.rows[1:] for one in each.cells)


def test_who_was_measured_alone_won_nothing() -> None:
    store = simple_store({"p": {"a": 1.0, "b": 2.0}, "q": {"a": 1.0}})
    (matrix,) = matrices_of(store)

    won, alone = (cell_of(matrix, "a", problem) for problem in "pq")
    assert (won.alone, alone.alone) == (False, True)
    assert alone.remark == "the only strategy with a time"
    document = site_files(store.measurements())["index.html"]
    assert document.count("<b>★ 1</b><small>") == 1
    assert document.count("<b>only one</b><small>") == 1


def test_intervals_too_wide_are_unclear_and_no_tie() -> None:
    (matrix,) = matrices_of(simple_store({"p": {"a": 1.0, "b": 1.2}}, width=0.5))

    cell = cell_of(matrix, "b", "p")
    assert (cell.unclear, cell.ties) == (True, False)
    assert not cell_of(matrix, "a", "p").shared
    assert matrix.finding == "Nobody is the fastest alone: 1 problem, each shared or unclear."


def test_workspace_is_that_of_the_run_whose_time_is_shown() -> None:
    store = convolution_store(2)
    for cell in store.tables["cells"]:
        if (cell["strategy"], cell["problem"]) == ("fft", "question"):
            cell["workspace_bytes"] = {"run-0": 111, "run-1": 222}[cell["run"]]
    store.rows = [
        one
        for one in store.rows
        if (one["params"], one["blas"], one["commit"]) != (FFT, "mkl", commit_name(1))
    ]

    found = {one.line: one for one in matrices_of(store) if one.dtype == "float32"}

    assert cell_of(found["openblas"], "fft").workspace == 222
    assert cell_of(found["mkl"], "fft").workspace == 111


def test_workspace_that_was_not_counted_is_unknown() -> None:
    store = convolution_store(1)
    store.tables["cells"] = []

    cell = cell_of(matrices_of(store)[0], "fft")

    assert cell.workspace is None
    assert "workspace" not in cell.numbers


def test_error_and_memory_are_those_of_the_cell() -> None:
    store = convolution_store(1)
    add(store, 0, 3e-7, "accuracy.Accuracy.track_error", "relative error")

    matrix = matrices_of(store)[0]

    assert cell_of(matrix, "fft").error == 3e-7
    assert cell_of(matrix, "einsum").error is None
    assert cell_of(matrix, "fft", "vgg16_conv3_2").memory == 81e6
    assert cell_of(matrix, "fft").memory is None


def test_of_two_benchmarks_of_memory_the_newer_is_shown() -> None:
    store = convolution_store(2)
    for made in store.rows:
        if made["unit"] == "bytes":
            made["benchmark"] = {"run-0": "z.Old.peakmem", "run-1": "a.New.peakmem"}[made["run"]]

    measures = cell_measures(build_series(store.measurements()), store.frame("cells"))

    assert measures.memory.benchmark == "a.New.peakmem"


def test_of_two_as_new_that_of_the_most_cells_is_shown() -> None:
    store = convolution_store(1)
    add(store, 0, 5e6, "zebra.Memory.peakmem_run", "bytes")

    measures = cell_measures(build_series(store.measurements()), store.frame("cells"))

    assert measures.memory.benchmark == "memory.Memory.peakmem_run"


def test_signs_are_said_in_words() -> None:
    assert Cell("ok", wins=True).remark == ""
    assert Cell("ok", ties=True, commit="abcd1234").remark == (
        "as fast as the winner within the intervals, at commit abcd1234"
    )
    assert Cell("ok", unclear=True, disturbed="noise").remark == (
        "too uncertain to tell from the winner, of a disturbed run: noise"
    )


def test_numbers_for_scripts_are_those_that_are_known() -> None:
    cell = Cell("ok", seconds=1.5e-6, error=0.0, workspace=0)

    assert cell.numbers == {"seconds": "1.5e-06", "workspace": "0", "error": "0"}


def test_what_a_cell_can_show_is_what_any_table_has() -> None:
    store = convolution_store(1)
    assert list(shown_measures(matrices_of(store))) == ["", "rate", "workspace", "memory"]

    add(store, 0, 3e-7, "accuracy.Accuracy.track_error", "relative error")
    peak = row(0, 1e11, params={"kernel": "fma", "dtype": "float32"}, unit="flop/s")
    store.rows.append(peak | {"benchmark": "ceilings.Arithmetic.track_flops_per_second"})
    store.rows = [one for one in store.rows if one["unit"] != "bytes"]
    assert list(shown_measures(matrices_of(store))) == ["", "peak", "rate", "workspace", "error"]

    assert list(shown_measures(matrices_of(simple_store({"p": {"a": 1.0}})))) == [""]


def test_the_peak_is_the_highest_of_the_tables_line_and_data_type() -> None:
    store = convolution_store(1)
    for blas, kernel, dtype, value in (
        ("openblas", "gemm", "float32", 9e10),
        ("openblas", "fma", "float32", 1e11),
        ("openblas", "fma", "float64", 5e10),
        ("mkl", "gemm", "float32", 2e11),
    ):
        peak = row(0, value, params={"kernel": kernel, "dtype": dtype}, blas=blas, unit="flop/s")
        store.rows.append(peak | {"benchmark": "ceilings.Arithmetic.track_flops_per_second"})

    peaks = {(one.line, one.dtype): one.peak and one.peak.rate for one in matrices_of(store)}

    assert peaks == {
        ("openblas", "float32"): 1e11, ("openblas", "float64"): 5e10,
        ("mkl", "float32"): 2e11, ("mkl", "float64"): None,
    }  # fmt: skip


def test_who_does_one_thing_well_stands_below_who_does_everything_better_than_most() -> None:
    times = {
        "p": {"narrow": 1.0, "broad": 1.1, "slow": 4.0, "slower": 5.0},
        "q": {"broad": 1.0, "slow": 4.0, "slower": 5.0},
        "r": {"broad": 1.0, "slow": 4.0, "slower": 5.0},
    }

    (matrix,) = matrices_of(simple_store(times))

    assert [one.strategy for one in matrix.rows] == ["broad", "narrow", "slow", "slower"]


@pytest.mark.parametrize(
    ("times", "finding"),
    [
        (
            {"p": {"a": 1.0, "b": 2.0}, "q": {"a": 1.0, "b": 2.0}, "r": {"b": 1.0, "a": 2.0}},
            "Of 3 problems fastest alone: a on 2, b on 1.",
        ),
        (
            {"p": {"a": 1.0, "b": 1.0}},
            "Nobody is the fastest alone: 1 problem, each shared or unclear.",
        ),
        (
            {"p": {"a": 1.0}, "q": {"b": 2.0}},
            "No problem was measured with more than one strategy: nothing to compare.",
        ),
        (
            {name: {name: 1.0, "z": 2.0} for name in "abcdef"},
            "Of 6 problems fastest alone: a on 1, b on 1, c on 1, d on 1, others on 2.",
        ),
    ],
)
def test_the_finding_says_who_is_fastest_alone(
    times: dict[str, dict[str, float]], finding: str
) -> None:
    assert matrices_of(simple_store(times))[0].finding == finding


def test_threads_are_told_apart() -> None:
    store = convolution_store(1)
    store.rows += [
        made | {"threads": "all", "environment": f"{made['environment']}-all"}
        for made in store.rows
        if made["strategy"] == "im2col"
    ]

    found = [one for one in matrices_of(store) if one.dtype == "float32"]

    assert {one.line for one in found} == {
        f"{blas} · {threads}" for blas in BUILDS for threads in ("1 thread", "all threads")
    }
    assert [one.machine for one in found] == [MACHINE] * 4
    assert [one.of_all_threads for one in found] == [
        one.line.endswith("all threads") for one in found
    ]
