"""A repository of two commits, the second of which made the package slower, with an asv suite."""

import json
import subprocess
from pathlib import Path
from typing import Any

PYPROJECT = """
[build-system]
requires = ["flit_core"]
build-backend = "flit_core.buildapi"

[project]
name = "toy"
version = "0.1"
description = "a toy"
"""

SUITE = """
import time, toy

class Work:
    timer = time.process_time
    param_names = ("size",)
    params = ((1, 2),)
    def time_work(self, size):
        toy.work(size)
"""

PACKAGE = '"""A toy."""\ndef work(size):\n    return sum(range({steps} * size))\n'

CONFIG = {
    "version": 1,
    "project": "toy",
    "repo": ".",
    "branches": ["HEAD"],
    "environment_type": "existing",
    "build_command": [
        "in-dir={build_dir} PIP_NO_INPUT=1 python -m pip wheel --no-deps --no-build-isolation"
        " -w {build_cache_dir} {build_dir}"
    ],
}


def repository(folder: Path, **config: Any) -> Path:
    """Make it; `HEAD` works four times as much as `HEAD~1`."""
    (folder / "benchmarks").mkdir(parents=True)
    (folder / "benchmarks" / "__init__.py").touch()
    (folder / "benchmarks" / "work.py").write_text(SUITE)
    (folder / "pyproject.toml").write_text(PYPROJECT)
    (folder / "asv.conf.json").write_text(json.dumps(CONFIG | config))
    git(folder, "init", "--quiet")
    for steps in (2000, 8000):
        commit(folder, PACKAGE.format(steps=steps))
    return folder


def commit(folder: Path, package: str) -> None:
    """Commit another package."""
    (folder / "toy.py").write_text(package)
    git(folder, "add", "--all", ":!.asv")
    git(folder, "commit", "--quiet", "--message", "another one")


def git(folder: Path, *words: str) -> None:
    """Call git as somebody."""
    somebody = ["-c", "user.name=somebody", "-c", "user.email=somebody@example.org"]
    subprocess.run(["git", "-C", str(folder), *somebody, *words], check=True)
