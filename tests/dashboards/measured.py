"""Both sites of one project, made and looked at side by side: everything the goals are about."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import pandas as pd
from asv_pages import fetch_libraries, lay_beside
from generating import Cost, NewCommit, add_commit, collect, detect, publish, report
from page_load import Conditions, Load, Visit
from pages import (
    ASV_LINK,
    CHANGES,
    DRAWN,
    GRID,
    HISTORY_LINK,
    LIST,
    MATRIX,
    OVERVIEW,
    PICTURE,
    REGRESSIONS,
    Page,
    asv_benchmark,
    history,
)
from static_server import Server, served
from synthetic_project import Size, Step, write_project

MEASURE = "bench_03.Group3.time_case_003"
HISTORY = ("benchmark", "params", "environment")
NEAR = 2  # commits by which a change may be told too early or too late
MOST_OF_A_STEP = 0.95
IDLE = 3000  # milliseconds in which a page that was read fetches what may be needed next
FIND = """
async ([words]) => {
  const input = document.querySelector("input[data-filter=newest]");
  const rows = "#newest tbody tr, #newest-found tbody tr";
  const isSeen = (row) => row.getClientRects().length > 0;
  const shown = () => [...document.querySelectorAll(rows)].filter(isSeen);
  const textOf = (row) => `${row.closest(".group")?.textContent}${row.textContent}`;
  const isOf = (word) => (row) => textOf(row).includes(word);
  const isDone = (word) => shown().length > 0 && shown().every(isOf(word));
  const frame = () => new Promise(requestAnimationFrame);
  const times = [];
  for (const word of words) {
    const start = performance.now();
    input.value = word;
    input.dispatchEvent(new Event("input", { bubbles: true }));
    do await frame(); while (!isDone(word) && performance.now() - start < 10000);
    times.push(performance.now() - start);
  }
  return times;
}
"""


@dataclass(frozen=True)
class Sites:
    """A project with both sites, what they cost, and the steps that were put in."""

    folder: Path
    size: Size
    steps: list[Step]
    asv: Path
    ours: Path
    costs: Mapping[str, Cost]


def make_sites(folder: Path, size: Size, libraries: Path) -> Sites:
    """Write a project, and both sites of it."""
    modules = fetch_libraries(libraries)
    project = folder / "project"
    steps = write_project(project, size)
    costs = {"publish": publish(project), "collect": collect(project)}
    costs |= {"detect": detect(project), "report": report(project)}
    beside = lay_beside(project / "html", modules, folder / "asv")
    return Sites(project, size, steps, beside, project / "site", costs)


def new_commit(sites: Sites) -> NewCommit:
    """Add one commit; after this the sites are of different results."""
    return add_commit(sites.folder, sites.size)


@dataclass(frozen=True)
class Looked:
    """Loads of each page by its name, and the times of clicks and of the search."""

    loads: Mapping[str, list[Load]]
    clicks: Mapping[str, list[float]]
    find: list[float]

    def middle(self, page: str, what: Callable[[Load], float]) -> float:
        return median(what(load) for load in self.loads[page])


def look(browser: Any, sites: Sites, loads: int) -> Looked:
    """Load all pages of both sites by turns, in fresh contexts."""
    with served(sites.asv) as asv, served(sites.ours) as ours:
        slow, throttled = Conditions(slow_link=True), Conditions(cpu_throttle=4)
        asked: dict[str, tuple[Server, Page, Conditions]] = {
            "asv grid": (asv, GRID, Conditions()),
            "overview": (ours, OVERVIEW, Conditions()),
            "asv list": (asv, LIST, Conditions()),
            "changes": (ours, CHANGES, Conditions()),
            "asv regressions": (asv, REGRESSIONS, Conditions()),
            "history": (ours, history(MEASURE), Conditions()),
            "asv benchmark": (asv, asv_benchmark(MEASURE), Conditions()),
            "overview, slow link": (ours, OVERVIEW, slow),
            "asv regressions, slow link": (asv, REGRESSIONS, slow),
            "history, slow link": (ours, history(MEASURE), slow),
            "asv benchmark, slow link": (asv, asv_benchmark(MEASURE), slow),
            "overview, CPU ÷ 4": (ours, OVERVIEW, throttled),
        }
        if 'data-view="matrix"' in (sites.ours / "index.html").read_text():
            asked["matrix"] = (ours, MATRIX, Conditions())
        found: dict[str, list[Load]] = {name: [] for name in asked}
        clicks: dict[str, list[float]] = {"asv": [], "picture": [], "drawn": []}
        find: list[float] = []
        for _ in range(loads):
            for name, (server, page, conditions) in asked.items():
                with Visit(browser, server, conditions) as visit:
                    found[name].append(visit.load(page.path, page.content))
            clicks["asv"].append(_asv_click(browser, asv))
            # Of one visit: without a sketch both are the moment at which Plotly has drawn.
            picture, drawn = _own_click(browser, ours)
            clicks["picture"].append(picture)
            clicks["drawn"].append(drawn)
            with Visit(browser, ours, Conditions()) as visit:
                visit.load(OVERVIEW.path, OVERVIEW.content)
                # The first search loads the rows that do not stand in the document.
                find += visit.page.evaluate(FIND, [["case_00", "case_01", "case_0"]])[1:]
    return Looked(found, clicks, find)


def _asv_click(browser: Any, server: Server) -> float:
    with Visit(browser, server, Conditions()) as visit:
        visit.load(LIST.path, LIST.content)
        visit.page.wait_for_timeout(IDLE)
        (passed,) = visit.click(ASV_LINK, asv_benchmark("").content)
        return passed


def _own_click(browser: Any, server: Server) -> list[float]:
    with Visit(browser, server, Conditions()) as visit:
        visit.load(OVERVIEW.path, OVERVIEW.content)
        visit.page.wait_for_timeout(IDLE)
        return visit.click(HISTORY_LINK, PICTURE, DRAWN)


def rows_of_step(sites: Sites) -> tuple[int, int]:
    """How many rows say that everything became slower: events of ours, regressions of asv's.

    Of ours as many, largest first, as it takes to tell of `MOST_OF_A_STEP`; one more than there
    are where they do not.
    """
    (step,) = (one for one in sites.steps if len(one.benchmarks) == sites.size.benchmarks)
    at = _numbers(sites)
    changes = pd.read_parquet(sites.folder / "store" / "changes.parquet")
    own = changes[[_is_of(step, at[commit]) for commit in changes["commit"]]]
    told_by_events = own["event"].value_counts().cumsum()
    events = int((told_by_events < MOST_OF_A_STEP * sites.size.histories).sum()) + 1
    told = json.loads((sites.folder / "html" / "regressions.json").read_text())["regressions"]
    return events, len(told)


@dataclass(frozen=True)
class FoundSteps:
    """Steps of histories that were put in, those found, all that is told, and what of it is true.

    A step that is told twice is found once.
    """

    wanted: int
    found: int
    told: int
    true: int


def found_steps(sites: Sites) -> FoundSteps:
    """Set what `detect` tells against the steps: the same history, direction and commit."""
    at = _numbers(sites)
    changes = pd.read_parquet(sites.folder / "store" / "changes.parquet")
    numbers = changes["benchmark"].str.extract(r"(\d+)$")[0].astype(int)
    columns = (numbers, *(changes[name] for name in ("commit", "ratio", *HISTORY)))
    hits = [
        (which, *history)
        for number, commit, ratio, *history in zip(*columns, strict=True)
        for which, step in enumerate(sites.steps)
        if _is_of(step, at[commit])
        and number in step.benchmarks
        and (ratio > 1) == (step.ratio > 1)
    ]
    each = sites.size.params * sites.size.environments
    wanted = sum(len(step.benchmarks) for step in sites.steps) * each
    return FoundSteps(wanted, len(set(hits)), len(changes), len(hits))


def _is_of(step: Step, commit: int) -> bool:
    return abs(step.commit - commit) <= NEAR


def _numbers(sites: Sites) -> Mapping[str, int]:
    """The commits by their hash, counted from the oldest."""
    store = pd.read_parquet(sites.folder / "store" / "commits.parquet")
    return {str(one): at for at, one in enumerate(store.sort_values("position")["commit"])}


def weight(folder: Path, *, bundle: bool = False) -> int:
    """Bytes of a site, without Plotly unless `bundle`."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return sum(path.stat().st_size for path in files if bundle or path.name != "plotly.min.js")
