"""The float64 convolution that every strategy is measured against, and how far they may differ.

It follows the definition in `convbench.problem` literally: indices outside the image are left
out, so there is no padded copy, no window view and no BLAS that a strategy could share.

NumPy and the standard library only, and any object with ConvProblem's attributes will do:
benchmarks load this file by its path.
"""

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:  # not at run time: an old package beside this file may lack the module
    from convbench.problem import ConvProblem

Array = npt.NDArray[Any]
Transform = tuple[Array, Array, Array]
"""(B^T, G, A^T) of minimal filtering along one axis."""

# A rounded operation has a relative error of at most the unit roundoff, half of eps.
UNIT_ROUNDOFF = {"float32": 2.0**-24, "float64": 2.0**-53}


def convolve(x: Array, weights: Array, problem: "ConvProblem") -> Array:
    """Convolve by the definition, in float64, in the problem's layout.

    Parameters
    ----------
    x, weights : array
        Operands of `problem`, in its layout.
    problem : ConvProblem or alike

    Returns
    -------
    float64 array, shape of the problem's output
    """
    groups, group_in = problem.groups, problem.in_channels // problem.groups
    image = _as_nchw(x, problem).reshape(-1, groups, group_in, problem.height, problem.width)
    filters = _as_nchw(weights, problem).reshape(
        groups, -1, group_in, problem.kernel_height, problem.kernel_width
    )
    out_size = (problem.out_height, problem.out_width)
    output = np.zeros((problem.batch, groups, filters.shape[1], *out_size))
    for i in range(problem.kernel_height):
        rows, from_rows = _reach(problem, 0, i)
        for j in range(problem.kernel_width):
            columns, from_columns = _reach(problem, 1, j)
            # Plain loops in C; einsum calls BLAS only when asked to optimize.
            output[..., rows, columns] += np.einsum(
                "goc,ngcyx->ngoyx", filters[..., i, j], image[..., from_rows, from_columns]
            )
    planes = output.reshape(problem.batch, problem.out_channels, *out_size)
    return planes if problem.layout == "NCHW" else np.moveaxis(planes, 1, -1)


def relative_error(output: Array, reference: Array) -> float:
    """Return the largest absolute error over the largest absolute reference value."""
    largest = float(np.max(np.abs(reference)))
    error = float(np.max(np.abs(output.astype(np.float64) - reference)))
    return error / largest if largest else error


def direct_error_bound(x: Array, weights: Array, problem: "ConvProblem") -> Array:
    """Bound the error of any algorithm that sums the products of the definition.

    A sum of n products, in any order, with or without fused multiply-adds, differs from the exact
    one by at most γ_n Σ|x||w| with γ_n = n u / (1 - n u) (Higham, "Accuracy and stability of
    numerical algorithms", 2nd ed., section 3.1). Products with zero add no error. The reference's
    own error, γ_n in float64, is included.

    Returns
    -------
    float64 array, shape of the output: how far each element may lie from `convolve`
    """
    taps = problem.in_channels // problem.groups * problem.kernel_height * problem.kernel_width
    magnitude = convolve(np.abs(x), np.abs(weights), problem)
    gamma = _gamma(taps, problem.dtype) + _gamma(taps, "float64")
    return np.asarray(gamma * (1 + gamma) * magnitude)


def fft_error_bound(
    x: Array,
    weights: Array,
    problem: "ConvProblem",
    *,
    lengths: tuple[int, ...] | None = None,
) -> Array:
    """Bound the error of a convolution through Fourier transforms.

    A transform of S points has a relative error of at most δ = η log2 S in the 2-norm, with
    η = u + γ_4 (√2 + u) < 8 u (Higham, theorem 24.2). For one channel of x and of a filter:

    - errors of the two forward transforms reach the output through a product and a sum over
      frequencies: at most 2 δ ‖x‖₂ ‖w‖₂ by Cauchy-Schwarz;
    - complex products and the sum over C channels: γ_(C+4) ‖x‖₂ ‖w‖₂ alike;
    - the inverse transform: δ times the norm of its result, at most ‖x‖₂ ‖w‖₁ (Young).

    The sum over the channels of a group bounds every element of an output plane, unlike
    `direct_error_bound` also where the output is small. Terms of order u² are covered by η's slack.

    Parameters
    ----------
    lengths : tuple of int, optional
        Lengths of the transforms along each axis that is transformed; by default the largest that
        a fast length for the padded input can be, less than twice its size along both axes.

    Returns
    -------
    float64 array, shape of the output: how far each element may lie from `convolve`
    """
    shape = (problem.batch, problem.out_channels, problem.out_height, problem.out_width)
    group_in = problem.in_channels // problem.groups
    x_norm = np.sqrt(np.sum(_as_nchw(x, problem) ** 2, axis=(2, 3)))
    x_norm = x_norm.reshape(problem.batch, problem.groups, group_in)
    if lengths is None:
        points = math.prod(2 * size for size in _padded(problem))
        delta = 8 * UNIT_ROUNDOFF[problem.dtype] * math.log2(points)
    else:
        delta = _transform_error(lengths, problem.dtype)
    planewise = _transformed_error(x_norm, weights, problem, delta)
    bound = np.broadcast_to(planewise.reshape(shape[:2])[:, :, None, None], shape)
    return bound if problem.layout == "NCHW" else np.moveaxis(bound, 1, -1)


