import importlib
import pkgutil
import subprocess
import sys
from dataclasses import FrozenInstanceError, replace
from operator import attrgetter

import pytest
from generators import PROBLEM_KINDS

from convbench import STRATEGIES, ConvProblem, Strategy, UnknownStrategy, get_strategy, strategies
from convbench.strategies import fft, im2col, shifted
from convbench.strategies.auto import choose
from convbench.workloads import WORKLOADS

each_strategy = pytest.mark.parametrize("strategy", STRATEGIES.values(), ids=attrgetter("name"))

QUESTION = ConvProblem(**WORKLOADS["question"])


def test_names_are_permanent() -> None:
    """Append only, in the order of the table: results of old commits carry these names."""
    assert tuple(STRATEGIES) == (
        *("loops", "loops_dot", "scipy_correlate2d", "shifted", "einsum", "tensordot", "im2col"),
        *("fft", "numba_direct", "toeplitz", "auto"),
    )


def test_every_strategy_file_has_its_row() -> None:
    files = {
        module.name
        for module in pkgutil.iter_modules(strategies.__path__)
        if not module.name.startswith("_")
    }

    rows = {importlib.import_module(f"convbench.strategies.{name}").STRATEGY for name in files}

    assert rows == set(STRATEGIES.values())
    assert files == set(STRATEGIES)


def test_table_and_records_are_read_only() -> None:
    with pytest.raises(TypeError):
        STRATEGIES["mine"] = STRATEGIES["loops"]  # type: ignore[index]
    with pytest.raises(FrozenInstanceError):
        STRATEGIES["loops"].name = "mine"  # type: ignore[misc]


def test_unknown_name_lists_the_names() -> None:
    with pytest.raises(UnknownStrategy, match=r"unknown strategy 'winogard'; .*loops, .*auto"):
        get_strategy("winogard")


@each_strategy
def test_strategy_describes_itself(strategy: Strategy) -> None:
    assert strategy.summary
    assert "\n" not in strategy.summary
    assert len(strategy.summary) <= 80
    assert strategy.reference
    assert strategy.family in {"loops", "direct", "gemm", "fft", "dense", "auto"}


@each_strategy
def test_strategy_supports_the_question(strategy: Strategy) -> None:
    assert strategy.unsupported(QUESTION) is None


@each_strategy
@pytest.mark.parametrize("kind", PROBLEM_KINDS)
def test_costs_are_whole_numbers(strategy: Strategy, kind: str) -> None:
    problem = ConvProblem(**PROBLEM_KINDS[kind])

    flops, workspace_bytes = strategy.flops(problem), strategy.workspace_bytes(problem)

    assert type(flops) is int
    assert flops > 0
    assert type(workspace_bytes) is int
    assert workspace_bytes >= 0


@each_strategy
def test_flops_need_no_preparation_but_accept_one(strategy: Strategy) -> None:
    _, weights = QUESTION.random_operands()

    prepared = strategy.prepare(weights, QUESTION)

    assert strategy.flops(QUESTION, prepared) == strategy.flops(QUESTION)


@pytest.mark.parametrize(
    ("name", "flops"),
    [
        ("im2col", 61_440),
        # 31 x 31 dense positions of which the stride keeps 16 x 16.
        ("scipy_correlate2d", 2 * 10 * 3 * 31 * 31 * 4),
        ("toeplitz", 2 * 2560 * 3072),
    ],
)
def test_executed_flops_of_the_question(name: str, flops: int) -> None:
    assert STRATEGIES[name].flops(QUESTION) == flops


@pytest.mark.parametrize(
    ("name", "workload", "reason"),
    [
        (
            "loops",
            "alexnet_conv1",
            "would run 193,600 Python iterations a call (about 2 s, minutes over a benchmark's "
            "repeats); the limit is 100,000",
        ),
        (
            "toeplitz",
            "cifar_resnet20_3x3",
            "would need 1,024 MiB of workspace; the limit is 512 MiB",
        ),
        (
            "einsum",
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


LAYERS = {
    *("cifar_resnet20_3x3", "alexnet_conv1", "vgg16_conv3_2", "resnet50_conv2_3x3"),
    *("resnet50_conv2_1x1", "mobilenetv2_dw3", "gray_blur31"),
}


@pytest.mark.parametrize(
    ("name", "refused"),
    [
        ("loops", LAYERS - {"cifar_resnet20_3x3"}),
        ("loops_dot", {"mobilenetv2_dw3", "gray_blur31"}),
        ("scipy_correlate2d", {"alexnet_conv1", "vgg16_conv3_2"}),
        ("shifted", set()),
        ("einsum", {"vgg16_conv3_2"}),
        ("tensordot", {"gray_blur31"}),
        ("im2col", {"gray_blur31"}),
        ("fft", {"vgg16_conv3_2"}),
        ("numba_direct", set()),
        ("toeplitz", LAYERS),
    ],
)
def test_what_a_limit_refuses_stays_refused(name: str, refused: set[str]) -> None:
    # Frozen for these cells alone: a history must not gain or lose them with a limit's value.
    unsupported = {
        layer
        for layer in {"question", *LAYERS}
        if STRATEGIES[name].unsupported(ConvProblem(**WORKLOADS[layer])) is not None
    }

    assert unsupported == refused


@pytest.mark.parametrize(
    ("problem", "expected"),
    [
        (QUESTION, im2col.STRATEGY),
        (ConvProblem(**WORKLOADS["vgg16_conv3_2"]), im2col.STRATEGY),
        (ConvProblem(**WORKLOADS["gray_blur31"]), fft.STRATEGY),
        # Columns of 3.5 GiB.
        (replace(ConvProblem(**WORKLOADS["vgg16_conv3_2"]), batch=128), shifted.STRATEGY),
    ],
    ids=["question", "vgg", "blur", "large batch"],
)
def test_auto_follows_its_rule(problem: ConvProblem, expected: Strategy) -> None:
    auto = STRATEGIES["auto"]

    assert choose(problem) is expected
    assert auto.unsupported(problem) is None
    assert auto.flops(problem) == expected.flops(problem)
    assert auto.workspace_bytes(problem) == expected.workspace_bytes(problem)


def test_import_loads_neither_numba_nor_scipy() -> None:
    """Both cost more than everything else that a small command does."""
    code = "import sys, convbench; print(sorted({'numba', 'scipy', 'pandas'} & set(sys.modules)))"

    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout

    assert loaded.strip() == "[]"
