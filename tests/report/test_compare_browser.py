"""The comparison in a real browser: what scripts say is what the document said before them."""

import csv
import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import test_browser
from chromium import NEEDS_BROWSER
from sample_store import Store, convolution_store, foreign_store, row, versions_store
from test_browser import Watched, changed_store
from test_compare_view import moved_store
from test_site import HOSTILE, hostile_store

from convbench.report.compared import MOST_ROWS, compared_at
from convbench.report.compared_cells import Cells, Choice
from convbench.report.links import compare_link
from convbench.report.series import build_series
from convbench.report.site import write_site

pytestmark = NEEDS_BROWSER
expect = test_browser.sync_api.expect

ROWS = "#compare-table tbody tr"
TEXTS = "all => all.map(one => [...one.cells].map(cell => cell.textContent))"


def tagged_store() -> Store:
    """Make a store with tags at its commits, and at one between two of them."""
    store = moved_store()
    commits = store.tables["commits"]
    for position, tags in ((4, ["v1.0"]), (11, ["v2.0"])):
        commits[position]["tags"] = tags
    for commit in commits:
        commit["position"] *= 2
    commits.append(commits[7] | {"commit": "f" * 40, "position": 15, "tags": ["v1.5"]})
    return store


STORES: Mapping[str, Callable[[], Store]] = {
    "moved": moved_store,
    "tagged": tagged_store,
    "changed": changed_store,
    "one commit": lambda: convolution_store(1),
    "versions": versions_store,
    "foreign": foreign_store,
    "hostile": hostile_store,
}


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("compared")
    return {
        name: write_site(make().measurements(), folder / name).as_uri()
        for name, make in STORES.items()
    }


def opened(browser: Any, site: str, query: str = "", mode: str = "light") -> Watched:
    """Open the view, and wait until scripts have filled it."""
    watched = Watched(browser, mode)
    watched.open(f"{site}#/compare{query}", "compare")
    watched.page.wait_for_selector("#compare-choices input", state="attached")
    return watched


def said(page: Any) -> dict[str, Any]:
    """Read all that the view says."""
    tiles = page.locator("#compare-counts .tile").all_text_contents()
    return {
        "title": page.locator("#compare-title").text_content(),
        "sides": [
            page.locator(f"#compare-{key}").text_content().strip() for key in ("base", "head")
        ],
        "where": page.locator("#compare-where").text_content(),
        "command": page.locator("#compare-command code").text_content(),
        "tiles": [tile.strip() for tile in tiles],
        "rows": page.locator(ROWS).evaluate_all(TEXTS)[:MOST_ROWS],
    }


@pytest.mark.parametrize("store", STORES)
def test_scripts_say_what_the_document_says(
    browser: Any, sites: dict[str, str], store: str
) -> None:
    without = browser.new_page(java_script_enabled=False)
    without.goto(sites[store])
    watched = opened(browser, sites[store])

    assert said(watched.page) == said(without)
    assert (watched.errors, watched.outside) == ([], [])
    without.close()
    watched.page.close()


@pytest.mark.parametrize(
    "choice",
    [
        Choice(9, 2),  # backwards
        Choice(0, 13),
        Choice(13, 13, blas="mkl", base_blas="openblas"),
        Choice(3, 8, base_blas="openblas"),
    ],
)
def test_scripts_say_of_any_choice_what_python_says(
    browser: Any, sites: dict[str, str], choice: Choice
) -> None:
    measurements = changed_store().measurements()
    view = compared_at(Cells(measurements, build_series(measurements)), choice)
    watched = opened(browser, sites["changed"], f"?{urlencode(view.state)}")

    shown = said(watched.page)

    assert shown["title"] == view.title
    assert shown["where"] == view.where
    assert shown["command"] == view.command
    assert [row[:1] + row[2:4] + row[5:] for row in shown["rows"]] == [
        [row.words, row.base, row.head, row.known + joined(row.links)] for row in view.rows
    ]
    assert [row[4] for row in shown["rows"]] == [
        (row.change or "–") + row.interval for row in view.rows
    ]
    watched.page.close()


def joined(links: tuple[tuple[str, str], ...]) -> str:
    """Write the changes of a row as its cell has them."""
    return f"at {', '.join(words for words, _ in links)}" if links else ""


def test_found_changes_are_told_with_the_way_to_their_event(
    browser: Any, sites: dict[str, str]
) -> None:
    watched = opened(browser, sites["changed"], "?base=000000a1&head=000000a2")

    first = watched.page.locator(ROWS).first
    expect(first.locator("strong")).to_have_text("▲ slower")
    expect(first.locator("td").last).to_have_text("1 change foundat 000000a2")
    assert first.locator("td a").last.get_attribute("href") == f"#/event?id={1:010x}"
    watched.page.close()


