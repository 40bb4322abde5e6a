"""The named problems: keyword arguments of ConvProblem, without dtype and layout.

Append only: results of old commits carry these names, and a golden test freezes the shapes.
Standard library only: the benchmarks load this file by its path, next to an older package.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

Arguments = Mapping[str, Any]  # sizes, and pairs of sizes


def _workload(
    image: tuple[int, int, int],
    filters: tuple[int, int, int],
    *,
    stride: int = 1,
    padding: int = 0,
    groups: int = 1,
) -> Arguments:
    """Name the sizes of an (H, W, C) image under (O, KH, KW) filters; batch and dilation are 1."""
    height, width, in_channels = image
    out_channels, kernel_height, kernel_width = filters
    return MappingProxyType(
        {
            "batch": 1,
            "in_channels": in_channels,
            "height": height,
            "width": width,
            "out_channels": out_channels,
            "kernel_height": kernel_height,
            "kernel_width": kernel_width,
            "stride": (stride, stride),
            "padding": (padding, padding),
            "dilation": (1, 1),
            "groups": groups,
        }
    )


WORKLOADS: Mapping[str, Arguments] = MappingProxyType(
    {
        # The question this project began with: why is this slower than np.dot of 500x3072?
        "question": _workload((32, 32, 3), (10, 2, 2), stride=2),
        # He et al., "Deep residual learning for image recognition", CVPR 2016, section 4.2.
        "cifar_resnet20_3x3": _workload((32, 32, 16), (16, 3, 3), padding=1),
        # Krizhevsky, "One weird trick for parallelizing CNNs", 2014: the one-tower AlexNet.
        "alexnet_conv1": _workload((224, 224, 3), (64, 11, 11), stride=4, padding=2),
        # Simonyan & Zisserman, "Very deep convolutional networks", ICLR 2015, table 1, column D.
        "vgg16_conv3_2": _workload((56, 56, 256), (256, 3, 3), padding=1),
        # He et al., CVPR 2016, table 1, 50 layers: the 3x3 and the expanding 1x1 of conv2_x.
        "resnet50_conv2_3x3": _workload((56, 56, 64), (64, 3, 3), padding=1),
        "resnet50_conv2_1x1": _workload((56, 56, 64), (256, 1, 1)),
        # Sandler et al., "MobileNetV2", CVPR 2018, table 2: 24 channels expanded 6 times.
        "mobilenetv2_dw3": _workload((56, 56, 144), (144, 3, 3), padding=1, groups=144),
        # Image processing rather than networks: one large blur of one grey picture.
        "gray_blur31": _workload((512, 512, 1), (1, 31, 31), padding=15),
    }
)
