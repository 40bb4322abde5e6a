"""Filters and channels in the frequency domain, and what it costs to get there.

Spectra are those of real numbers: rows by the non-negative half of the columns. A library of
transforms is a module with NumPy's `rfft2` and `irfft2`.
"""

import math
from typing import Any

import numpy as np

from convbench.problem import Array, ConvProblem
from convbench.strategies._dense import stuff

Shape = tuple[int, int]


def transform_filters(weights: Array, problem: ConvProblem, shape: Shape, library: Any) -> Array:
    """Transform the filters to (frequencies, groups, O/groups, C/groups), conjugated."""
    spectrum = library.rfft2(stuff(weights, problem), s=shape)
    by_channel = spectrum.reshape(problem.groups, -1, weights.shape[1], frequencies(shape))
    conjugated: Array = np.conjugate(by_channel.transpose(3, 0, 1, 2), order="C")
    return conjugated


def mix(spectrum: Array, filters: Array) -> Array:
    """Mix the channels of (N, C, tiles, frequencies) at every frequency to (N, O, …)."""
    batch, _, tiles, count = spectrum.shape
    _, groups, group_out, group_in = filters.shape
    grouped = spectrum.reshape(batch, groups, group_in, tiles, count)
    if group_in == 1:  # nothing to sum, and no matrix either
        mixed = filters.transpose(1, 2, 3, 0) * grouped
    else:
        # At every frequency one (O/groups, C/groups) by (C/groups, N·tiles) product.
        by_frequency = np.ascontiguousarray(grouped.transpose(4, 1, 2, 0, 3))
        columns = by_frequency.reshape(count, groups, group_in, batch * tiles)
        mixed = np.matmul(filters, columns).reshape(count, groups, group_out, batch, tiles)
        mixed = mixed.transpose(3, 1, 2, 4, 0)
    return mixed.reshape(batch, groups * group_out, tiles, count)


def frequencies(shape: Shape) -> int:
    """Count the complex numbers of one spectrum."""
    height, width = shape
    return height * (width // 2 + 1)


def transform_flops(shape: Shape) -> float:
    """Count 2.5 S log2 S operations for one real transform of S points."""
    points = math.prod(shape)
    return 2.5 * points * math.log2(max(points, 2))


def flops_with_tiles(problem: ConvProblem, shape: Shape, tiles: int) -> int:
    """Count the transforms of all tiles, and 8 operations for each complex multiply-add."""
    transforms = problem.batch * tiles * (problem.in_channels + problem.out_channels)
    group_in = problem.in_channels // problem.groups
    products = problem.batch * tiles * problem.out_channels * group_in * frequencies(shape)
    return round(transforms * transform_flops(shape)) + 8 * products


def bytes_with_tiles(
    problem: ConvProblem, shape: Shape, tiles: int, *, before: int = 0, after: int = 0
) -> int:
    """Count the spectra of filters, and the largest moment of three.

    Parameters
    ----------
    before, after : int
        Bytes that are held beside the spectra of x while they are made, and beside those of x
        and the outputs while the latter are transformed back.
    """
    group_in = problem.in_channels // problem.groups
    spectrum = frequencies(shape) * 2 * problem.itemsize
    filters = problem.out_channels * group_in * spectrum
    x = problem.batch * tiles * problem.in_channels * spectrum
    outputs = problem.batch * tiles * problem.out_channels * spectrum
    reordered = 0 if group_in == 1 else x  # a matrix product wants frequencies first
    return filters + max(before + x, x + reordered + outputs, x + outputs + after)


def dense_bytes(problem: ConvProblem, shape: Shape, channels: int, tiles: int = 1) -> int:
    """Count the bytes of this many channels' tiles before or after their transform."""
    return problem.batch * tiles * channels * math.prod(shape) * problem.itemsize
