"""Overlap-save: transforms of small tiles instead of one as large as the image.

Identity: the valid positions of a tile's circular correlation are those of the linear one. Tiles
of x overlap by the filter's span less one, so that their valid positions join without a gap. All
tiles are transformed by one call on a view; at each frequency one matrix product mixes the
channels of all of them. The size of a tile minimises the count of operations: large tiles repeat
less of x, small ones have cheap transforms and little to multiply.
Source: Zlateski, Jia, Li & Durand, "FFT convolutions are faster than Winograd on modern CPUs,
here is why", 2018, arXiv:1809.07851.
"""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from convbench.problem import Array, ConvProblem
from convbench.reference import tiled_fft_error_bound
from convbench.strategies._layout import nchw_prepare, nchw_run
from convbench.strategies._limits import too_much_workspace
from convbench.strategies._spectra import (
    Shape,
    bytes_with_tiles,
    dense_bytes,
    flops_with_tiles,
    mix,
    transform_filters,
)
from convbench.strategies._strategy import Strategy


@dataclass(frozen=True, slots=True)
class Tiling:
    """How tiles cover the output; every pair is (vertical, horizontal).

    Attributes
    ----------
    transform : inputs of one tile, a fast length of transforms
    outputs : strided outputs of one tile
    tiles : number of tiles
    """

    transform: Shape
    outputs: Shape
    tiles: Shape


@nchw_prepare
def prepare(weights: Array, problem: ConvProblem) -> Array:
    """Transform the filters as large as a tile, (frequencies, groups, O/groups, C/groups)."""
    from scipy import fft

    return transform_filters(weights, problem, choose_tiling(problem).transform, fft)


