"""Problems and operands for tests, and how far two outputs may lie apart."""

from collections.abc import Callable
from itertools import product
from operator import attrgetter
from typing import Any

import numpy as np
import pytest
from hypothesis import reject
from hypothesis import strategies as st

from convbench import STRATEGIES, ConvProblem, Strategy, UnsupportedProblem
from convbench.problem import DTYPES, LAYOUTS, Array
from convbench.reference import convolve


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
    # Kernels that work on blocks of channels or columns meet their remainders here.
    "channels_around_four": _kind((6, 8, 5), (7, 3, 3), padding=1),
    "channels_around_eight": _kind((7, 9, 9), (17, 3, 3), padding=1),
    "channels_around_sixteen": _kind((6, 6, 17), (33, 3, 3)),
    "channels_of_whole_blocks": _kind((9, 12, 16), (32, 3, 3), padding=1),
    "three_by_three_deep": _kind((13, 11, 20), (18, 3, 3), padding=1),
    "three_by_three_wide": _kind((5, 19, 3), (4, 3, 3), padding=(0, 1)),
    "three_by_three_batch": _kind((8, 7, 6), (5, 3, 3), padding=1, batch=3),
    "three_by_three_one_output": _kind((3, 3, 2), (3, 3, 3)),
    "three_by_three_one_channel": _kind((11, 14, 1), (1, 3, 3), padding=1),
    "three_by_three_grouped": _kind((9, 10, 10), (6, 3, 3), padding=1, groups=2),
    "three_by_three_halving": _kind((13, 15, 5), (9, 3, 3), padding=1, stride=2),
    "five_by_five": _kind((12, 13, 5), (6, 5, 5), padding=2),
    "five_by_five_deep": _kind((9, 13, 17), (18, 5, 5), padding=(1, 2), batch=2),
    "five_by_five_one_output": _kind((5, 5, 2), (3, 5, 5)),
    "five_by_five_halving": _kind((11, 14, 3), (4, 5, 5), padding=2, stride=2),
    "seven_by_seven": _kind((13, 16, 3), (5, 7, 7), padding=3),
    "stem": _kind((21, 19, 3), (17, 7, 7), padding=3, stride=2),
    "patches": _kind((12, 20, 3), (18, 4, 4), stride=4),
    "one_channel_blur": _kind((19, 21, 1), (1, 9, 9), padding=4),
    "depthwise_wide": _kind((6, 19, 17), (17, 3, 3), groups=17, padding=1),
    "depthwise_halving": _kind((9, 13, 9), (9, 3, 3), groups=9, padding=1, stride=2),
    "depthwise_five_by_five": _kind((9, 10, 12), (12, 5, 5), groups=12, padding=2),
    "depthwise_seven_by_seven": _kind((8, 9, 5), (5, 7, 7), groups=5, padding=3, batch=2),
    "pointwise_deep": _kind((5, 7, 40), (33, 1, 1)),
    "pointwise_one_pixel": _kind((1, 1, 20), (18, 1, 1), batch=2),
    "one_row": _kind((1, 12, 2), (2, 1, 4), padding=(0, 2)),
    "one_column": _kind((12, 1, 2), (2, 4, 1), stride=(2, 1)),
}

# What does not vary in a problem of a shape that some strategies are made for.
_UNIT = {"stride": (1, 1), "dilation": (1, 1)}
_SHAPES: tuple[dict[str, Any], ...] = (
    {},
    {"groups": 1, "dilation": (1, 1)},
    {"groups": 1, "dilation": (1, 1), "stride": (2, 2), "kernel_height": 3, "kernel_width": 3},
    _UNIT | {"groups": 1, "kernel_height": 3, "kernel_width": 3},
    _UNIT | {"groups": 1, "kernel_height": 5, "kernel_width": 5},
    _UNIT | {"groups": 1, "kernel_height": 7, "kernel_width": 5},
    _UNIT | {"groups": 1, "kernel_height": 1, "kernel_width": 1, "padding": (0, 0)},
    _UNIT | {"group_in": 1, "group_out": 1, "kernel_height": 3, "kernel_width": 3},
    _UNIT | {"group_in": 1, "group_out": 1, "groups": 1, "batch": 1},
)
# Below, at and beyond the numbers of channels that fill vector registers.
_COUNTS = (1, 2, 3, 4, 5, 7, 8, 11, 16, 17, 19, 24, 33, 40)


def supports(strategy: Strategy, problem: ConvProblem) -> bool:
    """Tell whether the strategy takes the problem; a refusal must be one line for a reader."""
    reason = strategy.unsupported(problem)
    if reason is None:
        return True
    assert_is_one_line(reason)
    return False


def assert_is_one_line(reason: object) -> None:
    assert isinstance(reason, str)
    assert reason == reason.strip() != ""
    assert "\n" not in reason


def taken_problems(
    strategy: Strategy, *, dtypes: tuple[str, ...] = DTYPES, **changes: Any
) -> list[tuple[str, ConvProblem]]:
    """List the kinds that the strategy takes, by name, in each dtype and layout."""
    return [
        (kind, problem)
        for kind, arguments in PROBLEM_KINDS.items()
        for dtype, layout in product(dtypes, LAYOUTS)
        if supports(
            strategy,
            problem := ConvProblem(**(arguments | changes), dtype=dtype, layout=layout),
        )
    ]


