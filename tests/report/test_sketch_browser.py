"""A history is seen before Plotly is there, where Plotly's plot will stand."""

from pathlib import Path
from typing import Any

import pytest
from chromium import NEEDS_BROWSER
from sample_store import BUILDS, convolution_store, strange_store

from convbench.report.site import write_site

pytestmark = NEEDS_BROWSER
CHOSEN = "#/history?strategy=fft&problem=question&dtype=float32&measure=time_run&scale=log"
BELOW = "#history-legend"


@pytest.fixture(scope="module")
def pages(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any]:
    """The same history twice: where Plotly never arrives, and where it has drawn."""
    site = write_site(convolution_store(8).measurements(), tmp_path_factory.mktemp("site") / "s")
    waiting, drawn = (browser.new_page(viewport={"width": 1280, "height": 900}) for _ in "ab")
    waiting.route("**/plotly.min.js", lambda _: None)
    for page in (waiting, drawn):
        page.goto(site.as_uri() + CHOSEN)
    waiting.wait_for_selector("#history-still .sketch >> visible=true")
    drawn.wait_for_selector(".drawn #history-plot .main-svg >> visible=true", timeout=60_000)
    return waiting, drawn


def test_the_sketch_has_the_lines_of_the_plot(pages: tuple[Any, Any]) -> None:
    waiting, drawn = pages

    sketched = waiting.eval_on_selector_all(
        ".sketch path", "(all) => all.map((one) => one.style.stroke).filter(Boolean)"
    )
    # A band has a line without width, of a colour that nobody chose.
    plotted = drawn.eval_on_selector_all(
        "#history-plot .scatterlayer .js-line",
        """(all) => all.filter((one) => parseFloat(one.style.strokeWidth) > 0)
          .map((one) => one.style.stroke)""",
    )
    assert plotted
    assert set(plotted) <= set(sketched)
    words = waiting.inner_text(".chart")
    assert "lower is better" in words


def test_nothing_moves_when_the_plot_takes_its_place(pages: tuple[Any, Any]) -> None:
    waiting, drawn = (page.locator(BELOW).bounding_box() for page in pages)

    assert abs(waiting["y"] - drawn["y"]) <= 1
    still, plot = pages[0].locator(".sketch"), pages[1].locator("#history-plot .main-svg").first
    assert [still.bounding_box()[key] for key in ("y", "height", "width")] == pytest.approx(
        [plot.bounding_box()[key] for key in ("y", "height", "width")], abs=1
    )


# Elements of pictures with a place that is no number.
NOWHERE = """() => [...document.querySelectorAll("svg *")]
  .filter((one) => [...one.attributes].some(({ value }) => /NaN|Infinity|undefined/.test(value)))
  .map((one) => one.outerHTML)"""


@pytest.mark.parametrize("asked", ["", "&scale=log", "&scale=zero", "&values=rate&scale=log"])
def test_an_interval_that_passes_zero_is_drawn_to_the_edge(
    browser: Any, tmp_path: Path, asked: str
) -> None:
    site = write_site(strange_store().measurements(), tmp_path / "site")
    page = browser.new_page()
    page.route("**/plotly.min.js", lambda _: None)
    wrong: list[str] = []
    page.on("console", lambda message: wrong.append(message.text))

    page.goto(site.as_uri() + CHOSEN.removesuffix("&scale=log") + asked)
    page.wait_for_selector("#history-still .sketch >> visible=true")

    curves = page.locator("#history-still .sketch path[style*='fill: none']")
    assert curves.count() == len(BUILDS)
    assert min(one.bounding_box()["width"] for one in curves.all()) > 500
    assert page.evaluate(NOWHERE) == []
    assert wrong == []


def test_a_time_that_may_be_zero_gives_a_rate_without_an_upper_end(pages: tuple[Any, Any]) -> None:
    line = "{ y: [2, 2], low: [-1, 0], high: [4, 4], flops: 8 }"

    rated = pages[0].evaluate(f"() => CB.history.data.valued([{line}], 'rate')[0]")

    assert (rated["y"], rated["low"], rated["high"]) == ([4, 4], [2, 2], [None, None])
