"""``scipy.ndimage.correlate`` of every channel with every filter, summed, then subsampled.

Identity: with ``mode="constant"`` an output at every pixel is the padded convolution for padding
of up to half a filter; what is more, or less, is padded before or cropped after. SciPy sums one
plane in double precision, and the planes of channels are then added in x's own.
Source: SciPy reference guide, scipy.ndimage.correlate.
"""

import math
from dataclasses import replace
from typing import Any

import numpy as np

from convbench.errors import UnsupportedProblem
from convbench.problem import Array, ConvProblem
from convbench.strategies._dense import stuff
from convbench.strategies._layout import nchw_prepare, nchw_run
from convbench.strategies._limits import too_many_iterations, too_many_slow_macs
from convbench.strategies._pairs import count_pairs, sum_pairs
from convbench.strategies._strategy import Strategy
from convbench.strategies._windows import pad, padded_bytes

# SciPy leaves taps out whose absolute value is not above this: zeros, and NaN as well.
LEAST_TAP = float(np.finfo(np.float64).eps)


@nchw_prepare
def prepare(weights: Array, problem: ConvProblem) -> Array:
    """Stuff the filters with the zeros of their dilation, (O, C/groups, span_h, span_w).

    Raises
    ------
    UnsupportedProblem
        When SciPy would take a tap for zero that isn't.
    """
    import scipy.ndimage  # noqa: F401  # here, so that the first `run` does not pay for it

    if not np.all((np.abs(weights) > LEAST_TAP) | (weights == 0)):
        raise UnsupportedProblem(
            "scipy.ndimage leaves out taps that are NaN or, but for zeros, at most "
            f"{LEAST_TAP:.2g}, and the filters hold such; scale them up"
        )
    return stuff(weights, problem)


@nchw_run
def run(x: Array, filters: Array, problem: ConvProblem) -> Array:
    """Sum the channels' correlations around every pixel, and keep those that are asked for."""
    from scipy.ndimage import correlate

    top, left = (
        span // 2 - padding + border
        for span, padding, border in zip(
            problem.span, problem.padding, _borders(problem), strict=True
        )
    )

    def crop(plane: Array, taps: Array) -> Array:
        around: Array = correlate(plane, taps, mode="constant")
        return around[top:, left:]

    return sum_pairs(pad(x, _with_borders(problem)), filters, problem, crop)


def unsupported(problem: ConvProblem) -> str | None:
    """Refuse too many calls, and more work than SciPy's loop does in a second or so."""
    return too_many_iterations(count_pairs(problem)) or too_many_slow_macs(_macs(problem))


def flops(problem: ConvProblem, prepared: Any = None) -> int:  # noqa: ARG001  # a Flops
    """Count the work at every pixel; the zeros of a dilation are left out."""
    return 2 * _macs(problem)


def workspace_bytes(problem: ConvProblem) -> int:
    """Count borders, stuffed filters, a plane of outputs, and one to add to it; or NHWC's copy."""
    group_in, bordered = problem.in_channels // problem.groups, _with_borders(problem)
    filters = problem.out_channels * group_in * math.prod(problem.span)
    planes = min(group_in, 2) * math.prod(bordered.padded)
    during = padded_bytes(bordered) + planes * problem.itemsize
    copied = math.prod(problem.output_shape) if problem.layout == "NHWC" else 0
    return filters * problem.itemsize + max(during, copied * problem.itemsize)


def _macs(problem: ConvProblem) -> int:
    taps = problem.kernel_height * problem.kernel_width
    return count_pairs(problem) * math.prod(_with_borders(problem).padded) * taps


def _borders(problem: ConvProblem) -> tuple[int, int]:
    """Find the padding that is left for `pad`.

    Around pixel p SciPy sums from p - span // 2 to p + (span - 1) // 2, so that many zeros are
    met beyond the first and the last pixel; the shorter side decides for even filters.
    """
    vertical, horizontal = (
        max(0, padding - (span - 1) // 2)
        for padding, span in zip(problem.padding, problem.span, strict=True)
    )
    return vertical, horizontal


def _with_borders(problem: ConvProblem) -> ConvProblem:
    # Of one tap, because the filter need not fit into what SciPy pads further.
    return replace(problem, padding=_borders(problem), kernel_height=1, kernel_width=1)


STRATEGY = Strategy(
    name="ndimage_correlate",
    family="direct",
    summary="scipy.ndimage.correlate per channel, summed and subsampled",
    reference="SciPy reference guide, scipy.ndimage.correlate",
    prepare=prepare,
    run=run,
    unsupported=unsupported,
    flops=flops,
    workspace_bytes=workspace_bytes,
    local=False,  # taps of zero are left out, so that NaN reaches fewer outputs than defined
    threaded=False,
)
