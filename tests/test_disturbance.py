import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from fake_hosts import write_tree

from convbench.disturbance import Disturbance, Snapshot, between, reason, snapshot

TICKS = os.sysconf("SC_CLK_TCK")
BURN = (
    sys.executable,
    "-c",
    "import sys, time\nwhile time.process_time() < float(sys.argv[1]): pass",
)

BEFORE = Snapshot(
    at=100.0,
    busy_seconds=1000.0,
    steal_seconds=10.0,
    all_seconds=5000.0,
    own_seconds=50.0,
    involuntary_switches=700,
    pressure_seconds=30.0,
    kernel_seconds=(1.0, 1.0, 1.0, 1.0, 1.0),
)
AFTER = Snapshot(
    at=110.0,
    busy_seconds=1016.0,
    steal_seconds=10.5,
    all_seconds=5020.0,  # two CPUs
    own_seconds=57.0,
    involuntary_switches=730,
    pressure_seconds=32.0,
    kernel_seconds=(1.5, 1.4, 1.5, 1.6, 1.5),
)
QUIET = Disturbance(
    seconds=10.0,
    foreign_cpus=0.04,
    steal_share=0.004,
    involuntary_switches_per_second=30.0,
    pressure_share=0.02,
    kernel_drift=0.05,
    kernel_spread=0.08,
)


def write_counters(root: Path, busy: float, steal: float = 0.0, waited: float = 0.0) -> Path:
    """Let counters be read that show so many seconds, of ten CPU seconds for each one waited."""
    user, guest = round(busy * TICKS), 10**9  # a guest's time is in user's already
    stat = f"cpu  {user} 0 0 {10**6} 7 0 0 {round(steal * TICKS)} {guest} 0\ncpu0 1 1 1 1 1 1 1 1\n"
    pressure = f"some avg10=1.00 avg60=2.00 avg300=3.00 total={round(waited * 1e6)}\n"
    pressure += "full avg10=0.00 avg60=0.00 avg300=0.00 total=99999999\n"
    return write_tree(root, {"proc/stat": stat, "proc/pressure/cpu": pressure})


def test_what_is_neither_own_nor_idle_is_foreign() -> None:
    found = between(BEFORE, AFTER)

    assert found.seconds == 10.0
    assert found.foreign_cpus == pytest.approx((16 - 7) / 10)
    assert found.steal_share == pytest.approx(0.5 / 20)
    assert found.involuntary_switches_per_second == pytest.approx(3.0)
    assert found.pressure_share == pytest.approx(0.2)
    assert found.kernel_drift == pytest.approx(0.25 / 1.25)  # of 1.0 and 1.5 from their mean
    assert found.kernel_spread == pytest.approx(0.0)


def test_the_spread_is_that_of_the_worse_snapshot() -> None:
    wide = replace(BEFORE, kernel_seconds=(8.0, 9.0, 10.0, 11.0, 12.0))

    assert between(wide, AFTER).kernel_spread == pytest.approx(0.2)
    assert between(replace(wide, at=90.0), BEFORE).kernel_spread == pytest.approx(0.2)


def test_ticks_that_fall_short_of_exact_own_time_are_no_negative_use() -> None:
    assert between(BEFORE, replace(AFTER, busy_seconds=1006.99)).foreign_cpus == 0.0


def test_counters_are_read_as_the_kernel_writes_them(tmp_path: Path) -> None:
    taken = snapshot(write_counters(tmp_path, busy=12.5, steal=0.25, waited=3.25), seconds=0.0)

    assert taken.busy_seconds == pytest.approx(12.5)
    assert taken.steal_seconds == pytest.approx(0.25)
    assert taken.all_seconds == pytest.approx(12.5 + 0.25 + (10**6 + 7) / TICKS)
    assert taken.pressure_seconds == pytest.approx(3.25)
    assert len(taken.kernel_seconds) > 1


