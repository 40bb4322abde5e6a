from dataclasses import replace
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from generators import assert_within, convolve_by
from hypothesis import given
from hypothesis import strategies as st

from convbench import STRATEGIES, ConvProblem, threads
from convbench.reference import convolve
from convbench.strategies import _winograd
from convbench.strategies._toom_cook import POINTS, Filtering, as_floats, filtering
from convbench.workloads import WORKLOADS

# Every tile that a strategy uses, and the smallest ones.
TILES = [(2, 3), (4, 3), (6, 3), (4, 5), (4, 2), (4, 4), (1, 2), (2, 1), (3, 6)]
LAYER = {"in_channels": 20, "out_channels": 35, "height": 13, "width": 18}


def times(matrix: tuple[tuple[Fraction, ...], ...], vector: list[Fraction]) -> list[Fraction]:
    return [sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix]


@pytest.mark.parametrize(("outputs", "taps"), TILES)
@given(data=st.data())
def test_minimal_filtering_is_a_filter_in_exact_arithmetic(
    outputs: int, taps: int, data: st.DataObject
) -> None:
    tile = filtering(outputs, taps)
    integers = st.integers(-9, 9).map(Fraction)
    inputs = data.draw(st.lists(integers, min_size=tile.size, max_size=tile.size))
    weights = data.draw(st.lists(integers, min_size=taps, max_size=taps))

    filtered = [
        a * b
        for a, b in zip(
            times(tile.filter_transform, weights),
            times(tile.inputs_transform, inputs),
            strict=True,
        )
    ]

    expected = [sum(inputs[k + i] * weights[i] for i in range(taps)) for k in range(outputs)]
    assert times(tile.outputs_transform, filtered) == expected


@pytest.mark.parametrize(("outputs", "taps"), TILES)
def test_constants_applied_to_inputs_and_products_are_exact_in_single_precision(
    outputs: int, taps: int
) -> None:
    tile = filtering(outputs, taps)

    for matrix in (tile.inputs_transform, tile.outputs_transform):
        exact = np.array(as_floats(matrix))
        np.testing.assert_array_equal(exact.astype("f4"), exact)


@pytest.mark.parametrize(("outputs", "taps"), [(1, 1), (7, 3), (2, 8)])
def test_a_tile_without_points_is_refused(outputs: int, taps: int) -> None:
    limit = len(POINTS) + 1

    with pytest.raises(ValueError, match=f"a tile has 2 to {limit} inputs.*; got"):
        filtering(outputs, taps)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ["winograd_f2x3", "winograd_f4x3", "winograd_f6x3"])
def test_integers_within_the_precision_give_exact_sums(name: str, dtype: str) -> None:
    """Only F(2, 3) divides by a power of two alone; the others' filters are rounded once."""
    problem = ConvProblem(**LAYER, kernel_height=3, kernel_width=3, padding=1, dtype=dtype)
    rng = np.random.default_rng(0)
    x = rng.integers(-2, 3, problem.input_shape).astype(dtype)
    weights = rng.integers(-2, 3, problem.weights_shape).astype(dtype)

    output = convolve_by(STRATEGIES[name], x, weights, problem)

    error = np.abs(output - convolve(x, weights, problem)).max()
    assert error == 0 if name == "winograd_f2x3" else error < 0.5


@pytest.mark.parametrize("threads_number", [1, 2, 5])
@pytest.mark.parametrize(("name", "stride"), [("winograd_f4x3", 1), ("winograd_strided", 2)])
def test_threads_and_blocks_change_nothing(
    monkeypatch: pytest.MonkeyPatch, name: str, stride: int, threads_number: int
) -> None:
    problem = ConvProblem(
        batch=3, **LAYER, kernel_height=3, kernel_width=3, padding=1, stride=stride
    )
    x, weights = problem.random_operands()
    expected = convolve_by(STRATEGIES[name], x, weights, problem)
    monkeypatch.setattr(_winograd, "SHARED_FLOPS", 0)
    monkeypatch.setattr(_winograd, "LEAST_BLOCK_BYTES", 0)

    with threads.limit(threads_number):
        output = convolve_by(STRATEGIES[name], x, weights, problem)

    bound = STRATEGIES[name].error_bound(x, weights, problem)
    assert_within(output, convolve(x, weights, problem), bound)
    # Strips of tiles may differ, sums of one output never do.
    np.testing.assert_array_equal(output, expected)


@pytest.mark.parametrize(
    ("name", "changes", "reason"),
    [
        ("winograd_f4x3", {"kernel_width": 2}, "filters are 3×2 with stride 1×1; this tile is"),
        ("winograd_f4x3", {"stride": (2, 2)}, "with stride 2×2; this tile is made for 3×3"),
        ("winograd_f2x3", {"dilation": (1, 2)}, "dilation is 1×2; it must be 1"),
        ("winograd_f6x3", {"groups": 20, "out_channels": 20}, "one channel a group"),
        ("winograd_f4x5", {}, "filters are 3×3 with stride 1×1; this tile is made for 5×5"),
        ("winograd_strided", {}, "phases need square filters and one stride of at least 2"),
        ("winograd_strided", {"stride": (2, 2), "groups": 5}, "groups must be 1"),
        ("winograd_strided", {"stride": (3, 3)}, "a phase has 1 taps"),
    ],
)
def test_what_no_tile_is_made_for_is_refused(name: str, changes: dict, reason: str) -> None:
    problem = replace(ConvProblem(**LAYER, kernel_height=3, kernel_width=3), **changes)

    refusal = STRATEGIES[name].unsupported(problem)

    assert refusal is not None
    assert reason in refusal


def test_larger_tiles_execute_less_and_err_more() -> None:
    problem = ConvProblem(**WORKLOADS["vgg16_conv3_2"])
    small = ConvProblem(**LAYER, kernel_height=3, kernel_width=3)
    x, weights = small.random_operands()
    tiles = [STRATEGIES[f"winograd_f{m}x3"] for m in (2, 4, 6)]

    flops = [tile.flops(problem) for tile in tiles]
    bounds = [tile.error_bound(x, weights, small).max() for tile in tiles]

    assert problem.flops > flops[0] > flops[1] > flops[2]
    assert bounds == sorted(bounds)


def test_products_are_counted_by_tile() -> None:
    tile: Filtering = filtering(2, 3)
    problem = ConvProblem(
        in_channels=1, out_channels=1, height=4, width=4, kernel_height=3, kernel_width=3
    )

    # 16 multiply-adds; Bᵀ has 8 entries and passes over 4 + 4 vectors, Aᵀ 6 over 4 + 2.
    assert _winograd.flops(problem, tile) == 2 * 16 + 2 * 8 * 8 + 2 * 6 * 6


@pytest.mark.parametrize(
    ("height", "width"), list(product((3, 4, 7, 8), (3, 5, 9))), ids=lambda size: str(size)
)
@pytest.mark.parametrize("padding", [0, 1, 2])
@pytest.mark.parametrize("name", ["winograd_f4x3", "winograd_f6x3"])
def test_tiles_that_stick_out_of_the_image_agree(
    name: str, padding: int, height: int, width: int
) -> None:
    problem = ConvProblem(
        in_channels=3,
        out_channels=2,
        height=height,
        width=width,
        kernel_height=3,
        kernel_width=3,
        padding=padding,
        layout="NHWC",
    )
    x, weights = problem.random_operands(seed=5)

    output = convolve_by(STRATEGIES[name], x, weights, problem)

    bound = STRATEGIES[name].error_bound(x, weights, problem)
    assert_within(output, convolve(x, weights, problem), bound)
