"""Multiply the flattened image by the sparse matrix of the whole convolution.

Identity: as `toeplitz`, but only the taps that meet a pixel are stored, in compressed sparse rows:
the products are those of the definition without the border's, each with an index to load.
Source: Gray, "Toeplitz and circulant matrices: a review", 2006; SciPy reference, scipy.sparse.
"""

from typing import Any

import numpy as np

from convbench.problem import Array, ConvProblem
from convbench.strategies._layout import nchw_prepare, nchw_run
from convbench.strategies._reach import reach, reach_size
from convbench.strategies._strategy import Strategy

# 128 MiB of float32 and indices, which take a few times as much to build.
MAX_STORED = 16 * 2**20


@nchw_prepare
def prepare(weights: Array, problem: ConvProblem) -> Any:
    """Build the matrix (O·OH·OW, C·H·W) from every tap's meetings at once."""
    from scipy import sparse

    tap, position, pixel = _meetings(problem)
    group_in = problem.in_channels // problem.groups
    positions, pixels = problem.out_height * problem.out_width, problem.height * problem.width
    o = np.arange(problem.out_channels).reshape(-1, 1, 1)
    first = o // (problem.out_channels // problem.groups) * group_in
    c = first + np.arange(group_in).reshape(1, -1, 1)
    values = weights.reshape(problem.out_channels, group_in, -1)[:, :, tap]
    shape = (problem.out_channels * positions, problem.in_channels * pixels)
    index = sparse.get_index_dtype(maxval=max(values.size, *shape))
    rows = np.broadcast_to((o * positions + position).astype(index), values.shape)
    columns = (c * pixels + pixel).astype(index)
    # Weights of zero are stored too: they meet NaN and infinity as in the definition.
    coordinates = (rows.ravel(), columns.ravel())
    return sparse.coo_array((values.ravel(), coordinates), shape=shape).tocsr()


@nchw_run
def run(x: Array, matrix: Any, problem: ConvProblem) -> Array:
    """Multiply the matrix by all images, each a column."""
    pixels = problem.in_channels * problem.height * problem.width
    columns = np.ascontiguousarray(x.reshape(problem.batch, pixels).T)
    output: Array = np.ascontiguousarray((matrix @ columns).T)
    return output.reshape(
        problem.batch, problem.out_channels, problem.out_height, problem.out_width
    )


def unsupported(problem: ConvProblem) -> str | None:
    """Refuse matrices that take seconds and gigabytes to build."""
    stored = _stored(problem)
    if stored <= MAX_STORED:
        return None
    return f"would store {stored:,} numbers with their indices; the limit is {MAX_STORED:,}"


def flops(problem: ConvProblem, prepared: Any = None) -> int:  # noqa: ARG001  # a Flops
    """Count the stored numbers, which are not multiplied by the border's zeros."""
    return 2 * problem.batch * _stored(problem)


def workspace_bytes(problem: ConvProblem) -> int:
    """Count the matrix with its indices; a batch's images as columns, and so its outputs."""
    outputs = problem.out_channels * problem.out_height * problem.out_width
    inputs = problem.in_channels * problem.height * problem.width
    index_bytes = np.int32().itemsize  # SciPy takes the larger ones beyond 2^31
    matrix = _stored(problem) * (problem.itemsize + index_bytes) + (outputs + 1) * index_bytes
    moved = (inputs + outputs) * problem.batch if problem.batch > 1 else 0
    return matrix + moved * problem.itemsize


def _stored(problem: ConvProblem) -> int:
    """Count the pairs of an output and an input that a tap joins."""
    rows = sum(reach_size(problem, 0, i) for i in range(problem.kernel_height))
    columns = sum(reach_size(problem, 1, j) for j in range(problem.kernel_width))
    return problem.out_channels * problem.in_channels // problem.groups * rows * columns


def _meetings(problem: ConvProblem) -> tuple[Array, Array, Array]:
    """List (tap, output position, input pixel) of one channel, each flattened."""
    i, oh, y = _axis_meetings(problem, 0)
    j, ow, x = _axis_meetings(problem, 1)
    return (
        np.add.outer(i * problem.kernel_width, j).ravel(),
        np.add.outer(oh * problem.out_width, ow).ravel(),
        np.add.outer(y * problem.width, x).ravel(),
    )


def _axis_meetings(problem: ConvProblem, axis: int) -> tuple[Array, Array, Array]:
    """List (tap, output, input) along one axis."""
    taps = (problem.kernel_height, problem.kernel_width)[axis]
    meetings = []
    for tap in range(taps):
        outputs, inputs = reach(problem, axis, tap)
        met = np.arange(outputs.start, outputs.stop)
        meetings.append((np.full_like(met, tap), met, np.arange(*inputs.indices(inputs.stop))))
    tap_indices, outputs_met, inputs_met = zip(*meetings, strict=True)
    return np.concatenate(tap_indices), np.concatenate(outputs_met), np.concatenate(inputs_met)


STRATEGY = Strategy(
    name="sparse_toeplitz",
    family="direct",
    summary="the whole convolution as one sparse matrix (CSR) times the image",
    reference="Gray, 2006, doi:10.1561/0100000006; SciPy reference, scipy.sparse",
    prepare=prepare,
    run=run,
    unsupported=unsupported,
    flops=flops,
    workspace_bytes=workspace_bytes,
    threaded=False,
)
