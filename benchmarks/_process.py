"""The state of a measuring process: threads, compiled kernels, and the verdict on its BLAS."""

import contextlib
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

INHERITED = ("OPENBLAS_", "MKL_", "OMP_", "KMP_", "BLIS_", "GOTO_", "NUMBA_NUM_THREADS")
"""Variables of the caller's shell that would change timings without a trace in the results."""

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
)

COMPILING = frozenset({"numba"})
"""What a strategy may bring and still be run before the guard: no BLAS, but compiled on demand."""

SEED = 0
"""Of the random operands of every cell; it is filed with the results."""

MOST_THREADS = 64
"""The OpenBLAS of NumPy's wheels is built for so many; all builds are given the same number."""

threads = 0
"""Threads that every library may use here."""

cpus: frozenset[int] = frozenset()
"""The CPUs that this process and all it starts are pinned to."""

refused: str | None = None
"""Why nothing may be timed here: the guard's verdict, raised by every cell."""


def prepare() -> None:
    """Make this process fit to measure, and note what it is."""
    global cpus, refused, threads
    if sys.argv[1:2] == ["discover"]:
        return  # asv only lists the benchmarks
    early = inherited_settings() if "numpy" in sys.modules else []
    # Not at the top: it sets a variable of its own, KMP_DUPLICATE_LIB_OK.
    import threadpoolctl

    threads = set_thread_variables(os.environ.get("CONVBENCH_THREADS", "1"))
    cpus = pin(threads)
    compile_everything()
    from . import _facts
    from ._today import blas

    blas.exercise()
    # asv_runner imports NumPy (through pympler) before this package, so its BLAS has read no
    # variable set here: what is loaded by now must be told directly.
    threadpoolctl.threadpool_limits(threads)
    refused = blas.refusal(os.environ.get("CONVBENCH_BLAS", ""), threads=threads)
    refused = refused or blas.speed_refusal(os.environ.get("CONVBENCH_BLAS", ""))
    if early and not refused:
        refused = (
            f"{' and '.join(early)} was set when NumPy was loaded and may have changed its BLAS;"
            " unset it, or use `convbench measure`, which drops and records it"
        )
    _facts.write(refused, threads, cpus)


def inherited_settings() -> list[str]:
    """Name the inherited variables that can't be undone; numbers of threads can."""
    names = (name for name in os.environ if name.startswith(INHERITED))
    return sorted(name for name in names if not name.endswith("_NUM_THREADS"))


def check_cell(brings: tuple[str, ...]) -> None:
    """Refuse to time where another BLAS is mapped than claimed, but for what a strategy brings."""
    from ._today import blas

    claimed = os.environ.get("CONVBENCH_BLAS", "")
    if reason := refused or blas.refusal(claimed, allowed=brings):
        raise RuntimeError(reason)
    if time.time() > float(os.environ.get("CONVBENCH_DEADLINE", "inf")):
        with Path(os.environ["CONVBENCH_FACTS"], "left_out").open("ab") as one_byte_each:
            one_byte_each.write(b".")
        # Not at the top: it imports NumPy.
        from asv_runner.benchmarks.mark import SkipNotImplemented

        raise SkipNotImplemented("the time budget of this run is spent")


def pin(number: int) -> frozenset[int]:
    """Keep this process on as many CPUs as it has threads, the last ones that it may use.

    A process that moves between CPUs finds cold caches there. The first CPU is left to the system,
    which handles most of its interrupts on it.
    """
    if not hasattr(os, "sched_setaffinity"):
        return frozenset()  # no Linux
    allowed = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, allowed[-number:])
    return frozenset(os.sched_getaffinity(0))


def set_thread_variables(wanted: str) -> int:
    """Drop inherited variables and set those that libraries read when they are loaded."""
    for name in [name for name in os.environ if name.startswith(INHERITED)]:
        del os.environ[name]
    number = min(available_cpus(), MOST_THREADS) if wanted == "all" else int(wanted)
    os.environ |= dict.fromkeys(THREAD_VARIABLES, str(number))
    return number


def available_cpus() -> int:
    """Count the CPUs that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def compile_everything() -> None:
    """Run every strategy once on small problems like those of the axes, so that it has compiled."""
    from convbench import STRATEGIES, ConvProblem

    from . import _axes
    from ._today import workloads

    own = [
        strategy
        for name, strategy in STRATEGIES.items()
        if not strategy.external and COMPILING.issuperset(strategy.brings) and _axes.is_run(name)
    ]
    small = dict.fromkeys(
        ConvProblem(**shrunk(workloads.WORKLOADS[name]), dtype=dtype)
        for name in _axes.PROBLEMS
        for dtype in ("float32", "float64")
    )
    for problem in small:
        x, weights = problem.random_operands(seed=0)
        for strategy in own:
            # Whatever fails here fails again in its own cell, where asv reports it.
            with contextlib.suppress(Exception):
                if strategy.unsupported(problem) is None:
                    strategy.run(x, strategy.prepare(weights, problem), problem)


def shrunk(workload: Mapping[str, Any]) -> dict[str, Any]:
    """Keep what decides the path through a strategy: the filter, its stride, and its groups."""
    groups = min(workload["groups"], 4)
    channels = {
        name: groups * min(workload[name] // workload["groups"], 4)
        for name in ("in_channels", "out_channels")
    }
    size = max(workload["kernel_height"], workload["kernel_width"]) + 8
    return dict(workload) | channels | {"groups": groups, "height": size, "width": size}
