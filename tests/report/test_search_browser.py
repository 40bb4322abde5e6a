"""What the header offers on every view: search over everything, and the link to what is shown."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from chromium import NEEDS_BROWSER
from every_view import STORES, entered
from test_browser import Watched, sync_api
from test_site import HOSTILE

from convbench.report.site import write_site

axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")
pytestmark = NEEDS_BROWSER


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("searched")
    return {
        name: write_site(
            store().measurements(project=HOSTILE[1] if name == "hostile" else "convbench"),
            folder / name,
        ).as_uri()
        for name, store in STORES.items()
    }


@pytest.fixture
def own(browser: Any, sites: dict[str, str]) -> Iterator[Watched]:
    watched = Watched(browser, "light")
    watched.open(sites["own"], "overview")
    yield watched
    assert (watched.errors, watched.outside) == ([], [])
    watched.page.close()


def search(page: Any, words: str) -> list[str]:
    """Type words as a reader would, and give what is found."""
    page.locator("h1 >> visible=true").click()
    page.keyboard.press("/")
    page.keyboard.type(words)
    sync_api.expect(page.locator("#search-count")).to_have_text(
        "Nothing found" if words == "zzz" else re.compile(r"\d result")
    )
    names: list[str] = page.locator("#search-found [role=option] > span").all_inner_texts()
    return names


@pytest.mark.parametrize(
    ("words", "kind", "name", "address", "view"),
    [
        ("shifted", "Strategy", "shifted", "#/history?strategy=shifted", "history"),
        ("question", "Problem", "question", "#/history?problem=question", "history"),
        ("peakmem", "Benchmark", "peakmem_run", "#/history?measure=peakmem_run", "history"),
        ("2026-01-13", "Commit", "000000a9", "#/compare?base=000000a8&head=000000a9", "compare"),
        ("000000a80000", "Commit", "000000a8", "#/compare?base=000000a7&head=000000a8", "compare"),
        ("0000000004", "Event", "", "#/event?id=0000000004", "event"),
        ("machines", "View", "Machines", "#/machines", "machines"),
    ],
)
def test_enter_goes_to_the_first_found(
    own: Watched, words: str, kind: str, name: str, address: str, view: str
) -> None:
    found = search(own.page, words)
    assert not name or found[0] == name
    assert own.page.locator("#search-found .kind").first.inner_text().startswith(kind)

    own.page.keyboard.press("Enter")

    entered(own.page, view)
    assert set(re.split(r"[?&]", address)) <= set(
        re.split(r"[?&]", f"#{own.page.url.split('#')[1]}")
    )
    assert own.page.locator("#search-found").is_hidden()
    assert own.page.locator("#search").input_value() == ""


def test_a_history_is_found_by_all_its_words_in_any_order(own: Watched) -> None:
    found = search(own.page, "float64 fft")

    assert found == ["question, fft, float64"]
    own.page.keyboard.press("Enter")
    entered(own.page, "history")
    assert own.page.locator("#history-title").inner_text() == "fft on question"


def test_the_keyboard_walks_through_what_is_found(own: Watched) -> None:
    page = own.page
    found = search(page, "im2col")
    active = "document.getElementById(document.getElementById('search')"
    active += ".getAttribute('aria-activedescendant')).querySelector('span').textContent"
    assert len(found) > 3
    assert page.evaluate(active) == found[0]

    for key, at in (
        ("ArrowDown", 1),
        ("ArrowDown", 2),
        ("ArrowUp", 1),
        ("ArrowUp", 0),
        ("ArrowUp", -1),
    ):
        page.keyboard.press(key)
        assert page.evaluate(active) == found[at], (key, at)
    assert page.locator("#search-found [aria-selected=true]").count() == 1
    assert page.locator("#search").get_attribute("aria-expanded") == "true"
    page.keyboard.press("Escape")
    assert page.locator("#search-found").is_hidden()
    assert page.locator("#search").get_attribute("aria-expanded") == "false"
    assert page.locator("#search").get_attribute("aria-activedescendant") is None


def test_slash_stays_a_letter_where_a_reader_writes(own: Watched) -> None:
    box = own.page.locator(".view input[type=search] >> visible=true").first
    box.click()
    own.page.keyboard.type("a/b")

    assert box.input_value() == "a/b"
    assert own.page.locator("#search").evaluate("box => box !== document.activeElement")


def test_nothing_is_read_before_something_is_searched(own: Watched) -> None:
    read = "document.querySelectorAll('head script[src=\"data/meta.js\"]').length"
    assert own.page.evaluate(read) == 0

    assert search(own.page, "zzz") == []

    assert own.page.evaluate(read) == 1
    assert own.page.locator("#search-found").is_hidden()


@pytest.mark.parametrize("mode", ["light", "dark", "phone"])
def test_assistive_technology_finds_no_fault_in_what_is_found(
    browser: Any, sites: dict[str, str], mode: str
) -> None:
    watched = Watched(browser, mode)
    watched.open(sites["own"], "overview")
    search(watched.page, "question")

    checked = {"include": [[".top"]]}
    options = {"resultTypes": ["violations"], "preload": False}
    found = axe.Axe().run(watched.page, context=checked, options=options).response["violations"]

    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == []
    watched.page.close()


def test_the_header_of_a_phone_has_two_rows_also_while_searching(
    browser: Any, sites: dict[str, str]
) -> None:
    watched = Watched(browser, "phone")
    for site in ("own", "hostile"):  # the hostile one's project has a long name
        watched.open(sites[site], "overview")
        assert watched.page.locator(".top").bounding_box()["height"] < 100
        search(watched.page, "<" if site == "hostile" else "question")
        assert watched.page.locator(".top").bounding_box()["height"] < 100
        found = watched.page.locator("#search-found").bounding_box()
        assert found["x"] >= 0
        assert found["x"] + found["width"] <= 390
    assert watched.errors == []
    watched.page.close()


def test_the_link_to_what_is_shown_is_copied(own: Watched) -> None:
    own.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    own.open(own.page.url.split("#")[0] + "#/machines", "machines")

    own.page.click("#copy-link")

    sync_api.expect(own.page.locator("#link")).to_have_text("Link copied")
    assert own.page.evaluate("navigator.clipboard.readText()") == own.page.url


def test_a_link_that_cannot_be_copied_is_shown_and_selected(own: Watched) -> None:
    own.page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(); }")

    own.page.click("#copy-link")

    sync_api.expect(own.page.locator("#link")).to_be_visible()
    assert own.page.evaluate("getSelection().toString()") == own.page.url
    own.page.keyboard.press("Tab")
    assert own.page.locator("#link").is_hidden()
