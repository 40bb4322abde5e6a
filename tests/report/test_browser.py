"""The built site in a real browser, from disk, without a network."""

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from sample_store import FORTY_STRATEGIES, convolution_store, foreign_store
from test_site import HOSTILE, hostile_store

from convbench.report.site import write_site

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = Path("/usr/bin/chromium")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="Debian's chromium is not installed"),
    # Chromium's pipes are closed by the garbage collector after the last test.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
MODES: dict[str, dict[str, Any]] = {
    "light": {"viewport": {"width": 1440, "height": 900}, "color_scheme": "light"},
    "dark": {"viewport": {"width": 1440, "height": 900}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 390, "height": 844}, "color_scheme": "light"},
}
VIEWS = ("overview", "history", "matrix", "why")
PLOTTED = ("history", "why")
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    # The browser's own errands, which a machine without internet answers with delays.
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("sites")
    stores = {
        "ours": convolution_store(3),
        "forty": convolution_store(2, strategies=FORTY_STRATEGIES),
        "foreign": foreign_store(),
        "hostile": hostile_store(),
    }
    return {
        name: write_site(store.measurements(), folder / name).as_uri()
        for name, store in stores.items()
    }


class Watched:
    """A page that remembers what went wrong."""

    def __init__(self, browser: Any, mode: str) -> None:
        self.errors: list[str] = []
        self.outside: list[str] = []
        self.page = browser.new_page(**MODES[mode])
        self.page.on("console", self._on_console)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("dialog", lambda dialog: self.errors.append(dialog.message))
        self.page.on("request", self._on_request)

    def _on_console(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.errors.append(message.text)

    def _on_request(self, request: Any) -> None:
        if not request.url.startswith(("file:", "data:", "blob:")):
            self.outside.append(request.url)

    def open(self, address: str, view: str) -> None:
        self.page.goto(address)
        self.page.wait_for_selector(f'.view[data-view="{view}"] >> visible=true')
        if view in PLOTTED:
            self.page.wait_for_selector(
                f'.view[data-view="{view}"] .drawn .main-svg >> visible=true', timeout=20_000
            )


@pytest.mark.parametrize("site", ["ours", "forty"])
@pytest.mark.parametrize("mode", MODES)
def test_every_view_draws_from_disk_without_errors_or_requests(
    browser: Any, sites: dict[str, str], mode: str, site: str
) -> None:
    watched = Watched(browser, mode)

    for view in VIEWS:
        watched.open(f"{sites[site]}#/{view}", view)
        widths = watched.page.evaluate(
            "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
        )
        assert widths[0] == widths[1], f"{view} scrolls sideways"

    assert (watched.errors, watched.outside) == ([], [])
    watched.page.close()


@pytest.mark.parametrize("mode", MODES)
def test_names_of_problems_stay_in_sight_over_many_rows(
    browser: Any, sites: dict[str, str], mode: str
) -> None:
    watched = Watched(browser, mode)
    watched.open(f"{sites['forty']}#/matrix", "matrix")
    table = watched.page.locator("table.matrix >> visible=true")

    if mode == "phone":  # the table scrolls in a box of its own
        table.locator("..").evaluate("box => { box.scrollIntoView(); box.scrollTop = 1e6; }")
    else:
        table.locator("tbody tr").last.scroll_into_view_if_needed()

    for row in (table.locator("thead th").first, table.locator("tbody th").last):
        sync_api.expect(row).to_be_in_viewport(ratio=1)
    watched.page.close()


def test_rows_can_stand_by_family(browser: Any, sites: dict[str, str]) -> None:
    watched = Watched(browser, "light")
    families = "table.matrix >> visible=true >> tbody th small"

    watched.open(f"{sites['ours']}#/matrix?order=family", "matrix")

    names = watched.page.locator(families).all_inner_texts()
    assert [name for name, _ in groupby(names)] == ["gemm", "fft", "dense", "loops"]
    watched.page.select_option('select[data-state="order"] >> visible=true', "")
    assert "order" not in watched.page.url
    assert watched.page.locator(families).all_inner_texts() != names
    watched.page.close()


def test_a_foreign_project_draws(browser: Any, sites: dict[str, str]) -> None:
    watched = Watched(browser, "light")

    for view in ("overview", "history"):
        watched.open(f"{sites['foreign']}#/{view}", view)

    assert watched.page.locator("nav a").all_inner_texts() == ["Overview", "History"]
    assert watched.page.locator("#history-legend > span").count() == 3
    assert (watched.errors, watched.outside) == ([], [])
    watched.page.close()


def test_a_link_restores_what_was_shown(browser: Any, sites: dict[str, str]) -> None:
    watched = Watched(browser, "light")
    state = "measure=time_run&problem=vgg16_conv3_2&strategy=fft&dtype=float32&scale=log"

    watched.open(f"{sites['ours']}#/history?{state}", "history")

    assert watched.page.locator("#history-title").inner_text() == "fft on vgg16_conv3_2"
    assert watched.page.locator("#history-choices select").nth(4).input_value() == "log"
    watched.open(f"{sites['ours']}#/matrix?blas=mkl&dtype=float64", "matrix")
    shown = watched.page.locator("#main .view[data-view=matrix] .variant >> visible=true")
    assert shown.count() == 1
    assert shown.get_attribute("data-blas") == "mkl"
    assert shown.get_attribute("data-dtype") == "float64"
    watched.page.close()


def test_a_choice_is_written_into_the_address(browser: Any, sites: dict[str, str]) -> None:
    watched = Watched(browser, "light")
    watched.open(f"{sites['ours']}#/history", "history")

    watched.page.select_option('select[data-state="strategy"]', "loops")

    # Not wait_for_function: its polling evaluates text, which the page's policy forbids.
    title = watched.page.locator("#history-title")
    sync_api.expect(title).to_have_text("loops on question")
    assert "strategy=loops" in watched.page.url
    watched.page.close()


def test_the_verdict_counts_what_detect_searched(browser: Any, tmp_path: Path) -> None:
    store = convolution_store(6)
    for made in store.rows:
        if made["blas"] == "openblas" and made["run"] in ("run-0", "run-1", "run-2"):
            made["blas_identity"] = "OpenBLAS 0.3.29"
    site = write_site(store.measurements(), tmp_path / "site").as_uri()
    watched = Watched(browser, "light")

    watched.open(f"{site}#/history", "history")

    # Both builds were one environment, which detect searches as one history.
    assert watched.page.locator("#history-notes li").all_inner_texts() == [
        "openblas · OpenBLAS 0.3.29: no change found in 6 commits",
        "openblas · OpenBLAS 0.3.31 Haswell: no change found in 6 commits",
        "mkl: no change found in 6 commits",
    ]
    watched.page.close()


def test_the_chart_offers_no_upload(browser: Any, sites: dict[str, str]) -> None:
    watched = Watched(browser, "light")
    watched.open(f"{sites['ours']}#/history", "history")

    titles = watched.page.eval_on_selector_all(
        ".modebar-btn", "buttons => buttons.map(button => button.dataset.title || '')"
    )

    assert titles
    assert not [title for title in titles if "hare" in title or "loud" in title]
    watched.page.close()


def test_colours_can_be_chosen_and_are_remembered(browser: Any, sites: dict[str, str]) -> None:
    watched = Watched(browser, "light")
    watched.open(f"{sites['ours']}#/overview", "overview")

    watched.page.click("#theme")
    watched.page.click("#theme")
    watched.page.reload()

    assert watched.page.evaluate("document.documentElement.dataset.theme") == "dark"
    watched.page.close()


def test_hostile_names_show_and_do_nothing(browser: Any, sites: dict[str, str]) -> None:
    watched = Watched(browser, "light")

    for view in VIEWS:
        if view != "why" or watched.page.locator("nav a[href='#/why']").count():
            watched.open(f"{sites['hostile']}#/{view}", view)
    watched.open(f"{sites['hostile']}#/history?strategy=__proto__", "history")
    options = watched.page.locator('select[data-state="strategy"] option').all_text_contents()

    assert set(options) == set(HOSTILE)
    assert watched.page.locator("#history-title").inner_text() == "__proto__ on question"
    assert watched.page.evaluate("document.querySelectorAll('main img').length") == 0
    assert (watched.errors, watched.outside) == ([], [])
    watched.page.close()


def test_without_scripts_all_views_can_be_read(browser: Any, sites: dict[str, str]) -> None:
    page = browser.new_page(java_script_enabled=False)

    page.goto(sites["ours"])

    assert page.locator(".view >> visible=true").count() == 4
    assert page.locator("table.matrix >> visible=true").count() == 1
    page.close()
