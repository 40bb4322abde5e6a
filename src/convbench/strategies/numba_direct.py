"""The direct convolution, blocked and compiled with explicit vectors along rows of outputs.

Identity: the definition. Split by the strides' phases and padded, a block of the input's rows lies
in memory such that one tap of a filter meets all outputs of the block at neighbouring places, row
after row: a vector of outputs is a sum of filter elements times unaligned vectors of inputs. Sums
of several filters and vectors are kept in registers from the first tap to the last; the few
outputs between the rows, which belong to no position, are left behind.
Source: Zhang, Franchetti & Low, "High performance zero-memory overhead direct convolutions",
ICML 2018; Goto & van de Geijn, ACM TOMS 34(3), 2008, for the sums in registers.
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

PANEL_BYTES = 24 * 2**10
"""Inputs that meet all filters before the next ones are read: half of a usual L1 cache."""

FEW_TASKS = 8
"""With fewer blocks than this, the filters are shared too."""

_BEYOND_BYTES = 8 * 64
"""How far whole vectors may reach beyond what is needed: the widest strip."""


@dataclass(frozen=True, slots=True)
class _Geometry:
    """How a problem is split into blocks of output rows, and how a block's inputs are copied.

    A block holds the channels of one group, and of these one image for each pair of a vertical
    and a horizontal phase: every stride-th row and column.

    Attributes
    ----------
    rows, blocks : int
        Output rows of a block, and blocks of an image.
    image_rows, image_width : int
        Sizes of the image of one channel and phase; an output row is as wide here.
    strip : int
        Filters that are computed together.
    strips : int
        Strips of a group that are computed from one copy of a block's inputs.
    taps : int
        Taps, of whole channels, that are summed before those of the next channels.
    """

    rows: int
    blocks: int
    image_rows: int
    image_width: int
    strip: int
    strips: int
    taps: int

    @classmethod
    def of(cls, problem: ConvProblem) -> "_Geometry":
        from convbench.strategies import _simd

        stride_h, stride_w = problem.stride
        width = -(-problem.padded[1] // stride_w)
        more = (problem.span[0] - 1) // stride_h
        images = problem.in_channels // problem.groups * _phases(problem)
        fitting = BLOCK_BYTES // (images * width * problem.itemsize) - more
        blocks = -(-problem.out_height // max(1, fitting))
        rows = -(-problem.out_height // blocks)
        group_out = problem.out_channels // problem.groups

        def cycles(strip: int) -> float:
            # Of two a cycle: a multiply-add a filter, or two halves of an unaligned load and a
            # part of a broadcast.
            each: float = max(strip, 2 + strip / _simd.SHIFTED_STRIPS[strip])
            return -(-group_out // strip) * each

        strip = min(sorted(_simd.SHIFTED_STRIPS, reverse=True), key=cycles)
        blocks, strips = -(-problem.out_height // rows), -(-group_out // strip)
        # A copy of the inputs costs little beside many strips; threads need something to share.
        parts = FEW_TASKS if problem.batch * problem.groups * blocks < FEW_TASKS else 1
        # A strip of one channel's inputs: its vectors and what unaligned ones reach beyond.
        panel = problem.kernel_height * (_simd.SHIFTED_STRIPS[strip] + 1) * _simd.VECTOR_BYTES
        taps = max(1, PANEL_BYTES // panel) * problem.kernel_height * problem.kernel_width
        return cls(rows, blocks, rows + more, width, strip, -(-strips // parts), taps)

    def parts(self, problem: ConvProblem) -> int:
        """Count the parts of a group's strips."""
        return -(-problem.out_channels // problem.groups // (self.strip * self.strips))

    def tasks(self, problem: ConvProblem) -> int:
        """Count the blocks of images and groups, each as often as there are parts of its strips."""
        return problem.batch * problem.groups * self.blocks * self.parts(problem)


@nchw_prepare
def prepare(weights: Array, problem: ConvProblem) -> Prepared:
    """Pack the filters of a strip side by side, and tabulate where each tap meets the inputs."""
    geometry = _Geometry.of(problem)
    group_out = problem.out_channels // problem.groups
    strips = geometry.parts(problem) * geometry.strips
    rows = np.zeros((problem.groups, strips * geometry.strip, problem.taps), weights.dtype)
    rows[:, :group_out] = weights.reshape(problem.groups, group_out, problem.taps)
    filters = rows.reshape(problem.groups, strips, geometry.strip, problem.taps)
    return Prepared(
        _convolve(problem.dtype),
        np.ascontiguousarray(filters.swapaxes(2, 3)),
        (_offsets(problem, geometry), _numbers(problem, geometry)),
        _scratch(problem, geometry),
        geometry.tasks(problem),
        problem.output_shape,
        problem.flops >= WORTH_FLOPS,
    )


def workspace_bytes(problem: ConvProblem) -> int:
    """Count the packed filters, the table of offsets, and the scratch of every thread."""
    geometry = _Geometry.of(problem)
    strips = geometry.parts(problem) * geometry.strips
    filters = problem.groups * strips * geometry.strip * problem.taps
    sharing = threads.count() if problem.flops >= WORTH_FLOPS else 1
    scratch = min(sharing, geometry.tasks(problem)) * sum(_scratch(problem, geometry))
    return (filters + scratch) * problem.itemsize + 8 * problem.taps


def _phases(problem: ConvProblem) -> int:
    """Count the pairs of phases that a filter meets."""
    return problem.stride[0] * problem.stride[1]


def _offsets(problem: ConvProblem, geometry: _Geometry) -> Array:
    """Tabulate, for each channel and tap, where it meets the first output's input."""
    stride_h, stride_w = problem.stride
    rows = np.arange(problem.kernel_height) * problem.dilation[0]
    columns = np.arange(problem.kernel_width) * problem.dilation[1]
    image = geometry.image_rows * geometry.image_width
    vertical = rows % stride_h * stride_w * image + rows // stride_h * geometry.image_width
    horizontal = columns % stride_w * image + columns // stride_w
    channels = np.arange(problem.in_channels // problem.groups) * _phases(problem) * image
    offsets: Array = channels[:, None, None] + vertical[:, None] + horizontal
    return offsets.ravel()


def _scratch(problem: ConvProblem, geometry: _Geometry) -> tuple[int, int]:
    """Count the elements of a block's inputs, and of its outputs before they are put in place."""
    beyond = _BEYOND_BYTES // problem.itemsize
    image = geometry.image_rows * geometry.image_width
    inputs = problem.in_channels // problem.groups * _phases(problem) * image + beyond
    return inputs, geometry.strips * geometry.strip * (
        geometry.rows * geometry.image_width + beyond
    )


def _numbers(problem: ConvProblem, geometry: _Geometry) -> Array:
    return np.array(
        (
            *(problem.in_channels, problem.height, problem.width, problem.groups),
            *(problem.out_channels, problem.out_height, problem.out_width),
            *(*problem.stride, *problem.padding),
            *(geometry.rows, geometry.blocks, geometry.image_rows, geometry.image_width),
            *(geometry.strips, geometry.taps, problem.layout == "NCHW"),
        ),
        np.intp,
    )


@kernel(
    *(Reads(4), Reads(4), Writes(4), Writes(1), Writes(1)),
    *(Indices(), Indices(), int, int),
    names=simd_names,
)
def _convolve(
    x: Array,
    filters: Array,
    output: Array,
    inputs: Array,
    outputs: Array,
    offsets: Array,
    numbers: Array,
    first: int,
    last: int,
) -> None:
    """Compute the parts of blocks, first <= task < last."""
    channels, height, width, groups, out_channels, out_height, out_width = numbers[:7]
    stride_h, stride_w, pad_top, pad_left, rows, blocks, image_rows, image_width = numbers[7:15]
    strips_at_once, taps_at_once, planes = numbers[15:]
    _, strips, taps, strip = filters.shape
    depth, group_out, parts = channels // groups, out_channels // groups, strips // strips_at_once
    flat, packed = x.reshape(x.size), filters.reshape(filters.size)
    target, copied = output.reshape(output.size), -1
    image, step = image_rows * image_width, outputs.size // (strips_at_once * strip)
    by_channel, width_at_once = stride_h * stride_w * image, simd.correlated(strip, output.itemsize)
    for k in range(depth * by_channel, inputs.size):
        inputs[k] = 0
    for task in range(first, last):
        block, part = task // parts, task % parts
        n, group, top = block // blocks // groups, block // blocks % groups, block % blocks * rows
        count = min(rows, out_height - top)
        copied_rows = (image_rows - rows + count) * stride_h if block != copied else 0
        copied = block
        for index in range(copied_rows * stride_w):
            row, phase = index // stride_w, index % stride_w
            y = top * stride_h - pad_top + row
            line = (row % stride_h * stride_w + phase) * image + row // stride_h * image_width
            # Inside are the columns q of this phase with 0 <= q · stride + phase - left < width.
            begin = min(image_width, max(0, -((phase - pad_left) // stride_w)))
            end = (width + pad_left - phase + stride_w - 1) // stride_w
            end = min(image_width, max(begin, end))
            if y < 0 or y >= height:
                begin, end = image_width, image_width
            inside, left = end - begin, begin * stride_w + phase - pad_left
            for c in range(depth):
                at = line + c * by_channel
                for q in range(begin):
                    inputs[at + q] = 0
                for q in range(end, image_width):
                    inputs[at + q] = 0
                if planes:
                    here = ((n * channels + group * depth + c) * height + y) * width + left
                    if stride_w == 1:  # a loop of its own, which is a plain copy
                        for q in range(inside):
                            inputs[at + begin + q] = flat[here + q]
                    else:
                        for q in range(inside):
                            inputs[at + begin + q] = flat[here + q * stride_w]
            if inside and not planes:
                here = ((n * height + y) * width + left) * channels + group * depth
                pixel = stride_w * channels
                simd.transpose(flat, here, pixel, inputs, line + begin, by_channel, inside, depth)
        positions = (count - 1) * image_width + out_width
        first_strip = part * strips_at_once
        for k in range(0, taps, taps_at_once):
            for column in range(0, positions, width_at_once):
                for at in range(strips_at_once):
                    simd.correlate(
                        *(inputs, column, offsets, k, min(k + taps_at_once, taps), packed),
                        *((group * strips + first_strip + at) * taps * strip, strip, outputs),
                        *(at * strip * step + column, step, min(width_at_once, positions - column)),
                    )
        first_o = first_strip * strip
        valid = min(strips_at_once * strip, group_out - first_o)
        first_o += group * group_out
        # Without gaps between the rows, they are copied as one.
        lines, length = (1, positions) if image_width == out_width else (count, out_width)
        for row in range(lines):
            line = row * image_width
            if planes:
                for o in range(valid):
                    to = ((n * out_channels + first_o + o) * out_height + top + row) * out_width
                    for q in range(length):
                        target[to + q] = outputs[o * step + line + q]
            else:
                to = (n * out_height + top + row) * out_width * out_channels + first_o
                simd.transpose(outputs, line, step, target, to, out_channels, valid, length)


STRATEGY = Strategy(
    name="numba_direct",
    family="direct",
    summary="the definition in blocks, with explicit vectors along rows, compiled",
    reference="Zhang, Franchetti & Low, ICML 2018, arXiv:1809.10170",
    prepare=prepare,
    run=run,
    workspace_bytes=workspace_bytes,
    brings=("numba",),
)
