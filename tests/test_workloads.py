import subprocess
import sys

import pytest

from convbench import ConvProblem, workloads
from convbench.workloads import WORKLOADS

# name: (H, W, C), (O, KH, KW), stride, padding, groups, output (OH, OW). Append only.
GOLDEN = {
    "question": ((32, 32, 3), (10, 2, 2), 2, 0, 1, (16, 16)),
    "cifar_resnet20_3x3": ((32, 32, 16), (16, 3, 3), 1, 1, 1, (32, 32)),
    "alexnet_conv1": ((224, 224, 3), (64, 11, 11), 4, 2, 1, (55, 55)),
    "vgg16_conv3_2": ((56, 56, 256), (256, 3, 3), 1, 1, 1, (56, 56)),
    "resnet50_conv2_3x3": ((56, 56, 64), (64, 3, 3), 1, 1, 1, (56, 56)),
    "resnet50_conv2_1x1": ((56, 56, 64), (256, 1, 1), 1, 0, 1, (56, 56)),
    "mobilenetv2_dw3": ((56, 56, 144), (144, 3, 3), 1, 1, 144, (56, 56)),
    "gray_blur31": ((512, 512, 1), (1, 31, 31), 1, 15, 1, (512, 512)),
}


def test_names_and_their_order_are_permanent() -> None:
    assert list(WORKLOADS) == list(GOLDEN)


@pytest.mark.parametrize("name", GOLDEN)
def test_shape_is_permanent(name: str) -> None:
    problem = ConvProblem(**WORKLOADS[name])

    assert (
        (problem.height, problem.width, problem.in_channels),
        (problem.out_channels, problem.kernel_height, problem.kernel_width),
        *(problem.stride[0], problem.padding[0], problem.groups),
        (problem.out_height, problem.out_width),
    ) == GOLDEN[name]
    assert problem.batch == 1
    assert problem.dilation == (1, 1)
    assert problem.stride[0] == problem.stride[1]
    assert problem.padding[0] == problem.padding[1]


@pytest.mark.parametrize("name", GOLDEN)
def test_shape_leaves_dtype_and_layout_open(name: str) -> None:
    problem = ConvProblem(**WORKLOADS[name], dtype="float64", layout="NHWC")

    assert problem.dtype == "float64"
    assert problem.layout == "NHWC"


def test_workloads_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        WORKLOADS["question"]["stride"] = (1, 1)  # type: ignore[index]
    with pytest.raises(TypeError):
        WORKLOADS["mine"] = {}  # type: ignore[index]


def test_file_runs_alone_with_the_standard_library_only() -> None:
    """Benchmarks load today's file beside yesterday's package."""
    code = (
        "import runpy, sys; names = runpy.run_path(sys.argv[1])['WORKLOADS'];"
        "print(len(names), 'numpy' in sys.modules, 'convbench' in sys.modules)"
    )

    # -S: not even site-packages can be seen.
    answer = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code, workloads.__file__],
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    assert answer.split() == [str(len(GOLDEN)), "False", "False"]
