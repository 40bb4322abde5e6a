"""A strided, dilated convolution as a dense one.

A strided convolution is the dense one at every stride-th position, and a dilated filter is a
dense one with zeros between its taps.
"""

import numpy as np

from convbench.problem import Array, ConvProblem


def stuff(weights: Array, problem: ConvProblem) -> Array:
    """Put the zeros of the dilation between the taps, (O, C/groups, span_h, span_w)."""
    dilation_h, dilation_w = problem.dilation
    stuffed = np.zeros((*weights.shape[:2], *problem.span), dtype=weights.dtype)
    stuffed[:, :, ::dilation_h, ::dilation_w] = weights
    return stuffed


def subsample(dense: Array, problem: ConvProblem) -> Array:
    """View the strided output in a dense one, which may be longer than needed."""
    stride_h, stride_w = problem.stride
    rows, columns = problem.out_height * stride_h, problem.out_width * stride_w
    return dense[..., :rows:stride_h, :columns:stride_w]


def dense_shape(problem: ConvProblem) -> tuple[int, int]:
    """Height and width of the dense output."""
    (height, width), (span_h, span_w) = problem.padded, problem.span
    return height - span_h + 1, width - span_w + 1
