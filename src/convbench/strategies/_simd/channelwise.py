"""Depthwise sums, whose vectors hold neighbouring channels of one pixel."""

from typing import Any

from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from convbench.strategies._simd.sums import store_sums, zeros
from convbench.strategies._simd.vectors import VECTOR_BYTES, Emitter


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
            emit = Emitter(context, builder, output_type.dtype)
            corner = emit.pointer(x_type, x, x_at)
            factors = emit.pointer(packed_type, packed, packed_at)
            sums = zeros(emit, columns, 1)
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
            store_sums(emit, sums, emit.pointer(output_type, output, output_at), step)
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
            emit = Emitter(context, builder, output_type.dtype)
            mask = emit.first_lanes(lanes) if masked else None
            corner = emit.pointer(x_type, x, x_at)
            factors = emit.pointer(packed_type, packed, packed_at)
            sums = zeros(emit, columns, vectors)
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
                store_sums(emit, sums, target, step)
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
