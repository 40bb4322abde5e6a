"""The goals of the dashboards as a table: what is wanted, what is seen, whether it is reached.

    python tests/dashboards/goals.py --loads 5 --markdown goals.md --json goals.json

makes a project of the given size, both sites of it, and loads their pages by turns.
"""

import argparse
import gzip
import json
import platform
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from generating import NewCommit
from measured import Looked, Sites, found_steps, look, make_sites, new_commit, rows_of_step, weight
from page_load import Load
from playwright.sync_api import sync_playwright
from synthetic_project import Size

CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
LIBRARIES = Path(tempfile.gettempdir()) / "convbench-asv-libraries"
"""Where asv's libraries are kept between measurements."""


@dataclass(frozen=True)
class Goal:
    """A row of the table; a goal that this size of project says nothing about is not reached."""

    name: str
    target: str
    seen: str
    reached: bool


def goals_of(sites: Sites, looked: Looked, added: NewCommit) -> list[Goal]:
    """Set everything that was measured against its target."""
    return [*_generation(sites, added), *_speed(looked), *_weight(sites, looked), *_truth(sites)]


def _generation(sites: Sites, added: NewCommit) -> list[Goal]:
    cost = {name: one.cpu for name, one in sites.costs.items()}
    drawn = cost["collect"] + cost["report"]
    whole = drawn + cost["detect"]
    per = 100_000 / sites.size.values
    steps = (added.collect, added.detect, added.report)
    wall = sum(one.wall for one in steps)
    parts = ", ".join(f"{name} {cost[name]:.1f}" for name in ("collect", "detect", "report"))
    detail = f"({parts}, publish {cost['publish']:.1f} CPU s)"
    return [
        Goal(
            "generation against `asv publish`, collect + report",
            "≥ 5× less CPU",
            f"{cost['publish'] / drawn:.1f}× less {detail}",
            cost["publish"] >= 5 * drawn,
        ),
        Goal(
            "the same with `detect`",
            "≥ 5× less CPU",
            f"{cost['publish'] / whole:.1f}× less",
            cost["publish"] >= 5 * whole,
        ),
        Goal(
            "generation per 100,000 values, collect + report",
            "≤ 2 CPU s",
            f"{drawn * per:.1f} CPU s; with detect {whole * per:.1f}",
            drawn * per <= 2,
        ),
        Goal(
            f"{sites.size.histories:,} histories drawn",
            "≤ 60 s (10,000)",
            f"{sites.costs['report'].wall:.0f} s",
            sites.costs["report"].wall <= 60,
        ),
        Goal(
            "one new commit: collect + detect + report",
            "≤ 10 s",
            f"{wall:.0f} s ({' + '.join(f'{one.wall:.1f}' for one in steps)}), "
            f"{len(added.changed)} of {added.files} files changed",
            wall <= 10,
        ),
    ]


def _speed(looked: Looked) -> list[Goal]:
    def middle(page: str, what: Callable[[Load], float]) -> float:
        return looked.middle(page, what)

    def against(
        name: str, page: str, other: str, target: float, what: Callable[[Load], float]
    ) -> Goal:
        own, theirs = middle(page, what), middle(other, what)
        seen = f"{own / theirs:.2f}× ({own:.0f} against {theirs:.0f} ms)"
        return Goal(name, f"≤ {target:g}×", seen, own <= target * theirs)

    click = {name: median(times) for name, times in looked.clicks.items()}
    find = median(looked.find)
    throttled = middle("overview, CPU ÷ 4", _interactive)
    unblocked = {
        page: middle(page, _blocking) for page in ("overview", "matrix") if page in looked.loads
    }
    nodes = {
        page: middle(page, lambda load: load.nodes)
        for page in ("overview", "asv regressions", "asv list")
    }
    local, slow = "history", "history, slow link"
    return [
        against(
            "overview interactive against asv's regressions",
            "overview",
            "asv regressions",
            0.5,
            _interactive,
        ),
        against("the same against asv's list", "overview", "asv list", 0.5, _interactive),
        Goal(
            "nodes of the document",
            "≤ 3,000",
            f"{nodes['overview']:,.0f} (asv's regressions {nodes['asv regressions']:,.0f}, "
            f"list {nodes['asv list']:,.0f})",
            nodes["overview"] <= 3000,
        ),
        Goal(
            "overview interactive, at a quarter of the CPU, search",
            "≤ 1.0 s, ≤ 3 s, ≤ 100 ms",
            f"{middle('overview', _interactive):.0f} ms, {throttled:.0f} ms, {find:.0f} ms",
            middle("overview", _interactive) <= 1000 and throttled <= 3000 and find <= 100,
        ),
        against(
            "a history's picture against asv's benchmark page",
            local,
            "asv benchmark",
            0.8,
            _content,
        ),
        against("the same at 1.6 Mbit/s", slow, "asv benchmark, slow link", 0.6, _content),
        against(
            "overview at 1.6 Mbit/s against asv's regressions",
            "overview, slow link",
            "asv regressions, slow link",
            1.0,
            _content,
        ),
        Goal(
            "warm click to a history's picture against asv's list → plot",
            "≤ 1.2×",
            f"{click['picture'] / click['asv']:.2f}× ({click['picture']:.0f} against "
            f"{click['asv']:.0f} ms; Plotly's plot {click['drawn']:.0f} ms, the first of a visit)",
            click["picture"] <= 1.2 * click["asv"],
        ),
        Goal(
            "blocking time: " + ", ".join(unblocked),
            "≤ 50 ms",
            ", ".join(f"{time:.0f} ms" for time in unblocked.values()),
            max(unblocked.values()) <= 50,
        ),
        Goal(
            "layout shift: overview, history",
            "≤ 0.05",
            f"{middle('overview', _shift):.3f}, {middle(local, _shift):.3f}",
            max(middle("overview", _shift), middle(local, _shift)) <= 0.05,
        ),
    ]


