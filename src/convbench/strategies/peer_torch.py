"""PyTorch's ``conv2d`` on the CPU, in both of its memory formats.

Identity: the definition, by oneDNN's direct kernels in float32 and by im2col and GEMM in float64.
Tensors share memory with arrays on the way in and out. None of them requires a gradient, so that
no graph is recorded: `inference_mode` would save nothing and costs two microseconds.
Source: Paszke et al., "PyTorch: an imperative style, high-performance deep learning library",
NeurIPS 2019.
"""

from typing import Any

import numpy as np

from convbench import threads
from convbench.problem import Array, ConvProblem
from convbench.strategies._peer import LIBRARIES, filter_bytes, plain, wrong_layout
from convbench.strategies._strategy import Strategy


def prepare(weights: Array, problem: ConvProblem) -> Any:  # noqa: ARG001  # of a Strategy
    """Wrap the filters, and let PyTorch use as many threads as convbench: one setting for all."""
    import torch

    torch.set_num_threads(threads.count())
    return torch.from_numpy(plain(weights))


def run(x: Array, weights: Any, problem: ConvProblem) -> Array:
    """Call conv2d on tensors that share the arrays' memory."""
    import torch

    tensor = torch.from_numpy(plain(x))
    output: Array = _convolve(tensor, weights, problem).numpy()
    return np.ascontiguousarray(output)


def prepare_channels_last(weights: Array, problem: ConvProblem) -> Any:
    """Wrap the filters; (O, KH, KW, C) in memory is (O, C, KH, KW) in format channels_last."""
    return prepare(weights, problem).permute(0, 3, 1, 2)


def run_channels_last(x: Array, weights: Any, problem: ConvProblem) -> Array:
    """Call conv2d on a view: (N, H, W, C) in memory is (N, C, H, W) in format channels_last."""
    import torch

    tensor = torch.from_numpy(plain(x)).permute(0, 3, 1, 2)
    output: Array = _convolve(tensor, weights, problem).permute(0, 2, 3, 1).numpy()
    # PyTorch may answer in the other format where both describe the input, as for one channel.
    return np.ascontiguousarray(output)


def unsupported(problem: ConvProblem) -> str | None:
    """Refuse channels last, for which there is the other strategy."""
    return LIBRARIES["torch"].missing() or wrong_layout(problem, "NCHW")


def unsupported_channels_last(problem: ConvProblem) -> str | None:
    """Refuse channels first, for which there is the other strategy."""
    return LIBRARIES["torch"].missing() or wrong_layout(problem, "NHWC")


def _convolve(tensor: Any, weights: Any, problem: ConvProblem) -> Any:
    import torch

    return torch.nn.functional.conv2d(
        tensor, weights, None, problem.stride, problem.padding, problem.dilation, problem.groups
    )


TORCH = Strategy(
    name="torch",
    family="peer",
    summary="torch.nn.functional.conv2d on contiguous tensors",
    reference="Paszke et al., NeurIPS 2019, arXiv:1912.01703",
    prepare=prepare,
    run=run,
    unsupported=unsupported,
    workspace_bytes=filter_bytes,
    brings=("torch",),
    external=True,
)

CHANNELS_LAST = Strategy(
    name="torch_channels_last",
    family="peer",
    summary="torch.nn.functional.conv2d on tensors of format channels_last",
    reference="Paszke et al., NeurIPS 2019, arXiv:1912.01703",
    prepare=prepare_channels_last,
    run=run_channels_last,
    unsupported=unsupported_channels_last,
    workspace_bytes=filter_bytes,
    brings=("torch",),
    external=True,
)
