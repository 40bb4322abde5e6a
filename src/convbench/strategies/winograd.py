"""Minimal filtering: fewer multiplications for more additions, in tiles of the output.

Identity: F(m × m, r × r) computes a tile of m × m outputs as Aᵀ [(G w Gᵀ) ∘ (Bᵀ d B)] A with
(m + r - 1)² multiplications instead of m² r². Summed over channels, each of its elements is one
product of matrices over all tiles. A strided filter is a sum of filters of stride one over the
phases of the image. Errors grow with the powers of the points that a larger tile evaluates at.
Source: Winograd, "Arithmetic complexity of computations", SIAM 1980; Lavin & Gray, "Fast
algorithms for convolutional neural networks", CVPR 2016, arXiv:1509.09308; for strides, Huang et
al., "DWM: a decomposable Winograd method for convolution acceleration", AAAI 2020.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from convbench.problem import Array, ConvProblem
from convbench.reference import winograd_error_bound
from convbench.strategies import _transposed, _winograd
from convbench.strategies._channels_last import moved_output_bytes
from convbench.strategies._layout import nchw_prepare
from convbench.strategies._limits import too_much_workspace
from convbench.strategies._strategy import Strategy
from convbench.strategies._toom_cook import Filtering, as_floats, filtering

Prepared = tuple[Array, _winograd.Plan]
ChooseTile = Callable[[ConvProblem], Filtering]

MAX_PHASE_TAPS = 5
"""Taps of one phase that a tile of four outputs still has points for."""


def prepare(weights: Array, problem: ConvProblem, *, tile_for: ChooseTile) -> Prepared:
    """Transform the filters, cut the output into tiles, compile or load the machine code."""
    tile = tile_for(problem)
    _winograd.convolve_tiles(problem.dtype, outputs=tile.outputs, taps=tile.taps)
    if problem.layout == "NCHW":
        _transposed.load(problem.dtype)
    filters = _winograd.transform_filters(weights, problem, tile)
    return filters, _winograd.plan(problem, tile)


def run(x: Array, prepared: Prepared, problem: ConvProblem) -> Array:
    """Transform, multiply and transform back, block after block, in layout NHWC."""
    if problem.layout == "NHWC":
        return _winograd.convolve(x, *prepared)
    return _transposed.channels_first(_winograd.convolve(_transposed.channels_last(x), *prepared))


def flops(problem: ConvProblem, prepared: Any = None, *, tile_for: ChooseTile) -> int:  # noqa: ARG001  # a Flops
    """Count products and transforms."""
    return _winograd.flops(problem, tile_for(problem))


def workspace_bytes(problem: ConvProblem, *, tile_for: ChooseTile) -> int:
    """Count transformed filters, one block, and what another layout copies."""
    moved = moved_output_bytes(problem)
    if moved:
        moved += int(np.prod(problem.input_shape)) * problem.itemsize
    return _winograd.workspace_bytes(problem, tile_for(problem)) + moved


def error_bound(x: Array, weights: Array, problem: ConvProblem, *, tile_for: ChooseTile) -> Array:
    """Bound the error by the amplification of this tile's transforms."""
    tile = tile_for(problem)
    transform = (
        np.array(as_floats(tile.inputs_transform)),
        np.array(as_floats(tile.filter_transform)),
        np.array(as_floats(tile.outputs_transform)),
    )
    return winograd_error_bound(x, weights, problem, transforms=(transform, transform))


def unsupported_dense(problem: ConvProblem, *, taps: int) -> str | None:
    """Refuse other filters than taps × taps of stride and dilation 1."""
    kernel = (problem.kernel_height, problem.kernel_width)
    if kernel != (taps, taps) or problem.stride != (1, 1):
        return (
            f"filters are {kernel[0]}×{kernel[1]} with stride {problem.stride[0]}×"
            f"{problem.stride[1]}; this tile is made for {taps}×{taps} with stride 1"
        )
    return _unsupported_by_all(problem)


def unsupported_strided(problem: ConvProblem) -> str | None:
    """Refuse strides that leave a phase one tap, or more than a tile has points for."""
    kernel, stride = (problem.kernel_height, problem.kernel_width), problem.stride
    if kernel[0] != kernel[1] or stride[0] != stride[1] or stride[0] == 1:
        return (
            f"filters are {kernel[0]}×{kernel[1]} with stride {stride[0]}×{stride[1]}; phases "
            "need square filters and one stride of at least 2"
        )
    if problem.groups > 1:
        return f"phases of {problem.groups} groups are no neighbours in memory; groups must be 1"
    if not 2 <= _phase_taps(problem) <= MAX_PHASE_TAPS:
        return (
            f"a phase has {_phase_taps(problem)} taps, kernel / stride; it must have 2 to "
            f"{MAX_PHASE_TAPS}"
        )
    return _unsupported_by_all(problem)


def _unsupported_by_all(problem: ConvProblem) -> str | None:
    if problem.dilation != (1, 1):
        return f"dilation is {problem.dilation[0]}×{problem.dilation[1]}; it must be 1"
    if problem.groups == problem.in_channels > 1:
        return "one channel a group leaves no product of matrices; use numba_depthwise"
    filters = problem.out_channels * problem.in_channels // problem.groups
    largest = 64 * filters * problem.stride[0] ** 2 * problem.itemsize  # eight by eight elements
    return too_much_workspace(largest)


def _phase_taps(problem: ConvProblem) -> int:
    return -(-problem.kernel_height // problem.stride[0])


def _strategy(
    name: str, summary: str, unsupported: Callable[[ConvProblem], str | None], tile_for: ChooseTile
) -> Strategy:
    return Strategy(
        name=name,
        family="winograd",
        summary=summary,
        reference="Lavin & Gray, CVPR 2016, arXiv:1509.09308",
        prepare=nchw_prepare(partial(prepare, tile_for=tile_for)),
        run=run,
        unsupported=unsupported,
        flops=partial(flops, tile_for=tile_for),
        workspace_bytes=partial(workspace_bytes, tile_for=tile_for),
        brings=("numba",),
        error_bound=partial(error_bound, tile_for=tile_for),
        local=False,
    )


def _dense(outputs: int, taps: int) -> Strategy:
    return _strategy(
        f"winograd_f{outputs}x{taps}",
        f"{outputs}×{outputs} tiles of {taps}×{taps} filters by minimal filtering",
        partial(unsupported_dense, taps=taps),
        lambda problem: filtering(outputs, taps),  # noqa: ARG005  # a ChooseTile
    )


F2X3, F4X3, F6X3, F4X5 = _dense(2, 3), _dense(4, 3), _dense(6, 3), _dense(4, 5)
STRIDED = _strategy(
    "winograd_strided",
    "4×4 tiles by minimal filtering over the phases of a stride",
    unsupported_strided,
    lambda problem: filtering(4, _phase_taps(problem)),
)
