"""A project where `convbench measure` runs for real and asv is stood in for.

Calls of asv wait for a word, so that a test decides what runs beside what.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

SOURCE = Path(__file__).resolve().parents[1] / "src"
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
        return self.start([sys.executable, "-m", "convbench.cli", "measure", "HEAD", *words])

    def start(self, command: Sequence[str]) -> subprocess.Popen[str]:
        """Start a command of the tool environment, for which asv is the stand-in."""
        environment = os.environ | {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": f"{self.root / 'stand-in'}{os.pathsep}{SOURCE}",
            "STAND_IN_CALLS": str(self.calls),
        }
        process = subprocess.Popen(
            command,
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

    def close(self) -> None:
        """Let everything that was started end."""
        self.go()
        for process in self.started:
            with suppress(ValueError):  # its output has been read to the end
                process.communicate(timeout=60)


def make(folder: Path) -> Project:
    """Lay a project out in an empty folder."""
    (folder / "calls").mkdir()
    (folder / "stand-in/asv").mkdir(parents=True)
    (folder / "stand-in/asv/__init__.py").touch()
    shutil.copy(Path(__file__).with_name("stand_in_asv.py"), folder / "stand-in/asv/__main__.py")
    (folder / "asv.conf.json").write_text(json.dumps(CONFIG))
    (folder / "pyproject.toml").touch()
    (folder / "requirements.lock").touch()
    git = ["git", "-c", "user.name=A", "-c", "user.email=a@example.org"]
    for words in (["init", "-q"], ["add", "asv.conf.json"], ["commit", "-q", "-m", "first"]):
        subprocess.run([*git, *words], cwd=folder, check=True)
    return Project(folder)


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
