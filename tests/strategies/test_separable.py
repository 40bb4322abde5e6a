"""Filters of low rank, which random ones are not."""

from dataclasses import replace

import numpy as np
import pytest
from generators import assert_within, convolve_by

from convbench import STRATEGIES, ConvProblem, UnsupportedProblem
from convbench.problem import Array
from convbench.reference import convolve, separable_error_bound
from convbench.workloads import WORKLOADS

SEPARABLE = STRATEGIES["separable"]

BINOMIAL = np.array([1.0, 4.0, 6.0, 4.0, 1.0]) / 16
DIFFERENCE = np.array([1.0, 0.0, -1.0])


def gaussian(size: int) -> Array:
    column = np.exp(-(np.linspace(-2, 2, size) ** 2))
    return np.asarray(np.outer(column, column) / column.sum() ** 2)


def random_sum(rank: int, shape: tuple[int, ...] = (7, 6)) -> Array:
    rng = np.random.default_rng(rank)
    columns, rows = rng.standard_normal((2, *shape[:-2], max(shape), rank))
    return np.asarray(columns[..., : shape[-2], :] @ rows[..., : shape[-1], :].swapaxes(-1, -2))


PLANES = {
    "box": np.full((5, 5), 1 / 25),
    "gaussian": gaussian(9),
    "sobel": np.outer([1, 2, 1], DIFFERENCE),
    "binomial_difference": np.outer(BINOMIAL, DIFFERENCE),
    # Two pairs that nearly cancel: products are larger than the taps.
    "sharpening": np.outer(np.eye(9)[4], np.eye(9)[4]) - 0.9 * gaussian(9),
    "rank_one": random_sum(1),
    "rank_two": random_sum(2),
    "nothing": np.zeros((4, 3)),
}
RANKS = dict.fromkeys(PLANES, 1) | {"sharpening": 2, "rank_two": 2}


def problem_of(plane: Array, **parameters: object) -> ConvProblem:
    height, width = plane.shape
    arguments = {"in_channels": 1, "out_channels": 1, "height": 60, "width": 63} | parameters
    return ConvProblem(kernel_height=height, kernel_width=width, **arguments)


def operands_of(plane: Array, problem: ConvProblem) -> tuple[Array, Array]:
    """Draw x, and use the plane, scaled by another factor each, for every pair of channels."""
    x, random = problem.random_operands(seed=7)
    scales = random[:, :1, :1, :1] if problem.layout == "NHWC" else random[..., :1, :1]
    shaped = plane[:, :, None] if problem.layout == "NHWC" else plane
    return x, (scales * shaped * np.ones_like(random)).astype(problem.dtype)


def assert_agrees(x: Array, weights: Array, problem: ConvProblem) -> None:
    output = convolve_by(SEPARABLE, x, weights, problem)

    assert output.dtype == np.dtype(problem.dtype)
    assert output.flags.c_contiguous
    bound = SEPARABLE.error_bound(x, weights, problem)
    assert_within(output, convolve(x, weights, problem), bound)


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", PLANES)
def test_filters_of_low_rank_agree_with_the_reference(name: str, dtype: str, layout: str) -> None:
    problem = problem_of(PLANES[name], padding=1, dtype=dtype, layout=layout)

    assert_agrees(*operands_of(PLANES[name], problem), problem)


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize(
    "parameters",
    [
        {"stride": (2, 1)},
        {"stride": (3, 2), "padding": (0, 3)},
        {"dilation": (2, 3)},
        {"stride": (2, 1), "padding": (4, 2), "dilation": (3, 2), "batch": 2},
        {"in_channels": 3, "out_channels": 4},
        {"in_channels": 4, "out_channels": 6, "groups": 2, "batch": 3},
        {"in_channels": 5, "out_channels": 5, "groups": 5, "padding": 2},
        {"in_channels": 2, "out_channels": 6, "groups": 2, "stride": 2},
        {"batch": 0, "in_channels": 2},
    ],
    ids=str,
)
def test_every_parameter_is_supported(parameters: dict[str, object], layout: str) -> None:
    problem = problem_of(PLANES["gaussian"], layout=layout, **parameters)

    assert_agrees(*operands_of(PLANES["gaussian"], problem), problem)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_pair_of_channels_has_its_own_columns_and_rows(dtype: str) -> None:
    problem = problem_of(
        PLANES["rank_two"], in_channels=4, out_channels=6, groups=2, batch=2, dtype=dtype
    )
    x, _ = problem.random_operands(seed=8)
    weights = random_sum(2, problem.weights_shape)
    weights[1::2] = random_sum(1, problem.weights_shape)[1::2]  # ranks may differ

    assert_agrees(x, weights.astype(dtype), problem)


