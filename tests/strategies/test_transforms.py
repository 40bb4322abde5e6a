"""What is special to Fourier transforms, and to SciPy's functions of two planes."""

import math
import sys
from collections.abc import Callable

import numpy as np
import pytest
import scipy.fft
from generators import PROBLEM_KINDS, assert_within, convolve_by

from convbench import STRATEGIES, ConvProblem, UnsupportedProblem
from convbench.problem import Array
from convbench.reference import convolve, fft_error_bound
from convbench.strategies import fft, fft_tiled, scipy_signal
from convbench.strategies._spectra import flops_with_tiles
from convbench.workloads import WORKLOADS

BLUR = ConvProblem(**WORKLOADS["gray_blur31"])


def plane_problem(height: int, width: int, kernel: tuple[int, int]) -> ConvProblem:
    return ConvProblem(
        in_channels=1,
        out_channels=1,
        height=height,
        width=width,
        kernel_height=kernel[0],
        kernel_width=kernel[1],
    )


each_workload = pytest.mark.parametrize("name", ["question", "alexnet_conv1", "gray_blur31"])


@each_workload
def test_tile_size_minimises_the_operations(name: str) -> None:
    problem = ConvProblem(**WORKLOADS[name])

    counts = [
        flops_with_tiles(problem, tiling.transform, math.prod(tiling.tiles))
        for tiling in fft_tiled.tilings(problem)
    ]

    assert STRATEGIES["fft_tiled"].flops(problem) == min(counts)
    assert min(counts) <= STRATEGIES["fft"].flops(problem)


@pytest.mark.parametrize("kind", PROBLEM_KINDS)
def test_every_tiling_covers_the_output_with_valid_positions(kind: str) -> None:
    problem = ConvProblem(**PROBLEM_KINDS[kind])
    sizes = (problem.out_height, problem.out_width)

    for tiling in fft_tiled.tilings(problem):
        for axis, size in enumerate(sizes):
            transform, outputs, tiles = (
                pair[axis] for pair in (tiling.transform, tiling.outputs, tiling.tiles)
            )
            assert outputs * (tiles - 1) < size <= outputs * tiles
            last_input = (outputs - 1) * problem.stride[axis] + problem.span[axis]
            assert problem.span[axis] <= last_input <= transform


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", ["everything_grouped", "padding_beyond_filter", "large_filter"])
def test_every_tiling_gives_the_convolution(
    monkeypatch: pytest.MonkeyPatch, kind: str, dtype: str
) -> None:
    problem = ConvProblem(**PROBLEM_KINDS[kind], dtype=dtype)
    x, weights = problem.random_operands(seed=9)
    expected = convolve(x, weights, problem)

    for tiling in list(fft_tiled.tilings(problem))[::3]:
        monkeypatch.setattr(fft_tiled, "choose_tiling", lambda _, tiling=tiling: tiling)
        output = convolve_by(fft_tiled.STRATEGY, x, weights, problem)
        assert_within(output, expected, fft_tiled.error_bound(x, weights, problem))


def test_bound_of_tiles_follows_what_is_in_them() -> None:
    x, weights = BLUR.random_operands()
    x[..., : fft_tiled.choose_tiling(BLUR).transform[0], :] = 0

    bound = fft_tiled.error_bound(x, weights, BLUR)

    assert bound.shape == BLUR.output_shape
    assert bound[..., 0, 0] == 0
    assert 0 < bound.max() < 0.7 * fft_error_bound(x, weights, BLUR).max()


@pytest.mark.parametrize("name", ["fft_tiled", "fftconvolve", "oaconvolve", "scipy_convolve_auto"])
@pytest.mark.parametrize("kind", PROBLEM_KINDS)
def test_bounds_are_far_below_the_output(kind: str, name: str) -> None:
    problem = ConvProblem(**PROBLEM_KINDS[kind])
    x, weights = problem.random_operands()

    bound = STRATEGIES[name].error_bound(x, weights, problem)

    assert bound.shape == problem.output_shape
    assert 0 < bound.max() < 1e-3 * np.abs(convolve(x, weights, problem)).max()


