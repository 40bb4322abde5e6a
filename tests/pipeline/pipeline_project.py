"""A copy of the project in a repository of its own, uncommitted changes included."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from convbench.sweep import Sweep

ROOT = Path(__file__).resolve().parents[2]
MACHINE = "test-machine"
PROBLEMS = ("question", "cifar_resnet20_3x3", "gray_blur31")
"""Those of the shared run: a small one, one that few strategies refuse, one that many do."""
STRATEGIES = ("loops", "einsum", "im2col", "fft", "toeplitz", "numba_nhwc", "winograd_f4x3", "auto")
"""Those of the shared run: one of a kind. All of them run in the tests of the benchmarks."""

SWEEP = Sweep(blas=("openblas", "mkl"), threads=("1", "all"))
"""What the workflow measures by default."""


@dataclass(frozen=True)
class Project:
    """A copy of the project, its only commit, and the folder of its measuring run."""

    root: Path
    commit: str
    run: Path

    def call(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command of the tool environment in the copy."""
        return call(self.root, *words, check=check)

    def python(self, blas: str) -> str:
        """Path of the interpreter of one BLAS build's environment."""
        for info in self.root.glob(".asv/env/*/asv-env-info.json"):
            if json.loads(info.read_text())["build_env_vars"]["CONVBENCH_BLAS"] == blas:
                return str(info.with_name("bin") / "python")
        raise AssertionError(f"no environment for {blas}")


def call(folder: Path, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    answer = subprocess.run(
        words, cwd=folder, env=os.environ | {"PATH": path}, capture_output=True, text=True
    )
    if check and answer.returncode:
        pytest.fail(f"{' '.join(words)} ended with {answer.returncode}:\n{answer.stderr[-3000:]}")
    return answer


def skip_without_environments(folder: Path) -> None:
    """Skip a test where environments of both BLAS builds can't be made; downloads to a folder."""
    if shutil.which("gcc") is None or shutil.which("nm") is None:
        pytest.skip("gcc and binutils are not installed; the MKL build needs them")
    reachable = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "pip"]
    if subprocess.run([*reachable, "-d", str(folder)], capture_output=True).returncode:
        pytest.skip("no package index answers; the environments can't be made")


def copy(target: Path) -> None:
    """Copy what git tracks or would track."""
    listed = call(ROOT, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
