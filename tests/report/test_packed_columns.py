"""The values of histories as text: nothing is lost that six digits hold."""

import json
import math
from typing import Any

import numpy as np
import pytest
from history_lines import read_line
from hypothesis import given
from hypothesis import strategies as st
from test_history_files import one_series

from convbench.report.data_files import data_files
from convbench.report.packed_columns import pack_counts, pack_values
from convbench.report.packing import ALPHABET, pack, pack_all
from convbench.report.series import build_series

TWO = [0.00123456, 0.00124]
VALUES = st.none() | st.floats(-1e12, 1e12).map(lambda value: float(f"{value:.6g}"))
RARE = VALUES | st.sampled_from([0.0, -0.0, 5e-324, 1e-300, 1.79769e308, 123456.0, 100.0])


def read(written: dict[str, Any]) -> dict[str, Any]:
    return read_line({"x": 0, "runs": 0} | json.loads(json.dumps(written)))


@given(rows=st.lists(st.tuples(RARE, RARE, RARE), min_size=1))
def test_values_are_read_as_they_were_written(
    rows: list[tuple[float | None, float | None, float | None]],
) -> None:
    y, low, high = (list(column) for column in zip(*rows, strict=True))

    line = read(pack_values(y, low, high))

    assert (line["y"], line["low"], line["high"]) == (y, low, high)


@given(magnitude=st.integers(-290, 290), digits=st.lists(st.integers(100_000, 999_999), min_size=1))
def test_values_of_any_size_are_packed_without_loss(magnitude: int, digits: list[int]) -> None:
    y = [float(f"{number}e{magnitude}") for number in digits]

    written = pack_values(y)

    assert "exponent" in written
    assert read(written)["y"] == y


@given(numbers=st.lists(st.integers(-(10**6), 10**6), min_size=1))
def test_counts_are_read_as_they_were_written(numbers: list[int]) -> None:
    line = read_line({"x": pack_counts(numbers), "runs": 0, "y": [None] * len(numbers)})

    assert line["x"] == numbers


def test_numbers_that_count_up_are_one() -> None:
    assert pack_counts([7, 8, 9]) == 7
    assert pack_counts([7]) == 7
    assert pack_counts([7, 8, 10]) == [7, 1, 1, ALPHABET[1] + ALPHABET[2]]


def test_a_value_near_the_others_takes_few_digits() -> None:
    written = pack_values(TWO, [0.00123, 0.00123456], [0.00123556, 0.00125])

    assert written["exponent"] == -8
    assert [written[name][:2] for name in ("y", "low", "high")] == [  # type: ignore[index]
        [123456, 2],
        [456, 1],
        [100, 2],
    ]


def test_zeros_at_the_end_are_not_written() -> None:
    assert pack_values([2e6, 5e6]) == {"exponent": 6, "y": [2, 1, ALPHABET[1] + ALPHABET[4]]}


@pytest.mark.parametrize("y", [[1e-9, 1e9], [0.00123456, 9.87654e6], [1e-310, 1.0], [1e307]])
def test_values_without_a_common_unit_stay_as_they_are(y: list[float]) -> None:
    written = pack_values(y)

    assert written == {"y": y}
    assert read(written)["y"] == y


def test_many_numbers_are_packed_as_each_is() -> None:
    numbers = [0, 1, 89, 90, 90**3 - 1]

    assert pack_all(np.array(numbers), 3) == "".join(pack(number, 3) for number in numbers)


def test_the_files_have_what_was_measured() -> None:
    store = one_series(30)
    store.rows = [made for at, made in enumerate(store.rows) if at % 5 != 3]
    store.rows[4] |= {"status": "failed", "value": math.nan}
    for made in store.rows:
        made |= dict.fromkeys(("ci_low", "ci_high", "q25", "q75"), math.nan)
    for made in store.rows[::2]:
        made |= {"ci_low": 0.9876543 * made["value"], "ci_high": 1.234567 * made["value"]}
    measurements = store.measurements()
    series = build_series(measurements)

    text = data_files(measurements, series, (), ())["data/h/0.js"]

    [line] = series[0].lines
    [stored] = json.loads(text[text.index(",") + 1 : -3])[0]["lines"]
    found = read_line(stored)

    assert found["x"] == [point.position for point in line.points]
    for name, column in {"y": "value", "low": "low", "high": "high"}.items():
        for kept, point in zip(found[name], line.points, strict=True):
            assert is_short(kept, getattr(point, column))
    assert None in found["low"]


def is_short(kept: float | None, value: float | None) -> bool:
    """Tell whether a number is another one with six digits; a tie may go either way."""
    if kept is None or value is None:
        return kept is value
    unit = 10.0 ** (math.floor(math.log10(abs(value))) - 5)
    return kept == float(f"{kept:.6g}") and abs(kept - value) <= (0.5 + 1e-9) * unit
