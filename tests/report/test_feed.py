"""The Atom feed: what stands in it, how it names and dates things, and that no name breaks it."""

import re
import uuid
from xml.etree import ElementTree as ET

import pandas as pd
import pytest
from sample_store import Store, commit_name, convolution_store, event, foreign_store, found_change
from test_site import CONTROL, HOSTILE, STORES, Elements

from convbench.report.events import build_events, event_rows
from convbench.report.feed import MOST_ENTRIES, UNDATED, feed, identity
from convbench.report.matrix import build_matrices
from convbench.report.measurements import Measurements
from convbench.report.offers import offered_files
from convbench.report.overview import build_overview
from convbench.report.series import build_series
from convbench.report.site import site_files

ATOM = "{http://www.w3.org/2005/Atom}"
IM2COL = "strategy=im2col, problem=question, dtype=float32"
FFT = "strategy=fft, problem=question, dtype=float32"
SLOWER, FASTER, FAILING = "3f2a9c1b04", "0a1b2c3d4e", "77aa88bb99"


def eventful_store() -> Store:
    """Make a store with a regression, an improvement and a failure, oldest last."""
    store = convolution_store(10)
    slow = found_change(6, before=10e-6, after=12e-6, params=IM2COL, strategy="im2col")
    fast = found_change(4, before=196e-6, after=98e-6, params=FFT, strategy="fft")
    numbers = dict.fromkeys(("before", "after", "ratio", "ratio_low", "ratio_high"), float("nan"))
    failing = found_change(3, before=1.0, after=1.0, params=FFT, strategy="fft") | numbers
    failing["kind"] = "starts failing"
    store.tables["changes"] = [slow, fast, failing]
    store.tables["events"] = [
        *event(FAILING, failing),
        *event(FASTER, fast, cause="BLAS", evidence="seen with openblas only"),
        *event(SLOWER, slow, range_first=commit_name(5)),
    ]
    return store


def offers_of(
    measurements: Measurements, repo_url: str = "", title: str = "convbench"
) -> dict[str, str]:
    """The files beside the pages, without drawing the pages."""
    series = build_series(measurements)
    events = build_events(measurements, series, repo_url)
    matrices = build_matrices(measurements, series)
    overview = build_overview(measurements, series, matrices, repo_url, events)
    rows = events.every if events else ()
    return offered_files(measurements, series, rows, overview, title, repo_url)


def feed_of(measurements: Measurements, repo_url: str = "", site_url: str = "") -> ET.Element:
    rows = event_rows(measurements, build_series(measurements), repo_url)
    return ET.fromstring(feed(measurements, rows, measurements.project, site_url))


def texts(root: ET.Element, path: str) -> list[str]:
    return [
        one.text or "" for one in root.findall("/".join(ATOM + name for name in path.split("/")))
    ]


def test_each_event_is_an_entry_the_newest_commit_first() -> None:
    root = feed_of(eventful_store().measurements())

    assert root.tag == f"{ATOM}feed"
    assert texts(root, "entry/title") == [
        "▲ +20 %: regression of im2col",
        "▼ −50 %: improvement of fft",
        "✕ starts failing: fft",
    ]


def test_an_entry_says_all_of_its_event() -> None:
    (content, *_) = texts(feed_of(eventful_store().measurements()), "entry/content")

    for words in (
        "im2col (time_run · question · float32 · openblas): 10.0 µs → 12.0 µs, +16 % to +24 %.",
        "Somewhere in 000000a6 to 000000a7, seen at 000000a7 2026-01-11: Change number 6.",
        "Cause: code (seen on both BLAS builds of made-up-machine).",
        "It moved 1 history, 1 machine.",
        "Event 3f2a9c1b04, open.",
        "convbench bisect 3f2a9c1b04 --store store (finds the commit by measuring).",
    ):
        assert words in content


def test_entries_are_dated_by_their_commits_and_the_feed_by_the_newest() -> None:
    root = feed_of(eventful_store().measurements())

    days = ("11", "09", "08")
    assert texts(root, "entry/updated") == [f"2026-01-{day}T10:00:00Z" for day in days]
    assert texts(root, "updated") == ["2026-01-14T10:00:00Z"]


