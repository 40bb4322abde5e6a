"""Transposition of a matrix, tile by tile in registers."""

from typing import Any

from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

from convbench.strategies._simd.vectors import VECTOR_BYTES, Emitter


def _transposed_tile(*, masked: bool) -> Any:
    """Make the transposition of a square of as many rows as a register has lanes."""

    @intrinsic(prefer_literal=False)
    def tile(
        _typing, source, source_at, source_step, target, target_at, target_step, rows, columns
    ):
        """Store target[column · target_step + row] = source[row · source_step + column]."""
        integer = types.intp
        signature = types.void(
            *(source, integer, integer, target, integer, integer, integer, integer)
        )

        def codegen(context, builder, signature, arguments):
            source_type, _, _, target_type, *_ = signature.args
            source, source_at, source_step, target, target_at, target_step, rows, columns = (
                arguments
            )
            emit = Emitter(context, builder, target_type.dtype)

            nothing = ir.Constant(ir.VectorType(ir.IntType(1), emit.count), [0] * emit.count)
            of_rows, of_columns = emit.first_lanes(rows), emit.first_lanes(columns)

            def mask(index: int, count: Any, lanes: Any) -> Any:
                inside = builder.icmp_signed(">", count, emit.index(index))
                return builder.select(inside, lanes, nothing)

            begin = emit.pointer(source_type, source, source_at)
            vectors = []
            for row in range(emit.count):
                place = emit.at(begin, builder.mul(source_step, emit.index(row)))
                vectors.append(
                    emit.load_masked(place, mask(row, rows, of_columns))
                    if masked
                    else emit.load(place)
                )
            end = emit.pointer(target_type, target, target_at)
            for column, vector in enumerate(_transposed(emit, vectors)):
                place = emit.at(end, builder.mul(target_step, emit.index(column)))
                if masked:
                    emit.store_masked(vector, place, mask(column, columns, of_rows))
                else:
                    emit.store(vector, place)
            return context.get_dummy_value()

        return signature, codegen

    return tile


def _transposed(emit: Emitter, vectors: list[Any]) -> list[Any]:
    """Exchange halves, then quarters of the halves, and so on (Eklundh 1972)."""
    count, width = emit.count, emit.count // 2
    while width:
        low = [lane if not lane & width else count + lane - width for lane in range(count)]
        high = [lane + width if not lane & width else count + lane for lane in range(count)]
        kind = ir.VectorType(ir.IntType(32), count)
        for row in (row for row in range(count) if not row & width):
            pair = vectors[row], vectors[row + width]
            vectors[row], vectors[row + width] = (
                emit.builder.shuffle_vector(*pair, ir.Constant(kind, lanes))
                for lanes in (low, high)
            )
        width //= 2
    return vectors


_tile, _tile_masked = _transposed_tile(masked=False), _transposed_tile(masked=True)


@njit(nogil=True)
def transpose(source, source_at, source_step, target, target_at, target_step, rows, columns):
    """Store target[target_at + column · target_step + row] for all of source's rows and columns."""
    lanes = VECTOR_BYTES // target.itemsize
    if rows < 4 or columns < 4:  # most of a tile would be empty
        for column in range(columns):
            for row in range(rows):
                value = source[source_at + row * source_step + column]
                target[target_at + column * target_step + row] = value
        return
    for row in range(0, rows, lanes):
        for column in range(0, columns, lanes):
            here = source_at + row * source_step + column
            there = target_at + column * target_step + row
            if row + lanes <= rows and column + lanes <= columns:
                _tile(source, here, source_step, target, there, target_step, lanes, lanes)
            else:
                _tile_masked(
                    *(source, here, source_step, target, there, target_step),
                    *(rows - row, columns - column),
                )
