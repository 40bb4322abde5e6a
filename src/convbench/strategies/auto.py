"""Choose the candidate that a calibrated cost model predicts to be the fastest.

Identity: none of its own; `prepare` chooses by problem and number of threads, and binds the choice
to the prepared filters, so that `run` only calls. A choice is made once per process and problem.
A candidate that Numba compiles may win: the first `prepare` of a process then imports Numba, and
the first on a machine compiles, seconds each time; whoever minds names a strategy instead.
Source: `convbench.strategies._model`, whose rows are fitted to measurements.
"""

from functools import lru_cache
from typing import Any, NamedTuple

from convbench import threads
from convbench.problem import Array, ConvProblem
from convbench.strategies import (
    _model,
    fft,
    implicit_gemm,
    numba_depthwise,
    numba_direct,
    numba_nhwc,
    pointwise,
    shifted,
    winograd,
)
from convbench.strategies._strategy import Strategy

CANDIDATES: tuple[Strategy, ...] = (
    shifted.STRATEGY,  # refuses nothing: auto always works
    pointwise.STRATEGY,
    fft.STRATEGY,
    implicit_gemm.STRATEGY,
    numba_nhwc.STRATEGY,
    numba_direct.STRATEGY,
    numba_depthwise.STRATEGY,
    winograd.F2X3,
    winograd.F4X3,  # 6×6 tiles win nothing over it and lose digits: they are for who asks for them
    winograd.F4X5,
    winograd.STRIDED,
)
"""What is chosen from: whatever is the fastest somewhere by more than a few per cent."""

REMEMBERED = 4096
"""Problems whose choice is kept."""


class Prepared(NamedTuple):
    """A choice, and the filters as it prepared them."""

    chosen: Strategy
    filters: Any


def choose(problem: ConvProblem) -> Strategy:
    """Give the candidate with the shortest predicted time on the present number of threads."""
    return _ranked(problem, threads.count())[0][0]


def ranking(problem: ConvProblem) -> tuple[tuple[str, float], ...]:
    """Give the candidates that can do the problem with their predicted seconds, fastest first."""
    return tuple((each.name, seconds) for each, seconds in _ranked(problem, threads.count()))


def prepare(weights: Array, problem: ConvProblem) -> Prepared:
    """Choose, and prepare as the chosen strategy does."""
    chosen = choose(problem)
    return Prepared(chosen, chosen.prepare(weights, problem))


def run(x: Array, prepared: Prepared, problem: ConvProblem) -> Array:
    """Run what `prepare` chose: another number of threads since then changes nothing."""
    return prepared.chosen.run(x, prepared.filters, problem)


def flops(problem: ConvProblem, prepared: Prepared | None = None) -> int:
    """Count the chosen strategy's operations."""
    if prepared is not None:
        return prepared.chosen.flops(problem, prepared.filters)
    return choose(problem).flops(problem)


def workspace_bytes(problem: ConvProblem) -> int:
    """Count the chosen strategy's workspace."""
    return choose(problem).workspace_bytes(problem)


def error_bound(x: Array, weights: Array, problem: ConvProblem) -> Array:
    """Bound the error as the chosen strategy's family does."""
    return choose(problem).error_bound(x, weights, problem)


@lru_cache(maxsize=REMEMBERED)
def _ranked(problem: ConvProblem, number: int) -> tuple[tuple[Strategy, float], ...]:
    calibration = _model.calibration()
    predicted = [
        (each, _model.predicted(calibration, each, problem, number))
        for each in CANDIDATES
        if each.unsupported(problem) is None
    ]
    return tuple(sorted(predicted, key=lambda candidate: candidate[1]))


STRATEGY = Strategy(
    name="auto",
    family="auto",
    summary="the candidate that a calibrated cost model predicts to be the fastest",
    reference="the cost model in convbench.strategies._model",
    prepare=prepare,
    run=run,
    flops=flops,
    workspace_bytes=workspace_bytes,
    error_bound=error_bound,
    local=False,  # a transform may be chosen
)
