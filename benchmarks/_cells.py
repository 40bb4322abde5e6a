"""One cell of the product strategy × problem × dtype, built once per process and then only called.

A timing class has no `setup`: asv_runner 0.3 would time one call per sample with it. The body asks
for a cached callable instead; a lookup costs a fraction of a microsecond (`control.Control` times
it). The call that builds the cell is the one asv calibrates with, so building must stay well below
`warmup_time` wherever a run is short.
"""

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import numpy as np
from asv_runner.benchmarks.mark import SkipNotImplemented

from convbench import STRATEGIES, ConvProblem, UnsupportedProblem

from . import _process
from ._today import workloads


class Cells:
    """Attributes that all benchmarks over cells share."""

    version = "1"  # asv hides results of another version; raise by hand when the meaning changes
    param_names = ("strategy", "problem", "dtype")
    timeout = 120


class TimedCells(Cells):
    """How often a timed cell is sampled; see CONTRIBUTING for the budget behind the numbers."""

    rounds = 2  # fresh processes
    sample_time = 0.01  # seconds: short calls are repeated until a sample lasts that long
    repeat = (2, 10, 0.5)  # at least 2, at most 10 samples per round, no new one after 0.5 s
    warmup_time = 0.1


@cache
def cell(strategy_name: str, problem_name: str, dtype: str) -> tuple[Any, ...]:
    """Return strategy, operands, prepared filters and problem of a cell, or skip it."""
    _process.check_cell(brings=())
    try:
        strategy = STRATEGIES[strategy_name]
    except KeyError:
        raise SkipNotImplemented(f"this commit has no strategy {strategy_name}") from None
    problem = ConvProblem(**workloads.WORKLOADS[problem_name], dtype=dtype)
    if reason := strategy.unsupported(problem):
        raise SkipNotImplemented(reason)
    # Generated, hence written to: no page of an operand is touched for the first time in a sample.
    rng = np.random.default_rng(_process.SEED)
    x = rng.standard_normal(problem.input_shape, dtype=dtype)
    weights = rng.standard_normal(problem.weights_shape, dtype=dtype)
    try:
        weights, prepared = prepare_filters(strategy, weights, problem)
    except UnsupportedProblem as reason:
        raise SkipNotImplemented(str(reason)) from None
    _process.check_cell(strategy.brings)  # again: preparing may have loaded a library
    return strategy, x, weights, prepared, problem


def prepare_filters(strategy: Any, weights: Any, problem: Any) -> tuple[Any, Any]:
    """Prepare random filters, or such of rank one where a strategy is made for those alone."""
    try:
        return weights, strategy.prepare(weights, problem)
    except UnsupportedProblem:
        of_rank_one = weights[..., :1] * weights[..., :1, :]
        return of_rank_one, strategy.prepare(of_rank_one, problem)


@cache
def run(strategy_name: str, problem_name: str, dtype: str) -> Callable[[], Any]:
    """Return the convolution of a cell as a call without arguments."""
    strategy, x, _, prepared, problem = cell(strategy_name, problem_name, dtype)
    return partial(strategy.run, x, prepared, problem)


@cache
def prepare(strategy_name: str, problem_name: str, dtype: str) -> Callable[[], Any]:
    """Return the preparation of a cell's filters as a call without arguments."""
    strategy, _, weights, _, problem = cell(strategy_name, problem_name, dtype)
    return partial(strategy.prepare, weights, problem)
