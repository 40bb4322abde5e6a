"""What happens to a workflow on a cluster when something breaks: finished, or one line what to do.

Every test measures a commit of its own on both nodes, with the real `convbench measure`; the table
of docs/cluster.md says the same in words.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import slurm_cluster
from coordinator import coordinator, hurried_profile, measuring_resources, run
from slurm_cluster import Cluster, answer, wait_until
from toy_project import Toy

from convbench import results

pytestmark = [pytest.mark.alone, pytest.mark.slow]

COLLECTED = "results/store/collected"
"""What most workflows here are asked for: the site is made on the way of the first two."""


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
    # A test that failed halfway must not spoil the next one.
    for node in slurm_cluster.NODES:
        project.release(node)
        if not cluster.has_daemon(node):
            cluster.start_node(node)
    answer("scancel", "--user=root")
    cluster.wait_for_idle()
    shutil.rmtree(project.root / ".snakemake" / "locks", ignore_errors=True)


def job_on(node: str) -> str:
    (job,) = answer("squeue", "-h", "-p", "bench", "-w", node, "-t", "RUNNING", "-o", "%i").split()
    return job


def waiting() -> list[str]:
    """List the jobs that wait for a node to measure on."""
    return answer("squeue", "-h", "-p", "bench", "-t", "PENDING", "-o", "%i").split()


def state_of(job: str) -> str:
    return answer("squeue", "-h", "-j", job, "-o", "%T").strip()


def ends(cluster: Cluster, node: str) -> list[str]:
    """List how the jobs of a node ended."""
    return [f"{job.number} {job.state}" for job in cluster.finished() if job.node == node]


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """Put a disk of a few megabytes in a folder's place."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(disk: Path) -> None:
    with contextlib.suppress(OSError), (disk / "filler").open("wb", buffering=0) as filler:
        while True:
            filler.write(bytes(4096))


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
    with coordinator(toy.root, "hurried", COLLECTED) as snakemake:
        toy.wait_until_held("n1")

        answer("scancel", job_on("n1"))
        toy.release("n1")

        assert snakemake.end(120) == 0, snakemake.text
    assert "SLURM status is: 'CANCELLED'" in snakemake.text
    assert_measured_once(toy, commit)


def test_a_job_whose_processes_are_killed_is_measured_again(toy: Toy) -> None:
    commit = toy.commit("killed")
    toy.hold("n1")
    with coordinator(toy.root, "hurried", COLLECTED) as snakemake:
        toy.wait_until_held("n1")

        for pid in slurm_cluster.job_processes("n1"):
            os.kill(pid, signal.SIGKILL)
        toy.release("n1")

        assert snakemake.end(120) == 0, snakemake.text
    assert_measured_once(toy, commit)


def test_a_job_goes_on_while_the_daemon_of_its_node_is_away(toy: Toy, cluster: Cluster) -> None:
    commit = toy.commit("daemon restarted")
    toy.hold("n1")
    with coordinator(toy.root, "hurried", COLLECTED) as snakemake:
        toy.wait_until_held("n1")
        job = job_on("n1")

        cluster.kill_daemon("n1")
        toy.release("n1")
        cluster.start_node("n1")

        assert snakemake.end(120) == 0, snakemake.text
    assert f"{job} COMPLETED" in ends(cluster, "n1")
    assert_measured_once(toy, commit)


def test_what_a_node_went_on_with_is_ended_before_its_job_is_repeated(
    toy: Toy, cluster: Cluster
) -> None:
    commit = toy.commit("daemon away for long")
    toy.hold("n1")
    with coordinator(toy.root, "hurried", COLLECTED) as snakemake:
        toy.wait_until_held("n1")
        job = job_on("n1")

        cluster.kill_daemon("n1")
        wait_until(lambda: state_of(job) == "PENDING", 60, "SLURM gives the node up")
        assert slurm_cluster.job_processes("n1")
        cluster.start_node("n1")
        wait_until(lambda: state_of(job) == "RUNNING", 90, "SLURM starts the job again")
        toy.release("n1")

        assert snakemake.end(180) == 0, snakemake.text
    assert_measured_once(toy, commit)


