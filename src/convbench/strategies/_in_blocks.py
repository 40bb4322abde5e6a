"""Run a compiled kernel over the blocks of a problem, with scratch of its own in every thread."""

from dataclasses import dataclass

import numpy as np

from convbench import threads
from convbench.problem import Array, ConvProblem
from convbench.strategies._numba import Compiled, contiguous
from convbench.strategies._workers import share

WORTH_FLOPS = 30_000_000
"""Less work than this, about 0.3 ms, is not worth waking another thread."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """Packed filters and a plan.

    Attributes
    ----------
    convolve : callable
        Takes (x, filters, output, inputs, outputs, *tables, first, last) and computes the blocks
        first <= block < last; inputs and outputs are scratch.
    tables : tuple of array
        Offsets and sizes that follow from the problem alone.
    scratch : (int, int)
        Elements of a thread's two scratch arrays.
    shares : bool
        Whether there is enough to do to wake other threads.
    """

    convolve: Compiled
    filters: Array
    tables: tuple[Array, ...]
    scratch: tuple[int, int]
    blocks: int
    output_shape: tuple[int, ...]
    shares: bool


def run(x: Array, prepared: Prepared, problem: ConvProblem) -> Array:  # noqa: ARG001  # a Strategy
    """Compute block after block; more than one thread share them."""
    x = contiguous(x)
    output = np.empty(prepared.output_shape, x.dtype)

    def compute(first: int, last: int) -> None:
        inputs = np.empty(prepared.scratch[0], x.dtype)
        outputs = np.empty(prepared.scratch[1], x.dtype)
        prepared.convolve(
            x, prepared.filters, output, inputs, outputs, *prepared.tables, first, last
        )

    share(compute, prepared.blocks, threads.count() if prepared.shares else 1)
    return output
