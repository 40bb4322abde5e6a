"""Multiply the whole image by every tap's matrix first, then shift and add the products.

Identity: a K×K convolution is the sum of K² 1×1 convolutions, each shifted by its tap. The image
is its own matrix, so nothing is unfolded and nothing padded; but every pixel is multiplied for
every tap, also those that a stride skips.
Source: Vasudevan, Anderson & Gregg, "Parallel multi channel convolution using general matrix
multiplication", ASAP 2017, in the accumulating form of Anderson, Vasudevan, Keane & Gregg,
"Low-memory GEMM-based convolution algorithms for deep neural networks", 2017.
"""

from typing import Any

import numpy as np

from convbench.problem import Array, ConvProblem
from convbench.strategies._layout import nchw_prepare, nchw_run
from convbench.strategies._limits import too_much_workspace
from convbench.strategies._reach import reach
from convbench.strategies._strategy import Strategy

# Products of few channels run at a tenth of BLAS's best, so this many may take seconds.
MAX_MACS = 16_000_000_000


@nchw_prepare
def prepare(weights: Array, problem: ConvProblem) -> Array:
    """Gather one matrix per tap and group, (KH, KW, groups, O/groups, C/groups)."""
    group_out = problem.out_channels // problem.groups
    grouped = weights.reshape(problem.groups, group_out, *weights.shape[1:])
    return np.ascontiguousarray(grouped.transpose(3, 4, 0, 1, 2))


@nchw_run
def run(x: Array, filters: Array, problem: ConvProblem) -> Array:
    """Add the product of every tap with the image where it meets the output."""
    batch, height, width = problem.batch, problem.height, problem.width
    groups, group_out, group_in = filters.shape[2:]
    pixels = np.ascontiguousarray(x).reshape(batch, groups, group_in, height * width)
    product = np.empty((batch, groups, group_out, height * width), dtype=x.dtype)
    planes = product.reshape(batch, problem.out_channels, height, width)
    output = np.zeros(
        (batch, problem.out_channels, problem.out_height, problem.out_width), dtype=x.dtype
    )
    for i in range(problem.kernel_height):
        rows, from_rows = reach(problem, 0, i)
        for j in range(problem.kernel_width):
            columns, from_columns = reach(problem, 1, j)
            np.matmul(filters[i, j], pixels, out=product)
            output[:, :, rows, columns] += planes[:, :, from_rows, from_columns]
    return output


def flops(problem: ConvProblem, prepared: Any = None) -> int:  # noqa: ARG001  # a Flops
    """Count the products of all pixels; adding one up is the addition its first term lacks."""
    pixels = problem.batch * problem.height * problem.width
    return 2 * problem.out_channels * problem.taps * pixels


def unsupported(problem: ConvProblem) -> str | None:
    """Refuse products of all pixels where a stride needs few, or that outgrow memory."""
    macs = flops(problem) // 2
    if macs > MAX_MACS:
        return (
            f"would run {macs:,} multiply-adds, of which the output needs {problem.macs:,}; "
            f"the limit is {MAX_MACS:,}"
        )
    return too_much_workspace(workspace_bytes(problem))


def workspace_bytes(problem: ConvProblem) -> int:
    """Count filters by tap, one product, and the image where it is no matrix yet."""
    outputs = problem.batch * problem.out_channels * problem.out_height * problem.out_width
    # Adding parts of planes takes NumPy's iterator, which has a buffer for each operand.
    kernel = (problem.kernel_height, problem.kernel_width)
    is_whole = (kernel, problem.stride, problem.padding) == ((1, 1), (1, 1), (0, 0))
    buffers = 0 if is_whole else 3 * min(outputs, np.getbufsize())
    pixels = problem.batch * problem.height * problem.width
    image = problem.in_channels * pixels if problem.layout == "NHWC" else 0
    numbers = problem.out_channels * (problem.taps + pixels) + image + buffers
    return numbers * problem.itemsize


STRATEGY = Strategy(
    name="kn2row",
    family="gemm",
    summary="the image times every tap's matrix, products shifted and added",
    reference="Vasudevan, Anderson & Gregg, ASAP 2017; Anderson et al., arXiv:1709.03395",
    prepare=prepare,
    run=run,
    unsupported=unsupported,
    flops=flops,
    workspace_bytes=workspace_bytes,
)
