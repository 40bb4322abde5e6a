import re

import pytest

from convbench.report.scripts import ASSETS

CSS = (ASSETS / "style.css").read_text()
PALETTE = CSS.split(":root {")[1].split("}")[0]
PAIRS = re.findall(r"--([\w-]+): light-dark\((#[0-9a-f]{3,6}), (#[0-9a-f]{3,6})\);", PALETTE)
THEMES = {
    "light": {name: light for name, light, _ in PAIRS},
    "dark": {name: dark for name, _, dark in PAIRS},
}
SHADES = range(11)
DARK_INK = "#1a1206"


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    channels = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Contrast ratio of WCAG 2: 4.5 is enough for small text."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("shade", SHADES)
def test_words_on_every_shade_can_be_read(theme: str, shade: int) -> None:
    ink = DARK_INK if shade < 5 else THEMES[theme]["on-s5"] if shade == 5 else "#fff"

    assert contrast(THEMES[theme][f"s{shade}"], ink) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("name", ["ink", "muted", "link", "worse", "better", "failed"])
@pytest.mark.parametrize("ground", ["page", "box", "soft"])
def test_text_can_be_read_on_every_ground(theme: str, name: str, ground: str) -> None:
    assert contrast(THEMES[theme][name], THEMES[theme][ground]) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
def test_slower_is_always_darker(theme: str) -> None:
    shades = [luminance(THEMES[theme][f"s{shade}"]) for shade in SHADES]

    assert shades == sorted(shades, reverse=True)


def test_every_colour_of_the_palette_is_said_once_for_light_and_for_dark() -> None:
    names = [name for name, _, _ in PAIRS]

    assert names == re.findall(r"--([\w-]+):", PALETTE)
    assert len(names) == len(set(names)) >= 30
    assert not set(names) & set(re.findall(r"[{;] ?--([\w-]+):", CSS.replace(PALETTE, "")))


def test_styles_load_nothing() -> None:
    assert "url(" not in CSS
    assert "@import" not in CSS
