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


def fft_error_bound(x: Array, weights: Array, problem: "ConvProblem") -> Array:
    """Bound the error of a convolution through Fourier transforms.

    A transform of S points has a relative error of at most δ = η log2 S in the 2-norm, with
    η = u + γ_4 (√2 + u) < 8 u (Higham, theorem 24.2). For one channel of x and of a filter:

    - errors of the two forward transforms reach the output through a product and a sum over
      frequencies: at most 2 δ ‖x‖₂ ‖w‖₂ by Cauchy-Schwarz;
    - complex products and the sum over C channels: γ_(C+4) ‖x‖₂ ‖w‖₂ alike;
    - the inverse transform: δ times the norm of its result, at most ‖x‖₂ ‖w‖₁ (Young).

    The sum over the channels of a group bounds every element of an output plane, unlike
    `direct_error_bound` also where the output is small. Terms of order u² are covered by η's slack.

    Returns
    -------
    float64 array, shape of the output: how far each element may lie from `convolve`
    """
    shape = (problem.batch, problem.out_channels, problem.out_height, problem.out_width)
    group_in = problem.in_channels // problem.groups
    planes = _as_nchw(x, problem).reshape(problem.batch, problem.groups, group_in, -1)
    group_out = problem.out_channels // problem.groups
    filters = _as_nchw(weights, problem).reshape(problem.groups, group_out, group_in, -1)
    x_norm = np.sqrt(np.sum(planes**2, axis=-1))
    w_norm = np.sqrt(np.sum(filters**2, axis=-1))
    w_sum = np.sum(np.abs(filters), axis=-1)
    # A fast length is less than twice the padded one, along both axes.
    points = math.prod(
        2 * (n + 2 * p) for n, p in zip(_image(problem), problem.padding, strict=True)
    )
    delta = 8 * UNIT_ROUNDOFF[problem.dtype] * math.log2(points)
    gamma = _gamma(group_in + 4, problem.dtype)
    planewise = np.einsum("ngc,goc->ngo", x_norm, (2 * delta + gamma) * w_norm + delta * w_sum)
    bound = np.broadcast_to(planewise.reshape(shape[:2])[:, :, None, None], shape)
    return bound if problem.layout == "NCHW" else np.moveaxis(bound, 1, -1)


def _as_nchw(operand: Array, problem: "ConvProblem") -> Array:
    nchw = operand if problem.layout == "NCHW" else np.moveaxis(operand, -1, 1)
    return nchw.astype(np.float64, order="C")  # one order of sums in both layouts


def _image(problem: "ConvProblem") -> tuple[int, int]:
    return problem.height, problem.width


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
