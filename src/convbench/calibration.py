"""Fit the rows of `auto`'s cost model to this machine: every candidate, measured on many problems.

The terms add up to a time, so that a row is the solution of a least-squares problem without
negative coefficients (Lawson & Hanson, "Solving least squares problems", 1974). Its errors are
relative ones: microseconds count as much on a small problem as milliseconds on a large one.
"""

import json
import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, astuple, dataclass, fields, replace
from functools import partial

import numpy as np

from convbench import blas, ceilings, threads
from convbench.problem import DTYPES, LAYOUTS, ConvProblem
from convbench.strategies import _model, auto
from convbench.strategies._model import Calibration, Row
from convbench.strategies._strategy import Strategy
from convbench.timing import Call, time_interleaved
from convbench.workloads import WORKLOADS

TRIALS, TRIAL_SECONDS = 5, 0.5
"""Calls by which a candidate is tried; a slow one gets fewer."""

TIMED_WITHIN = 4.0
"""A candidate that takes longer than this times the fastest is not timed further."""

DRAWN = 40
"""Problems beside the named ones, drawn from the sizes that layers have."""

Samples = dict[tuple[ConvProblem, int], dict[str, float]]
"""Measured seconds by candidate, for every problem and number of threads."""


@dataclass(frozen=True, slots=True)
class Regret:
    """Time of the choices over that of the fastest candidates: geometric mean, worst, and where."""

    mean: float
    worst: float
    problem: ConvProblem
    threads: int


def problems() -> list[ConvProblem]:
    """List what is measured, small and large, in both layouts and dtypes."""
    named = [ConvProblem(**arguments) for arguments in WORKLOADS.values()]
    every = [replace(one, layout=layout) for one in (*named, *_drawn()) for layout in LAYOUTS]
    # Precision scales terms and adds none: the smaller problems show it.
    return every + [replace(one, dtype="float64") for one in every[::4] if one.macs < 2e8]


def _drawn() -> Iterator[ConvProblem]:
    rng = np.random.default_rng(0)
    for _ in range(DRAWN):
        size = int(rng.choice((8, 14, 20, 28, 56, 112)))
        kernel = int(rng.choice((1, 2, 3, 3, 3, 5, 7, 9, 15)))
        most = 2 ** int(
            math.log2(4e8 / (size * kernel) ** 2) / 2
        )  # channels for a few milliseconds
        in_channels, out_channels = (
            int(n) for n in rng.choice([c for c in (1, 3, 8, 16, 32, 64, 128, 256) if c <= most], 2)
        )
        depthwise = rng.random() < 0.2
        yield ConvProblem(
            in_channels=in_channels,
            height=size,
            width=size,
            out_channels=in_channels if depthwise else out_channels,
            kernel_height=kernel,
            kernel_width=kernel,
            stride=(stride := int(rng.choice((1, 1, 1, 2))), stride),
            padding=(kernel // 2, kernel // 2),
            groups=in_channels if depthwise else 1,
            batch=int(rng.choice((1, 1, 1, 4))),
        )


def measure(number: int, *, seconds: float, say: Callable[[str], None]) -> Samples:
    """Time every candidate on every problem with so many threads."""
    samples: Samples = {}
    every = problems()
    for index, problem in enumerate(every, start=1):
        with threads.limit(number):
            samples[problem, number] = _timed(problem, seconds)
        if index % 20 == 0 or index == len(every):
            say(f"{index} of {len(every)} problems measured, threads: {number}")
    return samples


def _timed(problem: ConvProblem, seconds: float) -> dict[str, float]:
    x, weights = problem.random_operands(0)
    calls: dict[str, Call] = {
        each.name: partial(each.run, x, each.prepare(weights, problem), problem)
        for each in auto.CANDIDATES
        if each.unsupported(problem) is None
    }
    times = {name: _trial(call) for name, call in calls.items()}
    fastest = min(times.values())
    close = {name: call for name, call in calls.items() if times[name] <= TIMED_WITHIN * fastest}
    exact = time_interleaved(close, seconds=seconds)
    # The best sample, as for the ceilings: a disturbed one says nothing about the candidate.
    return times | {name: min(values) for name, values in exact.items()}


def _trial(call: Call) -> float:
    """Time a few calls and give the best: the first may load a kernel or start threads."""
    times: list[float] = []
    while len(times) < TRIALS and sum(times) < TRIAL_SECONDS:
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times)


