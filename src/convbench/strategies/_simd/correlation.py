"""Correlations whose vectors run along neighbouring outputs, for some filters at once."""

from typing import Any

from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from convbench.strategies._simd.sums import add_products, load_sums, store_sums, zeros
from convbench.strategies._simd.vectors import VECTOR_BYTES, Emitter


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
            emit = Emitter(context, builder, output_type.dtype)
            origin = emit.pointer(x_type, x, x_at)
            factors = emit.pointer(packed_type, packed, packed_at)
            target = emit.pointer(output_type, output, output_at)
            sums = zeros(emit, rows, vectors)
            with builder.if_then(builder.icmp_signed(">", first, emit.index(0))):
                load_sums(emit, sums, target, step)
            table = emit.pointer(offsets_type, offsets, emit.index(0))
            with cgutils.for_range_slice(builder, first, last, emit.index(1)) as (k, _):
                here = emit.at(origin, builder.load(emit.at(table, k)))
                right = [
                    emit.load(emit.at(here, emit.index(v * emit.count))) for v in range(vectors)
                ]
                line = emit.at(factors, builder.mul(k, emit.index(rows)))
                for row, row_sums in enumerate(sums):
                    factor = builder.load(emit.at(line, emit.index(row)))
                    add_products(emit, factor, right, row_sums)
            store_sums(emit, sums, target, step)
            return context.get_dummy_value()

        return signature, codegen

    return product


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
