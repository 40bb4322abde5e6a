"""All seven loops in Python, on lists of Python's own floats.

Identity: the definition itself, one multiply-add at a time. Python computes in float64 whatever
the dtype; only the result is rounded to it.
Source: the definition; where every answer to the question starts from.
"""

import sys

import numpy as np

from convbench.problem import Array, ConvProblem
from convbench.strategies._layout import nchw_prepare, nchw_run
from convbench.strategies._strategy import Strategy
from convbench.strategies._windows import pad, padded_bytes

Planes = list[list[list[float]]]

MAX_INTERPRETED_MACS = 1_000_000
# A multiply-add of list elements takes about this long; it only illustrates the message.
SECONDS_PER_MAC = 1.5e-7


@nchw_prepare
def prepare(weights: Array, problem: ConvProblem) -> list[Planes]:  # noqa: ARG001  # of Strategy
    """Turn the filters (O, C/groups, KH, KW) into nested lists."""
    filters: list[Planes] = weights.tolist()
    return filters


@nchw_run
def run(x: Array, filters: list[Planes], problem: ConvProblem) -> Array:
    """Visit every filter, output row and output column of every image."""
    images: list[Planes] = pad(x, problem).tolist()
    group_in = problem.in_channels // problem.groups
    group_out = problem.out_channels // problem.groups
    output = np.empty(
        (problem.batch, problem.out_channels, problem.out_height, problem.out_width), dtype=x.dtype
    )
    for n, image in enumerate(images):
        for o, taps in enumerate(filters):
            first = o // group_out * group_in
            channels = image[first : first + group_in]
            for oh in range(problem.out_height):
                top = oh * problem.stride[0]
                for ow in range(problem.out_width):
                    left = ow * problem.stride[1]
                    output[n, o, oh, ow] = _element(channels, taps, (top, left), problem.dilation)
    return output


def unsupported(problem: ConvProblem) -> str | None:
    """Refuse what the interpreter needs more than a fraction of a second for."""
    macs = problem.macs
    if macs <= MAX_INTERPRETED_MACS:
        return None
    return (
        f"would run {macs:,} multiply-adds in the Python interpreter (about "
        f"{macs * SECONDS_PER_MAC:.1f} s a call); the limit is {MAX_INTERPRETED_MACS:,}"
    )


def workspace_bytes(problem: ConvProblem) -> int:
    """Count the padded input, and the lists of it and of the filters."""
    height, width = problem.padded
    group_in = problem.in_channels // problem.groups
    return (
        padded_bytes(problem)
        + _list_bytes(problem.batch, problem.in_channels, height, width)
        + _list_bytes(problem.out_channels, group_in, problem.kernel_height, problem.kernel_width)
    )


def _element(
    channels: Planes, taps: Planes, corner: tuple[int, int], dilation: tuple[int, int]
) -> float:
    """Sum the products of one filter with the patch at a corner."""
    (top, left), (dilation_h, dilation_w) = corner, dilation
    total = 0.0
    for plane, tap_rows in zip(channels, taps, strict=True):
        for i, tap_row in enumerate(tap_rows):
            row = plane[top + i * dilation_h]
            for j, tap in enumerate(tap_row):
                total += tap * row[left + j * dilation_w]
    return total


def _list_bytes(*shape: int) -> int:
    """Count nested lists: each element is a pointer, and the last ones point to floats."""
    pointer, total, elements = np.intp().itemsize, sys.getsizeof([]), 1
    for size in shape[:-1]:
        elements *= size
        total += elements * (pointer + sys.getsizeof([]))
    return total + elements * shape[-1] * (pointer + sys.getsizeof(0.0))


STRATEGY = Strategy(
    name="loops_python",
    family="loops",
    summary="all seven loops in Python, on lists",
    reference="the definition, without NumPy",
    prepare=prepare,
    run=run,
    unsupported=unsupported,
    workspace_bytes=workspace_bytes,
    threaded=False,
)
