"""The built site in a real browser, from disk, without a network."""

from itertools import groupby
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote

import pytest
from chromium import NEEDS_BROWSER
from every_view import entered
from sample_store import (
    DISTURBED,
    FORTY_STRATEGIES,
    VERSIONS,
    Store,
    convolution_store,
    event,
    foreign_store,
    found_change,
    trusted_store,
    versions_store,
)
from test_site import HOSTILE, hostile_store

from convbench.report.points import command
from convbench.report.site import write_site
from convbench.results.points import point_of

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = NEEDS_BROWSER
MODES: dict[str, dict[str, Any]] = {
    "light": {"viewport": {"width": 1440, "height": 900}, "color_scheme": "light"},
    "dark": {"viewport": {"width": 1440, "height": 900}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 390, "height": 844}, "color_scheme": "light"},
}
VIEWS = (
    "overview",
    "history",
    "matrix",
    "compare",
    "why",
    "roofline",
    "blas",
    "machines",
    "coverage",
    "about",
)
PLOTTED = ("history", "why")


def changed_store() -> Store:
    """Make a store with twelve events of one strategy, one per commit."""
    store = convolution_store(14)
    params = "strategy=im2col, problem=question, dtype=float32"
    store.tables["changes"] = []
    for number in range(1, 13):
        ratio = 1.5 + 0.1 * number if number % 2 else 0.5
        one = found_change(number, before=1e-5, after=ratio * 1e-5, params=params)
        store.tables["changes"].append(one)
        cause = "code" if number % 3 else "machine"
        store.tables.setdefault("events", []).extend(event(f"{number:010x}", one, cause=cause))
    return store


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("sites")
    stores = {
        "ours": convolution_store(3),
        "trusted": trusted_store(),
        "versions": versions_store(),
        "forty": convolution_store(2, strategies=FORTY_STRATEGIES),
        "foreign": foreign_store(),
        "hostile": hostile_store(),
        "changed": changed_store(),
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
        entered(self.page, view)
        if view in PLOTTED:
            self.page.wait_for_selector(
                f'.view[data-view="{view}"] .drawn .main-svg >> visible=true', timeout=20_000
            )


@pytest.mark.parametrize("site", ["ours", "trusted", "forty"])
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

    assert watched.page.locator("nav a").all_inner_texts() == [
        "Overview", "History", "Compare", "Machines", "Coverage and A/A", "About",
    ]  # fmt: skip
    assert watched.page.locator("#history-legend > span").count() == 3
    assert (watched.errors, watched.outside) == ([], [])
    watched.page.close()


def test_a_link_restores_which_machines_are_compared(browser: Any, tmp_path: Path) -> None:
    store = convolution_store(1)
    store.rows += [made | {"machine": "other-machine"} for made in store.rows]
    index = write_site(store.measurements(), tmp_path / "site").as_uri()
    watched = Watched(browser, "light")
    shown = watched.page.locator(".view[data-view=machines] .variant >> visible=true >> h2")

    watched.open(f"{index}#/machines?blas=mkl&dtype=float64", "machines")

    assert shown.all_inner_texts() == ["Against made-up-machine, mkl, float64"]
    select = ".view[data-view=machines] select[data-state=dtype]"
    assert watched.page.locator(select).input_value() == "float64"
    watched.page.locator(select).select_option("float32")
    chosen = parse_qs(watched.page.url.split("#/machines?")[1])
    assert (chosen["blas"], chosen["dtype"]) == (["mkl"], ["float32"])
    assert shown.all_inner_texts() == ["Against made-up-machine, mkl, float32"]
    assert watched.errors == []
    watched.page.close()


def test_a_link_restores_what_was_shown(browser: Any, sites: dict[str, str]) -> None:
    watched = Watched(browser, "light")
    state = "measure=time_run&problem=vgg16_conv3_2&strategy=fft&dtype=float32&scale=log"

    watched.open(f"{sites['ours']}#/history?{state}", "history")

    assert watched.page.locator("#history-title").inner_text() == "fft on vgg16_conv3_2"
    assert watched.page.locator("#history-choices [data-state=scale]").input_value() == "log"
    watched.open(f"{sites['ours']}#/matrix?blas=mkl&dtype=float64", "matrix")
    shown = watched.page.locator(".view[data-view=matrix] .variant").first.inner_text()
    assert "mkl (oneMKL 2026.2), float64" in shown
    assert watched.errors == []
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


def test_another_view_begins_at_its_top(browser: Any, sites: dict[str, str]) -> None:
    watched = Watched(browser, "phone")
    watched.open(f"{sites['ours']}#/about", "about")
    watched.page.evaluate("scrollTo(0, 1000)")
    assert watched.page.evaluate("scrollY") > 0

    watched.page.evaluate("location.hash = '#/matrix'")
    watched.page.wait_for_selector("html[data-view=matrix] #main:not([aria-busy])")

    assert watched.page.evaluate("scrollY") == 0
    # Whoever chooses something in a view stays where they are.
    watched.page.evaluate("scrollTo(0, 100)")
    watched.page.select_option('select[data-state="dtype"] >> visible=true', "float64")
    sync_api.expect(watched.page.locator("#main")).not_to_have_attribute("aria-busy", "true")
    assert watched.page.evaluate("scrollY") == 100
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


ALONG_VERSIONS = "measure=time_run&problem=question&strategy=im2col&dtype=float32&along=blas"


def table_rows(watched: Watched) -> list[list[str]]:
    """Read the history's table, row by row."""
    rows: list[list[str]] = watched.page.eval_on_selector_all(
        "#history-table tbody tr",
        "rows => rows.map(row => [...row.cells].map(cell => cell.textContent))",
    )
    return rows


def test_two_versions_at_one_commit_are_two_points_over_commits(
    browser: Any, sites: dict[str, str]
) -> None:
    watched = Watched(browser, "light")

    watched.open(f"{sites['versions']}#/history", "history")

    newer, older = table_rows(watched)
    assert (newer[0], older[0]) == ("000000a2", "000000a1")
    assert [value.split(" [")[0] for value in older[3:]].count("–") == 0
    assert len(older[3:]) == sum(map(len, VERSIONS.values()))
    watched.page.close()


@pytest.mark.parametrize("mode", MODES)
def test_a_history_can_stand_along_blas_versions(
    browser: Any, sites: dict[str, str], mode: str
) -> None:
    watched = Watched(browser, mode)

    watched.open(f"{sites['versions']}#/history?{ALONG_VERSIONS}&at=000000a1", "history")

    versions = [*VERSIONS["openblas"], *VERSIONS["mkl"]]
    ticks = watched.page.locator("#history-plot .xtick text").all_text_contents()
    assert [tick.replace(" ", "") for tick in ticks] == [one.replace(" ", "") for one in versions]
    assert watched.page.locator("#history-legend > span").all_inner_texts() == ["openblas", "mkl"]
    rows = table_rows(watched)
    assert [row[:3] for row in rows] == [
        [version, family, "000000a1"] for family, each in VERSIONS.items() for version in each
    ]
    assert [row[3].split(" [")[0] for row in rows] == [
        "10.0 s", "9.00 s", "8.00 s", "10.0 s", "9.00 s",
    ]  # fmt: skip
    assert "along=blas" in watched.page.url
    assert "at=000000a1" in watched.page.url
    assert (watched.errors, watched.outside) == ([], [])
    watched.page.close()


def test_without_a_commit_each_version_stands_at_its_newest(
    browser: Any, sites: dict[str, str]
) -> None:
    watched = Watched(browser, "light")

    watched.open(f"{sites['versions']}#/history?{ALONG_VERSIONS}", "history")

    assert [row[2:] for row in table_rows(watched)] == [
        ["000000a1", "10.0 s [9.80 s, 10.2 s]"],
        ["000000a1", "9.00 s [8.82 s, 9.18 s]"],
        ["000000a2", "9.00 s [8.82 s, 9.18 s]"],
        ["000000a1", "10.0 s [9.80 s, 10.2 s]"],
        ["000000a2", "10.0 s [9.80 s, 10.2 s]"],
    ]
    notes = watched.page.locator("#history-notes li").all_inner_texts()
    assert "each at its newest commit (000000a1, 000000a2), so the code may differ too" in notes[0]
    watched.page.close()


def test_environments_that_share_a_version_have_a_point_each(browser: Any, tmp_path: Path) -> None:
    store = versions_store()
    store.rows += [
        made | {"environment": f"{made['environment']}-other", "value": 20.0}
        for made in store.rows
        if made["run"] == "run-0-openblas-0"
    ]
    site = write_site(store.measurements(), tmp_path / "site").as_uri()
    watched = Watched(browser, "light")

    watched.open(f"{site}#/history?{ALONG_VERSIONS}&at=000000a1", "history")

    shared = [row for row in table_rows(watched) if row[0] == VERSIONS["openblas"][0]]
    assert [row[3].split(" [")[0] for row in shared] == ["10.0 s", "20.0 s"]
    note = watched.page.locator("#history-notes li").first.inner_text()
    assert note.startswith("openblas: 3 BLAS versions, at commit")
    watched.page.close()


def test_one_version_of_each_build_is_no_axis(browser: Any, sites: dict[str, str]) -> None:
    watched = Watched(browser, "light")

    watched.open(f"{sites['ours']}#/history?{ALONG_VERSIONS}", "history")

    ways = watched.page.locator('select[data-state="along"] option')
    assert ways.all_inner_texts() == ["commits", "dates"]
    assert "along" not in watched.page.url
    watched.page.close()


def test_a_value_in_the_table_gives_the_command_that_measures_it_again(
    browser: Any, sites: dict[str, str]
) -> None:
    watched = Watched(browser, "light")
    watched.open(f"{sites['versions']}#/history?{ALONG_VERSIONS}&at=000000a1", "history")
    watched.page.click('[data-view="history"] details.table > summary')

    watched.page.locator("#history-table .pick").nth(1).focus()
    watched.page.keyboard.press("Enter")

    code = watched.page.locator("#history-point code").last
    wanted = command(
        "run-0-openblas-1/openblas/1/run.Float32.time_run('im2col', 'question', 'float32')"
    )
    sync_api.expect(code).to_have_text(wanted)
    # The link restores the choice.
    address = watched.page.url
    again = Watched(browser, "light")
    again.open(address, "history")
    sync_api.expect(again.page.locator("#history-point code").last).to_have_text(wanted)
    pressed = again.page.locator('#history-table .pick[aria-pressed="true"]')
    assert pressed.all_text_contents() == ["9.00 s [8.82 s, 9.18 s]"]
    again.page.close()
    watched.page.close()


def test_a_click_on_a_point_gives_its_command(browser: Any, sites: dict[str, str]) -> None:
    watched = Watched(browser, "light")
    watched.open(f"{sites['trusted']}#/history", "history")
    code = watched.page.locator("#history-point code").last
    before = code.inner_text()

    spot = watched.page.locator("#history-plot .point").first.bounding_box()
    watched.page.mouse.click(spot["x"] + spot["width"] / 2, spot["y"] + spot["height"] / 2)

    sync_api.expect(code).to_have_text(before.replace("run-3", "run-0"))
    assert "run=run-0" in watched.page.url
    watched.page.close()


def test_a_command_is_copied(browser: Any, sites: dict[str, str]) -> None:
    watched = Watched(browser, "light")
    watched.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    watched.open(f"{sites['trusted']}#/history", "history")

    button = watched.page.locator("#history-point .copy")
    button.click()

    sync_api.expect(button).to_have_text("Copied")
    copied = watched.page.evaluate("navigator.clipboard.readText()")
    assert copied == watched.page.locator("#history-point code").last.inner_text()
    # What another point needs was not copied yet.
    watched.page.evaluate("document.querySelectorAll('#history-table .pick')[2].click()")
    sync_api.expect(button).to_have_text("Copy")
    watched.page.close()


def test_a_command_that_cannot_be_copied_is_selected(browser: Any, sites: dict[str, str]) -> None:
    watched = Watched(browser, "light")
    watched.open(f"{sites['trusted']}#/history", "history")
    watched.page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(); }")

    button = watched.page.locator("#history-point .copy")
    button.click()

    sync_api.expect(button).to_have_text("Selected")
    selected = watched.page.evaluate("getSelection().toString()")
    assert selected == watched.page.locator("#history-point code").last.inner_text()
    watched.page.close()


