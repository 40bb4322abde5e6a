"""Sums that stay in registers: rows of vectors, set to zero, added to, loaded and stored."""

from collections.abc import Sequence
from typing import Any

from numba.core import cgutils

from convbench.strategies._simd.vectors import Emitter


def zeros(emit: Emitter, rows: int, vectors: int) -> list[list[Any]]:
    """Make sums of zero; LLVM keeps these variables in registers."""
    zero = emit.splatted_constant(0.0)
    return [
        [cgutils.alloca_once_value(emit.builder, zero) for _ in range(vectors)] for _ in range(rows)
    ]


def add_products(emit: Emitter, factor: Any, vectors: Sequence[Any], sums: Sequence[Any]) -> None:
    left = emit.splat(factor)
    for right, sum_ in zip(vectors, sums, strict=True):
        emit.builder.store(emit.fma(left, right, emit.builder.load(sum_)), sum_)


def load_sums(emit: Emitter, sums: Sequence[Sequence[Any]], source: Any, step: Any) -> None:
    for row, row_sums in enumerate(sums):
        line = emit.at(source, emit.builder.mul(step, emit.index(row)))
        for v, sum_ in enumerate(row_sums):
            emit.builder.store(emit.load(emit.at(line, emit.index(v * emit.count))), sum_)


def store_sums(emit: Emitter, sums: Sequence[Sequence[Any]], target: Any, step: Any) -> None:
    for row, row_sums in enumerate(sums):
        line = emit.at(target, emit.builder.mul(step, emit.index(row)))
        for v, sum_ in enumerate(row_sums):
            emit.store(emit.builder.load(sum_), emit.at(line, emit.index(v * emit.count)))
