"""Implicit GEMM in layout NHWC, by compiled kernels: patches are multiplied where they lie.

Identity: im2col's, output (OH·OW, O) = patches (OH·OW, KH·KW·C) @ filters, without the matrix of
patches. In NHWC a patch is KH runs of KW·C neighbours, which the product reads in place. Rows of
the output are computed in blocks whose inputs, with their zero border, stay in the L2 cache;
NCHW problems are transposed block by block on the way in and out.
Source: Chetlur et al., "cuDNN: efficient primitives for deep learning", 2014, section 3; Goto &
van de Geijn, "Anatomy of high-performance matrix multiplication", ACM TOMS 34(3), 2008.
"""

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
    copies : bool
        Whether a block's inputs are copied, with their border or into NHWC.
    width, channels : int
        Columns of a block's inputs, and elements from one column to the next.
    rows, input_rows, blocks : int
        Output rows of a block, rows of its inputs, and blocks of an image.
    strip : int
        Output channels of a group that are computed before the next ones.
    """

    copies: bool
    width: int
    channels: int
    rows: int
    input_rows: int
    blocks: int
    strip: int

    @classmethod
    def of(cls, problem: ConvProblem) -> "_Geometry":
        from convbench.strategies import _simd

        copies = problem.padding != (0, 0) or problem.layout == "NCHW"
        width, channels = problem.padded[1], problem.in_channels
        row_bytes = width * channels * problem.itemsize
        beyond = problem.span[0] - problem.stride[0]
        fitting = (BLOCK_BYTES // row_bytes - beyond) // problem.stride[0]
        blocks = -(-problem.out_height // max(1, fitting))
        group_out = problem.out_channels // problem.groups
        rows = -(-problem.out_height // blocks)
        return cls(
            copies,
            width,
            channels,
            rows,
            (rows - 1) * problem.stride[0] + problem.span[0],
            -(-problem.out_height // rows),
            max(width for _, width in _simd.column_blocks(group_out, problem.itemsize)),
        )

    def tasks(self, problem: ConvProblem) -> int:
        """Count the pairs of a block of an image and a strip of a group."""
        strips = -(-problem.out_channels // problem.groups // self.strip)
        return problem.batch * self.blocks * problem.groups * strips


@nchw_prepare
def prepare(weights: Array, problem: ConvProblem) -> Prepared:
    """Pack the filters, and tabulate where the patches of a block of rows lie."""
    from convbench.strategies import _simd

    groups, geometry = problem.groups, _Geometry.of(problem)
    by_tap = weights.reshape(groups, -1, *weights.shape[1:]).transpose(0, 3, 4, 2, 1)
    matrices = by_tap.reshape(groups, problem.taps, -1)
    runs, length = _runs(problem, geometry)
    return Prepared(
        _convolve(problem.dtype),
        _simd.pack(matrices),
        (_starts(problem, geometry), runs, _numbers(problem, geometry, length)),
        _scratch(problem, geometry),
        geometry.tasks(problem),
        problem.output_shape,
        problem.flops >= WORTH_FLOPS,
    )


def workspace_bytes(problem: ConvProblem) -> int:
    """Count the packed filters, the tables, and the scratch of every thread."""
    from convbench.strategies import _simd

    geometry = _Geometry.of(problem)
    group_out = problem.out_channels // problem.groups
    strips = _simd.column_blocks(group_out, problem.itemsize)
    filters = problem.groups * problem.taps * sum(width for _, width in strips)
    sharing = threads.count() if problem.flops >= WORTH_FLOPS else 1
    scratch = min(sharing, geometry.tasks(problem)) * sum(_scratch(problem, geometry))
    tables = 8 * geometry.rows * problem.out_width
    return (filters + scratch) * problem.itemsize + tables


def _runs(problem: ConvProblem, geometry: _Geometry) -> tuple[Array, int]:
    """List where the runs of neighbours of a patch begin, and say how long they are."""
    group_in = problem.in_channels // problem.groups
    rows = np.arange(problem.kernel_height) * (
        problem.dilation[0] * geometry.width * geometry.channels
    )
    if problem.groups == problem.dilation[1] == 1:
        return rows, problem.kernel_width * group_in
    columns = np.arange(problem.kernel_width) * (problem.dilation[1] * geometry.channels)
    return (rows[:, None] + columns).ravel(), group_in


def _starts(problem: ConvProblem, geometry: _Geometry) -> Array:
    rows = np.arange(geometry.rows) * (problem.stride[0] * geometry.width * geometry.channels)
    columns = np.arange(problem.out_width) * (problem.stride[1] * geometry.channels)
    return (rows[:, None] + columns).ravel()


def _scratch(problem: ConvProblem, geometry: _Geometry) -> tuple[int, int]:
    """Count the elements of a block's copied inputs, and of its outputs before transposition."""
    inputs = geometry.input_rows * geometry.width * geometry.channels
    outputs = geometry.rows * problem.out_width * geometry.strip
    return inputs if geometry.copies else 0, outputs if problem.layout == "NCHW" else 0


