"""Decisions from the command line: what is written, what is refused, what is listed."""

import argparse
from pathlib import Path

import pandas as pd
import pytest
from test_detect import commit, detect_in, make_store, steady, with_step

from convbench.commands import triage
from convbench.errors import BadResults, BadUsage
from convbench.results import load_table, write_table
from convbench.results.event_lookup import event_named
from convbench.results.triage_file import TRIAGE, read_triage


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A store with two events: im2col became slower, and fft faster, each at its commit."""
    slow = [pair[0] for pair in with_step(2.0, at=6, count=20)]
    fast = [value / (3 if number >= 13 else 1) for number, value in enumerate(steady(20))]
    store = make_store(tmp_path, [list(pair) for pair in zip(slow, fast, strict=True)])
    detect_in(store)
    return store


def event_of(store: Path, strategy: str) -> str:
    events = load_table(store, "events").set_index("strategy")
    return str(events.loc[strategy, "event"])


def said(store: Path, *words: str) -> list[str]:
    parser = argparse.ArgumentParser()
    triage.add_arguments(parser)
    lines: list[str] = []
    place = ["--store", str(store), "--file", str(store.parent / TRIAGE)]

    assert triage.run(parser.parse_args([*words, *place]), lines.append) == 0

    return lines


BECAUSE = ("--reason", "as planned")


@pytest.mark.parametrize("state", ["acknowledged", "expected", "ignored"])
def test_a_decision_is_written_as_detect_and_report_read_it(store: Path, state: str) -> None:
    event = event_of(store, "im2col")

    first, second = said(store, event, f"--{state}", *BECAUSE, "--until", "2030-01-01")

    assert first.startswith(f"{event}  regression")
    assert first.endswith(f"1 build  {state}")
    assert second.endswith("triage.toml: entry added")
    detect_in(store, "--triage", str(store.parent / TRIAGE))
    events = load_table(store, "events").set_index("event")
    assert events.loc[event, ["triage", "triage_reason"]].tolist() == [state, "as planned"]
    assert (events["triage"] == "").sum() == 1


def test_a_decision_for_the_same_event_replaces_the_first(store: Path) -> None:
    event = event_of(store, "im2col")
    said(store, event, "--acknowledged", "--reason", "looking", "--until", "abcdef0", "--by", "ada")

    lines = said(store, event, "--expected", *BECAUSE)

    was = "acknowledged until abcdef0 by ada: looking"
    assert lines[1].endswith(f"triage.toml: entry replaced; it was {was}")
    (entry,) = read_triage(store.parent / TRIAGE)
    assert (entry.state, entry.reason, entry.until, entry.by) == (
        "expected",
        "as planned",
        None,
        "",
    )


def test_an_event_may_be_named_by_its_first_digits_or_by_a_former_id(store: Path) -> None:
    event, other = event_of(store, "im2col"), event_of(store, "fft")
    events = load_table(store, "events")
    events.loc[events["event"] == other, "known_as"] = f"{other} 0123456789"
    write_table(store, "events", events)

    said(store, event[:9], "--expected", *BECAUSE)
    said(store, "0123456789", "--ignored", *BECAUSE)

    assert [entry.event for entry in read_triage(store.parent / TRIAGE)] == [event, other]


def named(ids: str, asked: str, known_as: str = "") -> str:
    events = pd.DataFrame({"event": ids.split(), "known_as": known_as or None})
    return str(event_named(events, asked)["event"])


def test_its_own_id_goes_before_a_former_one_and_before_first_digits() -> None:
    assert named("aa11 aa1", "aa1") == "aa1"
    assert named("aa11", "bb", known_as="aa11 bb") == "aa11"


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("aa", "EVENT aa may be any of 2 events; near: aa11, aa22"),
        ("bb34", "EVENT bb34 names no event; near: bb33"),
        ("zz", "EVENT zz names no event; near: aa11, aa22, bb33"),
    ],
)
def test_an_unknown_event_is_refused_with_the_nearest(asked: str, message: str) -> None:
    with pytest.raises(BadUsage, match=f"^{message}$"):
        named("aa11 bb33 aa22", asked)


def test_where_there_are_no_events_none_is_near() -> None:
    with pytest.raises(BadUsage, match="names no event: convbench detect found none"):
        named("", "aa11")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["EVENT", *BECAUSE], "give a decision: one of --acknowledged, --expected, --ignored"),
        (["EVENT", "--expected"], "--reason is missing: say why"),
        (["EVENT", "--expected", "--reason", " "], "--reason is missing: say why"),
        (["EVENT", "--expected", *BECAUSE, "--until", "soon"], "until is 'soon'; expected a date"),
        (["3f2a9c1b0x", "--expected", *BECAUSE], "EVENT 3f2a9c1b0x names no event; near: "),
        (["--expected", *BECAUSE], "--expected needs EVENT"),
        (["--until", "2026-12-01"], "--until needs EVENT"),
    ],
)
def test_what_is_refused_leaves_the_file_as_it_was(
    store: Path, words: list[str], message: str
) -> None:
    file = store.parent / TRIAGE
    file.write_text("# ours\n")
    event = event_of(store, "im2col")

    with pytest.raises(BadUsage, match=message):
        said(store, *(event if word == "EVENT" else word for word in words))

    assert file.read_text() == "# ours\n"


def test_a_decision_that_has_ended_already_is_told(store: Path) -> None:
    event = event_of(store, "im2col")

    lines = said(store, event, "--ignored", *BECAUSE, "--until", commit(3))

    assert lines[2:] == [f"note: event {event} was ignored until {commit(3)}, which has come"]


def test_without_an_event_decisions_and_what_is_open_are_listed(store: Path) -> None:
    slow, fast = event_of(store, "im2col"), event_of(store, "fft")
    file = store.parent / TRIAGE
    assert said(store)[:2] == [
        f"0 entries in {file}",
        "2 events, 2 without a decision, newest first",
    ]
    assert [line.split()[0] for line in said(store)[2:]] == [fast, slow]

    gone = '[[event]]\nid = "0123456789"\nstate = "ignored"\nreason = "a\\nb"\n'
    file.write_text(gone)
    said(store, slow, "--expected", *BECAUSE, "--by", "ada")

    lines = said(store)
    assert lines[:5] == [
        f"2 entries in {file}",
        "0123456789  ignored: a\\nb",
        f"{slow}  expected by ada: as planned",
        "note: event 0123456789 is not among the events; its entry has no effect",
        "2 events, 1 without a decision, newest first",
    ]
    assert [line.split()[0] for line in lines[5:]] == [fast]


def test_an_event_whose_decision_has_ended_is_open_again(store: Path) -> None:
    slow = event_of(store, "im2col")
    said(store, slow, "--ignored", *BECAUSE, "--until", commit(3))

    lines = said(store)

    assert f"note: event {slow} was ignored until {commit(3)}, which has come" in lines
    assert "2 events, 2 without a decision, newest first" in lines


def test_a_store_that_was_not_searched_asks_for_it(tmp_path: Path) -> None:
    store = make_store(tmp_path, with_step(2.0))

    with pytest.raises(BadResults, match=f"has no events: run convbench detect {store}"):
        said(store)


def test_a_search_without_a_find_leaves_nothing_open(tmp_path: Path) -> None:
    store = make_store(tmp_path, [[value, value] for value in [1.0] * 8])
    detect_in(store)

    assert said(store)[1] == "0 events, 0 without a decision, newest first"
