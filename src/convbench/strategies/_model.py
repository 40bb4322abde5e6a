"""The cost model behind `auto`: a strategy's time as a sum of terms, each a ceiling times a count.

A row says how many times a strategy pays each term; rows are fitted to measurements by
`convbench calibrate`. The terms scale with the machine's ceilings, so a row holds roughly on other
machines too. Source: Williams, Waterman & Patterson, "Roofline", CACM 2009, for the two ceilings.
"""

import json
import math
import operator
import os
from collections.abc import Mapping
from dataclasses import astuple, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from convbench import blas
from convbench.ceilings import Ceilings
from convbench.problem import ConvProblem
from convbench.strategies._strategy import Strategy

SIMD_ROWS = 16
"""Filters or outputs that a GEMM's innermost kernel computes at once, about; fewer waste it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One strategy's coefficients; as the result of `terms`, what each is multiplied with.

    Attributes
    ----------
    call, tap, product : float
        NumPy calls in one `run`, for each tap of a filter, for each group of each image.
    fork : float
        NumPy calls that starting and joining threads costs as much as.
    arithmetic, serial : float
        Executed operations at the GEMM peak of all threads, and at that of one.
    few_filters, few_outputs, few_taps : float
        Those of all threads, times `SIMD_ROWS` over a size of the GEMM: what thin matrices waste.
    traffic, workspace, sweep : float
        Compulsory bytes, those of the workspace, and the output once for every tap of a filter,
        at the bandwidth.
    channels_last : float
        Operands, output and workspace once more, where the layout is NHWC.
    strided : float
        All elements of all patches, where a stride skips columns.
    """

    call: float = 0.0
    tap: float = 0.0
    product: float = 0.0
    fork: float = 0.0
    arithmetic: float = 0.0
    serial: float = 0.0
    few_filters: float = 0.0
    few_outputs: float = 0.0
    few_taps: float = 0.0
    traffic: float = 0.0
    workspace: float = 0.0
    sweep: float = 0.0
    channels_last: float = 0.0
    strided: float = 0.0


@dataclass(frozen=True, slots=True)
class Calibration:
    """A row for every candidate, and one thread's ceilings by dtype."""

    rows: Mapping[str, Row]
    ceilings: Mapping[str, Ceilings]


def terms(strategy: Strategy, problem: ConvProblem, ceilings: Ceilings, threads: int) -> Row:
    """Give the seconds that a coefficient of one stands for."""
    workspace_bytes = strategy.workspace_bytes(problem)
    serial = strategy.flops(problem) / ceilings.flops_per_second
    every_byte = problem.bytes + workspace_bytes
    bandwidth = ceilings.bandwidth(every_byte)
    taps = problem.kernel_height * problem.kernel_width
    positions = problem.out_height * problem.out_width
    patches = problem.batch * positions * problem.groups * problem.taps * problem.itemsize
    thin = SIMD_ROWS * serial / threads
    return Row(
        call=ceilings.call_seconds,
        tap=ceilings.call_seconds * taps,
        product=ceilings.call_seconds * problem.batch * problem.groups,
        fork=ceilings.call_seconds if threads > 1 else 0.0,
        arithmetic=serial / threads,
        serial=serial,
        few_filters=thin / (problem.out_channels // problem.groups),
        few_outputs=thin / positions,
        few_taps=thin / problem.taps,
        traffic=problem.bytes / bandwidth,
        workspace=workspace_bytes / bandwidth,
        sweep=taps * math.prod(problem.output_shape) * problem.itemsize / bandwidth,
        channels_last=every_byte / bandwidth if problem.layout == "NHWC" else 0.0,
        strided=patches / bandwidth if problem.stride[1] > 1 else 0.0,
    )


def predicted(
    calibration: Calibration, strategy: Strategy, problem: ConvProblem, threads: int
) -> float:
    """Predict the seconds of one `run`."""
    each = terms(strategy, problem, calibration.ceilings[problem.dtype], threads)
    row = calibration.rows[strategy.name]
    return float(sum(map(operator.mul, astuple(row), astuple(each))))


@cache
def calibration() -> Calibration:
    """Give this machine's calibration where `convbench calibrate` left one, else the committed one.

    A file that can't be read, or that was made on another CPU or BLAS, counts as none: `auto`
    always works.
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
        rows={name: Row(**row) for name, row in document["rows"].items()},
        ceilings={dtype: Ceilings(**limits) for dtype, limits in document["ceilings"].items()},
    )


# Printed by `convbench calibrate --literal`.
COMMITTED = Calibration(
    rows={
        "shifted": Row(
            call=1.81,
            tap=4.33,
            product=1.42,
            arithmetic=1.11,
            few_filters=1.2,
            few_outputs=0.286,
            sweep=0.898,
            channels_last=1.54,
            strided=3.07,
        ),
        "im2col": Row(
            call=1.56,
            tap=1.11,
            product=1.29,
            arithmetic=0.844,
            few_filters=1.15,
            few_outputs=1.42,
            few_taps=0.323,
            traffic=0.931,
            workspace=0.513,
            channels_last=0.537,
            strided=1.44,
        ),
        "tensordot": Row(
            call=12.1,
            product=11.2,
            arithmetic=1.05,
            few_filters=0.785,
            traffic=1.5,
            workspace=0.363,
            channels_last=0.343,
            strided=0.838,
        ),
        "fft": Row(
            call=33.9,
            product=0.994,
            arithmetic=11.8,
            few_taps=1.44,
            traffic=1.14,
            workspace=0.0818,
            sweep=0.0113,
            channels_last=0.355,
            strided=3.06,
        ),
        "numba_direct": Row(
            call=3.47,
            tap=0.201,
            product=0.756,
            arithmetic=6.58,
            few_outputs=45.9,
            few_taps=1.15,
            workspace=0.387,
            channels_last=2.18,
            strided=3.6,
        ),
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
