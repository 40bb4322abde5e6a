"""``np.einsum`` over a strided view of the patches, as loops and as a matrix product.

Identity: the definition is one index expression on the window view. Without ``optimize``,
np.einsum runs it as nested C loops, never as a matrix product. With it, NumPy copies the patches
into the rows of a matrix and calls BLAS: `tensordot`, found by np.einsum itself; NumPy 2.4 and
later do so for groups too, as a batch of products.
Source: NumPy reference, numpy.einsum; a usual second answer to the question.
"""

import numpy as np

from convbench.problem import Array, ConvProblem
from convbench.strategies._layout import nchw_prepare, nchw_run
from convbench.strategies._limits import too_many_slow_macs, too_much_workspace
from convbench.strategies._strategy import Strategy
from convbench.strategies._windows import padded_bytes, windows


@nchw_prepare
def prepare(weights: Array, problem: ConvProblem) -> Array:
    """Split the filters by group, (groups, O/groups, C/groups, KH, KW)."""
    group_out = problem.out_channels // problem.groups
    return weights.reshape(problem.groups, group_out, *weights.shape[1:])


@nchw_run
def run(x: Array, filters: Array, problem: ConvProblem) -> Array:
    """Contract channels and taps of every patch with every filter of its group."""
    patches = _patches_by_group(x, problem)
    output: Array = np.einsum("ngcxyij,gocij->ngoxy", patches, filters)
    return output.reshape(
        problem.batch, problem.out_channels, problem.out_height, problem.out_width
    )


@nchw_run
def run_optimized(x: Array, filters: Array, problem: ConvProblem) -> Array:
    """Contract as `run` does, through a matrix product."""
    # Two operands leave one path, so there is none to compute beforehand.
    if problem.groups == 1:  # before NumPy 2.4 an index of groups alone would rule BLAS out
        output: Array = np.einsum(
            "ncxyij,ocij->noxy", windows(x, problem), filters[0], optimize=True
        )
        return np.ascontiguousarray(output)
    patches = _patches_by_group(x, problem)
    grouped = np.einsum("ngcxyij,gocij->ngoxy", patches, filters, optimize=True)
    return np.ascontiguousarray(grouped).reshape(
        problem.batch, problem.out_channels, problem.out_height, problem.out_width
    )


def unsupported(problem: ConvProblem) -> str | None:
    """Refuse more work than einsum's loop does in a second or so."""
    return too_many_slow_macs(problem.macs)


def unsupported_optimized(problem: ConvProblem) -> str | None:
    """Refuse columns that outgrow memory."""
    return too_much_workspace(workspace_bytes_optimized(problem))


def workspace_bytes_optimized(problem: ConvProblem) -> int:
    """Count padded input and the rows of patches.

    NumPy 2.4 sums over an axis of length one instead of dropping it, and writes the sum in the
    order of the view, which is that of the rows for the pixels of one image alone: a copy more.
    """
    group_in = problem.in_channels // problem.groups
    positions = problem.batch * problem.out_height * problem.out_width
    kernel = (problem.kernel_height, problem.kernel_width)
    summed = 1 in (problem.batch, group_in, problem.out_height, problem.out_width, *kernel)
    in_order = problem.batch == 1 and kernel == (1, 1)
    copies = summed + (not in_order)
    patches = problem.groups * problem.taps * positions
    return padded_bytes(problem) + copies * patches * problem.itemsize


def _patches_by_group(x: Array, problem: ConvProblem) -> Array:
    """View the patches as (N, groups, C/groups, OH, OW, KH, KW)."""
    view = windows(x, problem)
    group_in = problem.in_channels // problem.groups
    return view.reshape(problem.batch, problem.groups, group_in, *view.shape[2:], copy=False)


STRATEGY = Strategy(
    name="einsum",
    family="direct",
    summary="np.einsum over a strided view of the patches, no BLAS",
    reference="NumPy reference, numpy.einsum and numpy.lib.stride_tricks",
    prepare=prepare,
    run=run,
    unsupported=unsupported,
    workspace_bytes=padded_bytes,
    threaded=False,
)

OPTIMIZED = Strategy(
    name="einsum_optimized",
    family="gemm",
    summary="np.einsum with optimize: patches copied, then one GEMM",
    reference="NumPy reference, numpy.einsum",
    prepare=prepare,
    run=run_optimized,
    unsupported=unsupported_optimized,
    workspace_bytes=workspace_bytes_optimized,
)