def test_values_of_a_disturbed_run_have_a_ring_and_its_reason(
    browser: Any, sites: dict[str, str]
) -> None:
    watched = Watched(browser, "light")

    watched.open(f"{sites['trusted']}#/history", "history")

    rings = watched.page.evaluate(
        "document.getElementById('history-plot').data"
        ".filter(trace => trace.marker?.symbol === 'circle-open' && trace.marker.size === 16)"
        ".map(trace => trace.x.length)"
    )
    assert rings == [1, 1]
    assert DISTURBED in watched.page.locator("#history-point p").first.inner_text()
    notes = watched.page.locator("#history-notes li").all_inner_texts()
    assert notes[-1] == f"⚠ 2 ringed values of disturbed runs; the newest: {DISTURBED}"
    watched.page.close()


@pytest.mark.parametrize("name", HOSTILE)
def test_commands_of_hostile_names_are_quoted_as_the_shell_needs(
    browser: Any, sites: dict[str, str], name: str
) -> None:
    watched = Watched(browser, "light")

    watched.open(f"{sites['hostile']}#/history?strategy={quote(name)}", "history")

    row = {
        "run": "run-2", "blas": "openblas", "threads": "1", "benchmark": "run.Float32.time_run",
        "params": {"strategy": name, "problem": "question", "dtype": "float32"},
    }  # fmt: skip
    shown = watched.page.locator("#history-point code").last
    sync_api.expect(shown).to_have_text(command(str(point_of(row))), use_inner_text=False)
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

    assert page.locator(".view >> visible=true").count() == len(VIEWS)
    assert page.locator("table.matrix >> visible=true").count() == 1
    page.close()


