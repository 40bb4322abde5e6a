"""The direct convolution compiled by Numba.

Identity: the definition, with output columns innermost: one tap's weight times a row of the
input is added to a row of the output, which LLVM vectorises without reordering any sum. Columns
are sorted by stride phase first, so that the innermost loop is contiguous for every stride.
Source: Zhang, Franchetti & Low, "High performance zero-memory overhead direct convolutions",
ICML 2018, for the choice of the loop order; Numba's manual for the rest.
"""

from collections.abc import Callable
from functools import cache
from typing import Any, Literal

import numpy as np

from convbench.problem import Array, ConvProblem
from convbench.strategies._layout import nchw_prepare, nchw_run
from convbench.strategies._strategy import Strategy
from convbench.strategies._windows import pad, padded_bytes

# The one signature per dtype takes aligned, C-contiguous operands, writeable or not.
_COMPILED_FOR: tuple[Literal["C", "A"], ...] = ("C", "A")


@nchw_prepare
def prepare(weights: Array, problem: ConvProblem) -> Array:
    """Make the filters contiguous, and compile or load the machine code."""
    _compiled(problem.dtype)
    return np.require(weights, requirements=_COMPILED_FOR)


@nchw_run
def run(x: Array, weights: Array, problem: ConvProblem) -> Array:
    """Call the compiled loops on the padded input: no branch remains inside."""
    output = np.zeros(
        (problem.batch, problem.out_channels, problem.out_height, problem.out_width), dtype=x.dtype
    )
    phases = _split_phases(pad(x, problem), problem.stride[1])
    _compiled(problem.dtype)(phases, weights, output, problem.stride[0], *problem.dilation)
    return output


def workspace_bytes(problem: ConvProblem) -> int:
    """Count the padded input, and its copy by phase."""
    if problem.stride[1] == 1:
        return padded_bytes(problem)
    height, width = problem.padded
    rows = problem.batch * problem.in_channels * height
    row = -(-width // problem.stride[1]) * problem.stride[1]
    return padded_bytes(problem) + 2 * rows * row * problem.itemsize


def _split_phases(padded: Array, stride: int) -> Array:
    """Sort columns by their remainder modulo the stride, (N, C, H, stride, ceil(W / stride)).

    The inputs that one tap meets along a row are neighbours afterwards, whatever the stride.
    """
    batch, channels, height, width = padded.shape
    if stride == 1:
        contiguous = np.require(padded, requirements=_COMPILED_FOR)
        return contiguous.reshape(batch, channels, height, 1, width)
    length = -(-width // stride)
    whole = np.zeros((batch, channels, height, length * stride), dtype=padded.dtype)
    whole[..., :width] = padded
    return np.ascontiguousarray(
        whole.reshape(batch, channels, height, length, stride).swapaxes(3, 4)
    )


def _accumulate(  # type: ignore[no-untyped-def]  # Numba infers; see _compiled for the signature
    phases, weights, output, stride_h, dilation_h, dilation_w
):
    """Add every tap of every filter to the output, in row after row."""
    batch, out_channels, out_height, out_width = output.shape
    _, group_in, kernel_height, kernel_width = weights.shape
    group_out = out_channels // (phases.shape[1] // group_in)
    # Divisions stand out here: inside, two of them cost as much as a short row.
    left = np.arange(kernel_width) * dilation_w
    phase, start = left % phases.shape[3], left // phases.shape[3]
    for n in range(batch):
        for o in range(out_channels):
            first = o // group_out * group_in
            for oh in range(out_height):
                outputs = output[n, o, oh]
                for c in range(group_in):
                    for i in range(kernel_height):
                        inputs = phases[n, first + c, oh * stride_h + i * dilation_h]
                        for j in range(kernel_width):
                            weight = weights[o, c, i, j]
                            row = inputs[phase[j], start[j] :]
                            for ow in range(out_width):
                                outputs[ow] += weight * row[ow]


@cache
def _compiled(dtype: str) -> Callable[..., None]:
    """Compile for one dtype, or load what an earlier process compiled."""
    import numba

    number = numba.from_dtype(np.dtype(dtype))
    filters = numba.types.Array(number, 4, "C", readonly=True)
    phases = numba.types.Array(number, 5, "C", readonly=True)
    output = numba.types.Array(number, 4, "C")
    integers = (numba.intp,) * 3
    # "contract" only lets a multiply and an add become one FMA; sums keep their order.
    compile_loops: Any = numba.njit(
        numba.void(phases, filters, output, *integers), cache=True, fastmath={"contract"}
    )
    compiled: Callable[..., None] = compile_loops(_accumulate)
    return compiled


STRATEGY = Strategy(
    name="numba_direct",
    family="direct",
    summary="the definition as loops that Numba compiles, one thread",
    reference="Zhang, Franchetti & Low, ICML 2018, arXiv:1809.10170",
    prepare=prepare,
    run=run,
    workspace_bytes=workspace_bytes,
    brings=("numba",),
)
