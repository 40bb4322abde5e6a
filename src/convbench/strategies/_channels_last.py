"""Serve NCHW problems with routines written for NHWC: the mirror of `_layout`.

The operands are viewed as NHWC, which copies nothing; the output is copied into the problem's
layout.
"""

from collections.abc import Callable
from functools import wraps
from typing import TypeVar

import numpy as np

from convbench.problem import Array, ConvProblem

Prepared = TypeVar("Prepared")


def nhwc_prepare(
    prepare: Callable[[Array, ConvProblem], Prepared],
) -> Callable[[Array, ConvProblem], Prepared]:
    """Let `prepare` see the filters as (O, KH, KW, C/groups) whatever the problem's layout."""

    @wraps(prepare)
    def prepare_either(weights: Array, problem: ConvProblem) -> Prepared:
        if problem.layout == "NCHW":
            weights = weights.transpose(0, 2, 3, 1)
        return prepare(weights, problem)

    return prepare_either


def nhwc_run(
    run: Callable[[Array, Prepared, ConvProblem], Array],
) -> Callable[[Array, Prepared, ConvProblem], Array]:
    """Let `run` see x as (N, H, W, C) and return (N, OH, OW, O) whatever the problem's layout."""

    @wraps(run)
    def run_either(x: Array, prepared: Prepared, problem: ConvProblem) -> Array:
        if problem.layout == "NHWC":
            return run(x, prepared, problem)
        output = run(x.transpose(0, 2, 3, 1), prepared, problem)
        return np.ascontiguousarray(output.transpose(0, 3, 1, 2))

    return run_either


def moved_output_bytes(problem: ConvProblem) -> int:
    """Count the bytes of the output that `nhwc_run` copies into another layout."""
    if problem.layout == "NHWC":
        return 0
    positions = problem.batch * problem.out_height * problem.out_width
    return positions * problem.out_channels * problem.itemsize


def pad_nhwc(x: Array, problem: ConvProblem) -> Array:
    """Return x (N, H, W, C) with its zero border; x itself when there is none."""
    vertical, horizontal = problem.padding
    if not vertical and not horizontal:
        return x
    batch, height, width, channels = x.shape
    padded = np.zeros((batch, *problem.padded, channels), dtype=x.dtype)
    padded[:, vertical : vertical + height, horizontal : horizontal + width] = x
    return padded
