"""A 1×1 convolution is a matrix product of pixels and filters: nothing is unfolded.

Identity: NCHW: output (O, H·W) = filters (O, C) @ x (C, H·W); NHWC: output (H·W, O) =
x (H·W, C) @ filters (C, O). A stride only chooses pixels: in NHWC the rows of a view, which BLAS
reads in place, line by line; in NCHW the chosen pixels are no matrix and are copied. A padding
only adds zeros to the output.
Source: Lin, Chen & Yan, "Network in network", ICLR 2014.
"""

import math
from typing import Any

import numpy as np

from convbench.problem import Array, ConvProblem
from convbench.strategies._reach import reach, reach_size
from convbench.strategies._strategy import Strategy


def prepare(weights: Array, problem: ConvProblem) -> Array:
    """Flatten the filters to one matrix per group, (groups, O/groups, C/groups)."""
    group_out = problem.out_channels // problem.groups
    return np.ascontiguousarray(weights).reshape(problem.groups, group_out, problem.taps)


def run(x: Array, filters: Array, problem: ConvProblem) -> Array:
    """Multiply the pixels that meet the output, and place the products into it."""
    (rows, from_rows), (columns, from_columns) = reach(problem, 0, 0), reach(problem, 1, 0)
    is_nchw = problem.layout == "NCHW"
    if is_nchw:
        product = _mix_nchw(x[:, :, from_rows, from_columns], filters)
    else:
        product = _mix_nhwc(x[:, from_rows, from_columns], filters)
    if problem.padding == (0, 0):
        return product
    output = np.zeros(problem.output_shape, dtype=x.dtype)
    met = (slice(None), rows, columns) if not is_nchw else (slice(None), slice(None), rows, columns)
    output[met] = product
    return output


def unsupported(problem: ConvProblem) -> str | None:
    """Refuse any other filter."""
    size = (problem.kernel_height, problem.kernel_width)
    if size == (1, 1):
        return None
    return f"needs a filter of 1x1; got {size[0]}x{size[1]}, the limit is 1x1"


def flops(problem: ConvProblem, prepared: Any = None) -> int:  # noqa: ARG001  # a Flops
    """Count the pixels that meet the output: the border is not multiplied."""
    return 2 * problem.out_channels * problem.taps * _pixels(problem)


def workspace_bytes(problem: ConvProblem) -> int:
    """Count the chosen pixels where they are copied, and products that have to be placed."""
    copied = problem.in_channels if problem.layout == "NCHW" and problem.stride != (1, 1) else 0
    placed = 0 if problem.padding == (0, 0) else problem.out_channels
    return (copied + placed) * _pixels(problem) * problem.itemsize


def _pixels(problem: ConvProblem) -> int:
    return problem.batch * math.prod(reach_size(problem, axis, 0) for axis in (0, 1))


def _mix_nchw(pixels: Array, filters: Array) -> Array:
    """Mix the channels of (N, C, H, W)."""
    batch, _, height, width = pixels.shape
    groups, group_out, group_in = filters.shape
    channels = np.ascontiguousarray(pixels).reshape(batch, groups, group_in, height * width)
    product: Array = np.matmul(filters, channels)
    return product.reshape(batch, groups * group_out, height, width)


def _mix_nhwc(pixels: Array, filters: Array) -> Array:
    """Mix the channels of (N, H, W, C)."""
    batch, height, width, _ = pixels.shape
    groups, group_out, group_in = filters.shape
    if pixels.flags.c_contiguous:  # one matrix instead of one for each line
        lines = pixels.reshape(1, batch * height * width, groups, group_in)
    else:
        lines = pixels.reshape(batch * height, width, groups, group_in)
    product = np.empty((*lines.shape[:2], groups, group_out), dtype=pixels.dtype)
    np.matmul(lines.swapaxes(1, 2), filters.swapaxes(1, 2), out=product.swapaxes(1, 2))
    return product.reshape(batch, height, width, groups * group_out)


STRATEGY = Strategy(
    name="pointwise",
    family="gemm",
    summary="1x1 filters as one matrix product of the image itself",
    reference="Lin, Chen & Yan, Network in network, ICLR 2014, arXiv:1312.4400",
    prepare=prepare,
    run=run,
    unsupported=unsupported,
    flops=flops,
    workspace_bytes=workspace_bytes,
)
