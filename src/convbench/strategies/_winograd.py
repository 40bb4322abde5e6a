"""Minimal filtering in tiles: transform, multiply, transform back, block after block in cache.

An output tile of m × m comes from α × α inputs, α = m + r - 1, through one product of matrices
(tiles × channels by channels × filters) for each of the α² elements. All three steps run over
a block of tiles before the next block starts, so that what they exchange stays in the cache, and
every step has channels or filters side by side in a register: the layout is NHWC.

A stride of s splits image and filter into s × s phases of stride one, whose outputs add up. The
columns of one row of phases are neighbours in memory, so they are read as s times the channels.
Source: Lavin & Gray, "Fast algorithms for convolutional neural networks", CVPR 2016.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from convbench import threads
from convbench.problem import Array, ConvProblem
from convbench.strategies._numba import Indices, Reads, Writes, contiguous, kernel
from convbench.strategies._toom_cook import Filtering, as_floats, filtering
from convbench.strategies._workers import share

LEAST_BLOCK_BYTES = 3 * 2**18
"""What a block's transformed inputs and products take at least: most second-level caches."""

SHARED_FLOPS = 20_000_000
"""Direct operations from which threads share the tiles: below, waking them costs more."""

STRIP_ROWS = 12
"""Tiles that products take in one step; a block of a multiple of it wastes none."""

