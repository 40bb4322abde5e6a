"""One real run of the pipeline, shared by all tests that look at it.

One commit is measured in both environments, one call per cell: the numbers mean nothing, the way
is real.
"""

import pytest
from pipeline_project import (
    MACHINE,
    PROBLEMS,
    STRATEGIES,
    SWEEP,
    Project,
    call,
    copy,
    skip_without_environments,
)


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    skip_without_environments(tmp_path_factory.mktemp("reachable"))
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
