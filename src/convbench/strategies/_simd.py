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
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.core.registry import cpu_target
from numba.extending import intrinsic

from convbench.problem import Array

Matrix = Sequence[Sequence[float]]

CACHE_LINE_BYTES = 64


def _vector_bytes() -> int:
    # What Numba compiles for: the host, or what its variables NUMBA_CPU_… name instead.
    *_, features = cpu_target.target_context.codegen().magic_tuple()
    enabled = features.split(",")
    if "+avx512f" in enabled:
        return 64
    return 32 if "+avx2" in enabled else 16


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
        # Unlike llvm.fma, it is no library call a lane on a processor without the instruction.
        name = f"llvm.fmuladd.v{self.count}f{self.number.bitwidth}"
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


def _indexed_product(rows: int, vectors: int) -> Any:
    """Make the product of a strip whose inputs lie anywhere, with a table of their offsets."""

    @intrinsic(prefer_literal=False)
    def product(
        _typing, x, x_at, starts, first, offsets, packed, packed_at, output, output_at, step
    ):
        """Store Σ over k of x[x_at + starts[first + row] + offsets[k]] · packed[k, column]."""
        integer = types.intp
        signature = types.void(
            *(x, integer, starts, integer, offsets, packed, integer, output, integer, integer)
        )

        def codegen(context, builder, signature, arguments):
            x_type, _, starts_type, _, offsets_type, packed_type, _, output_type, *_ = (
                signature.args
            )
            x, x_at, starts, first, offsets, packed, packed_at, output, output_at, step = arguments
            emit = _Emitter(context, builder, output_type.dtype)
            origin = emit.pointer(x_type, x, x_at)
            row_starts = emit.pointer(starts_type, starts, first)
            begins = [
                emit.at(origin, builder.load(emit.at(row_starts, emit.index(row))))
                for row in range(rows)
            ]
            sums = _zeros(emit, rows, vectors)
            source = emit.pointer(packed_type, packed, packed_at)
            table = cgutils.create_struct_proxy(offsets_type)(context, builder, value=offsets)
            with cgutils.for_range(builder, builder.extract_value(table.shape, 0)) as loop:
                offset = builder.load(emit.at(table.data, loop.index))
                line = emit.at(source, builder.mul(loop.index, emit.index(vectors * emit.count)))
                right = [
                    emit.load(emit.at(line, emit.index(v * emit.count))) for v in range(vectors)
                ]
                for begin, row_sums in zip(begins, sums, strict=True):
                    _add_products(emit, builder.load(emit.at(begin, offset)), right, row_sums)
            _store_sums(emit, sums, emit.pointer(output_type, output, output_at), step)
            return context.get_dummy_value()

        return signature, codegen

    return product


def _shifted_product(rows: int, vectors: int) -> Any:
    """Make the product of some filters with vectors of neighbouring outputs."""

    @intrinsic(prefer_literal=False)
    def product(_typing, x, x_at, offsets, first, last, packed, packed_at, output, output_at, step):
        """Store Σ over k of packed[k, row] · x[x_at + offsets[k] + column], row by row.

        For k in [first, last), added to what the output holds unless `first` is 0.
        """
        integer = types.intp
        signature = types.void(
            *(x, integer, offsets, integer, integer, packed, integer, output, integer, integer)
        )

        def codegen(context, builder, signature, arguments):
            x_type, _, offsets_type, _, _, packed_type, _, output_type, *_ = signature.args
            x, x_at, offsets, first, last, packed, packed_at, output, output_at, step = arguments
            emit = _Emitter(context, builder, output_type.dtype)
            origin = emit.pointer(x_type, x, x_at)
            factors = emit.pointer(packed_type, packed, packed_at)
            target = emit.pointer(output_type, output, output_at)
            sums = _zeros(emit, rows, vectors)
            with builder.if_then(builder.icmp_signed(">", first, emit.index(0))):
                _load_sums(emit, sums, target, step)
            table = emit.pointer(offsets_type, offsets, emit.index(0))
            with cgutils.for_range_slice(builder, first, last, emit.index(1)) as (k, _):
                here = emit.at(origin, builder.load(emit.at(table, k)))
                right = [
                    emit.load(emit.at(here, emit.index(v * emit.count))) for v in range(vectors)
                ]
                line = emit.at(factors, builder.mul(k, emit.index(rows)))
                for row, row_sums in enumerate(sums):
                    factor = builder.load(emit.at(line, emit.index(row)))
                    _add_products(emit, factor, right, row_sums)
            _store_sums(emit, sums, target, step)
            return context.get_dummy_value()

        return signature, codegen

    return product


