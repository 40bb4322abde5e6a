"""The documentation in a real browser, from disk: quiet, accessible, readable on a phone."""

import base64
from pathlib import Path
from typing import Any

import pytest
from chromium import NEEDS_BROWSER
from documentation_build import Built
from draw_pictures import PICTURES, pictures

axe = pytest.importorskip("axe_playwright_python.base", reason="axe is not installed")
pytestmark = NEEDS_BROWSER

SIZES = {"phone": {"width": 390, "height": 800}, "desktop": {"width": 1280, "height": 900}}
# Each page on a phone in light; in the dark on a desktop those that have all there is.
IN_THE_DARK = ("index", "tour", "pages", "adding", "reference/python", "reference/commands")
VIOLATIONS = """async () => {
  const { violations } = await axe.run(document, { preload: false, resultTypes: ["violations"] });
  return violations.map((one) => `${one.id}: ${one.nodes[0].html.slice(0, 150)}`);
}"""


class Opened:
    """A page that remembers what it asked for beyond the disk, and what it complained of."""

    def __init__(self, browser: Any, size: str, scheme: str = "light") -> None:
        self.wrong: list[str] = []
        context = browser.new_context(viewport=SIZES[size], color_scheme=scheme)
        context.route("http*://**/*", lambda route: route.abort())
        self.page = context.new_page()
        self.page.on("console", self._on_console)
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("request", self._on_request)

    def _on_console(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.wrong.append(message.text)

    def _on_request(self, request: Any) -> None:
        if not request.url.startswith(("file:", "data:")):
            self.wrong.append(f"asked for {request.url}")


def faults(opened: Opened, page: Path) -> list[str]:
    """Open a page and give all that is wrong with it."""
    opened.page.goto(page.as_uri())
    opened.page.evaluate(axe.AXE_SCRIPT)
    found: list[str] = opened.page.evaluate(VIOLATIONS)
    if opened.page.evaluate("document.documentElement.scrollWidth > innerWidth"):
        found.append("the page scrolls sideways")
    return [f"{page.stem}: {fault}" for fault in [*found, *opened.wrong]]


def test_every_page_on_a_phone(browser: Any, built: Built) -> None:
    opened = Opened(browser, "phone")

    assert [fault for page in built.pages for fault in faults(opened, page)] == []


def test_pages_in_the_dark(browser: Any, built: Built) -> None:
    opened = Opened(browser, "desktop", "dark")
    pages = [built.folder / f"{name}.html" for name in IN_THE_DARK]

    assert [fault for page in pages for fault in faults(opened, page)] == []
    dark = opened.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert dark not in ("rgb(255, 255, 255)", "rgba(0, 0, 0, 0)")


def test_the_search_finds_from_disk(browser: Any, built: Built) -> None:
    opened = Opened(browser, "desktop")
    opened.page.goto((built.folder / "index.html").as_uri())
    opened.page.fill(".sidebar-search", "winograd")
    opened.page.press(".sidebar-search", "Enter")
    found = opened.page.locator("#search-results li a")
    found.first.wait_for()

    assert any("strategies.html" in link.get_attribute("href") for link in found.all())
    assert opened.wrong == []


def test_blocks_can_be_copied(browser: Any, built: Built) -> None:
    opened = Opened(browser, "desktop")
    opened.page.goto((built.folder / "tour.html").as_uri())

    blocks = opened.page.locator("div.highlight").count()
    assert opened.page.locator("button.copybtn").count() == blocks
    assert blocks >= 5


# Shares of the picture's brightness by which two drawings of it differ, after smoothing.
DIFFERENCE = """async ([one, other]) => {
  const pixels = async (data) => {
    const image = new Image();
    image.src = `data:image/webp;base64,${data}`;
    await image.decode();
    const canvas = new OffscreenCanvas(96, 80);
    const context = canvas.getContext("2d");
    context.imageSmoothingQuality = "high";
    context.drawImage(image, 0, 0, 96, 80);
    return context.getImageData(0, 0, 96, 80).data;
  };
  const [a, b] = [await pixels(one), await pixels(other)];
  return a.reduce((sum, value, at) => sum + Math.abs(value - b[at]), 0) / a.length / 255;
}"""
# The same browser draws the same bytes; a heading that is renamed makes 0.0005, other fonts more.
MOST_DIFFERENT = 0.004


def test_pictures_show_the_pages_as_they_are(browser: Any, tmp_path: Path) -> None:
    page, stale = browser.new_page(), []
    for path, picture in pictures(browser, tmp_path):
        stored = (PICTURES / path).read_bytes()
        both = [base64.b64encode(one).decode() for one in (stored, picture)]
        if page.evaluate(DIFFERENCE, both) > MOST_DIFFERENT:
            stale.append(path)

    assert stale == [], "the pages look otherwise now: make docs-pictures"
