"""The vector instructions that compiled kernels are made of, as functions that Numba inlines.

LLVM vectorises a plain loop when it can prove enough about it, and keeps accumulators in memory
when it can't. These functions say what shall be in a register: a kernel calls them as ``simd.name``
(see `convbench.strategies._numba.kernel`). Offsets and strides count elements of flat arrays, and
nothing checks them.
"""

from convbench.strategies._simd.channelwise import (
    channelwise_eight,
    channelwise_four,
    channelwise_one,
    taps_inside,
)
from convbench.strategies._simd.correlation import SHIFTED_STRIPS, correlate, correlated
from convbench.strategies._simd.indexed import INDEXED_VECTORS, multiply_indexed
from convbench.strategies._simd.products import STRIPS, aligned_empty, column_blocks, multiply, pack
from convbench.strategies._simd.transforms import transform
from convbench.strategies._simd.transposition import transpose
from convbench.strategies._simd.vectors import VECTOR_BYTES, lanes

__all__ = [
    "INDEXED_VECTORS",
    "SHIFTED_STRIPS",
    "STRIPS",
    "VECTOR_BYTES",
    "aligned_empty",
    "channelwise_eight",
    "channelwise_four",
    "channelwise_one",
    "column_blocks",
    "correlate",
    "correlated",
    "lanes",
    "multiply",
    "multiply_indexed",
    "pack",
    "taps_inside",
    "transform",
    "transpose",
]