def _zeros(emit: _Emitter, rows: int, vectors: int) -> list[list[Any]]:
    """Make sums of zero; LLVM keeps these variables in registers."""
    zero = emit.splatted_constant(0.0)
    return [
        [cgutils.alloca_once_value(emit.builder, zero) for _ in range(vectors)] for _ in range(rows)
    ]


def _add_products(emit: _Emitter, factor: Any, vectors: Sequence[Any], sums: Sequence[Any]) -> None:
    left = emit.splat(factor)
    for right, sum_ in zip(vectors, sums, strict=True):
        emit.builder.store(emit.fma(left, right, emit.builder.load(sum_)), sum_)


def _load_sums(emit: _Emitter, sums: Sequence[Sequence[Any]], source: Any, step: Any) -> None:
    for row, row_sums in enumerate(sums):
        line = emit.at(source, emit.builder.mul(step, emit.index(row)))
        for v, sum_ in enumerate(row_sums):
            emit.builder.store(emit.load(emit.at(line, emit.index(v * emit.count))), sum_)


def _store_sums(emit: _Emitter, sums: Sequence[Sequence[Any]], target: Any, step: Any) -> None:
    for row, row_sums in enumerate(sums):
        line = emit.at(target, emit.builder.mul(step, emit.index(row)))
        for v, sum_ in enumerate(row_sums):
            emit.store(emit.builder.load(sum_), emit.at(line, emit.index(v * emit.count)))


INDEXED_VECTORS = (4, 2, 1) if VECTOR_BYTES == 64 else (2, 1)
"""How many vectors wide a strip of `multiply_indexed` may be; six rows are computed together."""


def _indexed_strip(vectors: int) -> Any:
    """Make the loop over all rows for one strip of columns."""
    product, product_of_one = _indexed_product(6, vectors), _indexed_product(1, vectors)

    @njit(nogil=True)
    def strip(x, x_at, starts, rows, offsets, packed, packed_at, output):
        width = vectors * VECTOR_BYTES // output.itemsize
        if rows < 6:
            for row in range(rows):
                product_of_one(
                    *(x, x_at, starts, row, offsets, packed, packed_at, output, row * width, width)
                )
        for some in range(0, rows if rows >= 6 else 0, 6):
            row = min(some, rows - 6)  # some rows twice are faster than some alone
            product(x, x_at, starts, row, offsets, packed, packed_at, output, row * width, width)

    return strip


_indexed_1, _indexed_2 = _indexed_strip(1), _indexed_strip(2)
_indexed_4 = _indexed_strip(4) if 4 in INDEXED_VECTORS else _indexed_2


@njit(nogil=True)
def multiply_indexed(x, x_at, starts, rows, offsets, packed, packed_at, vectors, output):
    """Multiply rows of x, given by starts and a table of offsets, by one strip of columns.

    output[row, column] = Σ over k of x[x_at + starts[row] + offsets[k]] · packed[k, column], for
    row < rows and as many columns as `vectors`, one of INDEXED_VECTORS, hold.
    """
    if vectors == 1:
        _indexed_1(x, x_at, starts, rows, offsets, packed, packed_at, output)
    elif vectors == 2:
        _indexed_2(x, x_at, starts, rows, offsets, packed, packed_at, output)
    else:
        _indexed_4(x, x_at, starts, rows, offsets, packed, packed_at, output)


SHIFTED_STRIPS: dict[int, int] = (
    {1: 8, 3: 6, 6: 4, 12: 2} if VECTOR_BYTES == 64 else {1: 8, 3: 3, 6: 2}
)
"""Vectors of a strip of `correlate`, by its number of filters."""

