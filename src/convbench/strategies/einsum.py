"""``np.einsum`` over a strided view of the patches.

Identity: the definition is one index expression on the window view. Without ``optimize``,
np.einsum runs it as nested C loops, never as a matrix product.
Source: NumPy reference, numpy.einsum; a usual second answer to the question.
"""

import numpy as np

from convbench.problem import Array, ConvProblem
from convbench.strategies._layout import nchw_prepare, nchw_run
from convbench.strategies._limits import too_many_slow_macs
from convbench.strategies._strategy import Strategy
from convbench.strategies._windows import padded_bytes, windows


@nchw_prepare
def prepare(weights: Array, problem: ConvProblem) -> Array:
    """Split the filters by group, (groups, O/groups, C/groups, KH, KW)."""
    return weights.reshape(problem.groups, -1, *weights.shape[1:])


@nchw_run
def run(x: Array, filters: Array, problem: ConvProblem) -> Array:
    """Contract channels and taps of every patch with every filter of its group."""
    view = windows(x, problem)
    grouped = view.reshape(len(view), problem.groups, -1, *view.shape[2:], copy=False)
    output: Array = np.einsum("ngcxyij,gocij->ngoxy", grouped, filters)
    return output.reshape(len(view), problem.out_channels, *output.shape[3:])


def unsupported(problem: ConvProblem) -> str | None:
    """Refuse more work than einsum's loop does in a second or so."""
    return too_many_slow_macs(problem.macs)


STRATEGY = Strategy(
    name="einsum",
    family="direct",
    summary="np.einsum over a strided view of the patches, no BLAS",
    reference="NumPy reference, numpy.einsum and numpy.lib.stride_tricks",
    prepare=prepare,
    run=run,
    unsupported=unsupported,
    workspace_bytes=padded_bytes,
)
