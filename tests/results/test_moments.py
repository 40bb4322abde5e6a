"""Moments that a user writes are one instant, or refused in one line."""

from datetime import UTC, date, datetime, timedelta, timezone

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convbench.errors import BadUsage
from convbench.results.moments import moment

ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
INSTANTS = st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29))


@given(INSTANTS, ZONES)
def test_a_moment_is_the_same_instant_in_utc(drawn: datetime, zone: timezone) -> None:
    there = drawn.replace(tzinfo=zone)

    for given_moment in (there, there.isoformat()):
        read = moment(given_moment, "--since")
        assert read == there
        assert read.utcoffset() == timedelta(0)


@given(INSTANTS)
def test_what_says_no_zone_is_utc(drawn: datetime) -> None:
    assert moment(drawn.isoformat(), "--since") == drawn.replace(tzinfo=UTC)
    assert moment(drawn, "--since") == drawn.replace(tzinfo=UTC)


def test_a_day_is_its_first_moment() -> None:
    assert moment("2026-03-01", "--since") == datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "given_moment",
    [
        *("", "yesterday", "2026-13-01", "1.3.2026", "\udcff"),
        *("0001-01-01T00:00+14:00", "9999-12-31T23:59-14:00"),
        datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14))),
        *(date(2026, 3, 1), 20260301, pd.NaT),
    ],
)
def test_what_is_no_moment_is_refused_with_what_is_accepted(given_moment: object) -> None:
    with pytest.raises(BadUsage, match=r"^--since: expected a date like 2026-03-01, got ") as error:
        moment(given_moment, "--since")  # type: ignore[arg-type]

    assert str(error.value).isprintable()
