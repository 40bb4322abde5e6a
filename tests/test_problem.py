from dataclasses import FrozenInstanceError, asdict, replace
from typing import Any

import numpy as np
import pytest
from generators import problems
from hypothesis import given

from convbench import BadProblem, ConvProblem
from convbench.errors import ConvbenchError

PLAIN = {
    **{"in_channels": 4, "height": 8, "width": 9},
    **{"out_channels": 6, "kernel_height": 3, "kernel_width": 2},
}


def test_question_has_the_numbers_of_the_question() -> None:
    problem = ConvProblem(
        in_channels=3,
        height=32,
        width=32,
        out_channels=10,
        kernel_height=2,
        kernel_width=2,
        stride=2,
    )  # type: ignore[arg-type]

    assert problem.output_shape == (1, 10, 16, 16)
    assert problem.taps == 12
    assert problem.macs == 30_720
    assert problem.flops == 61_440
    assert problem.bytes == 4 * (3 * 32 * 32 + 10 * 12 + 2560)
    assert problem.arithmetic_intensity == pytest.approx(61_440 / 23_008)


def test_integers_become_pairs() -> None:
    problem = ConvProblem(**PLAIN, stride=2, padding=np.int64(1), dilation=[1, 2])

    assert (problem.stride, problem.padding, problem.dilation) == ((2, 2), (1, 1), (1, 2))
    assert problem == ConvProblem(**PLAIN, stride=(2, 2), padding=(1, 1), dilation=(1, 2))
    assert hash(problem) == hash(replace(problem))


def test_problem_is_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        ConvProblem(**PLAIN).stride = (2, 2)  # type: ignore[misc]


def test_groups_shrink_filters_and_work() -> None:
    problem = ConvProblem(**PLAIN, groups=2)

    assert problem.weights_shape == (6, 2, 3, 2)
    assert problem.macs * 2 == ConvProblem(**PLAIN).macs


def test_layout_orders_the_shapes() -> None:
    problem = ConvProblem(**PLAIN, layout="NHWC", batch=2)

    assert problem.input_shape == (2, 8, 9, 4)
    assert problem.weights_shape == (6, 3, 2, 4)
    assert problem.output_shape == (2, 6, 8, 6)


def test_float64_doubles_the_bytes_only() -> None:
    single, double = ConvProblem(**PLAIN), ConvProblem(**PLAIN, dtype="float64")

    assert double.bytes == 2 * single.bytes
    assert double.flops == single.flops


@given(problem=problems())
def test_problem_of_its_own_operands_is_itself(problem: ConvProblem) -> None:
    x, weights = problem.random_operands()

    described = ConvProblem.of(
        x,
        weights,
        stride=problem.stride,
        padding=problem.padding,
        dilation=problem.dilation,
        groups=problem.groups,
        layout=problem.layout,
    )

    assert described == problem


@given(problem=problems())
def test_last_window_fits_and_one_more_would_not(problem: ConvProblem) -> None:
    for out, size, span, stride in zip(
        (problem.out_height, problem.out_width),
        problem.padded,
        problem.span,
        problem.stride,
        strict=True,
    ):
        assert (out - 1) * stride + span <= size < out * stride + span


@given(problem=problems(layout="NCHW", dtype="float64"))
def test_operands_are_the_same_numbers_in_every_layout_and_dtype(problem: ConvProblem) -> None:
    x, weights = problem.random_operands(seed=5)

    other_x, other_weights = replace(problem, layout="NHWC", dtype="float32").random_operands(
        seed=5
    )

    np.testing.assert_array_equal(np.moveaxis(other_x, -1, 1), x.astype("f4"))
    np.testing.assert_array_equal(np.moveaxis(other_weights, -1, 1), weights.astype("f4"))
    assert other_x.flags.c_contiguous
    assert other_weights.flags.c_contiguous


def test_operands_depend_on_the_seed_alone() -> None:
    problem = ConvProblem(**PLAIN)

    assert problem.random_operands(1)[0].tobytes() == problem.random_operands(1)[0].tobytes()
    assert problem.random_operands(1)[0].tobytes() != problem.random_operands(2)[0].tobytes()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"stride": -1}, "stride must be at least 1; got -1"),
        ({"stride": 0}, "stride must be at least 1; got 0"),
        ({"stride": (1, 0)}, "stride must be at least 1; got 0"),
        ({"stride": True}, "stride must be an integer of at least 1; got True"),
        ({"stride": 2.0}, r"stride must be an integer of at least 1; got 2\.0"),
        ({"stride": "2"}, "stride must be an integer of at least 1; got '2'"),
        ({"stride": None}, "stride must be an integer of at least 1; got None"),
        ({"stride": (1, 2, 3)}, r"stride must be an integer or a .*pair; got \(1, 2, 3\)"),
        ({"padding": -1}, "padding must be at least 0; got -1"),
        ({"dilation": 0}, "dilation must be at least 1; got 0"),
        ({"batch": -1}, "batch must be at least 0; got -1"),
        ({"height": 0}, "height must be at least 1; got 0"),
        ({"width": -3}, "width must be at least 1; got -3"),
        ({"in_channels": 0}, "in_channels must be at least 1; got 0"),
        ({"kernel_width": -1}, "kernel_width must be at least 1; got -1"),
        ({"out_channels": np.True_}, "out_channels must be an integer"),
        ({"groups": 0}, "groups must be at least 1; got 0"),
        ({"groups": 3}, "groups must divide both channel counts; got groups=3 for 4 -> 6"),
        ({"groups": 4}, "groups must divide both channel counts; got groups=4 for 4 -> 6"),
        ({"kernel_height": 9}, "must fit into the padded input; got .*9x2 .* input of 8x9"),
        ({"dilation": (1, 9)}, "must fit into the padded input; got .*3x10 .* input of 8x9"),
        ({"dtype": "float16"}, "dtype must be one of float32, float64; got 'float16'"),
        ({"layout": "CHWN"}, "layout must be one of NCHW, NHWC; got 'CHWN'"),
    ],
)
def test_wrong_argument_says_what_was_given_and_what_is_accepted(
    wrong: dict[str, Any], message: str
) -> None:
    with pytest.raises(BadProblem, match=message) as caught:
        ConvProblem(**(PLAIN | wrong))

    assert isinstance(caught.value, ValueError)
    assert isinstance(caught.value, ConvbenchError)


