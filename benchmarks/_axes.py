"""The axes, as literal strings: results carry them, so they must not depend on a commit's code."""

STRATEGIES = (
    "loops",
    "loops_dot",
    "scipy_correlate2d",
    "shifted",
    "einsum",
    "tensordot",
    "im2col",
    "fft",
    "numba_direct",
    "toeplitz",
)
PROBLEMS = (
    "question",
    "cifar_resnet20_3x3",
    "alexnet_conv1",
    "vgg16_conv3_2",
    "resnet50_conv2_3x3",
    "resnet50_conv2_1x1",
    "mobilenetv2_dw3",
    "gray_blur31",
)
