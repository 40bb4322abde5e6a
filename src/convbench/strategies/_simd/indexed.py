"""The matrix product whose rows are gathered through a table of offsets."""

from typing import Any

from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from convbench.strategies._simd.sums import add_products, store_sums, zeros
from convbench.strategies._simd.vectors import VECTOR_BYTES, Emitter


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
            emit = Emitter(context, builder, output_type.dtype)
            origin = emit.pointer(x_type, x, x_at)
            row_starts = emit.pointer(starts_type, starts, first)
            begins = [
                emit.at(origin, builder.load(emit.at(row_starts, emit.index(row))))
                for row in range(rows)
            ]
            sums = zeros(emit, rows, vectors)
            source = emit.pointer(packed_type, packed, packed_at)
            table = cgutils.create_struct_proxy(offsets_type)(context, builder, value=offsets)
            with cgutils.for_range(builder, builder.extract_value(table.shape, 0)) as loop:
                offset = builder.load(emit.at(table.data, loop.index))
                line = emit.at(source, builder.mul(loop.index, emit.index(vectors * emit.count)))
                right = [
                    emit.load(emit.at(line, emit.index(v * emit.count))) for v in range(vectors)
                ]
                for begin, row_sums in zip(begins, sums, strict=True):
                    add_products(emit, builder.load(emit.at(begin, offset)), right, row_sums)
            store_sums(emit, sums, emit.pointer(output_type, output, output_at), step)
            return context.get_dummy_value()

        return signature, codegen

    return product


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
