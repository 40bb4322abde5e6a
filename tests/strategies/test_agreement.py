"""Every strategy against the reference, over all kinds of problems that it takes."""

import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from operator import attrgetter
from threading import Barrier

import numpy as np
import pytest
from generators import (
    PROBLEM_KINDS,
    STRATEGIES_HERE,
    accepted_by,
    assert_is_one_line,
    assert_within,
    convolve_by,
    each_strategy,
    supports,
    taken_problems,
)

from convbench import STRATEGIES, ConvProblem, Strategy, UnsupportedProblem, conv2d
from convbench.problem import DTYPES, Array
from convbench.reference import convolve
from convbench.workloads import WORKLOADS

each_case = pytest.mark.parametrize(
    ("strategy", "problem"),
    [
        pytest.param(
            strategy, problem, id=f"{strategy.name}-{kind}-{problem.dtype}-{problem.layout}"
        )
        for strategy in STRATEGIES_HERE
        for kind, problem in taken_problems(strategy)
    ],
)

# What these take, they take for ever; a strategy that is not named here may be made for one shape.
GENERAL = {
    *("loops", "loops_dot", "scipy_correlate2d", "shifted", "einsum", "tensordot", "im2col"),
    *("fft", "numba_direct", "toeplitz", "auto"),
    *("numba_loops", "numba_stencil", "numba_parallel", "numba_nhwc", "implicit_gemm"),
}
LOCAL = [strategy for strategy in STRATEGIES_HERE if strategy.local]
# A strategy that agrees on fewer kinds has shown nothing.
LEAST_KINDS = 3


@each_strategy
def test_strategy_takes_what_it_is_made_for(strategy: Strategy) -> None:
    kinds = {kind for kind, _ in taken_problems(strategy)}

    assert len(kinds) >= LEAST_KINDS
    if strategy.name in GENERAL:
        assert len(taken_problems(strategy)) == 4 * len(PROBLEM_KINDS)


@pytest.mark.parametrize(
    "strategy",
    [strategy for strategy in STRATEGIES.values() if strategy not in STRATEGIES_HERE],
    ids=attrgetter("name"),
)
def test_only_what_is_not_installed_takes_nothing(strategy: Strategy) -> None:
    for arguments in PROBLEM_KINDS.values():
        assert "is not installed" in str(strategy.unsupported(ConvProblem(**arguments)))


@each_case
def test_strategy_agrees_with_the_reference(strategy: Strategy, problem: ConvProblem) -> None:
    x, weights = problem.random_operands(seed=1)
    weights = accepted_by(strategy, weights, problem)

    output = convolve_by(strategy, x, weights, problem)

    assert output.dtype == np.dtype(problem.dtype)
    assert output.shape == problem.output_shape
    assert output.flags.c_contiguous
    assert output.flags.writeable
    assert_within(output, convolve(x, weights, problem), strategy.error_bound(x, weights, problem))


@each_strategy
def test_refused_problem_is_refused_by_conv2d_with_the_reason(strategy: Strategy) -> None:
    for arguments in PROBLEM_KINDS.values():
        problem = ConvProblem(**arguments)
        if supports(strategy, problem):
            continue
        reason = strategy.unsupported(problem)
        assert reason is not None

        with pytest.raises(UnsupportedProblem) as refusal:
            call_by_name(strategy, *problem.random_operands(), problem)

        assert_is_one_line(str(refusal.value))
        assert reason in str(refusal.value)
        assert strategy.name in str(refusal.value)


def call_by_name(strategy: Strategy, x: Array, weights: Array, problem: ConvProblem) -> Array:
    return conv2d(
        x,
        weights,
        stride=problem.stride,
        padding=problem.padding,
        dilation=problem.dilation,
        groups=problem.groups,
        layout=problem.layout,
        strategy=strategy.name,
    )


def every_other(operand: Array) -> Array:
    return np.repeat(operand, 2, axis=3)[..., ::2]


def reversed_twice(operand: Array) -> Array:
    return np.ascontiguousarray(operand[::-1, :, ::-1, ::-1])[::-1, :, ::-1, ::-1]


