"""The vector instructions that compiled kernels are made of, as functions that Numba inlines.

LLVM vectorises a plain loop when it can prove enough about it, and keeps accumulators in memory
when it can't. These functions say what shall be in a register: a kernel calls them as ``simd.name``
(see `convbench.strategies._numba.kernel`). Offsets and strides count elements of flat arrays, and
nothing checks them.

`product_RxV` multiplies a strip of R rows by V vectors of columns, all sums in registers; the
choice of R and V is that of Goto & van de Geijn, "Anatomy of high-performance matrix
multiplication", ACM TOMS 34(3), 2008: as many independent sums as there are registers.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from llvmlite import binding, ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from convbench.problem import Array

Matrix = Sequence[Sequence[float]]

CACHE_LINE_BYTES = 64


def _vector_bytes() -> int:
    features = binding.get_host_cpu_features()
    if features.get("avx512f"):
        return 64
    return 32 if features.get("avx2") else 16


VECTOR_BYTES = _vector_bytes()
"""Width of the registers of this machine's processor."""

# 32 registers with AVX-512, else 16: sums, one vector of each column, one broadcast.
STRIPS: dict[int, int] = {1: 12, 2: 12, 4: 6} if VECTOR_BYTES == 64 else {1: 6, 2: 6}
"""Rows of a strip by its number of vectors."""


def lanes(itemsize: int) -> int:
    """Count the numbers in one register."""
    return VECTOR_BYTES // itemsize


@dataclass(frozen=True, slots=True)
class _Emitter:
    """Emits vector instructions for one element type into one function."""

    context: Any
    builder: Any
    number: Any  # Numba's type of the elements

    @property
    def count(self) -> int:
        return VECTOR_BYTES // (self.number.bitwidth // 8)

    @property
    def vector(self) -> Any:
        return ir.VectorType(self.context.get_value_type(self.number), self.count)

    def index(self, value: int) -> Any:
        return ir.Constant(self.context.get_value_type(types.intp), value)

    def splatted_constant(self, value: float) -> Any:
        return ir.Constant(self.vector, [value] * self.count)

    def pointer(self, array_type: Any, array: Any, offset: Any) -> Any:
        proxy = cgutils.create_struct_proxy(array_type)(self.context, self.builder, value=array)
        return self.builder.gep(proxy.data, [offset])

    def at(self, pointer: Any, offset: Any) -> Any:
        return self.builder.gep(pointer, [offset])

    def load(self, pointer: Any) -> Any:
        loaded = self.builder.load(self.builder.bitcast(pointer, self.vector.as_pointer()))
        loaded.align = self.number.bitwidth // 8
        return loaded

    def store(self, vector: Any, pointer: Any) -> None:
        stored = self.builder.store(vector, self.builder.bitcast(pointer, self.vector.as_pointer()))
        stored.align = self.number.bitwidth // 8

    def splat(self, value: Any) -> Any:
        kind = ir.VectorType(value.type, self.count)
        undefined = ir.Constant(kind, ir.Undefined)
        first = self.builder.insert_element(undefined, value, ir.Constant(ir.IntType(32), 0))
        zeros = ir.Constant(ir.VectorType(ir.IntType(32), self.count), [0] * self.count)
        return self.builder.shuffle_vector(first, undefined, zeros)

    def fma(self, left: Any, right: Any, addend: Any) -> Any:
        vector = self.vector
        name = f"llvm.fma.v{self.count}f{self.number.bitwidth}"
        function = self._declared(name, vector, [vector] * 3)
        return self.builder.call(function, [left, right, addend])

    def first_lanes(self, number: Any) -> Any:
        """Select the first lanes: none when `number` is negative, all when it is large."""
        kind = self.context.get_value_type(types.intp)
        ascending = ir.Constant(ir.VectorType(kind, self.count), list(range(self.count)))
        return self.builder.icmp_signed("<", ascending, self.splat(number))

    def load_masked(self, pointer: Any, mask: Any) -> Any:
        vector = self.vector
        arguments = [vector.as_pointer(), ir.IntType(32), mask.type, vector]
        function = self._declared(f"llvm.masked.load.{self._suffix}", vector, arguments)
        zero = ir.Constant(vector, [0.0] * self.count)
        place = self.builder.bitcast(pointer, vector.as_pointer())
        return self.builder.call(function, [place, self._alignment, mask, zero])

    def store_masked(self, value: Any, pointer: Any, mask: Any) -> None:
        vector = self.vector
        arguments = [vector, vector.as_pointer(), ir.IntType(32), mask.type]
        function = self._declared(f"llvm.masked.store.{self._suffix}", ir.VoidType(), arguments)
        place = self.builder.bitcast(pointer, vector.as_pointer())
        self.builder.call(function, [value, place, self._alignment, mask])

    @property
    def _suffix(self) -> str:
        return f"v{self.count}f{self.number.bitwidth}.p0"

    @property
    def _alignment(self) -> Any:
        return ir.Constant(ir.IntType(32), self.number.bitwidth // 8)

    def _declared(self, name: str, result: Any, arguments: Sequence[Any]) -> Any:
        return cgutils.get_or_insert_function(
            self.builder.module, ir.FunctionType(result, list(arguments)), name
        )


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
            emit = _Emitter(context, builder, output_type.dtype)
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
            emit = _Emitter(context, builder, target_type.dtype)

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


def _apply(emit: _Emitter, matrix: Matrix, vectors: Sequence[Any]) -> list[Any]:
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


def _sum(emit: _Emitter, factors: Sequence[float], vectors: Sequence[Any]) -> Any:
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
