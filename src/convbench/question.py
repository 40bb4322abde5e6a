"""The question, measured in this process: every strategy on one problem, beside `np.dot`."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from convbench import blas, ceilings, cost_model, interpreted, threads
from convbench.errors import UnsupportedProblem
from convbench.problem import Array, ConvProblem
from convbench.reference import convolve, relative_error
from convbench.strategies import STRATEGIES, Strategy
from convbench.timing import time_interleaved

DENSE = "np.dot"
DENSE_SHAPE = (500, 3072)
DENSE_FLOPS = 2 * math.prod(DENSE_SHAPE)
AUTO = "auto"  # it only chooses another strategy; the table names its choice

MAX_JUDGED_MACS = 500_000_000
"""Multiply-adds that the reference computes for an error; a larger problem is judged in part."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One way, timed: median and quartiles in seconds per call, its costs and what it was due.

    Attributes
    ----------
    name : str
    seconds, q25, q75 : float
    samples : int
    flops, moved_bytes, workspace_bytes : int
        Executed operations; bytes read and written, workspace included; the workspace.
    interpreted : Interpreted
        What one call makes the interpreter do.
    predicted : Prediction
        Made of these costs and of the ceilings, not of the measured time.
    error : float or None
        Relative to the largest element of the float64 reference; None for `np.dot`.
    """

    name: str
    seconds: float
    q25: float
    q75: float
    samples: int
    flops: int
    moved_bytes: int
    workspace_bytes: int
    interpreted: interpreted.Interpreted
    predicted: cost_model.Prediction
    error: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """Every way, timed, the ceilings above them, and the libraries that did it."""

    problem: ConvProblem
    threads: int
    ceilings: ceilings.Ceilings
    dense: Measured
    strategies: tuple[Measured, ...]
    skipped: dict[str, str]
    blas: tuple[blas.BlasLibrary, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One way before it is timed."""

    call: Callable[[], Array]
    family: str
    flops: int
    moved_bytes: int
    workspace_bytes: int
    error: float | None


def measure(problem: ConvProblem, *, seconds: float, number_of_threads: int = 1) -> Measurement:
    """Time every strategy that can do the problem, and `np.dot`, on so many threads."""
    blas.exercise()  # a library that is mapped later would not be limited
    with threads.limit(number_of_threads):
        limits = ceilings.measured(problem.dtype, number_of_threads)
        candidates, skipped = _candidates(problem)
        calls = {name: candidate.call for name, candidate in candidates.items()}
        samples = time_interleaved(calls, seconds=seconds)
        libraries = blas.loaded_blas()
        dense, *strategies = (
            _summary(name, samples[name], candidate, limits)
            for name, candidate in candidates.items()
        )
    return Measurement(
        problem=problem,
        threads=number_of_threads,
        ceilings=limits,
        dense=dense,
        strategies=tuple(sorted(strategies, key=lambda measured: measured.seconds)),
        skipped=skipped,
        blas=libraries,
    )


def _candidates(problem: ConvProblem) -> tuple[dict[str, Candidate], dict[str, str]]:
    """Prepare `np.dot` and every strategy; give the reasons of those that can't."""
    x, weights = problem.random_operands(0)
    expected = _judge(x, weights, problem)
    candidates, skipped = {DENSE: _dense(problem.dtype)}, {}
    for name, strategy in STRATEGIES.items():
        if name == AUTO or strategy.external:
            continue
        try:
            candidates[name] = _candidate(strategy, x, weights, problem, expected)
        except UnsupportedProblem as reason:
            skipped[name] = str(reason)
    return candidates, skipped


def _dense(dtype: str) -> Candidate:
    rng = np.random.default_rng(0)
    matrix = rng.standard_normal(DENSE_SHAPE).astype(dtype)
    vector = rng.standard_normal(DENSE_SHAPE[1]).astype(dtype)
    return Candidate(
        call=lambda: np.dot(matrix, vector),
        family="dense",
        flops=DENSE_FLOPS,
        moved_bytes=matrix.nbytes + vector.nbytes + DENSE_SHAPE[0] * matrix.itemsize,
        workspace_bytes=0,
        error=None,
    )


def _candidate(
    strategy: Strategy, x: Array, weights: Array, problem: ConvProblem, expected: Array
) -> Candidate:
    if reason := strategy.unsupported(problem):
        raise UnsupportedProblem(reason)
    prepared = strategy.prepare(weights, problem)
    call = partial(strategy.run, x, prepared, problem)
    workspace_bytes = strategy.workspace_bytes(problem)
    return Candidate(
        call=call,
        family=strategy.family,
        flops=strategy.flops(problem, prepared),
        moved_bytes=cost_model.moved_bytes(problem, workspace_bytes, _array_bytes(prepared)),
        workspace_bytes=workspace_bytes,
        error=relative_error(_channels(call(), problem, expected), expected),
    )


def _judge(x: Array, weights: Array, problem: ConvProblem) -> Array:
    """Convolve by the definition, as many of the filters as the reference does in a second."""
    if problem.groups > 1 or problem.macs <= MAX_JUDGED_MACS:
        return convolve(x, weights, problem)
    each = problem.macs // problem.out_channels
    some = replace(problem, out_channels=max(1, MAX_JUDGED_MACS // each))
    return convolve(x, weights[: some.out_channels], some)


def _channels(output: Array, problem: ConvProblem, expected: Array) -> Array:
    """Take those channels of an output that the reference has computed."""
    axis = 1 if problem.layout == "NCHW" else 3
    return output.take(range(expected.shape[axis]), axis)


def _array_bytes(prepared: Any) -> int:
    """Count the bytes of what `prepare` returned, arrays within tuples included."""
    if isinstance(prepared, tuple | list):
        return sum(_array_bytes(part) for part in prepared)
    return int(getattr(prepared, "nbytes", 0))


def _summary(
    name: str, samples: Sequence[float], candidate: Candidate, limits: ceilings.Ceilings
) -> Measured:
    q25, median, q75 = (float(value) for value in np.quantile(samples, (0.25, 0.5, 0.75)))
    counted = interpreted.count(candidate.call)
    work = cost_model.Work(flops=candidate.flops, bytes=candidate.moved_bytes, interpreted=counted)
    return Measured(
        name=name,
        seconds=median,
        q25=q25,
        q75=q75,
        samples=len(samples),
        flops=candidate.flops,
        moved_bytes=candidate.moved_bytes,
        workspace_bytes=candidate.workspace_bytes,
        interpreted=counted,
        predicted=cost_model.predict(work, candidate.family, limits),
        error=candidate.error,
    )
