"""What making a site costs, beside `asv publish` of the same results."""

import os
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from synthetic_project import PACKAGES, Size, append_commit

SCRIPTS = Path(sys.executable).parent


@dataclass(frozen=True)
class Cost:
    """Seconds of a command, its children's included."""

    cpu: float
    wall: float


def run(words: Sequence[str], folder: Path) -> Cost:
    """Run a command of this environment in a folder."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    environment = os.environ | {"HOME": str(folder), "OMP_NUM_THREADS": "1"}
    command = [str(SCRIPTS / words[0]), *words[1:]]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, f"{' '.join(words)}: {done.stderr[-2000:]}"
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(cpu, time.monotonic() - started)


def publish(project: Path) -> Cost:
    """Make asv's pages: `html`."""
    return run(["asv", "publish"], project)


def collect(project: Path) -> Cost:
    """Read what is new into `store`."""
    return run(["convbench", "collect", "results", "--store", "store", "--repo", "repo"], project)


def detect(project: Path) -> Cost:
    """Search the store for changes."""
    return run(["convbench", "detect", "store"], project)


def report(project: Path) -> Cost:
    """Draw `site`."""
    return run(["convbench", "report", "store", "--output", "site"], project)


@dataclass(frozen=True)
class NewCommit:
    """What one more commit costs, and which of the site's files it changed or made."""

    collect: Cost
    detect: Cost
    report: Cost
    changed: tuple[str, ...]
    files: int


def add_commit(project: Path, size: Size) -> NewCommit:
    """Add a commit's results to a project whose site is drawn, and draw it again."""
    site = project / "site"
    old = {path: path.read_bytes() for path in site.rglob("*") if path.is_file()}
    append_commit(project, PACKAGES[: size.environments], np.random.default_rng(1))
    costs = collect(project), detect(project), report(project)
    fresh = sorted(path for path in site.rglob("*") if path.is_file())
    changed = (path for path in fresh if old.get(path) != path.read_bytes())
    names = tuple(path.relative_to(site).as_posix() for path in changed)
    return NewCommit(*costs, names, len(fresh))
