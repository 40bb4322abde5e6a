"""The question's loops, compiled by Numba, with the rows of the output shared by threads.

Identity: as `numba_loops`, whose loops over images, filters and rows become one parallel loop:
one filter alone, or one image alone, still keeps all threads busy.
Source: Numba's manual, "Automatic parallelization with @jit", for prange.
"""

from typing import TYPE_CHECKING

import numpy as np

from convbench.problem import Array, ConvProblem
from convbench.strategies._layout import nchw_prepare, nchw_run
from convbench.strategies._limits import too_many_slow_macs
from convbench.strategies._numba import Reads, Writes, contiguous, kernel
from convbench.strategies._strategy import Strategy
from convbench.strategies._windows import pad, padded_bytes

if TYPE_CHECKING:  # the kernel is lent Numba when it is compiled
    import numba


@nchw_prepare
def prepare(weights: Array, problem: ConvProblem) -> Array:
    """Make the filters contiguous, and compile or load the machine code."""
    _convolve(problem.dtype)
    return contiguous(weights)


@nchw_run
def run(x: Array, weights: Array, problem: ConvProblem) -> Array:
    """Call the compiled loops on the padded input."""
    output = np.empty(
        (problem.batch, problem.out_channels, problem.out_height, problem.out_width), dtype=x.dtype
    )
    padded = contiguous(pad(x, problem))
    _convolve(problem.dtype)(padded, weights, output, *problem.stride, *problem.dilation)
    return output


def unsupported(problem: ConvProblem) -> str | None:
    """Refuse work that takes seconds one product at a time."""
    return too_many_slow_macs(problem.macs)


@kernel(Reads(4), Reads(4), Writes(4), int, int, int, int, parallel=True)
def _convolve(
    x: Array,
    weights: Array,
    output: Array,
    stride_h: int,
    stride_w: int,
    dilation_h: int,
    dilation_w: int,
) -> None:
    """Sum the products of every output in one variable; rows of outputs in parallel."""
    batch, out_channels, out_height, out_width = output.shape
    _, group_in, kernel_height, kernel_width = weights.shape
    group_out = out_channels * group_in // x.shape[1]
    for every_row in numba.prange(batch * out_channels * out_height):
        plane, oh = every_row // out_height, every_row % out_height
        n, o = plane // out_channels, plane % out_channels
        first = o // group_out * group_in
        for ow in range(out_width):
            total = x.dtype.type(0)  # a plain 0.0 would sum float32 in float64
            for c in range(group_in):
                for i in range(kernel_height):
                    row = oh * stride_h + i * dilation_h
                    for j in range(kernel_width):
                        column = ow * stride_w + j * dilation_w
                        total += x[n, first + c, row, column] * weights[o, c, i, j]
            output[n, o, oh, ow] = total


STRATEGY = Strategy(
    name="numba_parallel",
    family="direct",
    summary="as numba_loops, with rows of the output shared by Numba's threads",
    reference="Numba's manual, automatic parallelization: explicit parallel loops",
    prepare=prepare,
    run=run,
    unsupported=unsupported,
    workspace_bytes=padded_bytes,
    brings=("numba",),
)
