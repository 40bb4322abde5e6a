"""A small project under the real workflow: what its jobs measure takes a second, and can be held.

Its suite says who measures. While a file `hold-NODE` exists, measuring on that node waits, and says
so by a file `held-NODE`. Should two processes ever measure on one node at the same time, the second
one leaves a file `overlap`.
"""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline_project import ROOT, call
from slurm_cluster import NODES, wait_until
from toy_repository import PYPROJECT

from convbench.asv_config import BLAS_AXIS, THREADS_AXIS

SUITE = '''
"""Facts like convbench's own suite leaves, made up but for the node."""
import fcntl, json, os, sys, time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NODE = os.environ.get("SLURMD_NODENAME", "")

if "CONVBENCH_FACTS" in os.environ and sys.argv[1:2] != ["discover"]:
    busy = open(ROOT / f"busy-{NODE}", "a")
    try:
        fcntl.flock(busy, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        (ROOT / "overlap").touch()
    facts = {
        "environment": os.environ.get("ASV_ENV_NAME", ""),
        "blas": os.environ["CONVBENCH_BLAS"],
        "threads": 1,
        "threads_claimed": os.environ["CONVBENCH_THREADS"],
        "cpus": sorted(os.sched_getaffinity(0)),
        "guard": "ok",
        "lapack": "",
        "libraries": [{"family": "openblas", "version": "0.0"}],
        "packages": {"node": NODE, "job": os.environ.get("SLURM_JOB_ID", "")},
        "seed": 0,
        "problems": {},
        "cells": [],
    }
    Path(os.environ["CONVBENCH_FACTS"], "facts.json").write_text(json.dumps(facts))
    while (ROOT / f"hold-{NODE}").exists():
        (ROOT / f"held-{NODE}").touch()
        time.sleep(0.05)
'''

BENCHMARKS = """
import toy

class Work:
    repeat = 2
    number = 1
    def time_work(self):
        toy.work()
    def time_more_work(self):
        toy.work()
"""

ASV = {
    "version": 1,
    "project": "toy",
    "repo": ".",
    "branches": ["HEAD"],
    "environment_type": "virtualenv",
    "matrix": {
        "req": {"libblas": [None], "pip+asv_runner": ["0.3.2"], "pip+flit_core": ["4.2.0"]},
        "env": {BLAS_AXIS: ["openblas"]},
        "env_nobuild": {THREADS_AXIS: ["1"]},
    },
    "exclude": [{"environment_type": "virtualenv", "req": {"libblas": ".+"}}],
    "build_command": [
        "python -m pip wheel --no-deps --no-build-isolation -w {build_cache_dir} {build_dir}"
    ],
    "install_command": ["in-dir={env_dir} python -m pip install --no-deps {wheel_file}"],
    "benchmark_dir": "benchmarks",
    "env_dir": ".asv/env",
    "results_dir": "results/asv",
}


CONFIG = {
    "machines": list(NODES),
    "env_dir": ".asv/env/{machine}",
    "commits": 1,
    "blas": ["openblas"],
    "threads": ["1"],
    "budget_minutes": 0.05,
}

IGNORED = ("results", "reports", "logs", "hold-*", "held-*", "busy-*", "overlap", "*.log", ".*")

GIT = ("git", "-c", "user.name=A", "-c", "user.email=a@example.org")


@dataclass(frozen=True)
class Toy:
    """The project's folder, and what one commit of it led to."""

    root: Path

    def make(self) -> None:
        """Make the project, with a copy of the real workflow."""
        shutil.copytree(ROOT / "workflow", self.root / "workflow")
        (self.root / "workflow/config/config.yaml").write_text(json.dumps(CONFIG))
        (self.root / "benchmarks").mkdir()
        (self.root / "benchmarks" / "__init__.py").write_text(SUITE)
        (self.root / "benchmarks" / "work.py").write_text(BENCHMARKS)
        (self.root / "src").mkdir()
        (self.root / "pyproject.toml").write_text(PYPROJECT)
        (self.root / "asv.conf.json").write_text(json.dumps(ASV))
        (self.root / "triage.toml").touch()
        (self.root / ".gitignore").write_text("\n".join(IGNORED))
        shutil.copy(ROOT / "requirements.lock", self.root)
        call(self.root, "git", "init", "-q", "-b", "main")

    def commit(self, name: str) -> str:
        """Commit a change to the package; give the commit's hash."""
        package = f'"""A toy."""\ndef work():\n    return "{name}"\n'
        (self.root / "src" / "toy.py").write_text(package)
        call(self.root, *GIT, "add", ".")
        call(self.root, *GIT, "commit", "-q", "-m", name)
        return call(self.root, "git", "rev-parse", "HEAD").stdout.strip()

    def hold(self, node: str) -> None:
        """Let measuring on a node wait."""
        (self.root / f"held-{node}").unlink(missing_ok=True)
        (self.root / f"hold-{node}").touch()

    def wait_until_held(self, node: str) -> None:
        """Wait until a process measures on the node, and waits."""
        held = self.root / f"held-{node}"
        wait_until(held.exists, 90, f"{node} measures")

    def release(self, node: str) -> None:
        """Let measuring on a node go on."""
        (self.root / f"hold-{node}").unlink(missing_ok=True)

    def runs(self, commit: str) -> list[dict[str, Any]]:
        """Read the facts of the published runs of a commit."""
        facts = sorted(self.root.glob(f"results/runs/{commit[:8]}-*/facts.json"))
        return [json.loads(file.read_text()) for file in facts]

    def log_of(self, machine: str, commit: str) -> Path:
        """Give the file of what the measuring job of a machine has printed last."""
        (log,) = self.root.glob(f"logs/measure/*-{machine}-*{commit}.log")
        return log
