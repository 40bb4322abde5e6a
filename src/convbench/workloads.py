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
    batch: int = 1,
) -> Arguments:
    """Name the sizes of (H, W, C) images under (O, KH, KW) filters; dilation is 1."""
    height, width, in_channels = image
    out_channels, kernel_height, kernel_width = filters
    return MappingProxyType(
        {
            "batch": batch,
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
        # Krizhevsky, Sutskever & Hinton, NIPS 2012, both towers; 227 as the sizes there require.
        "alexnet_conv1_towers": _workload((227, 227, 3), (96, 11, 11), stride=4),
        # Simonyan & Zisserman, ICLR 2015, table 1, column D, from the first layers to the last.
        "vgg16_conv1_2": _workload((224, 224, 64), (64, 3, 3), padding=1),
        "vgg16_conv2_2": _workload((112, 112, 128), (128, 3, 3), padding=1),
        "vgg16_conv5_1": _workload((14, 14, 512), (512, 3, 3), padding=1),
        # He et al., CVPR 2016, table 1, 50 layers: the stem, and the 3x3 of conv4_x and conv5_x.
        "resnet50_stem": _workload((224, 224, 3), (64, 7, 7), stride=2, padding=3),
        "resnet50_conv4_3x3": _workload((14, 14, 256), (256, 3, 3), padding=1),
        "resnet50_conv5_3x3": _workload((7, 7, 512), (512, 3, 3), padding=1),
        # Sandler et al., CVPR 2018, table 2: a depthwise layer that halves, and a late one.
        "mobilenetv2_dw2": _workload((112, 112, 96), (96, 3, 3), stride=2, padding=1, groups=96),
        "mobilenetv2_dw14": _workload((14, 14, 384), (384, 3, 3), padding=1, groups=384),
        # Liu et al., "A ConvNet for the 2020s", CVPR 2022, ConvNeXt-T, stage 1.
        "convnext_dw7": _workload((56, 56, 96), (96, 7, 7), padding=3, groups=96),
        # Tan & Le, "EfficientNet", ICML 2019, B0, stage 5: 40 channels expanded 6 times.
        "efficientnet_dw5": _workload((28, 28, 240), (240, 5, 5), padding=2, groups=240),
        # Dosovitskiy et al., ICLR 2021, ViT-B/16: the embedding of patches.
        "vit_patch16": _workload((224, 224, 3), (768, 16, 16), stride=16),
        # Ronneberger et al., "U-Net", MICCAI 2015, figure 1: no padding.
        "unet_conv2_2": _workload((282, 282, 128), (128, 3, 3)),
        # Redmon & Farhadi, "YOLOv3", 2018, table 1: the halving layer into 128 channels.
        "yolov3_down": _workload((128, 128, 64), (128, 3, 3), stride=2, padding=1),
        # He et al., CVPR 2016: conv3_x on a batch of eight.
        "resnet50_conv3_batch8": _workload((28, 28, 128), (128, 3, 3), padding=1, batch=8),
        # The grey picture of gray_blur31 under smaller filters: one family of one size.
        "gray_blur3": _workload((512, 512, 1), (1, 3, 3), padding=1),
        "gray_blur7": _workload((512, 512, 1), (1, 7, 7), padding=3),
        "gray_blur15": _workload((512, 512, 1), (1, 15, 15), padding=7),
    }
)
