"""Fit the rows of `auto`'s cost model to this machine: every candidate, measured on many problems.

The terms add up to a time, so that a row is the solution of a least-squares problem without
negative coefficients (Lawson & Hanson, "Solving least squares problems", 1974). Its errors are
those of the logarithm: half the time is as wrong as twice the time, on small problems and large.
"""

import json
import math
import textwrap
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial

import numpy as np
import numpy.typing as npt

from convbench import blas, ceilings, threads
from convbench.problem import DTYPES, LAYOUTS, ConvProblem
from convbench.strategies import _model, auto
from convbench.strategies._model import Calibration, Row
from convbench.strategies._strategy import Strategy
from convbench.timing import Call, time_interleaved
from convbench.workloads import WORKLOADS

TRIALS, TRIAL_SECONDS = 5, 0.1
"""Calls by which a candidate is tried; a slow one gets fewer."""

TIMED_WITHIN = 2.5
"""A candidate that takes longer than this times the fastest is not timed further."""

DRAWN = 110
"""Problems beside the named ones, drawn from the kinds that layers have."""

MAX_DRAWN_MACS, MAX_DRAWN_BYTES = 3e8, 4e7
"""Limits of a drawn problem: a few milliseconds."""

SIZES = (6, 7, 8, 10, 13, 14, 16, 20, 26, 28, 32, 38, 52, 56, 75, 80, 112, 150, 224)
CHANNELS = (16, 24, 32, 40, 64, 80, 96, 128, 160, 192, 240, 256, 320, 384, 512)
FEW_CHANNELS = (1, 1, 2, 3, 3, 4, 8, 12)
"""What sizes of images and numbers of channels are drawn from."""

FIT_STEPS = 8
"""Solutions of the least-squares problem, each with weights from the one before it."""

Samples = dict[tuple[ConvProblem, int], dict[str, float]]
"""Measured seconds by candidate, for every problem and number of threads."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of layer to draw; an empty choice of filters is one for each channel."""

    share: int
    kernels: tuple[int, ...]
    strides: tuple[int, ...] = (1,)
    sizes: tuple[int, ...] = SIZES
    channels: tuple[int, ...] = CHANNELS
    filters: tuple[int, ...] = CHANNELS
    groups: tuple[int, ...] = (1,)


KINDS = (
    Kind(28, kernels=(3,), strides=(1, 1, 1, 2)),
    Kind(16, kernels=(1,), strides=(1, 1, 1, 2)),
    Kind(16, kernels=(5,)),
    Kind(10, kernels=(3, 5, 7, 11), strides=(1, 2, 2, 4), channels=(1, 3, 3, 4)),  # first layers
    Kind(8, kernels=(2, 4, 8, 16), strides=(2, 4, 8, 16), channels=(3, 3, 64)),  # patches
    Kind(14, kernels=(3, 3, 5, 7), strides=(1, 1, 2), filters=()),
    Kind(8, kernels=(3, 7, 11, 25), strides=(1, 1, 2), channels=FEW_CHANNELS, filters=()),
    Kind(10, kernels=(5, 9, 15, 31), channels=FEW_CHANNELS, filters=FEW_CHANNELS),
    Kind(10, (1, 2, 3, 5), (1, 2), (4, 6, 8, 12, 24, 32), (3, 8, 16, 64), (1, 4, 10, 16, 64)),
    Kind(5, kernels=(3,), strides=(1, 1, 2), groups=(2, 4, 8)),
)
"""Kinds of layers, drawn as often as their shares say."""


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
    both = [*named, *_drawn(DRAWN, np.random.default_rng(0))]
    every = [replace(one, layout=layout) for one in both for layout in LAYOUTS]
    # Precision scales terms and adds none: some of the smaller problems show it.
    return every + [replace(one, dtype="float64") for one in every[::5] if one.macs < 1e8]


def _drawn(number: int, rng: np.random.Generator) -> list[ConvProblem]:
    shares = np.array([kind.share for kind in KINDS])
    drawn: list[ConvProblem] = []
    while len(drawn) < number:
        kind = KINDS[rng.choice(len(KINDS), p=shares / shares.sum())]
        problem = _problem(kind, rng)
        if problem and problem.macs < MAX_DRAWN_MACS and problem.bytes < MAX_DRAWN_BYTES:
            drawn.append(problem)
    return drawn


