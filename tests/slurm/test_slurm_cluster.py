"""The cluster of the tests is one: two nodes, exclusive jobs, on loopback, and no other's."""

import contextlib
import time
from pathlib import Path

import pytest
import slurm_cluster
from slurm_cluster import Cluster, ClusterError, answer, wait_until

pytestmark = [pytest.mark.alone, pytest.mark.slow]


def submit(*words: str) -> int:
    return int(answer("sbatch", "--parsable", "--output=/dev/null", *words))


def ended(cluster: Cluster, *numbers: int) -> list[slurm_cluster.FinishedJob]:
    def all_of_them() -> bool:
        return {job.number for job in cluster.finished()} >= set(numbers)

    wait_until(all_of_them, 60, f"jobs {numbers} ended")
    found = {job.number: job for job in cluster.finished()}
    return [found[number] for number in numbers]


@pytest.mark.usefixtures("cluster")
@pytest.mark.parametrize("node", slurm_cluster.NODES)
def test_a_job_runs_on_the_node_that_it_names(node: str) -> None:
    words = ("-p", "bench", f"--nodelist={node}")

    told = answer("srun", *words, "sh", "-c", "echo $SLURMD_NODENAME")

    assert told.strip() == node


def test_jobs_of_bench_have_their_node_alone_and_two_nodes_work_at_once(cluster: Cluster) -> None:
    on_n1 = ("-p", "bench", "--nodelist=n1", "--wrap", "sleep 2")
    on_n2 = ("-p", "bench", "--nodelist=n2", "--wrap", "sleep 2")
    shared = ("-p", "shared", "--nodelist=n1", "--wrap", "sleep 1")

    first, second, other, beside = submit(*on_n1), submit(*on_n1), submit(*on_n2), submit(*shared)

    one, two, elsewhere, small = ended(cluster, first, second, other, beside)
    assert two.start >= one.end
    assert elsewhere.start < one.end
    assert small.start >= two.end or small.end <= two.start


def listening(name: str) -> list[str]:
    """List where the processes of a program listen, as the kernel writes it."""
    sockets = set()
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (process / "comm").read_text().strip() == name:
                sockets |= {str(file.readlink()) for file in (process / "fd").iterdir()}
    table = [
        line.split()
        for family in ("tcp", "tcp6")
        for line in Path("/proc/net", family).read_text().splitlines()[1:]
    ]
    state_of_listening = "0A"
    return [
        columns[1]
        for columns in table
        if columns[3] == state_of_listening and f"socket:[{columns[9]}]" in sockets
    ]


@pytest.mark.usefixtures("cluster")
@pytest.mark.parametrize(
    ("program", "ports"), [("slurmctld", (26817,)), ("slurmd", (26821, 26822)), ("munged", ())]
)
def test_the_cluster_listens_on_loopback_alone(program: str, ports: tuple[int, ...]) -> None:
    # 127.0.0.1, in the machine's order of bytes.
    assert sorted(listening(program)) == [f"0100007F:{port:04X}" for port in ports]


def test_another_cluster_is_neither_replaced_nor_stopped(cluster: Cluster, tmp_path: Path) -> None:
    intruder = Cluster(tmp_path)

    with pytest.raises(ClusterError, match=r"slurm\.conf exists"):
        intruder.start()
    intruder.stop()

    assert cluster.states() == ["idle", "idle"]


def test_a_lost_node_is_noticed_and_serves_again_when_it_is_back(cluster: Cluster) -> None:
    number = submit("-p", "bench", "--nodelist=n2", "--no-requeue", "--wrap", "sleep 77")
    wait_until(lambda: bool(slurm_cluster.node_processes("n2")), 20, "the job runs")

    cluster.lose_node("n2")
    (job,) = ended(cluster, number)

    assert job.state == "NODE_FAIL"
    assert not slurm_cluster.node_processes("n2")
    time.sleep(1)
    cluster.start_node("n2")
    cluster.wait_for_idle()
