"""Products of a strip of rows and packed columns, and the matrix product made of them.

`product_RxV` multiplies a strip of R rows by V vectors of columns, all sums in registers; the
choice of R and V is that of Goto & van de Geijn, "Anatomy of high-performance matrix
multiplication", ACM TOMS 34(3), 2008: as many independent sums as there are registers.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from convbench.problem import Array
from convbench.strategies._simd.vectors import VECTOR_BYTES, Emitter, lanes

# 32 registers with AVX-512, else 16: sums, one vector of each column, one broadcast.
STRIPS: dict[int, int] = {1: 12, 2: 12, 4: 6} if VECTOR_BYTES == 64 else {1: 6, 2: 6}
"""Rows of a strip by its number of vectors."""

CACHE_LINE_BYTES = 64


def _product(rows: int, vectors: int) -> Any:
    """Make the product of a strip of `rows` by `vectors` of columns."""
    unroll = 4

    @intrinsic(prefer_literal=False)
    def product(
        _typing, x, starts, first, runs, length, packed, packed_at, output, output_at, step, lanes
    ):
        """Store Σ over runs r, k of x[starts[first + row] + runs[r] + k] · packed[r, k, column].

        `packed` holds all columns of the strip for one (r, k) side by side. Row `row` of the
        result goes to output[output_at + row · step], its first `lanes` columns.
        """
        integer = types.intp
        signature = types.void(
            *(x, starts, integer, runs, integer, packed, integer),
            *(output, integer, integer, integer),
        )

        def codegen(context, builder, signature, arguments):
            x_type, starts_type, _, runs_type, _, packed_type, _, output_type, *_ = signature.args
            x, starts, first, runs, length, packed, packed_at, output, output_at, step, lanes = (
                arguments
            )
            emit = Emitter(context, builder, output_type.dtype)
            origin = emit.pointer(x_type, x, emit.index(0))
            row_starts = emit.pointer(starts_type, starts, first)
            begins = [
                emit.at(origin, builder.load(emit.at(row_starts, emit.index(row))))
                for row in range(rows)
            ]
            sums = [
                [cgutils.alloca_once(builder, emit.vector) for _ in range(vectors)]
                for _ in range(rows)
            ]
            zero = emit.splatted_constant(0.0)
            for row in range(rows):
                for sum_ in sums[row]:
                    builder.store(zero, sum_)
            source = emit.pointer(packed_type, packed, packed_at)
            columns = cgutils.alloca_once_value(builder, source)

            def accumulate(row_pointers: Sequence[Any], k: Any, turns: int) -> None:
                here = builder.load(columns)
                for turn in range(turns):
                    right = [
                        emit.load(emit.at(here, emit.index((turn * vectors + v) * emit.count)))
                        for v in range(vectors)
                    ]
                    at = builder.add(k, emit.index(turn))
                    for row, pointer in enumerate(row_pointers):
                        left = emit.splat(builder.load(emit.at(pointer, at)))
                        for v in range(vectors):
                            total = emit.fma(left, right[v], builder.load(sums[row][v]))
                            builder.store(total, sums[row][v])
                builder.store(emit.at(here, emit.index(turns * vectors * emit.count)), columns)

            proxy = cgutils.create_struct_proxy(runs_type)(context, builder, value=runs)
            unrolled = builder.and_(length, emit.index(-unroll))
            with cgutils.for_range(builder, builder.extract_value(proxy.shape, 0)) as loop:
                run = builder.load(emit.at(proxy.data, loop.index))
                pointers = [emit.at(begin, run) for begin in begins]
                steps = (emit.index(0), unrolled, emit.index(unroll))
                with cgutils.for_range_slice(builder, *steps) as (k, _):
                    accumulate(pointers, k, unroll)
                with cgutils.for_range_slice(builder, unrolled, length, emit.index(1)) as (k, _):
                    accumulate(pointers, k, 1)
            target = emit.pointer(output_type, output, output_at)
            whole = builder.icmp_signed(">=", lanes, emit.index(vectors * emit.count))
            with builder.if_else(whole) as (then, otherwise):
                with then:
                    for row in range(rows):
                        line = emit.at(target, builder.mul(step, emit.index(row)))
                        for v in range(vectors):
                            place = emit.at(line, emit.index(v * emit.count))
                            emit.store(builder.load(sums[row][v]), place)
                with otherwise:
                    for v in range(vectors):
                        mask = emit.first_lanes(builder.sub(lanes, emit.index(v * emit.count)))
                        for row in range(rows):
                            line = emit.at(target, builder.mul(step, emit.index(row)))
                            place = emit.at(line, emit.index(v * emit.count))
                            emit.store_masked(builder.load(sums[row][v]), place, mask)
            return context.get_dummy_value()

        return signature, codegen

    return product


product_12x1, product_12x2, product_6x4 = _product(12, 1), _product(12, 2), _product(6, 4)
product_6x1, product_6x2 = _product(6, 1), _product(6, 2)
product_1x1, product_1x2, product_1x4 = _product(1, 1), _product(1, 2), _product(1, 4)


def _rows_of(vectors: int) -> tuple[Any, int]:
    """Find the product for strips of so many vectors on this machine, and its rows."""
    rows = STRIPS[vectors]
    return globals()[f"product_{rows}x{vectors}"], rows


def _block(vectors: int) -> Any:
    """Make the loop over all rows for one strip of columns."""
    product, rows = _rows_of(vectors)
    product_of_one = globals()[f"product_1x{vectors}"]

    @njit(nogil=True)
    def block(
        x, starts, first, last, runs, length, packed, packed_at, output, output_at, step, lanes
    ):
        row = first
        while row + rows <= last:
            at = output_at + (row - first) * step
            product(x, starts, row, runs, length, packed, packed_at, output, at, step, lanes)
            row += rows
        if row < last and last - first >= rows:  # some rows twice are faster than some alone
            row = last - rows
            at = output_at + (row - first) * step
            product(x, starts, row, runs, length, packed, packed_at, output, at, step, lanes)
        elif row < last:
            for row in range(first, last):
                at = output_at + (row - first) * step
                product_of_one(
                    *(x, starts, row, runs, length, packed, packed_at, output, at, step, lanes)
                )

    return block


_block_1, _block_2 = _block(1), _block(2)
_block_4 = _block(4) if 4 in STRIPS else _block_2
_WIDEST = max(STRIPS)


@njit(nogil=True)
def multiply(
    x, starts, first, last, runs, length, packed, packed_at, output, output_at, step, columns
):
    """Multiply rows of x, given by their starts and runs, by a matrix that `pack` laid out.

    output[output_at + (row - first) · step + column] = Σ over runs r, k < length of
    x[starts[row] + runs[r] + k] · matrix[r · length + k, column], for row in [first, last).
    """
    lanes = VECTOR_BYTES // output.itemsize
    depth = runs.size * length
    column = 0
    while column < columns:
        left = columns - column
        here, at = packed_at + column * depth, output_at + column
        if _WIDEST == 4 and left > 3 * lanes:
            _block_4(x, starts, first, last, runs, length, packed, here, output, at, step, left)
            column += 4 * lanes
        elif left > lanes:
            _block_2(x, starts, first, last, runs, length, packed, here, output, at, step, left)
            column += 2 * lanes
        else:
            _block_1(x, starts, first, last, runs, length, packed, here, output, at, step, left)
            column += lanes


def column_blocks(columns: int, itemsize: int) -> list[tuple[int, int]]:
    """List (first column, columns with padding) of every strip that `multiply` will take."""
    width = lanes(itemsize)
    blocks, column = [], 0
    while column < columns:
        left = columns - column
        vectors = 4 if _WIDEST == 4 and left > 3 * width else 2 if left > width else 1
        blocks.append((column, vectors * width))
        column += vectors * width
    return blocks


def pack(matrices: Array) -> Array:
    """Lay out matrices (count, depth, columns) as `multiply` reads them: (count, packed size).

    Each strip of columns is contiguous, one row after the other, and filled up with zeros.
    """
    count, depth, columns = matrices.shape
    blocks = column_blocks(columns, matrices.itemsize)
    packed = aligned_empty((count, sum(width for _, width in blocks) * depth), matrices.dtype)
    for column, width in blocks:
        strip = packed[:, column * depth : (column + width) * depth].reshape(count, depth, width)
        part = matrices[:, :, column : column + width]
        strip[:, :, : part.shape[2]] = part
        strip[:, :, part.shape[2] :] = 0
    return packed


def aligned_empty(shape: tuple[int, ...], dtype: Any) -> Array:
    """Allocate on a boundary of cache lines: no vector of a packed strip then lies on two."""
    itemsize = np.dtype(dtype).itemsize
    size = math.prod(shape)
    raw = np.empty(size + CACHE_LINE_BYTES // itemsize, dtype)
    skipped = -raw.ctypes.data % CACHE_LINE_BYTES // itemsize
    return raw[skipped : skipped + size].reshape(shape)