def _weight(sites: Sites, looked: Looked) -> list[Goal]:
    def kilobytes(page: str) -> float:
        return looked.middle(page, lambda load: load.bytes) / 1000

    shown = ("index.html", "assets/style.css")
    first = sum(len(gzip.compress((sites.ours / name).read_bytes(), 6)) for name in shown) / 1000

    own, theirs = weight(sites.ours), weight(sites.asv)
    every = [
        load
        for loads in looked.loads.items()
        if not loads[0].startswith("asv")
        for load in loads[1]
    ]
    errors = sorted({error for load in every for error in load.errors})
    outside = sorted({address for load in every for address in load.outside})
    return [
        Goal(
            "weight with gzip of the first text and picture: document, style",
            "≤ 60 kB",
            f"{first:.0f} kB; with all scripts {kilobytes('overview'):.0f} kB, history "
            f"{kilobytes('history'):.0f} kB before Plotly "
            f"(asv: list {kilobytes('asv list'):.0f}, benchmark {kilobytes('asv benchmark'):.0f})",
            first <= 60,
        ),
        Goal(
            "the site's own files against asv's",
            "≤ 1.2×",
            f"{own / theirs:.2f}× ({own / 1e6:.1f} against {theirs / 1e6:.1f} MB)",
            own <= 1.2 * theirs,
        ),
        Goal("console errors", "0", "; ".join(errors) or "0", not errors),
        Goal("external requests", "0", "; ".join(outside) or "0", not outside),
    ]


def _truth(sites: Sites) -> list[Goal]:
    events, regressions = rows_of_step(sites)
    steps = found_steps(sites)
    return [
        Goal(
            "rows of one step of everything",
            "1",
            f"{events} (asv's regressions: {regressions})",
            events == 1,
        ),
        Goal(
            "steps put in that are found, told ones that were put in",
            "≥ .98, ≥ .99",
            f"{steps.found}/{steps.wanted}, {steps.true}/{steps.told}",
            steps.found >= 0.98 * steps.wanted and steps.true >= 0.99 * steps.told,
        ),
    ]


def _interactive(load: Load) -> float:
    return load.interactive


def _content(load: Load) -> float:
    return load.content


def _blocking(load: Load) -> float:
    return load.blocking


def _shift(load: Load) -> float:
    return load.shift


def markdown(goals: Sequence[Goal]) -> str:
    """Write the table."""
    lines = ["| goal | target | seen | reached |", "|---|---|---|---|"]
    lines += [
        f"| {g.name} | {g.target} | {g.seen} | {'yes' if g.reached else '**no**'} |" for g in goals
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the goals of the dashboards.")
    for name, default in asdict(Size(100, 10, 2, 50)).items():
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--loads", type=int, default=5, help="of each page")
    parser.add_argument("--markdown", type=Path)
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    size = Size(chosen.benchmarks, chosen.params, chosen.environments, chosen.commits)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        sites = make_sites(Path(folder), size, LIBRARIES)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        looked = look(browser, sites, chosen.loads)
        version = browser.version
        browser.close()
        goals = goals_of(sites, looked, new_commit(sites))
    about = f"{size.histories:,} histories, {size.values:,} values, {chosen.loads} loads, "
    about += f"Chromium {version}, {platform.machine()}"
    text = f"{about}\n\n{markdown(goals)}"
    print(text)
    if chosen.markdown:
        chosen.markdown.write_text(text)
    if chosen.json:
        loads = {page: [asdict(load) for load in every] for page, every in looked.loads.items()}
        told = {"about": about, "goals": [asdict(goal) for goal in goals], "loads": loads}
        chosen.json.write_text(json.dumps(told | {"clicks": looked.clicks}, indent=1) + "\n")


if __name__ == "__main__":
    main()