def test_every_choice_is_written_into_the_address_and_restored_from_it(
    browser: Any, sites: dict[str, str]
) -> None:
    watched = opened(browser, sites["moved"])
    page = watched.page
    commits = {"base": "000000a3", "head": "000000a5"}
    places = {"blas": "mkl", "base_blas": "openblas", "order": "name"}
    wanted = commits | places

    for key, value in commits.items():
        page.fill(f'#compare-choices [data-state="{key}"]', value)
        page.keyboard.press("Enter")
        expect(page.locator(f"#compare-{key} code")).to_have_text(value)
    for key, value in places.items():
        page.select_option(f'#compare-choices [data-state="{key}"]', value)
        expect(page.locator(f'#compare-choices [data-state="{key}"]')).to_have_value(value)
    page.locator('section[data-view=compare] [data-state="find"]').fill("vgg16")
    expect(page.locator("#compare-shown")).to_contain_text("chosen of")
    page.locator("#compare-counts .tile", has_text="faster").click()
    expect(page.locator("#compare-counts [aria-current]")).to_contain_text("faster")

    again = opened(browser, sites["moved"], page.url.split("#/compare")[1], "phone")
    for key, value in wanted.items():
        chosen = again.page.locator(f'#compare-choices [data-state="{key}"]')
        expect(chosen).to_have_value(value)
    box = again.page.locator('section[data-view=compare] [data-state="find"]')
    assert box.input_value() == "vgg16"
    assert said(again.page) == said(page)
    assert said(page)["where"] == "mkl against openblas"
    for one in (watched, again):
        assert not one.errors
        one.page.close()


def test_the_link_of_a_gate_shows_its_two_commits(browser: Any, sites: dict[str, str]) -> None:
    hashes = [one.commit for one in moved_store().measurements().commits]
    # A published site's address is its folder; from disk the document is named.
    link = compare_link("https://example.org/", hashes[3], hashes[5])
    watched = opened(browser, sites["moved"], link.removeprefix("https://example.org/#/compare"))

    shown = said(watched.page)

    assert [side[:8] for side in shown["sides"]] == [hashes[3][:8], hashes[5][:8]]
    assert len(shown["rows"]) > 1
    assert watched.errors == []
    watched.page.close()


def test_a_commit_is_chosen_by_keyboard_and_the_box_keeps_its_focus(
    browser: Any, sites: dict[str, str]
) -> None:
    watched = opened(browser, sites["tagged"])
    page = watched.page
    head = page.locator('#compare-choices [data-state="head"]')
    assert head.input_value() == "v2.0"

    head.focus()
    expect(head).to_have_value("")  # so that the browser offers all, not what begins like this
    assert page.locator("#compare-commits-head option").count() == 12
    head.press_sequentially("v1")
    offered = page.locator("#compare-commits-head option")
    expect(offered).to_have_count(1)
    assert offered.first.get_attribute("value") == "v1.0"
    assert "000000a5" in (offered.first.get_attribute("label") or "")
    page.keyboard.type(".0")
    page.keyboard.press("Enter")

    expect(page.locator("#compare-head")).to_contain_text("v1.0 000000a5")
    expect(head).to_be_focused()
    assert "head=v1.0" in page.url
    assert not watched.errors
    page.close()


def test_a_box_that_is_left_untouched_keeps_its_commit(browser: Any, sites: dict[str, str]) -> None:
    watched = opened(browser, sites["tagged"])
    page = watched.page
    head = page.locator('#compare-choices [data-state="head"]')

    head.focus()
    page.keyboard.press("Tab")

    expect(head).to_have_value("v2.0")
    assert page.url.endswith("#/compare")
    page.close()


def test_a_tag_is_as_good_as_its_commit_and_one_between_commits_says_where_it_is_met(
    browser: Any, sites: dict[str, str]
) -> None:
    tagged = opened(browser, sites["tagged"], "?base=v1.0&head=v2.0")
    plain = opened(browser, sites["tagged"], "?base=000000a5&head=000000ac")
    between = opened(browser, sites["tagged"], "?base=v1.5&head=v2.0")

    assert said(tagged.page) == said(plain.page)
    note = between.page.locator("#compare-note")
    expect(note).to_have_text(
        "v1.5 itself was not measured: 000000a9 is the first measured commit that has it."
    )
    for one in (tagged, plain, between):
        assert not one.errors
        one.page.close()