@pytest.mark.parametrize("name", PLANES)
def test_operations_follow_the_rank(name: str) -> None:
    problem = problem_of(PLANES[name], padding=(2, 1), stride=(2, 1))
    _, weights = operands_of(PLANES[name], problem)

    flops = SEPARABLE.flops(problem, SEPARABLE.prepare(weights, problem))

    height, width = PLANES[name].shape
    columns, rows = height * problem.padded[1], width * problem.out_width
    assert flops == RANKS[name] * 2 * problem.out_height * (columns + rows)
    assert flops == RANKS[name] * SEPARABLE.flops(problem)
    assert flops < problem.flops


def test_rank_is_that_of_the_precision_in_which_filters_are_given() -> None:
    plane = gaussian(31)
    single, double = (problem_of(plane, dtype=dtype) for dtype in ("float32", "float64"))
    rounded = plane.astype("float32")[None, None]

    prepared = SEPARABLE.prepare(rounded, single)
    assert prepared.rank == 1
    with pytest.raises(UnsupportedProblem, match=r"filters of rank \d\d would need"):
        SEPARABLE.prepare(rounded.astype("float64"), double)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_is_left_out_is_within_the_bound(dtype: str) -> None:
    """A bound that is a few times larger than the worst loss, and not thousands of times."""
    plane = np.zeros((6, 5))
    plane[0, 0] = 1
    plane[1:, 1:] = np.eye(5, 4) * 5.9 * np.finfo(dtype).eps  # just below the threshold
    problem = problem_of(plane, dtype=dtype, height=20, width=20)
    x = np.ones(problem.input_shape, dtype)
    weights = plane.astype(dtype)[None, None]

    assert SEPARABLE.prepare(weights, problem).rank == 1
    assert_agrees(x, weights, problem)
    missed = convolve(x, weights, problem) - 1
    assert missed.min() > separable_error_bound(x, weights, problem).max() / 20


@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_factors_neither_overflow_nor_vanish(scale: float) -> None:
    problem = problem_of(PLANES["box"])
    x, weights = operands_of(PLANES["box"] * scale, problem)

    assert_agrees(x, weights, problem)


@pytest.mark.parametrize("name", sorted(PLANES.keys() - {"nothing"}))
def test_bound_is_far_below_the_output(name: str) -> None:
    problem = problem_of(PLANES[name], in_channels=2)
    x, weights = operands_of(PLANES[name], problem)

    bound = separable_error_bound(x, weights, problem)

    assert bound.shape == problem.output_shape
    assert 0 < bound.max() < 1e-3 * np.abs(convolve(x, weights, problem)).max()


def test_nan_stays_in_its_patches() -> None:
    problem = problem_of(PLANES["sobel"], dilation=2, stride=(2, 1), padding=1)
    x, weights = operands_of(PLANES["sobel"], problem)
    x[0, 0, 20, 31] = np.nan

    output = convolve_by(SEPARABLE, x, weights, problem)

    np.testing.assert_array_equal(np.isnan(output), np.isnan(convolve(x, weights, problem)))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"kernel_height": 2, "kernel_width": 2}, "filters of rank 1 would need"),
        ({"kernel_height": 1}, "filters of rank 1 would need"),
        ({"in_channels": 512, "out_channels": 512}, "multiply-adds in a plain C loop"),
    ],
    ids=["small filter", "row", "many channels"],
)
def test_what_saves_nothing_or_takes_seconds_is_refused(
    changes: dict[str, int], reason: str
) -> None:
    problem = replace(problem_of(PLANES["gaussian"], height=28, width=28), **changes)

    assert reason in str(SEPARABLE.unsupported(problem))


def test_filters_of_full_rank_are_refused_by_prepare() -> None:
    problem = problem_of(PLANES["gaussian"], height=28, width=28)
    _, weights = problem.random_operands()

    assert SEPARABLE.unsupported(problem) is None
    with pytest.raises(UnsupportedProblem) as refusal:
        SEPARABLE.prepare(weights, problem)

    assert str(refusal.value) == (
        "filters of rank 9 would need 155,520 operations for columns and rows, and the direct sum "
        "needs 64,800"
    )


def test_question_is_refused_beforehand() -> None:
    question = ConvProblem(**WORKLOADS["question"])

    assert SEPARABLE.unsupported(question) == (
        "filters of rank 1 would need 92,160 operations for columns and rows, and the direct sum "
        "needs 61,440"
    )


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_filters_without_singular_values_are_refused(value: float) -> None:
    problem = problem_of(PLANES["box"])
    _, weights = operands_of(PLANES["box"], problem)
    weights[0, 0, 1, 2] = value

    with pytest.raises(UnsupportedProblem, match="NaN or infinity"):
        SEPARABLE.prepare(weights, problem)