_shifted_1x1, _shifted_1 = _shifted_product(1, 1), _shifted_product(1, SHIFTED_STRIPS[1])
_shifted_3x1, _shifted_3 = _shifted_product(3, 1), _shifted_product(3, SHIFTED_STRIPS[3])
_shifted_6x1, _shifted_6 = _shifted_product(6, 1), _shifted_product(6, SHIFTED_STRIPS[6])
_shifted_12x1, _shifted_12 = (
    (_shifted_product(12, 1), _shifted_product(12, SHIFTED_STRIPS[12]))
    if 12 in SHIFTED_STRIPS
    else (_shifted_6x1, _shifted_6)
)
_VECTORS_OF_1, _VECTORS_OF_3, _VECTORS_OF_6 = (SHIFTED_STRIPS[rows] for rows in (1, 3, 6))
_VECTORS_OF_12 = SHIFTED_STRIPS.get(12, _VECTORS_OF_6)


def _shifted_strip(narrow: Any, wide: Any, vectors: int) -> Any:
    """Make the loop over the outputs of some filters."""

    @njit(nogil=True)
    def strip(x, x_at, offsets, first, last, packed, packed_at, output, output_at, step, count):
        lanes = VECTOR_BYTES // output.itemsize
        column = 0
        while column < count:
            here, at = x_at + column, output_at + column
            # A few vectors one by one take no longer than a whole strip that is half empty.
            if 2 * (count - column) > vectors * lanes:
                wide(x, here, offsets, first, last, packed, packed_at, output, at, step)
                column += vectors * lanes
            else:
                narrow(x, here, offsets, first, last, packed, packed_at, output, at, step)
                column += lanes

    return strip


_strip_of_1 = _shifted_strip(_shifted_1x1, _shifted_1, _VECTORS_OF_1)
_strip_of_3 = _shifted_strip(_shifted_3x1, _shifted_3, _VECTORS_OF_3)
_strip_of_6 = _shifted_strip(_shifted_6x1, _shifted_6, _VECTORS_OF_6)
_strip_of_12 = _shifted_strip(_shifted_12x1, _shifted_12, _VECTORS_OF_12)


@njit(nogil=True)
def correlate(
    x, x_at, offsets, first, last, packed, packed_at, rows, output, output_at, step, count
):
    """Store output[row · step + column] = Σ packed[k, row] · x[x_at + offsets[k] + column].

    The sum is over k in [first, last), and is added to the output unless `first` is 0. `rows`
    filters, one of SHIFTED_STRIPS, lie side by side for each k. Whole vectors are read and stored:
    up to a strip's width beyond the `count` columns.
    """
    at, to = packed_at, output_at
    if rows == 1:
        _strip_of_1(x, x_at, offsets, first, last, packed, at, output, to, step, count)
    elif rows == 3:
        _strip_of_3(x, x_at, offsets, first, last, packed, at, output, to, step, count)
    elif rows == 6:
        _strip_of_6(x, x_at, offsets, first, last, packed, at, output, to, step, count)
    else:
        _strip_of_12(x, x_at, offsets, first, last, packed, at, output, to, step, count)


@njit(nogil=True)
def correlated(rows, itemsize):
    """Count the columns that `correlate` computes together for so many filters."""
    lanes = VECTOR_BYTES // itemsize
    if rows == 1:
        return _VECTORS_OF_1 * lanes
    if rows == 3:
        return _VECTORS_OF_3 * lanes
    return (_VECTORS_OF_6 if rows == 6 else _VECTORS_OF_12) * lanes


