"""Unfold a tile of patches at a time, so that its columns are still in cache when multiplied.

Identity: im2col by blocks of columns: output (O, tile) = filters (O, taps) @ columns (taps, tile)
for tiles of whole output rows, or of a part of one. The copy writes to cache instead of memory,
and the workspace does not grow with the image.
Source: Goto & van de Geijn, "Anatomy of high-performance matrix multiplication", ACM TOMS 34(3),
2008, for the size of a block; the packing of Chetlur et al., "cuDNN", 2014, done in the large.
"""

import math

import numpy as np

from convbench.problem import Array, ConvProblem
from convbench.strategies._layout import nchw_prepare, nchw_run
from convbench.strategies._strategy import Strategy
from convbench.strategies._windows import padded_bytes, windows

# Columns and outputs of a tile, of the order of the L2 cache.
TILE_BYTES = 2**20
# Every product packs all filters again: fewer positions than this would not repay it.
LEAST_POSITIONS = 128


@nchw_prepare
def prepare(weights: Array, problem: ConvProblem) -> Array:
    """Flatten the filters to one matrix per group, (groups, O/groups, taps)."""
    group_out = problem.out_channels // problem.groups
    return np.ascontiguousarray(weights).reshape(problem.groups, group_out, problem.taps)


@nchw_run
def run(x: Array, filters: Array, problem: ConvProblem) -> Array:
    """Fill the columns of one tile after the other, and multiply the filters by them."""
    out_height, out_width = problem.out_height, problem.out_width
    view = windows(x, problem).transpose(0, 1, 4, 5, 2, 3)
    output = np.empty((problem.batch, *filters.shape[:2], out_height * out_width), dtype=x.dtype)
    rows, columns = _tile(problem)
    buffer = np.empty(problem.groups * problem.taps * rows * columns, dtype=x.dtype)
    for patches, outputs in zip(view, output, strict=True):
        for top in range(0, out_height, rows):
            for left in range(0, out_width, columns):
                tile = patches[..., top : top + rows, left : left + columns]
                block = buffer[: tile.size].reshape(tile.shape)
                np.copyto(block, tile)
                start, positions = top * out_width + left, tile.shape[3] * tile.shape[4]
                np.matmul(
                    filters,
                    block.reshape(problem.groups, problem.taps, positions),
                    out=outputs[:, :, start : start + positions],
                )
    return output.reshape(problem.batch, problem.out_channels, out_height, out_width)


def workspace_bytes(problem: ConvProblem) -> int:
    """Count padded input and the columns of one tile."""
    rows, columns = _tile(problem)
    return padded_bytes(problem) + problem.groups * problem.taps * rows * columns * problem.itemsize


def _tile(problem: ConvProblem) -> tuple[int, int]:
    """Choose a tile's output rows and columns: whole rows, or a part of one."""
    position_bytes = (problem.groups * problem.taps + problem.out_channels) * problem.itemsize
    positions = max(LEAST_POSITIONS, TILE_BYTES // position_bytes)
    columns = min(problem.out_width, positions)
    tiles = math.ceil(problem.out_height * columns / positions)
    return math.ceil(problem.out_height / tiles), columns


STRATEGY = Strategy(
    name="im2col_blocked",
    family="gemm",
    summary="patches copied and multiplied tile by tile, columns stay in cache",
    reference="Goto & van de Geijn, ACM TOMS 34(3), 2008, doi:10.1145/1356052.1356053",
    prepare=prepare,
    run=run,
    workspace_bytes=workspace_bytes,
)
