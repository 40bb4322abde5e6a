"""The asv classes: their axes, and what asv_runner makes of them."""

import importlib.util
import json
import math
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from convbench import STRATEGIES, ConvProblem
from convbench.workloads import WORKLOADS

ROOT = Path(__file__).resolve().parents[2]


def axes() -> Any:
    """Load the axes alone: importing `benchmarks` makes the process one that measures."""
    spec = importlib.util.spec_from_file_location("axes", ROOT / "benchmarks/_axes.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_axes_are_the_strategies_of_the_table_but_not_the_peers() -> None:
    own = [name for name, strategy in STRATEGIES.items() if not strategy.external]

    assert list(axes().STRATEGIES) == own
    assert {*axes().PROBLEMS, *axes().SMALLER_BLURS} <= set(WORKLOADS)


def test_problems_that_a_sweep_names_join_the_axis_where_they_are_on_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("CONVBENCH_PROBLEMS", raising=False)
    of_every_run = axes().PROBLEMS
    monkeypatch.setenv("CONVBENCH_PROBLEMS", "question gray_blur3 vit_patch16")

    assert (*of_every_run, "vit_patch16") == axes().PROBLEMS


@pytest.mark.parametrize(
    ("asked_for", "compiled"),
    [
        ("", {"loops", "numba_loops", "numba_nhwc"}),
        ("loops", {"loops", "numba_nhwc"}),  # the second is of the null control
        ("auto", {"loops", "numba_loops", "numba_nhwc"}),  # which may choose any
        ("numba_loops", {"numba_loops", "numba_nhwc"}),
    ],
)
def test_a_run_compiles_what_it_has_cells_of(
    monkeypatch: pytest.MonkeyPatch, asked_for: str, compiled: set[str]
) -> None:
    monkeypatch.setenv("CONVBENCH_STRATEGIES", asked_for)

    names = ("loops", "numba_loops", "numba_nhwc")
    assert {name for name in names if axes().is_run(name)} == compiled


def test_the_smaller_blurs_differ_from_the_largest_by_the_side_of_their_filter_alone() -> None:
    family = ("gray_blur31", *axes().SMALLER_BLURS)
    problems = [ConvProblem(**WORKLOADS[name]) for name in family]

    assert len({problem.kernel_height for problem in problems}) == len(family)
    for problem in problems:
        assert problem.kernel_height == problem.kernel_width
        assert problem.input_shape == problem.output_shape == (1, 1, 512, 512)


def test_axes_are_read_from_literal_names_only() -> None:
    with pytest.raises(LookupError, match="no table _OWN: a dict display with literal names"):
        axes().own_strategies("_OWN = dict(loops=1)")


def in_measuring_process(script: str, **variables: str) -> Any:
    """Run a script as asv's worker would, and return the JSON that it prints."""
    environment = {name: os.environ[name] for name in ("HOME", "PATH") if name in os.environ}
    environment |= {"CONVBENCH_BLAS": "openblas", "CONVBENCH_THREADS": "1"} | variables
    answer = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert answer.returncode == 0, answer.stderr[-3000:]
    return json.loads(answer.stdout.splitlines()[-1])


SAMPLE = """
import json
from asv_runner.benchmarks.mark import SkipNotImplemented
from asv_runner.discovery import get_benchmark_from_name
import benchmarks
from benchmarks._axes import STRATEGIES, PROBLEMS
numbers = {}
for index, name in enumerate(STRATEGIES):
    cell = index * len(PROBLEMS) + PROBLEMS.index("question")
    benchmark = get_benchmark_from_name("benchmarks", f"run.Float32.time_run-{cell}")
    benchmark.do_setup()
    try:
        numbers[name] = benchmark.do_run()
    except SkipNotImplemented:
        continue
print(json.dumps(numbers))
"""


@pytest.mark.slow
def test_microsecond_strategies_are_timed_over_many_calls_per_sample(tmp_path: Path) -> None:
    # With an empty cache: a compilation inside the calibrating call would leave `number` at 1.
    sampled = in_measuring_process(SAMPLE, NUMBA_CACHE_DIR=str(tmp_path))

    question = ConvProblem(**WORKLOADS["question"])
    assert sampled.keys() == {
        name for name in axes().STRATEGIES if STRATEGIES[name].unsupported(question) is None
    }
    for name, result in sampled.items():
        # asv aims at samples of 10 ms; half of it allows for a calibration that was disturbed.
        assert result["number"] * max(result["samples"]) > 5e-3, name
    assert sampled["im2col"]["number"] > 100
    assert sampled["numba_direct"]["number"] > 100


EVERY_CELL = """
import importlib, itertools, json, math
import numpy as np
from asv_runner.benchmarks.mark import SkipNotImplemented
import benchmarks
def not_numbers(values):  # where an answer that is none came from
    _, x, weights, _, _ = benchmarks._cells.cell(*values)
    again = benchmarks._cells.run(*values)()
    where = {"image": x, "filters": weights, "output of a second run": again}
    return {name: int(np.isnan(array).sum()) for name, array in where.items()}
outcomes = {}
for module in ("run", "crossover", "prepare", "cold", "accuracy", "dense", "control"):
    for name, cls in vars(importlib.import_module(f"benchmarks.{module}")).items():
        if not isinstance(cls, type):
            continue
        for method in [m for m in vars(cls) if m.startswith(("time_", "track_"))]:
            for values in itertools.product(*cls.params) if cls.params else [()]:
                if module == "run" and not {*values} & {"question", "gray_blur31"}:
                    continue  # up to a second each; the other modules have a layer as well
                try:
                    answer = getattr(cls(), method)(*values)
                    outcome = "ok"
                    if answer is not None and not 0 <= answer < 1e-4:
                        outcome = f"{answer}; NaN in {not_numbers(values)}"
                except SkipNotImplemented:
                    outcome = "skipped"
                outcomes["/".join([module, name, method, *values])] = outcome
print(json.dumps(outcomes))
"""


def test_every_cell_runs_or_is_skipped_as_its_strategy_says() -> None:
    outcomes = in_measuring_process(EVERY_CELL)

    expected = dict.fromkeys(outcomes, "ok")
    for key in outcomes:
        _, _, _, *values = key.split("/")
        if len(values) == 3:
            strategy, problem, dtype = values
            refused = STRATEGIES[strategy].unsupported(
                ConvProblem(**WORKLOADS[problem], dtype=dtype)
            )
            expected[key] = "skipped" if refused else "ok"
    assert outcomes == expected
    assert set(expected.values()) == {"ok", "skipped"}


NULL_CONTROL = """
import json
import benchmarks
from benchmarks.control import NullControl
arms, cases = NullControl.params
print(json.dumps([arms, [benchmarks._cells.run(*case.split()).func.__module__ for case in cases]]))
"""


def test_both_arms_of_the_null_control_time_the_same_cells() -> None:
    arms, modules = in_measuring_process(NULL_CONTROL)

    assert arms == ["a", "b"]
    assert len(set(modules)) > 4  # different kinds of strategies, none of them skipped


PEAK = """
import json
import benchmarks
from benchmarks.memory import Memory
cell = ({strategy!r}, "resnet50_conv2_3x3", "float32")
print(json.dumps(Memory().track_peak_above_operands(*cell)))
"""


@pytest.mark.parametrize("strategy", ["im2col", "numba_nhwc", "winograd_f4x3"])
def test_the_peak_above_the_operands_is_the_output_and_what_a_strategy_says(strategy: str) -> None:
    problem = ConvProblem(**WORKLOADS["resnet50_conv2_3x3"], dtype="float32")
    output_bytes = 4 * math.prod(problem.output_shape)

    peak = in_measuring_process(PEAK.format(strategy=strategy))

    # Of the workspace only the part that outlives `prepare` was there before.
    allowed = output_bytes + STRATEGIES[strategy].workspace_bytes(problem)
    assert output_bytes <= peak <= allowed + 2**21  # a BLAS keeps a buffer or two per thread


PINNED = """
import json, os
import benchmarks
from benchmarks import _process
print(json.dumps([sorted(os.sched_getaffinity(0)), _process.threads]))
"""


@pytest.mark.parametrize("threads", ["1", "all"])
def test_a_measuring_process_is_pinned_to_as_many_cpus_as_it_has_threads(threads: str) -> None:
    allowed = sorted(os.sched_getaffinity(0))

    cpus, number = in_measuring_process(PINNED, CONVBENCH_THREADS=threads)

    assert number == (1 if threads == "1" else len(allowed))
    assert cpus == allowed[-number:]


SPENT = """
import json
from asv_runner.benchmarks.mark import SkipNotImplemented
import benchmarks
from benchmarks.run import Float32
try:
    Float32().time_run("im2col", "question", "float32")
    print(json.dumps("timed"))
except SkipNotImplemented as reason:
    print(json.dumps(str(reason)))
"""


@pytest.mark.parametrize("ago", [1.0, -100.0])
def test_cells_are_left_out_and_counted_when_the_time_is_spent(tmp_path: Path, ago: float) -> None:
    variables = {"CONVBENCH_DEADLINE": str(time.time() - ago), "CONVBENCH_FACTS": str(tmp_path)}

    outcome = in_measuring_process(SPENT, **variables)

    left_out = tmp_path / "left_out"
    if ago > 0:
        assert outcome == "the time budget of this run is spent"
        assert left_out.stat().st_size == 1
    else:
        assert outcome == "timed"
        assert not left_out.exists()


FIRST_CALL = """
import json
from asv_runner.discovery import get_benchmark_from_name
import benchmarks
from benchmarks._axes import STRATEGIES
cold = 2 * STRATEGIES.index("numba_loops")
names = [f"Compile.timeraw_first_call-{cell}" for cell in (cold, cold + 1)]
seconds = []
for name in (*names, "Import.timeraw_import_convbench"):
    benchmark = get_benchmark_from_name("benchmarks", f"compile.{name}")
    benchmark.do_setup()
    seconds.append(min(benchmark.do_run()["samples"]))
print(json.dumps(seconds))
"""


def test_first_calls_compile_with_an_empty_cache_and_load_with_a_warm_one() -> None:
    cold, warm, imported = in_measuring_process(FIRST_CALL)

    assert 0 < warm < cold
    assert 0 < imported < cold


def test_the_callers_thread_variables_do_not_reach_a_cell() -> None:
    script = (
        "import asv_runner.benchmarks\n"  # as in asv: NumPy is loaded before this package
        "import json, benchmarks, threadpoolctl\n"
        "from benchmarks import _process\n"
        "pools = [info['num_threads'] for info in threadpoolctl.threadpool_info()]\n"
        "print(json.dumps([sorted(set(pools)), _process.refused]))"
    )

    threads, refused = in_measuring_process(script, OPENBLAS_NUM_THREADS="2", OMP_NUM_THREADS="2")

    assert threads == [1]
    assert refused is None


def test_a_setting_that_came_too_early_to_be_dropped_is_refused() -> None:
    script = (
        "import asv_runner.benchmarks\n"
        "import json, benchmarks\n"
        "from benchmarks import _process\n"
        "print(json.dumps(_process.refused))"
    )

    refused = in_measuring_process(script, OPENBLAS_CORETYPE="Haswell")

    assert "OPENBLAS_CORETYPE was set when NumPy was loaded" in refused


@pytest.mark.parametrize("module", sorted((ROOT / "benchmarks").glob("*.py")))
def test_timing_classes_have_no_setup_unless_they_time_single_calls(module: Path) -> None:
    # asv_runner 0.3 sets `number` to 1 wherever there is one.
    text = module.read_text()

    assert "def setup" not in text or "    number = 1\n" in text
