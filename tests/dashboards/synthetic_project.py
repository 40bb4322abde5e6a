"""Writes an asv project with a repository and results of many histories, seeded.

Both `asv publish` and `convbench collect` read it. The numbers are invented; steps are put in at
known commits, and `write_project` says which.
"""

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

COLUMNS = [
    *("result", "params", "version", "started_at", "duration", "stats_ci_99_a", "stats_ci_99_b"),
    *("stats_q_25", "stats_q_75", "stats_number", "stats_repeat", "samples", "profile"),
]
MACHINE = "machine-0"
PACKAGES = ("openblas", "mkl")
START, DAY = 1_600_000_000, 86_400
SUBJECTS = (
    "Use a view instead of a copy in the inner loop",
    "Raise the minimum version of the build backend",
    "Fix the sign of zero in the reduction",
    "Documentation: say what the axis means",
    "Vectorise the comparison of strings",
    "Release the lock while reading",
)


@dataclass(frozen=True)
class Size:
    """How large a made-up project is; histories = benchmarks × params × environments."""

    benchmarks: int
    params: int
    environments: int
    commits: int

    @property
    def histories(self) -> int:
        return self.benchmarks * self.params * self.environments

    @property
    def values(self) -> int:
        return self.histories * self.commits


@dataclass(frozen=True)
class Step:
    """A change put in: from this commit on, these benchmarks take `ratio` times as long."""

    commit: int
    benchmarks: range
    ratio: float


def git(folder: Path, *words: str, text: str = "") -> str:
    command = ["git", "-C", str(folder), *words]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout


def write_repository(
    folder: Path, dates: Sequence[int], *, tag_every: int = 10, subjects: Sequence[str] = SUBJECTS
) -> list[str]:
    """A linear history with subjects, dates and tags; returns the hashes, oldest first."""
    folder.mkdir(parents=True)
    git(folder, "init", "--quiet", "--initial-branch=main")
    stream = "".join(
        f"commit refs/heads/main\ncommitter A Person <a@example.org> {date} +0000\n"
        f"data {len(subject)}\n{subject}\nM 644 inline file\ndata {len(str(i))}\n{i}\n"
        for i, date in enumerate(dates)
        for subject in [f"{subjects[i % len(subjects)]} (#{1000 + i})"]
    )
    git(folder, "fast-import", "--quiet", text=stream)
    commits = git(folder, "rev-list", "--reverse", "main").split()
    for number, commit in enumerate(commits[::tag_every]):
        git(folder, "tag", f"v1.{number}.0", commit)
    return commits


def write_config(folder: Path, name: str) -> None:
    config: dict[str, Any] = {"version": 1, "project": name, "repo": "repo", "branches": ["main"]}
    config |= {"environment_type": "virtualenv", "results_dir": "results", "html_dir": "html"}
    config |= {"show_commit_url": "https://example.org/commit/"}
    (folder / "asv.conf.json").write_text(json.dumps(config))


def write_machine(results: Path) -> None:
    (results / MACHINE).mkdir(parents=True)
    facts = {"os": "Linux 6.1", "arch": "x86_64", "cpu": "a cpu", "num_cpu": "8", "ram": "32"}
    facts |= {"machine": MACHINE}
    (results / MACHINE / "machine.json").write_text(json.dumps(facts | {"version": 1}))


def write_file(
    results: Path, commit: str, date: int, packages: dict[str, str], rows: dict[str, list[Any]]
) -> None:
    """One result file: of one commit in one environment."""
    environment = "-".join(["virtualenv-py3.12", *(n + v for n, v in packages.items())])
    top = {"commit_hash": commit, "env_name": environment, "date": date * 1000, "python": "3.12"}
    params = {"machine": MACHINE, "python": "3.12", "arch": "x86_64", "cpu": "a cpu"} | packages
    params |= {"num_cpu": "8", "os": "Linux 6.1", "ram": "32"}
    top |= {"requirements": packages, "params": params, "env_vars": {}, "durations": {}}
    content = top | {"result_columns": COLUMNS, "results": rows, "version": 2}
    path = results / MACHINE / f"{commit[:8]}-{environment}.json"
    path.write_text(json.dumps(content))


