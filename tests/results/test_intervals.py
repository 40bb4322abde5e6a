"""Four statistics as small whole numbers: given back bit for bit."""

import math

import numpy as np
import pandas as pd
import pytest
from asv_tree import INFINITY, NAN, result_file, row, write_source
from hypothesis import example, given, settings
from hypothesis import strategies as st

from convbench.results import collect, load
from convbench.results.intervals import decode, encode
from convbench.results.result_file import INTERVALS


def five_digits(value: float) -> float:
    """Round as asv does: to five significant digits of the decimal text."""
    return float(f"{value:.5g}")


def columns(rows: list[tuple[float, ...]]) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Rows of value and `INTERVALS` as `encode` takes them."""
    table = np.array(rows, np.float64).reshape(-1, 5)
    return table[:, 0], {name: table[:, i + 1] for i, name in enumerate(INTERVALS)}


def bits(array: np.ndarray) -> list[int]:
    return np.ascontiguousarray(array, np.float64).view(np.int64).tolist()


def exactly(rows: list[tuple[float, ...]]) -> np.ndarray:
    """Which rows are exact; of these every number must come back bit for bit."""
    value, plain = columns(rows)
    coded, exact = encode(value, plain)
    decoded = decode(value, coded)
    for name in INTERVALS:
        assert bits(decoded[name][exact]) == bits(plain[name][exact])
    return exact


ODD = [0.0, -0.0, INFINITY, -INFINITY, NAN, 5e-324, 1e-310, 1.7976931348623157e308, -1.5, 0.1]
ANY = st.floats() | st.sampled_from(ODD)
DECIMALS = st.builds(
    lambda digits, exponent: float(f"{digits}e{exponent}"),
    st.integers(-99_999, 99_999),
    st.integers(-30, 30),
)


HUGE = (0.0, 1.0, 1.797693134862316e304, 1.0, 1.797693134862316e304)


@settings(max_examples=200)
@example([HUGE])
@given(st.lists(st.tuples(*[ANY | DECIMALS] * 5), max_size=8))
def test_what_is_called_exact_comes_back_bit_for_bit_whatever_it_is(rows):
    exactly(rows)


MEDIANS = st.floats(1e-9, 1e6)
FRACTIONS = st.floats(1e-6, 0.5)


@settings(max_examples=100)
@given(MEDIANS, FRACTIONS, FRACTIONS, FRACTIONS, FRACTIONS)
def test_statistics_of_five_digits_around_any_median_are_exact(median, low, high, q25, q75):
    rows = [
        median,
        *(five_digits(median * factor) for factor in (1 - low, 1 + high, 1 - q25, 1 + q75)),
    ]

    assert exactly([tuple(rows)]).tolist() == [True]


@pytest.mark.parametrize("exponent", range(-9, 7))
def test_intervals_across_a_power_of_ten_are_exact(exponent):
    ten = float(f"1e{exponent}")
    below, above = [five_digits(ten * f) for f in (0.99, 0.99999)], five_digits(ten * 1.0001)

    rows = [
        (ten, below[0], above, below[1], above),
        (below[1] * (1 + 1e-9), *below, below[0], ten),
        (ten * 1.23456789012345, ten, float(f"2e{exponent}"), ten, float(f"1.5e{exponent}")),
        (ten * 0.99999999999, below[0], ten, below[0], ten),
    ]

    assert exactly(rows).all()


def test_rows_without_a_number_are_not_exact_and_disturb_no_other():
    good = (1.23456, 1.2, 1.3, 1.21, 1.25)
    rows = [good, (NAN, *good[1:]), (1.0, NAN, *good[2:]), (1.0, 1.0, INFINITY, 1.0, 1.0), good]

    assert exactly(rows).tolist() == [True, False, False, False, True]


def test_no_rows_stay_no_rows():
    assert exactly([]).tolist() == []


def test_seventeen_digits_are_left_as_they_are():
    assert exactly([(0.1, 0.1234567890123, 0.2, 0.15, 0.17)]).tolist() == [False]


NUMBERS = st.floats(allow_nan=False) | st.none() | st.sampled_from([-0.0, INFINITY, 5e-324])


@settings(max_examples=15)
@given(st.lists(st.tuples(*[NUMBERS | DECIMALS] * 5), min_size=1, max_size=30))
def test_the_store_gives_back_any_floats_bit_for_bit(tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("intervals")
    value, low, high, q25, q75 = ([cells[i] for cells in rows] for i in range(5))
    axis = [[f"{i:03}" for i in range(len(rows))]]
    statistics = {"stats_ci_99_a": low, "stats_ci_99_b": high, "stats_q_25": q25, "stats_q_75": q75}
    text = result_file({"a": row(value, axis, **statistics)})
    collect(write_source(folder / "p", {"m/a.json": text}), folder / "store")

    values = load(folder / "store")

    written = dict(zip(("value", *INTERVALS), (value, low, high, q25, q75), strict=True))
    for name, cells in written.items():
        expected = np.array([math.nan if cell is None else cell for cell in cells])
        found = values[name].to_numpy()
        assert values[name].isna().tolist() == [cell is None for cell in cells]
        told = ~np.isnan(expected)
        assert bits(found[told]) == bits(expected[told])


def test_rows_that_a_filter_takes_keep_their_own_intervals(tmp_path):
    cells = {
        name: row(
            [5.0 + n],
            stats_ci_99_a=[4.0 + n],
            stats_ci_99_b=[6.0 + n],
            stats_q_25=[4.5 + n],
            stats_q_75=[5.5 + n],
        )
        for n, name in enumerate("abcd")
    }
    source = write_source(tmp_path / "p", {"m/a.json": result_file(cells)})
    collect(source, tmp_path / "store")

    values = load(tmp_path / "store", benchmark=["b", "d"], columns=["q75", "ci_low", "value"])

    expected = pd.DataFrame({"q75": [6.5, 8.5], "ci_low": [5.0, 7.0], "value": [6.0, 8.0]})
    pd.testing.assert_frame_equal(values.reset_index(drop=True), expected)
