"""The site in one picture: what it tells, that it fits, and that no name breaks it."""

import re
from xml.etree import ElementTree as ET

import pytest
from sample_store import Store, convolution_store, event, foreign_store, found_change
from test_feed import FAILING, FASTER, FFT, SLOWER, eventful_store, offers_of
from test_site import CONTROL, HOSTILE, STORES

from convbench.report.poster import MARGIN, MOST_ROWS, WIDTH
from convbench.report.xml_text import fitted, text_width, wrapped

SVG = "{http://www.w3.org/2000/svg}"
SIZES = {"h": 26, "n": 22, "s": 12}


def picture_of(store: Store, title: str = "convbench") -> str:
    return offers_of(store.measurements(), title=title)["overview.svg"]


def words(svg: str) -> list[str]:
    return [one.text or "" for one in ET.fromstring(svg).iter(f"{SVG}text")]


def test_the_finding_the_counts_and_the_worst_events_are_told() -> None:
    told = words(picture_of(eventful_store(), "Our project"))

    assert told[:3] == [
        "Our project",
        "made-up-machine · as of 000000aa, 2026-01-14",
        "1 regression and 1 improvement in 10 commits",
    ]
    for number, label in (("124", "histories"), ("1", "regressed"), ("6", "skipped")):
        assert told[told.index(label) - 1] == number
    assert [one for one in told if one[0] in "✕▲▼"] == ["✕ starts failing", "▲ +20 %", "▼ −50 %"]
    assert "000000a7 2026-01-11" in told


def test_the_bar_is_as_wide_as_its_states_are_many() -> None:
    root = ET.fromstring(picture_of(eventful_store()))
    bars = [one for one in root.iter(f"{SVG}rect") if one.get("height") == "6"]

    ends = [float(bar.get("x", 0)) + float(bar.get("width", 0)) for bar in bars]

    assert ends[-1] == pytest.approx(WIDTH - MARGIN, abs=1)
    for end, bar in zip(ends, bars[1:], strict=False):
        assert float(bar.get("x", 0)) == pytest.approx(end, abs=0.2)


def test_of_many_events_the_worst_are_told_regressions_first() -> None:
    store = eventful_store()
    for number in range(MOST_ROWS):
        change = found_change(8, before=1e-5, after=2e-5, params=FFT, strategy=f"s{number}")
        store.tables["events"] += event(f"{number:010x}", change)

    told = words(picture_of(store))

    assert f"{MOST_ROWS} of {MOST_ROWS + 3} events, the worst first" in " ".join(told)
    assert told.count("▲ +100 %") == MOST_ROWS - 1
    assert "▼ −50 %" not in told


def test_what_is_nobodys_concern_is_not_in_the_picture() -> None:
    store = eventful_store()
    for one in store.tables["events"]:
        if one["event"] in (SLOWER, FAILING):
            one |= {"triage": "expected", "triage_reason": "as planned"}
    assert {one["event"] for one in store.tables["events"]} == {SLOWER, FASTER, FAILING}

    told = words(picture_of(store))

    assert [one for one in told if one[0] in "✕▲▼"] == ["▼ −50 %"]


def test_without_events_the_winners_are_told_and_ties_with_them() -> None:
    told = " | ".join(words(picture_of(convolution_store(1))))

    assert "Who is fastest, with openblas, float32" in told
    assert "im2col | question · tied with numba_direct | loops | the slowest, ×1,2" in told


def test_without_strategies_the_newest_values_are_told() -> None:
    told = words(picture_of(foreign_store()))

    assert "Newest values" in told
    assert "size=100, variant=d" in told
    assert "arm-box" in told


def test_with_nothing_measured_the_picture_says_so() -> None:
    told = words(picture_of(Store()))

    assert [one for one in told if one] == ["convbench", "Nothing measured yet", "convbench"]


def test_of_a_long_dotted_name_the_end_is_shown() -> None:
    store = foreign_store()
    for made in store.rows:
        made["benchmark"] = "package.module_with_a_long_name.ClassWithALongName.time_something"
    change = found_change(
        4, before=1.0, after=2.0, params="size=100, variant=d", benchmark=made["benchmark"]
    )
    place = {"machine": "arm-box", "environment": "virtualenv-py3.12", "blas": "", "threads": ""}
    store.tables["changes"] = [change | place]
    store.tables["events"] = event(SLOWER, change | place)

    assert any(re.fullmatch(r"….*\.time_something", one) for one in words(picture_of(store)))


@pytest.mark.parametrize("name", STORES)
def test_every_picture_is_whole_small_and_loads_nothing(name: str) -> None:
    svg = picture_of(STORES[name]())

    assert len(svg.encode()) <= 30_000
    assert "http" not in svg.replace("http://www.w3.org/2000/svg", "")
    assert "url(" not in svg
    assert {one.tag for one in ET.fromstring(svg).iter()} <= {
        f"{SVG}{tag}" for tag in ("svg", "title", "style", "rect", "g", "path", "circle", "text")
    }


@pytest.mark.parametrize("word", [*HOSTILE, CONTROL, "W" * 500, "😀" * 300, "x " * 500, "a." * 200])
def test_no_name_breaks_the_picture_or_leaves_it(word: str) -> None:
    store = eventful_store()
    # Of two machines the name of one stands beside each history.
    store.rows += [made | {"machine": word} for made in store.rows]
    for one in (*store.tables["changes"], *store.tables["events"]):
        one["machine"] = word
    for one in store.tables["events"]:
        one |= dict.fromkeys(("cause", "evidence", "strategy"), word)
    for one in store.tables["commits"]:
        one["subject"] = word

    svg = picture_of(store, word)

    assert len(svg.encode()) <= 30_000
    root = ET.fromstring(svg)
    for one in root.iter(f"{SVG}text"):
        classes = (one.get("class") or "").split()
        size = next((SIZES[name] for name in classes if name in SIZES), 14)
        x, width = float(one.get("x", 0)), text_width(one.text or "", size)
        left, right = (x - width, x) if "e" in classes else (x, x + width)
        assert left >= 0
        assert right <= WIDTH


def test_words_are_cut_to_their_room_and_say_so() -> None:
    assert fitted("short", 10, 100) == "short"
    cut = fitted("a name that is much too long for its column", 10, 100)
    assert cut.endswith("…")
    assert text_width(cut, 10) <= 100
    assert text_width("名前", 10) > text_width("na", 10)


def test_lines_break_between_words_and_the_last_is_cut() -> None:
    text = "one two three four five six seven"

    lines = wrapped(text, 10, 60, 2)

    assert len(lines) == 2
    assert lines[-1].endswith("…")
    assert text.startswith(lines[0])
    assert wrapped("", 10, 60, 2) == ()
    assert wrapped("W" * 99, 10, 60, 2)[0].endswith("…")
