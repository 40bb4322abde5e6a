"""A small asv project, measured by `asv run` under three names of machines, each with its own HOME.

Its clock counts the steps that a workload really makes, at the speed of the machine: a file in
HOME, outside of the repository. So what changed is known, and the load of this machine is no noise.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

PACKAGE = '''
"""Workloads that count their steps."""

RELEASE = {release}
steps = 0


def work(count):
    global steps
    for _ in range(count):
        steps += 1


def sorting(size):
    work({sorting} * size)


def parsing(size):
    work(8 * size)


def drawing(size):
    work(9 * size)
'''

SUITE = """
import random
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import toy

SECONDS_PER_STEP = float((Path.home() / "seconds-per-step").read_text())
NOISE = random.Random(f"{Path.home().name} {toy.RELEASE}").gauss(1, 0.004)


def clock():
    return toy.steps * SECONDS_PER_STEP * NOISE


class Timed:
    timer = staticmethod(clock)
    number, repeat, rounds, warmup_time = 1, 2, 1, 0
    params = ([100, 1000],)
    param_names = ["size"]


class Sorting(Timed):
    def time_run(self, size):
        toy.sorting(size)


class Parsing(Timed):
    def time_run(self, size):
        toy.parsing(size)


class Drawing(Timed):
    def time_run(self, size):
        toy.drawing(size)
"""

COMMITS = 12
CODE_CHANGED_AT, MACHINE_CHANGED_AT = 8, 4
SPEEDS = {"lab-1": 1.0e-6, "lab-2": 0.7e-6, "lab-3": 1.3e-6}
SLOWER = "lab-3"
"""The machine that becomes half as fast again on everything."""


@dataclass(frozen=True)
class Machine:
    """One machine: its name, its HOME, its clone of the project."""

    name: str
    home: Path
    clone: Path

    def call(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a Python program of the environment on it, in its clone."""
        answer = subprocess.run(
            [sys.executable, "-m", *words],
            cwd=self.clone,
            env=_environment(self.home),
            capture_output=True,
            text=True,
        )
        assert not check or answer.returncode == 0, f"{words}: {answer.stdout}{answer.stderr}"
        return answer

    def measure(self, commits: list[tuple[int, str]]) -> None:
        """Run asv on these commits."""
        for number, commit in commits:
            slower = 1.5 if self.name == SLOWER and number >= MACHINE_CHANGED_AT else 1.0
            speed = SPEEDS[self.name] * slower
            (self.home / "seconds-per-step").write_text(repr(speed))
            git(self.clone, "checkout", "--quiet", commit)
            self.call(
                *("asv", "run", "--environment", "existing:same", "--set-commit-hash", commit),
                *("--machine", self.name, "--launch-method", "forkserver"),
            )


def _environment(home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name != "XDG_CACHE_HOME"}
    return kept | {"HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1"}


def git(folder: Path, *words: str) -> str:
    somebody = ["-c", "user.name=somebody", "-c", "user.email=somebody@example.org"]
    command = ["git", "-C", str(folder), *somebody, *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def write_project(folder: Path) -> list[tuple[int, str]]:
    """Write the project's repository; return its commits, the oldest first."""
    (folder / "benchmarks").mkdir(parents=True)
    (folder / "benchmarks/__init__.py").touch()
    (folder / "benchmarks/work.py").write_text(SUITE)
    config = {"version": 1, "project": "toy", "repo": ".", "branches": ["main"]}
    config |= {"environment_type": "existing", "results_dir": "results", "html_dir": "html"}
    (folder / "asv.conf.json").write_text(json.dumps(config))
    (folder / ".gitignore").write_text("/results/\n/html/\n/pulled/\n__pycache__/\n")
    git(folder, "init", "--quiet", "--initial-branch=main")
    for number in range(COMMITS):
        sorting = 7 if number < CODE_CHANGED_AT else 14
        (folder / "toy.py").write_text(PACKAGE.format(release=number, sorting=sorting))
        git(folder, "add", "--all")
        os.environ["GIT_COMMITTER_DATE"] = date = f"{1_750_000_000 + 86_400 * number} +0000"
        git(folder, "commit", "--quiet", "--message", f"Release {number}", f"--date={date}")
    del os.environ["GIT_COMMITTER_DATE"]
    return list(enumerate(git(folder, "rev-list", "--reverse", "main").split()))


def make_machines(project: Path, folder: Path, names: Iterable[str] = SPEEDS) -> list[Machine]:
    """Give every machine a HOME and a clone."""
    machines = []
    for name in names:
        home = folder / name
        home.mkdir(parents=True)
        git(folder, "clone", "--quiet", str(project), str(home / "toy"))
        machine = Machine(name, home, home / "toy")
        machine.call("asv", "machine", "--machine", name, "--yes")
        machines.append(machine)
    return machines


def on_all(machines: list[Machine], do: Callable[[Machine], None]) -> None:
    """Do something on all machines at once."""
    with ThreadPoolExecutor(len(machines)) as pool:
        for outcome in [pool.submit(do, machine) for machine in machines]:
            outcome.result()
