"""Laws of convolution; each holds for every strategy over generated problems that it takes."""

from dataclasses import replace
from typing import Any
from unittest.mock import patch

import numpy as np
from generators import (
    accepted_by,
    assert_within,
    convolve_by,
    each_strategy,
    expected_by,
    in_layout,
    integer_operands,
    problems_for,
)
from hypothesis import given
from hypothesis import strategies as st

from convbench import ConvProblem, Strategy
from convbench.problem import Array


def operands_for(strategy: Strategy, problem: ConvProblem, seed: int = 0) -> tuple[Array, Array]:
    x, weights = integer_operands(problem, seed)
    return x, accepted_by(strategy, weights, problem)


@each_strategy
@given(data=st.data())
def test_output_is_linear_in_x(strategy: Strategy, data: st.DataObject) -> None:
    problem = data.draw(problems_for(strategy))
    first, weights = operands_for(strategy, problem, seed=0)
    second, _ = integer_operands(problem, seed=1)

    output = convolve_by(strategy, 3 * first - second, weights, problem)

    expected = 3 * convolve_by(strategy, first, weights, problem) - convolve_by(
        strategy, second, weights, problem
    )
    magnitude = 3 * np.abs(first) + np.abs(second)
    assert_within(output, expected, 5 * strategy.error_bound(magnitude, weights, problem))


@each_strategy
@given(data=st.data())
def test_output_is_linear_in_the_filters(strategy: Strategy, data: st.DataObject) -> None:
    problem = data.draw(problems_for(strategy))
    x, first = operands_for(strategy, problem, seed=0)
    _, second = operands_for(strategy, problem, seed=1)

    output = 3 * convolve_by(strategy, x, first, problem) - convolve_by(
        strategy, x, second, problem
    )

    expected, _ = expected_by(strategy, x, 3 * first - second, problem)
    magnitude = 3 * np.abs(first) + np.abs(second)
    assert_within(output, expected, 5 * strategy.error_bound(x, magnitude, problem))


def into_as_many_channels(problem: ConvProblem) -> ConvProblem:
    """Change the dense output's shape to the input's; every filter then has a tap in the middle."""
    half_h, half_w = problem.kernel_height // 2, problem.kernel_width // 2
    return replace(
        problem,
        out_channels=problem.in_channels,
        kernel_height=2 * half_h + 1,
        kernel_width=2 * half_w + 1,
        padding=(half_h * problem.dilation[0], half_w * problem.dilation[1]),
    )


