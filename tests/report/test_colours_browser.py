"""Light and dark in a real browser: as the system, as chosen, on paper, and for Plotly."""

import re
from typing import Any

import pytest
from chromium import NEEDS_BROWSER
from sample_store import convolution_store
from test_style import THEMES

from convbench.report.site import write_site

pytestmark = NEEDS_BROWSER
PAINTED = "getComputedStyle(document.body).backgroundColor"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    site = write_site(convolution_store(2).measurements(), tmp_path_factory.mktemp("site"))
    return site.as_uri()


@pytest.fixture(scope="module")
def page(browser: Any, address: str) -> Any:
    page = browser.new_page()
    page.goto(address)
    return page


def painted(page: Any, system: str, chosen: str, media: str) -> str:
    page.emulate_media(media=media, color_scheme=system)
    page.evaluate("theme => { document.documentElement.dataset.theme = theme; }", chosen)
    channels = re.findall(r"\d+", page.evaluate(PAINTED))
    return "#" + "".join(f"{int(channel):02x}" for channel in channels)


@pytest.mark.parametrize(
    ("system", "chosen", "media", "theme"),
    [
        ("light", "", "screen", "light"),
        ("dark", "", "screen", "dark"),
        ("light", "dark", "screen", "dark"),
        ("dark", "light", "screen", "light"),
        ("dark", "", "print", "light"),
        ("dark", "dark", "print", "light"),
        ("light", "dark", "print", "light"),
    ],
)
def test_a_choice_goes_before_the_system_and_paper_is_light(
    page: Any, system: str, chosen: str, media: str, theme: str
) -> None:
    background = painted(page, system, chosen, media)

    assert background == {"light": "#ffffff", "dark": THEMES["dark"]["page"]}[theme]


@pytest.mark.parametrize("theme", THEMES)
def test_plotly_is_given_the_colours_that_are_shown(page: Any, theme: str) -> None:
    painted(page, "light", theme, "screen")

    given = page.evaluate("names => names.map(CB.plot.colour)", list(THEMES[theme]))

    assert dict(zip(THEMES[theme], given, strict=True)) == {
        name: "#" + "".join(2 * digit for digit in colour[1:]) if len(colour) == 4 else colour
        for name, colour in THEMES[theme].items()
    }


TICKS = ".view[data-view=history] .plot .xtick text"
SHADE = "all => [...new Set(all.map((one) => getComputedStyle(one).fill))]"


@pytest.mark.parametrize("chosen", ["", "dark"])
def test_a_plot_of_a_dark_page_is_light_on_paper_and_dark_after_it(
    browser: Any, address: str, chosen: str
) -> None:
    with browser.new_context(color_scheme="light" if chosen else "dark") as context:
        page = context.new_page()
        page.add_init_script(f"localStorage.setItem('convbench-theme', '{chosen}')")
        page.goto(f"{address}#/history")
        page.wait_for_selector(TICKS)
        on_screen = page.eval_on_selector_all(TICKS, SHADE)
        width = page.eval_on_selector(".plot .main-svg", "svg => svg.clientWidth")

        # What a browser does: there is no time between the event and the picture.
        page.evaluate("async () => { dispatchEvent(new Event('beforeprint')); }")
        on_paper = page.eval_on_selector_all(TICKS, SHADE)
        paper_width = page.eval_on_selector(".plot .main-svg", "svg => svg.clientWidth")
        page.evaluate("async () => { dispatchEvent(new Event('afterprint')); }")
        page.wait_for_selector("#main:not([aria-busy])", state="attached")

        assert on_screen == [rgb(THEMES["dark"]["muted"])]
        assert on_paper == [rgb(THEMES["light"]["muted"])]
        assert page.eval_on_selector_all(TICKS, SHADE) == on_screen
        assert paper_width < page.eval_on_selector(".plot .main-svg", "svg => svg.clientWidth")
        assert page.eval_on_selector(".plot .main-svg", "svg => svg.clientWidth") == width


def rgb(colour: str) -> str:
    return f"rgb({', '.join(str(int(colour[at : at + 2], 16)) for at in (1, 3, 5))})"
