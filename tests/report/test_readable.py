import pytest

from convbench.report.readable import (
    counted,
    distinct_quantities,
    operations,
    percent,
    quantity,
    rate,
    round_quantity,
    significant,
    times,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0138, "13.8 ms"),
        (0.00011, "110 µs"),
        (11e-6, "11.0 µs"),
        (3.2e-9, "3.20 ns"),
        (0.9999e-3, "1.00 ms"),  # not 1,000 µs
        (999.4e-6, "999 µs"),
        (75.0, "75.0 s"),
        (0.0, "0 ns"),
    ],
)
def test_times_have_three_digits_and_a_fitting_unit(value: float, text: str) -> None:
    assert quantity(value, "seconds") == text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (81e6, "bytes", "81.0 MB"),
        (3.14e-7, "relative error", "3.14e-7 relative error"),
        (12.0, "", "12.0"),
        (float("nan"), "", "–"),
        (float("inf"), "", "–"),
    ],
)
def test_other_units_are_kept_and_what_is_no_number_is_a_dash(
    value: float, unit: str, text: str
) -> None:
    assert quantity(value, unit) == text


def test_thousands_are_apart() -> None:
    assert significant(1300.4) == "1,300"
    assert significant(1e300) == "1.00e300"
    assert operations(61_440) == "61,440"
    assert operations(3_699_376_128) == "3.70 G"


@pytest.mark.parametrize(
    ("ratio", "text"), [(1.0, "1.00"), (1.04, "1.04"), (6.83, "6.8"), (18.4, "18"), (1254, "1,250")]
)
def test_factors_have_no_more_digits_than_a_timing_deserves(ratio: float, text: str) -> None:
    assert times(ratio) == text


@pytest.mark.parametrize(
    ("ratio", "text"),
    [(1.21, "+21 %"), (0.87, "−13 %"), (2.58, "+158 %"), (3.4, "×3.4"), (1.0, "+0 %")],
)
def test_changes_carry_their_sign(ratio: float, text: str) -> None:
    assert percent(ratio) == text


def test_slow_rates_are_written_in_a_smaller_unit() -> None:
    assert rate(5.59) == "5.59 GFLOP/s"
    assert rate(0.00494) == "4.94 MFLOP/s"


def test_ticks_have_no_trailing_zeros() -> None:
    assert round_quantity(0.01, "seconds") == "10 ms"


def test_one_is_singular() -> None:
    assert counted(1, "commit") == "1 commit"
    assert counted(1, "history", "histories") == "1 history"
    assert counted(2, "history", "histories") == "2 histories"


def test_two_values_that_differ_are_written_differently() -> None:
    assert distinct_quantities(146.1e-6, 146.4e-6, "seconds") == ("146.1 µs", "146.4 µs")
    assert distinct_quantities(8.0e-6, 9.9e-6, "seconds") == ("8.00 µs", "9.90 µs")
    assert distinct_quantities(1.0, 1.0, "seconds") == ("1.00 s", "1.00 s")
