"""``scipy.signal.correlate2d`` of every channel with every filter, summed, then subsampled.

Identity: a strided convolution is the dense one at every stride-th position, and a dilated
filter is a dense one with zeros between its taps. Both are computed in full here.
Source: the accepted answer to the question advises scipy.signal.
"""

import math
from functools import partial
from typing import Any

from convbench.problem import Array, ConvProblem
from convbench.strategies._dense import dense_shape, stuff
from convbench.strategies._layout import nchw_prepare, nchw_run
from convbench.strategies._limits import too_many_iterations, too_many_slow_macs
from convbench.strategies._pairs import count_pairs, dense_macs, sum_pairs
from convbench.strategies._strategy import Strategy
from convbench.strategies._windows import pad, padded_bytes


@nchw_prepare
def prepare(weights: Array, problem: ConvProblem) -> Array:
    """Stuff the filters with the zeros of their dilation, (O, C/groups, span_h, span_w)."""
    import scipy.signal  # noqa: F401  # here, so that the first `run` does not pay for it

    return stuff(weights, problem)


@nchw_run
def run(x: Array, filters: Array, problem: ConvProblem) -> Array:
    """Sum the channels' correlations for each filter, and keep every stride-th of them."""
    from scipy.signal import correlate2d

    return sum_pairs(pad(x, problem), filters, problem, partial(correlate2d, mode="valid"))


def unsupported(problem: ConvProblem) -> str | None:
    """Refuse too many calls, and more work than SciPy's loop does in a second or so."""
    return too_many_iterations(count_pairs(problem)) or too_many_slow_macs(dense_macs(problem))


def flops(problem: ConvProblem, prepared: Any = None) -> int:  # noqa: ARG001  # a Flops
    """Count the dense work: positions that the stride skips, and zeros of the dilation."""
    return 2 * dense_macs(problem)


def workspace_bytes(problem: ConvProblem) -> int:
    """Count padded input, stuffed filters, a dense output plane, and one to add to it."""
    group_in = problem.in_channels // problem.groups
    filters = problem.out_channels * group_in * math.prod(problem.span)
    numbers = filters + min(group_in, 2) * math.prod(dense_shape(problem))
    return padded_bytes(problem) + numbers * problem.itemsize


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
    local=False,  # the zeros of a dilation meet elements between the taps, and 0 · NaN is NaN
    threaded=False,
)
