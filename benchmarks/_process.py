"""The state of a measuring process: threads, compiled kernels, and the verdict on its BLAS."""

import os

INHERITED = ("OPENBLAS_", "MKL_", "OMP_", "KMP_", "BLIS_", "GOTO_", "NUMBA_NUM_THREADS")
"""Variables of the caller's shell that would change timings without a trace in the results."""

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
)

SMALL_PROBLEMS = (
    {"in_channels": 2, "out_channels": 3, "kernel_height": 3, "kernel_width": 3, "padding": (1, 1)},
    {"in_channels": 4, "out_channels": 4, "kernel_height": 3, "kernel_width": 3, "groups": 4},
    {"in_channels": 2, "out_channels": 3, "kernel_height": 1, "kernel_width": 1, "stride": (2, 2)},
)
"""Kinds of problems that take different paths through a strategy: dense, depthwise, pointwise."""

refused: str | None = None
"""Why nothing may be timed here: the guard's verdict, raised by every cell."""


def prepare() -> None:
    """Make this process fit to measure, and note what it is."""
    global refused
    set_threads()
    compile_everything()
    from . import _facts
    from ._today import blas

    blas.exercise()
    refused = blas.refusal(os.environ.get("CONVBENCH_BLAS", ""))
    _facts.write(refused)


def set_threads() -> None:
    """Drop inherited variables, then ask every library for the threads of this environment."""
    for name in [name for name in os.environ if name.startswith(INHERITED)]:
        del os.environ[name]
    threads = os.environ.get("CONVBENCH_THREADS", "1")
    number = len(os.sched_getaffinity(0)) if threads == "all" else int(threads)
    os.environ |= dict.fromkeys(THREAD_VARIABLES, str(number))
    if number == 1:
        # Without threads to start, MKL needs no OpenMP runtime beside Numba's.
        os.environ["MKL_THREADING_LAYER"] = "SEQUENTIAL"


def compile_everything() -> None:
    """Run every strategy once on every kind of problem, for what it imports or compiles lazily."""
    import contextlib

    from convbench import STRATEGIES, ConvProblem

    for dtype in ("float32", "float64"):
        for arguments in SMALL_PROBLEMS:
            problem = ConvProblem(batch=1, height=9, width=9, dtype=dtype, **arguments)
            x, weights = problem.random_operands(seed=0)
            for strategy in STRATEGIES.values():
                # Whatever fails here fails again in its own cell, where asv reports it.
                with contextlib.suppress(Exception):
                    strategy.run(x, strategy.prepare(weights, problem), problem)