def _numbers(problem: ConvProblem, geometry: _Geometry, length: int) -> Array:
    return np.array(
        (
            *(problem.height, problem.width, problem.in_channels, problem.groups),
            *(problem.out_height, problem.out_width, problem.out_channels),
            *(problem.padding[0], problem.padding[1], problem.stride[0]),
            *(geometry.rows, geometry.input_rows, geometry.blocks, geometry.strip, length),
        ),
        np.intp,
    )


@kernel(
    *(Reads(4), Reads(2), Writes(4), Writes(1), Writes(1)),
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
    runs: Array,
    numbers: Array,
    first: int,
    last: int,
) -> None:
    """Compute the pairs of a block and a strip, first <= task < last."""
    height, width, channels, groups, out_height, out_width, out_channels = numbers[:7]
    pad_top, pad_left, stride, rows, input_rows, blocks, strip, length = numbers[7:]
    group_out, depth = out_channels // groups, runs.size * length
    strips = (group_out + strip - 1) // strip
    row_size = (width + 2 * pad_left) * channels
    margin, plane, out_plane = pad_left * channels, height * width, out_height * out_width
    flat, packed = x.reshape(x.size), filters.reshape(filters.size)
    target, source, copied = output.reshape(output.size), inputs, -1
    for task in range(first, last):
        block, part = task // (groups * strips), task % (groups * strips)
        n, top = block // blocks, block % blocks * rows
        count = min(rows, out_height - top)
        upper = top * stride - pad_top
        if not inputs.size:
            source = flat[(n * height + upper) * row_size :]
        elif block != copied:
            copied = block
            for row in range(input_rows - (rows - count) * stride):
                at, y = row * row_size, upper + row
                if y < 0 or y >= height:
                    for k in range(row_size):
                        inputs[at + k] = 0
                    continue
                for k in range(margin):
                    inputs[at + k] = 0
                    inputs[at + row_size - 1 - k] = 0
                if outputs.size:
                    line = n * channels * plane + y * width
                    simd.transpose(
                        flat, line, plane, inputs, at + margin, channels, channels, width
                    )
                else:
                    line = (n * height + y) * width * channels
                    for k in range(width * channels):
                        inputs[at + margin + k] = flat[line + k]
        group, column = part // strips, part % strips * strip
        filters_at = group * filters.shape[1] + column * depth
        columns, positions = min(strip, group_out - column), count * out_width
        results, to, step = target, (n * out_plane + top * out_width) * out_channels, out_channels
        to += group * group_out + column
        if outputs.size:
            results, to, step = outputs, 0, strip
        simd.multiply(
            *(source[group * (channels // groups) :], starts, 0, positions, runs, length),
            *(packed, filters_at, results, to, step, columns),
        )
        if outputs.size:
            to = (n * out_channels + group * group_out + column) * out_plane + top * out_width
            simd.transpose(outputs, 0, strip, target, to, out_plane, positions, columns)


STRATEGY = Strategy(
    name="numba_nhwc",
    family="gemm",
    summary="patches multiplied where they lie in NHWC, compiled with explicit vectors",
    reference="Chetlur et al., cuDNN, 2014, arXiv:1410.0759",
    prepare=prepare,
    run=run,
    workspace_bytes=workspace_bytes,
    brings=("numba",),
)