def _channelwise(kernel_width: int, stride: int, columns: int) -> Any:
    """Make the depthwise sums of neighbouring outputs, for one vector of channels.

    An input that several outputs read is loaded once.
    """

    @intrinsic(prefer_literal=False)
    def taps(_typing, x, x_at, by_row, by_column, rows, packed, packed_at, output, output_at, step):
        """Store Σ over i < rows, j of x[i · by_row + (q · stride + j) · by_column] · packed[i, j].

        Output q goes to output[output_at + q · step].
        """
        integer = types.intp
        signature = types.void(
            *(x, integer, integer, integer, integer, packed, integer, output, integer, integer)
        )

        def codegen(context, builder, signature, arguments):
            x_type, *_, packed_type, _, output_type, _, _ = signature.args
            x, x_at, by_row, by_column, rows, packed, packed_at, output, output_at, step = arguments
            emit = _Emitter(context, builder, output_type.dtype)
            corner = emit.pointer(x_type, x, x_at)
            factors = emit.pointer(packed_type, packed, packed_at)
            sums = _zeros(emit, columns, 1)
            with cgutils.for_range(builder, rows) as loop:
                line = emit.at(corner, builder.mul(loop.index, by_row))
                inputs = [
                    emit.load(emit.at(line, builder.mul(by_column, emit.index(column))))
                    for column in range((columns - 1) * stride + kernel_width)
                ]
                row = builder.mul(loop.index, emit.index(kernel_width * emit.count))
                for j in range(kernel_width):
                    place = builder.add(row, emit.index(j * emit.count))
                    factor = emit.load(emit.at(factors, place))
                    for q, (sum_,) in enumerate(sums):
                        total = emit.fma(inputs[q * stride + j], factor, builder.load(sum_))
                        builder.store(total, sum_)
            _store_sums(emit, sums, emit.pointer(output_type, output, output_at), step)
            return context.get_dummy_value()

        return signature, codegen

    return taps


def _channelwise_any(columns: int, vectors: int, *, masked: bool = False) -> Any:
    """Make the depthwise sums of some outputs and vectors of channels, for any range of taps."""

    @intrinsic(prefer_literal=False)
    def taps(
        _typing,
        x,
        x_at,
        by_row,
        by_tap,
        by_output,
        rows,
        taps,
        packed,
        packed_at,
        packed_row,
        packed_vector,
        output,
        output_at,
        step,
        lanes,
    ):
        """Store Σ over i < rows, j < taps of x[i · by_row + j · by_tap + q · by_output] · packed.

        One row of taps in `packed` is packed_row long, and the next vector of channels begins
        packed_vector after this one. Output q goes to output[output_at + q · step], its first
        `lanes` channels where it is masked.
        """
        signature = types.void(
            *(x, *[types.intp] * 6, packed, *[types.intp] * 3, output, *[types.intp] * 3)
        )

        def codegen(context, builder, signature, arguments):
            x_type, packed_type, output_type = (signature.args[place] for place in (0, 7, 11))
            x, x_at, by_row, by_tap, by_output, rows, taps = arguments[:7]
            packed, packed_at, packed_row, packed_vector = arguments[7:11]
            output, output_at, step, lanes = arguments[11:]
            emit = _Emitter(context, builder, output_type.dtype)
            mask = emit.first_lanes(lanes) if masked else None
            corner = emit.pointer(x_type, x, x_at)
            factors = emit.pointer(packed_type, packed, packed_at)
            sums = _zeros(emit, columns, vectors)
            with (
                cgutils.for_range(builder, rows) as row,
                cgutils.for_range(builder, taps) as tap,
            ):
                here = emit.at(
                    emit.at(corner, builder.mul(row.index, by_row)), builder.mul(tap.index, by_tap)
                )
                place = builder.add(
                    builder.mul(row.index, packed_row),
                    builder.mul(tap.index, emit.index(emit.count)),
                )
                for v in range(vectors):
                    further = builder.add(place, builder.mul(packed_vector, emit.index(v)))
                    factor = emit.load(emit.at(factors, further))
                    for q in range(columns):
                        source = emit.at(here, builder.mul(by_output, emit.index(q)))
                        source = emit.at(source, emit.index(v * emit.count))
                        value = emit.load_masked(source, mask) if masked else emit.load(source)
                        total = emit.fma(value, factor, builder.load(sums[q][v]))
                        builder.store(total, sums[q][v])
            target = emit.pointer(output_type, output, output_at)
            if not masked:
                _store_sums(emit, sums, target, step)
            else:
                for q, (sum_,) in enumerate(sums):
                    place = emit.at(target, builder.mul(step, emit.index(q)))
                    emit.store_masked(builder.load(sum_), place, mask)
            return context.get_dummy_value()

        return signature, codegen

    return taps


