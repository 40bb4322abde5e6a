"""A SLURM cluster of two nodes on this machine, on loopback only, for tests.

Needs root and Debian's slurm-wlm and munge. By hand:

    python tests/slurm/slurm_cluster.py up FOLDER
    python tests/slurm/slurm_cluster.py down FOLDER

The configuration must lie at /etc/slurm/slurm.conf: Snakemake's plugin removes SLURM_CONF from the
environment of its jobs. A file that is there already is another cluster's, and is left alone.
"""

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

CONFIGURATION = Path("/etc/slurm/slurm.conf")
NODES = ("n1", "n2")
PROGRAMS = ("munged", "munge", "slurmctld", "slurmd", "sbatch", "squeue")


class ClusterError(Exception):
    """The cluster can't be started, or does not do what was asked of it."""


def missing() -> str:
    """Say what this machine lacks for a cluster; empty where there is everything."""
    if os.getuid() != 0:
        return "not root; a cluster can't be started"
    lacking = [name for name in PROGRAMS if shutil.which(name) is None]
    if lacking:
        return f"{', '.join(lacking)} not installed (Debian: slurm-wlm munge)"
    return ""


def wait_until(true: Callable[[], bool], seconds: float, what: str) -> None:
    """Wait for a condition; raises ClusterError when it does not come in time."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            raise ClusterError(f"{what}: not within {seconds:g} seconds")
        time.sleep(0.1)


def answer(*words: str) -> str:
    """Call a command of SLURM and give what it prints."""
    called = subprocess.run(words, capture_output=True, text=True, timeout=30)
    if called.returncode:
        raise ClusterError(f"{' '.join(words)}: {called.stderr.strip()}")
    return called.stdout


@dataclass(frozen=True)
class FinishedJob:
    """What SLURM says of a job that has ended."""

    number: int
    state: str
    partition: str
    node: str
    start: str
    end: str


@dataclass(frozen=True)
class Cluster:
    """A cluster whose files lie in one folder.

    Attributes
    ----------
    base : Path
        The folder; its path may not be long, sockets lie in it.
    """

    base: Path

    def start(self) -> None:
        """Start munge, the controller and both nodes."""
        # exists() is false of a dangling link, which is somebody's as well.
        if CONFIGURATION.exists() or CONFIGURATION.is_symlink():
            raise ClusterError(f"{CONFIGURATION} exists: another cluster is, or was, set up here")
        for folder in ("state", "spool", "log"):
            (self.base / folder).mkdir(parents=True, exist_ok=True)
        self._start_munge()
        (self.base / "slurm.conf").write_text(self._configuration())
        CONFIGURATION.parent.mkdir(exist_ok=True)
        CONFIGURATION.symlink_to(self.base / "slurm.conf")
        answer("slurmctld")
        for node in NODES:
            self.start_node(node)
        self.wait_for_idle()

    def stop(self) -> None:
        """Stop what was started here, jobs included, and nothing else."""
        if not self._is_ours():
            return
        with contextlib.suppress(ClusterError, subprocess.TimeoutExpired):
            answer("scancel", "--user=root")
            wait_until(lambda: not answer("squeue", "--noheader"), 15, "all jobs ended")
        for node in NODES:
            self.lose_node(node)
        for name in ("slurmctld", "munged"):
            self._end(name, self.base / f"{name}.pid", signal.SIGTERM)
        CONFIGURATION.unlink()

    def start_node(self, node: str) -> None:
        """Start a node's daemon, the first time or again."""
        answer("slurmd", "-N", node)

    def has_daemon(self, node: str) -> bool:
        """Tell whether a node's daemon runs; the file goes with it."""
        return (self.base / f"slurmd-{node}.pid").exists()

    def kill_daemon(self, node: str) -> None:
        """Kill a node's daemon; the jobs on the node go on."""
        self._end("slurmd", self.base / f"slurmd-{node}.pid", signal.SIGKILL)

    def lose_node(self, node: str) -> None:
        """Do what a power cut does: kill a node's daemon and everything that runs on it."""
        self.kill_daemon(node)
        for pid in node_processes(node):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def wait_for_idle(self) -> None:
        """Wait until both nodes are there and have nothing to do."""
        idle = ["idle"] * len(NODES)
        wait_until(lambda: self.states() == idle, 40, "both nodes idle")

    def states(self) -> list[str]:
        """Give the states of the nodes, in their order."""
        return answer("sinfo", "-hN", "-p", "bench", "-o", "%T").split()

    def finished(self) -> list[FinishedJob]:
        """List the jobs that have ended, in the order of their ends."""
        log = self.base / "log" / "jobs.txt"
        jobs = []
        for line in log.read_text().splitlines() if log.exists() else ():
            told = dict(re.findall(r"(\w+)=(\S*)", line))
            jobs.append(
                FinishedJob(
                    number=int(told["JobId"]),
                    state=told["JobState"],
                    partition=told["Partition"],
                    node=told["NodeList"],
                    start=told["StartTime"],
                    end=told["EndTime"],
                )
            )
        return jobs

    def _start_munge(self) -> None:
        if _munge_answers():
            return  # the machine's own, which is not ours to stop
        for folder, mode in (("/run/munge", 0o755), ("/var/log/munge", 0o700)):
            Path(folder).mkdir(exist_ok=True)
            Path(folder).chmod(mode)
            shutil.chown(folder, "munge", "munge")
        answer("runuser", "-u", "munge", "--", shutil.which("munged") or "munged")
        wait_until(_munge_answers, 10, "munge answers")
        shutil.copy("/run/munge/munged.pid", self.base / "munged.pid")

    def _configuration(self) -> str:
        template = Path(__file__).with_name("slurm.conf").read_text()
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
        words = {
            "@BASE@": str(self.base),
            "@HOST@": socket.gethostname().partition(".")[0],
            "@CPUS@": str(os.cpu_count()),
            "@MEMORY@": str(memory // 2),
        }
        for word, value in words.items():
            template = template.replace(word, value)
        return template

    def _is_ours(self) -> bool:
        return CONFIGURATION.is_symlink() and CONFIGURATION.readlink() == self.base / "slurm.conf"

    def _end(self, name: str, pid_file: Path, signum: signal.Signals) -> None:
        """End the process of a pid file, if that is still the program it was."""
        try:
            pid = int(pid_file.read_text())
            if Path(f"/proc/{pid}/comm").read_text().strip() != name:
                return
        except (OSError, ValueError):
            return
        os.kill(pid, signum)
        wait_until(lambda: not _runs(pid), 30, f"{name} ({pid}) ended")
        pid_file.unlink(missing_ok=True)


def job_processes(node: str) -> list[int]:
    """List the processes of jobs on a node."""
    return [pid for pid, _ in _with_variable(f"SLURMD_NODENAME={node}")]


def node_processes(node: str) -> list[int]:
    """List the processes of SLURM that watch over jobs on a node, then those of the jobs.

    Killed in this order, none is left to report the end of another.
    """
    working = _with_variable(f"SLURMD_NODENAME={node}")
    jobs = {number for _, variables in working for number in _values("SLURM_JOB_ID", variables)}
    watching = tuple(b"slurmstepd: [" + job + b"." for job in jobs)
    return [
        pid for pid, title in _read_all("cmdline") if watching and title.startswith(watching)
    ] + [pid for pid, _ in working]


def _with_variable(setting: str) -> list[tuple[int, list[bytes]]]:
    told = ((pid, content.split(b"\0")) for pid, content in _read_all("environ"))
    return [(pid, variables) for pid, variables in told if setting.encode() in variables]


def _values(name: str, variables: list[bytes]) -> list[bytes]:
    return [v.partition(b"=")[2] for v in variables if v.startswith(f"{name}=".encode())]


def _read_all(name: str) -> Iterator[tuple[int, bytes]]:
    """Read one file of every process's folder in /proc."""
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            yield int(process.name), (process / name).read_bytes()


def _runs(pid: int) -> bool:
    """Tell whether a process runs; one that nobody has waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _munge_answers() -> bool:
    return subprocess.run(["munge", "-n"], capture_output=True).returncode == 0


def main(words: list[str]) -> int:
    """Start or stop a cluster by hand."""
    if len(words) != 2 or words[0] not in ("up", "down"):
        print(__doc__, file=sys.stderr)
        return 2
    cluster = Cluster(Path(words[1]).resolve())
    if reason := missing():
        print(reason, file=sys.stderr)
        return 2
    try:
        cluster.start() if words[0] == "up" else cluster.stop()
    except ClusterError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
