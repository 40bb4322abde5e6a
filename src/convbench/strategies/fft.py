"""Multiply in the frequency domain: each channel and each filter is transformed once.

Identity: F(x ⋆ w) = F(x) · conj(F(w)), summed over channels before the one inverse transform of
each output plane. Transforms as large as the padded input suffice, because the positions that
wrap around are not among the valid ones. The stride subsamples the dense result.
Source: Mathieu, Henaff & LeCun, "Fast training of convolutional networks through FFTs",
ICLR 2014.
"""

import math
from functools import cache
from typing import Any

import numpy as np

from convbench.problem import Array, ConvProblem
from convbench.strategies._layout import nchw_prepare, nchw_run
from convbench.strategies._limits import too_much_workspace
from convbench.strategies._strategy import Strategy
from convbench.strategies._windows import pad


@nchw_prepare
def prepare(weights: Array, problem: ConvProblem) -> Array:
    """Transform the filters to (frequencies, groups, O/groups, C/groups), conjugated."""
    from scipy import fft

    dilation_h, dilation_w = problem.dilation
    stuffed = np.zeros((*weights.shape[:2], *problem.span), dtype=weights.dtype)
    stuffed[:, :, ::dilation_h, ::dilation_w] = weights
    spectrum = fft.rfft2(stuffed, s=_transform_shape(problem))
    group_out, group_in = problem.out_channels // problem.groups, weights.shape[1]
    by_frequency = spectrum.reshape(problem.groups, group_out, group_in, -1).transpose(3, 0, 1, 2)
    conjugated: Array = np.conjugate(by_frequency, order="C")
    return conjugated


@nchw_run
def run(x: Array, filters: Array, problem: ConvProblem) -> Array:
    """Transform the channels, mix them at every frequency, transform the outputs back."""
    from scipy import fft

    height, width = _transform_shape(problem)
    spectrum = fft.rfft2(pad(x, problem), s=(height, width))
    grouped = spectrum.reshape(problem.batch, problem.groups, filters.shape[3], -1)
    if filters.shape[3] == 1:  # one channel a group: nothing to sum, and no matrix either
        mixed = filters.transpose(1, 2, 3, 0)[:, :, 0] * grouped
    else:
        # At every frequency one (O/groups, C/groups) by (C/groups, N) product.
        by_frequency = np.ascontiguousarray(grouped.transpose(3, 1, 2, 0))
        mixed = np.matmul(filters, by_frequency).transpose(3, 1, 2, 0)
    planes = mixed.reshape(problem.batch, problem.out_channels, height, width // 2 + 1)
    dense = fft.irfft2(planes, s=(height, width), overwrite_x=True)
    stride_h, stride_w = problem.stride
    rows, columns = problem.out_height * stride_h, problem.out_width * stride_w
    return np.ascontiguousarray(dense[:, :, :rows:stride_h, :columns:stride_w])


def unsupported(problem: ConvProblem) -> str | None:
    """Refuse transformed filters that outgrow memory."""
    return too_much_workspace(workspace_bytes(problem))


def flops(problem: ConvProblem, prepared: Any = None) -> int:  # noqa: ARG001  # a Flops
    """Count 2.5 S log2 S a real transform of S points, and 8 a complex multiply-add."""
    points = math.prod(_transform_shape(problem))
    transforms = problem.batch * (problem.in_channels + problem.out_channels)
    group_in = problem.in_channels // problem.groups
    products = problem.batch * problem.out_channels * group_in * _frequencies(problem)
    return round(2.5 * transforms * points * math.log2(max(points, 2))) + 8 * products


def workspace_bytes(problem: ConvProblem) -> int:
    """Count spectra of filters, x and outputs (x and outputs in two orders), and dense outputs."""
    group_in = problem.in_channels // problem.groups
    orders = 1 if group_in == 1 else 2
    planes = orders * problem.batch * (problem.in_channels + problem.out_channels)
    filters = problem.out_channels * group_in
    spectra = (filters + planes) * _frequencies(problem) * 2 * problem.itemsize
    points = math.prod(_transform_shape(problem))
    return spectra + problem.batch * problem.out_channels * points * problem.itemsize


@cache  # it stands in `run`, and next_fast_len is not free
def _transform_shape(problem: ConvProblem) -> tuple[int, int]:
    from scipy.fft import next_fast_len

    height, width = problem.padded
    return next_fast_len(height, real=True), next_fast_len(width, real=True)


def _frequencies(problem: ConvProblem) -> int:
    height, width = _transform_shape(problem)
    return height * (width // 2 + 1)


STRATEGY = Strategy(
    name="fft",
    family="fft",
    summary="channels mixed in the frequency domain, filters transformed beforehand",
    reference="Mathieu, Henaff & LeCun, ICLR 2014, arXiv:1312.5851",
    prepare=prepare,
    run=run,
    unsupported=unsupported,
    flops=flops,
    workspace_bytes=workspace_bytes,
)
