"""``np.matmul`` of a strided view whose rows are the rows of the patches, side by side.

Identity: in NHWC the KW·C numbers that one row of a filter meets are neighbours in memory, so
those of all positions along an output row are a matrix (OW, KW·C) that exists as a view; the
products with the KH rows of the filters are added. Where such rows overlap (stride < KW), the
view is no matrix that BLAS accepts: NumPy 2.3 and later copies each into a small buffer of its
own before it calls BLAS, earlier ones loop in plain C. Where they don't overlap, BLAS reads the
view itself. A horizontal dilation parts the neighbours, and each tap is a matrix of its own.
Source: NumPy reference, numpy.matmul and numpy.lib.stride_tricks; numpy/numpy#23752.
"""

import math

import numpy as np
from numpy.lib.stride_tricks import as_strided

from convbench.problem import Array, ConvProblem
from convbench.strategies._channels_last import (
    moved_output_bytes,
    nhwc_prepare,
    nhwc_run,
)
from convbench.strategies._limits import too_much_workspace
from convbench.strategies._strategy import Strategy


@nhwc_prepare
def prepare(weights: Array, problem: ConvProblem) -> Array:
    """Gather a matrix per run of taps and group, (KH, runs, groups, 1, run, O/groups)."""
    runs, length = _runs(problem)
    group_out = problem.out_channels // problem.groups
    by_run = weights.reshape(problem.groups, group_out, problem.kernel_height, runs, length)
    return np.ascontiguousarray(by_run.transpose(2, 3, 0, 4, 1))[:, :, :, None]


@nhwc_run
def run(x: Array, filters: Array, problem: ConvProblem) -> Array:
    """Add the products of every run of taps with its strips of the image."""
    group_out = problem.out_channels // problem.groups
    strips = _strips(_image(x, problem), problem)
    output = np.empty(
        (problem.batch, problem.out_height, problem.out_width, problem.groups, group_out),
        dtype=x.dtype,
    )
    first, *others = np.ndindex(filters.shape[:2])
    np.matmul(strips[first], filters[first], out=output.transpose(0, 3, 1, 2, 4))
    product = np.empty_like(output) if others else output
    for taps in others:
        np.matmul(strips[taps], filters[taps], out=product.transpose(0, 3, 1, 2, 4))
        output += product
    return output.reshape(
        problem.batch, problem.out_height, problem.out_width, problem.out_channels
    )


def unsupported(problem: ConvProblem) -> str | None:
    """Refuse copies that outgrow memory."""
    return too_much_workspace(workspace_bytes(problem))


def workspace_bytes(problem: ConvProblem) -> int:
    """Count filters by row, the image in its order, and one product or the moved output."""
    is_image = problem.padding == (0, 0) and problem.groups == 1 and problem.layout == "NHWC"
    pixels = 0 if is_image else problem.batch * problem.in_channels * math.prod(problem.padded)
    runs, _ = _runs(problem)
    positions = problem.batch * problem.out_height * problem.out_width
    product = 0 if problem.kernel_height * runs == 1 else problem.out_channels * positions
    numbers = problem.out_channels * problem.taps + pixels
    return numbers * problem.itemsize + max(product * problem.itemsize, moved_output_bytes(problem))


def _runs(problem: ConvProblem) -> tuple[int, int]:
    """Count the runs of neighbours in one row of a filter, and the numbers in each."""
    group_in = problem.in_channels // problem.groups
    if problem.dilation[1] == 1:
        return 1, problem.kernel_width * group_in
    return problem.kernel_width, group_in


def _image(x: Array, problem: ConvProblem) -> Array:
    """Return the padded input as (N, groups, H, W, C/groups), in that order; x itself if it is."""
    batch, height, width, channels = x.shape
    groups, group_in = problem.groups, channels // problem.groups
    grouped = x.reshape(batch, height, width, groups, group_in).transpose(0, 3, 1, 2, 4)
    vertical, horizontal = problem.padding
    if not vertical and not horizontal:
        return np.ascontiguousarray(grouped)
    image = np.zeros((batch, groups, *problem.padded, group_in), dtype=x.dtype)
    image[:, :, vertical : vertical + height, horizontal : horizontal + width] = grouped
    return image


def _strips(image: Array, problem: ConvProblem) -> Array:
    """View what each run of taps meets, (KH, runs, N, groups, OH, OW, run)."""
    by_batch, by_group, by_row, by_column, _ = image.strides
    runs, length = _runs(problem)
    return as_strided(
        image,
        shape=(
            *(problem.kernel_height, runs, problem.batch, problem.groups),
            *(problem.out_height, problem.out_width, length),
        ),
        strides=(
            *(by_row * problem.dilation[0], by_column * problem.dilation[1], by_batch, by_group),
            *(by_row * problem.stride[0], by_column * problem.stride[1], image.itemsize),
        ),
        writeable=False,
    )


STRATEGY = Strategy(
    name="matmul_windows",
    family="gemm",
    summary="np.matmul of a view of the patches' rows, one product per filter row",
    reference="NumPy reference, numpy.matmul; numpy/numpy#23752",
    prepare=prepare,
    run=run,
    unsupported=unsupported,
    workspace_bytes=workspace_bytes,
)
