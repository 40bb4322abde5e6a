"""Roofline, Machines and tables as files in a real browser: choices, links, what fits a phone."""

import csv
import io
from typing import Any

import pytest
import test_browser
from chromium import NEEDS_BROWSER
from sample_store import FORTY_STRATEGIES, convolution_store, foreign_store
from test_browser import Watched
from test_roofs import add_ceilings

from convbench.report.site import write_site

pytestmark = NEEDS_BROWSER
expect = test_browser.sync_api.expect

STRATEGY = "#/roofline?by=strategy&strategy=fft"
OUTSIDE = """section => {
    const box = section.querySelector(".chart").getBoundingClientRect();
    return [...section.querySelectorAll(".chart text")].filter((one) => {
        const { left, right, width } = one.getBoundingClientRect();
        return width && (left < box.left || right > box.right);
    }).map((one) => one.textContent);
}"""
COVERED = """section => {
    const boxes = [...section.querySelectorAll(".chart .label")]
        .map((one) => one.getBoundingClientRect()).filter(({ width }) => width);
    const apart = (a, b) => a.right <= b.left || b.right <= a.left
        || a.bottom <= b.top + 4 || b.bottom <= a.top + 4;
    return boxes.filter((a, i) => boxes.some((b, j) => i < j && !apart(a, b))).length;
}"""


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("roofs")
    ours = convolution_store(2, strategies=FORTY_STRATEGIES)
    for index in range(2):
        for blas in ("openblas", "mkl"):
            add_ceilings(ours, index, blas=blas)
    return {
        name: write_site(store.measurements(), folder / name).as_uri()
        for name, store in (("ours", ours), ("foreign", foreign_store()))
    }


def section_of(watched: Watched, view: str) -> Any:
    return watched.page.locator(f'.view[data-view="{view}"]')


def test_one_strategy_is_chosen_and_its_link_restores_it(
    browser: Any, sites: dict[str, str]
) -> None:
    watched = Watched(browser, "light")
    watched.open(f"{sites['ours']}#/roofline", "roofline")
    section = section_of(watched, "roofline")
    strategy, problem = (section.locator(f"[data-state={key}]") for key in ("strategy", "problem"))
    expect(strategy).to_be_hidden()

    section.locator("[data-state=by]").select_option("strategy")
    expect(problem).to_be_hidden()
    strategy.select_option("fft")
    expect(section.locator("h1")).to_contain_text("fft executes at")
    section.locator("[data-state=blas]").select_option("mkl")
    expect(section.locator(".lede")).to_contain_text("mkl")

    again = Watched(browser, "dark")
    again.open(watched.page.url, "roofline")
    expect(section_of(again, "roofline").locator("h1")).to_contain_text("fft executes at")
    for key, value in (("by", "strategy"), ("strategy", "fft"), ("blas", "mkl")):
        expect(section_of(again, "roofline").locator(f"[data-state={key}]")).to_have_value(value)
    for one in (watched, again):
        assert (one.errors, one.outside) == ([], [])
    section.locator("[data-state=by]").select_option("problem")
    expect(section.locator("h1")).to_contain_text("is fastest on")
    watched.page.close()
    again.page.close()


def test_a_link_with_a_strategy_alone_shows_it(browser: Any, sites: dict[str, str]) -> None:
    watched = Watched(browser, "light")

    watched.open(f"{sites['ours']}#/roofline?strategy=im2col", "roofline")

    expect(section_of(watched, "roofline").locator("h1")).to_contain_text("im2col executes at")
    watched.page.close()


@pytest.mark.parametrize("mode", ["light", "phone"])
@pytest.mark.parametrize("address", ["#/roofline", STRATEGY])
def test_the_picture_fits_its_box_and_no_name_covers_another(
    browser: Any, sites: dict[str, str], address: str, mode: str
) -> None:
    watched = Watched(browser, mode)
    watched.open(f"{sites['ours']}{address}", "roofline")
    section = section_of(watched, "roofline")
    expect(section.locator("h1")).to_contain_text("fft" if "fft" in address else "question")

    assert section.evaluate(OUTSIDE) == []
    assert section.evaluate(COVERED) == 0
    assert section.locator(".chart").evaluate("box => box.scrollWidth <= box.clientWidth")
    watched.page.close()


def saved(watched: Watched, name: str) -> list[list[str]]:
    """Press the button of a table that is shown; give its lines as they stand in the file."""
    with watched.page.expect_download() as download:
        watched.page.locator(f'button[aria-label="CSV: {name}"] >> visible=true').click()
    return download.value.path().read_bytes().decode().splitlines()  # type: ignore[no-any-return]


def test_the_file_of_a_chosen_table_has_numbers_beside_what_is_shown(
    browser: Any, sites: dict[str, str]
) -> None:
    watched = Watched(browser, "light")
    watched.open(f"{sites['ours']}{STRATEGY}", "roofline")
    section = section_of(watched, "roofline")
    expect(section.locator("h1")).to_contain_text("fft")

    text = saved(watched, "roofline")
    head, *rows = csv.reader(io.StringIO("\n".join(text)))

    at = head.index("Time")
    assert head[at + 1] == "Time (s)"
    values = section.locator("tbody td[data-value]").evaluate_all(
        "all => all.map(one => one.dataset.value)"
    )
    assert [row[at + 1] for row in rows] == values
    assert len(rows) == 4
    for line, row in zip(text[1:], rows, strict=True):
        assert f'"{row[at]}",{row[at + 1]},' in line  # a number bears no quotes, a text does
    watched.page.close()


def test_text_that_looks_like_a_number_stays_text(browser: Any, sites: dict[str, str]) -> None:
    watched = Watched(browser, "light")
    watched.open(f"{sites['foreign']}#/machines", "machines")
    watched.page.evaluate(
        "document.querySelector('table.machines tbody tr:nth-child(2) td').textContent = '00712345'"
    )

    assert '"00712345"' in saved(watched, "machines")[2]
    watched.page.close()


def test_two_machines_stand_side_by_side_by_their_link(browser: Any, sites: dict[str, str]) -> None:
    watched = Watched(browser, "light")
    watched.open(f"{sites['foreign']}#/machines", "machines")
    section = section_of(watched, "machines")
    shown = "table.machines thead th[data-machine] >> visible=true"
    assert section.locator(shown).count() == 3

    section.locator("[data-state=machine]").select_option("old-box")
    expect(section.locator("h1")).to_contain_text("old-box")
    section.locator("[data-state=beside]").select_option("intel-box")
    expect(section.locator(shown)).to_have_count(2)
    expect(section.locator("h1")).to_contain_text("intel-box is about as fast as old-box")

    again = Watched(browser, "phone")
    again.open(watched.page.url, "machines")
    section = section_of(again, "machines")
    expect(section.locator(shown)).to_have_count(2)
    assert section.locator(shown).all_text_contents() == ["intel-box", "old-box"]
    rows = section.locator("table.against tbody tr >> visible=true")
    assert rows.evaluate_all("all => all.map(one => one.dataset.machine)") == [
        "old-box", "intel-box",
    ]  # fmt: skip
    for key, value in (("machine", "old-box"), ("beside", "intel-box")):
        expect(section.locator(f"[data-state={key}]")).to_have_value(value)
    section.locator("[data-state=beside]").select_option("")
    expect(section.locator(shown)).to_have_count(3)
    expect(section.locator("h1")).to_contain_text("arm-box is about as fast as old-box")
    for one in (watched, again):
        assert (one.errors, one.outside) == ([], [])
        one.page.close()
