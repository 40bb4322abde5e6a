"""Samples of many rows, against plain lists of lists."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convbench.results.result_file import Samples
from convbench.results.samples import (
    PROBABILITIES,
    either,
    from_arrow,
    joined_samples,
    no_samples,
    reduced,
    taken_samples,
    to_arrow,
)

Lists = list[list[float] | None]

CELLS = st.none() | st.lists(st.floats(-1e6, 1e6), max_size=25)
ROWS = st.lists(CELLS, max_size=8)


def packed(lists: Lists) -> Samples:
    """Samples of the rows, as a reader makes them."""
    lengths = [0 if cell is None else len(cell) for cell in lists]
    flat = [number for cell in lists for number in cell or ()]
    return Samples(
        np.array([cell is not None for cell in lists], bool),
        np.array([sum(lengths[:i]) for i in range(len(lists) + 1)], np.int64),
        np.array(flat, np.float64),
    )


def every(lists: Lists) -> np.ndarray:
    return np.ones(len(lists), bool)


def unpacked(samples: Samples) -> Lists:
    pairs = zip(samples.offsets[:-1].tolist(), samples.offsets[1:].tolist(), strict=True)
    cells = [samples.values[first:last].tolist() for first, last in pairs]
    assert len(samples.values) == samples.offsets[-1]
    return [cell if told else None for cell, told in zip(cells, samples.recorded, strict=True)]


@given(st.lists(CELLS, min_size=1, max_size=8), st.data())
def test_taking_rows_is_indexing(lists, data):
    rows = data.draw(st.lists(st.integers(0, len(lists) - 1), max_size=12))

    taken = taken_samples(packed(lists), np.array(rows, np.intp))

    assert unpacked(taken) == [lists[i] for i in rows]


@given(st.lists(ROWS, min_size=1, max_size=4))
def test_joining_is_concatenation(parts):
    joined = joined_samples([packed(part) for part in parts])

    assert unpacked(joined) == [cell for part in parts for cell in part]


@given(st.lists(st.tuples(CELLS, CELLS), max_size=8))
def test_either_takes_the_second_where_the_first_was_not_recorded(pairs):
    first, second = (packed([pair[i] for pair in pairs]) for i in range(2))

    assert unpacked(either(first, second)) == [a if a is not None else b for a, b in pairs]


@given(ROWS)
def test_more_samples_than_quantiles_become_their_quantiles_and_fewer_stay(lists):
    short, quantiles = (unpacked(one) for one in reduced(packed(lists), every(lists)))

    for cell, kept, found in zip(lists, short, quantiles, strict=True):
        if cell is None or len(cell) <= 11:
            assert (kept, found) == (cell, None)
        else:
            assert kept is None
            assert found == np.quantile(cell, np.linspace(0, 1, 11)).tolist()


def test_as_many_samples_as_quantiles_stay_and_one_more_is_reduced():
    lists: Lists = [[float(n) for n in range(size)] for size in (11, 12)]

    short, quantiles = (unpacked(one) for one in reduced(packed(lists), every(lists)))

    assert (short[0], quantiles[0]) == (lists[0], None)
    assert short[1] is None
    assert quantiles[1] is not None
    assert len(quantiles[1]) == 11


@given(ROWS)
def test_reducing_twice_changes_nothing_more(lists):
    short, _ = reduced(packed(lists), every(lists))

    again, none = reduced(short, every(lists))

    assert unpacked(again) == unpacked(short)
    assert not none.recorded.any()


def test_eleven_quantiles_go_from_the_smallest_to_the_largest():
    assert PROBABILITIES.tolist() == pytest.approx([n / 10 for n in range(11)])

    _, quantiles = reduced(packed([[float(n) for n in range(100, -1, -1)]]), every([[]]))

    (found,) = unpacked(quantiles)
    assert found == pytest.approx([10 * n for n in range(11)])


@given(ROWS)
def test_arrow_gives_back_what_it_was_given(lists):
    array = to_arrow(packed(lists))

    assert array.to_pylist() == lists
    assert unpacked(from_arrow(pa.chunked_array([array]))) == lists


@given(st.lists(ROWS, min_size=1, max_size=3))
def test_a_column_of_several_chunks_is_one(chunks):
    arrays = [pa.array(chunk, pa.list_(pa.float64())) for chunk in chunks]
    sliced = [pa.concat_arrays([array.slice(0, 0), array]).slice(1) for array in arrays]

    found = from_arrow(pa.chunked_array(sliced, pa.list_(pa.float64())))

    assert unpacked(found) == [cell for chunk in chunks for cell in chunk[1:]]


def test_no_samples_are_none_in_every_row():
    assert unpacked(no_samples(3)) == [None] * 3


@given(ROWS, st.data())
def test_only_the_rows_that_are_asked_for_are_reduced(lists, data):
    asked = [data.draw(st.booleans()) for _ in lists]

    short, quantiles = reduced(packed(lists), np.array(asked, bool))

    for cell, told, kept, left in zip(
        lists, asked, unpacked(short), unpacked(quantiles), strict=True
    ):
        is_reduced = told and cell is not None and len(cell) > len(PROBABILITIES)
        assert kept == (None if is_reduced else cell)
        assert (left is not None) == is_reduced