@pytest.mark.parametrize(("length", "slow"), [(720, False), (721, True), (1021, True)])
def test_lengths_with_large_prime_factors_are_allowed_more(length: int, slow: bool) -> None:
    """721 is 7·103."""
    problem = plane_problem(40, 40, (3, 3))
    x, weights = problem.random_operands()

    bound, smooth = (
        fft_error_bound(x, weights, problem, lengths=(rows, 64)).max() for rows in (length, 1024)
    )

    assert (bound > smooth) == slow


@pytest.mark.parametrize("name", ["fft", "fft_numpy", "fft_tiled"])
@pytest.mark.parametrize(
    ("dtype", "spectra"), [("float32", "complex64"), ("float64", "complex128")]
)
def test_precision_is_kept(name: str, dtype: str, spectra: str) -> None:
    problem = ConvProblem(**WORKLOADS["question"], dtype=dtype)
    x, weights = problem.random_operands()

    prepared = STRATEGIES[name].prepare(weights, problem)

    assert prepared.dtype == np.dtype(spectra)
    assert STRATEGIES[name].run(x, prepared, problem).dtype == np.dtype(dtype)


@pytest.mark.parametrize(
    "name",
    ["fft", "fft_numpy", "fft_tiled", "fftconvolve", "oaconvolve"],
)
@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.filterwarnings("ignore:invalid value encountered")
def test_what_is_not_finite_spreads_at_most_over_its_plane(name: str, value: float) -> None:
    """Documented: these strategies are not local."""
    problem = ConvProblem(
        **WORKLOADS["mobilenetv2_dw3"] | {"in_channels": 3, "out_channels": 3, "groups": 3}
    )
    x, weights = problem.random_operands()
    x[0, 1, 28, 28] = value

    lost = ~np.isfinite(convolve_by(STRATEGIES[name], x, weights, problem))

    assert not STRATEGIES[name].local
    assert lost[0, 1, 27:30, 27:30].all()  # at least what the definition names
    assert not lost[0, [0, 2]].any()
    assert lost[0, 1].all() == (name not in {"fft_tiled", "oaconvolve"})


def test_convolve_warns_of_what_is_not_finite() -> None:
    problem = plane_problem(32, 32, (3, 3))
    x, weights = problem.random_operands()
    x[0, 0, 5, 5] = np.nan

    with pytest.warns(RuntimeWarning, match="fft convolution on input with NAN"):
        convolve_by(STRATEGIES["scipy_convolve_auto"], x, weights, problem)


