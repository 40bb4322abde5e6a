"""Depthwise convolution in layout NHWC, by compiled kernels: vectors run over the channels.

Identity: without sums over channels the definition is elementwise in them, so that one vector of
channels of the output is a sum of KH·KW products of such vectors, kept in a register. Neighbouring
outputs are computed together, because they share inputs; at the borders the ranges of taps are
clipped, so that no border of zeros is ever made. NCHW problems are transposed, one vector of
channels at a time.
Source: Zhang, Lo & Lu, "High performance depthwise and pointwise convolutions on mobile devices",
AAAI 2020; Sandler et al., "MobileNetV2", CVPR 2018, for the layers.
"""

from typing import Any

import numpy as np

from convbench import threads
from convbench.problem import Array, ConvProblem
from convbench.strategies._in_blocks import Prepared, run
from convbench.strategies._layout import nchw_prepare
from convbench.strategies._numba import (
    Indices,
    Reads,
    Writes,
    kernel,
    simd_names,
)
from convbench.strategies._strategy import Strategy

simd: Any = None  # put here when a kernel is compiled

WORTH_BYTES = 4 * 2**20
"""Less traffic than this, some 0.3 ms, is not worth waking another thread."""


@nchw_prepare
def prepare(weights: Array, problem: ConvProblem) -> Prepared:
    """Pack the taps of every vector of channels side by side."""
    from convbench.strategies import _simd

    lanes, channels = _simd.lanes(problem.itemsize), problem.in_channels
    starts = _vector_starts(channels, lanes)
    taps = np.zeros((max(lanes, channels), problem.taps), weights.dtype)
    taps[:channels] = weights.reshape(channels, problem.taps)
    packed = _simd.aligned_empty((len(starts), problem.taps, lanes), weights.dtype)
    for vector, start in enumerate(starts):
        packed[vector] = taps[start : start + lanes].T
    tasks = problem.out_height if problem.layout == "NHWC" else len(starts)
    return Prepared(
        _convolve(problem.dtype),
        packed,
        (_numbers(problem),),
        _scratch(problem, lanes),
        problem.batch * tasks,
        problem.output_shape,
        problem.bytes >= WORTH_BYTES,
    )


def unsupported(problem: ConvProblem) -> str | None:
    """Refuse sums over channels, and several filters for one channel."""
    if problem.groups == problem.in_channels == problem.out_channels:
        return None
    return (
        f"convolves each channel with one filter: takes groups = in_channels = out_channels; got "
        f"{problem.groups}, {problem.in_channels} and {problem.out_channels}"
    )


def workspace_bytes(problem: ConvProblem) -> int:
    """Count the packed filters, and the scratch of every thread."""
    from convbench.strategies import _simd

    lanes = _simd.lanes(problem.itemsize)
    vectors = len(_vector_starts(problem.in_channels, lanes))
    sharing = threads.count() if problem.bytes >= WORTH_BYTES else 1
    scratch = min(sharing, problem.batch * vectors) * sum(_scratch(problem, lanes))
    return (vectors * lanes * problem.taps + scratch) * problem.itemsize


def _vector_starts(channels: int, lanes: int) -> list[int]:
    """List the first channel of every vector: the last one overlaps rather than being masked."""
    return [min(start, max(0, channels - lanes)) for start in range(0, channels, lanes)]


def _scratch(problem: ConvProblem, lanes: int) -> tuple[int, int]:
    """Count the elements of one vector of channels of the operands, for NCHW.

    The inputs are copied anyway, so that they get their columns of zeros: none is clipped there.
    """
    if problem.layout == "NHWC":
        return 0, 0
    inputs = problem.height * problem.padded[1]
    return inputs * lanes, problem.out_height * problem.out_width * lanes


def _numbers(problem: ConvProblem) -> Array:
    return np.array(
        (
            *(problem.height, problem.width, problem.in_channels),
            *(problem.out_height, problem.out_width),
            *(problem.kernel_height, problem.kernel_width),
            *(*problem.stride, *problem.padding, *problem.dilation),
            problem.layout == "NCHW",
        ),
        np.intp,
    )