def test_a_commit_without_a_date_has_the_date_that_stands_for_none() -> None:
    store = eventful_store()
    for row in store.rows:
        row["commit_date"] = pd.NaT
    store.tables["commits"] = [one | {"commit_date": pd.NaT} for one in store.tables["commits"]]

    root = feed_of(store.measurements())

    assert set(texts(root, "entry/updated") + texts(root, "updated")) == {UNDATED}


def test_ids_are_unique_and_stay_when_other_commits_and_events_come() -> None:
    before = texts(feed_of(eventful_store().measurements()), "entry/id")
    grown = eventful_store()
    change = found_change(9, before=1e-5, after=2e-5, params=FFT, strategy="fft")
    grown.tables["events"] += event("0123456789", change)

    after = texts(feed_of(grown.measurements()), "entry/id")

    assert len(set(after)) == len(after) == 4
    assert after[1:] == before
    assert all(uuid.UUID(one) for one in after)


def test_ids_never_change() -> None:
    """Readers know entries by them: another id is a new entry."""
    assert identity("convbench") == "urn:uuid:15b7cef2-a76c-56a5-bc26-e5bf034506ce"
    assert identity("convbench", SLOWER) == "urn:uuid:1db71668-cab7-5b14-bd3e-478bd0b53b45"


def test_projects_have_ids_of_their_own() -> None:
    assert identity("a", SLOWER) != identity("b", SLOWER)
    assert identity("a") != identity("b")


@pytest.mark.parametrize("state", ["expected", "ignored"])
def test_what_is_nobodys_concern_is_only_counted(state: str) -> None:
    store = eventful_store()
    store.tables["events"][0] |= {"triage": state, "triage_reason": "as planned"}

    root = feed_of(store.measurements())

    assert len(texts(root, "entry/title")) == 2
    assert "1 expected or ignored" in texts(root, "subtitle")[0]


def test_an_acknowledged_event_stays_and_says_so() -> None:
    store = eventful_store()
    store.tables["events"][0] |= {"triage": "acknowledged", "triage_reason": "to be mended"}

    content = texts(feed_of(store.measurements()), "entry/content")[-1]

    assert f"Event {FAILING}, acknowledged: to be mended." in content


def test_entries_lead_to_the_event_and_to_the_commit_at_its_host() -> None:
    root = feed_of(eventful_store().measurements(), "https://example.org/-/commit/{commit}")

    links = [
        (link.get("rel"), link.get("href")) for link in root.findall(f"{ATOM}entry/{ATOM}link")
    ]

    assert ("alternate", f"index.html#/event?id={SLOWER}") in links
    assert ("related", f"https://example.org/-/commit/{commit_name(6)}") in links


def links_of(root: ET.Element) -> list[str]:
    return [link.get("href") or "" for link in root.iter(f"{ATOM}link")]


@pytest.mark.parametrize("site_url", ["https://example.org/bench", "https://example.org/bench/"])
def test_the_sites_address_makes_links_absolute_and_changes_no_id(site_url: str) -> None:
    measurements = eventful_store().measurements()
    near, far = feed_of(measurements), feed_of(measurements, site_url=site_url)

    assert links_of(far) == [f"https://example.org/bench/{link}" for link in links_of(near)]
    assert f"https://example.org/bench/index.html#/event?id={SLOWER}" in links_of(far)
    assert [one.text for one in far.iter(f"{ATOM}id")] == [
        one.text for one in near.iter(f"{ATOM}id")
    ]


def test_links_to_commits_are_those_of_their_host_wherever_the_site_lies() -> None:
    root = feed_of(
        eventful_store().measurements(), "https://host.example/p", "https://example.org/bench"
    )

    (one, *_) = root.findall(f"{ATOM}entry/{ATOM}link[@rel='related']")
    assert one.get("href") == f"https://host.example/p/commit/{commit_name(6)}"