@nchw_run
def run(x: Array, filters: Array, problem: ConvProblem) -> Array:
    """Transform all tiles at once, mix their channels, and join what they have of the output."""
    from scipy import fft

    tiling = choose_tiling(problem)
    height, width = tiling.transform
    spectrum = fft.rfft2(_cut(x, problem, tiling))
    tiles = spectrum.reshape(*spectrum.shape[:2], math.prod(tiling.tiles), len(filters))
    mixed = mix(tiles, filters)
    planes = mixed.reshape(*mixed.shape[:2], *tiling.tiles, height, width // 2 + 1)
    return _join(fft.irfft2(planes, s=(height, width), overwrite_x=True), problem, tiling)


def unsupported(problem: ConvProblem) -> str | None:
    """Refuse spectra that outgrow memory."""
    return too_much_workspace(workspace_bytes(problem))


def flops(problem: ConvProblem, prepared: Any = None) -> int:  # noqa: ARG001  # a Flops
    """Count the transforms of all tiles, overlaps included, and the products between them."""
    tiling = choose_tiling(problem)
    return flops_with_tiles(problem, tiling.transform, math.prod(tiling.tiles))


def workspace_bytes(problem: ConvProblem) -> int:
    """Count spectra and dense outputs of all tiles, and the outputs before they are cropped."""
    tiling = choose_tiling(problem)
    tiles = math.prod(tiling.tiles)
    joined = dense_bytes(problem, tiling.outputs, problem.out_channels, tiles)
    is_exact = _join_shape(tiling) == (problem.out_height, problem.out_width)
    return bytes_with_tiles(
        problem,
        tiling.transform,
        tiles,
        before=dense_bytes(problem, _cut_shape(problem, tiling), problem.in_channels),
        after=dense_bytes(problem, tiling.transform, problem.out_channels, tiles)
        + (0 if is_exact else joined),
    )


def error_bound(x: Array, weights: Array, problem: ConvProblem) -> Array:
    """Bound the error by the transforms of the chosen tiles."""
    tiling = choose_tiling(problem)
    return tiled_fft_error_bound(
        x, weights, problem, transform=tiling.transform, outputs=tiling.outputs
    )


@cache  # it stands in `run`, and compares hundreds of sizes
def choose_tiling(problem: ConvProblem) -> Tiling:
    """Choose the tiles for which `flops` is least; the smaller ones where several are."""

    def count(tiling: Tiling) -> int:
        return flops_with_tiles(problem, tiling.transform, math.prod(tiling.tiles))

    return min(tilings(problem), key=count)


def tilings(problem: ConvProblem) -> Iterator[Tiling]:
    """List every tiling with fast transforms, from one output a tile to a single tile."""
    out_sizes = problem.out_height, problem.out_width
    along_axes = (
        _sizes(*axis) for axis in zip(out_sizes, problem.stride, problem.span, strict=True)
    )
    for vertical, horizontal in itertools.product(*along_axes):
        yield Tiling(*zip(vertical, horizontal, strict=True))


def _sizes(out_size: int, stride: int, span: int) -> Iterator[tuple[int, int, int]]:
    """List (transform, outputs, tiles) along an axis."""
    from scipy.fft import next_fast_len

    transform, tiles = span - 1, 0
    while tiles != 1:
        transform = next_fast_len(transform + 1, real=True)
        outputs = min((transform - span) // stride + 1, out_size)
        tiles = -(-out_size // outputs)
        yield transform, outputs, tiles


def _cut(x: Array, problem: ConvProblem, tiling: Tiling) -> Array:
    """View the padded input as overlapping tiles (N, C, tiles_h, tiles_w, height, width)."""
    (top, left), batch, channels = problem.padding, problem.batch, problem.in_channels
    padded = np.zeros((batch, channels, *_cut_shape(problem, tiling)), dtype=x.dtype)
    inner = padded[:, :, top : top + problem.height, left : left + problem.width]
    # A stride may leave the last rows and columns of x, and so of the tiles, unused.
    inner[...] = x[:, :, : inner.shape[2], : inner.shape[3]]
    *leading, by_row, by_column = padded.strides
    step_h, step_w = _steps(problem, tiling)
    return as_strided(
        padded,
        shape=(batch, channels, *tiling.tiles, *tiling.transform),
        strides=(*leading, step_h * by_row, step_w * by_column, by_row, by_column),
        writeable=False,
    )


def _join(dense: Array, problem: ConvProblem, tiling: Tiling) -> Array:
    """Keep every tile's outputs, side by side, up to the edge of the output."""
    (rows, columns), (stride_h, stride_w) = tiling.outputs, problem.stride
    valid = dense[..., : rows * stride_h : stride_h, : columns * stride_w : stride_w]
    joined = valid.swapaxes(3, 4).reshape(*dense.shape[:2], *_join_shape(tiling))
    return np.ascontiguousarray(joined[..., : problem.out_height, : problem.out_width])


def _steps(problem: ConvProblem, tiling: Tiling) -> Shape:
    """Find the distance of neighbouring tiles in the padded input."""
    (rows, columns), (stride_h, stride_w) = tiling.outputs, problem.stride
    return rows * stride_h, columns * stride_w


def _cut_shape(problem: ConvProblem, tiling: Tiling) -> Shape:
    """Find how much of the padded input all tiles cover."""
    height, width = (
        (tiles - 1) * step + size
        for tiles, step, size in zip(
            tiling.tiles, _steps(problem, tiling), tiling.transform, strict=True
        )
    )
    return height, width


def _join_shape(tiling: Tiling) -> Shape:
    """Find how many outputs all tiles have."""
    return tiling.tiles[0] * tiling.outputs[0], tiling.tiles[1] * tiling.outputs[1]


STRATEGY = Strategy(
    name="fft_tiled",
    family="fft",
    summary="as fft, by overlapping tiles of the size that needs fewest operations",
    reference="Zlateski, Jia, Li & Durand, 2018, arXiv:1809.07851",
    prepare=prepare,
    run=run,
    unsupported=unsupported,
    flops=flops,
    workspace_bytes=workspace_bytes,
    error_bound=error_bound,
    local=False,
)
