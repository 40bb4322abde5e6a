import subprocess
import sys

import pytest

from convbench import ConvProblem, workloads
from convbench.workloads import WORKLOADS

# name: batch, (H, W, C), (O, KH, KW), stride, padding, groups, output (OH, OW). Append only.
GOLDEN = {
    "question": (1, (32, 32, 3), (10, 2, 2), 2, 0, 1, (16, 16)),
    "cifar_resnet20_3x3": (1, (32, 32, 16), (16, 3, 3), 1, 1, 1, (32, 32)),
    "alexnet_conv1": (1, (224, 224, 3), (64, 11, 11), 4, 2, 1, (55, 55)),
    "vgg16_conv3_2": (1, (56, 56, 256), (256, 3, 3), 1, 1, 1, (56, 56)),
    "resnet50_conv2_3x3": (1, (56, 56, 64), (64, 3, 3), 1, 1, 1, (56, 56)),
    "resnet50_conv2_1x1": (1, (56, 56, 64), (256, 1, 1), 1, 0, 1, (56, 56)),
    "mobilenetv2_dw3": (1, (56, 56, 144), (144, 3, 3), 1, 1, 144, (56, 56)),
    "gray_blur31": (1, (512, 512, 1), (1, 31, 31), 1, 15, 1, (512, 512)),
    "alexnet_conv1_towers": (1, (227, 227, 3), (96, 11, 11), 4, 0, 1, (55, 55)),
    "vgg16_conv1_2": (1, (224, 224, 64), (64, 3, 3), 1, 1, 1, (224, 224)),
    "vgg16_conv2_2": (1, (112, 112, 128), (128, 3, 3), 1, 1, 1, (112, 112)),
    "vgg16_conv5_1": (1, (14, 14, 512), (512, 3, 3), 1, 1, 1, (14, 14)),
    "resnet50_stem": (1, (224, 224, 3), (64, 7, 7), 2, 3, 1, (112, 112)),
    "resnet50_conv4_3x3": (1, (14, 14, 256), (256, 3, 3), 1, 1, 1, (14, 14)),
    "resnet50_conv5_3x3": (1, (7, 7, 512), (512, 3, 3), 1, 1, 1, (7, 7)),
    "mobilenetv2_dw2": (1, (112, 112, 96), (96, 3, 3), 2, 1, 96, (56, 56)),
    "mobilenetv2_dw14": (1, (14, 14, 384), (384, 3, 3), 1, 1, 384, (14, 14)),
    "convnext_dw7": (1, (56, 56, 96), (96, 7, 7), 1, 3, 96, (56, 56)),
    "efficientnet_dw5": (1, (28, 28, 240), (240, 5, 5), 1, 2, 240, (28, 28)),
    "vit_patch16": (1, (224, 224, 3), (768, 16, 16), 16, 0, 1, (14, 14)),
    "unet_conv2_2": (1, (282, 282, 128), (128, 3, 3), 1, 0, 1, (280, 280)),
    "yolov3_down": (1, (128, 128, 64), (128, 3, 3), 2, 1, 1, (64, 64)),
    "resnet50_conv3_batch8": (8, (28, 28, 128), (128, 3, 3), 1, 1, 1, (28, 28)),
    "gray_blur3": (1, (512, 512, 1), (1, 3, 3), 1, 1, 1, (512, 512)),
    "gray_blur7": (1, (512, 512, 1), (1, 7, 7), 1, 3, 1, (512, 512)),
    "gray_blur15": (1, (512, 512, 1), (1, 15, 15), 1, 7, 1, (512, 512)),
}


def test_names_and_their_order_are_permanent() -> None:
    assert list(WORKLOADS) == list(GOLDEN)


@pytest.mark.parametrize("name", GOLDEN)
def test_shape_is_permanent(name: str) -> None:
    problem = ConvProblem(**WORKLOADS[name])

    assert (
        problem.batch,
        (problem.height, problem.width, problem.in_channels),
        (problem.out_channels, problem.kernel_height, problem.kernel_width),
        *(problem.stride[0], problem.padding[0], problem.groups),
        (problem.out_height, problem.out_width),
    ) == GOLDEN[name]
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