@kernel(
    *(Reads(4), Reads(3), Writes(4), Writes(1), Writes(1)),
    *(Indices(), int, int),
    names=simd_names,
)
def _convolve(
    x: Array,
    filters: Array,
    output: Array,
    inputs: Array,
    outputs: Array,
    numbers: Array,
    first: int,
    last: int,
) -> None:
    """Compute rows of NHWC images, or vectors of channels of NCHW images, first <= task < last."""
    height, width, channels, out_height, out_width, kernel_height, kernel_width = numbers[:7]
    stride_h, stride_w, pad_top, pad_left, dilation_h, dilation_w, planes = numbers[7:]
    vectors, taps, lanes = filters.shape
    flat, target, packed = (
        x.reshape(x.size),
        output.reshape(output.size),
        filters.reshape(filters.size),
    )
    source, result = flat, target
    image, out_image, size = height * width, out_height * out_width, taps * lanes
    depth, margin, width_before = channels, 0, width
    if planes:
        depth, margin = min(lanes, channels), pad_left
        width, pad_left = width + 2 * margin, 0
        for row in range(height):
            for k in range(margin * depth):
                inputs[row * width * depth + k] = 0
                inputs[(row + 1) * width * depth - 1 - k] = 0
    # Outputs all of whose taps lie inside, if there are four: inside <= column < outside.
    inside = (pad_left + stride_w - 1) // stride_w
    reach = width - 1 + pad_left - (kernel_width - 1) * dilation_w
    outside = min(out_width, reach // stride_w + 1)
    if outside - inside < 4:
        inside = out_width
    for task in range(first, last):
        n, row_from = task // out_height, task % out_height
        row_to, factors, image_at, out_at = row_from + 1, 0, n * image, n * out_image
        if planes:
            n, vector = task // vectors, task % vectors
            start = max(0, min(vector * lanes, channels - lanes))
            here, there = (n * channels + start) * image, (n * channels + start) * out_image
            for row in range(height):
                at, to = here + row * width_before, (row * width + margin) * depth
                simd.transpose(flat, at, image, inputs, to, depth, depth, width_before)
            source, result = inputs, outputs
            row_from, row_to, factors, image_at, out_at = 0, out_height, vector * size, 0, 0
        for row in range(row_from, row_to):
            top = row * stride_h - pad_top
            above, below = simd.taps_inside(top, dilation_h, kernel_height, height)
            line = (image_at + (top + above * dilation_h) * width) * depth
            out_line = (out_at + row * out_width) * depth
            by_row = dilation_h * width * depth
            column = 0
            while column < out_width:
                left = column * stride_w - pad_left
                if inside <= column <= outside - 8:
                    simd.channelwise_eight(
                        *(source, line + left * depth, by_row, dilation_w, stride_w),
                        *(below - above, kernel_width, packed),
                        *(factors + above * kernel_width * lanes, size, depth),
                        *(result, out_line + column * depth),
                    )
                    column += 8
                elif inside <= column < outside:
                    # The last four repeat some outputs rather than being fewer.
                    column = min(column, outside - 4)
                    left = column * stride_w - pad_left
                    simd.channelwise_four(
                        *(source, line + left * depth, by_row, dilation_w, stride_w),
                        *(below - above, kernel_width, packed),
                        *(factors + above * kernel_width * lanes, size, depth),
                        *(result, out_line + column * depth),
                    )
                    column += 4
                else:
                    before, after = simd.taps_inside(left, dilation_w, kernel_width, width)
                    simd.channelwise_one(
                        *(source, line + (left + before * dilation_w) * depth, by_row),
                        *(dilation_w, below - above, after - before, packed),
                        *(factors + (above * kernel_width + before) * lanes, kernel_width),
                        *(size, depth, result, out_line + column * depth),
                    )
                    column += 1
        if planes:
            simd.transpose(outputs, 0, depth, target, there, out_image, out_image, depth)


STRATEGY = Strategy(
    name="numba_depthwise",
    family="direct",
    summary="each channel with its own filter, vectors over channels in NHWC, compiled",
    reference="Zhang, Lo & Lu, AAAI 2020; Sandler et al., CVPR 2018, arXiv:1801.04381",
    prepare=prepare,
    run=run,
    unsupported=unsupported,
    workspace_bytes=workspace_bytes,
    brings=("numba",),
)
