"""Sites of three real asv collections of other projects: every view has content, and adds up.

A few benchmarks at some commits of each, for speed; the collections lie beside the repository.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from chromium import NEEDS_BROWSER
from test_browser import Watched

from convbench.cli import main

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
DATA = Path(__file__).parents[3] / "shared" / "data"
COLLECTIONS = ("asv-blas-benchmarks", "asv-numpy-bench", "asv-poliastro-v1")
pytestmark = [
    *NEEDS_BROWSER,
    pytest.mark.skipif(not DATA.is_dir(), reason=f"no collections in {DATA}"),
]
MOST_FILES = 24
MOST_BENCHMARKS = 12
NOT_FOR_READERS = re.compile(
    r"\b(?:nan|NaN|None|inf|Infinity|undefined|null|True|False)\b|\[object |\{[{%]|[%}]\}|</?\w+>"
)
TILES = "tiles => tiles.map(tile => Number(tile.querySelector('b').textContent.replace(/,/g, '')))"
EMPTY_TABLES = """tables => tables
    .filter(table => table.checkVisibility() && !table.tBodies[0]?.rows.length)
    .map(table => table.dataset.csv || table.className)"""
OUTCOMES = """rows => rows.map(row =>
    [...row.cells].slice(2, 9).map(cell => parseInt(cell.textContent.replace(/,/g, ""))))"""
LINKS = "links => [...new Set(links.map(link => link.getAttribute('href')))]"


def subset(name: str, folder: Path) -> Path:
    """Copy benchmarks whose parameters have no words that a reader should not see otherwise."""
    results = DATA / name / "results"
    known = json.loads((results / "benchmarks.json").read_text())
    plain = [key for key, one in known.items() if not NOT_FOR_READERS.search(json.dumps(one))]
    kept = set(plain[:: max(len(plain) // MOST_BENCHMARKS, 1)]) | {"version"}
    copied = {key: one for key, one in known.items() if key in kept}
    (folder / "benchmarks.json").write_text(json.dumps(copied))
    for machine in sorted(path for path in results.iterdir() if path.is_dir()):
        (folder / machine.name).mkdir()
        (folder / machine.name / "machine.json").write_bytes(
            (machine / "machine.json").read_bytes()
        )
        files = sorted(path for path in machine.glob("*.json") if path.name != "machine.json")
        # Of few benchmarks all files: their events are few as well.
        step = len(files) * min(len(kept), MOST_BENCHMARKS) // (MOST_FILES * MOST_BENCHMARKS)
        for path in files[:: max(step, 1)]:
            one = json.loads(path.read_text())
            one["results"] = {key: of for key, of in one["results"].items() if key in kept}
            (folder / machine.name / path.name).write_text(json.dumps(one))
    return folder


@pytest.fixture(scope="module", params=COLLECTIONS)
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    if not (DATA / request.param).is_dir():
        pytest.skip(f"no {request.param} in {DATA}")
    folder = tmp_path_factory.mktemp(request.param)
    (folder / "results").mkdir()
    results = subset(request.param, folder / "results")
    store, output = str(folder / "store"), str(folder / "site")
    assert main(["collect", str(results), "--store", store, "--project", request.param]) == 0
    assert main(["detect", store]) == 0
    assert main(["report", store, "--output", output]) == 0
    return (folder / "site" / "index.html").as_uri()


@pytest.fixture
def watched(browser: Any, site: str) -> Iterator[Watched]:
    page = Watched(browser, "light")
    page.open(f"{site}#/overview", "overview")
    yield page
    assert (page.errors, page.outside) == ([], [])
    page.page.close()


def views_of(page: Any) -> list[str]:
    """Give the views in the navigation: nothing of strategies, which these projects have not."""
    views = page.eval_on_selector_all("nav a", "links => links.map(link => link.hash.slice(2))")
    assert {"overview", "history", "compare", "machines", "about"} <= set(views)
    assert not {"matrix", "roofline", "blas", "why"} & set(views)
    return [str(view) for view in views]


def test_every_view_has_content_for_readers(watched: Watched, site: str) -> None:
    page = watched.page
    views = views_of(page)
    event = page.locator("#events tbody tr").first
    if event.count():
        views.append(f"event?id={event.get_attribute('data-event')}")
    for view in views:
        watched.open(f"{site}#/{view}", view.split("?")[0])
        page.wait_for_load_state("networkidle")
        section = page.locator(f".view[data-view={view.split('?')[0]}]")
        if view.startswith("event?"):
            sync_api.expect(page.locator("#event-all")).to_be_visible()  # its data are there
        text = section.inner_text()
        assert len(section.locator("h1 >> visible=true").first.inner_text()) > 3, view
        assert len(text) > 300, view
        assert NOT_FOR_READERS.findall(text) == [], view
        assert section.locator("table").evaluate_all(EMPTY_TABLES) == [], view
        assert not section.locator(".trouble").count(), view


def test_every_link_within_leads_somewhere(watched: Watched) -> None:
    page = watched.page
    known = set(page.eval_on_selector_all(".view", "all => all.map(one => one.dataset.view)"))
    also = page.eval_on_selector_all("[data-also]", "all => all.map(one => one.dataset.also)")
    links = page.eval_on_selector_all("a[href^='#']", LINKS)

    led = {link.removeprefix("#/").split("?")[0] for link in links if link != "#main"}
    assert led <= known | set(also)
    assert led >= known - {"event"}
    for link in page.eval_on_selector_all("a[href]:not([href^='#'])", LINKS):
        folder = Path(page.evaluate("location.pathname")).parent
        assert (folder / link).is_file(), link


def test_counts_add_up(watched: Watched, site: str) -> None:
    page = watched.page
    total, *parts = page.eval_on_selector_all(".view[data-view=overview] .tile", TILES)
    assert total == sum(parts) > 0
    # Of a line: at its newest commit, stale, failed, skipped, never, retired, and all of them.
    lines = page.eval_on_selector_all(".covered tbody tr", OUTCOMES)
    assert all(everything == sum(outcomes) for *outcomes, everything in lines)
    # What was never measured on a line, or is not any more, is no history.
    assert total == sum(everything - never - retired for *_, never, retired, everything in lines)

    watched.open(f"{site}#/compare", "compare")
    page.wait_for_selector("#compare-counts .tile")
    total, *parts = page.eval_on_selector_all("#compare-counts .tile", TILES)
    assert total == sum(parts) > 0

    if page.locator("#events").count():
        watched.open(f"{site}#/changes?all=1", "changes")
        title = page.locator("#changes-title").inner_text()
        rows = page.locator("#events tbody tr >> visible=true")
        sync_api.expect(rows).to_have_count(sum(map(int, re.findall(r"\d+", title))))