@pytest.mark.parametrize("name", STORES)
@pytest.mark.parametrize("site_url", ["", "https://example.org/"])
def test_the_feed_keeps_the_rules_of_rfc_4287(name: str, site_url: str) -> None:
    root = feed_of(STORES[name]().measurements(), "https://host.example/p", site_url)

    for parent in (root, *root.findall(f"{ATOM}entry")):
        for once in ("id", "title", "updated"):
            assert len(parent.findall(ATOM + once)) == 1, once
        # One alternate of each kind (4.1.1, 4.1.2).
        kinds = [
            (link.get("type"), link.get("hreflang"))
            for link in parent.findall(f"{ATOM}link[@rel='alternate']")
        ]
        assert len(kinds) == len(set(kinds)) == 1
        for moment in parent.findall(f"{ATOM}updated"):
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", moment.text or "")
        for one in parent.findall(f"{ATOM}id"):
            assert (one.text or "").startswith("urn:uuid:")
        for category in parent.findall(f"{ATOM}category"):
            assert category.get("term")
    assert [link.get("type") for link in root.findall(f"{ATOM}link[@rel='self']")] == [
        "application/atom+xml"
    ]
    assert root.findall(f"{ATOM}author/{ATOM}name")  # then entries need none (4.1.2)
    ids = [one.text for one in root.iter(f"{ATOM}id")]
    assert len(ids) == len(set(ids))


def test_of_many_events_the_newest_are_in_the_feed() -> None:
    store = eventful_store()
    change = found_change(8, before=1e-5, after=2e-5, params=FFT, strategy="fft")
    for number in range(MOST_ENTRIES):
        store.tables["events"] += event(f"{number:010x}", change)

    titles = texts(feed_of(store.measurements()), "entry/title")

    assert titles == ["▲ +100 %: regression of fft"] * MOST_ENTRIES


@pytest.mark.parametrize("name", STORES)
def test_every_site_has_a_feed_that_is_whole(name: str) -> None:
    root = ET.fromstring(offers_of(STORES[name]().measurements())["events.atom"])

    for required in ("id", "title", "updated", "author/name"):
        assert all(texts(root, required)), required


def test_browsers_and_readers_find_the_feed() -> None:
    files = site_files(Store().measurements())

    links = [
        attributes for tag, attributes in Elements(files["index.html"]).elements if tag == "link"
    ]

    (link,) = [link for link in links if link["rel"] == "alternate"]
    assert (link["type"], link["href"]) == ("application/atom+xml", "events.atom")
    assert "events.atom" in files


def test_where_nothing_was_searched_for_the_feed_says_so() -> None:
    store = foreign_store()
    measurements = store.measurements()
    unsearched = type(measurements)(**(vars(measurements) | {"detected": False}))

    assert texts(feed_of(unsearched), "subtitle") == ["No verdicts: convbench detect has not run"]


@pytest.mark.parametrize("word", [*HOSTILE, CONTROL, "]]>", "<!ENTITY x 'y'>", "\ufffe\uffff"])
def test_no_name_breaks_the_feed(word: str) -> None:
    store = eventful_store()
    for one in store.tables["events"]:
        said = ("cause", "evidence", "triage_reason", "subject", "strategy", "reproduce", "bisect")
        one |= dict.fromkeys(said, word) | {"event": f"{one['event']}{word}"}
    for one in store.tables["commits"]:
        one["subject"] = word

    root = feed_of(store.measurements(project=word))

    forbidden = {*CONTROL, *"\u2028\ufffe\uffff"} - {*"\t\n"}
    shown = "".join("\ufffd" if one in forbidden else one for one in word)
    for title in texts(root, "entry/title"):
        assert shown in title
    allowed = {f"{ATOM}{tag}" for tag in ("id", "title", "updated", "link", "category", "content")}
    assert {child.tag for child in root.iter(f"{ATOM}entry") for child in child} <= allowed
    for link in root.iter(f"{ATOM}link"):
        assert (link.get("href") or "").startswith(("index.html", "events.atom"))