simd: Any = None  # the vector instructions and
transform_inside: Any = None  # the transforms of one kind of tile,
transform_border: Any = None  # put here
transform_back: Any = None  # when a kernel
transform_back_border: Any = None  # is compiled


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How a problem is cut into tiles, and the sizes that the kernel reads from `shape`."""

    tile: Filtering
    problem: ConvProblem
    tiles: int
    block_tiles: int
    shape: Array
    starts: Array
    runs: Array
    scratch: tuple[int, int]


def plan(problem: ConvProblem, tile: Filtering) -> Plan:
    """Cut the output into tiles and choose how many of them make a block."""
    stride = problem.stride[0]
    tiles_high = -(-problem.out_height // tile.outputs)
    tiles_wide = -(-problem.out_width // tile.outputs)
    tiles = problem.batch * tiles_high * tiles_wide
    height, width = input_size(problem, tile)
    top, left = (0, 0) if stride > 1 else problem.padding
    depth, columns = depth_of(problem), _padded_columns(problem)
    block_tiles = _block_tiles(problem, tile, tiles)
    input_plane = _plane(block_tiles * depth, problem.itemsize)
    product_plane = _plane(block_tiles * columns, problem.itemsize)
    shape = np.array(
        [
            *(height, width, top, left, problem.in_channels, problem.groups, stride),
            *(problem.out_height, problem.out_width, problem.out_channels),
            *(tiles_high, tiles_wide, block_tiles, depth, columns),
            *(input_plane, product_plane),
        ],
        dtype=np.intp,
    )
    return Plan(
        tile=tile,
        problem=problem,
        tiles=tiles,
        block_tiles=block_tiles,
        shape=shape,
        starts=np.arange(block_tiles, dtype=np.intp) * depth,
        runs=np.arange(tile.size**2, dtype=np.intp) * input_plane,
        scratch=(tile.size**2 * input_plane, tile.size**2 * product_plane),
    )


def _plane(size: int, itemsize: int) -> int:
    """Make planes an odd number of cache lines long.

    One element of all planes is then spread over the sets of a cache; with a power of two between
    them, all would compete for one set.
    """
    line = 64 // itemsize
    lines = -(-size // line)
    return (lines | 1) * line


def depth_of(problem: ConvProblem) -> int:
    """Count the channels of a group, those of all phases together."""
    return problem.stride[0] ** 2 * problem.in_channels // problem.groups


def input_size(problem: ConvProblem, tile: Filtering) -> tuple[int, int]:
    """Height and width of the input that the kernel reads.

    With a stride, phases must not be cut by the border: the input is copied into whole tiles.
    """
    if problem.stride == (1, 1):
        return problem.height, problem.width
    outputs, stride = tile.outputs, problem.stride[0]
    overlap = tile.taps - 1
    return (
        (-(-problem.out_height // outputs) * outputs + overlap) * stride,
        (-(-problem.out_width // outputs) * outputs + overlap) * stride,
    )


def _workers(problem: ConvProblem) -> int:
    return threads.count() if problem.flops >= SHARED_FLOPS else 1


def _padded_columns(problem: ConvProblem) -> int:
    """Round the filters of a group up to whole registers of any processor."""
    step = 64 // problem.itemsize
    return -(-problem.out_channels // problem.groups // step) * step


def _block_tiles(problem: ConvProblem, tile: Filtering, tiles: int) -> int:
    """Choose the tiles of a block, so that what it exchanges is as large as what it reads again.

    Each block reads all transformed filters. A block that exchanges less than they take would
    read them too often; a larger one leaves the nearest cache that it could live in.
    """
    depth, columns = depth_of(problem), problem.out_channels // problem.groups
    tile_bytes = tile.size**2 * (depth + columns) * problem.itemsize
    filter_bytes = tile.size**2 * depth * columns * problem.itemsize
    fitting = max(LEAST_BLOCK_BYTES, filter_bytes) // tile_bytes // STRIP_ROWS * STRIP_ROWS
    share = max(-(-tiles // _workers(problem)), 1)  # no image still makes a block
    return min(max(fitting, STRIP_ROWS), share)


def transform_filters(weights: Array, problem: ConvProblem, tile: Filtering) -> Array:
    """Transform filters (O, C/groups, KH, KW) to packed matrices, one a group and element.

    The exact matrix G is rounded once and applied in double precision; the result is rounded to
    the problem's dtype.
    """
    from convbench.strategies import _simd

    stride, taps, groups = problem.stride[0], tile.taps, problem.groups
    out_channels, group_in = weights.shape[:2]
    phased = np.zeros((out_channels, group_in, taps * stride, taps * stride))
    phased[:, :, : problem.kernel_height, : problem.kernel_width] = weights
    phased = phased.reshape(groups, -1, group_in, taps, stride, taps, stride)
    transform = np.array(as_floats(tile.filter_transform))
    # Channels in the order of a row of phases in memory: row phase, column phase, channel.
    spectra = np.einsum("ik,gockalb,jl->gijabco", transform, phased, transform, optimize=True)
    matrices = spectra.reshape(groups * tile.size**2, depth_of(problem), -1)
    return _simd.pack(np.ascontiguousarray(matrices, dtype=problem.dtype))


def pad_to_tiles(x: Array, plan: Plan) -> Array:
    """Copy an NHWC input into one of whole tiles where a stride wants it; else return it."""
    problem = plan.problem
    if problem.stride == (1, 1):
        return contiguous(x)
    height, width = input_size(problem, plan.tile)
    padded = np.zeros((problem.batch, height, width, problem.in_channels), dtype=x.dtype)
    top, left = problem.padding
    inside = x[:, : height - top, : width - left]
    padded[:, top : top + inside.shape[1], left : left + inside.shape[2]] = inside
    return padded


def convolve(x: Array, filters: Array, plan: Plan) -> Array:
    """Convolve an NHWC input with transformed filters; the output is NHWC."""
    problem = plan.problem
    source = pad_to_tiles(x, plan).reshape(-1)
    output = np.empty(
        (problem.batch, problem.out_height, problem.out_width, problem.out_channels), dtype=x.dtype
    )
    convolve_range = convolve_tiles(problem.dtype, outputs=plan.tile.outputs, taps=plan.tile.taps)
    target, packed = output.reshape(-1), filters.reshape(-1)

    def run_tiles(first: int, last: int) -> None:
        inputs, products = (np.empty(size, dtype=x.dtype) for size in plan.scratch)
        convolve_range(
            source,
            packed,
            target,
            inputs,
            products,
            plan.shape,
            plan.starts,
            plan.runs,
            first,
            last,
            filters.shape[1],
        )

    share(run_tiles, plan.tiles, _workers(problem))
    return output


def flops(problem: ConvProblem, tile: Filtering) -> int:
    """Count the products, and a multiplication and an addition for every constant applied.

    Transforms share some of these sums and multiply by no ones, so that they execute less.
    """
    rows, columns = (-(-size // tile.outputs) for size in (problem.out_height, problem.out_width))
    tiles = problem.batch * rows * columns
    products = tile.size**2 * depth_of(problem) * problem.out_channels
    forward, back = (
        2 * sum(1 for row in matrix for entry in row if entry)
        for matrix in (tile.inputs_transform, tile.outputs_transform)
    )
    inputs = problem.groups * depth_of(problem) * 2 * tile.size * forward
    outputs = problem.out_channels * (tile.size + tile.outputs) * back
    return tiles * (2 * products + inputs + outputs)


def workspace_bytes(problem: ConvProblem, tile: Filtering) -> int:
    """Count transformed filters, one block's inputs and products a thread, and a padded input."""
    cut = plan(problem, tile)
    filters = tile.size**2 * depth_of(problem) * _padded_columns(problem) * problem.groups
    padded = 0
    if problem.stride != (1, 1):
        padded = problem.batch * problem.in_channels * math.prod(input_size(problem, tile))
    return (filters + sum(cut.scratch) * _workers(problem) + padded) * problem.itemsize


