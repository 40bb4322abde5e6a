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
def page(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    site = write_site(convolution_store(2).measurements(), tmp_path_factory.mktemp("site"))
    page = browser.new_page()
    page.goto(site.as_uri())
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