def off_by_one_byte(operand: Array) -> Array:
    shifted = np.frombuffer(b"\0" + operand.tobytes(), operand.dtype, offset=1)
    return shifted.reshape(operand.shape)


def of_other_layout(operand: Array) -> Array:
    return np.moveaxis(np.ascontiguousarray(np.moveaxis(operand, 1, -1)), -1, 1)


@pytest.mark.parametrize(
    "lay_out",
    [every_other, np.asfortranarray, reversed_twice, off_by_one_byte, of_other_layout],
    ids=["strided", "fortran", "negative strides", "misaligned", "other layout"],
)
@each_strategy
def test_operands_may_lie_in_any_way_and_are_never_written(
    strategy: Strategy, lay_out: Callable[[Array], Array]
) -> None:
    for _, problem in taken_problems(strategy, dtypes=("float32",)):
        x, weights = problem.random_operands(seed=2)
        weights = accepted_by(strategy, weights, problem)
        laid_x, laid_weights = lay_out(x), lay_out(weights)
        np.testing.assert_array_equal(laid_x, x)
        for operand in (x, weights, laid_x, laid_weights):
            operand.setflags(write=False)  # a strategy that writes raises

        expected = convolve_by(strategy, x, weights, problem)
        output = convolve_by(strategy, laid_x, laid_weights, problem)

        assert_within(output, expected, 2 * strategy.error_bound(x, weights, problem))


@each_strategy
def test_images_that_share_memory_are_convolved_each(strategy: Strategy) -> None:
    problem = several_images(strategy)
    x, weights = problem.random_operands(seed=3)
    weights = accepted_by(strategy, weights, problem)
    repeated = np.broadcast_to(x[:1], x.shape)

    output = convolve_by(strategy, repeated, weights, problem)

    expected = convolve(repeated, weights, problem)
    assert_within(output, expected, strategy.error_bound(repeated, weights, problem))


def several_images(strategy: Strategy) -> ConvProblem:
    """Return the first problem of three images that the strategy takes; one image if it must."""
    taken = taken_problems(strategy, batch=3) or taken_problems(strategy)
    return taken[0][1]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["question", "cifar_resnet20_3x3", "mobilenetv2_dw3"])
@each_strategy
def test_strategy_agrees_on_named_problems_or_says_why_not(
    strategy: Strategy, name: str, dtype: str
) -> None:
    problem = ConvProblem(**WORKLOADS[name], dtype=dtype)
    if not supports(strategy, problem):
        return
    x, weights = problem.random_operands()
    weights = accepted_by(strategy, weights, problem)

    output = convolve_by(strategy, x, weights, problem)

    assert_within(output, convolve(x, weights, problem), strategy.error_bound(x, weights, problem))


@each_strategy
def test_one_preparation_serves_many_inputs(strategy: Strategy) -> None:
    problem = several_images(strategy)
    first, weights = problem.random_operands(seed=3)
    second, _ = problem.random_operands(seed=4)
    weights = accepted_by(strategy, weights, problem)
    prepared = strategy.prepare(weights, problem)

    earlier = strategy.run(first, prepared, problem)
    output = strategy.run(second, prepared, problem)

    for x, convolved in ((first, earlier), (second, output)):
        bound = strategy.error_bound(x, weights, problem)
        assert_within(convolved, convolve(x, weights, problem), bound)


@pytest.mark.parametrize("kind", ["one_product", "three_by_three_one_output", "pointwise"])
@each_strategy
def test_output_is_not_a_view_of_the_operands(strategy: Strategy, kind: str) -> None:
    problem = ConvProblem(**PROBLEM_KINDS[kind])
    if not supports(strategy, problem):
        return
    x, weights = np.ones(problem.input_shape, "f4"), np.ones(problem.weights_shape, "f4")
    prepared = strategy.prepare(weights, problem)

    output, again = (strategy.run(x, prepared, problem) for _ in range(2))

    for other in (x, weights, again):
        assert not np.shares_memory(output, other)


