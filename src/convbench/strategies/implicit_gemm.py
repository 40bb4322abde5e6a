"""Implicit GEMM by indirection, compiled: a table says where each row of columns would lie.

Identity: im2col's, output (OH·OW, O) = patches (OH·OW, C·KH·KW) @ filters, where element k of the
patch at position p is read as x[starts[p] + offsets[k]]: the start depends on the output, the
offset on channel and tap. The tables describe any layout, stride and dilation, so nothing is ever
reordered: inputs are read where they lie, or in a copy of some rows with their zero border.
Source: Dukhan, "The indirect convolution algorithm", 2019; Chetlur et al., "cuDNN: efficient
primitives for deep learning", 2014, section 3.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from convbench import threads
from convbench.problem import Array, ConvProblem
from convbench.strategies._in_blocks import WORTH_FLOPS, Prepared, run
from convbench.strategies._layout import nchw_prepare
from convbench.strategies._numba import (
    Indices,
    Reads,
    Writes,
    kernel,
    simd_names,
)
from convbench.strategies._strategy import Strategy

simd: Any = None  # put here when a kernel is compiled

BLOCK_BYTES = 512 * 2**10
"""Inputs of one block of output rows: half of a usual L2 cache, the other half is for filters."""


@dataclass(frozen=True, slots=True)
class _Geometry:
    """How a problem is split into blocks of output rows, and where a block's inputs lie.

    Attributes
    ----------
    rows, input_rows, blocks : int
        Output rows of a block, rows of its inputs, and blocks of an image.
    by_channel, by_row, by_column : int
        Elements from one input of a block to the next along each axis.
    vectors, strips : int
        Vectors of output channels that are computed together, and how many such strips.
    """

    rows: int
    input_rows: int
    blocks: int
    by_channel: int
    by_row: int
    by_column: int
    vectors: int
    strips: int

    @classmethod
    def of(cls, problem: ConvProblem) -> "_Geometry":
        from convbench.strategies import _simd

        channels, width = problem.in_channels, problem.padded[1]
        beyond = problem.span[0] - problem.stride[0]
        fitting = BLOCK_BYTES // (width * channels * problem.itemsize) - beyond
        blocks = -(-problem.out_height // max(1, fitting // problem.stride[0]))
        rows = -(-problem.out_height // blocks)
        input_rows = (rows - 1) * problem.stride[0] + problem.span[0]
        if problem.layout == "NHWC":
            steps = 1, width * channels, channels
        else:
            height = problem.height if problem.padding == (0, 0) else input_rows
            steps = height * width, width, 1
        lanes = _simd.lanes(problem.itemsize)
        group_out = problem.out_channels // problem.groups
        strips, vectors = min(
            ((-(-group_out // (vectors * lanes)), vectors) for vectors in _simd.INDEXED_VECTORS),
            key=math.prod,  # the widest of those that waste least
        )
        return cls(rows, input_rows, -(-problem.out_height // rows), *steps, vectors, strips)

    def tasks(self, problem: ConvProblem) -> int:
        """Count the pairs of a block of an image and a strip of a group."""
        return problem.batch * self.blocks * problem.groups * self.strips


@nchw_prepare
def prepare(weights: Array, problem: ConvProblem) -> Prepared:
    """Pack the filters of each strip side by side, and tabulate starts and offsets."""
    from convbench.strategies import _simd

    geometry, groups = _Geometry.of(problem), problem.groups
    width = geometry.vectors * _simd.lanes(problem.itemsize)
    group_out = problem.out_channels // groups
    filters = np.zeros((groups, geometry.strips * width, problem.taps), weights.dtype)
    filters[:, :group_out] = weights.reshape(groups, group_out, problem.taps)
    packed = _simd.aligned_empty((groups, geometry.strips, problem.taps, width), weights.dtype)
    packed[:] = filters.reshape(groups, geometry.strips, width, problem.taps).swapaxes(2, 3)
    return Prepared(
        _convolve(problem.dtype),
        packed,
        (_starts(problem, geometry), _offsets(problem, geometry), _numbers(problem, geometry)),
        _scratch(problem, geometry),
        geometry.tasks(problem),
        problem.output_shape,
        problem.flops >= WORTH_FLOPS,
    )


def workspace_bytes(problem: ConvProblem) -> int:
    """Count the packed filters, the tables, and the scratch of every thread."""
    from convbench.strategies import _simd

    geometry = _Geometry.of(problem)
    width = geometry.vectors * _simd.lanes(problem.itemsize)
    filters = problem.groups * geometry.strips * width * problem.taps
    sharing = threads.count() if problem.flops >= WORTH_FLOPS else 1
    scratch = min(sharing, geometry.tasks(problem)) * sum(_scratch(problem, geometry))
    tables = problem.taps + geometry.rows * problem.out_width
    return (filters + scratch) * problem.itemsize + 8 * tables


def _starts(problem: ConvProblem, geometry: _Geometry) -> Array:
    """Tabulate where the patch of each output of a block begins."""
    rows = np.arange(geometry.rows) * (problem.stride[0] * geometry.by_row)
    columns = np.arange(problem.out_width) * (problem.stride[1] * geometry.by_column)
    return (rows[:, None] + columns).ravel()


def _offsets(problem: ConvProblem, geometry: _Geometry) -> Array:
    """Tabulate where each channel and tap of a patch lies, counted from its beginning."""
    channels = np.arange(problem.in_channels // problem.groups) * geometry.by_channel
    rows = np.arange(problem.kernel_height) * (problem.dilation[0] * geometry.by_row)
    columns = np.arange(problem.kernel_width) * (problem.dilation[1] * geometry.by_column)
    return (channels[:, None, None] + rows[:, None] + columns).ravel()


def _scratch(problem: ConvProblem, geometry: _Geometry) -> tuple[int, int]:
    """Count the elements of a block's inputs with a border, and of one strip of its outputs."""
    from convbench.strategies import _simd

    inputs = problem.in_channels * geometry.input_rows * problem.padded[1]
    width = geometry.vectors * _simd.lanes(problem.itemsize)
    return (
        0 if problem.padding == (0, 0) else inputs,
        geometry.rows * problem.out_width * width,
    )


