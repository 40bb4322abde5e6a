"""Numba's stencils: the sum of one filter over one channel, written for one output.

Identity: output plane = Σ over c of the dense correlation of channel c with its filter. A stencil
visits every position where its neighbourhood fits; the stride keeps some of them.
Neighbourhoods are constants of the machine code. To compile few, they are squares whose size is a
power of two, and the input gets the rows and columns of zeros that a larger one needs.
Source: Numba's manual, "Using the @stencil decorator".
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from convbench.problem import Array, ConvProblem
from convbench.strategies._dense import dense_shape
from convbench.strategies._layout import nchw_prepare, nchw_run
from convbench.strategies._limits import too_many_slow_macs
from convbench.strategies._numba import Compiled, Reads, Writes, contiguous, kernel
from convbench.strategies._strategy import Strategy

weighted_sum: Any = None  # the stencil, put here when a kernel is compiled


@nchw_prepare
def prepare(weights: Array, problem: ConvProblem) -> Array:
    """Make the filters contiguous, and compile or load the machine code."""
    _compiled(problem)
    return contiguous(weights)


@nchw_run
def run(x: Array, weights: Array, problem: ConvProblem) -> Array:
    """Add up the channels' stencils on the padded input."""
    output = np.zeros(
        (problem.batch, problem.out_channels, problem.out_height, problem.out_width), dtype=x.dtype
    )
    bordered = contiguous(_bordered(x, problem))
    dense = np.empty(_bordered_shape(problem), dtype=x.dtype)
    _compiled(problem)(bordered, weights, output, dense, *problem.stride, *problem.dilation)
    return output


def unsupported(problem: ConvProblem) -> str | None:
    """Refuse work that takes seconds one product at a time."""
    return too_many_slow_macs(flops(problem) // 2)


def flops(problem: ConvProblem, prepared: Any = None) -> int:  # noqa: ARG001  # a Flops
    """Count the dense positions, which the stride then drops."""
    positions = math.prod(dense_shape(problem))
    return 2 * problem.batch * problem.out_channels * problem.taps * positions


def workspace_bytes(problem: ConvProblem) -> int:
    """Count the input with its border, and the stencil of one channel."""
    plane = math.prod(_bordered_shape(problem)) * problem.itemsize
    if _bordered_shape(problem) == (problem.height, problem.width):
        return plane
    return plane * (problem.batch * problem.in_channels + 1)


def _compiled(problem: ConvProblem) -> Compiled:
    return _convolve(problem.dtype, size=_size(problem))


def _size(problem: ConvProblem) -> int:
    """Find the size of the neighbourhood, a power of two."""
    return 1 << (max(problem.span) - 1).bit_length()


def _bordered_shape(problem: ConvProblem) -> tuple[int, int]:
    """Height and width of an input where the neighbourhood fits as often as the filter should."""
    height, width = dense_shape(problem)
    return height + _size(problem) - 1, width + _size(problem) - 1


def _bordered(x: Array, problem: ConvProblem) -> Array:
    shape = _bordered_shape(problem)
    if shape == (problem.height, problem.width):
        return x
    bordered = np.zeros((*x.shape[:2], *shape), dtype=x.dtype)
    top, left = problem.padding
    bordered[:, :, top : top + problem.height, left : left + problem.width] = x
    return bordered


def _stencil(size: int) -> Mapping[str, object]:
    import numba

    make = numba.stencil(neighborhood=((0, size - 1),) * 2, standard_indexing=("weights",))
    return {"weighted_sum": make(_weighted_sum)}


def _weighted_sum(x: Array, weights: Array, dilation_h: int, dilation_w: int) -> Any:
    """Sum the products at one position, from which x is indexed."""
    total = weights.dtype.type(0)  # a plain 0.0 would sum float32 in float64
    for i in range(weights.shape[0]):
        for j in range(weights.shape[1]):
            total += x[i * dilation_h, j * dilation_w] * weights[i, j]
    return total


@kernel(Reads(4), Reads(4), Writes(4), Writes(2), int, int, int, int, names=_stencil)
def _convolve(
    x: Array,
    weights: Array,
    output: Array,
    dense: Array,
    stride_h: int,
    stride_w: int,
    dilation_h: int,
    dilation_w: int,
) -> None:
    """Add one channel after the other to each plane of the output."""
    batch, out_channels, out_height, out_width = output.shape
    group_in = weights.shape[1]
    group_out = out_channels * group_in // x.shape[1]
    for n in range(batch):
        for o in range(out_channels):
            first = o // group_out * group_in
            for c in range(group_in):
                weighted_sum(x[n, first + c], weights[o, c], dilation_h, dilation_w, out=dense)
                for oh in range(out_height):
                    for ow in range(out_width):
                        output[n, o, oh, ow] += dense[oh * stride_h, ow * stride_w]


STRATEGY = Strategy(
    name="numba_stencil",
    family="direct",
    summary="a Numba stencil per filter and channel, subsampled by the stride",
    reference="Numba's manual, using the @stencil decorator",
    prepare=prepare,
    run=run,
    unsupported=unsupported,
    flops=flops,
    workspace_bytes=workspace_bytes,
    brings=("numba",),
    threaded=False,
)
