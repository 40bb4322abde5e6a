"""Badges: one per history that Overview lists, with its newest value and state."""

import json
import re
from xml.etree import ElementTree as ET

import pytest
from sample_store import DISTURBED, Store, convolution_store, foreign_store, row, trusted_store
from test_feed import SLOWER, eventful_store, offers_of
from test_site import CONTROL, HOSTILE, STORES

from convbench.report.badges import COLOURS, MOST_BADGES, badge_files, history_badge
from convbench.report.events import event_rows
from convbench.report.measurements import Measurements
from convbench.report.series import build_series

SVG = "{http://www.w3.org/2000/svg}"


def files_of(measurements: Measurements, title: str = "convbench") -> dict[str, str]:
    series = build_series(measurements)
    return badge_files(measurements, series, event_rows(measurements, series), title)


def words(svg: str) -> list[str]:
    """The words of a badge, and what a pointer is told."""
    root = ET.fromstring(svg)
    return [one.text or "" for tag in ("text", "title") for one in root.iter(f"{SVG}{tag}")]


def badge(files: dict[str, str], **wanted: str) -> tuple[list[str], str]:
    """The words and the state of the one badge of a time with these parameters."""
    (listed,) = (
        one
        for one in json.loads(files["badges/index.json"])
        if one["benchmark"].endswith(".time_run") and one["params"].items() >= wanted.items()
    )
    return words(files[listed["file"]]), listed["state"]


IM2COL = {"strategy": "im2col", "problem": "question", "dtype": "float32"}
FFT = {"strategy": "fft", "problem": "question", "dtype": "float32"}


def test_a_badge_names_its_history_its_newest_value_and_what_became_of_it() -> None:
    files = files_of(eventful_store().measurements())

    (label, message, title), state = badge(files, **IM2COL)
    assert (label, state) == ("im2col question float32", "regressed")
    assert re.fullmatch(r"1\d\.\d µs ▲ \+20 %", message)
    assert title == "time_run: regressed, 000000aa, openblas"
    (_, message, _), state = badge(files, **FFT)
    assert message.endswith(" ▼ −50 %")
    assert state == "improved"


def test_without_commits_enough_a_badge_claims_nothing() -> None:
    files = files_of(convolution_store(2).measurements())
    (_, message, title), state = badge(files, **IM2COL)

    assert re.fullmatch(r"1\d\.\d µs", message)
    assert words(files["badges/all.svg"])[1] == "no verdict yet"
    assert (state, title) == ("undecided", "time_run: no verdict yet, 000000a2, openblas")


def test_what_failed_says_so() -> None:
    store = convolution_store(2)
    for made in store.rows:
        if made["strategy"] == "im2col":
            made |= {"status": "failed", "value": float("nan")}

    (_, message, _), state = badge(files_of(store.measurements()), **IM2COL)

    assert (message, state) == ("failed", "failed")


def test_a_value_of_an_older_commit_is_marked() -> None:
    store = convolution_store(3)
    newest = store.rows[-1]["commit"]
    store.rows = [r for r in store.rows if (r["commit"], r["strategy"]) != (newest, "im2col")]

    (_, message, title), _ = badge(files_of(store.measurements()), **IM2COL)

    assert message.endswith(" †")
    assert "000000a2" in title


def test_a_value_of_a_disturbed_run_is_marked() -> None:
    store = trusted_store()
    assert store.tables["runs"][-1]["disturbed"] == DISTURBED

    (_, message, _), _ = badge(files_of(store.measurements()), **IM2COL)

    assert message.endswith(" ⚠")


def test_the_name_of_a_file_stays_when_commits_builds_and_benchmarks_come() -> None:
    few, more = convolution_store(1), convolution_store(3)
    few.rows = [made for made in few.rows if made["blas"] == "openblas"]
    more.rows += [
        row(2, 1.0, params=IM2COL | {"cold": "yes"}, benchmark="run.Cold.time_run"),
        row(2, 1.0, params=IM2COL, machine="another-box"),
    ]

    assert set(files_of(few.measurements())) < set(files_of(more.measurements()))


def test_projects_without_strategies_have_badges_too() -> None:
    files = files_of(foreign_store().measurements())

    labels = [words(svg)[0] for path, svg in files.items() if path.endswith(".svg")]
    assert labels == ["convbench", *(f"time_axpy {size} d" for size in (100, 200, 1000))]