def fit(samples: Samples, limits: Mapping[str, ceilings.Ceilings]) -> dict[str, Row]:
    """Fit a row to every candidate that was measured."""
    return {
        each.name: _fitted(each, measured, limits)
        for each in auto.CANDIDATES
        if (measured := {cell: times for cell, times in samples.items() if each.name in times})
    }


def _fitted(strategy: Strategy, samples: Samples, limits: Mapping[str, ceilings.Ceilings]) -> Row:
    from scipy.optimize import nnls

    terms = np.array(
        [
            astuple(_model.terms(strategy, problem, limits[problem.dtype], number))
            for problem, number in samples
        ]
    )
    seconds = np.array([times[strategy.name] for times in samples.values()])
    coefficients, _ = nnls(terms / seconds[:, None], np.ones_like(seconds))
    names = (field.name for field in fields(Row))
    return Row(**{name: float(f"{c:.3g}") for name, c in zip(names, coefficients, strict=True)})


def regret(samples: Samples, calibration: Calibration) -> Regret:
    """Compare what these rows would choose with the fastest candidate of every cell measured."""
    ratios = {}
    for (problem, number), times in samples.items():
        predicted = {
            each.name: _model.predicted(calibration, each, problem, number)
            for each in auto.CANDIDATES
            if each.name in times
        }
        chosen = min(predicted, key=lambda name: predicted[name])
        ratios[problem, number] = times[chosen] / min(times.values())
    worst = max(ratios, key=lambda cell: ratios[cell])
    mean = math.exp(sum(map(math.log, ratios.values())) / len(ratios))
    return Regret(mean, ratios[worst], *worst)


def calibrate(*, seconds: float, say: Callable[[str], None]) -> tuple[Calibration, Regret]:
    """Measure on one and on all threads, fit, and give the regret of what would be chosen."""
    blas.exercise()  # a library that is mapped later would not be limited
    limits = {dtype: ceilings.measured(dtype, 1) for dtype in DTYPES}
    samples: Samples = {}
    for number in sorted({1, threads.count()}):
        samples |= measure(number, seconds=seconds, say=say)
    calibration = Calibration(fit(samples, limits), limits)
    return calibration, regret(samples, calibration)


def save(calibration: Calibration) -> None:
    """Keep a calibration for this user, machine and BLAS; others in the file stay."""
    file = _model.calibration_file()
    try:
        others = dict(json.loads(file.read_text()))
    except (OSError, ValueError):
        others = {}
    file.parent.mkdir(parents=True, exist_ok=True)
    partial_file = file.with_suffix(".partial")
    partial_file.write_text(json.dumps(others | {_model.machine(): asdict(calibration)}, indent=1))
    partial_file.replace(file)  # a reader never sees half a file


def literal(calibration: Calibration) -> Iterator[str]:
    """Write a calibration as the Python that `convbench.strategies._model` holds."""
    yield "COMMITTED = Calibration("
    yield "    rows={"
    for name, row in calibration.rows.items():
        given = ", ".join(f"{key}={value:g}" for key, value in asdict(row).items() if value)
        yield f'        "{name}": Row({given}),'
    yield "    },"
    yield "    ceilings={"
    for dtype, limits in calibration.ceilings.items():
        given = ", ".join(f"{key}={value:.3g}" for key, value in asdict(limits).items())
        yield f'        "{dtype}": Ceilings({given}),'
    yield from ("    },", ")")
