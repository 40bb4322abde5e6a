"""Unfold all patches into the rows of one matrix and multiply it by the filters: one GEMM.

Identity: output (OH·OW, O) = rows (OH·OW, KH·KW·C) @ filters (KH·KW·C, O), whose result is NHWC
already. A row is copied in KH runs of KW·C neighbours; columns are copied in runs of OW numbers
that lie a stride apart. The image of a 1×1 filter of stride 1 is its own matrix of rows.
Source: Jia, "Learning semantic image representations at a large scale", PhD thesis, UC Berkeley
2014, section 3.3 (Caffe), in the channels-last order.
"""

import math

import numpy as np
from numpy.lib.stride_tricks import as_strided

from convbench.problem import Array, ConvProblem
from convbench.strategies._channels_last import (
    moved_output_bytes,
    nhwc_prepare,
    nhwc_run,
    pad_nhwc,
)
from convbench.strategies._limits import too_much_workspace
from convbench.strategies._strategy import Strategy


@nhwc_prepare
def prepare(weights: Array, problem: ConvProblem) -> Array:
    """Flatten the filters to one matrix per group, (groups, taps, O/groups)."""
    group_out = problem.out_channels // problem.groups
    by_tap = weights.reshape(problem.groups, group_out, problem.taps).transpose(0, 2, 1)
    return np.ascontiguousarray(by_tap)


@nhwc_run
def run(x: Array, filters: Array, problem: ConvProblem) -> Array:
    """Multiply the rows of every group by its filters."""
    out_height, out_width = problem.out_height, problem.out_width
    positions = problem.batch * out_height * out_width
    # Reshaping the view copies it: the copy is the matrix of rows.
    rows = _patches(x, problem).reshape(problem.groups, positions, problem.taps)
    output = np.empty((positions, problem.groups, filters.shape[2]), dtype=x.dtype)
    np.matmul(rows, filters, out=output.transpose(1, 0, 2))
    return output.reshape(problem.batch, out_height, out_width, problem.out_channels)


def unsupported(problem: ConvProblem) -> str | None:
    """Refuse rows that outgrow memory."""
    return too_much_workspace(workspace_bytes(problem))


def workspace_bytes(problem: ConvProblem) -> int:
    """Count filters by tap, padded input, rows, and the output before it is moved."""
    pixels = problem.batch * problem.in_channels * math.prod(problem.padded)
    padded = 0 if problem.padding == (0, 0) else pixels
    is_matrix = (
        problem.kernel_height == problem.kernel_width == 1
        and problem.stride == (1, 1)
        and (padded > 0 or problem.layout == "NHWC" or problem.batch == 1)
    )
    positions = problem.batch * problem.out_height * problem.out_width
    rows = 0 if is_matrix else problem.groups * problem.taps * positions
    numbers = problem.out_channels * problem.taps + padded + rows
    return numbers * problem.itemsize + moved_output_bytes(problem)


def _patches(x: Array, problem: ConvProblem) -> Array:
    """View the padded input as patches (groups, N, OH, OW, KH, KW, C/groups)."""
    image = pad_nhwc(x, problem)
    by_batch, by_row, by_column, by_channel = image.strides
    group_in = problem.in_channels // problem.groups
    return as_strided(
        image,
        shape=(
            *(problem.groups, problem.batch, problem.out_height, problem.out_width),
            *(problem.kernel_height, problem.kernel_width, group_in),
        ),
        strides=(
            *(by_channel * group_in, by_batch),
            *(by_row * problem.stride[0], by_column * problem.stride[1]),
            *(by_row * problem.dilation[0], by_column * problem.dilation[1], by_channel),
        ),
        writeable=False,
    )


STRATEGY = Strategy(
    name="im2col_rows",
    family="gemm",
    summary="patches copied into the rows of one matrix, then one GEMM: NHWC",
    reference="Jia, PhD thesis, UC Berkeley 2014 (Caffe), channels last",
    prepare=prepare,
    run=run,
    unsupported=unsupported,
    workspace_bytes=workspace_bytes,
)
