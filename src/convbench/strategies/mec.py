"""Unfold along the width alone, and multiply overlapping parts of that matrix.

Identity: lower x to (H·C·KW, OW), KH times less than im2col does. The columns of output row oh
are KH·C·KW successive rows of it, from row oh·stride·C·KW on: a matrix that exists as a view, of
which those of neighbouring output rows share most. One GEMM each gives the output.
Source: Cho & Brand, "MEC: memory-efficient convolution for deep neural network", ICML 2017, with
the lowered matrix transposed for NCHW.
"""

import numpy as np
from numpy.lib.stride_tricks import as_strided

from convbench.problem import Array, ConvProblem
from convbench.strategies._layout import nchw_prepare, nchw_run
from convbench.strategies._limits import too_much_workspace
from convbench.strategies._reach import reach
from convbench.strategies._strategy import Strategy


@nchw_prepare
def prepare(weights: Array, problem: ConvProblem) -> Array:
    """Flatten the filters in the order of the lowered rows, (groups, 1, O/groups, KH·C·KW)."""
    group_out = problem.out_channels // problem.groups
    by_row = weights.transpose(0, 2, 1, 3)
    return np.ascontiguousarray(by_row).reshape(problem.groups, 1, group_out, problem.taps)


@nchw_run
def run(x: Array, filters: Array, problem: ConvProblem) -> Array:
    """Multiply the filters by the part of the lowered matrix that each output row needs."""
    batch, groups, group_out = problem.batch, problem.groups, filters.shape[2]
    out_height, out_width = problem.out_height, problem.out_width
    lowered = _lower(x, problem)
    by_batch, by_group, by_row, _, by_tap, by_column = lowered.strides
    parts = as_strided(
        lowered,
        shape=(batch, groups, out_height, problem.taps, out_width),
        strides=(by_batch, by_group, by_row * problem.stride[0], by_tap, by_column),
        writeable=False,
    )
    output = np.empty((batch, groups, group_out, out_height, out_width), dtype=x.dtype)
    np.matmul(filters, parts, out=output.swapaxes(2, 3))
    return output.reshape(batch, problem.out_channels, out_height, out_width)


def unsupported(problem: ConvProblem) -> str | None:
    """Refuse a vertical dilation, and a lowered matrix that outgrows memory."""
    if problem.dilation[0] > 1 and problem.kernel_height > 1:
        return (
            f"needs filter rows that follow one another; got a vertical dilation of "
            f"{problem.dilation[0]}, the limit is 1"
        )
    return too_much_workspace(workspace_bytes(problem))


def workspace_bytes(problem: ConvProblem) -> int:
    """Count filters in their order and the lowered matrix."""
    height, _ = problem.padded
    lowered = problem.batch * problem.in_channels * height * problem.kernel_width
    numbers = problem.out_channels * problem.taps + lowered * problem.out_width
    return numbers * problem.itemsize


def _lower(x: Array, problem: ConvProblem) -> Array:
    """Unfold the rows of the image, (N, groups, H, C/groups, KW, OW)."""
    batch, groups = problem.batch, problem.groups
    height, _ = problem.padded
    group_in = problem.in_channels // groups
    rows = x.reshape(batch, groups, group_in, problem.height, problem.width).swapaxes(2, 3)
    lowered = np.zeros(
        (batch, groups, height, group_in, problem.kernel_width, problem.out_width), dtype=x.dtype
    )
    top = problem.padding[0]
    inner = lowered[:, :, top : top + problem.height]  # the rest is the border
    for j in range(problem.kernel_width):
        outputs, inputs = reach(problem, 1, j)
        inner[..., j, outputs] = rows[..., inputs]
    return lowered


STRATEGY = Strategy(
    name="mec",
    family="gemm",
    summary="rows unfolded along the width only, one GEMM per output row on a view",
    reference="Cho & Brand, ICML 2017, arXiv:1706.06873",
    prepare=prepare,
    run=run,
    unsupported=unsupported,
    workspace_bytes=workspace_bytes,
)
