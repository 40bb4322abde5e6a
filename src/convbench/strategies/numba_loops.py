"""The question's loops, compiled by Numba: what most people try first.

Identity: the definition itself. Each output is one scalar sum over channels and taps, whose order
LLVM may not change, so that nothing is vectorised.
Source: Lam, Pitrou & Seibert, "Numba: a LLVM-based Python JIT compiler", LLVM-HPC 2015, for the
compiler; the Stack Overflow question for the loops.
"""

import numpy as np

from convbench.problem import Array, ConvProblem
from convbench.strategies._layout import nchw_prepare, nchw_run
from convbench.strategies._limits import too_many_slow_macs
from convbench.strategies._numba import Reads, Writes, contiguous, kernel
from convbench.strategies._strategy import Strategy
from convbench.strategies._windows import pad, padded_bytes


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


@kernel(Reads(4), Reads(4), Writes(4), int, int, int, int)
def _convolve(
    x: Array,
    weights: Array,
    output: Array,
    stride_h: int,
    stride_w: int,
    dilation_h: int,
    dilation_w: int,
) -> None:
    """Sum the products of every output in one variable."""
    batch, out_channels, out_height, out_width = output.shape
    _, group_in, kernel_height, kernel_width = weights.shape
    group_out = out_channels * group_in // x.shape[1]
    for n in range(batch):
        for o in range(out_channels):
            first = o // group_out * group_in
            for oh in range(out_height):
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
    name="numba_loops",
    family="direct",
    summary="the question's loops under Numba's njit, one scalar sum an output",
    reference="Lam, Pitrou & Seibert, LLVM-HPC 2015; the Stack Overflow question",
    prepare=prepare,
    run=run,
    unsupported=unsupported,
    workspace_bytes=padded_bytes,
    brings=("numba",),
    threaded=False,
)
