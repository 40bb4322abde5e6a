"""A sweep on a cluster: several commits in one job, every node busy, and what a job costs."""

import json
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

import pytest
from coordinator import hurried_profile, profile, run
from slurm_cluster import NODES, Cluster, FinishedJob
from toy_project import BENCHMARKS, CONFIG, Toy

from convbench import results

pytestmark = [pytest.mark.alone, pytest.mark.slow]

COMMITS, COMMITS_PER_JOB = 4, 2

PATIENT = f"import time\n{BENCHMARKS}".replace("toy.work()", "toy.work(), time.sleep(3)")
"""Measuring that takes time and no processor: both nodes are on one machine."""

BUDGET_MINUTES = 2
"""Of one commit; its five rounds take a minute and a half."""


@dataclass(frozen=True)
class Sweep:
    """What was swept, and what SLURM says of its measuring jobs."""

    toy: Toy
    commits: tuple[str, ...]
    jobs: tuple[FinishedJob, ...]

    def of_node(self, node: str) -> list[FinishedJob]:
        """List the jobs of a node, in the order of time."""
        return sorted((job for job in self.jobs if job.node == node), key=lambda job: job.start)

    def runs_in(self, job: FinishedJob) -> list[dict[str, Any]]:
        """Read the facts of the runs that a job has measured."""
        runs = [facts for commit in self.commits for facts in self.toy.runs(commit)]
        return [facts for facts in runs if job_of(facts) == job.number]


def job_of(facts: dict[str, Any]) -> int:
    """Give the number of the job that a run was measured in, as the suite has seen it."""
    (environment,) = facts["environments"].values()
    return int(environment["packages"]["job"])


def seconds_between(start: str, end: str) -> float:
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory, cluster: Cluster) -> Sweep:
    toy = Toy(tmp_path_factory.mktemp("sweep"))
    toy.make()
    (toy.root / "benchmarks/work.py").write_text(PATIENT)
    config = CONFIG | {"commits": COMMITS, "budget_minutes": BUDGET_MINUTES, "paths": ["src"]}
    (toy.root / "workflow/config/config.yaml").write_text(json.dumps(config))
    groups = [*profile()["groups"], "measure=bench-{machine}"]
    size = {"group-components": [f"bench-{{machine}}={COMMITS_PER_JOB}"]}
    hurried_profile(toy.root, "grouped", groups=groups, **size)
    commits = tuple(toy.commit(f"number {number}") for number in range(COMMITS))
    exit_code, said = run(toy.root, "grouped", "--until", "create_environments")
    assert exit_code == 0, said
    before = {job.number for job in cluster.finished()}
    exit_code, said = run(toy.root, "grouped", seconds=1500)
    assert exit_code == 0, said
    jobs = (job for job in cluster.finished() if job.partition == "bench")
    return Sweep(toy, commits, tuple(job for job in jobs if job.number not in before))


def test_a_job_measures_several_commits_of_its_own_machine(sweep: Sweep) -> None:
    assert len(sweep.jobs) == len(NODES) * COMMITS / COMMITS_PER_JOB
    for job in sweep.jobs:
        runs = sweep.runs_in(job)
        assert [facts["machine"] for facts in runs] == [job.node] * COMMITS_PER_JOB


def test_every_commit_is_measured_once_on_every_node(sweep: Sweep) -> None:
    table = results.load(sweep.toy.root / "results/store")

    runs = table.groupby(["machine", "commit"]).size().to_dict()
    assert runs == {(node, commit): 2 for node in NODES for commit in sweep.commits}
    assert set(table["status"]) == {"ok"}
    assert not (sweep.toy.root / "overlap").exists()


def test_no_node_waits_while_jobs_of_another_are_ahead_of_its_own(sweep: Sweep) -> None:
    first = {node: sweep.of_node(node)[0] for node in NODES}

    # SLURM starts at once what is submitted at once; a job takes minutes.
    starts = [job.start for job in first.values()]
    assert abs(seconds_between(*starts)) < 30
    for node in NODES:
        for earlier, later in pairwise(sweep.of_node(node)):
            assert 0 <= seconds_between(earlier.end, later.start) < 30


def test_a_tenth_of_measuring_pays_for_all_that_a_job_does_beside(sweep: Sweep) -> None:
    for job in sweep.jobs:
        measured = sum(
            seconds_between(unit["started_at"], unit["finished_at"])
            for facts in sweep.runs_in(job)
            for unit in facts["units"]
        )
        beside = seconds_between(job.start, job.end) - measured
        print(f"job {job.number}: {measured:.0f} s measured, {beside:.0f} s beside that")
        assert beside <= 0.1 * measured
