"""Python loops over output positions around one ``np.dot(filters, patch)``.

Identity: all filters at one position are a matrix-vector product with the flattened patch.
Source: the first advice to the question, "replace the sum by np.dot".
"""

import numpy as np

from convbench.problem import Array, ConvProblem
from convbench.strategies._layout import nchw_prepare, nchw_run
from convbench.strategies._limits import too_many_iterations
from convbench.strategies._strategy import Strategy
from convbench.strategies._windows import pad, padded_bytes


@nchw_prepare
def prepare(weights: Array, problem: ConvProblem) -> Array:
    """Flatten the filters to one matrix per group, (groups, O/groups, taps)."""
    return np.ascontiguousarray(weights).reshape(problem.groups, -1, problem.taps)


@nchw_run
def run(x: Array, filters: Array, problem: ConvProblem) -> Array:
    """Multiply the filters of a group by every patch of its channels."""
    padded = pad(x, problem)
    group_in = problem.in_channels // problem.groups
    group_out = problem.out_channels // problem.groups
    (stride_h, stride_w), (dilation_h, dilation_w) = problem.stride, problem.dilation
    span_h, span_w = problem.span
    output = np.empty(
        (problem.batch, problem.out_channels, problem.out_height, problem.out_width), dtype=x.dtype
    )
    for n in range(problem.batch):
        for group, matrix in enumerate(filters):
            channels = padded[n, group * group_in : (group + 1) * group_in]
            outputs = output[n, group * group_out : (group + 1) * group_out]
            for oh in range(problem.out_height):
                top = oh * stride_h
                for ow in range(problem.out_width):
                    left = ow * stride_w
                    patch = channels[
                        :, top : top + span_h : dilation_h, left : left + span_w : dilation_w
                    ]
                    outputs[:, oh, ow] = np.dot(matrix, patch.ravel())
    return output


def unsupported(problem: ConvProblem) -> str | None:
    """Refuse more positions than Python can visit in a benchmark."""
    return too_many_iterations(
        problem.batch * problem.groups * problem.out_height * problem.out_width
    )


def workspace_bytes(problem: ConvProblem) -> int:
    """Count the padded input, one flattened patch and its products."""
    group_out = problem.out_channels // problem.groups
    return padded_bytes(problem) + (problem.taps + group_out) * problem.itemsize


STRATEGY = Strategy(
    name="loops_dot",
    family="loops",
    summary="one np.dot(filters, patch) per output position",
    reference="the definition, all filters at once: a matrix-vector product",
    prepare=prepare,
    run=run,
    unsupported=unsupported,
    workspace_bytes=workspace_bytes,
)
