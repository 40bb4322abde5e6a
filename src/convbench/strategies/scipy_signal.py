"""The convolutions of ``scipy.signal`` for every channel with every filter, summed.

Identity: a correlation is a convolution with the filter turned by half a turn; its valid part,
subsampled, is the strided one. `fftconvolve` transforms both planes as large as their full
convolution, `oaconvolve` cuts the larger one into blocks whose results overlap and are added, and
`convolve` chooses between `fftconvolve` and a plain sum. All of them transform a channel again
for every filter, and a filter again for every image: their interface has no place to keep either.
Source: SciPy reference guide, scipy.signal.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np

from convbench.problem import Array, ConvProblem
from convbench.reference import direct_error_bound, fft_error_bound
from convbench.strategies._dense import dense_shape, stuff
from convbench.strategies._layout import nchw_prepare, nchw_run
from convbench.strategies._limits import (
    MAX_SLOW_MACS,
    too_many_library_calls,
    too_many_slow_macs,
    too_many_transform_flops,
)
from convbench.strategies._pairs import channel_flops, count_pairs, dense_macs, sum_pairs
from convbench.strategies._strategy import Strategy
from convbench.strategies._windows import pad, padded_bytes

# Cycles of small objects that a call leaves behind, until the collector has met 700 of them.
GARBAGE_BYTES = 32_768

# SciPy's sum for any number of dimensions takes ten times as long as that for two.
MAX_DIRECT_MACS = MAX_SLOW_MACS // 10


@dataclass(frozen=True, slots=True)
class Transforms:
    """What SciPy transforms for one pair of planes.

    Attributes
    ----------
    lengths : of one transform, along the axes where the filter has more than one element
    blocks : number of pieces of the plane; pieces of a filter are never more than one
    """

    lengths: tuple[int, ...]
    blocks: int

    @property
    def points(self) -> int:
        """Real numbers of one piece."""
        return math.prod(self.lengths)

    @property
    def frequencies(self) -> int:
        """Complex numbers of one piece's spectrum."""
        if not self.lengths:
            return 0
        *leading, last = self.lengths
        return math.prod(leading) * (last // 2 + 1)

    @property
    def flops(self) -> int:
        """Transforms of the plane, the filter and the result, and a product between them."""
        if not self.lengths:
            return self.blocks  # SciPy multiplies the plane by the one element of the filter
        transform = 2.5 * self.points * math.log2(self.points)
        return round((2 * self.blocks + 1) * transform) + 6 * self.blocks * self.frequencies


@nchw_prepare
def prepare(weights: Array, problem: ConvProblem) -> Array:
    """Stuff the filters with the zeros of their dilation and turn them by half a turn."""
    import scipy.signal  # noqa: F401  # here, so that the first `run` does not pay for it

    return np.ascontiguousarray(stuff(weights, problem)[:, :, ::-1, ::-1])


@nchw_run
def run_fftconvolve(x: Array, filters: Array, problem: ConvProblem) -> Array:
    """Sum the channels' convolutions through transforms of whole planes."""
    from scipy.signal import fftconvolve

    return sum_pairs(pad(x, problem), filters, problem, partial(fftconvolve, mode="valid"))


@nchw_run
def run_oaconvolve(x: Array, filters: Array, problem: ConvProblem) -> Array:
    """Sum the channels' convolutions through transforms of blocks."""
    from scipy.signal import oaconvolve

    return sum_pairs(pad(x, problem), filters, problem, partial(oaconvolve, mode="valid"))


@nchw_run
def run_convolve(x: Array, filters: Array, problem: ConvProblem) -> Array:
    """Sum the channels' convolutions by the method that SciPy chooses for planes of this shape."""
    from scipy.signal import convolve

    call = partial(convolve, mode="valid", method=choose_method(problem))
    return sum_pairs(pad(x, problem), filters, problem, call)


@cache
def choose_method(problem: ConvProblem) -> str:
    """Ask SciPy for `fft` or `direct`; it looks at shapes and dtype only."""
    from scipy.signal import choose_conv_method

    plane, taps = (np.empty(shape, problem.dtype) for shape in (problem.padded, problem.span))
    method: str = choose_conv_method(plane, taps, mode="valid")
    return method


@cache
def whole_transforms(problem: ConvProblem) -> Transforms:
    """Describe a call of `fftconvolve`."""
    from scipy.fft import next_fast_len

    transformed, other = _split_axes(problem)
    lengths = tuple(next_fast_len(size + span - 1, real=True) for size, span in transformed)
    return Transforms(lengths, other)


@cache
def block_transforms(problem: ConvProblem) -> Transforms:
    """Describe a call of `oaconvolve`, which is one of `fftconvolve` when no axis has blocks.

    Where only one axis has them, the other is transformed at its full length, fast or not.
    """
    transformed, other = _split_axes(problem)
    lengths, counts = [], []
    for size, span in transformed:
        block, count = _blocks(size, span)
        lengths.append(block)
        counts.append(count)
    blocks = math.prod(counts)
    return whole_transforms(problem) if blocks == 1 else Transforms(tuple(lengths), blocks * other)


def _split_axes(problem: ConvProblem) -> tuple[list[tuple[int, int]], int]:
    """Find (plane, filter) sizes of the axes to transform, and the product of the others."""
    axes = list(zip(problem.padded, problem.span, strict=True))
    other = math.prod(size for size, span in axes if span == 1)
    return [(size, span) for size, span in axes if span > 1], other


def _blocks(size: int, span: int) -> tuple[int, int]:
    """Find the length and number of blocks that `oaconvolve` takes along an axis.

    The length N minimises the work N log2(2 N) / (N - K) per output, with an overlap K of
    span - 1: its derivative is zero at N = -K W(-1 / (2 e K)), W being Lambert's function.
    """
    from scipy.fft import next_fast_len
    from scipy.special import lambertw

    whole, overlap = size + span - 1, span - 1
    if 2 * span >= size:
        return whole, 1
    best = -overlap * lambertw(-1 / (2 * math.e * overlap), k=-1).real
    length = next_fast_len(math.ceil(best))
    if length >= size:
        return whole, 1
    step = length - overlap
    count = -(-(size + 1) // step)
    return length, count + (count * step < whole)


def whole_error_bound(x: Array, weights: Array, problem: ConvProblem) -> Array:
    """Bound the error by transforms of the full convolution's length."""
    return fft_error_bound(x, weights, problem, lengths=whole_transforms(problem).lengths)


def block_error_bound(x: Array, weights: Array, problem: ConvProblem) -> Array:
    """Bound the error by transforms of blocks, of which four or fewer add up to an output.

    Blocks do not share elements of x, so their norms add up to at most √4 ‖x‖₂; the additions are
    covered by doubling the error of the products too.
    """
    return 2 * fft_error_bound(x, weights, problem, lengths=block_transforms(problem).lengths)


def auto_error_bound(x: Array, weights: Array, problem: ConvProblem) -> Array:
    """Bound the error of the method that SciPy chooses."""
    bound = whole_error_bound if choose_method(problem) == "fft" else direct_error_bound
    return bound(x, weights, problem)


def unsupported_transforms(
    problem: ConvProblem, describe: Callable[[ConvProblem], Transforms]
) -> str | None:
    """Refuse too many calls, and transforms that take seconds."""
    pairs = count_pairs(problem)
    return too_many_library_calls(pairs) or too_many_transform_flops(
        pairs * describe(problem).flops
    )


def unsupported_convolve(problem: ConvProblem) -> str | None:
    """Refuse too many calls, and seconds of the method that SciPy chooses."""
    if choose_method(problem) == "fft":
        return unsupported_transforms(problem, whole_transforms)
    return too_many_library_calls(count_pairs(problem)) or too_many_slow_macs(
        dense_macs(problem), limit=MAX_DIRECT_MACS
    )


def transforms_flops(
    problem: ConvProblem,
    prepared: Any = None,  # noqa: ARG001  # a Flops
    *,
    describe: Callable[[ConvProblem], Transforms],
) -> int:
    """Count the transforms of every pair, and the sums over channels."""
    return count_pairs(problem) * describe(problem).flops + channel_flops(problem)


def convolve_flops(problem: ConvProblem, prepared: Any = None) -> int:
    """Count what the method that SciPy chooses executes."""
    if choose_method(problem) == "fft":
        return transforms_flops(problem, prepared, describe=whole_transforms)
    return 2 * dense_macs(problem)


def transforms_bytes(problem: ConvProblem, describe: Callable[[ConvProblem], Transforms]) -> int:
    """Count three spectra and the full result of one pair beside what `direct_bytes` counts."""
    transforms = describe(problem)
    spectra = (2 * transforms.blocks + 1) * transforms.frequencies * 2
    return direct_bytes(problem) + (spectra + transforms.blocks * transforms.points) * (
        problem.itemsize
    )


def block_bytes(problem: ConvProblem) -> int:
    """Count what `oaconvolve` holds, and the Python objects that it leaves to the collector."""
    return transforms_bytes(problem, block_transforms) + GARBAGE_BYTES


def convolve_bytes(problem: ConvProblem) -> int:
    """Count what the method that SciPy chooses holds."""
    if choose_method(problem) == "fft":
        return transforms_bytes(problem, whole_transforms)
    return direct_bytes(problem)


def direct_bytes(problem: ConvProblem) -> int:
    """Count padded input, stuffed filters, a dense output plane, and one to add to it."""
    group_in = problem.in_channels // problem.groups
    filters = problem.out_channels * group_in * math.prod(problem.span)
    numbers = filters + min(group_in, 2) * math.prod(dense_shape(problem))
    return padded_bytes(problem) + numbers * problem.itemsize


FFTCONVOLVE = Strategy(
    name="fftconvolve",
    family="fft",
    summary="scipy.signal.fftconvolve per channel, summed and subsampled",
    reference="SciPy reference guide, scipy.signal.fftconvolve",
    prepare=prepare,
    run=run_fftconvolve,
    unsupported=partial(unsupported_transforms, describe=whole_transforms),
    flops=partial(transforms_flops, describe=whole_transforms),
    workspace_bytes=partial(transforms_bytes, describe=whole_transforms),
    error_bound=whole_error_bound,
    local=False,
    threaded=False,
)

OACONVOLVE = Strategy(
    name="oaconvolve",
    family="fft",
    summary="scipy.signal.oaconvolve (overlap-add) per channel, summed and subsampled",
    reference="SciPy reference guide, scipy.signal.oaconvolve",
    prepare=prepare,
    run=run_oaconvolve,
    unsupported=partial(unsupported_transforms, describe=block_transforms),
    flops=partial(transforms_flops, describe=block_transforms),
    workspace_bytes=block_bytes,
    error_bound=block_error_bound,
    local=False,
    threaded=False,
)

CONVOLVE_AUTO = Strategy(
    name="scipy_convolve_auto",
    family="fft",
    summary="scipy.signal.convolve per channel, by the method that SciPy chooses",
    reference="SciPy reference guide, scipy.signal.convolve and choose_conv_method",
    prepare=prepare,
    run=run_convolve,
    unsupported=unsupported_convolve,
    flops=convolve_flops,
    workspace_bytes=convolve_bytes,
    error_bound=auto_error_bound,
    local=False,
    threaded=False,
)
