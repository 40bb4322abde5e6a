"""Three Python loops around ``np.sum(patch * filter)``, as the question asked.

Identity: the definition itself, one output element at a time.
Source: the Stack Overflow question on why a small NumPy convolution loses to a large np.dot.
"""

import numpy as np

from convbench.problem import Array, ConvProblem
from convbench.strategies._layout import nchw_prepare, nchw_run
from convbench.strategies._limits import too_many_iterations
from convbench.strategies._strategy import Strategy
from convbench.strategies._windows import pad, padded_bytes


@nchw_prepare
def prepare(weights: Array, problem: ConvProblem) -> Array:  # noqa: ARG001  # of Strategy
    """Keep the filters (O, C/groups, KH, KW) as they are."""
    return weights


@nchw_run
def run(x: Array, weights: Array, problem: ConvProblem) -> Array:
    """Visit every filter, output row and output column of every image."""
    padded = pad(x, problem)
    group_in = problem.in_channels // problem.groups
    group_out = problem.out_channels // problem.groups
    (stride_h, stride_w), (dilation_h, dilation_w) = problem.stride, problem.dilation
    span_h, span_w = problem.span
    batch, out_channels = problem.batch, problem.out_channels
    out_height, out_width = problem.out_height, problem.out_width
    output = np.empty((batch, out_channels, out_height, out_width), dtype=x.dtype)
    for n in range(batch):
        for o in range(out_channels):
            first = o // group_out * group_in
            channels = padded[n, first : first + group_in]
            for oh in range(out_height):
                top = oh * stride_h
                for ow in range(out_width):
                    left = ow * stride_w
                    patch = channels[
                        :, top : top + span_h : dilation_h, left : left + span_w : dilation_w
                    ]
                    output[n, o, oh, ow] = np.sum(patch * weights[o])
    return output


def unsupported(problem: ConvProblem) -> str | None:
    """Refuse more outputs than Python can visit in a benchmark."""
    return too_many_iterations(
        problem.batch * problem.out_channels * problem.out_height * problem.out_width
    )


def workspace_bytes(problem: ConvProblem) -> int:
    """Count the padded input and one product of patch and filter."""
    return padded_bytes(problem) + problem.taps * problem.itemsize


STRATEGY = Strategy(
    name="loops",
    family="loops",
    summary="three Python loops around np.sum(patch * filter)",
    reference="the definition, as the Stack Overflow question wrote it",
    prepare=prepare,
    run=run,
    unsupported=unsupported,
    workspace_bytes=workspace_bytes,
    threaded=False,
)