def _problem(kind: Kind, rng: np.random.Generator) -> ConvProblem | None:
    """Draw a problem of this kind; None where the filter would not fit."""

    def pick(choices: tuple[int, ...]) -> int:
        return int(rng.choice(choices))

    size, kernel, stride = pick(kind.sizes), pick(kind.kernels), pick(kind.strides)
    channels = pick(kind.channels)
    filters = pick(kind.filters) if kind.filters else channels
    groups = pick(kind.groups) if kind.filters else channels
    padding, batch = pick((0, kernel // 2, kernel // 2)), pick((1, 1, 1, 1, 2, 8))
    if kernel > size or channels % groups or filters % groups:
        return None
    return ConvProblem(
        batch=batch,
        in_channels=channels,
        height=size,
        width=size,
        out_channels=filters,
        kernel_height=kernel,
        kernel_width=kernel,
        stride=(stride, stride),
        padding=(padding, padding),
        groups=groups,
    )


def measure(
    number: int, every: list[ConvProblem], *, seconds: float, say: Callable[[str], None]
) -> Samples:
    """Time every candidate on every problem with so many threads."""
    samples: Samples = {}
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


def fit(samples: Samples, limits: Mapping[str, ceilings.Ceilings]) -> dict[str, dict[str, Row]]:
    """Fit a row to every layout and candidate that was measured."""
    return {
        layout: {
            each.name: _fitted(each, measured, limits)
            for each in auto.CANDIDATES
            if (measured := _of(samples, layout, each.name))
        }
        for layout in LAYOUTS
    }


def _of(samples: Samples, layout: str, name: str) -> Samples:
    return {
        (problem, number): times
        for (problem, number), times in samples.items()
        if problem.layout == layout and name in times
    }


def _fitted(strategy: Strategy, samples: Samples, limits: Mapping[str, ceilings.Ceilings]) -> Row:
    """Fit one thread's terms to what one thread does, then the threads' to what they share."""
    terms = np.array(
        [
            _model.values(_model.terms(strategy, problem, limits[problem.dtype]))
            for problem, _ in samples
        ]
    )
    seconds = np.array([times[strategy.name] for times in samples.values()])
    fastest = np.array([min(times.values()) for times in samples.values()])
    weights = np.sqrt(fastest / seconds)  # a slow candidate's time needs no precision
    shared = np.array([_model.is_shared(problem, number) for problem, number in samples])
    coefficients = _solved(terms[~shared], seconds[~shared], weights[~shared])
    row = dict(zip(_model.TERMS, coefficients, strict=True))
    if shared.any():
        calls = np.array([limits[problem.dtype].call_seconds for problem, _ in samples])
        numbers = np.array([number for _, number in samples])
        one = terms @ coefficients
        row |= _threads_part(*(part[shared] for part in (calls, one, numbers, seconds, weights)))
    return Row(**{name: float(f"{coefficient:.3g}") for name, coefficient in row.items()})


def _threads_part(
    calls: Floats, one: Floats, numbers: Floats, seconds: Floats, weights: Floats
) -> dict[str, float]:
    """Fit what forking costs, and the share of one thread's seconds that stays beyond its part."""
    from scipy.optimize import nnls

    scales, part = weights / seconds, one / numbers
    terms = np.stack([calls, one - part], axis=1)
    (fork, alone), _ = nnls(terms * scales[:, None], (seconds - part) * scales)
    return {"fork": fork, "alone": min(alone, 1.0)}


def _solved(terms: Floats, seconds: Floats, weights: Floats) -> Floats:
    """Find coefficients, none negative, whose sums of terms come closest to the seconds.

    Least squares weigh an error by its logarithm over itself, as the last solution had it.
    """
    from scipy.optimize import nnls

    slopes = np.ones_like(seconds)
    for _ in range(FIT_STEPS):
        scales = weights * slopes / seconds
        coefficients, _ = nnls(terms * scales[:, None], seconds * scales)
        ratios = np.maximum(terms @ coefficients / seconds, 1e-3)
        errors = ratios - 1
        near = np.abs(errors) < 1e-6
        slopes = np.where(near, 1.0, np.log(ratios) / np.where(near, 1.0, errors))
    solution: Floats = coefficients
    return solution


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
    every = problems()
    samples = measure(1, every, seconds=seconds, say=say)
    if (number := threads.count()) > 1:
        shared = [problem for problem in every if _model.is_shared(problem, number)]
        samples |= measure(number, shared, seconds=seconds, say=say)
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
    yield "# fmt: off"  # a coefficient a line would be hundreds of lines
    yield "COMMITTED = Calibration("
    yield "    rows={"
    for layout, rows in calibration.rows.items():
        yield f'        "{layout}": {{'
        for name, row in rows.items():
            yield from _record(f'            "{name}": Row(', asdict(row))
        yield "        },"
    yield "    },"
    yield "    ceilings={"
    for dtype, limits in calibration.ceilings.items():
        yield from _record(f'        "{dtype}": Ceilings(', asdict(limits))
    yield from ("    },", ")", "# fmt: on")


def _record(opening: str, numbers: Mapping[str, float]) -> Iterator[str]:
    """Write a record that is not zero everywhere, in few lines."""
    given = ", ".join(f"{name}={number:.3g}" for name, number in numbers.items() if number)
    indent = " " * (len(opening) - len(opening.lstrip()))
    inner = indent + "    "
    yield opening
    yield from textwrap.wrap(given, 96, initial_indent=inner, subsequent_indent=inner)
    yield f"{indent}),"
