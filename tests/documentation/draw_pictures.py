"""Draws the pictures of docs/pages.md and docs/tour.md: views of made-up sites, light and small.

`make docs-pictures` runs it after a change of the pages; a test says when that is due.
"""

import base64
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from made_up_site import made_up_store, tour_store

from convbench.report.site import write_site

sys.path.insert(0, str(Path(__file__).parents[1] / "report"))
from chromium import CHROMIUM, FLAGS
from every_view import addresses, entered
from sample_store import commit_name

PICTURES = Path(__file__).parents[2] / "docs/pictures"
SIZE = {"width": 960, "height": 800}
# What of a view says most, by a link of its own.
CHOSEN = {
    "history": "#/history?measure=time_run&strategy=im2col&problem=question&dtype=float32",
    "event": "#/event?id=00000000e7",
    "compare": f"#/compare?base={commit_name(12)[:8]}&head={commit_name(23)[:8]}",
    "roofline": "#/roofline?by=problem&problem=vgg16_conv3_2",
}
TOUR = {"overview": "#/overview", "event": "#/event?id=1302e0b154", "history": "#/history"}


def pictures(browser: Any, folder: Path) -> Iterator[tuple[str, bytes]]:
    """Give every picture as WebP, with its path below docs/pictures."""
    views, tour = made_up_store().measurements(), tour_store().measurements(project="words")
    sites = {
        "views": write_site(views, folder / "views", title="made-up results"),
        "tour": write_site(tour, folder / "tour"),
    }
    for name, site in sites.items():
        page = browser.new_page(viewport=SIZE, color_scheme="light", reduced_motion="reduce")
        page.goto(site.as_uri())
        entered(page, "overview")
        shown = TOUR if name == "tour" else dict(addresses(page)) | CHOSEN
        for view, hash_ in shown.items():
            yield f"{name}/{view}.webp", photograph(page, view, hash_)
        page.close()


def photograph(page: Any, view: str, hash_: str) -> bytes:
    """Open a view and take its picture."""
    page.evaluate("hash => { location.hash = hash; }", hash_)
    entered(page, view)
    page.wait_for_load_state("networkidle")
    page.evaluate("scrollTo(0, 0)")
    page.wait_for_timeout(300)  # what a plot draws after it is shown
    session = page.context.new_cdp_session(page)
    taken = session.send("Page.captureScreenshot", {"format": "webp", "quality": 60})
    return base64.b64decode(taken["data"])


def main() -> None:
    """Draw all pictures anew."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        for path, picture in pictures(browser, Path(folder)):
            (PICTURES / path).parent.mkdir(parents=True, exist_ok=True)
            (PICTURES / path).write_bytes(picture)
            print(f"docs/pictures/{path}: {len(picture) / 1000:.0f} kB")
        browser.close()


if __name__ == "__main__":
    main()