@each_strategy
def test_no_image_gives_no_output(strategy: Strategy) -> None:
    for _, problem in taken_problems(strategy, batch=0):
        x, weights = problem.random_operands()

        output = call_by_name(strategy, x, accepted_by(strategy, weights, problem), problem)

        assert output.shape == problem.output_shape
        assert output.dtype == np.dtype(problem.dtype)


def with_planted(x: Array, values: tuple[float, ...]) -> Array:
    """Replace as many elements as there are values, far from each other and from the start."""
    planted = x.copy()
    places = np.linspace(x.size // 3, x.size - 1, len(values)).astype(int)
    planted.flat[places] = values
    return planted


@pytest.mark.parametrize(
    "values", [(np.nan,), (np.inf,), (-np.inf, np.inf), (np.nan, -np.inf)], ids=str
)
@pytest.mark.parametrize("strategy", LOCAL, ids=attrgetter("name"))
def test_nan_and_infinity_reach_the_outputs_that_the_definition_names(
    strategy: Strategy, values: tuple[float, ...]
) -> None:
    for _, problem in taken_problems(strategy, dtypes=("float32",)):
        x, weights = problem.random_operands(seed=5)
        weights = accepted_by(strategy, weights, problem)
        planted = with_planted(x, values)

        with np.errstate(invalid="ignore"):
            output = convolve_by(strategy, planted, weights, problem)
            expected = convolve(planted, weights, problem)

        finite = np.isfinite(expected)
        np.testing.assert_array_equal(output[~finite], expected[~finite])
        bound = strategy.error_bound(np.nan_to_num(planted, posinf=0, neginf=0), weights, problem)
        assert_within(output[finite], expected[finite], bound[finite])


@pytest.mark.parametrize("strategy", LOCAL, ids=attrgetter("name"))
def test_nan_in_a_filter_stays_in_its_plane(strategy: Strategy) -> None:
    """It reaches what the definition names, and may also meet the border that padding adds."""
    for _, problem in taken_problems(strategy, dtypes=("float32",)):
        x, weights = problem.random_operands(seed=6)
        weights = accepted_by(strategy, weights, problem)
        plane = problem.out_channels // 2
        weights[(plane, *(-1,) * 3)] = np.nan

        output = convolve_by(strategy, x, weights, problem)

        channel_axis = 1 if problem.layout == "NCHW" else 3
        reached, named = np.isnan(output), np.isnan(convolve(x, weights, problem))
        assert not np.delete(reached, plane, axis=channel_axis).any()
        assert reached[named].all()
        if problem.padding == (0, 0):
            np.testing.assert_array_equal(reached, named)


THREADS = 8


@pytest.mark.parametrize("shared", [False, True], ids=["own operands", "one preparation"])
@each_strategy
def test_threads_do_not_meet(strategy: Strategy, shared: bool) -> None:
    problem = concurrent_problem(strategy)
    weights = [
        accepted_by(strategy, problem.random_operands(seed)[1], problem) for seed in range(THREADS)
    ]
    xs = [problem.random_operands(100 + seed)[0] for seed in range(THREADS)]
    if shared:
        weights = weights[:1] * THREADS
    one_preparation = strategy.prepare(weights[0], problem)
    together = Barrier(THREADS)

    def convolve_often(thread: int) -> list[Array]:
        together.wait()
        return [
            strategy.run(xs[thread], one_preparation, problem)
            if shared
            else call_by_name(strategy, xs[thread], weights[thread], problem)
            for _ in range(3)
        ]

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        with ThreadPoolExecutor(THREADS) as pool:
            outputs = list(pool.map(convolve_often, range(THREADS)))
    finally:
        sys.setswitchinterval(interval)

    for thread in range(THREADS):
        expected = convolve(xs[thread], weights[thread], problem)
        bound = strategy.error_bound(xs[thread], weights[thread], problem)
        for output in outputs[thread]:
            assert_within(output, expected, bound)


def concurrent_problem(strategy: Strategy) -> ConvProblem:
    """Return the taken problem with the most work: threads are together for longest."""
    return max((problem for _, problem in taken_problems(strategy)), key=attrgetter("macs"))
