from operator import attrgetter

import numpy as np
import pytest
from generators import PROBLEM_KINDS, assert_within, convolve_by, error_bound

from convbench import STRATEGIES, ConvProblem, Strategy
from convbench.reference import convolve
from convbench.workloads import WORKLOADS

each_strategy = pytest.mark.parametrize("strategy", STRATEGIES.values(), ids=attrgetter("name"))
each_kind = pytest.mark.parametrize("kind", PROBLEM_KINDS)
each_dtype = pytest.mark.parametrize("dtype", ["float32", "float64"])
each_layout = pytest.mark.parametrize("layout", ["NCHW", "NHWC"])


@each_layout
@each_dtype
@each_kind
@each_strategy
def test_strategy_agrees_with_the_reference(
    strategy: Strategy, kind: str, dtype: str, layout: str
) -> None:
    problem = ConvProblem(**PROBLEM_KINDS[kind], dtype=dtype, layout=layout)
    assert strategy.unsupported(problem) is None
    x, weights = problem.random_operands(seed=1)

    output = convolve_by(strategy, x, weights, problem)

    assert output.dtype == np.dtype(dtype)
    assert output.shape == problem.output_shape
    assert output.flags.c_contiguous
    assert_within(output, convolve(x, weights, problem), error_bound(strategy, x, weights, problem))


@each_layout
@each_kind
@each_strategy
def test_operands_may_be_strided_and_are_never_written(
    strategy: Strategy, kind: str, layout: str
) -> None:
    problem = ConvProblem(**PROBLEM_KINDS[kind], layout=layout)
    x, weights = problem.random_operands(seed=2)
    strided_x, strided_weights = (np.repeat(a, 2, axis=3)[..., ::2] for a in (x, weights))
    for operand in (x, weights, strided_x, strided_weights):
        operand.setflags(write=False)  # a strategy that writes raises

    expected = convolve_by(strategy, x, weights, problem)
    output = convolve_by(strategy, strided_x, strided_weights, problem)

    assert_within(output, expected, 2 * error_bound(strategy, x, weights, problem))


@each_dtype
@pytest.mark.parametrize("name", ["question", "cifar_resnet20_3x3", "mobilenetv2_dw3"])
@each_strategy
def test_strategy_agrees_on_named_problems_or_says_why_not(
    strategy: Strategy, name: str, dtype: str
) -> None:
    problem = ConvProblem(**WORKLOADS[name], dtype=dtype)
    reason = strategy.unsupported(problem)
    if reason is not None:
        assert "the limit is" in reason
        return
    x, weights = problem.random_operands()

    output = convolve_by(strategy, x, weights, problem)

    assert_within(output, convolve(x, weights, problem), error_bound(strategy, x, weights, problem))


@each_strategy
def test_one_preparation_serves_many_inputs(strategy: Strategy) -> None:
    problem = ConvProblem(**PROBLEM_KINDS["everything_grouped"])
    first, weights = problem.random_operands(seed=3)
    second, _ = problem.random_operands(seed=4)
    prepared = strategy.prepare(weights, problem)

    strategy.run(first, prepared, problem)
    output = strategy.run(second, prepared, problem)

    assert_within(
        output,
        convolve(second, weights, problem),
        error_bound(strategy, second, weights, problem),
    )


@each_strategy
def test_output_is_not_a_view_of_the_operands(strategy: Strategy) -> None:
    problem = ConvProblem(**PROBLEM_KINDS["one_product"])
    x, weights = np.ones(problem.input_shape, "f4"), np.ones(problem.weights_shape, "f4")

    output = convolve_by(strategy, x, weights, problem)

    assert not np.shares_memory(output, x)
    assert not np.shares_memory(output, weights)
