"""summary.json: as docs/summary.schema.json defines it, and equal to what the pages say."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from sample_store import Store, commit_name, convolution_store, event, foreign_store, found_change
from test_feed import FASTER, FFT, SLOWER, eventful_store, offers_of
from test_site import HOSTILE, STORES, Elements

from convbench.report.measurements import Measurements
from convbench.report.site import site_files

SCHEMA = json.loads(
    (Path(__file__).parents[2] / "docs/summary.schema.json").read_text(encoding="utf-8")
)


def summary_of(measurements: Measurements, *words: str) -> dict[str, Any]:
    summary: dict[str, Any] = json.loads(offers_of(measurements, *words)["summary.json"])
    return summary


def test_the_schema_is_a_schema_and_explains_every_field() -> None:
    Draft202012Validator.check_schema(SCHEMA)

    def undescribed(schema: dict[str, Any], path: str = "") -> list[str]:
        found = []
        for name, one in schema.get("properties", {}).items():
            plain = one.get("$ref") == "#/$defs/count" or "const" in one or "enum" in one
            found += [] if plain or one.get("description") else [f"{path}/{name}"]
            found += undescribed(one, f"{path}/{name}")
        return found

    assert undescribed(SCHEMA) == []


@pytest.mark.parametrize("name", [*STORES, "eventful"])
def test_the_summary_is_as_the_schema_says(name: str) -> None:
    store = eventful_store() if name == "eventful" else STORES[name]()

    Draft202012Validator(SCHEMA).validate(summary_of(store.measurements(), "https://a.b/c"))


def test_it_says_what_the_overview_says() -> None:
    measurements = eventful_store().measurements()
    summary = summary_of(measurements)

    text = Elements(site_files(measurements)["index.html"]).text

    for words in (summary["headline"], *summary["details"]):
        assert words in text
    assert summary["headline"] == "1 regression and 1 improvement in 10 commits"
    assert summary["undecided"] == ""


def test_histories_are_counted_by_state_and_add_up() -> None:
    histories = summary_of(convolution_store(8).measurements())["histories"]

    assert histories["failed"] == 1
    assert histories["total"] == sum(histories.values()) - histories["total"]


def test_events_are_counted_by_kind_cause_and_decision() -> None:
    store = eventful_store()
    for one in store.tables["events"]:
        if one["event"] == FASTER:
            one |= {"triage": "expected", "triage_reason": "as planned"}

    events = summary_of(store.measurements())["events"]

    assert (events["total"], events["of_concern"]) == (3, 2)
    of_concern = {"regression": 1, "improvement": 0, "starts failing": 1, "works again": 0}
    assert events["of_concern_by_kind"] == of_concern
    assert events["by_kind"] == of_concern | {"improvement": 1}
    assert events["by_cause"] == {"BLAS": 1, "code": 2}
    assert events["by_triage"] == {"open": 2, "acknowledged": 0, "expected": 1, "ignored": 0}
    assert events["newest"][0]["event"] == SLOWER
    assert FASTER not in {one["event"] for one in events["newest"]}


def test_an_event_leads_to_its_page() -> None:
    first = summary_of(eventful_store().measurements())["events"]["newest"][0]

    assert first["page"] == f"index.html#/event?id={SLOWER}"
    assert (first["change"], first["levels"]) == ("▲ +20 %", "10.0 µs → 12.0 µs")


def test_of_many_events_the_newest_are_told_and_all_are_counted() -> None:
    store = eventful_store()
    change = found_change(8, before=1e-5, after=2e-5, params=FFT, strategy="fft")
    for number in range(12):
        store.tables["events"] += event(f"{number:010x}", change)

    events = summary_of(store.measurements())["events"]

    assert (len(events["newest"]), events["of_concern"]) == (10, 15)
    assert {one["commit"] for one in events["newest"]} == {commit_name(8)[:8]}


def test_the_newest_commit_and_its_address_are_told() -> None:
    newest = summary_of(convolution_store(2).measurements(), "https://a.b/c")["newest_commit"]

    assert newest == {
        "commit": commit_name(1),
        "date": "2026-01-06T10:00:00Z",
        "subject": "Change number 1",
        "url": f"https://a.b/c/commit/{commit_name(1)}",
    }
    assert summary_of(Store().measurements())["newest_commit"] is None


def test_histories_that_the_newest_commit_of_their_machine_lacks_are_stale() -> None:
    store = foreign_store(3)
    # One machine stopped a commit earlier: its own newest commit is what counts.
    newest, machines = store.rows[-1]["commit"], ("arm-box", "intel-box")
    store.rows = [
        made
        for made in store.rows
        if made["commit"] != newest
        or (made["machine"] in machines and made["params"]["size"] != "100")
    ]

    assert summary_of(store.measurements())["stale"] == 2


def test_machines_are_told_with_their_newest_commit() -> None:
    assert summary_of(foreign_store(3).measurements())["machines"] == [
        {"machine": name, "values": 9, "newest_commit": commit_name(2)}
        for name in ("arm-box", "intel-box", "old-box")
    ]


def test_why_nothing_is_claimed_is_told() -> None:
    summary = summary_of(convolution_store(2).measurements())

    assert summary["undecided"] == "2 of 6 commits: no verdict yet"


def test_the_files_that_it_names_are_there() -> None:
    files = offers_of(eventful_store().measurements())

    assert set(json.loads(files["summary.json"])["files"].values()) < set(files)


def test_the_title_is_told_beside_the_project() -> None:
    summary = summary_of(convolution_store(1).measurements(), "", "Ours")

    assert (summary["project"], summary["title"]) == ("convbench", "Ours")


def test_hostile_words_are_words() -> None:
    store = eventful_store()
    for one, word in zip(store.tables["commits"], HOSTILE, strict=True):
        one["subject"] = word
    for one in store.tables["events"]:
        one["cause"] = "__proto__"

    summary = summary_of(store.measurements())

    assert summary["newest_commit"]["subject"] == HOSTILE[-1]
    assert summary["events"]["by_cause"] == {"__proto__": 3}
