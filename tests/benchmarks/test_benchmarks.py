"""The asv classes: their axes, and what asv_runner makes of them."""

import importlib.util
import json
import os
import subprocess
import sys
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
    assert set(axes().PROBLEMS) <= set(WORKLOADS)


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
from asv_runner.benchmarks.mark import SkipNotImplemented
import benchmarks
outcomes = {}
for module in ("run", "prepare", "memory", "accuracy", "dense", "control"):
    for name, cls in vars(importlib.import_module(f"benchmarks.{module}")).items():
        if not isinstance(cls, type):
            continue
        for method in [m for m in vars(cls) if m.startswith(("time_", "peakmem_", "track_"))]:
            for values in itertools.product(*cls.params) if cls.params else [()]:
                if module == "run" and not {*values} & {"question", "gray_blur31"}:
                    continue  # up to a second each; the other modules have a layer as well
                try:
                    answer = getattr(cls(), method)(*values)
                    outcome = "ok" if answer is None or 0 <= answer < 1e-4 else repr(answer)
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
def test_timing_classes_have_no_setup(module: Path) -> None:
    # asv_runner 0.3 sets `number` to 1 wherever there is one.
    assert "def setup" not in module.read_text()