def _channelwise_outputs(columns: int) -> Any:
    """Make the depthwise sums of so many neighbouring outputs, all channels of them."""
    taps_3, taps_3_halving = _channelwise(3, 1, columns), _channelwise(3, 2, columns)
    taps_5, taps_5_halving = _channelwise(5, 1, columns), _channelwise(5, 2, columns)
    taps_7 = _channelwise(7, 1, columns)
    taps_any = _channelwise_any(columns, 1)
    taps_masked = _channelwise_any(columns, 1, masked=True)

    @njit(nogil=True)
    def outputs(
        x,
        x_at,
        by_row,
        dilation,
        stride,
        rows,
        width,
        packed,
        packed_at,
        size,
        channels,
        output,
        to,
    ):
        """Store neighbouring outputs of a depthwise convolution.

        x_at is the input of the first tap; by_row elements are between rows of taps, of which
        there are `rows` of `width`. The filters of each vector of channels are `size` elements;
        the last vector overlaps the one before it, if there is one.
        """
        lanes = VECTOR_BYTES // output.itemsize
        one, step = dilation * channels, stride * channels
        if channels < lanes:
            taps_masked(
                *(x, x_at, by_row, one, step, rows, width, packed, packed_at, width * lanes, size),
                *(output, to, channels, channels),
            )
            return
        kind = 10 * width + stride if dilation == 1 else 0
        for vector in range(-(-channels // lanes)):
            channel = min(vector * lanes, channels - lanes)
            here, there, at = x_at + channel, to + channel, packed_at + vector * size
            if kind == 31:
                taps_3(x, here, by_row, one, rows, packed, at, output, there, channels)
            elif kind == 32:
                taps_3_halving(x, here, by_row, one, rows, packed, at, output, there, channels)
            elif kind == 51:
                taps_5(x, here, by_row, one, rows, packed, at, output, there, channels)
            elif kind == 52:
                taps_5_halving(x, here, by_row, one, rows, packed, at, output, there, channels)
            elif kind == 71:
                taps_7(x, here, by_row, one, rows, packed, at, output, there, channels)
            else:
                taps_any(
                    *(x, here, by_row, one, step, rows, width, packed, at, width * lanes, size),
                    *(output, there, channels, channels),
                )

    return outputs


channelwise_four, channelwise_eight = _channelwise_outputs(4), _channelwise_outputs(8)
_taps_of_one, _taps_of_one_masked = _channelwise_any(1, 1), _channelwise_any(1, 1, masked=True)
_taps_of_one_deep = _channelwise_any(1, 4)  # as many sums for one output, in four vectors


@njit(nogil=True)
def channelwise_one(
    x, x_at, by_row, dilation, rows, taps, packed, packed_at, width, size, channels, output, to
):
    """Store one output as `channelwise_four` does, of `taps` of the `width` taps of each row."""
    lanes = VECTOR_BYTES // output.itemsize
    one, line = dilation * channels, width * lanes
    if channels < lanes:
        _taps_of_one_masked(
            *(x, x_at, by_row, one, 0, rows, taps, packed, packed_at, line, size),
            *(output, to, channels, channels),
        )
        return
    vector = 0
    while vector * lanes < channels:
        channel = min(vector * lanes, channels - lanes)
        here, there, at = x_at + channel, to + channel, packed_at + vector * size
        if (vector + 4) * lanes <= channels:
            _taps_of_one_deep(
                *(x, here, by_row, one, 0, rows, taps, packed, at, line, size),
                *(output, there, channels, channels),
            )
            vector += 4
        else:
            _taps_of_one(
                *(x, here, by_row, one, 0, rows, taps, packed, at, line, size),
                *(output, there, channels, channels),
            )
            vector += 1


@njit(nogil=True)
def taps_inside(first, dilation, taps, size):
    """Return the range of the taps at first, first + dilation, … that lie in [0, size)."""
    before = min(taps, max(0, (dilation - 1 - first) // dilation))
    return before, min(taps, max(before, (size - first + dilation - 1) // dilation))


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
            emit = _Emitter(context, builder, target_type.dtype)

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


def _transposed(emit: _Emitter, vectors: list[Any]) -> list[Any]:
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
