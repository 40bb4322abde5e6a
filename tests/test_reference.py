import runpy
from itertools import product

import numpy as np
import pytest
from generators import PROBLEM_KINDS, integer_operands

from convbench import ConvProblem, reference
from convbench.problem import Array
from convbench.reference import convolve, direct_error_bound, fft_error_bound, relative_error


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
