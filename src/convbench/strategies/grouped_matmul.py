"""One matrix product per group and filter row, with the filter row as a banded matrix.

Identity: along a row a convolution is a product with a Toeplitz matrix, (OH, W) @ (W, OW); those of
the KH filter rows and of a group's channels are added. For depthwise filters im2col leaves
products of a matrix with a vector; this makes matrices of them at the price of the band's zeros,
about W / KW times the operations, and copies nothing but the border.
Source: Gray, "Toeplitz and circulant matrices: a review", 2006, along one axis; np.matmul's
batches for the groups.
"""

from typing import Any

import numpy as np

from convbench.problem import Array, ConvProblem
from convbench.strategies._layout import nchw_prepare, nchw_run
from convbench.strategies._limits import too_much_workspace
from convbench.strategies._strategy import Strategy
from convbench.strategies._windows import pad, padded_bytes


@nchw_prepare
def prepare(weights: Array, problem: ConvProblem) -> Array:
    """Make a band of every filter row, (KH, C/groups, groups, O/groups, W, OW)."""
    _, width = problem.padded
    group_out, group_in = problem.out_channels // problem.groups, weights.shape[1]
    grouped = weights.reshape(problem.groups, group_out, *weights.shape[1:])
    by_row = grouped.transpose(3, 2, 0, 1, 4)
    bands = np.zeros(
        (
            *(problem.kernel_height, group_in, problem.groups, group_out),
            *(width, problem.out_width),
        ),
        dtype=weights.dtype,
    )
    columns = np.arange(problem.out_width)
    for j in range(problem.kernel_width):
        met = columns * problem.stride[1] + j * problem.dilation[1]
        bands[..., met, columns] = by_row[..., j, None]
    return bands


@nchw_run
def run(x: Array, bands: Array, problem: ConvProblem) -> Array:
    """Add the products of every filter row with the image rows that it meets."""
    batch, out_height, out_width = problem.batch, problem.out_height, problem.out_width
    kernel_height, group_in, groups, group_out = bands.shape[:4]
    height, width = problem.padded
    image = pad(x, problem).reshape(batch, groups, group_in, 1, height, width)
    output = np.empty((batch, groups, group_out, out_height, out_width), dtype=x.dtype)
    product = output if kernel_height * group_in == 1 else np.empty_like(output)
    rows = (out_height - 1) * problem.stride[0] + 1
    for i in range(kernel_height):
        top = i * problem.dilation[0]
        lines = image[..., top : top + rows : problem.stride[0], :]
        for c in range(group_in):
            np.matmul(lines[:, :, c], bands[i, c], out=product if i or c else output)
            if i or c:
                output += product
    return output.reshape(batch, problem.out_channels, out_height, out_width)


def unsupported(problem: ConvProblem) -> str | None:
    """Refuse bands that outgrow memory: wide images, or many channels in a group."""
    return too_much_workspace(workspace_bytes(problem))


def flops(problem: ConvProblem, prepared: Any = None) -> int:  # noqa: ARG001  # a Flops
    """Count the products with the bands, zeros included."""
    return 2 * problem.batch * problem.out_height * _bands(problem)


def workspace_bytes(problem: ConvProblem) -> int:
    """Count the bands, the padded input and one product."""
    rows = problem.kernel_height * problem.in_channels // problem.groups
    positions = problem.batch * problem.out_height * problem.out_width
    product = 0 if rows == 1 else problem.out_channels * positions
    return padded_bytes(problem) + (_bands(problem) + product) * problem.itemsize


def _bands(problem: ConvProblem) -> int:
    """Count the numbers of all bands."""
    _, width = problem.padded
    group_in = problem.in_channels // problem.groups
    filter_rows = problem.out_channels * group_in * problem.kernel_height
    return filter_rows * width * problem.out_width


STRATEGY = Strategy(
    name="grouped_matmul",
    family="gemm",
    summary="np.matmul over groups, filter rows as banded matrices",
    reference="Gray, Toeplitz and circulant matrices, 2006, doi:10.1561/0100000006",
    prepare=prepare,
    run=run,
    unsupported=unsupported,
    flops=flops,
    workspace_bytes=workspace_bytes,
    local=False,  # a band's zeros meet every element of a row, and 0 · NaN is NaN
)
