"""Pictures for the documentation, drawn from series of the bench.

SVG with rounded coordinates and no clock: the same seed and the same installed detectors give the
same bytes. Colours have a middle brightness and text follows the reader's colour scheme, so that
they can be read on white and on black.
"""

import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from convbench.stats.bench.detectors import DETECTORS
from convbench.stats.bench.figures import Cell
from convbench.stats.bench.noise import KINDS, Values, generator
from convbench.stats.bench.protocols import CEILING, WITHIN, evaluate, evaluate_ceiling
from convbench.stats.bench.steps import History, one_step, unchanging
from convbench.stats.bench.wording import percent

WIDTH = 720
LEFT, RIGHT = 118, 12
"""Width of a picture, and of what stands beside the plot, in pixels."""

BAND, GAP = 62, 14
"""Height of one history, and the space to the next."""

POINTS, CV, STEP = 120, 0.02, 0.05

SHOWN = ("ours", "asv", "otava", "pelt-6", "perfherder", "threshold-5")
"""Detectors whose findings are drawn."""

ROW = 15
"""Height of the line that shows what one detector found."""

SIZES = (0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0)
CURVE_SERIES = 200
CURVES = ("ours", "asv", "otava")
CURVE_HEIGHT = 260
"""Of the ceiling: step ÷ noise, histories at each, whose curves, height of the plot."""

COLOURS = {"ours": "#1a7fd4", "asv": "#d4711a", "otava": "#2e9e57", CEILING: "#888888"}

STYLE = """
text{font:12px system-ui,sans-serif;fill:#444}
.small{font-size:10.5px}
.axis{stroke:#999;stroke-width:1;fill:none}
.grid{stroke:#999;stroke-opacity:.3;stroke-width:1}
.point{fill:#6f86a6}
.level{stroke:#d4711a;stroke-width:1.5;fill:none}
.true{stroke:#d4711a;stroke-width:1;stroke-dasharray:3 3}
.found{fill:#1a7fd4}
.wrong{fill:#d43a5e}
@media (prefers-color-scheme:dark){text{fill:#ccc}.point{fill:#8fa8cc}}
"""

Scale = Callable[[float], float]


def draw(seed: int) -> dict[str, str]:
    """Draw every picture: name of the file -> SVG."""
    return {
        "noise.svg": noise(seed),
        "steps.svg": hidden_steps(seed),
        "ceiling.svg": ceiling(seed),
    }


def noise(seed: int) -> str:
    """Draw one history of each kind of noise, none of which has a change."""
    bands = []
    for number, kind in enumerate(KINDS):
        history = unchanging(kind, POINTS, CV, generator(seed, "picture", kind))
        top = GAP + number * (BAND + GAP)
        bands += [_label(kind, top + BAND / 2), *_band(history, top)]
    return _document(GAP + len(KINDS) * (BAND + GAP), bands)


def hidden_steps(seed: int) -> str:
    """Draw histories with one step of 5 % in noise of 2 %, and what each detector finds there."""
    parts: list[str] = []
    top = float(GAP)
    for kind in ("logn", "outlier", "bimodal", "hetero"):
        history = one_step(kind, POINTS, CV, STEP, generator(seed, "step picture", kind))
        parts += [_label(kind, top + BAND / 2), *_band(history, top, levels=True)]
        below = top + BAND + 4
        for number, name in enumerate(SHOWN):
            parts += _findings(name, history, below + number * ROW)
        bottom = below + len(SHOWN) * ROW
        x = _across(history.values.size)(history.changes[0] - 0.5)
        parts.append(_line("true", x, top, x, bottom))
        top = bottom + GAP
    return _document(top, parts)


def ceiling(seed: int) -> str:
    """Draw how often one step is located within ±1, by its size in units of the noise."""
    curves = {
        name: [_share_located(name, size, seed) for size in SIZES]
        for name in (CEILING, *CURVES)
        if name == CEILING or DETECTORS[name].installed
    }
    x_scale = _linear(0, SIZES[-1], LEFT, WIDTH - 120)
    y_scale = _linear(0, 1, CURVE_HEIGHT + GAP, GAP)
    parts = [*_grid(x_scale, y_scale)]
    for name, shares in curves.items():
        spots = [(x_scale(size), y_scale(share)) for size, share in zip(SIZES, shares, strict=True)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in spots)
        dashed = ' stroke-dasharray="5 4"' if name == CEILING else ""
        parts.append(
            f'<polyline points="{path}" fill="none" stroke="{COLOURS[name]}" '
            f'stroke-width="2"{dashed}/>'
        )
    parts += _legend(list(curves), WIDTH - 110)
    return _document(CURVE_HEIGHT + 3 * GAP + 20, parts)


