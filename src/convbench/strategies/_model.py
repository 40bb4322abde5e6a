"""The cost model behind `auto`: a strategy's time as a sum of terms, each a ceiling times a count.

A row says how many times a strategy pays each term, one row for each layout, which is another
program; rows are fitted to measurements by `convbench calibrate`. The terms scale with the
machine's ceilings, so a row holds roughly on other machines too.
Source: Williams, Waterman & Patterson, "Roofline", CACM 2009, for the two ceilings; Amdahl,
"Validity of the single processor approach", AFIPS 1967, for the threads.
"""

import json
import math
import operator
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

from convbench import blas
from convbench.ceilings import Ceilings
from convbench.problem import LAYOUTS, ConvProblem
from convbench.strategies._strategy import Strategy

VECTOR_BYTES = 64
"""Numbers that are computed side by side; where vectors are shorter, less of them is idle."""

FEW = 16
"""Filters, and products of one output, below which a GEMM's innermost kernel is inefficient."""

SHARED_FLOPS = 30_000_000
"""Less work than this, about 0.3 ms, is left to one thread, by compiled strategies and BLAS."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One strategy's coefficients; as the result of `terms`, what each is multiplied with.

    Attributes
    ----------
    call, tap, product : float
        NumPy calls in one `run`, for each tap of a filter, for each group of each image.
    arithmetic : float
        Executed operations at the GEMM peak.
    idle_filters, idle_channels : float
        Operations of a last vector's idle lanes, where vectors run over the filters of a group,
        or over all of them, as for depthwise layers.
    few_filters, few_taps : float
        Operations times `FEW` over a size of the GEMM: what is loaded for each row of filters,
        and what begins and ends the sum of each output.
    clipped : float
        Operations of the columns of outputs whose patches reach over the image's edge.
    traffic, images : float
        Compulsory bytes at the bandwidth for so many; input and output at the cache's.
    border : float
        The input where it gets a border of zeros, at the bandwidth.
    sweep, strided : float
        The output once for every tap of a filter, and all elements of all patches where a stride
        skips columns, at the cache's bandwidth.
    fork : float
        NumPy calls that starting and joining threads costs as much as.
    alone : float
        Share of the time of one thread that other threads don't shorten.
    """

    call: float = 0.0
    tap: float = 0.0
    product: float = 0.0
    arithmetic: float = 0.0
    idle_filters: float = 0.0
    idle_channels: float = 0.0
    few_filters: float = 0.0
    few_taps: float = 0.0
    clipped: float = 0.0
    traffic: float = 0.0
    images: float = 0.0
    border: float = 0.0
    sweep: float = 0.0
    strided: float = 0.0
    fork: float = 0.0
    alone: float = 0.0


TERMS = tuple(field.name for field in fields(Row) if field.name not in ("fork", "alone"))
"""The coefficients of one thread's time, which is linear in them."""

values: Callable[[Row], tuple[float, ...]] = operator.attrgetter(*TERMS)
"""Give the coefficients, or the terms, in the order of `TERMS`."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """A row for every candidate, by layout and name, and one thread's ceilings by dtype."""

    rows: Mapping[str, Mapping[str, Row]]
    ceilings: Mapping[str, Ceilings]


