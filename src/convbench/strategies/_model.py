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
    families = sorted(blas.families_of(blas.mapped_blas_files()))
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
# fmt: off
COMMITTED = Calibration(
    rows={
        "NCHW": {
            "shifted": Row(
                call=1.47, tap=4.57, product=0.12, arithmetic=1, few_filters=1.68, clipped=1.34,
                traffic=0.18, border=7.39, sweep=3.18, strided=2.93, alone=0.359
            ),
            "pointwise": Row(
                call=6.52, arithmetic=0.913, traffic=0.918, images=0.184, sweep=1.05,
                strided=2.76, alone=0.103
            ),
            "fft": Row(
                call=40.6, product=0.072, arithmetic=4.98, few_taps=0.746, clipped=15.6,
                traffic=7.44, images=31.2, fork=18.4, alone=0.584
            ),
            "implicit_gemm": Row(
                call=3.81, product=0.501, arithmetic=0.848, idle_filters=0.927,
                idle_channels=0.092, few_filters=0.246, few_taps=0.894, clipped=0.873,
                traffic=0.619, border=8.23, fork=118, alone=0.138
            ),
            "numba_nhwc": Row(
                call=4.57, product=0.502, arithmetic=0.745, idle_filters=1.16,
                few_filters=0.0968, few_taps=0.542, clipped=0.282, traffic=0.772, images=3.35,
                border=1.97, sweep=0.0126, strided=0.674, fork=133, alone=0.173
            ),
            "numba_direct": Row(
                call=4.33, tap=0.0108, product=1.05, arithmetic=1.07, idle_filters=0.05,
                few_filters=0.0264, clipped=0.93, traffic=2.45, images=11.6, border=2.75,
                strided=0.261, fork=89.2, alone=0.0688
            ),
            "numba_depthwise": Row(
                call=4.92, product=0.0521, idle_filters=0.0371, idle_channels=3.88,
                few_taps=2.23, clipped=1.41, images=4.66, strided=0.025, alone=0.187
            ),
            "winograd_f2x3": Row(
                tap=2.96, product=2.36, arithmetic=0.997, idle_filters=1.03,
                idle_channels=0.553, few_filters=0.0226, traffic=1.81, images=10.5, fork=246,
                alone=0.305
            ),
            "winograd_f4x3": Row(
                tap=3.8, product=4.59, arithmetic=1.05, idle_filters=1.27, few_filters=0.0248,
                clipped=1.26, traffic=4.15, sweep=0.539, fork=292, alone=0.271
            ),
            "winograd_f4x5": Row(
                tap=1.22, product=3.04, arithmetic=1.31, few_filters=1.36, images=1.91,
                border=0.528, sweep=0.167, fork=559, alone=0.133
            ),
            "winograd_strided": Row(
                call=43.5, arithmetic=1.5, idle_channels=1.95, clipped=0.508, traffic=4.8,
                images=1.71, border=1.24, sweep=0.0131, fork=239, alone=0.345
            ),
        },
        "NHWC": {
            "shifted": Row(
                call=4.07, tap=4.09, product=0.192, arithmetic=1.24, few_filters=1.54,
                few_taps=1.2, traffic=0.529, images=1.22, border=15.6, sweep=3.62,
                strided=0.991, alone=0.584
            ),
            "pointwise": Row(
                call=6.29, product=0.597, arithmetic=1.04, traffic=0.369, sweep=2.74, fork=9.48
            ),
            "fft": Row(
                call=39.2, product=0.0626, arithmetic=4.77, idle_channels=0.0297, few_taps=0.87,
                clipped=11.7, traffic=7.17, images=42.5, border=0.459, alone=0.586
            ),
            "implicit_gemm": Row(
                call=3.56, product=0.56, arithmetic=0.842, idle_filters=1.19,
                few_filters=0.0912, few_taps=2.26, clipped=0.655, traffic=0.654, border=7.85,
                fork=161, alone=0.0679
            ),
            "numba_nhwc": Row(
                call=3.74, product=0.55, arithmetic=0.733, idle_filters=1.01, few_filters=0.074,
                few_taps=0.191, clipped=0.535, traffic=0.556, border=6.75, fork=180,
                alone=0.00712
            ),
            "numba_direct": Row(
                call=3.87, tap=0.0181, product=1.16, arithmetic=1.05, idle_filters=0.0755,
                few_filters=0.0374, few_taps=1.78, clipped=0.72, traffic=1.36, images=5.75,
                border=5.36, strided=0.127, fork=161, alone=0.00953
            ),
            "numba_depthwise": Row(
                call=4.51, product=0.00843, idle_channels=4.3, few_filters=0.102,
                few_taps=0.681, clipped=0.257, border=0.948, strided=0.048, alone=0.371
            ),
            "winograd_f2x3": Row(
                tap=0.959, product=1.87, arithmetic=0.849, idle_filters=0.442,
                idle_channels=1.39, few_filters=0.0385, clipped=0.37, traffic=1.86, images=6.71,
                fork=122, alone=0.214
            ),
            "winograd_f4x3": Row(
                tap=1.65, product=1.92, arithmetic=0.763, idle_filters=0.672, few_filters=0.105,
                clipped=1.62, traffic=4.28, fork=157, alone=0.126
            ),
            "winograd_f4x5": Row(
                tap=0.682, product=0.97, arithmetic=1.42, idle_channels=0.321, few_filters=0.48,
                border=15.7, fork=199, alone=0.266
            ),
            "winograd_strided": Row(
                call=25, arithmetic=1.19, idle_filters=1.13, clipped=1.75, traffic=2.14,
                border=3.91, fork=209, alone=0.079
            ),
        },
    },
    ceilings={
        "float32": Ceilings(
            flops_per_second=1.74e+11, memory_bytes_per_second=3e+10,
            cache_bytes_per_second=8.71e+10, call_seconds=5.71e-07, line_seconds=8.72e-09
        ),
        "float64": Ceilings(
            flops_per_second=8.42e+10, memory_bytes_per_second=2.99e+10,
            cache_bytes_per_second=8.56e+10, call_seconds=5.87e-07, line_seconds=8.66e-09
        ),
    },
)
# fmt: on
"""What `auto` uses where nothing was calibrated: a 2-core Xeon with AVX-512, OpenBLAS."""
