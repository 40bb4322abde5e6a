"""A workflow that is killed leaves a measurement behind; the next one takes its result."""

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import stand_in_project
from pipeline_project import ROOT
from stand_in_project import Project, ended, heard, soon

CONFIG = ("machines=[lab]", "environment_type=rattler", "blas=[openblas]", 'threads=["1"]')


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    project = stand_in_project.make(tmp_path)
    shutil.copytree(ROOT / "workflow", tmp_path / "workflow")
    (tmp_path / "triage.toml").touch()
    yield project
    project.close()


@pytest.mark.parametrize("survives", ["convbench and asv", "asv"])
def test_the_next_workflow_waits_for_what_the_killed_one_left(
    project: Project, survives: str
) -> None:
    config = ("--config", *CONFIG, "paths=[.]", "commits=1", "budget_minutes=1")
    # What is made before a measurement is no matter here.
    (project.root / ".asv/environments").mkdir(parents=True)
    (project.root / ".asv/environments/rattler-lab").touch()
    snakemake = ["snakemake", "--until", "measure", "--quiet", "rules", *config]
    first = project.start(snakemake)
    soon(lambda: project.measuring() == 1)
    first.send_signal(signal.SIGKILL)
    first.wait()
    if survives == "asv":
        kill_measure(project.root)

    assert ended(project.start([*snakemake, "--unlock"]))[0] == 0
    second = project.start(snakemake)
    heard(second.stdout, "waiting for it")
    assert project.measuring() == 1
    project.go()
    code, said = ended(second)

    assert code == 0, said
    assert len(project.runs()) == 1
    assert project.unfinished() == []
    (stamp,) = (project.root / "results/measured").glob("*/*/*/*")
    assert stamp.read_text().strip() == project.runs()[0].name
    assert ("is measured already" in said) == (survives != "asv")


def test_the_profile_for_ci_asks_nobody_to_unlock(project: Project) -> None:
    config = ("--config", *CONFIG, "paths=[.]", "commits=1", "budget_minutes=1")
    (project.root / ".asv/environments").mkdir(parents=True)
    (project.root / ".asv/environments/rattler-lab").touch()
    snakemake = ["snakemake", "--until", "measure", "--quiet", "rules", *config]
    unattended = [*snakemake, "--workflow-profile", "ci"]
    first = project.start(snakemake)  # which locks, as every other profile does
    soon(lambda: project.measuring() == 1)
    first.send_signal(signal.SIGKILL)
    first.wait()
    project.go()

    assert ended(project.start(snakemake))[0] != 0
    code, said = ended(project.start(unattended))

    assert code == 0, said
    assert len(project.runs()) == 1


def kill_measure(root: Path) -> None:
    """Kill `convbench measure` of a project, and not the asv that it has started."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
            here = (folder / "cwd").resolve() == root
        except OSError:
            continue
        if here and b"measure" in words and any(w.endswith(b"convbench") for w in words):
            os.kill(int(folder.name), signal.SIGKILL)
