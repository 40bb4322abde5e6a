"""Snakemake, submitting to the cluster, with the project's own profile in a hurry."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pipeline_project import ROOT
from slurm_cluster import wait_until

HURRIED = str(Path(__file__).with_name("hurried_snakemake.py"))

# A look every second, and no slow shared folder.
IN_A_HURRY = {
    "slurm-init-seconds-before-status-checks": 1,
    "seconds-between-status-checks": 1,
    "latency-wait": 5,
}


def profile() -> dict[str, Any]:
    """Read the project's SLURM profile."""
    read: dict[str, Any] = yaml.safe_load(
        (ROOT / "workflow/profiles/slurm/config.yaml").read_text()
    )
    return read


def hurried_profile(root: Path, name: str, **settings: Any) -> None:
    """Write the project's SLURM profile with short waits, and with what a test changes of it."""
    folder = root / "workflow" / "profiles" / name
    folder.mkdir(parents=True, exist_ok=True)
    # JSON is YAML.
    (folder / "config.yaml").write_text(json.dumps(profile() | IN_A_HURRY | settings))


def measuring_resources(**changed: str) -> dict[str, dict[str, str]]:
    """Give the profile's resources of measuring jobs, some of them changed."""
    return {rule: told | changed for rule, told in profile()["set-resources"].items()}


@dataclass(frozen=True)
class Coordinator:
    """A running Snakemake and what it has printed."""

    process: subprocess.Popen[bytes]
    log: Path

    @property
    def text(self) -> str:
        """Everything printed so far."""
        return self.log.read_text()

    def end(self, seconds: float) -> int:
        """Wait for the end and give the exit code."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"not done in {seconds:g} seconds:\n{self.text[-3000:]}") from None

    def wait_for(self, words: str, seconds: float) -> None:
        """Wait until it has printed something."""
        wait_until(lambda: words in self.text, seconds, f"snakemake says {words!r}")


@contextmanager
def coordinator(root: Path, name: str, *words: str) -> Iterator[Coordinator]:
    """Start Snakemake in a project; it does not outlive the block."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    number = len(list(root.glob("snakemake-*.log"))) + 1
    log = root / f"snakemake-{number}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, HURRIED, "--workflow-profile", name, *words],
            cwd=root,
            env=os.environ | {"PATH": path},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield Coordinator(process, log)
    finally:
        process.kill()
        process.wait()


def run(root: Path, name: str, *words: str, seconds: float = 600) -> tuple[int, str]:
    """Run Snakemake to its end; give exit code and output."""
    with coordinator(root, name, *words) as started:
        return started.end(seconds), started.text