def terms(strategy: Strategy, problem: ConvProblem, ceilings: Ceilings) -> Row:
    """Give the seconds of one thread that a coefficient of one stands for."""
    call, cache_bandwidth = ceilings.call_seconds, ceilings.cache_bytes_per_second
    bandwidth = ceilings.bandwidth(problem.bytes)
    arithmetic = strategy.flops(problem) / ceilings.flops_per_second
    lanes = VECTOR_BYTES // problem.itemsize
    group_filters, taps = problem.out_channels // problem.groups, problem.taps
    kernel = problem.kernel_height * problem.kernel_width
    inputs = math.prod(problem.input_shape) * problem.itemsize
    outputs = math.prod(problem.output_shape) * problem.itemsize
    patches = outputs // problem.out_channels * problem.groups * taps
    inside = max(0, (problem.width - problem.span[1]) // problem.stride[1] + 1)
    return Row(
        call=call,
        tap=call * kernel,
        product=call * problem.batch * problem.groups,
        arithmetic=arithmetic,
        idle_filters=arithmetic * _idle(group_filters, lanes),
        idle_channels=arithmetic * _idle(problem.out_channels, lanes),
        few_filters=arithmetic * FEW / group_filters,
        few_taps=arithmetic * FEW / taps,
        clipped=arithmetic * max(0.0, 1 - inside / problem.out_width),
        traffic=problem.bytes / bandwidth,
        images=(inputs + outputs) / cache_bandwidth,
        border=inputs / bandwidth if problem.padding != (0, 0) else 0.0,
        sweep=kernel * outputs / cache_bandwidth,
        strided=patches / cache_bandwidth if problem.stride[1] > 1 else 0.0,
    )


def _idle(size: int, lanes: int) -> float:
    """Give the lanes of the last vector that compute nothing, for each that computes something."""
    return -size % lanes / size


def predicted(
    calibration: Calibration, strategy: Strategy, problem: ConvProblem, threads: int
) -> float:
    """Predict the seconds of one `run`."""
    ceilings = calibration.ceilings[problem.dtype]
    row = calibration.rows[problem.layout][strategy.name]
    each = values(terms(strategy, problem, ceilings))
    alone = float(sum(map(operator.mul, values(row), each)))
    if not is_shared(problem, threads):
        return alone
    return row.fork * ceilings.call_seconds + alone * (row.alone + (1 - row.alone) / threads)


def is_shared(problem: ConvProblem, threads: int) -> bool:
    """Tell whether the problem is worth waking other threads."""
    return threads > 1 and problem.flops >= SHARED_FLOPS


@cache
def calibration() -> Calibration:
    """Give this machine's calibration where `convbench calibrate` left one, else the committed one.

    A file that can't be read, that was made on another CPU or BLAS, or that lacks a candidate,
    counts as none: `auto` always works.
    """
    file = calibration_file()
    if not file.exists():
        return COMMITTED
    try:
        return decoded(json.loads(file.read_text())[machine()])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return COMMITTED


def calibration_file() -> Path:
    """Where this user's calibrations lie, one for each CPU and BLAS."""
    folder = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(folder, "convbench", "auto.json")


def machine() -> str:
    """Name what a calibration holds for: the CPU's model, and the BLAS that NumPy has mapped."""
    model = ""
    information = Path("/proc/cpuinfo")
    if information.exists():
        lines = information.read_text().splitlines()
        model = next(
            (line.partition(":")[2] for line in lines if line.startswith("model name")), ""
        )
    families = sorted({str(blas.family_of(file)) for file in blas.mapped_blas_files()})
    return " / ".join((model.strip() or "unknown CPU", *families))


def decoded(document: Mapping[str, Any]) -> Calibration:
    """Read a calibration from its JSON; `dataclasses.asdict` writes it."""
    return Calibration(
        rows={
            layout: {name: Row(**document["rows"][layout][name]) for name in COMMITTED.rows[layout]}
            for layout in LAYOUTS
        },
        ceilings={dtype: Ceilings(**limits) for dtype, limits in document["ceilings"].items()},
    )


# Printed by `convbench calibrate --literal`.
COMMITTED = Calibration(
    rows={
        "NCHW": {
            "shifted": Row(call=5.0, arithmetic=1.0),
            "pointwise": Row(call=5.0, arithmetic=1.0),
            "fft_tiled": Row(call=5.0, arithmetic=1.0),
            "implicit_gemm": Row(call=5.0, arithmetic=1.0),
            "numba_nhwc": Row(call=5.0, arithmetic=1.0),
            "numba_direct": Row(call=5.0, arithmetic=1.0),
            "numba_depthwise": Row(call=5.0, arithmetic=1.0),
            "winograd_f2x3": Row(call=5.0, arithmetic=1.0),
            "winograd_f4x3": Row(call=5.0, arithmetic=1.0),
            "winograd_f4x5": Row(call=5.0, arithmetic=1.0),
            "winograd_strided": Row(call=5.0, arithmetic=1.0),
        },
        "NHWC": {
            "shifted": Row(call=5.0, arithmetic=1.0),
            "pointwise": Row(call=5.0, arithmetic=1.0),
            "fft_tiled": Row(call=5.0, arithmetic=1.0),
            "implicit_gemm": Row(call=5.0, arithmetic=1.0),
            "numba_nhwc": Row(call=5.0, arithmetic=1.0),
            "numba_direct": Row(call=5.0, arithmetic=1.0),
            "numba_depthwise": Row(call=5.0, arithmetic=1.0),
            "winograd_f2x3": Row(call=5.0, arithmetic=1.0),
            "winograd_f4x3": Row(call=5.0, arithmetic=1.0),
            "winograd_f4x5": Row(call=5.0, arithmetic=1.0),
            "winograd_strided": Row(call=5.0, arithmetic=1.0),
        },
    },
    ceilings={
        "float32": Ceilings(
            flops_per_second=1.57e11,
            memory_bytes_per_second=1.44e10,
            cache_bytes_per_second=9.41e10,
            call_seconds=5.71e-07,
            line_seconds=8.86e-09,
        ),
        "float64": Ceilings(
            flops_per_second=6.54e10,
            memory_bytes_per_second=1.43e10,
            cache_bytes_per_second=9.42e10,
            call_seconds=5.76e-07,
            line_seconds=8.81e-09,
        ),
    },
)
"""What `auto` uses where nothing was calibrated: one thread of a 2-core Xeon, OpenBLAS."""
