"""Serve NHWC problems with routines written for NCHW.

The operands are viewed as NCHW, which copies nothing; the output is copied into the problem's
layout. The view's strides are the price that such a strategy pays for the other layout.
"""

from collections.abc import Callable
from functools import wraps
from typing import TypeVar

import numpy as np

from convbench.problem import Array, ConvProblem

Prepared = TypeVar("Prepared")


def nchw_prepare(
    prepare: Callable[[Array, ConvProblem], Prepared],
) -> Callable[[Array, ConvProblem], Prepared]:
    """Let `prepare` see the filters as (O, C/groups, KH, KW) whatever the problem's layout."""

    @wraps(prepare)
    def prepare_either(weights: Array, problem: ConvProblem) -> Prepared:
        if problem.layout == "NHWC":
            weights = weights.transpose(0, 3, 1, 2)
        return prepare(weights, problem)

    return prepare_either


def nchw_run(
    run: Callable[[Array, Prepared, ConvProblem], Array],
) -> Callable[[Array, Prepared, ConvProblem], Array]:
    """Let `run` see x as (N, C, H, W) and return (N, O, OH, OW) whatever the problem's layout."""

    @wraps(run)
    def run_either(x: Array, prepared: Prepared, problem: ConvProblem) -> Array:
        if problem.layout == "NCHW":
            return run(x, prepared, problem)
        output = run(x.transpose(0, 3, 1, 2), prepared, problem)
        return np.ascontiguousarray(output.transpose(0, 2, 3, 1))

    return run_either