def events_shown(page: Any) -> list[str]:
    rows = page.locator("#events tbody tr:visible")
    return [row.get_attribute("data-event") for row in rows.all()]


def test_events_are_chosen_and_ordered_and_the_link_keeps_both(
    browser: Any, sites: dict[str, str]
) -> None:
    watched = Watched(browser, "light")
    watched.open(f"{sites['changed']}#/changes", "changes")
    assert len(events_shown(watched.page)) == 12

    watched.page.locator(".view[data-view=changes] select[data-state=kind]").select_option(
        "regression"
    )
    watched.page.locator(".view[data-view=changes] select[data-state=order]").select_option("size")
    chosen = events_shown(watched.page)

    assert chosen == [f"{number:010x}" for number in (11, 9, 7, 5, 3, 1)]
    sync_api.expect(watched.page.locator("#changes-count")).to_contain_text("6 of 12 events")
    again = Watched(browser, "phone")
    again.open(watched.page.url, "changes")
    assert events_shown(again.page) == chosen
    for one in (watched, again):
        assert not one.errors
        one.page.close()


def test_a_link_to_an_event_shows_it_alone_with_its_commands(
    browser: Any, sites: dict[str, str]
) -> None:
    watched = Watched(browser, "light")
    watched.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    watched.open(f"{sites['changed']}#/changes?event={12:010x}", "changes")

    rows = watched.page.locator("#events tbody tr:visible")
    sync_api.expect(rows).to_have_count(1)
    assert events_shown(watched.page) == [f"{12:010x}"]
    button = watched.page.locator("#events tr:visible .copy").last
    button.click()

    sync_api.expect(button).to_have_text("Copied")
    copied = watched.page.evaluate("navigator.clipboard.readText()")
    assert copied == f"convbench bisect {12:010x} --store store"
    watched.page.locator("#changes-count a").click()
    sync_api.expect(rows).to_have_count(12)
    # A choice leaves the one event as well.
    watched.open(f"{sites['changed']}#/changes?event={12:010x}", "changes")
    sync_api.expect(rows).to_have_count(1)
    kinds = watched.page.locator(".view[data-view=changes] select[data-state=kind]")
    kinds.select_option("regression")
    sync_api.expect(rows).to_have_count(6)
    assert not watched.errors
    watched.page.close()


