"""Unfold all patches into one matrix and multiply it by the filters: one GEMM.

Identity: output (O, OH·OW) = filters (O, C·KH·KW) @ columns (C·KH·KW, OH·OW), whose result is
NCHW already. Columns are one strided copy of the view of all patches; a 1×1 filter of stride 1
needs none, because the image is its own matrix of columns.
Source: Chellapilla, Puri & Simard, "High performance convolutional neural networks for document
processing", IWFHR 2006.
"""

import numpy as np

from convbench.problem import Array, ConvProblem
from convbench.strategies._layout import nchw_prepare, nchw_run
from convbench.strategies._limits import too_much_workspace
from convbench.strategies._strategy import Strategy
from convbench.strategies._windows import pad, padded_bytes, windows


@nchw_prepare
def prepare(weights: Array, problem: ConvProblem) -> Array:
    """Flatten the filters to one matrix per group, (groups, O/groups, taps)."""
    return np.ascontiguousarray(weights).reshape(problem.groups, -1, problem.taps)


@nchw_run
def run(x: Array, filters: Array, problem: ConvProblem) -> Array:
    """Multiply the filters of every group by the columns of its channels."""
    out_height, out_width = problem.out_height, problem.out_width
    columns = _columns(x, problem).reshape(
        problem.batch, problem.groups, problem.taps, out_height * out_width
    )
    output: Array = np.matmul(filters, columns)
    return output.reshape(problem.batch, problem.out_channels, out_height, out_width)


def unsupported(problem: ConvProblem) -> str | None:
    """Refuse columns that outgrow memory."""
    return too_much_workspace(workspace_bytes(problem))


def workspace_bytes(problem: ConvProblem) -> int:
    """Count padded input and columns."""
    if _is_pointwise(problem):
        return padded_bytes(problem)
    positions = problem.batch * problem.out_height * problem.out_width
    columns = problem.groups * problem.taps * positions
    return padded_bytes(problem) + columns * problem.itemsize


def _is_pointwise(problem: ConvProblem) -> bool:
    return problem.kernel_height == problem.kernel_width == 1 and problem.stride == (1, 1)


def _columns(x: Array, problem: ConvProblem) -> Array:
    if _is_pointwise(problem):
        return pad(x, problem)
    columns = np.empty(
        (
            *(problem.batch, problem.in_channels, problem.kernel_height, problem.kernel_width),
            *(problem.out_height, problem.out_width),
        ),
        dtype=x.dtype,
    )
    # One copy: NumPy chooses the order of its loops, and one call costs less than one a tap.
    np.copyto(columns, windows(x, problem).transpose(0, 1, 4, 5, 2, 3))
    return columns


STRATEGY = Strategy(
    name="im2col",
    family="gemm",
    summary="patches copied into one matrix, then one GEMM",
    reference="Chellapilla, Puri & Simard, IWFHR 2006",
    prepare=prepare,
    run=run,
    unsupported=unsupported,
    workspace_bytes=workspace_bytes,
)