def test_choices_of_commits_need_few_elements(browser: Any, tmp_path: Path) -> None:
    store = Store([row(at, 1.0 + 0.01 * (at % 7), blas="") for at in range(2000)])
    site = write_site(store.measurements(), tmp_path / "site").as_uri()
    watched = opened(browser, site)

    count = "document.querySelectorAll('#compare-choices *').length"
    assert watched.page.evaluate(count) < 20
    watched.page.locator('#compare-choices [data-state="base"]').focus()
    assert watched.page.evaluate(count) < 60
    assert not watched.errors
    watched.page.close()


def test_a_tile_shows_the_cells_that_it_counts(browser: Any, sites: dict[str, str]) -> None:
    watched = opened(browser, sites["moved"])
    page = watched.page
    tiles = page.locator("#compare-counts a")
    numbers = [int(text) for text in tiles.locator("b").all_text_contents()]

    assert sum(numbers[1:]) == numbers[0]
    for at, number in enumerate(numbers[1:], 1):
        tiles.nth(at).click()
        expect(tiles.nth(at)).to_have_attribute("aria-current", "true")
        expect(page.locator(ROWS)).to_have_count(min(number, 60))
    assert not watched.errors
    page.close()


def test_a_commit_that_was_not_measured_is_not_replaced_by_another(
    browser: Any, sites: dict[str, str]
) -> None:
    watched = opened(browser, sites["moved"], "?base=feedbeef&head=000000a5")
    page = watched.page

    expect(page.locator("#compare-note")).to_contain_text("no values of commit feedbeef")
    expect(page.locator(ROWS)).to_have_count(0)
    expect(page.locator("#compare-command code")).to_have_text(
        "convbench compare feedbeef 000000a5"
    )
    assert not watched.errors
    page.close()


def test_the_full_hash_of_a_commit_is_as_good_as_its_beginning(
    browser: Any, sites: dict[str, str]
) -> None:
    long = opened(browser, sites["moved"], f"?base=000000a3{'0' * 32}&head=000000a5{'0' * 32}")
    short = opened(browser, sites["moved"], "?base=000000a3&head=000000a5")

    assert said(long.page) == said(short.page)
    long.page.close()
    short.page.close()


@pytest.mark.parametrize("store", ["moved", "hostile"])
def test_the_csv_holds_the_chosen_cells(
    browser: Any, sites: dict[str, str], store: str, tmp_path: Path
) -> None:
    watched = opened(browser, sites[store])
    page = watched.page

    with page.expect_download() as downloading:
        page.click("#compare-csv")
    path = tmp_path / "cells.csv"
    downloading.value.save_as(path)
    lines = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"), newline="")))

    total = int(page.locator("#compare-counts b").first.inner_text())
    assert len(lines) == total
    assert downloading.value.suggested_filename.endswith(".csv")
    if store == "hostile":
        assert {line["strategy"] for line in lines if line["strategy"]} == set(HOSTILE)
    ratios = [float(line["head"]) / float(line["base"]) for line in lines if line["ratio"]]
    assert ratios == pytest.approx([float(line["ratio"]) for line in lines if line["ratio"]])
    assert not watched.errors
    page.close()


def test_hostile_names_show_literally(browser: Any, sites: dict[str, str]) -> None:
    watched = opened(browser, sites["hostile"])

    text = watched.page.locator("#compare-table").text_content()

    for name in HOSTILE[:4]:
        assert name in text
    assert watched.page.locator("section[data-view=compare] img").count() == 0
    assert watched.page.locator('section[data-view=compare] a[href^="javascript:"]').count() == 0
    assert not watched.errors
    watched.page.close()


def test_of_many_cells_few_rows_stand_until_more_are_wanted(browser: Any, tmp_path: Path) -> None:
    params = [{"case": str(number)} for number in range(3000)]
    store = Store(
        [row(at, 1.0 + 0.01 * at, params=one, blas="") for at in range(2) for one in params]
    )
    site = write_site(store.measurements(), tmp_path / "site").as_uri()
    watched = opened(browser, site)
    page = watched.page

    expect(page.locator("#compare-shown")).to_have_text("3,000 cells, 60 listed")
    assert page.locator(ROWS).count() == 60
    page.click("#compare-more")
    expect(page.locator(ROWS)).to_have_count(360)
    page.locator('section[data-view=compare] [data-state="find"]').fill("2999")
    expect(page.locator(ROWS)).to_have_count(1)
    expect(page.locator("#compare-more")).to_be_hidden()
    assert not watched.errors
    page.close()
