"""The workflow pulls before it collects, pushes after it has measured, and does without a net."""

import json
import re
import shutil
from pathlib import Path

import pytest
from pipeline_project import call, copy
from shared_runs import write_results, write_run

from convbench.results import load
from convbench.results.collection import say_nothing
from convbench.sharing import open_place, push

MACHINE = "here"


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    """A copy of the project whose newest commit was measured, as far as the workflow can see."""
    root = tmp_path_factory.mktemp("project")
    copy(root)
    git = ("git", "-c", "user.name=A", "-c", "user.email=a@example.org")
    call(root, *git, "init", "-q", "-b", "main")
    call(root, *git, "add", ".")
    call(root, *git, "commit", "-q", "-m", "measured by the tests")
    measured(root)
    return root


def measured(root: Path) -> None:
    """Leave a run, and what the workflow leaves beside it."""
    run = write_run(root / "results/runs", 1, MACHINE)
    commit = call(root, "git", "rev-parse", "HEAD").stdout.strip()
    plan = call(root, "snakemake", "--cores", "1", "--dry-run", *CONFIG).stdout
    (stamp,) = set(re.findall(rf"results/measured/\S*{commit}", plan))
    (root / stamp).parent.mkdir(parents=True, exist_ok=True)
    (root / stamp).write_text(run.name)
    for path in re.findall(r"\.asv/environments\S*\b", plan):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).touch()


CONFIG = ("--config", "commits=1")


def snakemake(root: Path, *words: str, check: bool = True):
    return call(root, "snakemake", "--cores", "2", *CONFIG, *words, check=check)


def jobs(answer) -> set[str]:
    said = answer.stdout + answer.stderr
    return set(re.findall(r"^Finished jobid: \d+ \(Rule: (\w+)\)", said, re.MULTILINE)) - {"all"}


@pytest.fixture
def shared(project, tmp_path) -> tuple[Path, Path]:
    """The project with a new place, as if no site had been made."""
    for path in ("results/store", "results/pushed", "reports/site"):
        target = project / path
        shutil.rmtree(target, ignore_errors=True)
        target.unlink(missing_ok=True)
    for run in (project / "results/runs").iterdir():
        if run.name != f"{MACHINE}-0001" and run.is_dir():
            shutil.rmtree(run)
    place = tmp_path / "place"
    (project / "convbench.toml").write_text(f"[shared]\nplace = {json.dumps(str(place))}\n")
    yield project, place
    (project / "convbench.toml").unlink()


def is_idle(root: Path) -> bool:
    answer = snakemake(root)
    return "Nothing to be done" in answer.stdout + answer.stderr


def machines(root: Path) -> set[str]:
    return set(load(root / "results/store")["machine"])


def test_runs_are_pulled_collected_and_pushed_and_then_there_is_nothing_to_do(shared, tmp_path):
    project, place = shared
    write_run(tmp_path / "others", 2, "elsewhere")
    push([tmp_path / "others"], open_place(str(place)), say=say_nothing)

    first = jobs(snakemake(project))

    assert first == {"collect_results", "detect_changes", "build_report", "push_runs"}
    assert machines(project) == {MACHINE, "elsewhere"}
    names = {name.rpartition("-")[0] for name in open_place(str(place)).names()}
    assert names == {f"{MACHINE}-0001", "elsewhere-0002"}
    assert is_idle(project)
    # Results of `asv run` in CI as well: they are no runs.
    results = write_results(tmp_path / "convbench/results", "ci", {1: 1.0})
    push([results], open_place(str(place)), say=say_nothing)
    assert jobs(snakemake(project)) == {"collect_results", "detect_changes", "build_report"}
    assert machines(project) == {MACHINE, "elsewhere", "ci"}
    assert is_idle(project)


def test_a_place_out_of_reach_loses_nothing_and_the_next_run_pushes(shared):
    project, place = shared
    away = place.parent / "not-mounted/place"
    (project / "convbench.toml").write_text(f"[shared]\nplace = {json.dumps(str(away))}\n")

    answer = snakemake(project, check=False)

    assert answer.returncode == 1  # the site is there, but nobody else has the run
    assert jobs(answer) == {"collect_results", "detect_changes", "build_report"}
    assert (project / "reports/site/index.html").exists()
    assert "going on with the runs that are here" in answer.stdout
    assert "not-mounted is no folder; is it mounted?" in answer.stdout + answer.stderr
    away.parent.mkdir()
    assert jobs(snakemake(project)) == {"push_runs"}
    assert len(open_place(str(away)).names()) == 1


def test_a_dry_run_pulls_nothing(shared, tmp_path):
    project, place = shared
    write_run(tmp_path / "others", 2, "elsewhere")
    push([tmp_path / "others"], open_place(str(place)), say=say_nothing)

    snakemake(project, "--dry-run")

    assert not (project / "results/runs/elsewhere-0002").exists()


def test_without_a_place_nothing_is_shared(shared):
    project, _ = shared
    (project / "convbench.toml").write_text("")

    assert jobs(snakemake(project)) == {"collect_results", "detect_changes", "build_report"}
