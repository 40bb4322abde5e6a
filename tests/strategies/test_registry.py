import importlib
import os
import pkgutil
import re
import shutil
import subprocess
import sys
from dataclasses import FrozenInstanceError, replace
from pathlib import Path

import pytest
from generators import PROBLEM_KINDS, accepted_by, each_strategy, taken_problems

from convbench import STRATEGIES, ConvProblem, Strategy, UnknownStrategy, get_strategy, strategies
from convbench.strategies.auto import choose
from convbench.workloads import WORKLOADS

ROOT = Path(__file__).resolve().parents[2]
QUESTION = ConvProblem(**WORKLOADS["question"])


PERMANENT = (
    *("loops", "loops_dot", "scipy_correlate2d", "shifted", "einsum", "tensordot", "im2col"),
    *("fft", "numba_direct", "toeplitz", "fft_numpy", "fft_mkl", "fft_tiled", "fftconvolve"),
    *("oaconvolve", "scipy_convolve_auto", "ndimage_correlate", "separable", "numba_loops"),
    *("numba_stencil", "numba_parallel", "winograd_f2x3", "winograd_f4x3", "winograd_f6x3"),
    *("winograd_f4x5", "winograd_strided", "loops_python", "einsum_optimized"),
    *("matmul_windows", "im2col_rows", "im2col_blocked", "index_gather", "kn2row", "mec"),
    *("pointwise", "sparse_toeplitz", "grouped_matmul", "auto"),
    *("torch", "torch_channels_last", "onnxruntime", "openvino", "opencv"),
)
# The strategies of the first reports, whose histories must not lose a cell.
FIRST = PERMANENT[:10]


def test_names_are_permanent() -> None:
    """Results of old commits carry these names, and reports draw them in this order."""
    names = iter(STRATEGIES)

    assert all(name in names for name in PERMANENT)  # each is looked for after the one before


def test_every_strategy_of_every_file_has_its_row_under_its_name() -> None:
    modules = [
        importlib.import_module(module.name)
        for module in pkgutil.walk_packages(strategies.__path__, "convbench.strategies.")
    ]

    records = {
        record for module in modules for record in vars(module).values() if type(record) is Strategy
    }

    assert records == set(STRATEGIES.values())
    assert {name: strategy.name for name, strategy in STRATEGIES.items()} == {
        name: name for name in STRATEGIES
    }


def test_table_and_records_are_read_only() -> None:
    with pytest.raises(TypeError):
        STRATEGIES["mine"] = STRATEGIES["loops"]  # type: ignore[index]
    with pytest.raises(FrozenInstanceError):
        STRATEGIES["loops"].name = "mine"  # type: ignore[misc]


def test_unknown_name_lists_the_names() -> None:
    with pytest.raises(UnknownStrategy, match=r"unknown strategy 'winogard'; .*loops, .*auto"):
        get_strategy("winogard")


@pytest.mark.parametrize("strategy", STRATEGIES.values(), ids=STRATEGIES)
def test_strategy_describes_itself(strategy: Strategy) -> None:
    assert strategy.summary
    assert "\n" not in strategy.summary
    assert len(strategy.summary) <= 80
    assert strategy.reference
    assert strategy.family in FAMILIES
    assert strategy.external == (strategy.family == "peer")


@pytest.mark.parametrize("name", FIRST)
def test_first_strategies_support_the_question(name: str) -> None:
    assert STRATEGIES[name].unsupported(QUESTION) is None


@each_strategy
def test_costs_are_whole_numbers(strategy: Strategy) -> None:
    for _, problem in taken_problems(strategy):
        flops, workspace_bytes = strategy.flops(problem), strategy.workspace_bytes(problem)

        assert type(flops) is int
        assert flops > 0
        assert type(workspace_bytes) is int
        assert workspace_bytes >= 0


@each_strategy
def test_flops_need_no_preparation_but_accept_one(strategy: Strategy) -> None:
    _, problem = taken_problems(strategy)[0]
    _, weights = problem.random_operands()
    prepared = strategy.prepare(accepted_by(strategy, weights, problem), problem)

    flops = strategy.flops(problem, prepared)

    assert type(flops) is int
    assert flops > 0


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


FAMILIES = {
    *("loops", "direct", "gemm", "fft", "winograd", "separable", "dense", "auto", "peer"),
}
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
    "problem",
    [
        QUESTION,
        ConvProblem(**WORKLOADS["vgg16_conv3_2"]),
        ConvProblem(**WORKLOADS["gray_blur31"]),
        # Columns of 3.5 GiB.
        replace(ConvProblem(**WORKLOADS["vgg16_conv3_2"]), batch=128),
    ],
    ids=["question", "vgg", "blur", "large batch"],
)
def test_auto_never_refuses_and_costs_what_its_choice_costs(problem: ConvProblem) -> None:
    auto, chosen = STRATEGIES["auto"], choose(problem)

    assert auto.unsupported(problem) is None
    assert chosen.unsupported(problem) is None
    assert auto.flops(problem) == chosen.flops(problem)
    assert auto.workspace_bytes(problem) == chosen.workspace_bytes(problem)


def test_import_loads_no_large_library() -> None:
    """Each costs more than everything else that a small command does; peers, seconds."""
    large = {"numba", "scipy", "pandas", "mkl_fft", "torch", "onnxruntime", "openvino", "cv2"}
    code = f"import sys, convbench; print(sorted({large} & set(sys.modules)))"

    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout

    assert loaded.strip() == "[]"


TOY = '''"""im2col under another name. Identity and source: im2col's."""

from dataclasses import replace

from convbench.strategies import im2col

STRATEGY = replace(im2col.STRATEGY, name="toy")
'''


def test_new_strategy_is_one_file_and_one_row(tmp_path: Path) -> None:
    """The tests, the axes of the benchmarks and conv2d take it from the table."""
    for name in ("src", "tests", "benchmarks", "pyproject.toml"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, tmp_path / name)
    folder = tmp_path / "src/convbench/strategies"
    (folder / "toy.py").write_text(TOY)
    table = (folder / "__init__.py").read_text()
    table = table.replace("import (\n", "import (\n    toy,\n", 1)
    table = table.replace('    "auto": ', '    "toy": toy.STRATEGY,\n    "auto": ', 1)
    (folder / "__init__.py").write_text(table)

    tests = ["tests/strategies", "tests/benchmarks/test_benchmarks.py"]
    chosen = "(toy and not new_strategy) or axes or permanent or every_strategy"
    pytest_alone = ["-m", "pytest", "-o", "addopts=", "-p", "no:cacheprovider", "-q"]
    answer = subprocess.run(
        [sys.executable, *pytest_alone, "-k", chosen, *tests],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(tmp_path / "src")},
        capture_output=True,
        text=True,
    )

    assert answer.returncode == 0, answer.stdout[-3000:]
    passed = re.search(r"(\d+) passed", answer.stdout)
    assert passed is not None
    assert int(passed[1]) > 4 * len(PROBLEM_KINDS)  # it took part in the whole product
