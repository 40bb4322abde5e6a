"""Several processes measure in one folder, as several machines on a shared file system do."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import pytest

from convbench import runs

SOURCE = Path(__file__).resolve().parents[2] / "src"
CONFIG = {
    "environment_type": "rattler",
    "env_dir": ".asv/env",
    "matrix": {
        "req": {"libblas": [None, "*=*openblas"]},
        "env": {"CONVBENCH_BLAS": ["openblas"]},
        "env_nobuild": {"CONVBENCH_THREADS": ["1"]},
    },
}


@dataclass
class Project:
    """A repository of one commit, where asv's stand-in waits for a word in each call."""

    root: Path
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def calls(self) -> Path:
        return self.root / "calls"

    def measure(self, *words: str) -> subprocess.Popen[str]:
        """Start `convbench measure` in a process of its own."""
        path = f"{self.root / 'stand-in'}{os.pathsep}{SOURCE}"
        environment = os.environ | {"PYTHONPATH": path, "STAND_IN_CALLS": str(self.calls)}
        process = subprocess.Popen(
            [sys.executable, "-m", "convbench.cli", "measure", "HEAD", *words],
            cwd=self.root,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.started.append(process)
        return process

    def measuring(self) -> int:
        """How many calls of asv are measuring now."""
        return len(list(self.calls.glob("measuring*")))

    def go(self) -> None:
        """Let the calls of asv end."""
        (self.calls / "go").touch()

    def runs(self) -> list[Path]:
        """Published runs."""
        return sorted((self.root / "results/runs").glob("[!.]*"))

    def unfinished(self) -> list[str]:
        """Names of unfinished runs, and whatever else is hidden beside them."""
        return sorted(path.name for path in (self.root / "results/runs").glob(".*"))


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    (tmp_path / "calls").mkdir()
    (tmp_path / "stand-in/asv").mkdir(parents=True)
    (tmp_path / "stand-in/asv/__init__.py").touch()
    shutil.copy(Path(__file__).with_name("stand_in_asv.py"), tmp_path / "stand-in/asv/__main__.py")
    (tmp_path / "asv.conf.json").write_text(json.dumps(CONFIG))
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "requirements.lock").touch()
    git = ["git", "-c", "user.name=A", "-c", "user.email=a@example.org"]
    for words in (["init", "-q"], ["add", "asv.conf.json"], ["commit", "-q", "-m", "first"]):
        subprocess.run([*git, *words], cwd=tmp_path, check=True)
    project = Project(tmp_path)
    yield project
    project.go()
    for process in project.started:
        with contextlib.suppress(ValueError):  # its output has been read to the end
            process.communicate(timeout=60)


def soon(condition: Callable[[], bool]) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    """The exit code and all that a process said."""
    said, _ = process.communicate(timeout=60)
    return process.returncode, said


def heard(stream: IO[str] | None, words: str) -> str:
    """Read until a line has these words; give the line."""
    assert stream is not None
    for line in stream:
        if words in line:
            return line
    raise AssertionError(f"nobody said {words!r}")


def test_machines_with_environments_of_their_own_measure_at_the_same_time(
    project: Project,
) -> None:
    names = ("lab", "lab-2", "lab-2-b")
    machines = [project.measure("--machine", name, "--env-dir", f"env/{name}") for name in names]

    soon(lambda: project.measuring() == 3)
    project.go()

    assert [ended(machine)[0] for machine in machines] == [0, 0, 0]
    assert {runs.machine_of(run.name) for run in project.runs()} == set(names)
    assert project.unfinished() == []


def test_environments_in_use_are_refused(project: Project) -> None:
    first = project.measure("--machine", "lab")
    soon(lambda: project.measuring() == 1)

    # Another machine's name makes no difference; the configuration's folder by another path.
    code, said = ended(project.measure("--machine", "other", "--env-dir", "./.asv/../.asv/env"))

    assert code == 2
    assert said.count("\n") == 1
    assert "another measurement is running here" in said
    project.go()
    assert ended(first)[0] == 0


def test_a_measurement_waits_for_another_and_takes_its_result(project: Project) -> None:
    first = project.measure("--machine", "lab", "--stamp", "one")
    soon(lambda: project.measuring() == 1)
    second = project.measure("--machine", "lab", "--wait", "5", "--stamp", "two")

    waiting = heard(second.stdout, "waiting")
    project.go()

    assert "5 minutes at most" in waiting
    assert ended(first)[0] == 0
    code, said = ended(second)
    assert code == 0
    assert "is measured already" in said
    assert len(project.runs()) == 1
    assert (project.root / "one").read_text() == (project.root / "two").read_text()
    assert project.unfinished() == []


def test_waiting_ends(project: Project) -> None:
    first = project.measure("--machine", "lab")
    soon(lambda: project.measuring() == 1)

    code, said = ended(project.measure("--machine", "lab", "--wait", "0.01"))

    assert code == 2
    assert "another measurement is running here" in said.splitlines()[-1]
    project.go()
    assert ended(first)[0] == 0


def test_what_a_killed_process_started_is_waited_for(project: Project) -> None:
    first = project.measure("--machine", "lab")
    soon(lambda: project.measuring() == 1)

    first.send_signal(signal.SIGKILL)
    first.wait()
    second = project.measure("--machine", "lab", "--wait", "5")
    heard(second.stdout, "waiting")
    still_measuring = project.measuring()
    project.go()

    assert still_measuring == 1
    code, said = ended(second)  # the stand-in refuses to measure beside another call
    assert code == 0, said
    assert len(project.runs()) == 1


def test_two_of_one_name_leave_each_others_unfinished_runs_alone(project: Project) -> None:
    first = project.measure("--machine", "lab", "--env-dir", "env/1")
    soon(lambda: project.measuring() == 1)
    (begun,) = [name for name in project.unfinished() if name.startswith(runs.UNFINISHED)]

    again = project.measure("--machine", "lab", "--env-dir", "env/2", "--budget-minutes", "9")
    soon(lambda: project.measuring() == 2)
    project.go()

    assert ended(again)[0] == 0
    assert ended(first)[0] == 0
    assert begun.removeprefix(runs.UNFINISHED) in [run.name for run in project.runs()]
    assert len(project.runs()) == 2
    assert project.unfinished() == []


def test_two_of_one_name_do_not_measure_the_same(project: Project) -> None:
    first = project.measure("--machine", "lab", "--env-dir", "env/1")
    soon(lambda: project.measuring() == 1)

    code, said = ended(project.measure("--machine", "lab", "--env-dir", "env/2"))
    third = project.measure("--machine", "lab", "--env-dir", "env/2", "--wait", "5")
    heard(third.stdout, "the same is being measured already")
    project.go()

    assert (code, said.count("\n")) == (2, 1)
    assert "the same is being measured already" in said
    assert ended(first)[0] == 0
    assert "is measured already" in ended(third)[1]
    assert len(project.runs()) == 1


def test_what_an_interrupted_run_left_is_continued_with_other_environments(
    project: Project,
) -> None:
    """A node is gone: another one of the same kind, under the same name, goes on."""
    project.go()
    first = project.measure("--machine", "lab", "--env-dir", "env/1")
    soon(lambda: len(list(project.calls.glob("call-*"))) == 2)
    first.send_signal(signal.SIGKILL)
    first.wait()
    soon(lambda: project.measuring() == 0)
    if project.runs():
        pytest.skip("the run was faster than the kill")

    code, said = ended(project.measure("--machine", "lab", "--env-dir", "env/2", "--wait", "1"))

    assert code == 0
    assert "continuing" in said
    assert len(project.runs()) == 1
