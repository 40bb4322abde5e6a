"""Compiled copies between the two layouts, several times as fast as NumPy's of a transposed view.

Sources and targets are walked tile by tile: a row of a tile is one register, and a block of tiles
touches few enough pages and cache lines on both sides.
"""

from typing import Any

import numpy as np

from convbench import threads
from convbench.problem import Array
from convbench.strategies._numba import Reads, Writes, contiguous, kernel, simd_names
from convbench.strategies._workers import share

simd: Any = None  # put here when a kernel is compiled

BLOCK = 64
"""Rows and columns of a block of tiles."""

WORTH_BYTES = 2**20
"""Less than this is not worth waking another thread."""


def channels_last(x: Array) -> Array:
    """Copy (N, C, H, W) to (N, H, W, C)."""
    batch, channels, height, width = x.shape
    target = np.empty((batch, height, width, channels), dtype=x.dtype)
    _transpose(contiguous(x), target, batch, channels, height * width)
    return target


def channels_first(x: Array) -> Array:
    """Copy (N, H, W, C) to (N, C, H, W)."""
    batch, height, width, channels = x.shape
    target = np.empty((batch, channels, height, width), dtype=x.dtype)
    _transpose(contiguous(x), target, batch, height * width, channels)
    return target


def load(dtype: str) -> None:
    """Compile the copies, or load what an earlier process compiled."""
    _transpose_blocks(dtype)


def _transpose(source: Array, target: Array, images: int, rows: int, columns: int) -> None:
    """Transpose `images` matrices of rows × columns."""
    kernel_for_dtype = _transpose_blocks(str(source.dtype))
    flat, transposed = source.reshape(-1), target.reshape(-1)
    bands = -(-rows // BLOCK)

    def transpose_bands(first: int, last: int) -> None:
        kernel_for_dtype(flat, transposed, rows, columns, first, last)

    share(
        transpose_bands,
        images * bands,
        threads.count() if source.nbytes >= WORTH_BYTES else 1,
    )


@kernel(Reads(1), Writes(1), int, int, int, int, names=simd_names)
def _transpose_blocks(
    source: Array, target: Array, rows: int, columns: int, first: int, last: int
) -> None:
    """Transpose bands [first, last) of all images' bands of BLOCK rows."""
    bands = (rows + BLOCK - 1) // BLOCK
    for band in range(first, last):
        image, row = band // bands * rows * columns, band % bands * BLOCK
        high = min(BLOCK, rows - row)
        for column in range(0, columns, BLOCK):
            wide = min(BLOCK, columns - column)
            simd.transpose(
                source,
                image + row * columns + column,
                columns,
                target,
                image + column * rows + row,
                rows,
                high,
                wide,
            )
