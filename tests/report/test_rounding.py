"""Numbers with few digits, against Python's own rounding."""

import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from convbench.report.rounding import in_units, powers_of, rounded, short, unit_of

ORDINARY = st.floats(1e-30, 1e30) | st.floats(-1e30, -1e-30) | st.just(0.0)


def is_tie(value: float, digits: int) -> bool:
    """Tell whether a number lies in the middle between two of so many digits, as far as seen."""
    mantissa = f"{abs(value):.14e}".split("e")[0].replace(".", "")
    return mantissa[digits:].rstrip("0") in ("5", "49999999", "50000001")


@given(st.lists(ORDINARY, min_size=1), st.integers(3, 7))
@example([1000.0, 999999.5, 9.999999, 0.001, 1e-5, 1e22, 1e23], 6)
def test_rounded_numbers_are_those_of_python(values: list[float], digits: int) -> None:
    found = rounded(np.array(values), digits)

    for value, one in zip(values, found.tolist(), strict=True):
        if not is_tie(value, digits):
            # Beyond 10 to the 22nd a power of ten is no exact number: then the last bit may differ.
            assert one == pytest.approx(short(value, digits), rel=4e-16, abs=0)


@given(st.integers(10**4, 10**5 - 1), st.integers(-22, 17))
def test_numbers_of_so_many_digits_are_themselves(number: int, power: int) -> None:
    value = float(f"{number}e{power}")

    assert rounded(np.array([value]), 5).tolist() == [value]


@given(st.lists(ORDINARY, min_size=1))
def test_the_unit_is_the_last_digit_of_the_least(values: list[float]) -> None:
    least = min((abs(value) for value in values if value), default=1.0)

    unit = unit_of(np.array(values), 6)

    # A logarithm of what is nearly a power of ten may be that of the power.
    assert 10.0**unit * (1 - 1e-12) <= least / 1e5 < 10.0 ** (unit + 1) * (1 + 1e-12)


@given(st.lists(st.floats(1e-5, 1e5), min_size=1))
def test_counts_of_units_are_whole_and_near(values: list[float]) -> None:
    given_values = np.array(values)
    unit = unit_of(given_values, 6)

    counts = in_units(given_values, 6, unit)

    assert (counts == np.rint(counts)).all()
    half = 0.5 * 10.0 ** (powers_of(given_values).astype(float) - 5)
    assert (np.abs(counts * 10.0**unit - given_values) <= half * (1 + 1e-9)).all()


def test_nothing_has_the_power_of_one() -> None:
    assert powers_of(np.array([0.0, 1.0, -25.0, 0.05])).tolist() == [0, 0, 1, -2]
    assert math.isclose(rounded(np.array([0.0]), 5)[0], 0.0)