LETTER = {"width": 720, "height": 960}
"""A sheet between its margins, at 96 dots per inch."""


@pytest.mark.parametrize("mode", MODES)
def test_changes_on_paper_are_a_table_that_fits_and_names_its_events(
    browser: Any, sites: dict[str, str], mode: str
) -> None:
    watched = Watched(browser, mode)
    watched.open(f"{sites['changed']}#/changes", "changes")
    page = watched.page
    page.emulate_media(media="print")
    page.set_viewport_size(LETTER)

    assert page.evaluate("document.documentElement.scrollWidth") <= LETTER["width"]
    table = page.locator("#events")
    columns = table.locator("thead th").evaluate_all("all => all.map(one => one.offsetTop)")
    assert len(set(columns)) == 1  # side by side, and there
    assert table.locator("thead").is_visible()
    cut = "all => all.filter(one => one.scrollWidth > one.clientWidth).length"
    assert table.locator("td").evaluate_all(cut) == 0
    events = table.locator(".paper").all_inner_texts()
    assert sorted(events) == sorted(f"event {number:010x}" for number in range(1, 13))
    assert not table.locator("summary >> visible=true").count()  # nothing to be opened
    assert page.locator(".asof >> visible=true").count() == 2
    watched.page.close()


def test_paper_is_never_dark(browser: Any, sites: dict[str, str]) -> None:
    watched = Watched(browser, "dark")
    watched.open(f"{sites['changed']}#/changes", "changes")
    ink = "getComputedStyle(document.body).color"
    on_screen = watched.page.evaluate(ink)
    watched.page.evaluate("document.documentElement.dataset.theme = 'dark'")
    assert watched.page.evaluate(ink) == on_screen

    watched.page.emulate_media(media="print", color_scheme="dark")

    assert watched.page.evaluate(ink) == "rgb(20, 24, 29)" != on_screen
    watched.page.close()


def test_on_a_screen_the_event_is_named_by_its_commands_alone(
    browser: Any, sites: dict[str, str]
) -> None:
    watched = Watched(browser, "light")
    watched.open(f"{sites['changed']}#/changes", "changes")

    assert not watched.page.locator(".paper >> visible=true").count()
    assert watched.page.locator("#events summary >> visible=true").count() == 12
    watched.page.close()
