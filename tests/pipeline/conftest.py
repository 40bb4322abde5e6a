"""One real run of the pipeline, shared by all tests that look at it.

One commit is measured in both environments, one call per cell: the numbers mean nothing, the way
is real.
"""

import shutil
import subprocess
import sys

import pytest
from pipeline_project import MACHINE, PROBLEMS, STRATEGIES, SWEEP, Project, call, copy


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    if shutil.which("gcc") is None or shutil.which("nm") is None:
        pytest.skip("gcc and binutils are not installed; the MKL build needs them")
    reachable = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "pip"]
    folder = tmp_path_factory.mktemp("reachable")
    if subprocess.run([*reachable, "-d", str(folder)], capture_output=True).returncode:
        pytest.skip("no package index answers; the environments can't be made")
    root = tmp_path_factory.mktemp("project")
    copy(root)
    git = ("git", "-c", "user.name=A", "-c", "user.email=a@example.org")
    call(root, *git, "init", "-q", "-b", "main")
    call(root, *git, "add", ".")
    call(root, *git, "commit", "-q", "-m", "measured by the tests")
    commit = call(root, "git", "rev-parse", "HEAD").stdout.strip()
    stamp = f"results/measured/virtualenv/{MACHINE}/{SWEEP.digest}/{commit}"
    call(root, "convbench", "measure", "HEAD", "--only-environments")
    chosen = f"noop|dot|'({'|'.join(STRATEGIES)})', '({'|'.join(PROBLEMS)})'"
    words = ("--quick", "--bench", chosen, "--runs", "results/runs", "--stamp", stamp)
    call(root, "convbench", "measure", "HEAD", "--machine", MACHINE, *words)
    return Project(root, commit, root / "results/runs" / (root / stamp).read_text().strip())
