"""What `conv2d` remembers, so that a repeated call costs little more than its arithmetic.

Calls with equal shapes, dtypes and parameters are one problem, and the strategy's verdict on it
holds. Small filters of equal content have equal preparations; they are compared byte by byte, so
that filters changed in place are prepared anew.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from convbench import threads
from convbench.errors import UnsupportedProblem
from convbench.problem import Array, ConvProblem, Pair
from convbench.strategies import Strategy, get_strategy

REMEMBERED_PROBLEMS = 1024
REMEMBERED_FILTERS = 8
"""Preparations that are kept for one problem; a full memory is emptied, not sorted."""

SMALL_FILTERS_BYTES = 4096
"""Comparing filters up to this size takes less than a microsecond."""


@dataclass(slots=True, eq=False)
class Call:
    """A problem that a strategy has accepted, and small filters that it has prepared."""

    problem: ConvProblem
    strategy: Strategy
    filters: dict[bytes, Any] = field(default_factory=dict)

    def __call__(self, x: Array, weights: Array) -> Array:
        """Convolve operands of the problem's shapes."""
        if weights.nbytes > SMALL_FILTERS_BYTES:
            prepared = self.strategy.prepare(weights, self.problem)
            return self.strategy.run(x, prepared, self.problem)
        content = weights.tobytes()
        prepared = self.filters.get(content)
        if prepared is None:
            # A copy, because some strategies keep the filters themselves and this memory
            # must not follow what becomes of the caller's.
            prepared = self.strategy.prepare(weights.copy(), self.problem)
            if len(self.filters) >= REMEMBERED_FILTERS:
                self.filters.clear()
            self.filters[content] = prepared
        return self.strategy.run(x, prepared, self.problem)


_calls: dict[tuple[Any, ...], Call] = {}


def call_for(
    x: Array,
    weights: Array,
    stride: Pair,
    padding: Pair,
    dilation: Pair,
    groups: int,
    layout: str,
    strategy: str,
) -> Call:
    """Describe the convolution of these operands, or remember its description.

    Raises
    ------
    BadProblem, UnsupportedProblem, UnknownStrategy
    """
    # True, 1.0 and a NumPy integer equal 1 and would find its entry: only integers are looked up.
    plain = type(stride) is type(padding) is type(dilation) is type(groups) is int or (
        type(groups) is int and all(map(_is_plain, (stride, padding, dilation)))
    )
    arrays = type(x) is type(weights) is np.ndarray
    if not (plain and arrays):
        return _described(x, weights, stride, padding, dilation, groups, layout, strategy)
    try:
        key = (
            *(x.shape, x.dtype, weights.shape, weights.dtype, stride, padding, dilation, groups),
            *(layout, strategy, threads.count()),  # auto chooses by the number of threads
        )
        known = _calls.get(key)
    except TypeError:  # a layout or name that is no text: the description says what is wrong
        return _described(x, weights, stride, padding, dilation, groups, layout, strategy)
    if known is None:
        known = _described(x, weights, stride, padding, dilation, groups, layout, strategy)
        if len(_calls) >= REMEMBERED_PROBLEMS:
            _calls.clear()
        _calls[key] = known
    return known


def _is_plain(pair: object) -> bool:
    return type(pair) is int or (
        type(pair) is tuple and len(pair) == 2 and type(pair[0]) is type(pair[1]) is int
    )


def _described(
    x: Array,
    weights: Array,
    stride: Pair,
    padding: Pair,
    dilation: Pair,
    groups: int,
    layout: str,
    strategy: str,
) -> Call:
    chosen = get_strategy(strategy)
    problem = ConvProblem.of(
        x,
        weights,
        stride=stride,
        padding=padding,
        dilation=dilation,
        groups=groups,
        layout=layout,
    )
    reason = chosen.unsupported(problem)
    if reason is not None:
        raise UnsupportedProblem(f"strategy {strategy!r} does not support this problem: {reason}")
    return Call(problem, chosen)
