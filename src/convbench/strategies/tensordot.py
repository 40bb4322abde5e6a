"""``np.tensordot`` of the filters with a strided view of the patches.

Identity: channels and taps are contracted at once; tensordot copies the view into a matrix and
calls BLAS, so this is im2col in the order that NumPy chooses.
Source: NumPy reference, numpy.tensordot.
"""

import numpy as np

from convbench.problem import Array, ConvProblem
from convbench.strategies._layout import nchw_prepare, nchw_run
from convbench.strategies._limits import too_much_workspace
from convbench.strategies._strategy import Strategy
from convbench.strategies._windows import padded_bytes, windows


@nchw_prepare
def prepare(weights: Array, problem: ConvProblem) -> Array:
    """Split the filters by group, (groups, O/groups, C/groups, KH, KW)."""
    return np.ascontiguousarray(weights).reshape(problem.groups, -1, *weights.shape[1:])


@nchw_run
def run(x: Array, filters: Array, problem: ConvProblem) -> Array:
    """Contract the channels and taps of each group in one call."""
    view = windows(x, problem)
    group_in = problem.in_channels // problem.groups
    outputs = [
        np.tensordot(
            group_filters,
            view[:, group * group_in : (group + 1) * group_in],
            axes=((1, 2, 3), (1, 4, 5)),
        )
        for group, group_filters in enumerate(filters)
    ]
    output = np.concatenate(outputs) if len(outputs) > 1 else outputs[0]
    return np.ascontiguousarray(output.swapaxes(0, 1))


def unsupported(problem: ConvProblem) -> str | None:
    """Refuse columns that outgrow memory."""
    return too_much_workspace(workspace_bytes(problem))


def workspace_bytes(problem: ConvProblem) -> int:
    """Count padded input, the matrix of one group's patches, and outputs before they are moved."""
    positions = problem.batch * problem.out_height * problem.out_width
    # tensordot need not copy a view whose patches are the pixels of one image.
    is_image = (problem.batch, problem.kernel_height, problem.kernel_width) == (1, 1, 1)
    columns = 0 if is_image and problem.stride == (1, 1) else problem.taps * positions
    moved = problem.groups > 1 or problem.batch > 1
    outputs = problem.out_channels * positions if moved else 0
    return padded_bytes(problem) + (columns + outputs) * problem.itemsize


STRATEGY = Strategy(
    name="tensordot",
    family="gemm",
    summary="np.tensordot of filters and patches: a copy and one GEMM inside",
    reference="NumPy reference, numpy.tensordot",
    prepare=prepare,
    run=run,
    unsupported=unsupported,
    workspace_bytes=workspace_bytes,
)