def _share_located(name: str, size: float, seed: int) -> float:
    cell = Cell("curve", "logn", 200, CV, math.expm1(size * CV), CURVE_SERIES)
    if name == CEILING:
        figures = evaluate_ceiling("step", cell, seed)
    else:
        figures = evaluate("step", cell, name, DETECTORS[name].find, seed)
    return next(one.value for one in figures if one.measure == WITHIN[1])


@dataclass(frozen=True, slots=True)
class _Range:
    low: float
    high: float


def _range(values: Values) -> _Range:
    """Choose what of an axis is shown: all values and a little more."""
    low, high = float(values.min()), float(values.max())
    margin = 0.06 * (high - low)
    return _Range(low - margin, high + margin)


def _linear(low: float, high: float, start: float, end: float) -> Scale:
    return lambda value: start + (value - low) / (high - low) * (end - start)


def _across(points: int) -> Scale:
    return _linear(-1, points, LEFT, WIDTH - RIGHT)


def _band(history: History, top: float, *, levels: bool = False) -> Iterator[str]:
    """Draw the values of a history, and its true levels if asked."""
    x_scale = _across(history.values.size)
    shown = _range(history.values)
    y_scale = _linear(shown.low, shown.high, top + BAND, top)
    yield _line("axis", LEFT, top, LEFT, top + BAND)
    for place, value in enumerate(history.values):
        yield f'<circle class="point" cx="{x_scale(place):.1f}" cy="{y_scale(value):.1f}" r="1.8"/>'
    if levels:
        bounds = (0, *history.changes, history.values.size)
        for start, end in itertools.pairwise(bounds):
            y = y_scale(float(np.median(history.values[start:end])))
            yield _line("level", x_scale(start - 0.5), y, x_scale(end - 0.5), y)


def _findings(name: str, history: History, top: float) -> Iterator[str]:
    """Mark what a detector found: a triangle for the true step, within ±2, a cross for others."""
    y = top + ROW / 2
    detector = DETECTORS[name]
    yield f'<text class="small" x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{name}</text>'
    yield _line("grid", LEFT, y, WIDTH - RIGHT, y)
    if not detector.installed:
        yield f'<text class="small" x="{LEFT + 6}" y="{y + 4:.1f}">not installed</text>'
        return
    x_scale = _across(history.values.size)
    for place in detector.find(history.values):
        x = x_scale(place - 0.5)
        near = min(abs(place - change) for change in history.changes) <= 2
        if near:
            yield f'<path class="found" d="M{x - 5:.1f} {y + 5:.1f}h10l-5 -10z"/>'
        else:
            yield (
                f'<path class="wrong" d="M{x - 4:.1f} {y - 2.5:.1f}l1.5 -1.5 2.5 2.5 2.5 -2.5 '
                "1.5 1.5 -2.5 2.5 2.5 2.5 -1.5 1.5 -2.5 -2.5 -2.5 2.5 -1.5 -1.5 2.5 -2.5z"
                '"/>'
            )


def _grid(x_scale: Scale, y_scale: Scale) -> Iterator[str]:
    for share in (0, 0.25, 0.5, 0.75, 1):
        y = y_scale(share)
        yield _line("grid", x_scale(0), y, x_scale(SIZES[-1]), y)
        yield f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{percent(share)}</text>'
    for size in range(int(SIZES[-1]) + 1):
        yield (
            f'<text x="{x_scale(size):.1f}" y="{y_scale(0) + 18:.1f}" text-anchor="middle">'
            f"{size}</text>"
        )
    yield (
        f'<text x="{x_scale(SIZES[-1] / 2):.1f}" y="{y_scale(0) + 36:.1f}" text-anchor="middle">'
        "step ÷ noise</text>"
    )


def _legend(names: Sequence[str], x: float) -> Iterator[str]:
    for number, name in enumerate(names):
        y = GAP + 20 + 20 * number
        dashed = ' stroke-dasharray="5 4"' if name == CEILING else ""
        yield (
            f'<line x1="{x}" y1="{y}" x2="{x + 22}" y2="{y}" stroke="{COLOURS[name]}" '
            f'stroke-width="2"{dashed}/>'
        )
        yield f'<text x="{x + 30}" y="{y + 4}">{name}</text>'


def _label(text: str, y: float) -> str:
    return f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{text}</text>'


def _line(kind: str, x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _document(height: float, parts: Iterable[str]) -> str:
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" '
        f'width="{WIDTH}" height="{height:.0f}">\n<style>{STYLE}</style>\n{body}\n</svg>\n'
    )
