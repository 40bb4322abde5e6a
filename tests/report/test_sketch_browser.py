"""A history is seen before Plotly is there, where Plotly's plot will stand."""

from typing import Any

import pytest
from chromium import NEEDS_BROWSER
from sample_store import convolution_store

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