def planned_steps(size: Size) -> list[Step]:
    """A tenth of the benchmarks slower at a third; another tenth faster; one step of all."""
    tenth = max(size.benchmarks // 10, 1)
    third = size.commits // 3
    return [
        Step(third, range(tenth), 1.30),
        Step(size.commits // 2, range(tenth, 2 * tenth), 0.70),
        Step(2 * third, range(size.benchmarks), 1.08),
        # Of fewer values at a new level than five no verdict is due yet.
        Step(size.commits - max(size.commits // 8, 5), range(2 * tenth, 3 * tenth), 1.15),
    ]


def write_project(folder: Path, size: Size, *, seed: int = 0) -> list[Step]:
    """A project folder with ``asv.conf.json``, ``repo`` and ``results``."""
    folder.mkdir(parents=True, exist_ok=True)
    write_config(folder, folder.name)
    dates = [START + i * DAY for i in range(size.commits)]
    commits = write_repository(folder / "repo", dates)
    results = folder / "results"
    write_machine(results)
    names = [f"bench_{i % 20:02d}.Group{i % 7}.time_case_{i:03d}" for i in range(size.benchmarks)]
    axes = _axes(size.params)
    _write_benchmarks(results, names, axes)
    generator = np.random.default_rng(seed)
    level = generator.lognormal(-8, 1, (size.environments, size.benchmarks, size.params))
    steps = planned_steps(size)
    for number, commit in enumerate(commits):
        for step in steps:
            if step.commit == number:
                level[:, step.benchmarks] *= step.ratio
        for which in range(size.environments):
            rows = _rows(level[which], names, axes, dates[number], generator)
            build = {"blas": PACKAGES[which % 2] + ("" if which < 2 else str(which))}
            write_file(results, commit, dates[number], build, rows)
    return steps


def append_commit(folder: Path, builds: Sequence[str], generator: np.random.Generator) -> str:
    """Commit once more, with results like those of the commit before; returns the hash."""
    repository = folder / "repo"
    newest = git(repository, "rev-parse", "main").strip()
    date = int(git(repository, "log", "-1", "--format=%ct", newest)) + DAY
    message = "Read less often"
    stream = f"commit refs/heads/main\ncommitter A Person <a@example.org> {date} +0000\n"
    stream += f"data {len(message)}\n{message}\nfrom {newest}\nM 644 inline file\ndata 1\n0\n"
    git(repository, "fast-import", "--quiet", text=stream)
    commit = git(repository, "rev-parse", "main").strip()
    for build in builds:
        (path,) = (folder / "results" / MACHINE).glob(f"{newest[:8]}-*blas{build}.json")
        rows = json.loads(path.read_text())["results"]
        for row in rows.values():
            row[0] = [float(f"{value * generator.normal(1, 0.01):.6g}") for value in row[0]]
        write_file(folder / "results", commit, date, {"blas": build}, rows)
    return commit


def _axes(params: int) -> list[list[str]]:
    """Two parameters where they divide: shapes (strings) and sizes (numbers)."""
    shapes = 4 if params % 4 == 0 and params > 4 else 1
    sizes = [str(16 * 2**i) for i in range(params // shapes)]
    return [[f"'{'abcd'[i]}'" for i in range(shapes)], sizes]


def _write_benchmarks(results: Path, names: Sequence[str], axes: list[list[str]]) -> None:
    about = {"param_names": ["shape", "size"], "params": axes, "type": "time", "unit": "seconds"}
    about |= {"version": "1" * 64, "timeout": 60, "code": "def time_case(): pass"}
    known = {name: {"name": name} | about for name in names}
    (results / "benchmarks.json").write_text(json.dumps(known | {"version": 2}))


def _rows(
    level: np.ndarray,
    names: Sequence[str],
    axes: list[list[str]],
    date: int,
    generator: np.random.Generator,
) -> dict[str, list[Any]]:
    middle = level * generator.lognormal(0, 0.01, level.shape)
    width = middle * generator.lognormal(-4.5, 0.5, level.shape)
    rows: dict[str, list[Any]] = {}
    for i, name in enumerate(names):
        bounds = [
            [float(f"{x:.5g}") for x in middle[i] + sign * width[i]]
            for sign in (-1.0, 1.0, -0.5, 0.5)
        ]
        counts = np.maximum(0.01 / middle[i], 1).astype(int).tolist()
        about = [date * 1000 + i * 1000, 1.2345, *bounds, counts, [10] * len(counts)]
        rows[name] = [[float(f"{x:.6g}") for x in middle[i]], axes, "1" * 64, *about]
    return rows