def _names(outputs: int, taps: int) -> Mapping[str, object]:
    from convbench.strategies import _simd

    tile = filtering(outputs, taps)
    forward, back = as_floats(tile.inputs_transform), as_floats(tile.outputs_transform)
    return {
        "simd": _simd,
        "transform_inside": _simd.transform(forward, forward),
        "transform_border": _simd.transform(forward, forward, masked="source"),
        "transform_back": _simd.transform(back, back),
        "transform_back_border": _simd.transform(back, back, masked="target"),
        "OUTPUTS": tile.outputs,
        "SIZE": tile.size,
    }


OUTPUTS = SIZE = 0  # outputs and inputs of a tile along one axis; constants of a compiled kernel


@kernel(
    *(Reads(1), Reads(1), Writes(1), Writes(1), Writes(1)),
    *(Indices(), Indices(), Indices(), int, int, int),
    names=_names,
)
def convolve_tiles(
    x: Array,
    filters: Array,
    output: Array,
    inputs: Array,
    products: Array,
    shape: Array,
    starts: Array,
    runs: Array,
    first: int,
    last: int,
    packed_size: int,
) -> None:
    """Convolve tiles [first, last): all groups, block after block."""
    height, width, top, left, channels, groups, stride = shape[:7]
    out_height, out_width, out_channels = shape[7:10]
    tiles_high, tiles_wide, block_tiles, depth, columns = shape[10:15]
    input_plane, product_plane = shape[15:]
    group_in, group_out = channels // groups, out_channels // groups
    lanes = simd.VECTOR_BYTES // x.itemsize
    segment = stride * group_in
    elements = SIZE * SIZE
    for block in range(first, last, block_tiles):
        count = min(block_tiles, last - block)
        for group in range(groups):
            for tile in range(count):
                row = (block + tile) // tiles_wide
                image, down = row // tiles_high, row % tiles_high * OUTPUTS * stride - top
                across = (block + tile) % tiles_wide * OUTPUTS * stride - left
                inside = (
                    down >= 0
                    and across >= 0
                    and down + SIZE * stride <= height
                    and across + SIZE * stride <= width
                )
                for phase in range(stride):
                    start = ((image * height + down + phase) * width + across) * channels
                    start += group * group_in
                    target = tile * depth + phase * segment
                    for lane in range(0, segment, lanes):
                        if inside and lane + lanes <= segment:
                            transform_inside(
                                x,
                                start + lane,
                                stride * width * channels,
                                stride * channels,
                                inputs,
                                target + lane,
                                SIZE * input_plane,
                                input_plane,
                                0,
                                0,
                                0,
                                0,
                                0,
                            )
                        else:
                            transform_border(
                                x,
                                start + lane,
                                stride * width * channels,
                                stride * channels,
                                inputs,
                                target + lane,
                                SIZE * input_plane,
                                input_plane,
                                -down,
                                -(-(height - down) // stride),
                                -across,
                                -(-(width - across) // stride),
                                segment - lane,
                            )
            for element in range(elements):
                simd.multiply(
                    inputs,
                    starts,
                    0,
                    count,
                    runs[element : element + 1],
                    depth,
                    filters,
                    (group * elements + element) * packed_size,
                    products,
                    element * product_plane,
                    columns,
                    group_out,
                )
            for tile in range(count):
                row = (block + tile) // tiles_wide
                image, down = row // tiles_high, row % tiles_high * OUTPUTS
                across = (block + tile) % tiles_wide * OUTPUTS
                start = ((image * out_height + down) * out_width + across) * out_channels
                start += group * group_out
                inside = down + OUTPUTS <= out_height and across + OUTPUTS <= out_width
                for lane in range(0, group_out, lanes):
                    if inside and lane + lanes <= group_out:
                        transform_back(
                            products,
                            tile * columns + lane,
                            SIZE * product_plane,
                            product_plane,
                            output,
                            start + lane,
                            out_width * out_channels,
                            out_channels,
                            0,
                            0,
                            0,
                            0,
                            0,
                        )
                    else:
                        transform_back_border(
                            products,
                            tile * columns + lane,
                            SIZE * product_plane,
                            product_plane,
                            output,
                            start + lane,
                            out_width * out_channels,
                            out_channels,
                            0,
                            out_height - down,
                            0,
                            out_width - across,
                            group_out - lane,
                        )
