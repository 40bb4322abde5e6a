"""Problems and operands for tests, and how far two outputs may lie apart."""

from typing import Any

import numpy as np
from hypothesis import strategies as st

from convbench import ConvProblem, Strategy
from convbench.problem import Array
from convbench.reference import direct_error_bound, fft_error_bound


def _kind(image: tuple[int, int, int], filters: tuple[int, int, int], **parameters: Any) -> dict:
    return {
        **dict(zip(("height", "width", "in_channels"), image, strict=True)),
        **dict(zip(("out_channels", "kernel_height", "kernel_width"), filters, strict=True)),
        **parameters,
    }


# Each kind is the smallest problem that shows one thing, and is asymmetric where it can be.
PROBLEM_KINDS = {
    "one_product": _kind((1, 1, 1), (1, 1, 1)),
    "plain": _kind((7, 9, 3), (4, 3, 2)),
    "even_filter_with_stride": _kind((8, 6, 3), (5, 2, 2), stride=2),
    "asymmetric_stride": _kind((9, 11, 2), (3, 3, 3), stride=(3, 2)),
    "stride_beyond_filter": _kind((9, 10, 2), (3, 2, 1), stride=(4, 3)),
    "padding": _kind((6, 5, 3), (2, 3, 3), padding=1),
    "asymmetric_padding": _kind((6, 5, 2), (3, 3, 2), padding=(2, 0)),
    "padding_beyond_filter": _kind((3, 4, 2), (3, 2, 2), padding=(3, 4)),
    "dilation": _kind((9, 10, 2), (3, 3, 3), dilation=2),
    "asymmetric_dilation": _kind((7, 11, 2), (3, 3, 2), dilation=(1, 4)),
    "everything": _kind((11, 12, 4), (6, 3, 2), stride=(2, 3), padding=(1, 2), dilation=(2, 3)),
    "everything_grouped": _kind(
        (11, 12, 4), (6, 3, 2), stride=(2, 3), padding=(2, 1), dilation=(3, 2), groups=2, batch=3
    ),
    "groups": _kind((6, 7, 6), (9, 2, 3), groups=3),
    "single_filter": _kind((6, 7, 4), (1, 3, 2)),
    "single_filter_a_group": _kind((6, 6, 6), (3, 2, 3), groups=3),
    "depthwise": _kind((7, 6, 5), (5, 3, 3), groups=5, padding=1),
    "depthwise_multiplied": _kind((6, 6, 3), (6, 3, 2), groups=3, stride=2, batch=2),
    "pointwise": _kind((5, 6, 4), (7, 1, 1)),
    "pointwise_grouped": _kind((5, 6, 4), (6, 1, 1), groups=2, batch=2),
    "pointwise_strided": _kind((5, 6, 4), (3, 1, 1), stride=2),
    "pointwise_padded": _kind((3, 4, 2), (3, 1, 1), padding=(1, 2)),
    "batch": _kind((6, 7, 2), (3, 3, 3), batch=4),
    "filter_as_large_as_image": _kind((5, 7, 2), (3, 5, 7)),
    "filter_larger_than_image": _kind((3, 4, 2), (2, 5, 6), padding=2),
    "large_filter": _kind((26, 23, 1), (1, 13, 11), padding=(6, 5)),
    "one_row": _kind((1, 12, 2), (2, 1, 4), padding=(0, 2)),
    "one_column": _kind((12, 1, 2), (2, 4, 1), stride=(2, 1)),
}


@st.composite
def problems(draw: st.DrawFn, **fixed: Any) -> ConvProblem:
    """Draw a small problem; `fixed` are arguments of ConvProblem that shall not vary."""

    def pick(name: str, strategy: st.SearchStrategy[Any]) -> Any:
        return fixed[name] if name in fixed else draw(strategy)

    small, pair = st.integers(1, 3), st.tuples(st.integers(1, 3), st.integers(1, 3))
    groups = pick("groups", small)
    kernel = pick("kernel_height", small), pick("kernel_width", small)
    stride, dilation = pick("stride", pair), pick("dilation", pair)
    padding = pick("padding", st.tuples(st.integers(0, 2), st.integers(0, 2)))
    least = [
        max(1, (k - 1) * d + 1 - 2 * p) for k, d, p in zip(kernel, dilation, padding, strict=True)
    ]
    return ConvProblem(
        batch=pick("batch", st.integers(1, 2)),
        in_channels=pick("in_channels", small.map(lambda n: n * groups)),
        out_channels=pick("out_channels", small.map(lambda n: n * groups)),
        height=draw(st.integers(least[0], least[0] + 5)),
        width=draw(st.integers(least[1], least[1] + 5)),
        kernel_height=kernel[0],
        kernel_width=kernel[1],
        stride=stride,
        padding=padding,
        dilation=dilation,
        groups=groups,
        dtype=pick("dtype", st.sampled_from(("float32", "float64"))),
        layout=pick("layout", st.sampled_from(("NCHW", "NHWC"))),
    )


def integer_operands(problem: ConvProblem, seed: int = 0) -> tuple[Array, Array]:
    """Draw operands whose sums and multiples are exact, so that laws hold up to the strategy."""
    rng = np.random.default_rng(seed)
    x = rng.integers(-8, 9, problem.input_shape).astype(problem.dtype)
    return x, rng.integers(-8, 9, problem.weights_shape).astype(problem.dtype)


def convolve_by(strategy: Strategy, x: Array, weights: Array, problem: ConvProblem) -> Array:
    """Prepare and run."""
    return strategy.run(x, strategy.prepare(weights, problem), problem)


def error_bound(strategy: Strategy, x: Array, weights: Array, problem: ConvProblem) -> Array:
    """Bound the strategy's error by its family's derivation."""
    bound = direct_error_bound(x, weights, problem)
    if strategy.family in {"fft", "auto"}:  # auto may choose fft
        bound = bound + fft_error_bound(x, weights, problem)
    return bound


def assert_within(output: Array, expected: Array, bound: Array) -> None:
    """Compare shape and every element; the bound is absolute."""
    assert output.shape == expected.shape
    excess = np.abs(output.astype(np.float64) - expected) - bound
    assert excess.max() <= 0, f"an element exceeds its error bound by {excess.max():.3g}"
