"""``scipy.signal.correlate2d`` of every channel with every filter, summed, then subsampled.

Identity: a strided convolution is the dense one at every stride-th position, and a dilated
filter is a dense one with zeros between its taps. Both are computed in full here.
Source: the accepted answer to the question advises scipy.signal.
"""

import math
from typing import Any

import numpy as np

from convbench.problem import Array, ConvProblem
from convbench.strategies._layout import nchw_prepare, nchw_run
from convbench.strategies._limits import too_many_iterations, too_many_slow_macs
from convbench.strategies._strategy import Strategy
from convbench.strategies._windows import pad, padded_bytes


@nchw_prepare
def prepare(weights: Array, problem: ConvProblem) -> Array:
    """Stuff the filters with the zeros of their dilation, (O, C/groups, span_h, span_w)."""
    import scipy.signal  # noqa: F401  # here, so that the first `run` does not pay for it

    dilation_h, dilation_w = problem.dilation
    stuffed = np.zeros((*weights.shape[:2], *problem.span), dtype=weights.dtype)
    stuffed[:, :, ::dilation_h, ::dilation_w] = weights
    return stuffed


@nchw_run
def run(x: Array, filters: Array, problem: ConvProblem) -> Array:
    """Sum the channels' correlations for each filter, and keep every stride-th of them."""
    from scipy.signal import correlate2d

    padded = pad(x, problem)
    group_in = problem.in_channels // problem.groups
    group_out = problem.out_channels // problem.groups
    stride_h, stride_w = problem.stride
    output = np.empty(
        (problem.batch, problem.out_channels, problem.out_height, problem.out_width), dtype=x.dtype
    )
    for n in range(problem.batch):
        for o, channel_filters in enumerate(filters):
            first = o // group_out * group_in
            dense = correlate2d(padded[n, first], channel_filters[0], mode="valid")
            for c in range(1, group_in):
                dense += correlate2d(padded[n, first + c], channel_filters[c], mode="valid")
            output[n, o] = dense[::stride_h, ::stride_w]
    return output


def unsupported(problem: ConvProblem) -> str | None:
    """Refuse too many calls, and more work than SciPy's loop does in a second or so."""
    planes = problem.batch * problem.out_channels * (problem.in_channels // problem.groups)
    return too_many_iterations(planes) or too_many_slow_macs(_dense_macs(problem))


def flops(problem: ConvProblem, prepared: Any = None) -> int:  # noqa: ARG001  # a Flops
    """Count the dense work: positions that the stride skips, and zeros of the dilation."""
    return 2 * _dense_macs(problem)


def workspace_bytes(problem: ConvProblem) -> int:
    """Count padded input, stuffed filters, a dense output plane, and one to add to it."""
    group_in = problem.in_channels // problem.groups
    filters = problem.out_channels * group_in * math.prod(problem.span)
    numbers = filters + min(group_in, 2) * _dense_positions(problem)
    return padded_bytes(problem) + numbers * problem.itemsize


def _dense_positions(problem: ConvProblem) -> int:
    sizes = zip(problem.padded, problem.span, strict=True)
    return math.prod(size - span + 1 for size, span in sizes)


def _dense_macs(problem: ConvProblem) -> int:
    planes = problem.batch * problem.out_channels * (problem.in_channels // problem.groups)
    return planes * _dense_positions(problem) * math.prod(problem.span)


STRATEGY = Strategy(
    name="scipy_correlate2d",
    family="direct",
    summary="scipy.signal.correlate2d per channel, summed and subsampled",
    reference="SciPy reference guide, scipy.signal.correlate2d; the question's accepted answer",
    prepare=prepare,
    run=run,
    unsupported=unsupported,
    flops=flops,
    workspace_bytes=workspace_bytes,
)
