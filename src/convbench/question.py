"""The question, measured in this process: every strategy on one problem, beside `np.dot`."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import threadpoolctl

from convbench import blas
from convbench.errors import UnsupportedProblem
from convbench.problem import ConvProblem
from convbench.strategies import STRATEGIES, Strategy
from convbench.timing import Call, time_interleaved

DENSE = "np.dot"
DENSE_SHAPE = (500, 3072)
DENSE_FLOPS = 2 * math.prod(DENSE_SHAPE)
AUTO = "auto"  # it only chooses another strategy; the table names its choice


@dataclass(frozen=True, slots=True)
class Measured:
    """One way, timed: median and quartiles in seconds per call, and its executed operations."""

    name: str
    seconds: float
    q25: float
    q75: float
    samples: int
    flops: int


@dataclass(frozen=True, slots=True)
class Measurement:
    """Every way, timed, and the libraries that did it."""

    problem: ConvProblem
    dense: Measured
    strategies: tuple[Measured, ...]
    skipped: dict[str, str]
    blas: tuple[blas.BlasLibrary, ...]


def measure(problem: ConvProblem, *, seconds: float) -> Measurement:
    """Time every strategy that can do the problem, and `np.dot`, on one BLAS thread."""
    calls: dict[str, Call] = {DENSE: _dense_call(problem.dtype)}
    flops = {DENSE: DENSE_FLOPS}
    skipped: dict[str, str] = {}
    for name, strategy in STRATEGIES.items():
        if name == AUTO:
            continue
        try:
            calls[name], flops[name] = _strategy_call(strategy, problem)
        except UnsupportedProblem as reason:
            skipped[name] = str(reason)
    blas.exercise()  # a library that is mapped later would not be limited
    with threadpoolctl.threadpool_limits(limits=1):
        samples = time_interleaved(calls, seconds=seconds)
        libraries = blas.loaded_blas()
    dense, *strategies = (_summary(name, samples[name], flops[name]) for name in calls)
    ranked = sorted(strategies, key=lambda measured: measured.seconds)
    return Measurement(problem, dense, tuple(ranked), skipped, libraries)


def _dense_call(dtype: str) -> Call:
    rng = np.random.default_rng(0)
    matrix = rng.standard_normal(DENSE_SHAPE).astype(dtype)
    vector = rng.standard_normal(DENSE_SHAPE[1]).astype(dtype)
    return lambda: np.dot(matrix, vector)


def _strategy_call(strategy: Strategy, problem: ConvProblem) -> tuple[Call, int]:
    if reason := strategy.unsupported(problem):
        raise UnsupportedProblem(reason)
    x, weights = problem.random_operands(0)
    prepared = strategy.prepare(weights, problem)
    return lambda: strategy.run(x, prepared, problem), strategy.flops(problem, prepared)


def _summary(name: str, samples: Sequence[float], flops: int) -> Measured:
    q25, median, q75 = (float(value) for value in np.quantile(samples, (0.25, 0.5, 0.75)))
    return Measured(name, median, q25, q75, len(samples), flops)
