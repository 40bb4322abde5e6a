import tracemalloc

import pytest
from generators import STRATEGIES_HERE, accepted_by, convolve_by

from convbench import ConvProblem, Strategy
from convbench.workloads import WORKLOADS

LAYER = {
    **{"batch": 2, "in_channels": 16, "height": 24, "width": 24},
    **{"out_channels": 8, "kernel_height": 3, "kernel_width": 3, "stride": 2, "padding": 1},
}
PROBLEMS = {
    "plain": ConvProblem(**LAYER),
    "grouped": ConvProblem(**LAYER, groups=2),
    "grouped_float64": ConvProblem(**LAYER, groups=2, dtype="float64"),
    "unit_stride": ConvProblem(**LAYER | {"stride": 1}),
    "one_channel": ConvProblem(**LAYER | {"in_channels": 1, "out_channels": 1, "stride": 1}),
    "nhwc": ConvProblem(**LAYER | {"stride": 1}, layout="NHWC"),
    "pointwise": ConvProblem(**WORKLOADS["resnet50_conv2_1x1"] | {"out_channels": 16}),
    "depthwise": ConvProblem(**WORKLOADS["mobilenetv2_dw3"]),
}
# Iterators, views and the like: what no count of array elements contains.
SLACK_BYTES = 32_768


@pytest.mark.parametrize(
    ("strategy", "problem"),
    [
        pytest.param(strategy, problem, id=f"{strategy.name}-{name}")
        for strategy in STRATEGIES_HERE
        for name, problem in PROBLEMS.items()
        if strategy.unsupported(problem) is None
    ],
)
def test_workspace_is_what_a_run_holds_beyond_its_operands(
    strategy: Strategy, problem: ConvProblem
) -> None:
    x, weights = problem.random_operands()
    weights = accepted_by(strategy, weights, problem)
    convolve_by(strategy, x, weights, problem)  # imports and compiles, once

    tracemalloc.start()
    prepared = strategy.prepare(weights, problem)
    tracemalloc.reset_peak()
    output = strategy.run(x, prepared, problem)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    held_bytes, stated_bytes = peak_bytes - output.nbytes, strategy.workspace_bytes(problem)
    assert held_bytes <= stated_bytes * 1.05 + SLACK_BYTES
    assert stated_bytes <= held_bytes * 1.25 + SLACK_BYTES
