"""What happens to a workflow on a cluster when something breaks: finished, or one line what to do.

Every test measures a commit of its own on both nodes, with the real `convbench measure`; the table
of docs/cluster.md says the same in words.
"""

import os
import signal
from collections.abc import Iterator

import pytest
import slurm_cluster
from coordinator import coordinator, hurried_profile, run
from slurm_cluster import Cluster, answer
from toy_project import Toy

from convbench import results

pytestmark = [pytest.mark.alone, pytest.mark.slow]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, cluster: Cluster) -> Toy:
    toy = Toy(tmp_path_factory.mktemp("toy"))
    toy.make()
    hurried_profile(toy.root, "hurried")
    toy.commit("the first")
    exit_code, text = run(toy.root, "hurried")
    assert exit_code == 0, text
    cluster.wait_for_idle()
    return toy


@pytest.fixture
def toy(project: Toy, cluster: Cluster) -> Iterator[Toy]:
    yield project
    for node in slurm_cluster.NODES:
        project.release(node)
        if not (cluster.base / f"slurmd-{node}.pid").exists():
            cluster.start_node(node)
    cluster.wait_for_idle()


def job_on(node: str) -> str:
    (job,) = answer("squeue", "-h", "-p", "bench", "-w", node, "-t", "RUNNING", "-o", "%i").split()
    return job


def assert_measured_once(toy: Toy, commit: str) -> None:
    """Both nodes measured the commit, each itself, each once, and nobody at the same time."""
    runs = toy.runs(commit)
    assert [facts["machine"] for facts in runs] == list(slurm_cluster.NODES)
    for facts in runs:
        (environment,) = facts["environments"].values()
        assert environment["packages"]["node"] == facts["machine"]
    assert not (toy.root / "overlap").exists()
    table = results.load(toy.root / "results" / "store")
    rows = table[table["commit"] == commit]
    assert sorted(rows["machine"]) == ["n1", "n1", "n2", "n2"]
    assert set(rows["status"]) == {"ok"}


def assert_nothing_to_do(toy: Toy) -> None:
    exit_code, text = run(toy.root, "hurried")
    assert exit_code == 0
    assert "Nothing to be done" in text


def test_without_a_fault_each_node_measures_its_own_once(toy: Toy) -> None:
    commit = toy.commit("no fault")

    exit_code, text = run(toy.root, "hurried")

    assert exit_code == 0, text
    assert_measured_once(toy, commit)
    assert_nothing_to_do(toy)


def test_a_cancelled_job_is_measured_again(toy: Toy) -> None:
    commit = toy.commit("cancelled")
    toy.hold("n1")
    with coordinator(toy.root, "hurried") as snakemake:
        toy.wait_until_held("n1")

        answer("scancel", job_on("n1"))
        toy.release("n1")

        assert snakemake.end(120) == 0, snakemake.text
    assert "SLURM status is: 'CANCELLED'" in snakemake.text
    assert_measured_once(toy, commit)


def test_a_job_whose_processes_are_killed_is_measured_again(toy: Toy) -> None:
    commit = toy.commit("killed")
    toy.hold("n1")
    with coordinator(toy.root, "hurried") as snakemake:
        toy.wait_until_held("n1")

        for pid in slurm_cluster.job_processes("n1"):
            os.kill(pid, signal.SIGKILL)
        toy.release("n1")

        assert snakemake.end(120) == 0, snakemake.text
    assert_measured_once(toy, commit)
