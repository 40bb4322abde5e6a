from datetime import date

import pandas as pd
import pytest
from constructed_changes import commit

from convbench.stats.triage import SILENT, STATES, Entry, applied

NAMES = ["aaaaaaaaaa", "bbbbbbbbbb", "cccccccccc"]
EVENTS = pd.DataFrame(
    {"project": "p", "event": NAMES, "known_as": [*NAMES[:2], f"{NAMES[2]} 0123456789"]}
)
COMMITS = pd.DataFrame(
    {
        "project": ["p"] * 3 + ["q"],
        "commit": [commit(at) for at in (1, 2, 3, 99)],
        "position": [1, 2, 3, 1],
        "commit_date": pd.to_datetime(
            ["2026-01-01", "2026-02-01", "2026-03-01T12:00", "2029-01-01"],
            utc=True,
            format="ISO8601",
        ),
    }
)


def states(*entries: Entry) -> list[str]:
    return list(applied(EVENTS, entries, COMMITS)[0]["triage"])


def entry(event: str = NAMES[0], state: str = "expected", **rest: object) -> Entry:
    return Entry(event=event, state=state, reason="because", **rest)  # type: ignore[arg-type]


@pytest.mark.parametrize("state", STATES)
def test_an_entry_marks_its_event_and_no_other(state: str) -> None:
    marked, notes = applied(EVENTS, [entry(NAMES[1], state)], COMMITS)

    assert list(marked["triage"]) == ["", state, ""]
    assert list(marked["triage_reason"]) == ["", "because", ""]
    assert notes == []


def test_without_entries_every_event_is_open() -> None:
    marked, notes = applied(EVENTS, [], COMMITS)

    assert set(marked["triage"]) == set(marked["triage_reason"]) == {""}
    assert notes == []
    assert list(applied(EVENTS.iloc[:0], [], COMMITS)[0]) == [*EVENTS, "triage", "triage_reason"]


def test_an_unknown_id_is_told() -> None:
    marked, notes = applied(EVENTS, [entry("ffffffffff")], COMMITS)

    assert set(marked["triage"]) == {""}
    assert notes == ["event ffffffffff is not among the events; its entry has no effect"]


def test_an_event_is_also_known_by_its_former_id() -> None:
    assert states(entry("0123456789")) == ["", "", "expected"]


def test_an_id_that_an_event_has_is_of_no_other_event() -> None:
    events = EVENTS.assign(known_as=[NAMES[0], f"{NAMES[0]} {NAMES[1]}", NAMES[2]])

    assert list(applied(events, [entry()], COMMITS)[0]["triage"]) == ["expected", "", ""]


@pytest.mark.parametrize("order", [1, -1])
def test_an_entry_for_the_present_id_goes_before_one_for_a_former(order: int) -> None:
    entries = [entry("0123456789", "ignored"), entry(NAMES[2], "acknowledged")]

    assert states(*entries[::order]) == ["", "", "acknowledged"]


@pytest.mark.parametrize(
    ("until", "holds"),
    [
        (None, True),
        (date(2026, 3, 1), True),  # the day of the newest commit
        (date(2026, 2, 28), False),
        (date(2028, 1, 1), True),  # commits of other projects are no clock
        (commit(3), False),
        (commit(2), False),
        (commit(4), True),
        (commit(99), True),
    ],
)
def test_an_entry_holds_until_the_data_reach_its_end(until: date | str | None, holds: bool) -> None:
    marked, notes = applied(EVENTS, [entry(until=until)], COMMITS)

    assert list(marked["triage"]) == ["expected" if holds else "", "", ""]
    assert notes == (
        [] if holds else [f"event {NAMES[0]} was expected until {until}, which has come"]
    )


def test_a_commit_may_be_named_by_its_first_digits() -> None:
    commits = COMMITS.assign(commit=["abcdef1" + "0" * 33, *COMMITS["commit"][1:]])

    assert applied(EVENTS, [entry(until="abcdef1")], commits)[0]["triage"].iloc[0] == ""
    assert applied(EVENTS, [entry(until="abcdef2")], commits)[0]["triage"].iloc[0] == "expected"


def test_without_dates_no_date_has_come() -> None:
    commits = COMMITS.assign(commit_date=pd.NaT)

    assert applied(EVENTS, [entry(until=date(2000, 1, 1))], commits)[0]["triage"].iloc[0] != ""


def test_what_nobody_needs_to_see_is_what_was_wanted_or_is_of_no_interest() -> None:
    assert SILENT == ("expected", "ignored")


def test_the_end_of_an_entry_for_two_events_is_told_once() -> None:
    events = EVENTS.assign(known_as="0123456789")

    _, notes = applied(events, [entry("0123456789", until=date(2026, 1, 1))], COMMITS)

    assert notes == ["event 0123456789 was expected until 2026-01-01, which has come"]