def test_the_badge_of_the_project_counts_what_is_of_concern() -> None:
    store = eventful_store()
    whole = files_of(store.measurements(), "Our project")["badges/all.svg"]
    assert words(whole) == [
        "Our project",
        "1 regression · 1 failing",
        "1 regression · 1 failing in 10 commits",
    ]
    assert COLOURS["regressed"] in whole

    for one in store.tables["events"]:
        one |= {"triage": "expected", "triage_reason": "as planned"}
    assert words(files_of(store.measurements())["badges/all.svg"])[1] == "no regression"


def test_where_nothing_was_searched_for_no_badge_says_that_nothing_was_found() -> None:
    measurements = foreign_store().measurements()
    unsearched = type(measurements)(**(vars(measurements) | {"detected": False}))

    files = files_of(unsearched)

    assert words(files["badges/all.svg"])[1] == "no verdict yet"
    assert {one["state"] for one in json.loads(files["badges/index.json"])} == {"undecided"}


def test_what_was_always_skipped_has_no_badge() -> None:
    listed = json.loads(files_of(convolution_store(2).measurements())["badges/index.json"])

    timed = {
        (one["params"]["strategy"], one["params"]["problem"])
        for one in listed
        if one["benchmark"] == "run.Float32.time_run"
    }
    assert ("toeplitz", "question") in timed
    assert ("toeplitz", "vgg16_conv3_2") not in timed


def test_a_large_suite_has_a_limited_number_of_badges() -> None:
    store = Store()
    for number in range(MOST_BADGES + 50):
        store.rows.append(row(0, 1.0, benchmark=f"m.time_{number}", blas=""))

    files = files_of(store.measurements())

    assert len(files) == MOST_BADGES + 2


@pytest.mark.parametrize("name", STORES)
def test_every_badge_is_whole_small_and_loads_nothing(name: str) -> None:
    files = offers_of(STORES[name]().measurements())
    badges = {p: t for p, t in files.items() if p.startswith("badges/") and p.endswith(".svg")}

    assert "badges/all.svg" in badges
    for path, svg in badges.items():
        assert re.fullmatch(r"badges/[a-z0-9-]+\.svg", path)
        assert len(svg.encode()) <= 1000
        assert "http" not in svg.replace("http://www.w3.org/2000/svg", "")
        assert {one.tag for one in ET.fromstring(svg).iter()} == {
            f"{SVG}{tag}" for tag in ("svg", "title", "rect", "path", "text")
        }


@pytest.mark.parametrize("word", [*HOSTILE, CONTROL, "&" * 300, "😀" * 300, "'\"" * 200, "", "¼½"])
def test_no_name_breaks_a_badge_or_makes_it_large(word: str) -> None:
    store = Store()
    params = {"strategy": word, "problem": word, "dtype": word}
    for made in (params, {word: word}):
        row_of = row(0, 1.0, benchmark=word, params=made, machine=word, blas=word, unit=word)
        store.rows.append(row_of)

    files = files_of(store.measurements(), word)

    for path, svg in files.items():
        if path.endswith(".svg"):
            assert len(svg.encode()) <= 1000
            assert re.fullmatch(r"badges/[a-z0-9-]+\.svg", path)
            assert len(list(ET.fromstring(svg).iter())) == 6
    assert json.loads(files["badges/index.json"])


def test_an_event_that_was_decided_does_not_colour_its_history() -> None:
    store = eventful_store()
    for one in store.tables["events"]:
        if one["event"] == SLOWER:
            one |= {"triage": "ignored", "triage_reason": "noise"}

    (_, message, _), state = badge(files_of(store.measurements()), **IM2COL)

    assert state == "unchanged"
    assert "▲" not in message


@pytest.mark.parametrize(("status", "told"), [("ok", "1.00 s †"), ("failed", "failed †")])
def test_what_the_newest_run_left_out_keeps_its_outcome(status: str, told: str) -> None:
    rows = [row(0, 1.0 if status == "ok" else None, status=status), row(1, None, status="skipped")]
    measurements = Store(rows=rows).measurements()
    (one,) = build_series(measurements)

    assert history_badge(measurements, one, one.lines[0]).message == told
