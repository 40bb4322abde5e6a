"""Accumulate over the taps of the filter: each one adds a shifted, weighted image.

Identity: the sum over taps moved outermost; for each tap the channels are mixed by a small
matrix product, or, when a group has a single channel, by a broadcast product.
Source: Vasudevan, Anderson & Gregg, "Parallel multi channel convolution using general matrix
multiplication", ASAP 2017 (there "kn2row"), with the shift before the product.
"""

import numpy as np

from convbench.problem import Array, ConvProblem
from convbench.strategies._layout import nchw_prepare, nchw_run
from convbench.strategies._strategy import Strategy
from convbench.strategies._windows import padded_bytes, tap_views


@nchw_prepare
def prepare(weights: Array, problem: ConvProblem) -> Array:
    """Gather one matrix per tap and group, (KH, KW, groups, O/groups, C/groups)."""
    grouped = weights.reshape(problem.groups, -1, *weights.shape[1:])
    return np.ascontiguousarray(grouped.transpose(3, 4, 0, 1, 2))


@nchw_run
def run(x: Array, filters: Array, problem: ConvProblem) -> Array:
    """Add the contribution of every tap to the whole output."""
    out_height, out_width = problem.out_height, problem.out_width
    batch, groups, group_out = problem.batch, problem.groups, problem.out_channels // problem.groups
    output = np.empty((batch, groups, group_out, out_height * out_width), dtype=x.dtype)
    product = np.empty_like(output)
    # BLAS and the broadcast product both want contiguous rows: each view is copied here.
    shifted = np.empty((batch, problem.in_channels, out_height, out_width), dtype=x.dtype)
    group_in = problem.in_channels // groups
    channels = shifted.reshape(batch, groups, group_in, out_height * out_width)
    for i, j, view in tap_views(x, problem):
        np.copyto(shifted, view)
        target = product if i or j else output
        if channels.shape[2] == 1:
            np.multiply(filters[i, j], channels, out=target)
        else:
            np.matmul(filters[i, j], channels, out=target)
        if target is product:
            output += product
    return output.reshape(batch, problem.out_channels, out_height, out_width)


def workspace_bytes(problem: ConvProblem) -> int:
    """Count filters by tap, padded input, one shifted image and one product."""
    positions = problem.batch * problem.out_height * problem.out_width
    numbers = (
        problem.out_channels * problem.taps
        + (problem.in_channels + problem.out_channels) * positions
    )
    return padded_bytes(problem) + numbers * problem.itemsize


STRATEGY = Strategy(
    name="shifted",
    family="gemm",
    summary="one shifted image and one small matrix product per tap, accumulated",
    reference="Vasudevan, Anderson & Gregg, ASAP 2017, doi:10.1109/ASAP.2017.7995254",
    prepare=prepare,
    run=run,
    workspace_bytes=workspace_bytes,
)
