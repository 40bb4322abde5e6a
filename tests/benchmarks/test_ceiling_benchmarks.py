"""The ceilings as asv runs them."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# As asv does: the module's benchmarks by name, each cell once.
EVERY_CEILING = """
import json
from asv_runner.benchmarks.mark import SkipNotImplemented
from asv_runner.discovery import get_benchmark_from_name
import benchmarks
outcomes = {}
for name in ("Arithmetic.track_flops_per_second", "Bandwidth.track_bytes_per_second"):
    for cell in range(4):
        benchmark = get_benchmark_from_name("benchmarks", f"ceilings.{name}-{cell}")
        assert (benchmark.type, benchmark.version) == ("track", "1")
        try:
            benchmark.do_setup()
            value = benchmark.do_run()
        except SkipNotImplemented as reason:
            value = str(reason)
        outcomes[f"{name}-{cell} {benchmark.unit}"] = value
print(json.dumps([outcomes, benchmark.param_names, benchmark.params]))
"""

WITHOUT_A_PACKAGE = """
import json, sys
sys.modules["convbench"] = None  # not importable
sys.argv[1:] = ["discover"]  # prepares nothing, which the installed package would do
from benchmarks import _process, ceilings
_process.threads = 1
_process.check_cell = lambda brings: None
print(json.dumps(ceilings.Arithmetic().track_flops_per_second("fma", "float64")))
"""

REFUSED = """
import json
from benchmarks import _process, ceilings
outcomes = []
for call in (
    lambda: ceilings.Arithmetic().track_flops_per_second("fma", "float32"),
    lambda: ceilings.Bandwidth().track_bytes_per_second("L1"),
):
    try:
        outcomes.append(call())
    except RuntimeError as refusal:
        outcomes.append(str(refusal))
print(json.dumps(outcomes))
"""


def in_measuring_process(script: str, **variables: str) -> object:
    environment = {name: os.environ[name] for name in ("HOME", "PATH") if name in os.environ}
    environment |= {"CONVBENCH_BLAS": "openblas", "CONVBENCH_THREADS": "1"} | variables
    answer = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert answer.returncode == 0, answer.stderr[-3000:]
    return json.loads(answer.stdout.splitlines()[-1])


def test_every_ceiling_is_a_rate_or_a_level_that_the_machine_lacks() -> None:
    outcomes, names, levels = in_measuring_process(EVERY_CEILING, CONVBENCH_THREADS="all")

    units = [key.split()[1] for key in outcomes]
    assert units == ["flop/s"] * 4 + ["byte/s"] * 4
    rates = {key: value for key, value in outcomes.items() if not isinstance(value, str)}
    assert all(1e8 < rate < 1e15 for rate in rates.values())
    assert "Bandwidth.track_bytes_per_second-3 byte/s" in rates
    assert all("no cache L" in str(outcomes[key]) for key in outcomes.keys() - rates.keys())
    assert (names, levels) == (["level"], [["'L1'", "'L2'", "'L3'", "'DRAM'"]])


def test_they_measure_with_todays_kernels_whatever_is_installed() -> None:
    assert in_measuring_process(WITHOUT_A_PACKAGE) > 1e8


def test_under_a_wrong_label_no_ceiling_is_measured() -> None:
    outcomes = in_measuring_process(REFUSED, CONVBENCH_BLAS="mkl")

    assert all("mkl" in str(outcome) for outcome in outcomes)
