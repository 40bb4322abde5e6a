"""OpenCV's ``filter2D``: image processing's convolution, one plane by one filter a call.

Identity: `filter2D` correlates at every pixel and takes zeros beyond the border, which is the
definition for a stride of 1 when the anchor lies at the padding; pixels past the last output are
cut off. From about 11×11 taps OpenCV multiplies Fourier transforms of tiles instead.
Source: Bradski, "The OpenCV library", Dr. Dobb's Journal, 2000; OpenCV's reference, filter2D.
"""

import numpy as np

from convbench import threads
from convbench.problem import Array, ConvProblem
from convbench.reference import direct_error_bound, fft_error_bound
from convbench.strategies._limits import too_many_iterations
from convbench.strategies._peer import LIBRARIES, filter_bytes, plain, wrong_layout
from convbench.strategies._strategy import Strategy


def prepare(weights: Array, problem: ConvProblem) -> Array:  # noqa: ARG001  # of a Strategy
    """Take the filters' only channel, and let OpenCV use as many threads as convbench does."""
    import cv2

    cv2.setNumThreads(threads.count())
    return np.ascontiguousarray(weights[:, 0])


def run(x: Array, filters: Array, problem: ConvProblem) -> Array:
    """Call filter2D for every image and filter, into the output where the sizes agree."""
    import cv2

    x = plain(x)
    output = np.empty(problem.output_shape, dtype=x.dtype)
    anchor = problem.padding[::-1]  # OpenCV's points are (x, y)
    whole = output.shape[2:] == x.shape[2:]
    for image, planes in zip(x[:, 0], output, strict=True):
        for plane, kernel in zip(planes, filters, strict=True):
            into = plane if whole else None
            full = cv2.filter2D(
                image, -1, kernel, dst=into, anchor=anchor, borderType=cv2.BORDER_CONSTANT
            )
            if not whole:
                plane[...] = full[: problem.out_height, : problem.out_width]
    return output


def unsupported(problem: ConvProblem) -> str | None:
    """Refuse whatever filter2D has no parameter for."""
    return (
        LIBRARIES["opencv"].missing()
        or wrong_layout(problem, "NCHW")
        or _beyond_filter2d(problem)
        or too_many_iterations(problem.batch * problem.out_channels)
    )


def error_bound(x: Array, weights: Array, problem: ConvProblem) -> Array:
    """Allow what either of OpenCV's two ways may err: which one it takes is its own affair."""
    return direct_error_bound(x, weights, problem) + fft_error_bound(x, weights, problem)


def _beyond_filter2d(problem: ConvProblem) -> str | None:
    if problem.in_channels != 1:
        return f"filter2D convolves one channel; got {problem.in_channels}"
    if problem.stride != (1, 1) or problem.dilation != (1, 1):
        return "filter2D has neither stride nor dilation"
    if problem.out_height > problem.height or problem.out_width > problem.width:
        return "filter2D has no output larger than the image"
    return None


STRATEGY = Strategy(
    name="opencv",
    family="peer",
    summary="cv2.filter2D for each filter of a one-channel image",
    reference="Bradski, Dr. Dobb's Journal, 2000; OpenCV's reference, filter2D",
    prepare=prepare,
    run=run,
    unsupported=unsupported,
    workspace_bytes=filter_bytes,
    brings=("opencv",),
    external=True,
    error_bound=error_bound,
    local=False,
)
