"""The real pipeline on a cluster: two commits, two BLAS builds, two nodes, to the site."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from coordinator import hurried_profile, run
from pipeline_project import call, copy, skip_without_environments
from slurm_cluster import NODES, Cluster, FinishedJob
from toy_project import GIT

from convbench import results

pytestmark = [pytest.mark.alone, pytest.mark.slow, pytest.mark.pipeline]

# Small, so that it is minutes: the numbers mean nothing, the way is real.
CONFIG = {
    "machines": list(NODES),
    "commits": 2,
    "blas": ["openblas", "mkl"],
    "threads": ["1"],
    "problems": ["question"],
    "strategies": ["loops", "im2col"],
    "budget_minutes": 2.5,
}


@dataclass(frozen=True)
class Pipeline:
    """What was measured, and what Snakemake and SLURM say of it."""

    root: Path
    commits: tuple[str, ...]
    said: str
    jobs: Mapping[int, FinishedJob]

    def facts(self) -> list[dict[str, Any]]:
        """Read the facts of all published runs."""
        files = sorted(self.root.glob("results/runs/*/facts.json"))
        return [json.loads(file.read_text()) for file in files]

    def nodes_of(self, rule: str) -> list[tuple[str, str]]:
        """List (machine of the job, node that it ran on) of a rule's jobs."""
        log = rf"/rule_{rule}/virtualenv_(\w+?)(?:_\w+)?/\d+\.log"
        submitted = re.findall(rf"with SLURM jobid (\d+) \(log: \S*{log}", self.said)
        return [(machine, self.jobs[int(number)].node) for number, machine in submitted]


@pytest.fixture(scope="module")
def pipeline(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    skip_without_environments(tmp_path_factory.mktemp("reachable"))
    root = tmp_path_factory.mktemp("pipeline")
    copy(root)
    # What a node's own disk is elsewhere.
    local = {"env_dir": str(tmp_path_factory.mktemp("local") / "{machine}")}
    (root / "workflow/config/config.yaml").write_text(json.dumps(CONFIG | local))
    hurried_profile(root, "hurried")
    call(root, "git", "init", "-q", "-b", "main")
    commits = tuple(commit(root, name) for name in ("first", "second"))
    before = {job.number for job in cluster.finished()}  # of other tests
    exit_code, said = run(root, "hurried", seconds=1500)
    assert exit_code == 0, said
    jobs = {job.number: job for job in cluster.finished() if job.number not in before}
    return Pipeline(root, commits, said, jobs)


def commit(root: Path, name: str) -> str:
    with (root / "src/convbench/__init__.py").open("a") as package:
        package.write(f"# {name}\n")
    call(root, *GIT, "add", ".")
    call(root, *GIT, "commit", "-q", "-m", name)
    return call(root, "git", "rev-parse", "HEAD").stdout.strip()


@pytest.mark.parametrize(("rule", "count"), [("create_environments", 2), ("measure", 4)])
def test_every_job_ran_on_the_node_of_its_machine(
    pipeline: Pipeline, rule: str, count: int
) -> None:
    nodes = pipeline.nodes_of(rule)

    assert len(nodes) == count
    assert [machine for machine, _ in nodes] == [node for _, node in nodes]


def test_no_node_waits_for_the_others_second_measurement(pipeline: Pipeline) -> None:
    submitted = [machine for machine, _ in pipeline.nodes_of("measure")]

    assert sorted(submitted[:2]) == sorted(NODES)


@pytest.mark.parametrize("node", NODES)
def test_no_two_measurements_overlap_on_a_node(pipeline: Pipeline, node: str) -> None:
    units = sorted(
        (unit["started_at"], unit["finished_at"])
        for facts in pipeline.facts()
        for unit in facts["units"]
        if facts["machine"] == node
    )
    jobs = sorted(
        (job.start, job.end)
        for job in pipeline.jobs.values()
        if (job.node, job.partition) == (node, "bench")
    )

    assert len(units) >= 2 * 2
    assert all(end <= start for (_, end), (start, _) in pairwise(units))
    assert all(end <= start for (_, end), (start, _) in pairwise(jobs))


def test_both_nodes_measured_both_commits_with_both_builds_once(pipeline: Pipeline) -> None:
    runs = sorted((facts["machine"], facts["commit"]) for facts in pipeline.facts())
    table = results.load(pipeline.root / "results/store")
    table["params"] = table["params"].astype(str)
    build = ["machine", "commit", "blas"]

    assert runs == sorted((node, commit) for node in NODES for commit in pipeline.commits)
    assert len(table.groupby(build)) == 2 * 2 * 2
    assert table.groupby(build).size().nunique() == 1
    assert not table.duplicated([*build, "benchmark", "params"]).any()
    # A node's first commit compiles for a minute or two, for which a busy machine has no time in
    # the budget: its cells are left out then, and not failed.
    assert set(table["status"]) <= {"ok", "skipped"}
    assert len(table[table["status"] == "ok"].groupby(["machine", "blas"])) == 2 * 2


def test_the_site_shows_both_machines_and_a_second_call_has_nothing_to_do(
    pipeline: Pipeline,
) -> None:
    site = (pipeline.root / "reports/site/index.html").read_text()

    assert all(node in site for node in NODES)
    exit_code, said = run(pipeline.root, "hurried")
    assert exit_code == 0
    assert "Nothing to be done" in said


def test_the_site_was_made_by_one_job_that_was_not_on_the_bench(pipeline: Pipeline) -> None:
    shared = [job for job in pipeline.jobs.values() if job.partition == "shared"]

    assert len(shared) == 1
