"""The convolution as the one ``np.dot(W, x)`` of the question.

Identity: a convolution is linear, so some dense matrix W (O·OH·OW, C·H·W) does it all; W is
doubly block Toeplitz and almost everywhere zero, and np.dot multiplies the zeros too.
Source: Gray, "Toeplitz and circulant matrices: a review", 2006; the question compares with
np.dot of such a size.
"""

from typing import Any

import numpy as np

from convbench.problem import Array, ConvProblem
from convbench.strategies._layout import nchw_prepare, nchw_run
from convbench.strategies._limits import too_much_workspace
from convbench.strategies._strategy import Strategy


@nchw_prepare
def prepare(weights: Array, problem: ConvProblem) -> Array:
    """Scatter the filters into the dense matrix, one tap at a time."""
    groups, positions = problem.groups, problem.out_height * problem.out_width
    pixels = problem.height * problem.width
    group_out, group_in = problem.out_channels // groups, problem.in_channels // groups
    matrix = np.zeros(
        (problem.out_channels, positions, problem.in_channels, pixels), dtype=weights.dtype
    )
    for i in range(problem.kernel_height):
        for j in range(problem.kernel_width):
            position, pixel = _meetings(problem, i, j)
            for group in range(groups):
                block = matrix[
                    group * group_out : (group + 1) * group_out,
                    :,
                    group * group_in : (group + 1) * group_in,
                ]
                # Advanced indices apart from each other go first: (meetings, O/groups, C/groups).
                block[:, position, :, pixel] = weights[
                    group * group_out : (group + 1) * group_out, :, i, j
                ]
    return matrix.reshape(problem.out_channels * positions, problem.in_channels * pixels)


@nchw_run
def run(x: Array, matrix: Array, problem: ConvProblem) -> Array:
    """Multiply the matrix by every flattened image."""
    output = np.empty((problem.batch, len(matrix)), dtype=x.dtype)
    for image, outputs in zip(x, output, strict=True):
        np.dot(matrix, image.ravel(), out=outputs)
    return output.reshape(
        problem.batch, problem.out_channels, problem.out_height, problem.out_width
    )


def unsupported(problem: ConvProblem) -> str | None:
    """Refuse matrices that outgrow memory."""
    return too_much_workspace(workspace_bytes(problem))


def flops(problem: ConvProblem, prepared: Any = None) -> int:  # noqa: ARG001  # a Flops
    """Count the dense product, zeros included."""
    return 2 * problem.batch * _numbers(problem)


def workspace_bytes(problem: ConvProblem) -> int:
    """Count the dense matrix; padding needs no copy, its columns are left out."""
    return _numbers(problem) * problem.itemsize


def _numbers(problem: ConvProblem) -> int:
    rows = problem.out_channels * problem.out_height * problem.out_width
    return rows * problem.in_channels * problem.height * problem.width


def _meetings(problem: ConvProblem, i: int, j: int) -> tuple[Array, Array]:
    """Output positions and input pixels, flattened, that meet through tap (i, j)."""
    rows = np.arange(problem.out_height) * problem.stride[0] + i * problem.dilation[0]
    columns = np.arange(problem.out_width) * problem.stride[1] + j * problem.dilation[1]
    y, x = rows - problem.padding[0], columns - problem.padding[1]
    inside = np.logical_and.outer(
        (y >= 0) & (y < problem.height), (x >= 0) & (x < problem.width)
    ).ravel()
    position = np.flatnonzero(inside)
    pixel = np.add.outer(y * problem.width, x).ravel()[position]
    return position, pixel


STRATEGY = Strategy(
    name="toeplitz",
    family="dense",
    summary="the whole convolution as one dense matrix-vector product",
    reference="Gray, Toeplitz and circulant matrices: a review, 2006, doi:10.1561/0100000006",
    prepare=prepare,
    run=run,
    unsupported=unsupported,
    flops=flops,
    workspace_bytes=workspace_bytes,
    local=False,  # its zeros meet every element of x, and 0 · NaN is NaN
)
