"""Products of a small tile with constant matrices on both sides: the transforms of Winograd."""

from collections.abc import Sequence
from typing import Any

from numba import types
from numba.extending import intrinsic

from convbench.strategies._simd.vectors import Emitter

Matrix = Sequence[Sequence[float]]


def transform(left: Matrix, right: Matrix, *, masked: str = "") -> Any:
    """Make the function that computes left · tile · rightᵀ for a register full of tiles at once.

    Parameters
    ----------
    left, right : matrices of constants, as tuples of rows
    masked : "", "source" or "target"
        Which side may lie outside of an image: beyond rows [row_from, row_to), columns
        [column_from, column_to) and the first `lanes` lanes, a masked source reads as zero, and
        a masked target is not written. Without, the five are ignored.
    """
    if masked not in {"", "source", "target"}:
        raise ValueError(f"masked must be '', 'source' or 'target'; got {masked!r}")

    @intrinsic(prefer_literal=False)
    def tile(
        _typing,
        source,
        source_at,
        source_row,
        source_column,
        target,
        target_at,
        target_row,
        target_column,
        row_from,
        row_to,
        column_from,
        column_to,
        lanes,
    ):
        """Transform the tile at source_at, its elements source_row and source_column apart."""
        signature = types.void(
            *(source, *[types.intp] * 3, target, *[types.intp] * 3, *[types.intp] * 5)
        )

        def codegen(context, builder, signature, arguments):
            source_type, target_type = signature.args[0], signature.args[4]
            source, source_at, source_row, source_column = arguments[:4]
            target, target_at, target_row, target_column = arguments[4:8]
            bounds = arguments[8:]
            emit = Emitter(context, builder, target_type.dtype)

            def places(array_type, array, at, by_row, by_column, rows, columns):
                corner = emit.pointer(array_type, array, at)
                for row in range(rows):
                    line = emit.at(corner, builder.mul(by_row, emit.index(row)))
                    for column in range(columns):
                        at = builder.mul(by_column, emit.index(column))
                        yield row, column, emit.at(line, at)

            def mask(row: int, column: int) -> Any:
                row_from, row_to, column_from, column_to, lanes = bounds
                inside = _all_true(
                    builder,
                    builder.icmp_signed("<=", row_from, emit.index(row)),
                    builder.icmp_signed(">", row_to, emit.index(row)),
                    builder.icmp_signed("<=", column_from, emit.index(column)),
                    builder.icmp_signed(">", column_to, emit.index(column)),
                )
                return emit.first_lanes(builder.select(inside, lanes, emit.index(0)))

            size = (len(left[0]), len(right[0]))
            values = [[None] * size[1] for _ in range(size[0])]
            for row, column, place in places(
                source_type, source, source_at, source_row, source_column, *size
            ):
                values[row][column] = (
                    emit.load_masked(place, mask(row, column))
                    if masked == "source"
                    else emit.load(place)
                )
            by_column = [_apply(emit, left, column) for column in zip(*values, strict=True)]
            by_row = [_apply(emit, right, row) for row in zip(*by_column, strict=True)]
            everywhere = emit.first_lanes(bounds[-1]) if masked == "source" else None
            for row, column, place in places(
                target_type, target, target_at, target_row, target_column, len(left), len(right)
            ):
                if masked == "target":
                    emit.store_masked(by_row[row][column], place, mask(row, column))
                elif masked == "source":
                    emit.store_masked(by_row[row][column], place, everywhere)
                else:
                    emit.store(by_row[row][column], place)
            return context.get_dummy_value()

        return signature, codegen

    return tile


def _all_true(builder: Any, *conditions: Any) -> Any:
    result = conditions[0]
    for condition in conditions[1:]:
        result = builder.and_(result, condition)
    return result


def _apply(emit: Emitter, matrix: Matrix, vectors: Sequence[Any]) -> list[Any]:
    """Multiply a matrix of constants by a column of vectors.

    Rows that differ only in the signs of some terms, as those of the points a and -a do, share
    the sums of the terms that agree and of those that don't.
    """
    results: list[Any] = []
    while len(results) < len(matrix):
        row = matrix[len(results)]
        following = matrix[len(results) + 1] if len(results) + 1 < len(matrix) else None
        if following is not None and [abs(a) for a in row] == [abs(a) for a in following]:
            even = [(a + b) / 2 for a, b in zip(row, following, strict=True)]
            odd = [(a - b) / 2 for a, b in zip(row, following, strict=True)]
            if any(even) and any(odd):
                shared, opposed = _sum(emit, even, vectors), _sum(emit, odd, vectors)
                results.append(emit.builder.fadd(shared, opposed))
                results.append(emit.builder.fsub(shared, opposed))
                continue
        results.append(_sum(emit, row, vectors))
    return results


def _sum(emit: Emitter, factors: Sequence[float], vectors: Sequence[Any]) -> Any:
    """Sum the vectors times their factors: ones first, because they need no multiplication."""
    terms = [(factor, vector) for factor, vector in zip(factors, vectors, strict=True) if factor]
    terms.sort(key=lambda term: (abs(term[0]) != 1, term[0] < 0))
    if not terms:
        return emit.splatted_constant(0.0)
    (factor, total), *others = terms
    if factor != 1:
        total = emit.builder.fmul(total, emit.splatted_constant(factor))
    for factor, vector in others:
        if factor == 1:
            total = emit.builder.fadd(total, vector)
        elif factor == -1:
            total = emit.builder.fsub(total, vector)
        else:
            total = emit.fma(vector, emit.splatted_constant(factor), total)
    return total
