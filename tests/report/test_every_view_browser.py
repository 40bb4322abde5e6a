"""Laws that hold of every view of every site, in a real browser, from disk, without a network."""

import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest
from chromium import NEEDS_BROWSER
from every_view import CHANGE, FOCUSED, MISSED, SHOWN, STORES, entered, views_of, walk
from test_browser import LETTER
from test_site import HOSTILE

from convbench.report.site import write_site

axe = pytest.importorskip("axe_playwright_python.base", reason="axe is not installed")
pytestmark = NEEDS_BROWSER
DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 400, "height": 800}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("every-view")
    return {
        name: write_site(store().measurements(), root / name).parent
        for name, store in STORES.items()
    }


@pytest.fixture(params=STORES)
def site(request: pytest.FixtureRequest, folders: dict[str, Path]) -> str:
    return (folders[request.param] / "index.html").as_uri()


class Page:
    """A page that remembers all that no view may do: complain, ask the network, run a name."""

    def __init__(self, browser: Any, **options: Any) -> None:
        self.wrong: list[str] = []
        self.context = browser.new_context(viewport=DESKTOP, **options)
        self.context.route("http*://**/*", lambda route: route.abort())
        self.page = self.context.new_page()
        self.page.add_init_script(
            "addEventListener('securitypolicyviolation',"
            " (event) => console.error('policy', event.violatedDirective, event.blockedURI));"
        )
        self.page.on("console", self._on_console)
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("dialog", self._on_dialog)
        self.page.on("request", self._on_request)

    def __enter__(self) -> "Page":
        return self

    def __exit__(self, *_: object) -> None:
        self.context.close()

    def _on_console(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.wrong.append(message.text)

    def _on_dialog(self, dialog: Any) -> None:
        self.wrong.append(f"a script of a name ran: {dialog.message}")
        dialog.dismiss()

    def _on_request(self, request: Any) -> None:
        if not request.url.startswith(("file:", "data:", "blob:")):
            self.wrong.append(f"asked for {request.url}")


@pytest.mark.parametrize("site", ["own"], indirect=True)
def test_before_the_first_paint_the_view_of_the_address_is_shown(browser: Any, site: str) -> None:
    with Page(browser) as opened:
        # Only the first script runs, as before the rest is read.
        opened.context.route("**/app.js", lambda route: route.abort())
        opened.page.goto(site)
        for number, view in enumerate([*views_of(opened.page), "nonsense"]):
            opened.page.goto(f"{site}?{number}#/{view}")

            shown = opened.page.locator(".view >> visible=true")
            wanted = view if view in views_of(opened.page) else "overview"
            assert [one.get_attribute("data-view") for one in shown.all()] == [wanted]


OUTSIDE = """(links) => {
  const edge = document.querySelector("nav").getBoundingClientRect().right + 1;
  const boxes = links.map((one) => [one.textContent, one.getBoundingClientRect()]);
  return boxes.filter(([, { left, right }]) => left < 0 || right > edge).map(([words]) => words);
}"""


@pytest.mark.parametrize("site", ["own", "hostile"], indirect=True)
def test_the_header_shows_all_views_and_on_a_phone_the_one_that_is_open(
    browser: Any, site: str
) -> None:
    with Page(browser) as opened:
        page = opened.page
        page.set_viewport_size(PHONE)
        for view in walk(page, site):
            assert page.eval_on_selector_all("nav a[aria-current]", OUTSIDE) == [], view
            for width in (1024, 1280, 1440, 1920):
                page.set_viewport_size({"width": width, "height": 900})
                assert page.eval_on_selector_all("nav a", OUTSIDE) == [], (view, width)
            page.set_viewport_size(PHONE)


TWICE = """() => {
  const ids = [...document.querySelectorAll("[id]")].map((one) => one.id);
  return ids.filter((id, at) => ids.indexOf(id) !== at);
}"""


def test_every_view_draws_alone_and_silently(browser: Any, site: str) -> None:
    with Page(browser) as opened:
        for view in walk(opened.page, site):
            assert opened.page.evaluate(TWICE) == [], view
            shown = opened.page.locator(".view >> visible=true")
            assert [one.get_attribute("data-view") for one in shown.all()] == [view]
            assert opened.page.locator(".trouble").count() == 0, view
            assert opened.page.locator("nav a[aria-current]").count() == 1, view
            assert opened.wrong == [], view


def test_from_a_zip_in_a_strange_folder_every_view_draws(
    browser: Any, folders: dict[str, Path], tmp_path: Path
) -> None:
    packed = shutil.make_archive(str(tmp_path / "site"), "zip", folders["own"])
    strange = tmp_path / "für Übersicht #1 (100 %)?"
    zipfile.ZipFile(packed).extractall(strange)

    with Page(browser) as opened:
        for view in walk(opened.page, (strange / "index.html").as_uri()):
            assert opened.page.locator(".trouble").count() == 0, view
        assert opened.wrong == []


# What axe finds in the view that is shown; the others would only cost time.
FAULTS = """async () => {
  const hidden = [...document.querySelectorAll(".view")].filter((one) => !one.checkVisibility());
  const places = hidden.map((one) => document.createComment(""));
  hidden.forEach((one, i) => one.replaceWith(places[i]));
  // Style sheets cannot be read from disk: axe would wait for them.
  const { violations } = await axe.run({ resultTypes: ["violations"], preload: false });
  places.forEach((place, i) => place.replaceWith(hidden[i]));
  return violations.flatMap(({ id, nodes }) => nodes.map(({ target, html, any }) =>
    `${id}: ${target.join(" ")}: ${html.slice(0, 160)}: ${any.map((one) => one.message).join()}`));
}"""


@pytest.mark.parametrize(
    ("site", "size", "colours"),
    [
        ("own", DESKTOP, "light"),
        ("own", DESKTOP, "dark"),
        ("own", PHONE, "light"),
        ("own", PHONE, "dark"),
        ("other", DESKTOP, "light"),
        ("hostile", PHONE, "dark"),
    ],
    indirect=["site"],
)
def test_assistive_technology_finds_no_fault_in_any_view(
    browser: Any, site: str, size: dict[str, int], colours: str
) -> None:
    found = {}
    with Page(browser, color_scheme=colours) as opened:
        opened.page.set_viewport_size(size)
        for view in walk(opened.page, site):
            if not found:
                opened.page.evaluate(axe.AXE_SCRIPT)
            found[view] = opened.page.evaluate(FAULTS)
    assert {view: said for view, said in found.items() if said} == {}


def test_an_address_restores_what_all_controls_of_a_view_show(browser: Any, site: str) -> None:
    with Page(browser) as opened:
        page = opened.page
        for view in walk(page, site):
            done: list[str] = []
            before = page.url
            while (key := page.evaluate(CHANGE, done)) is not None:
                done.append(key)
                for _ in range(40):  # some wait until the reader has done
                    entered(page, view)
                    if page.url != before:
                        break
                    page.wait_for_timeout(50)
                assert page.url != before, f"{view}: {key} is not in the address"
                before = page.url
            if done:
                shown = page.evaluate(SHOWN)
                again = opened.context.new_page()
                again.goto(page.url)
                entered(again, view)
                assert again.evaluate(SHOWN) == shown, f"{view}: {done}, {page.url}"
                assert again.url == page.url
                again.close()
        assert opened.wrong == []


@pytest.mark.parametrize("site", ["own", "other"], indirect=True)
def test_the_tab_key_reaches_everything_and_shows_where_it_is(browser: Any, site: str) -> None:
    with Page(browser) as opened:
        page = opened.page
        page.goto(site)
        page.evaluate(FOCUSED)
        for view in walk(page, ""):
            page.evaluate("() => { document.activeElement.blur(); window.reached.clear(); }")
            missed = page.evaluate(MISSED)
            # Twice as many: steps begin anywhere, and what scrolls or comes late is a stop more.
            allowed = 2 * len(missed)
            while missed and allowed > 0:
                for _ in missed:
                    page.keyboard.press("Tab")
                allowed -= len(missed)
                missed = page.evaluate(MISSED)
            assert missed == [], view
            assert page.evaluate("window.unseen") == [], view


def test_hostile_names_run_nothing_without_the_policy(
    browser: Any, folders: dict[str, Path], tmp_path: Path
) -> None:
    bare = shutil.copytree(folders["hostile"], tmp_path / "bare")
    index = (bare / "index.html").read_text()
    policy = index[index.index('<meta http-equiv="Content-Security-Policy"') :].split("\n")[0]
    (bare / "index.html").write_text(index.replace(policy, ""))
    words = ""

    with Page(browser) as opened:
        page = opened.page
        for view in walk(page, (bare / "index.html").as_uri()):
            done: list[str] = []
            while (key := page.evaluate(CHANGE, done)) is not None:
                done.append(key)
                entered(page, view)
                words += page.evaluate("document.body.textContent")
            page.hover("h1 >> visible=true")
            made = "main img, main script, main iframe, [onerror], [onload], a[href^=javascript i]"
            assert page.locator(made).count() == 0, view
            assert opened.wrong == [], view
        page.keyboard.press("/")
        page.keyboard.type("<")
        page.wait_for_selector("#search-found [role=option]")
        words += page.inner_text("#search-found")
        assert opened.wrong == []

    assert [name for name in HOSTILE if name not in words] == []


@pytest.mark.parametrize("site", ["own", "other"], indirect=True)
def test_without_scripts_overview_and_matrix_can_be_read(browser: Any, site: str) -> None:
    with Page(browser, java_script_enabled=False) as opened:
        opened.page.goto(site)

        hidden = [
            one.get_attribute("data-view")
            for one in opened.page.locator(".view").all()
            if not one.is_visible()
        ]
        assert hidden == []
        for view in ("overview", "matrix"):
            for section in opened.page.locator(f".view[data-view={view}]").all():
                assert len(section.locator("td >> visible=true").all_inner_texts()) > 5


WIDER = """(width) => {
  const clipped = (one) => one
    && (getComputedStyle(one).overflowX !== "visible" || clipped(one.parentElement));
  return [...document.querySelectorAll("body *:not(svg *)")].filter((one) => one.checkVisibility()
    && one.getBoundingClientRect().right > width + 1 && !clipped(one.parentElement))
    .map((one) => one.outerHTML.slice(0, 120));
}"""


# Words of a plot that its edge cuts.
CUT = """() => [...document.querySelectorAll(".drawn .plot .annotation-text")].filter((one) => {
  const boxes = [one, one.closest(".main-svg")].map((each) => each.getBoundingClientRect());
  const [its, plot] = boxes;
  return its.width && (its.left < plot.left || its.right > plot.right);
}).map((one) => one.textContent)"""


def test_no_view_is_wider_than_the_paper(browser: Any, site: str) -> None:
    with Page(browser, color_scheme="dark") as opened:
        page = opened.page
        for view in walk(page, site):
            page.emulate_media(media="print")
            page.evaluate("dispatchEvent(new Event('beforeprint'))")
            # The window stays as it is: a plot learns of the paper by the event alone.
            assert page.evaluate(CUT) == [], view
            page.set_viewport_size(LETTER)

            assert page.evaluate(WIDER, LETTER["width"]) == [], view
            assert page.evaluate("document.documentElement.scrollWidth") <= LETTER["width"], view

            page.evaluate("dispatchEvent(new Event('afterprint'))")
            page.emulate_media(media="screen")
            page.set_viewport_size(DESKTOP)