def tiled_fft_error_bound(
    x: Array,
    weights: Array,
    problem: "ConvProblem",
    *,
    transform: tuple[int, int],
    outputs: tuple[int, int],
) -> Array:
    """Bound the error of a convolution through Fourier transforms of tiles (overlap-save).

    An output depends on the tile that it is computed from alone, so `fft_error_bound` holds with
    the tile's points for S and the norm of the tile, not of the plane, for ‖x‖₂.

    Parameters
    ----------
    transform : (vertical, horizontal)
        Inputs of one tile, in the padded input.
    outputs : (vertical, horizontal)
        Strided outputs of one tile.

    Returns
    -------
    float64 array, shape of the output: how far each element may lie from `convolve`
    """
    sizes = problem.out_height, problem.out_width
    steps = [m * stride for m, stride in zip(outputs, problem.stride, strict=True)]
    starts = [
        np.arange(0, -(-size // m) * step, step)
        for size, m, step in zip(sizes, outputs, steps, strict=True)
    ]
    vertical, horizontal = problem.padding
    borders = ((0, 0), (0, 0), (vertical, vertical), (horizontal, horizontal))
    squares = np.pad(_as_nchw(x, problem), borders) ** 2
    for axis, first, length in zip((2, 3), starts, transform, strict=True):
        squares = _window_sums(squares, axis, first, length)
    group_in = problem.in_channels // problem.groups
    tile_norm = np.sqrt(squares).reshape(
        problem.batch, problem.groups, group_in, *squares.shape[2:]
    )
    delta = _transform_error(transform, problem.dtype)
    tilewise = _transformed_error(tile_norm, weights, problem, delta)
    tilewise = tilewise.reshape(problem.batch, problem.out_channels, *squares.shape[2:])
    spread = tilewise.repeat(outputs[0], axis=2).repeat(outputs[1], axis=3)
    bound = spread[:, :, : sizes[0], : sizes[1]]
    return bound if problem.layout == "NCHW" else np.moveaxis(bound, 1, -1)


def separable_error_bound(x: Array, weights: Array, problem: "ConvProblem") -> Array:
    """Bound the error of filters replaced by sums of r products of a column and a row.

    Let a filter plane be K = Σ σ_k u_k v_kᵀ, its singular value decomposition. Three things differ
    from the direct sum:

    - singular values up to τ = 2 u max(KH, KW) σ_1 are left out, which changes no tap by more
      than τ, because an element of a matrix is at most its 2-norm;
    - the computed decomposition is the exact one of a matrix within p(KH, KW) 2 u₆₄ σ_1 of K
      (LAPACK users' guide, section 4.9.1), whose modest p is taken as max(KH, KW);
    - a product of three numbers, x with an element of a column and one of a row, each of these
      rounded up to three times before, is summed over KH taps, C channels, then KW taps of r
      pairs: γ_n Σ_k σ_k |u_k||v_k|ᵀ|x| with n = KH + C + r KW + 6.

    The last sum may exceed |K| where pairs cancel. By Cauchy-Schwarz its element (i, j) is at
    most √(Σ σ_k u_ik²) √(Σ σ_k v_jk²), the same for any choice of singular vectors, and |K| itself
    for a filter of rank one.

    Returns
    -------
    float64 array, shape of the output: how far each element may lie from `convolve`
    """
    planes = _as_nchw(weights, problem)
    left, sigma, right = np.linalg.svd(planes, full_matrices=False)
    kernel = problem.kernel_height, problem.kernel_width
    eps = 2 * UNIT_ROUNDOFF[problem.dtype]
    largest = sigma[..., :1]
    rank = int(np.sum(sigma > eps * max(kernel) * largest, axis=-1).max())
    by_row = np.sqrt(np.einsum("...ik,...k->...i", left**2, sigma))
    by_column = np.sqrt(np.einsum("...kj,...k->...j", right**2, sigma))
    group_in = problem.in_channels // problem.groups
    gamma = _gamma(kernel[0] + group_in + rank * kernel[1] + 6, problem.dtype)
    truncated = max(kernel) * (eps + 2 * UNIT_ROUNDOFF["float64"]) * largest
    per_tap = gamma * by_row[..., :, None] * by_column[..., None, :] + truncated[..., None]
    if problem.layout == "NHWC":
        per_tap = np.moveaxis(per_tap, 1, -1)
    own = _gamma(group_in * math.prod(kernel), "float64") * np.abs(weights)
    return convolve(np.abs(x), per_tap + own, problem)


def winograd_error_bound(
    x: Array, weights: Array, problem: "ConvProblem", *, transforms: tuple[Transform, Transform]
) -> Array:
    """Bound the error of minimal filtering in tiles (Winograd, Toom-Cook).

    A tile of the output is A^T [Σ_c (G w_c G^T) ∘ (B^T x_c B)] A. Written out, it is a sum of
    products of an element of w, one of x and six of the matrices. Each of these products passes
    through at most N rounded operations, so that (Higham, "Accuracy and stability of numerical
    algorithms", 2nd ed., lemma 3.1) the error of a tile is at most

        γ_N |A^T| [Σ_c (|G| |w_c| |G^T|) ∘ (|B^T| |x_c| |B|)] |A|,   N = C + Σ over passes (n + 3)

    - C channels: a multiplication and at most C - 1 additions, in any order, fused or not;
    - each of six passes (B^T, G and A^T along two axes): at most n - 1 additions, where n is the
      largest number of non-zeros in a row; two multiplications, because a constant may be applied
      in two factors; and these two constants are rounded numbers themselves.

    A filter that is strided, or longer than the r taps of G, is a sum of filters of r taps over
    subsampled and shifted images, which count as channels. Tiles may start at any output: each
    element takes the worst of its places in a tile. The dilation must be 1. The reference's own
    error is included.

    Parameters
    ----------
    x, weights, problem
        As for `convolve`.
    transforms : (B^T, G, A^T) of the vertical and of the horizontal axis
        For m outputs and r taps: m + r - 1 square, (m + r - 1, r) and (m, m + r - 1).

    Returns
    -------
    float64 array, shape of the output: how far each element may lie from `convolve`
    """
    groups, group_in = problem.groups, problem.in_channels // problem.groups
    kernel = (problem.kernel_height, problem.kernel_width)
    image = np.abs(_as_nchw(x, problem)).reshape(problem.batch, groups, group_in, *_image(problem))
    filters = np.abs(_as_nchw(weights, problem)).reshape(groups, -1, group_in, *kernel)
    rows, columns = (_filter_parts(problem, axis, transforms[axis]) for axis in (0, 1))
    products: Any = 0.0
    for taps_h, tiles_h in rows:
        for taps_w, tiles_w in columns:
            spectra = np.einsum("ik,gockl,jl->gijco", taps_h, filters, taps_w, optimize=True)
            seen = np.einsum("tiy,ngcyx,ujx->ngijtuc", tiles_h, image, tiles_w, optimize=True)
            products = products + np.matmul(seen, spectra[:, :, :, None])
    out_h, out_w = (np.abs(transform[2]) for transform in transforms)
    tiles = np.einsum("ai,ngijtuo,bj->abngotu", out_h, products, out_w, optimize=True)
    magnitude = _worst_places(tiles, problem)
    operations = len(rows) * len(columns) * group_in + sum(
        int(np.count_nonzero(matrix, axis=1).max()) + 3
        for transform in transforms
        for matrix in transform
    )
    bound = _gamma(operations, problem.dtype) * magnitude
    if problem.layout == "NHWC":
        bound = np.moveaxis(bound, 1, -1)
    direct = convolve(np.abs(x), np.abs(weights), problem)
    return np.asarray(bound + _gamma(group_in * math.prod(kernel), "float64") * direct)


def _transformed_error(
    x_norm: Array, weights: Array, problem: "ConvProblem", delta: float
) -> Array:
    """Sum the errors of a group's channels, whose norms are (N, groups, C/groups, …)."""
    group_in = problem.in_channels // problem.groups
    group_out = problem.out_channels // problem.groups
    filters = _as_nchw(weights, problem).reshape(problem.groups, group_out, group_in, -1)
    w_norm = np.sqrt(np.sum(filters**2, axis=-1))
    w_sum = np.sum(np.abs(filters), axis=-1)
    gamma = _gamma(group_in + 4, problem.dtype)
    amplified = (2 * delta + gamma) * w_norm + delta * w_sum
    return np.asarray(np.einsum("ngc...,goc->ngo...", x_norm, amplified))


def _transform_error(lengths: tuple[int, ...], dtype: str) -> float:
    """Bound the relative error δ of a transform of these lengths in the 2-norm.

    A prime factor p above 11 is summed by definition, √p γ_(p+4), or its axis of n points is
    transformed as a convolution of less than 4 n points (Bluestein), whose error of twice δ
    reaches all n results, √(2n) times amplified. The library chooses, so both are allowed where
    pocketfft, which is NumPy's and SciPy's, considers the second: from 50 points, for p² > n.
    """
    unit = 8 * UNIT_ROUNDOFF[dtype]
    error = unit * math.log2(math.prod(lengths))
    for length in lengths:
        slow = [factor for factor in _prime_factors(length) if factor > 11]
        error += sum(math.sqrt(factor) * _gamma(factor + 4, dtype) for factor in slow)
        if slow and length >= 50 and max(slow) ** 2 > length:
            error += 2 * unit * math.log2(4 * length) * math.sqrt(2 * length)
    return error


def _prime_factors(number: int) -> list[int]:
    factors, divisor = [], 2
    while number > 1:
        while number % divisor == 0:
            factors.append(divisor)
            number //= divisor
        divisor += 1
    return factors


def _window_sums(values: Array, axis: int, starts: Array, length: int) -> Array:
    """Sum windows along an axis; what reaches beyond its end counts as zero."""
    ends = np.minimum(starts + length, values.shape[axis])
    windows = [
        np.sum(values.take(np.arange(start, end), axis), axis=axis)
        for start, end in zip(starts, ends, strict=True)
    ]
    return np.stack(windows, axis)


def _filter_parts(
    problem: "ConvProblem", axis: int, transform: Transform
) -> list[tuple[Array, Array]]:
    """Split the taps along an axis into filters that G can take.

    Each part is |G| as it meets the whole filter (points, kernel), and |B^T| as it meets the
    image (tiles, points, size), for every tile that has an output of the problem.
    """
    b_t, g, a_t = map(np.abs, transform)
    points, most_taps = g.shape
    kernel = (problem.kernel_height, problem.kernel_width)[axis]
    stride, padding, size = problem.stride[axis], problem.padding[axis], _image(problem)[axis]
    first_outputs = np.arange(1 - len(a_t), (problem.out_height, problem.out_width)[axis])
    parts = []
    for block in range(0, kernel, stride * most_taps):
        for first in range(block, min(block + stride, kernel)):
            taps = np.arange(first, min(block + stride * most_taps, kernel), stride)
            on_filter = np.zeros((points, kernel))
            on_filter[:, taps] = g[:, : len(taps)]
            met = (first_outputs[:, None] + np.arange(points)) * stride + first - padding
            # One-hot rows place B^T's columns on the image; what lies outside it meets none.
            on_image = np.einsum("ip,tpy->tiy", b_t, met[:, :, None] == np.arange(size))
            parts.append((on_filter, on_image))
    return parts


def _worst_places(tiles: Array, problem: "ConvProblem") -> Array:
    """Reduce tiles (m_h, m_w, N, groups, O/groups, first row, first column) to (N, O, OH, OW)."""
    m_h, m_w, batch, *_ = tiles.shape
    out_size = (problem.out_height, problem.out_width)
    worst = np.zeros((batch, problem.out_channels, *out_size))
    for a, b in np.ndindex(m_h, m_w):
        top, left = m_h - 1 - a, m_w - 1 - b
        place = tiles[a, b, ..., top : top + out_size[0], left : left + out_size[1]]
        np.maximum(worst, place.reshape(worst.shape), out=worst)
    return worst


def _as_nchw(operand: Array, problem: "ConvProblem") -> Array:
    nchw = operand if problem.layout == "NCHW" else np.moveaxis(operand, -1, 1)
    return nchw.astype(np.float64, order="C")  # one order of sums in both layouts


def _image(problem: "ConvProblem") -> tuple[int, int]:
    return problem.height, problem.width


def _padded(problem: "ConvProblem") -> tuple[int, int]:
    (height, width), (vertical, horizontal) = _image(problem), problem.padding
    return height + 2 * vertical, width + 2 * horizontal


def _reach(problem: "ConvProblem", axis: int, tap: int) -> tuple[slice, slice]:
    """Find the outputs along an axis that this tap joins to the image, and those inputs."""
    size = _image(problem)[axis]
    out_size = (problem.out_height, problem.out_width)[axis]
    stride = problem.stride[axis]
    offset = tap * problem.dilation[axis] - problem.padding[axis]
    met = [y for y in range(out_size) if 0 <= y * stride + offset < size]
    if not met:
        return slice(0, 0), slice(0, 0)
    first, last = met[0], met[-1]
    return slice(first, last + 1), slice(
        first * stride + offset, last * stride + offset + 1, stride
    )


def _gamma(operations: int, dtype: str) -> float:
    error = operations * UNIT_ROUNDOFF[dtype]
    return error / (1 - error)
