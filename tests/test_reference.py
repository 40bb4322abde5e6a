import runpy
from itertools import product

import numpy as np
import pytest
from generators import PROBLEM_KINDS, integer_operands

from convbench import ConvProblem, reference
from convbench.problem import Array
from convbench.reference import (
    Transform,
    convolve,
    direct_error_bound,
    fft_error_bound,
    relative_error,
    winograd_error_bound,
)


def convolve_element_by_element(x: Array, weights: Array, problem: ConvProblem) -> Array:
    """Sum the definition with Python's numbers, NCHW."""
    group_in = problem.in_channels // problem.groups
    group_out = problem.out_channels // problem.groups
    output = np.zeros(problem.output_shape)
    for n, o, oh, ow in np.ndindex(*problem.output_shape):
        for c, i, j in product(
            range(group_in), range(problem.kernel_height), range(problem.kernel_width)
        ):
            y = oh * problem.stride[0] + i * problem.dilation[0] - problem.padding[0]
            z = ow * problem.stride[1] + j * problem.dilation[1] - problem.padding[1]
            if 0 <= y < problem.height and 0 <= z < problem.width:
                value = x[n, o // group_out * group_in + c, y, z]
                output[n, o, oh, ow] += float(value) * float(weights[o, c, i, j])
    return output


@pytest.mark.parametrize("kind", PROBLEM_KINDS)
def test_reference_is_exact_on_integers(kind: str) -> None:
    problem = ConvProblem(**PROBLEM_KINDS[kind])
    x, weights = integer_operands(problem)

    output = convolve(x, weights, problem)

    assert output.dtype == np.float64
    np.testing.assert_array_equal(output, convolve_element_by_element(x, weights, problem))


@pytest.mark.parametrize("kind", PROBLEM_KINDS)
def test_reference_of_nhwc_is_the_transposed_reference(kind: str) -> None:
    nchw = ConvProblem(**PROBLEM_KINDS[kind])
    nhwc = ConvProblem(**PROBLEM_KINDS[kind], layout="NHWC")

    output = convolve(*nhwc.random_operands(), nhwc)

    expected = np.moveaxis(convolve(*nchw.random_operands(), nchw), 1, -1)
    np.testing.assert_array_equal(output, expected)


@pytest.mark.parametrize("bound", [direct_error_bound, fft_error_bound])
@pytest.mark.parametrize("kind", PROBLEM_KINDS)
@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_error_bounds_are_far_below_the_output(bound: object, kind: str, layout: str) -> None:
    """A bound that let a wrong tap pass would be worth nothing."""
    problem = ConvProblem(**PROBLEM_KINDS[kind], layout=layout)
    x, weights = problem.random_operands()

    allowed = bound(x, weights, problem)  # type: ignore[operator]

    assert allowed.shape == problem.output_shape
    assert 0 < allowed.max() < 1e-3 * np.abs(convolve(x, weights, problem)).max()


def test_direct_bound_is_gamma_of_the_taps() -> None:
    problem = ConvProblem(**PROBLEM_KINDS["plain"])
    x, weights = np.ones(problem.input_shape, "f4"), np.ones(problem.weights_shape, "f4")

    bound = direct_error_bound(x, weights, problem)

    assert bound == pytest.approx(18 * 18 * 2.0**-24, rel=1e-5)


def test_double_precision_tightens_the_bounds() -> None:
    single = ConvProblem(**PROBLEM_KINDS["plain"])
    double = ConvProblem(**PROBLEM_KINDS["plain"], dtype="float64")
    x, weights = double.random_operands()

    ratio = fft_error_bound(x, weights, single) / fft_error_bound(x, weights, double)

    np.testing.assert_allclose(ratio, 2.0**29, rtol=1e-3)


def f4x3() -> Transform:
    """B^T, G and A^T of F(4, 3) (Lavin & Gray, CVPR 2016, section 4.2)."""
    b_t = [
        *([4, 0, -5, 0, 1, 0], [0, -4, -4, 1, 1, 0], [0, 4, -4, -1, 1, 0]),
        *([0, -2, -1, 2, 1, 0], [0, 2, -1, -2, 1, 0], [0, 4, 0, -5, 0, 1]),
    ]
    g = [
        *([1 / 4, 0, 0], [-1 / 6, -1 / 6, -1 / 6], [-1 / 6, 1 / 6, -1 / 6]),
        *([1 / 24, 1 / 12, 1 / 6], [1 / 24, -1 / 12, 1 / 6], [0, 0, 1]),
    ]
    a_t = [[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]]
    return tuple(np.array(matrix, float) for matrix in (b_t, g, a_t))  # type: ignore[return-value]


def identity(taps: int) -> Transform:
    """Return the transforms of one output a tile: the definition itself."""
    return np.eye(taps), np.eye(taps), np.ones((1, taps))


def winograd(x: Array, weights: Array, problem: ConvProblem, transform: Transform) -> Array:
    """Convolve a 3x3 filter of stride 1 by F(4, 3), one tile after the other, NCHW."""
    b_t, g, a_t = (matrix.astype(x.dtype) for matrix in transform)
    vertical, horizontal = problem.padding
    rows, columns = -(-problem.out_height // 4), -(-problem.out_width // 4)
    padded = np.zeros((*x.shape[:2], 4 * rows + 2, 4 * columns + 2), x.dtype)
    padded[..., vertical : vertical + problem.height, horizontal : horizontal + problem.width] = x
    filters = g @ weights @ g.T
    output = np.empty((*x.shape[:1], len(weights), 4 * rows, 4 * columns), x.dtype)
    for top, left in product(range(0, 4 * rows, 4), range(0, 4 * columns, 4)):
        tiles = b_t @ padded[..., top : top + 6, left : left + 6] @ b_t.T
        products = np.einsum("ncij,ocij->noij", tiles, filters)
        output[..., top : top + 4, left : left + 4] = a_t @ products @ a_t.T
    return output[..., : problem.out_height, : problem.out_width]


THREE_BY_THREE = [
    kind
    for kind, arguments in PROBLEM_KINDS.items()
    if kind.startswith("three_by_three") and arguments.keys().isdisjoint({"stride", "groups"})
]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", THREE_BY_THREE)
def test_winograd_stays_within_its_bound_which_is_far_below_the_output(
    kind: str, dtype: str
) -> None:
    problem = ConvProblem(**PROBLEM_KINDS[kind], dtype=dtype)
    x, weights = problem.random_operands()
    expected = convolve(x, weights, problem)

    bound = winograd_error_bound(x, weights, problem, transforms=(f4x3(), f4x3()))

    assert bound.shape == problem.output_shape
    assert (np.abs(winograd(x, weights, problem, f4x3()) - expected) <= bound).all()
    unit = reference.UNIT_ROUNDOFF[dtype]
    assert 0 < bound.max() < 1e5 * unit * np.abs(expected).max()
    assert bound.max() < 1e-2 * np.abs(expected).max()


@pytest.mark.parametrize("wrong", range(3))
def test_winograd_with_a_wrong_constant_leaves_its_bound(wrong: int) -> None:
    problem = ConvProblem(**PROBLEM_KINDS["three_by_three_deep"])
    x, weights = problem.random_operands()
    transform = list(f4x3())
    transform[wrong][1, 1] *= 1.01

    output = winograd(x, weights, problem, tuple(transform))  # type: ignore[arg-type]

    bound = winograd_error_bound(x, weights, problem, transforms=(f4x3(), f4x3()))
    assert (np.abs(output - convolve(x, weights, problem)) > bound).any()


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize("taps", [1, 3])
@pytest.mark.parametrize(
    "kind", [kind for kind in PROBLEM_KINDS if "dilation" not in PROBLEM_KINDS[kind]]
)
def test_winograd_bound_without_transforms_is_that_of_the_definition(
    kind: str, taps: int, layout: str
) -> None:
    """Whatever stride, groups and length a filter has, it is split without loss."""
    problem = ConvProblem(**PROBLEM_KINDS[kind], layout=layout)
    x, weights = problem.random_operands()

    bound = winograd_error_bound(x, weights, problem, transforms=(identity(taps), identity(taps)))

    magnitude = convolve(np.abs(x), np.abs(weights), problem)
    ratio = bound[magnitude > 0] / magnitude[magnitude > 0]
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-9)
    assert not bound[magnitude == 0].any()


def test_winograd_bound_scales_with_the_precision() -> None:
    single = ConvProblem(**PROBLEM_KINDS["three_by_three_deep"])
    double = ConvProblem(**PROBLEM_KINDS["three_by_three_deep"], dtype="float64")
    x, weights = double.random_operands()

    ratio = winograd_error_bound(
        x, weights, single, transforms=(f4x3(), f4x3())
    ) / winograd_error_bound(x, weights, double, transforms=(f4x3(), f4x3()))

    # A little less than the ratio of the units: both include the reference's own error.
    assert 2.0**28 < ratio.min() < ratio.max() < 2.0**29


def test_relative_error_is_the_largest_over_the_largest() -> None:
    assert relative_error(np.array([1.0, 2.5, -4.0]), np.array([1.0, 2.0, -4.0])) == 0.125
    assert relative_error(np.zeros(2), np.zeros(2)) == 0
    assert relative_error(np.full(2, 0.5), np.zeros(2)) == 0.5


def test_file_runs_alone() -> None:
    """Benchmarks load today's file beside yesterday's package."""
    alone = runpy.run_path(reference.__file__)
    problem = ConvProblem(**PROBLEM_KINDS["everything"])
    operands = problem.random_operands()

    np.testing.assert_array_equal(
        alone["convolve"](*operands, problem), convolve(*operands, problem)
    )
