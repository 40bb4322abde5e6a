"""The scripts of the site: one file of what every view needs, and one for each view.

Their sources are small modules, each with one task. A browser that asks for each of them waits for
the network time and again, so the site has them put together.
"""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

ASSETS = Path(__file__).parent / "assets"

MODULES: Mapping[str, tuple[str, ...]] = {
    "app": ("app", "readable", "plot", "overview", "table_csv", "search"),
    "changes": ("changes",),
    "event": ("event",),
    "history": (
        *("sketch", "packed", "history_data", "history_axes", "history_plot", "history_words"),
        *("history_point", "history_samples", "history_brush", "history_asked", "history_view"),
    ),
    "matrix": ("matrix",),
    "compare": ("packed", "compare_cells", "compare"),
    "why": ("why",),
    "blas": ("blas",),
    "machines": ("machines",),
    "coverage": ("coverage",),
}
"""Modules of each script of the site, in the order in which they run.

``app`` runs once the document is read; the others are named by the address of their view, and run
when it is entered first.
"""

DATA: Mapping[str, tuple[str, ...]] = {"history": ("meta",), "compare": ("meta",)}
"""Data that a view needs whatever is chosen."""


def script_files() -> dict[str, str]:
    """Make the scripts, by their path in the site."""
    return {
        f"assets/{name}.js": "\n".join(
            (ASSETS / f"{module}.js").read_text("utf-8") for module in modules
        )
        for name, modules in MODULES.items()
    }


@dataclass(frozen=True, slots=True)
class Early:
    """The script that stands in the document and runs before the first paint.

    `source` is what the document's policy allows it by: the hash of exactly this text.
    """

    text: Markup
    source: str


def early_script() -> Early:
    """Read the script that stands in the document."""
    text = (ASSETS / "early.js").read_text("utf-8")
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return Early(Markup(text), f"sha256-{digest}")  # ours, with no name in it


def needs_of(view: str) -> tuple[str, ...]:
    """List the files that a view needs on its first entry, by their path in the site."""
    own = (f"assets/{view}.js",) if view in MODULES else ()
    return (*own, *(f"data/{name}.js" for name in DATA.get(view, ())))
