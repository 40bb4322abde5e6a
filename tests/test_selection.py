"""What one call of asv is asked to run."""

import re

import pytest

from convbench import ConvProblem, selection
from convbench.strategies import STRATEGIES
from convbench.workloads import WORKLOADS

OWN = [name for name, strategy in STRATEGIES.items() if not strategy.external]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("problem", WORKLOADS)
@pytest.mark.parametrize("strategy", OWN)
def test_a_cell_is_selected_unless_its_strategy_refuses_it(
    strategy: str, problem: str, dtype: str
) -> None:
    name = f"run.Float32.time_run('{strategy}', '{problem}', '{dtype}')"

    selected = re.search(selection.expression(once=False, threads="1"), name) is not None

    conv_problem = ConvProblem(**WORKLOADS[problem], dtype=dtype)
    assert selected == (STRATEGIES[strategy].unsupported(conv_problem) is None)


@pytest.mark.parametrize("cache", ["cold", "warm"])
@pytest.mark.parametrize("strategy", OWN)
def test_a_compilation_is_selected_where_there_is_one(strategy: str, cache: str) -> None:
    name = f"compile.Compile.timeraw_first_call('{strategy}', '{cache}')"

    selected = re.search(selection.expression(once=True, threads="1"), name) is not None

    assert selected == ("numba" in STRATEGIES[strategy].brings)


NAMES = (
    "accuracy.Accuracy.track_error('im2col', 'question', 'float32')",
    "ceilings.Arithmetic.track_flops_per_second('gemm', 'float32')",
    "cold.ColdCache.time_run_cold('im2col', 'resnet50_conv2_1x1', 'float32')",
    "control.Control.time_noop",
    "control.NullControl.time_case('a', 'im2col question float32')",
    "dense.Dense.time_dot('float64')",
    "memory.Memory.track_peak_above_operands('im2col', 'resnet50_conv2_3x3', 'float32')",
    "prepare.Prepare.time_prepare('im2col', 'question', 'float32')",
    "run.Float32.time_run('im2col', 'question', 'float32')",
    "run.Float32.time_run('loops', 'question', 'float32')",
    "run.Float64.time_run('im2col', 'question', 'float64')",
)


def selected(*, once: bool, threads: str, bench: str = "") -> set[str]:
    expression = selection.expression(once=once, threads=threads, bench=bench)
    return {name for name in NAMES if re.search(expression, name)}


def test_every_benchmark_is_either_measured_once_or_timed_in_every_round() -> None:
    once, timed = selected(once=True, threads="1"), selected(once=False, threads="1")

    assert once | timed == set(NAMES)
    assert not once & timed
    assert {name.partition(".")[0] for name in once} == {"accuracy", "ceilings", "cold", "memory"}


def test_with_all_threads_only_what_may_use_them_is_measured() -> None:
    both = selected(once=True, threads="all") | selected(once=False, threads="all")

    modules = {name.partition(".")[0] for name in both}
    assert modules == {"ceilings", "control", "dense", "run"}
    assert not any("Float64" in name for name in both)
    assert not any("'loops'" in name for name in both)  # which computes on one thread


@pytest.mark.parametrize(
    ("bench", "expected"),
    [("time_dot", 1), (r"^run\.", 3), ("question", 5), (r"float64'\)$", 2), ("no_such", 0)],
)
def test_a_condition_of_the_user_narrows_the_selection(bench: str, expected: int) -> None:
    assert len(selected(once=False, threads="1", bench=bench)) == expected


def test_a_sweep_selects_problems_and_strategies_and_what_judges_them() -> None:
    chosen = {"problems": ("question",), "strategies": ("im2col", "loops")}
    names = (
        *NAMES,
        "compile.Compile.timeraw_first_call('numba_nhwc', 'warm')",
        "run.Float32.time_run('im2col_rows', 'question', 'float32')",
        "run.Float32.time_run('im2col', 'vit_patch16', 'float32')",
        "crossover.KernelSide.time_run('im2col', 'gray_blur3', 'float32')",
    )
    once, timed = (
        {
            name
            for name in names
            if re.search(selection.expression(once=once, threads="1", **chosen), name)
        }
        for once in (True, False)
    )

    assert once == {
        "accuracy.Accuracy.track_error('im2col', 'question', 'float32')",
        "ceilings.Arithmetic.track_flops_per_second('gemm', 'float32')",
    }
    assert timed == {
        "control.Control.time_noop",
        "control.NullControl.time_case('a', 'im2col question float32')",
        "dense.Dense.time_dot('float64')",
        "prepare.Prepare.time_prepare('im2col', 'question', 'float32')",
        "run.Float32.time_run('im2col', 'question', 'float32')",
        "run.Float32.time_run('loops', 'question', 'float32')",
        "run.Float64.time_run('im2col', 'question', 'float64')",
    }
