"""Three machines, really measured by `asv run`, to one site; whose change it was stands on it."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from shared_places import make_place
from three_machines import (
    CODE_CHANGED_AT,
    COMMITS,
    MACHINE_CHANGED_AT,
    SLOWER,
    SPEEDS,
    Machine,
    git,
    make_machines,
    on_all,
    write_project,
)

from convbench.results import load

# One file, hence one worker: the tests share what was measured.
pytestmark = pytest.mark.pipeline

HISTORIES = 3 * 2
"""Benchmarks with each of their parameters, on one machine."""


@pytest.fixture(scope="module")
def team(tmp_path_factory) -> Path:
    """Measured and pushed by all at once, twice; pulled and reported on a fourth machine."""
    folder = tmp_path_factory.mktemp("team")
    commits = write_project(folder / "toy")
    place = make_place("git", None, folder)

    def work(machine: Machine) -> None:
        for part in (commits[: COMMITS // 2], commits[COMMITS // 2 :]):
            machine.measure(part)
            machine.call("convbench.cli", "push", "results", "--place", place)

    on_all(make_machines(folder / "toy", folder), work)
    (fourth,) = make_machines(folder / "toy", folder, names=["fourth"])
    fourth.call("convbench.cli", "pull", "pulled", "--place", place)
    fourth.call("convbench.cli", "pull", "results", "--as-asv", "--place", place)
    fourth.call(*("convbench.cli", "collect", "pulled", "--store", "../store", "--repo", "."))
    told = fourth.call("convbench.cli", "detect", "../store", "--json").stdout
    (fourth.home / "events.json").write_text(told)
    fourth.call("convbench.cli", "report", "../store", "--output", "../site")
    return folder


@pytest.fixture(scope="module")
def fourth(team) -> Machine:
    """The machine that has only pulled."""
    return Machine("fourth", team / "fourth", team / "fourth/toy")


@pytest.fixture(scope="module")
def by_cause(fourth) -> dict[str, dict[str, Any]]:
    """The events, of which there is one of each cause."""
    events = json.loads((fourth.home / "events.json").read_text())["events"]
    found = {event["cause"]: event for event in events}
    assert len(found) == len(events) == 2
    return found


def commit(team: Path, number: int) -> str:
    return git(team / "toy", "rev-list", "--reverse", "main").split()[number]


def test_every_value_of_every_machine_is_in_the_one_store(fourth):
    values = load(fourth.home / "store")

    counts = values.groupby("machine").size().to_dict()
    assert counts == dict.fromkeys(SPEEDS, COMMITS * HISTORIES)
    assert set(values["project"]) == {"toy"}
    assert set(values["status"]) == {"ok"}


def test_slower_code_is_told_as_code(team, by_cause):
    event = by_cause["code"]

    assert event["range_first"] == event["range_last"] == commit(team, CODE_CHANGED_AT)
    assert event["subject"] == "work.Sorting"
    assert (event["machines"], event["changes"]) == (3, 6)
    assert event["ratio"] == pytest.approx(2, rel=0.02)


def test_a_slower_machine_is_told_as_that_machine(team, by_cause):
    event = by_cause["machine"]

    assert event["range_first"] == event["range_last"] == commit(team, MACHINE_CHANGED_AT)
    assert (event["machine"], event["machines"], event["changes"]) == (SLOWER, 1, HISTORIES)
    assert event["evidence"].startswith(f"seen on {SLOWER} only, in {HISTORIES} of all its")
    assert event["ratio"] == pytest.approx(1.5, rel=0.02)


def test_both_stand_on_the_site_with_their_causes(fourth, by_cause):
    page = (fourth.home / "site/index.html").read_text()

    for cause, event in by_cause.items():
        (row,) = re.findall(rf'<tr data-event="{event["event"]}".*?</tr>', page, re.DOTALL)
        assert f'data-cause="{cause}"' in row
        assert f"<b>{cause}</b>" in row
        assert event["range_first"][:8] in row
    for machine in SPEEDS:
        assert f"machine={machine}" in page


def test_asv_publishes_what_was_pulled(fourth):
    fourth.call("asv", "publish")

    shown = {path.name for path in (fourth.clone / "html/graphs").rglob("machine-*")}
    assert shown == {f"machine-{name}" for name in SPEEDS}


def run_new(fourth: Machine, results_dir: str) -> str:
    """Ask asv for what is new beside what lies in a folder."""
    config = json.loads((fourth.clone / "asv.conf.json").read_text())
    config["environment_type"] = "virtualenv"  # asv looks for new commits in such ones only
    config["results_dir"] = results_dir
    (fourth.clone / "ci.json").write_text(json.dumps(config))
    words = ("asv", "run", "NEW", "--config", "ci.json", "--machine", "lab-1")
    return fourth.call(*words, check=False).stdout


def test_asv_run_new_knows_what_the_others_have_measured(team, fourth, monkeypatch):
    fourth.call("asv", "machine", "--machine", "lab-1", "--yes")
    newest = commit(team, -1)
    shutil.copytree(fourth.clone / "results", fourth.clone / "older")
    for path in (fourth.clone / "older").glob(f"*/{newest[:8]}-*.json"):
        path.unlink()
    monkeypatch.setenv("PIP_NO_INDEX", "1")  # what is new is selected, and can't be measured

    assert "No commit hashes selected" in run_new(fourth, "results")
    told = run_new(fourth, "older")
    assert "No commit hashes selected" not in told
    assert "Creating environments" in told