@each_strategy
@given(data=st.data())
def test_delta_filter_is_the_identity_but_for_the_stride(
    strategy: Strategy, data: st.DataObject
) -> None:
    problem = data.draw(problems_for(strategy, into_as_many_channels, padding=(0, 0)))
    stride_h, stride_w = problem.stride
    x, _ = integer_operands(problem)
    weights = np.zeros_like(x, shape=problem.weights_shape)
    middle = problem.kernel_height // 2, problem.kernel_width // 2
    for o in range(problem.out_channels):
        c = o % (problem.in_channels // problem.groups)
        weights[in_layout(problem, o, c, *middle)] = 1

    output = convolve_by(strategy, x, weights, problem)

    expected = x[in_layout(problem, *np.s_[:, :, ::stride_h, ::stride_w])]
    assert_within(output, expected, strategy.error_bound(x, weights, problem))


@each_strategy
@given(data=st.data())
def test_stride_subsamples_the_dense_output(strategy: Strategy, data: st.DataObject) -> None:
    problem = data.draw(problems_for(strategy))
    stride_h, stride_w = problem.stride
    subsampled = in_layout(problem, *np.s_[:, :, ::stride_h, ::stride_w])
    x, weights = operands_for(strategy, problem)

    output = convolve_by(strategy, x, weights, problem)

    dense, bound = (
        planes[subsampled]
        for planes in expected_by(strategy, x, weights, replace(problem, stride=(1, 1)))
    )
    assert_within(output, dense, bound + strategy.error_bound(x, weights, problem))


@each_strategy
@given(data=st.data())
def test_dilation_stuffs_the_filter_with_zeros(strategy: Strategy, data: st.DataObject) -> None:
    problem = data.draw(problems_for(strategy))
    (dilation_h, dilation_w), (span_h, span_w) = problem.dilation, problem.span
    dense = replace(problem, dilation=(1, 1), kernel_height=span_h, kernel_width=span_w)
    x, weights = operands_for(strategy, problem)
    stuffed = np.zeros_like(weights, shape=dense.weights_shape)
    stuffed[in_layout(problem, *np.s_[:, :, ::dilation_h, ::dilation_w])] = weights

    output = convolve_by(strategy, x, weights, problem)

    expected, bound = expected_by(strategy, x, stuffed, dense)
    assert_within(output, expected, bound + strategy.error_bound(x, weights, problem))


@each_strategy
@given(data=st.data())
def test_padding_is_a_border_of_zeros(strategy: Strategy, data: st.DataObject) -> None:
    problem = data.draw(problems_for(strategy))
    height, width = problem.padded
    bordered = replace(problem, padding=(0, 0), height=height, width=width)
    x, weights = operands_for(strategy, problem)
    vertical, horizontal = ((border, border) for border in problem.padding)
    borders = in_layout(problem, (0, 0), (0, 0), vertical, horizontal)

    output = convolve_by(strategy, x, weights, problem)

    expected, bound = expected_by(strategy, np.pad(x, borders), weights, bordered)
    assert_within(output, expected, bound + strategy.error_bound(x, weights, problem))


@each_strategy
@given(data=st.data())
def test_groups_are_block_diagonal_filters(strategy: Strategy, data: st.DataObject) -> None:
    problem = data.draw(problems_for(strategy))
    joined = replace(problem, groups=1)
    x, weights = operands_for(strategy, problem)
    group_in = problem.in_channels // problem.groups
    group_out = problem.out_channels // problem.groups
    diagonal = np.zeros_like(weights, shape=joined.weights_shape)
    for o in range(problem.out_channels):
        first = o // group_out * group_in
        block = in_layout(problem, *np.s_[o, first : first + group_in, :, :])
        diagonal[block] = weights[o]

    output = convolve_by(strategy, x, weights, problem)

    expected, bound = expected_by(strategy, x, diagonal, joined)
    assert_within(output, expected, bound + strategy.error_bound(x, weights, problem))


@each_strategy
@given(data=st.data())
def test_nhwc_is_transposed_nchw(strategy: Strategy, data: st.DataObject) -> None:
    problem = data.draw(problems_for(strategy))
    x, weights = operands_for(strategy, problem)
    other, source, target = ("NHWC", 1, -1) if problem.layout == "NCHW" else ("NCHW", -1, 1)

    output = convolve_by(strategy, x, weights, problem)

    expected, bound = (
        np.moveaxis(planes, target, source)
        for planes in expected_by(
            strategy,
            np.moveaxis(x, source, target),
            np.moveaxis(weights, source, target),
            replace(problem, layout=other),
        )
    )
    assert_within(output, expected, bound + strategy.error_bound(x, weights, problem))


@each_strategy
@given(data=st.data())
def test_images_of_a_batch_do_not_meet(strategy: Strategy, data: st.DataObject) -> None:
    problem = data.draw(problems_for(strategy, batch=3))
    x, weights = operands_for(strategy, problem)

    output = convolve_by(strategy, x, weights, problem)

    alone = replace(problem, batch=1)
    expected, bounds = zip(
        *(expected_by(strategy, x[n : n + 1], weights, alone) for n in range(3)), strict=True
    )
    bound = np.concatenate(bounds) + strategy.error_bound(x, weights, problem)
    assert_within(output, np.concatenate(expected), bound)


@each_strategy
@given(data=st.data())
def test_shifted_input_shifts_the_output(strategy: Strategy, data: st.DataObject) -> None:
    problem = data.draw(problems_for(strategy, padding=(0, 0)))
    stride_h, stride_w = problem.stride
    larger = replace(problem, height=problem.height + stride_h, width=problem.width + stride_w)
    x, weights = integer_operands(larger)
    weights = accepted_by(strategy, weights, problem)
    shifted = x[in_layout(problem, *np.s_[:, :, stride_h:, stride_w:])]

    output = convolve_by(strategy, shifted, weights, problem)

    expected, bound = (
        planes[in_layout(problem, *np.s_[:, :, 1:, 1:])]
        for planes in expected_by(strategy, x, weights, larger)
    )
    assert_within(output, expected, bound + strategy.error_bound(shifted, weights, problem))


def filled_with_nan(*args: Any, **kwargs: Any) -> Array:
    """Return what `numpy.empty` may as well return."""
    array = np.zeros(*args, **kwargs)
    array[...] = np.nan if array.dtype.kind in "fc" else 0
    return array


@each_strategy
@given(data=st.data())
def test_what_new_memory_holds_reaches_no_output(strategy: Strategy, data: st.DataObject) -> None:
    problem = data.draw(problems_for(strategy))
    x, weights = operands_for(strategy, problem)

    with patch.object(np, "empty", filled_with_nan):
        output = convolve_by(strategy, x, weights, problem)

    assert np.array_equal(output, convolve_by(strategy, x, weights, problem))
