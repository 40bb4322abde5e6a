"""Several processes measure in one folder, as several machines on a shared file system do."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import stand_in_project
from stand_in_project import Project, ended, heard, soon

from convbench import runs


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    project = stand_in_project.make(tmp_path)
    yield project
    project.close()


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
