"""Convolve with a function of two planes: a Python loop over the pairs of channels.

That is how libraries of image and signal processing are called, which know no channels.
"""

from collections.abc import Callable

import numpy as np

from convbench.problem import Array, ConvProblem
from convbench.strategies._dense import dense_shape, subsample


def sum_pairs(
    planes: Array,
    filters: Array,
    problem: ConvProblem,
    correlate: Callable[[Array, Array], Array],
) -> Array:
    """Sum the channels' dense correlations for each filter, and keep every stride-th of them.

    Parameters
    ----------
    planes : array, shape (N, C, H, W)
    filters : array, shape (O, C/groups, KH, KW)
    problem : ConvProblem
    correlate : (plane, filter) -> new array
        Every position of the dense output, or more below and to the right.
    """
    group_in = problem.in_channels // problem.groups
    group_out = problem.out_channels // problem.groups
    output = np.empty(
        (problem.batch, problem.out_channels, problem.out_height, problem.out_width),
        dtype=planes.dtype,
    )
    for n in range(problem.batch):
        for o, channel_filters in enumerate(filters):
            first = o // group_out * group_in
            dense = correlate(planes[n, first], channel_filters[0])
            for c in range(1, group_in):
                dense += correlate(planes[n, first + c], channel_filters[c])
            output[n, o] = subsample(dense, problem)
    return output


def count_pairs(problem: ConvProblem) -> int:
    """Count the calls of `correlate`."""
    return problem.batch * problem.out_channels * (problem.in_channels // problem.groups)


def dense_macs(problem: ConvProblem) -> int:
    """Count multiply-adds at all dense positions, those with the zeros of a dilation too."""
    (rows, columns), (span_h, span_w) = dense_shape(problem), problem.span
    return count_pairs(problem) * rows * columns * span_h * span_w


def channel_flops(problem: ConvProblem) -> int:
    """Count the additions of dense correlations over the channels of a group."""
    rows, columns = dense_shape(problem)
    return (count_pairs(problem) - problem.batch * problem.out_channels) * rows * columns