def test_mkl_fft_is_found_without_importing_it(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = ConvProblem(**WORKLOADS["question"])
    monkeypatch.setattr(fft, "find_spec", {}.get)
    assert STRATEGIES["fft_mkl"].unsupported(problem) == (
        "mkl_fft is not installed; pip install mkl-fft"
    )

    imported = "mkl_fft" in sys.modules
    monkeypatch.setattr(fft, "find_spec", {"mkl_fft": object()}.get)
    assert STRATEGIES["fft_mkl"].unsupported(problem) is None
    assert ("mkl_fft" in sys.modules) == imported


SHAPES = [
    plane_problem(20, 20, (3, 3)),
    plane_problem(300, 280, (9, 12)),
    plane_problem(512, 100, (31, 31)),
    plane_problem(100, 12, (3, 11)),  # blocks along one axis only
    plane_problem(9, 200, (1, 5)),
    plane_problem(200, 9, (5, 1)),
    plane_problem(30, 30, (1, 1)),
    plane_problem(7, 9, (7, 9)),
]


@pytest.mark.parametrize("problem", SHAPES, ids=lambda problem: f"{problem.padded}{problem.span}")
@pytest.mark.parametrize(
    ("name", "describe"),
    [
        ("fftconvolve", scipy_signal.whole_transforms),
        ("oaconvolve", scipy_signal.block_transforms),
    ],
)
def test_stated_transforms_are_those_that_scipy_runs(
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    describe: Callable[[ConvProblem], scipy_signal.Transforms],
    problem: ConvProblem,
) -> None:
    counts: list[tuple[tuple[int, ...], int]] = []

    def record(transform: Callable[..., Array]) -> Callable[..., Array]:
        def recorded(x: Array, s: list[int], axes: list[int]) -> Array:
            others = [size for axis, size in enumerate(x.shape) if axis not in axes]
            counts.append((tuple(s), math.prod(others)))
            return transform(x, s, axes=axes)

        return recorded

    x, weights = problem.random_operands()
    strategy = STRATEGIES[name]
    prepared = strategy.prepare(weights, problem)
    transforms = describe(problem)
    with monkeypatch.context() as patch:
        for function in ("rfftn", "irfftn"):
            patch.setattr(scipy.fft, function, record(getattr(scipy.fft, function)))
        output = strategy.run(x, prepared, problem)

    pieces = [transforms.blocks, 1, transforms.blocks]  # the plane, the filter, the result
    expected = [(transforms.lengths, piece) for piece in pieces] if transforms.lengths else []
    assert counts == expected
    bound = strategy.error_bound(x, weights, problem)
    assert_within(output, convolve(x, weights, problem), bound)


def test_blocks_need_fewer_operations_than_whole_planes_under_small_filters() -> None:
    problem = plane_problem(512, 512, (5, 5))

    assert STRATEGIES["oaconvolve"].flops(problem) < STRATEGIES["fftconvolve"].flops(problem)


@pytest.mark.parametrize(
    ("problem", "method", "flops"),
    [
        (plane_problem(9, 9, (3, 3)), "direct", 2 * 49 * 9),
        (plane_problem(300, 280, (9, 12)), "fft", None),
    ],
    ids=["small", "large"],
)
def test_scipy_chooses_once_for_a_problem(
    problem: ConvProblem, method: str, flops: int | None
) -> None:
    auto = STRATEGIES["scipy_convolve_auto"]

    assert scipy_signal.choose_method(problem) == method
    assert auto.flops(problem) == (flops or STRATEGIES["fftconvolve"].flops(problem))


@pytest.mark.parametrize("value", [np.nan, 1e-17, -2e-16])
def test_ndimage_refuses_taps_that_it_would_leave_out(value: float) -> None:
    problem = plane_problem(9, 9, (3, 3))
    _, weights = problem.random_operands()
    weights[0, 0, 1, 1] = 0
    STRATEGIES["ndimage_correlate"].prepare(weights, problem)

    weights[0, 0, 1, 2] = value
    with pytest.raises(UnsupportedProblem, match=r"leaves out taps .* at most 2.2e-16"):
        STRATEGIES["ndimage_correlate"].prepare(weights, problem)


@pytest.mark.parametrize(
    ("name", "workload", "reason"),
    [
        (
            "fftconvolve",
            "vgg16_conv3_2",
            "would call SciPy 65,536 times (about 7 s, minutes over a benchmark's repeats); "
            "the limit is 10,000",
        ),
        (
            "fftconvolve",
            "alexnet_conv1_towers",
            "would run 2,017,668,384 operations of Fourier transforms (seconds a call, minutes "
            "over a benchmark's repeats); the limit is 2,000,000,000",
        ),
        (
            "ndimage_correlate",
            "vgg16_conv3_2",
            "would run 1,849,688,064 multiply-adds in a plain C loop (seconds a call, minutes "
            "over a benchmark's repeats); the limit is 1,000,000,000",
        ),
    ],
)
def test_refusal_says_what_would_happen_and_the_limit(
    name: str, workload: str, reason: str
) -> None:
    assert STRATEGIES[name].unsupported(ConvProblem(**WORKLOADS[workload])) == reason
