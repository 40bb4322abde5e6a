"""Gather all patches by index arrays, as teaching code does, then one GEMM.

Identity: im2col as one expression of NumPy, ``padded[:, k, i, j]``, with arrays that name channel,
row and column of every number of the matrix of columns. They depend on shapes alone and are
prepared; each number still costs two indices of eight bytes.
Source: Stanford CS231n, assignment 2, im2col.py.
"""

from typing import NamedTuple

import numpy as np

from convbench.problem import Array, ConvProblem
from convbench.strategies._layout import nchw_prepare, nchw_run
from convbench.strategies._limits import too_much_workspace
from convbench.strategies._strategy import Strategy
from convbench.strategies._windows import pad, padded_bytes


class Prepared(NamedTuple):
    """Filters (groups, O/groups, taps), and what to gather for the columns."""

    filters: Array
    channel: Array  # (C·KH·KW, 1)
    row: Array  # (C·KH·KW, OH·OW)
    column: Array  # (C·KH·KW, OH·OW)


@nchw_prepare
def prepare(weights: Array, problem: ConvProblem) -> Prepared:
    """Flatten the filters, and compute the index arrays."""
    group_out = problem.out_channels // problem.groups
    taps = (problem.in_channels, problem.kernel_height, problem.kernel_width)
    channel, i, j = (index.reshape(-1, 1) for index in np.indices(taps))
    oh, ow = (index.reshape(1, -1) for index in np.indices((problem.out_height, problem.out_width)))
    return Prepared(
        filters=np.ascontiguousarray(weights).reshape(problem.groups, group_out, problem.taps),
        channel=channel,
        row=i * problem.dilation[0] + oh * problem.stride[0],
        column=j * problem.dilation[1] + ow * problem.stride[1],
    )


@nchw_run
def run(x: Array, prepared: Prepared, problem: ConvProblem) -> Array:
    """Gather the columns, and multiply the filters of every group by its own."""
    filters, channel, row, column = prepared
    out_height, out_width = problem.out_height, problem.out_width
    gathered = pad(x, problem)[:, channel, row, column]
    # Gathering leaves the images innermost in memory, so this transposes without a copy.
    columns = gathered.transpose(1, 2, 0).reshape(
        problem.groups, problem.taps, out_height * out_width * problem.batch
    )
    output: Array = np.matmul(filters, columns)
    planes = output.reshape(problem.out_channels, out_height, out_width, problem.batch)
    return np.ascontiguousarray(planes.transpose(3, 0, 1, 2))


def unsupported(problem: ConvProblem) -> str | None:
    """Refuse indices and columns that outgrow memory."""
    return too_much_workspace(workspace_bytes(problem))


def workspace_bytes(problem: ConvProblem) -> int:
    """Count padded input, two indices of every number, columns, and outputs before they move."""
    taps, positions = problem.groups * problem.taps, problem.out_height * problem.out_width
    indices = taps * (2 * positions + 1) * np.intp().itemsize
    moved = problem.out_channels * positions * problem.batch if problem.batch > 1 else 0
    numbers = taps * positions * problem.batch + moved
    return padded_bytes(problem) + indices + numbers * problem.itemsize


STRATEGY = Strategy(
    name="index_gather",
    family="gemm",
    summary="patches gathered by index arrays, then one GEMM",
    reference="Stanford CS231n, assignment 2, im2col by fancy indexing",
    prepare=prepare,
    run=run,
    unsupported=unsupported,
    workspace_bytes=workspace_bytes,
)