def _numbers(problem: ConvProblem, geometry: _Geometry) -> Array:
    return np.array(
        (
            *(problem.in_channels, problem.height, problem.width, problem.groups),
            *(problem.out_channels, problem.out_height, problem.out_width),
            *(problem.padding[0], problem.padding[1], problem.stride[0]),
            *(geometry.rows, geometry.input_rows, geometry.blocks),
            *(geometry.by_channel, geometry.by_row, geometry.vectors),
            problem.layout == "NCHW",
        ),
        np.intp,
    )


@kernel(
    *(Reads(4), Reads(4), Writes(4), Writes(1), Writes(1)),
    *(Indices(), Indices(), Indices(), int, int),
    names=simd_names,
)
def _convolve(
    x: Array,
    filters: Array,
    output: Array,
    inputs: Array,
    outputs: Array,
    starts: Array,
    offsets: Array,
    numbers: Array,
    first: int,
    last: int,
) -> None:
    """Compute the pairs of a block and a strip, first <= task < last."""
    channels, height, width, groups, out_channels, out_height, out_width = numbers[:7]
    pad_top, pad_left, stride, rows, input_rows, blocks, by_channel, by_row = numbers[7:15]
    vectors, planes = numbers[15:]
    _, strips, taps, strip = filters.shape
    group_out = out_channels // groups
    flat, packed = x.reshape(x.size), filters.reshape(filters.size)
    target, copied = output.reshape(output.size), -1
    # The lines that are copied: of one channel, or of all at once.
    lines, line_size, pixel = (channels, width, 1) if planes else (1, width * channels, channels)
    margin = pad_left * pixel
    for task in range(first, last):
        block, part = task // (groups * strips), task % (groups * strips)
        n, top = block // blocks, block % blocks * rows
        count = min(rows, out_height - top)
        upper = top * stride - pad_top
        at, source = n * channels * height * width + upper * by_row, flat
        if inputs.size:
            at, source = 0, inputs
        if inputs.size and block != copied:
            copied = block
            used_rows = input_rows - (rows - count) * stride
            for index in range(lines * used_rows):
                line, row = index // used_rows, index % used_rows
                to, y = line * by_channel + row * by_row, upper + row
                if y < 0 or y >= height:
                    for k in range(by_row):
                        inputs[to + k] = 0
                    continue
                for k in range(margin):
                    inputs[to + k] = 0
                    inputs[to + by_row - 1 - k] = 0
                here = ((n * lines + line) * height + y) * line_size
                for k in range(line_size):
                    inputs[to + margin + k] = flat[here + k]
        group, o = part // strips, part % strips * strip
        positions, valid = count * out_width, min(strip, group_out - o)
        o += group * group_out
        simd.multiply_indexed(
            *(source, at + group * (channels // groups) * by_channel, starts, positions),
            *(offsets, packed, part * taps * strip, vectors, outputs),
        )
        if planes:
            to = ((n * out_channels + o) * out_height + top) * out_width
            plane = out_height * out_width
            simd.transpose(outputs, 0, strip, target, to, plane, positions, valid)
        else:
            to = (n * out_height + top) * out_width * out_channels + o
            for position in range(positions):
                for k in range(valid):
                    target[to + position * out_channels + k] = outputs[position * strip + k]


STRATEGY = Strategy(
    name="implicit_gemm",
    family="gemm",
    summary="patches multiplied through a table of offsets, in any layout, compiled",
    reference="Dukhan, 2019, arXiv:1907.02129; Chetlur et al., 2014, arXiv:1410.0759",
    prepare=prepare,
    run=run,
    workspace_bytes=workspace_bytes,
    brings=("numba",),
)