def test_a_system_without_counters_knows_its_own_part_only(tmp_path: Path) -> None:
    first, second = snapshot(tmp_path, seconds=0.0), snapshot(tmp_path, seconds=0.0)

    found = between(first, second)

    assert (found.foreign_cpus, found.steal_share, found.pressure_share) == (None, None, None)
    assert found.seconds > 0
    assert found.involuntary_switches_per_second >= 0


def test_a_child_that_was_waited_for_is_no_foreign_process(tmp_path: Path) -> None:
    own_before = sum(os.times()[:4])
    before = snapshot(write_counters(tmp_path, busy=100.0), seconds=0.0)
    subprocess.run([*BURN, "0.5"], check=True)
    # Let the machine have done exactly what this process and its child did.
    own = sum(os.times()[:4]) - own_before
    after = snapshot(write_counters(tmp_path, busy=100.0 + own), seconds=0.0)

    found = between(before, after)

    assert own > 0.5
    assert found.foreign_cpus is not None
    # The second snapshot's own work comes on top, and os.times counts in ticks.
    assert found.foreign_cpus < 0.1 / found.seconds


@contextmanager
def burning() -> Iterator[None]:
    """Keep one core busy; a child that nobody waited for is counted as somebody else's."""
    process = subprocess.Popen([*BURN, "60"])
    try:
        yield
    finally:
        process.kill()
        process.wait()


def test_a_job_on_another_core_is_seen_and_told() -> None:
    with burning():
        before = snapshot()
        time.sleep(1.5)
        found = between(before, snapshot())

    assert found.foreign_cpus is not None
    # Other tests may use the rest of the machine meanwhile, and leave less to this job.
    assert 0.6 < found.foreign_cpus < (os.cpu_count() or 1) + 0.1
    assert reason(found) == f"other processes used {found.foreign_cpus:.1f} CPUs"


def test_a_snapshot_is_taken_in_a_moment() -> None:
    snapshot()  # compiles
    start = time.monotonic()

    taken = snapshot()

    assert 0.2 < time.monotonic() - start < 3.0
    assert start < taken.at < time.monotonic()


def test_a_quiet_machine_gives_no_reason() -> None:
    assert reason(QUIET) == ""
    unknown = replace(QUIET, foreign_cpus=None, steal_share=None, pressure_share=None)
    assert reason(unknown) == ""


@pytest.mark.parametrize(
    ("change", "clause"),
    [
        ({"foreign_cpus": 0.94}, "other processes used 0.9 CPUs"),
        ({"steal_share": 0.031}, "the hypervisor took 3.1 % of the CPUs' time"),
        (
            {"foreign_cpus": 0.06, "involuntary_switches_per_second": 310.4},
            "what was measured was interrupted 310 times a second",
        ),
        (
            {"foreign_cpus": None, "involuntary_switches_per_second": 310.4},
            "what was measured was interrupted 310 times a second",
        ),
        (
            {"foreign_cpus": 0.06, "pressure_share": 0.32},
            "some task had to wait for a CPU during 32 % of the time",
        ),
        ({"kernel_drift": 0.11}, "the fixed kernel's time changed by 22 % meanwhile"),
        ({"kernel_spread": 0.45}, "times of the fixed kernel spread by 45 %"),
        # The cause is told, not what followed from it.
        (
            {"foreign_cpus": 2.0, "pressure_share": 0.9, "kernel_spread": 3.0},
            "other processes used 2.0 CPUs",
        ),
    ],
)
def test_each_disturbance_is_told_with_its_figure(
    change: dict[str, float | None], clause: str
) -> None:
    assert reason(replace(QUIET, **change)) == clause


def test_own_processes_that_compete_with_each_other_are_no_disturbance() -> None:
    own = replace(
        QUIET, foreign_cpus=0.004, involuntary_switches_per_second=262.0, pressure_share=0.47
    )

    assert reason(own) == ""
