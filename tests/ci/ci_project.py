"""A small asv project with the scripts that `convbench init` gives it, and how to call one."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from toy_repository import git, repository

from convbench.adoption.planned_files import CI_FILES

BENCH = CI_FILES / "bench"


def project(folder: Path) -> Path:
    """Make a repository whose `HEAD` works four times as much as `HEAD~1`."""
    repository(folder)
    scripts = folder / "ci" / "bench"
    scripts.mkdir(parents=True)
    for name in ("gate.sh", "askpass.sh", "measure_new.sh", "publish.sh"):
        shutil.copy(BENCH / name, scripts)
    words = {"@CONFIG@": "asv.conf.json", "@PROJECT@": "toy", "@RESULTS@": "results"}
    text = (BENCH / "settings.sh").read_text()
    for word, meaning in words.items():
        text = text.replace(word, meaning)
    (scripts / "settings.sh").write_text(text)
    return folder


def branch(folder: Path, name: str, start: str, package: str) -> None:
    """Begin a branch with one commit that changes the package."""
    git(folder, "checkout", "--quiet", "-b", name, start)
    (folder / "toy.py").write_text(package)
    git(folder, "commit", "--quiet", "--all", "--message", name)


def script(
    folder: Path, name: str, *words: str, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Call a script in the project, as a job of continuous integration does."""
    known = {name: text for name, text in os.environ.items() if not name.startswith("GITHUB_")}
    path = f"{Path(sys.executable).parent}{os.pathsep}{known['PATH']}"
    # asv writes its machines there; caches stay where they are.
    home = folder.parent / "home"
    home.mkdir(exist_ok=True)
    cache = known.get("XDG_CACHE_HOME", str(Path.home() / ".cache"))
    known |= {"HOME": str(home), "XDG_CACHE_HOME": cache, "PIP_CACHE_DIR": f"{cache}/pip"}
    return subprocess.run(
        [f"ci/bench/{name}", *words],
        cwd=folder,
        env=known | {"PATH": path} | variables,
        capture_output=True,
        text=True,
    )
