"""Laws of convolution; each holds for every strategy over generated problems."""

from dataclasses import replace
from operator import attrgetter

import numpy as np
import pytest
from generators import assert_within, convolve_by, error_bound, integer_operands, problems
from hypothesis import given

from convbench import STRATEGIES, ConvProblem, Strategy

each_strategy = pytest.mark.parametrize("strategy", STRATEGIES.values(), ids=attrgetter("name"))


@each_strategy
@given(problem=problems())
def test_output_is_linear_in_x(strategy: Strategy, problem: ConvProblem) -> None:
    first, weights = integer_operands(problem, seed=0)
    second, _ = integer_operands(problem, seed=1)

    output = convolve_by(strategy, 3 * first - second, weights, problem)

    expected = 3 * convolve_by(strategy, first, weights, problem) - convolve_by(
        strategy, second, weights, problem
    )
    magnitude = 3 * np.abs(first) + np.abs(second)
    assert_within(output, expected, 5 * error_bound(strategy, magnitude, weights, problem))


@each_strategy
@given(problem=problems())
def test_output_is_linear_in_the_filters(strategy: Strategy, problem: ConvProblem) -> None:
    x, first = integer_operands(problem, seed=0)
    _, second = integer_operands(problem, seed=1)

    output = convolve_by(strategy, x, 3 * first - second, problem)

    expected = 3 * convolve_by(strategy, x, first, problem) - convolve_by(
        strategy, x, second, problem
    )
    magnitude = 3 * np.abs(first) + np.abs(second)
    assert_within(output, expected, 5 * error_bound(strategy, x, magnitude, problem))


@each_strategy
@given(problem=problems(kernel_height=3, kernel_width=3, stride=(1, 1), layout="NCHW"))
def test_delta_filter_is_the_identity(strategy: Strategy, problem: ConvProblem) -> None:
    channels = problem.in_channels
    problem = replace(problem, out_channels=channels, groups=channels, padding=problem.dilation)
    x, _ = integer_operands(problem)
    weights = np.zeros_like(x, shape=problem.weights_shape)
    weights[:, :, 1, 1] = 1

    output = convolve_by(strategy, x, weights, problem)

    assert_within(output, x, error_bound(strategy, x, weights, problem))


@each_strategy
@given(problem=problems(layout="NCHW"))
def test_stride_subsamples_the_dense_output(strategy: Strategy, problem: ConvProblem) -> None:
    dense = replace(problem, stride=(1, 1))
    x, weights = integer_operands(problem)

    output = convolve_by(strategy, x, weights, problem)

    stride_h, stride_w = problem.stride
    expected = convolve_by(strategy, x, weights, dense)[:, :, ::stride_h, ::stride_w]
    assert_within(output, expected, 2 * error_bound(strategy, x, weights, problem))


@each_strategy
@given(problem=problems(layout="NCHW"))
def test_dilation_stuffs_the_filter_with_zeros(strategy: Strategy, problem: ConvProblem) -> None:
    (dilation_h, dilation_w), (span_h, span_w) = problem.dilation, problem.span
    dense = replace(problem, dilation=(1, 1), kernel_height=span_h, kernel_width=span_w)
    x, weights = integer_operands(problem)
    stuffed = np.zeros_like(weights, shape=dense.weights_shape)
    stuffed[:, :, ::dilation_h, ::dilation_w] = weights

    output = convolve_by(strategy, x, weights, problem)

    expected = convolve_by(strategy, x, stuffed, dense)
    assert_within(output, expected, 2 * error_bound(strategy, x, stuffed, dense))


@each_strategy
@given(problem=problems(layout="NCHW"))
def test_padding_is_a_border_of_zeros(strategy: Strategy, problem: ConvProblem) -> None:
    height, width = problem.padded
    bordered = replace(problem, padding=(0, 0), height=height, width=width)
    x, weights = integer_operands(problem)
    borders = [(0, 0), (0, 0), *((border, border) for border in problem.padding)]

    output = convolve_by(strategy, x, weights, problem)

    expected = convolve_by(strategy, np.pad(x, borders), weights, bordered)
    assert_within(output, expected, 2 * error_bound(strategy, x, weights, problem))


@each_strategy
@given(problem=problems(layout="NCHW"))
def test_groups_are_block_diagonal_filters(strategy: Strategy, problem: ConvProblem) -> None:
    joined = replace(problem, groups=1)
    x, weights = integer_operands(problem)
    group_in = problem.in_channels // problem.groups
    group_out = problem.out_channels // problem.groups
    diagonal = np.zeros_like(weights, shape=joined.weights_shape)
    for o in range(problem.out_channels):
        first = o // group_out * group_in
        diagonal[o, first : first + group_in] = weights[o]

    output = convolve_by(strategy, x, weights, problem)

    expected = convolve_by(strategy, x, diagonal, joined)
    assert_within(output, expected, 2 * error_bound(strategy, x, diagonal, joined))


@each_strategy
@given(problem=problems(layout="NHWC"))
def test_nhwc_is_transposed_nchw(strategy: Strategy, problem: ConvProblem) -> None:
    x, weights = integer_operands(problem)

    output = convolve_by(strategy, x, weights, problem)

    expected = convolve_by(
        strategy,
        np.moveaxis(x, -1, 1),
        np.moveaxis(weights, -1, 1),
        replace(problem, layout="NCHW"),
    )
    bound = 2 * error_bound(strategy, x, weights, problem)
    assert_within(output, np.moveaxis(expected, 1, -1), bound)


@each_strategy
@given(problem=problems(batch=3))
def test_images_of_a_batch_do_not_meet(strategy: Strategy, problem: ConvProblem) -> None:
    x, weights = integer_operands(problem)

    output = convolve_by(strategy, x, weights, problem)

    alone = replace(problem, batch=1)
    expected = [convolve_by(strategy, x[n : n + 1], weights, alone) for n in range(3)]
    bound = 2 * error_bound(strategy, x, weights, problem)
    assert_within(output, np.concatenate(expected), bound)


@each_strategy
@given(problem=problems(padding=(0, 0), layout="NCHW"))
def test_shifted_input_shifts_the_output(strategy: Strategy, problem: ConvProblem) -> None:
    stride_h, stride_w = problem.stride
    larger = replace(problem, height=problem.height + stride_h, width=problem.width + stride_w)
    x, weights = integer_operands(larger)

    output = convolve_by(strategy, x[:, :, stride_h:, stride_w:], weights, problem)

    expected = convolve_by(strategy, x, weights, larger)[:, :, 1:, 1:]
    bound = 2 * error_bound(strategy, x, weights, larger)[:, :, 1:, 1:]
    assert_within(output, expected, bound)