IMAGE, FILTER = np.ones((1, 1, 3, 3)), np.ones((1, 1, 2, 2))


@pytest.mark.parametrize(
    ("x", "weights", "arguments", "message"),
    [
        (
            IMAGE[0],
            FILTER,
            {},
            r"x must have 4 dimensions, \(N, C, H, W\) in layout NCHW; got shape \(1, 3, 3\)",
        ),
        (IMAGE[None], FILTER, {}, r"x must have 4 dimensions, .*; got shape \(1, 1, 1, 3, 3\)"),
        (
            IMAGE,
            FILTER[0, 0],
            {"layout": "NHWC"},
            r"weights must .* \(O, KH, KW, C/groups\) in layout NHWC; got shape \(2, 2\)",
        ),
        ([[[[1.0]]]], FILTER, {}, "x must be a NumPy array; got list"),
        (IMAGE, None, {}, "weights must be a NumPy array; got NoneType"),
        (
            IMAGE.astype(int),
            FILTER,
            {},
            r'x must be float32 or float64 .*; got int64, convert it: x\.astype\("float32"\)',
        ),
        (IMAGE, FILTER.astype("f2"), {}, r"weights must be .*got float16, .*: weights\.astype"),
        (IMAGE.astype(bool), FILTER, {}, "x must be float32 or float64 .*; got bool"),
        (IMAGE.astype(complex), FILTER, {}, "x must be float32 or float64 .*; got complex128"),
        (IMAGE.astype(object), FILTER, {}, "x must be float32 or float64 .*; got object"),
        (IMAGE.astype(np.longdouble), FILTER, {}, "x must be float32 or float64 .*; got float128"),
        (IMAGE.astype(">f4"), FILTER, {}, "in native byte order; got >f4, convert it"),
        (
            IMAGE,
            FILTER.astype("f4"),
            {},
            r"one dtype; got float64 and float32, convert one: weights\.astype\(x\.dtype\)",
        ),
        (np.ones((1, 3, 8, 8)), np.ones((1, 2, 2, 2)), {}, "got 2 in .* for 3 input channels"),
        (np.ones((1, 4, 8, 8)), np.ones((2, 4, 2, 2)), {"groups": 2}, "got 4 .* in 2 groups"),
        (np.ones((1, 4, 8, 8)), np.ones((2, 4, 2, 2)), {"groups": True}, "groups must be an int"),
        (np.ones((1, 1, 2, 2)), np.ones((1, 1, 3, 3)), {}, "spans 3x3 .* padded input of 2x2"),
        (np.ones((1, 1, 0, 2)), np.ones((1, 1, 1, 1)), {}, "height must be at least 1; got 0"),
        (np.ones((1, 0, 2, 2)), np.ones((1, 0, 1, 1)), {}, "in_channels must be at least 1; got 0"),
        (IMAGE, np.ones((0, 1, 2, 2)), {}, "out_channels must be at least 1; got 0"),
        (IMAGE, FILTER, {"layout": 3}, "layout must be one of NCHW, NHWC; got 3"),
        (IMAGE, FILTER, {"padding": 0.5}, "padding must be an int"),
    ],
)
def test_wrong_operands_say_what_was_given_and_what_is_accepted(
    x: Any, weights: Any, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(BadProblem, match=message):
        ConvProblem.of(x, weights, **arguments)


def test_batch_may_be_empty() -> None:
    problem = ConvProblem.of(np.ones((0, 2, 5, 4)), np.ones((3, 2, 2, 2)))

    assert problem.output_shape == (0, 3, 4, 3)
    assert problem.flops == 0
    assert problem.arithmetic_intensity == 0
    assert problem.random_operands()[0].shape == (0, 2, 5, 4)


def test_fields_are_the_arguments() -> None:
    """Facts and results are written from them."""
    assert list(asdict(ConvProblem(**PLAIN))) == [
        *("batch", "in_channels", "height", "width"),
        *("out_channels", "kernel_height", "kernel_width"),
        *("stride", "padding", "dilation", "groups", "dtype", "layout"),
    ]
