"""Both sites of one small project, beside each other: what must hold on any machine, with margin.

The record of a quiet machine, and of larger projects, is in ``docs/dashboards.md``.
"""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from asv_pages import NotReached
from generating import NewCommit
from measured import Looked, Sites, found_steps, look, make_sites, new_commit, rows_of_step, weight
from synthetic_project import Size

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
goals = pytest.importorskip("goals")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.alone,
    pytest.mark.browser,
    pytest.mark.skipif(not Path(goals.CHROMIUM).exists(), reason="no Debian's chromium"),
    pytest.mark.skipif(not shutil.which("npm"), reason="asv's libraries come from npm"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
SMALL = Size(benchmarks=20, params=10, environments=2, commits=30)


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Sites:
    try:
        return make_sites(tmp_path_factory.mktemp("goals"), SMALL, goals.LIBRARIES)
    except NotReached as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="module")
def looked(sites: Sites) -> Iterator[Looked]:
    with sync_api.sync_playwright() as playwright:
        browser: Any = playwright.chromium.launch(executable_path=goals.CHROMIUM, args=goals.FLAGS)
        yield look(browser, sites, 1)
        browser.close()


@pytest.fixture(scope="module")
def added(sites: Sites, request: pytest.FixtureRequest) -> NewCommit:
    request.getfixturevalue("looked")  # first: after this the sites are of different results
    return new_commit(sites)


def test_no_page_has_an_error_or_asks_for_anything_from_elsewhere(looked: Looked) -> None:
    own = {name: loads for name, loads in looked.loads.items() if not name.startswith("asv")}

    assert own
    for name, loads in own.items():
        assert [(load.errors, load.outside) for load in loads] == [((), ())] * len(loads), name


def test_the_overview_is_light(sites: Sites, looked: Looked) -> None:
    (overview,) = looked.loads["overview"]
    (regressions,) = looked.loads["asv regressions"]

    assert overview.nodes <= 4500
    assert overview.bytes < regressions.bytes
    assert weight(sites.ours) <= 1.6 * weight(sites.asv)


def test_pages_are_there_sooner_than_asvs(looked: Looked) -> None:
    # Targets are half and less; this holds on a machine that does other things as well.
    def content(page: str) -> float:
        return looked.middle(page, lambda load: load.content)

    assert content("overview") < content("asv regressions")
    assert content("history, slow link") < content("asv benchmark, slow link")


def test_a_history_is_seen_before_plotly_is_there(looked: Looked) -> None:
    picture, drawn = looked.clicks["picture"], looked.clicks["drawn"]

    assert picture < drawn


def test_a_step_of_everything_is_one_event_and_all_steps_are_found(sites: Sites) -> None:
    events, regressions = rows_of_step(sites)
    steps = found_steps(sites)

    assert events == 1 < regressions
    assert steps.found >= 0.95 * steps.wanted
    assert steps.true >= 0.95 * steps.told


def test_a_new_commit_leaves_what_tells_of_older_ones_as_it_is(added: NewCommit) -> None:
    # Every history has a new value, and so another file; those that hold commits by turns stay.
    commits = [name for name in added.changed if re.fullmatch(r"data/c/\d+\.js", name)]
    same = [name for name in added.changed if name.startswith(("assets/", "plotly"))]

    assert (len(commits), same) == (1, [])


def test_a_new_commit_is_drawn_quickly(added: NewCommit) -> None:
    assert added.collect.cpu + added.report.cpu < 30


def test_generating_costs_no_more_than_asv_publish(sites: Sites) -> None:
    cost = {name: one.cpu for name, one in sites.costs.items()}

    # Starting Python four times counts more here than in a project of some size.
    assert cost["collect"] + cost["report"] < 1.5 * cost["publish"]