def test_without_a_node_the_others_go_on_and_the_workflow_says_what_to_do(
    toy: Toy, cluster: Cluster
) -> None:
    commit = toy.commit("node gone")
    soon = measuring_resources(
        runtime="1", slurm_extra="f'--nodelist={wildcards.machine} --deadline=now+80'"
    )
    hurried_profile(toy.root, "impatient", **{"set-resources": soon, "retries": 0})
    toy.hold("n1")
    with coordinator(toy.root, "impatient", COLLECTED) as snakemake:
        toy.wait_until_held("n1")

        cluster.lose_node("n1")
        toy.release("n1")

        assert snakemake.end(180) == 1, snakemake.text
    assert "SLURM status is: 'DEADLINE'" in snakemake.text
    assert "stopped, runs not measured: n1: 1; what is measured is kept" in snakemake.text
    assert [facts["machine"] for facts in toy.runs(commit)] == ["n2"]

    without = json.dumps({"machines": ["n2"]})
    (toy.root / "without-n1.json").write_text(without)
    exit_code, text = run(toy.root, "hurried", COLLECTED, "--configfile", "without-n1.json")
    assert exit_code == 0, text

    cluster.start_node("n1")
    cluster.wait_for_idle()
    exit_code, text = run(toy.root, "hurried", COLLECTED)
    assert exit_code == 0, text
    assert_measured_once(toy, commit)


def test_what_a_killed_coordinator_has_left_measures_once_and_alone(toy: Toy) -> None:
    commit = toy.commit("coordinator killed")
    toy.hold("n1")
    with coordinator(toy.root, "hurried", COLLECTED) as snakemake:
        toy.wait_until_held("n1")
        orphan = job_on("n1")

        snakemake.process.send_signal(signal.SIGKILL)

    exit_code, text = run(toy.root, "hurried")
    assert exit_code == 1
    assert "--unlock" in text
    assert run(toy.root, "hurried", "--unlock")[0] == 0
    with coordinator(toy.root, "hurried", COLLECTED) as again:
        wait_until(lambda: bool(waiting()), 60, "the restarted workflow waits for the node")
        assert job_on("n1") == orphan
        toy.release("n1")

        assert again.end(180) == 0, again.text
    assert_measured_once(toy, commit)
    assert "is measured already" in toy.log_of("n1", commit).read_text()


def test_on_a_full_disk_nothing_half_is_kept_and_the_same_command_goes_on(toy: Toy) -> None:
    commit = toy.commit("disk full")
    # What a failed attempt clears away may be room enough for another one.
    hurried_profile(toy.root, "once", retries=0)
    with small_disk(toy.root / "results") as disk:
        toy.hold("n1")
        with coordinator(toy.root, "once", COLLECTED) as snakemake:
            toy.wait_until_held("n1")
            wait_until(lambda: len(toy.runs(commit)) == 1, 90, "n2 has measured")
            fill(disk)
            toy.release("n1")

            assert snakemake.end(180) == 1, snakemake.text
        assert "stopped, runs not measured: n1: 1" in snakemake.text
        said = toy.log_of("n1", commit).read_text()
        assert "No space left on device" in said
        assert "Traceback" not in said
        assert [facts["machine"] for facts in toy.runs(commit)] == ["n2"]

        (disk / "filler").unlink()
        exit_code, text = run(toy.root, "hurried", COLLECTED)
        assert exit_code == 0, text
        assert_measured_once(toy, commit)


def test_a_job_that_hangs_ends_at_its_time_limit_and_is_measured_again(toy: Toy) -> None:
    commit = toy.commit("hangs")
    hurried_profile(toy.root, "limited", **{"set-resources": measuring_resources(runtime="1")})
    toy.hold("n1")
    with coordinator(toy.root, "limited", COLLECTED) as snakemake:
        toy.wait_until_held("n1")
        snakemake.wait_for("SLURM status is: 'TIMEOUT'", 150)
        toy.release("n1")

        assert snakemake.end(120) == 0, snakemake.text
    assert_measured_once(toy, commit)
