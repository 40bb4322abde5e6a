"""The padded input, and the two ways to see its patches: by output position, or by tap."""

import math
from collections.abc import Iterator

import numpy as np
from numpy.lib.stride_tricks import as_strided

from convbench.problem import Array, ConvProblem


def pad(x: Array, problem: ConvProblem) -> Array:
    """Return x (N, C, H, W) with its zero border; x itself when there is none."""
    vertical, horizontal = problem.padding
    if not vertical and not horizontal:
        return x
    # np.pad is general and costs tens of microseconds, more than whole small convolutions.
    batch, channels, height, width = x.shape
    padded = np.zeros(
        (batch, channels, height + 2 * vertical, width + 2 * horizontal), dtype=x.dtype
    )
    padded[:, :, vertical : vertical + height, horizontal : horizontal + width] = x
    return padded


def padded_bytes(problem: ConvProblem) -> int:
    """Count the bytes that `pad` allocates."""
    if problem.padding == (0, 0):
        return 0
    return problem.batch * problem.in_channels * math.prod(problem.padded) * problem.itemsize


def windows(x: Array, problem: ConvProblem) -> Array:
    """View the padded input as patches (N, C, OH, OW, KH, KW), with stride and dilation."""
    padded = pad(x, problem)
    batch, channels, *_ = padded.shape
    by_batch, by_channel, by_row, by_column = padded.strides
    # One as_strided says stride and dilation; sliding_window_view would need two subsamplings.
    return as_strided(
        padded,
        shape=(
            *(batch, channels, problem.out_height, problem.out_width),
            *(problem.kernel_height, problem.kernel_width),
        ),
        strides=(
            *(by_batch, by_channel, by_row * problem.stride[0], by_column * problem.stride[1]),
            *(by_row * problem.dilation[0], by_column * problem.dilation[1]),
        ),
        writeable=False,
    )


def tap_views(x: Array, problem: ConvProblem) -> Iterator[tuple[int, int, Array]]:
    """Yield (i, j, view): the inputs (N, C, OH, OW) that tap (i, j) of every filter meets."""
    padded = pad(x, problem)
    stride_h, stride_w = problem.stride
    dilation_h, dilation_w = problem.dilation
    rows = (problem.out_height - 1) * stride_h + 1
    columns = (problem.out_width - 1) * stride_w + 1
    for i in range(problem.kernel_height):
        top = i * dilation_h
        for j in range(problem.kernel_width):
            left = j * dilation_w
            yield i, j, padded[:, :, top : top + rows : stride_h, left : left + columns : stride_w]
