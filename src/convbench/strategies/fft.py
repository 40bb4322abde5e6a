"""Multiply in the frequency domain: each channel and each filter is transformed once.

Identity: F(x ⋆ w) = F(x) · conj(F(w)), summed over channels before the one inverse transform of
each output plane. Transforms as large as the padded input suffice, because the positions that
wrap around are not among the valid ones. The stride subsamples the dense result. One strategy
per library of transforms.
Source: Mathieu, Henaff & LeCun, "Fast training of convolutional networks through FFTs",
ICLR 2014.
"""

import importlib
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from typing import Any

import numpy as np

from convbench.problem import Array, ConvProblem
from convbench.reference import fft_error_bound
from convbench.strategies._dense import subsample
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
from convbench.strategies._windows import pad, padded_bytes

Prepare = Callable[[Array, ConvProblem], Array]
Run = Callable[[Array, Array, ConvProblem], Array]


def prepare_with(library: str) -> Prepare:
    """Return a `prepare` that transforms the filters by the module of this name."""

    @nchw_prepare
    def prepare(weights: Array, problem: ConvProblem) -> Array:
        transforms = importlib.import_module(library)
        return transform_filters(weights, problem, _transform_shape(problem), transforms)

    return prepare


def run_with(library: str, *, norm: str = "backward", **inverse_options: Any) -> Run:
    """Return a `run` that transforms channels, mixes them at every frequency, and transforms back.

    The filters' transform is not scaled, so that any norm gives the same products.
    """

    @nchw_run
    def run(x: Array, filters: Array, problem: ConvProblem) -> Array:
        transforms = importlib.import_module(library)
        height, width = _transform_shape(problem)
        spectrum = transforms.rfft2(pad(x, problem), s=(height, width), norm=norm)
        one_tile = spectrum.reshape(*spectrum.shape[:2], 1, len(filters))
        mixed = mix(one_tile, filters)
        planes = mixed.reshape(problem.batch, problem.out_channels, height, width // 2 + 1)
        dense = transforms.irfft2(planes, s=(height, width), norm=norm, **inverse_options)
        return np.ascontiguousarray(subsample(dense, problem))

    return run


def unsupported(problem: ConvProblem) -> str | None:
    """Refuse transformed filters that outgrow memory."""
    return too_much_workspace(workspace_bytes(problem))


def mkl_unsupported(problem: ConvProblem) -> str | None:
    """Refuse where mkl_fft is absent, and transformed filters that outgrow memory."""
    if find_spec("mkl_fft") is None:  # unlike an import, this loads nothing
        return "mkl_fft is not installed; pip install mkl-fft"
    return unsupported(problem)


def flops(problem: ConvProblem, prepared: Any = None) -> int:  # noqa: ARG001  # a Flops
    """Count transforms as large as the padded input, and the products between them."""
    return flops_with_tiles(problem, _transform_shape(problem), tiles=1)


def workspace_bytes(problem: ConvProblem) -> int:
    """Count spectra, the padded input as SciPy lengthens it, and dense outputs."""
    shape = _transform_shape(problem)
    longer = 0 if shape == problem.padded else dense_bytes(problem, shape, problem.in_channels)
    return bytes_with_tiles(
        problem,
        shape,
        tiles=1,
        before=padded_bytes(problem) + longer,
        after=dense_bytes(problem, shape, problem.out_channels),
    )


def workspace_bytes_by_axes(problem: ConvProblem) -> int:
    """Count spectra twice during their transforms, which take one axis after the other."""
    height, width = shape = _transform_shape(problem)
    spectrum = (height, width // 2 * 2 + 2)  # as many numbers, half of them imaginary
    return bytes_with_tiles(
        problem,
        shape,
        tiles=1,
        before=padded_bytes(problem) + dense_bytes(problem, spectrum, problem.in_channels),
        after=dense_bytes(problem, spectrum, problem.out_channels)
        + dense_bytes(problem, shape, problem.out_channels),
    )


@cache  # it stands in `run`, and next_fast_len is not free
def _transform_shape(problem: ConvProblem) -> Shape:
    from scipy.fft import next_fast_len

    height, width = problem.padded
    return next_fast_len(height, real=True), next_fast_len(width, real=True)


STRATEGY = Strategy(
    name="fft",
    family="fft",
    summary="channels mixed in the frequency domain, filters transformed beforehand",
    reference="Mathieu, Henaff & LeCun, ICLR 2014, arXiv:1312.5851",
    prepare=prepare_with("scipy.fft"),
    run=run_with("scipy.fft", overwrite_x=True),
    unsupported=unsupported,
    flops=flops,
    workspace_bytes=workspace_bytes,
    error_bound=fft_error_bound,
    local=False,
)

NUMPY = Strategy(
    name="fft_numpy",
    family="fft",
    summary="as fft, with the transforms of numpy.fft",
    reference="Mathieu, Henaff & LeCun, ICLR 2014; NumPy reference guide, numpy.fft",
    prepare=prepare_with("numpy.fft"),
    # Without a factor in single precision to multiply by, NumPy 2 casts to double and back.
    run=run_with("numpy.fft", norm="ortho"),
    unsupported=unsupported,
    flops=flops,
    workspace_bytes=workspace_bytes_by_axes,
    error_bound=fft_error_bound,
    local=False,
)

MKL = Strategy(
    name="fft_mkl",
    family="fft",
    summary="as fft, with the transforms of Intel MKL",
    reference="Mathieu, Henaff & LeCun, ICLR 2014; mkl_fft, Intel's interface to MKL",
    prepare=prepare_with("mkl_fft"),
    run=run_with("mkl_fft"),
    unsupported=mkl_unsupported,
    flops=flops,
    workspace_bytes=workspace_bytes_by_axes,
    brings=("mkl_fft", "mkl"),  # the module, and the family of libraries that it maps
    error_bound=fft_error_bound,
    local=False,
)
