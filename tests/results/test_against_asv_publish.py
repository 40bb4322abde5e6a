"""From result files to the data of a site: CPU time beside `asv publish`, on the same files."""

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from synthetic_collection import ROWS, write_collection

COMMITS = 400
"""Of fewer files starting Python and loading compiled code takes more than reading them."""

TIMES_LESS_CPU = 10


def git(folder: Path, *words: str, text: str = "") -> str:
    command = ["git", "-C", str(folder), *words]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout


def write_repository(folder: Path, commits: int) -> list[str]:
    """A linear history; hashes, oldest first."""
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch=main")
    stream = "".join(
        f"commit refs/heads/main\ncommitter A <a@b> {1_500_000_000 + i * 3600} +0000\n"
        f"data 1\n{i % 10}\nM 644 inline file\ndata {len(str(i))}\n{i}\n"
        for i in range(commits)
    )
    git(folder, "fast-import", "--quiet", text=stream)
    return git(folder, "rev-list", "--reverse", "main").split()


def cpu_seconds(command: list[str], folder: Path) -> float:
    """CPU time of a command and all its children."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = os.environ | {"HOME": str(folder), "OMP_NUM_THREADS": "1"}
    subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@pytest.fixture(scope="module")
def asv_project(tmp_path_factory) -> Path:
    """An asv project whose results belong to commits that its repository has."""
    folder = tmp_path_factory.mktemp("project")
    commits = write_repository(folder / "repo", COMMITS)
    results = write_collection(folder / "results", COMMITS)
    paths = sorted((results / "machine-0").glob("*-py.json"))
    files = sorted((json.loads(path.read_text()) for path in paths), key=lambda data: data["date"])
    for path in paths:
        path.unlink()
    for commit, data in zip(commits, files, strict=True):
        data |= {"commit_hash": commit, "params": {"machine": "machine-0", "python": "3.12"}}
        path = results / "machine-0" / f"{commit[:8]}-virtualenv-py3.12.json"
        path.write_text(json.dumps(data))
    (results / "machine-0/machine.json").write_text(
        json.dumps(
            dict.fromkeys(("os", "arch", "cpu", "num_cpu", "ram"), "x")
            | {"version": 1}
            | {"machine": "machine-0"}
        )
    )
    config = {"version": 1, "project": "p", "repo": "repo", "branches": ["main"]}
    config |= {"environment_type": "virtualenv", "results_dir": "results", "html_dir": "html"}
    (folder / "asv.conf.json").write_text(json.dumps(config))
    return folder


@pytest.mark.alone
@pytest.mark.slow
def test_collecting_takes_a_tenth_of_the_time(asv_project, record_property):
    script = Path(sys.executable).parent
    collecting = [str(script / "convbench"), "collect", "results", "--store", "store"]
    collecting += ["--repo", "repo"]
    cpu_seconds(collecting, asv_project)  # compiles what is compiled once
    (asv_project / "store/manifest.json").unlink()
    ours = cpu_seconds(collecting, asv_project)

    theirs = cpu_seconds([str(script / "asv"), "publish", "--no-pull"], asv_project)

    graphs = list((asv_project / "html/graphs").rglob("*.json"))
    assert len(graphs) >= 60  # it did the work
    record_property("ratio", theirs / ours)
    print(f"{COMMITS * ROWS:,} values: asv publish {theirs:.1f} s, collect {ours:.1f} s")
    assert theirs >= TIMES_LESS_CPU * ours