STRATEGIES_HERE = tuple(filter(taken_problems, STRATEGIES.values()))
"""All rows of the table but those whose library is not installed: they refuse everything."""

each_strategy = pytest.mark.parametrize("strategy", STRATEGIES_HERE, ids=attrgetter("name"))


@st.composite
def problems(draw: st.DrawFn, **fixed: Any) -> ConvProblem:
    """Draw a small problem; `fixed` are the arguments that shall not vary.

    They are ConvProblem's, with `group_in` and `group_out` for the channels of a group.
    """

    def pick(name: str, strategy: st.SearchStrategy[Any]) -> Any:
        return fixed[name] if name in fixed else draw(strategy)

    small, pair = st.integers(1, 3), st.tuples(st.integers(1, 3), st.integers(1, 3))
    deep = draw(st.booleans())
    counts = st.sampled_from(_COUNTS) if deep else small
    depthwise = fixed.get("group_in") == fixed.get("group_out") == 1
    groups = pick("groups", counts if depthwise else small)
    channels = counts if groups == 1 else small
    kernel = pick("kernel_height", small), pick("kernel_width", small)
    stride, dilation = pick("stride", pair), pick("dilation", pair)
    padding = pick("padding", st.tuples(st.integers(0, 2), st.integers(0, 2)))
    least = [
        max(1, (k - 1) * d + 1 - 2 * p) for k, d, p in zip(kernel, dilation, padding, strict=True)
    ]
    return ConvProblem(
        batch=pick("batch", st.integers(1, 2)),
        in_channels=groups * pick("group_in", channels),
        out_channels=groups * pick("group_out", channels),
        height=least[0] + draw(st.integers(0, 3 if deep else 8)),
        width=least[1] + draw(st.integers(0, 6 if deep else 19)),
        kernel_height=kernel[0],
        kernel_width=kernel[1],
        stride=stride,
        padding=padding,
        dilation=dilation,
        groups=groups,
        dtype=pick("dtype", st.sampled_from(("float32", "float64"))),
        layout=pick("layout", st.sampled_from(("NCHW", "NHWC"))),
    )


@st.composite
def problems_for(
    draw: st.DrawFn,
    strategy: Strategy,
    change: Callable[[ConvProblem], ConvProblem] = lambda problem: problem,
    **fixed: Any,
) -> ConvProblem:
    """Draw a problem that the strategy takes, after `change`; no strategy is left out.

    A strategy made for one shape finds it among the shapes that are tried in turn.
    """
    for shape in draw(st.permutations(_SHAPES)):
        problem = change(draw(problems(**shape | fixed)))
        if supports(strategy, problem):
            return problem
    return reject()


def integer_operands(problem: ConvProblem, seed: int = 0) -> tuple[Array, Array]:
    """Draw operands whose sums and multiples are exact, so that laws hold up to the strategy."""
    rng = np.random.default_rng(seed)
    x = rng.integers(-8, 9, problem.input_shape).astype(problem.dtype)
    return x, rng.integers(-8, 9, problem.weights_shape).astype(problem.dtype)


def in_layout(problem: ConvProblem, *nchw: Any) -> tuple[Any, ...]:
    """Order four things, given for N, C, H and W, as the problem's layout orders its axes."""
    if problem.layout == "NCHW":
        return nchw
    batch, channels, height, width = nchw
    return batch, height, width, channels


def accepted_by(strategy: Strategy, weights: Array, problem: ConvProblem) -> Array:
    """Return the filters, or such of rank one when the strategy wants those; integers stay so."""
    try:
        strategy.prepare(weights, problem)
    except UnsupportedProblem as reason:
        assert_is_one_line(str(reason))
    else:
        return weights
    columns = weights[in_layout(problem, *np.s_[:, :, :, :1])]
    return columns * weights[in_layout(problem, *np.s_[:, :, :1, :])]


def convolve_by(strategy: Strategy, x: Array, weights: Array, problem: ConvProblem) -> Array:
    """Prepare and run."""
    return strategy.run(x, strategy.prepare(weights, problem), problem)


def expected_by(
    strategy: Strategy, x: Array, weights: Array, problem: ConvProblem
) -> tuple[Array, Array]:
    """Convolve what an output is compared with, and bound its error.

    The strategy answers for itself where it can. Where a law leads out of what it takes, the
    reference does, whose own error every bound includes.
    """
    if strategy.unsupported(problem) is None:
        try:
            output = convolve_by(strategy, x, weights, problem)
        except UnsupportedProblem:
            pass
        else:
            return output, strategy.error_bound(x, weights, problem)
    output = convolve(x, weights, problem)
    return output, np.zeros_like(output)


def assert_within(output: Array, expected: Array, bound: Array) -> None:
    """Compare shape and every element; the bound is absolute."""
    assert output.shape == expected.shape
    excess = np.abs(output.astype(np.float64) - expected) - bound
    largest = excess.max(initial=0)
    assert largest <= 0, f"an element exceeds its error bound by {largest:.3g}"
