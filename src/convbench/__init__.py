"""Every way to compute a 2-D convolution, measured on every BLAS build."""

from convbench.errors import BadProblem, ConvbenchError, UnknownStrategy, UnsupportedProblem
from convbench.problem import Array, ConvProblem, Pair
from convbench.repeated import call_for
from convbench.strategies import STRATEGIES, Strategy, get_strategy

__version__ = "0.1.0"

__all__ = [
    "STRATEGIES",
    "BadProblem",
    "ConvProblem",
    "ConvbenchError",
    "Strategy",
    "UnknownStrategy",
    "UnsupportedProblem",
    "__version__",
    "conv2d",
    "get_strategy",
]


def conv2d(
    x: Array,
    weights: Array,
    *,
    stride: Pair = 1,
    padding: Pair = 0,
    dilation: Pair = 1,
    groups: int = 1,
    layout: str = "NCHW",
    strategy: str = "auto",
) -> Array:
    """Convolve a batch of images with filters, by a strategy of your choice.

    Convolution is cross-correlation here: filters are not flipped.

    Parameters
    ----------
    x : float32 or float64 array, shape (N, C, H, W), or (N, H, W, C) in layout NHWC
    weights : array of x's dtype, shape (O, C/groups, KH, KW), or (O, KH, KW, C/groups) in NHWC
    stride, padding, dilation : int or (vertical, horizontal)
    groups : int
        Groups of channels that don't meet; as many as channels is a depthwise convolution.
    layout : "NCHW" or "NHWC"
    strategy : str
        A name of `STRATEGIES`; "auto" always works.

    Returns
    -------
    array of x's dtype, shape (N, O, OH, OW), or (N, OH, OW, O) in layout NHWC

    Raises
    ------
    BadProblem, UnsupportedProblem, UnknownStrategy

    Examples
    --------
    >>> import numpy as np
    >>> image = np.arange(9.0).reshape(1, 1, 3, 3)
    >>> conv2d(image, np.ones((1, 1, 2, 2)), strategy="im2col")
    array([[[[ 8., 12.],
             [20., 24.]]]])
    """
    call = call_for(x, weights, stride, padding, dilation, groups, layout, strategy)
    return call(x, weights)
