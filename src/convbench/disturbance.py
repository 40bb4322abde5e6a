"""What else a machine did while something was measured on it.

Two snapshots around a measurement tell how much CPU time went to other processes, to the
hypervisor and to waiting, and whether the fixed kernel of `convbench.noise_floor` ran as before.
Sources: proc(5), getrusage(2), the kernel's documentation of pressure stall information.
"""

import os
import resource
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from convbench import noise_floor
from convbench.host import SYSTEM, text_of

SAMPLED_SECONDS = 0.2
"""Time that a snapshot spends on the fixed kernel: about 200 samples, a stable median."""

MAX_FOREIGN_CPUS = 0.1
"""More is a disturbance: on the measured CPU, it is a tenth of the time. A system with nothing to
do uses 0.00 to 0.04 CPUs, of which 0.04 in a second is the rounding of five counters to ticks of
10 ms; one busy program uses 1."""

BACKGROUND_FOREIGN_CPUS = 0.05
"""Up to this, others are only the system's housekeeping: whatever was interrupted or had to wait
then was so by processes of one's own, three busy ones on two CPUs, say."""

MAX_SWITCHES_PER_SECOND = 100.0
"""Two tasks that compete for a CPU take turns of 3 to 4 ms, so each is interrupted 125 times a
second or more; one busy child by itself is interrupted 3 to 30 times."""

MAX_PRESSURE_SHARE = 0.1
"""A program on the CPU of another lets one of them wait all the time, 0.4 to 0.95 where the
scheduler can move them; with as many tasks as CPUs it is below 0.02."""

MAX_STEAL_SHARE = 0.01
"""On the measured CPU alone, of a few, it is several percent of the time. A guest whose host has
room loses 0.000 to 0.005."""

MAX_KERNEL_DRIFT = 0.1
"""The second median is a fifth above or below the first, as when a processor falls from its turbo
to its rated clock. A quiet virtual machine wanders up to 0.055, bare metal far less."""

MAX_KERNEL_SPREAD = 0.2
"""Competing for a CPU makes a sample of 1 ms several times longer; a quiet virtual machine stays
below 0.09."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Counters of the machine and of this process at one moment; None where there are none.

    Attributes
    ----------
    at : float
        Seconds on the monotonic clock.
    busy_seconds, steal_seconds, all_seconds : float or None
        CPU seconds since the start of the machine, of all its CPUs: spent in programs, kernel
        and interrupts; taken by the hypervisor; and of every kind, idleness included.
    own_seconds : float
        CPU seconds of this process, and of those of its children that were waited for.
    involuntary_switches : int
        How often these were taken off a CPU although they had work to do.
    pressure_seconds : float or None
        How long at least one runnable task of the machine waited for a CPU.
    kernel_seconds : tuple of float
        Seconds per call of the fixed kernel, just before.
    """

    at: float
    busy_seconds: float | None
    steal_seconds: float | None
    all_seconds: float | None
    own_seconds: float
    involuntary_switches: int
    pressure_seconds: float | None
    kernel_seconds: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Disturbance:
    """What happened between two snapshots; None where it can't be known.

    Attributes
    ----------
    seconds : float
        Wall time between them.
    foreign_cpus : float or None
        CPU seconds that other processes used per second of wall time.
    steal_share : float or None
        Part of all CPUs' time that the hypervisor gave to somebody else.
    involuntary_switches_per_second : float
        Of this process and its children.
    pressure_share : float or None
        Part of the time in which at least one runnable task waited for a CPU.
    kernel_drift : float
        Deviation of the fixed kernel's two medians from their mean, relative to it.
    kernel_spread : float
        Interquartile range of the fixed kernel relative to its median, the larger of both.
    """

    seconds: float
    foreign_cpus: float | None
    steal_share: float | None
    involuntary_switches_per_second: float
    pressure_share: float | None
    kernel_drift: float
    kernel_spread: float


def snapshot(root: Path = SYSTEM, *, seconds: float = SAMPLED_SECONDS) -> Snapshot:
    """Sample the fixed kernel for so long, then read the counters below a root.

    Children count once they were waited for, with all of their own that they waited for
    (RUSAGE_CHILDREN). Take snapshots while none is running: what a running child has used so far
    is seen as another process's.
    """
    kernel_seconds = noise_floor.sample(seconds)
    spent = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    busy, steal, every = _cpu_seconds(text_of(root / "proc/stat"))
    return Snapshot(
        at=time.monotonic(),
        busy_seconds=busy,
        steal_seconds=steal,
        all_seconds=every,
        own_seconds=sum(usage.ru_utime + usage.ru_stime for usage in spent),
        involuntary_switches=sum(usage.ru_nivcsw for usage in spent),
        pressure_seconds=_pressure_seconds(text_of(root / "proc/pressure/cpu")),
        kernel_seconds=tuple(kernel_seconds.tolist()),
    )


def _cpu_seconds(stat: str) -> tuple[float, float, float] | tuple[None, None, None]:
    """Read busy, stolen and all CPU seconds from the first line of `/proc/stat`."""
    name, *ticks = (stat.splitlines() or [""])[0].split() or [""]
    if name != "cpu" or len(ticks) < 8:
        return None, None, None
    # What guests of this machine used, the ninth and tenth field, is in the first two already.
    user, nice, system, idle, waiting, irq, softirq, steal = (
        int(each) / os.sysconf("SC_CLK_TCK") for each in ticks[:8]
    )
    busy = user + nice + system + irq + softirq
    return busy, steal, busy + idle + waiting + steal


def _pressure_seconds(pressure: str) -> float | None:
    """Read from `some avg10=0.00 avg60=0.00 avg300=0.00 total=12345`, in microseconds."""
    for line in pressure.splitlines():
        if line.startswith("some "):
            return int(line.rpartition("total=")[2]) / 1e6
    return None


def between(before: Snapshot, after: Snapshot) -> Disturbance:
    """Tell what happened from one snapshot to a later one of the same process."""
    seconds = after.at - before.at
    busy = _growth(before.busy_seconds, after.busy_seconds)
    foreign = None if busy is None else busy - (after.own_seconds - before.own_seconds)
    stolen = _growth(before.steal_seconds, after.steal_seconds)
    every = _growth(before.all_seconds, after.all_seconds)
    waited = _growth(before.pressure_seconds, after.pressure_seconds)
    switches = after.involuntary_switches - before.involuntary_switches
    kernels = [np.array(one.kernel_seconds) for one in (before, after)]
    first, second = (float(np.median(kernel)) for kernel in kernels)
    return Disturbance(
        seconds=seconds,
        # The machine's time is counted in ticks, the process's own exactly: may be just below 0.
        foreign_cpus=None if foreign is None else max(foreign / seconds, 0.0),
        steal_share=None if stolen is None or not every else stolen / every,
        involuntary_switches_per_second=switches / seconds,
        pressure_share=None if waited is None else waited / seconds,
        kernel_drift=abs(second - first) / (second + first),
        kernel_spread=max(noise_floor.relative_spread(kernel) for kernel in kernels),
    )


def reason(disturbance: Disturbance) -> str:
    """Say in one clause what disturbed a measurement, causes before symptoms; empty when quiet."""
    foreign, steal = disturbance.foreign_cpus, disturbance.steal_share
    if foreign is not None and foreign > MAX_FOREIGN_CPUS:
        return f"other processes used {foreign:.1f} CPUs"
    if steal is not None and steal > MAX_STEAL_SHARE:
        return f"the hypervisor took {100 * steal:.1f} % of the CPUs' time"
    others = foreign is None or foreign > BACKGROUND_FOREIGN_CPUS
    return (_waiting(disturbance) if others else "") or _unsteady_kernel(disturbance)


def _waiting(disturbance: Disturbance) -> str:
    switches = disturbance.involuntary_switches_per_second
    if switches > MAX_SWITCHES_PER_SECOND:
        return f"what was measured was interrupted {switches:.0f} times a second"
    share = disturbance.pressure_share
    if share is not None and share > MAX_PRESSURE_SHARE:
        return f"some task had to wait for a CPU during {100 * share:.0f} % of the time"
    return ""


def _unsteady_kernel(disturbance: Disturbance) -> str:
    if disturbance.kernel_drift > MAX_KERNEL_DRIFT:
        # The deviation is from the mean of two; people compare the two.
        change = 200 * disturbance.kernel_drift
        return f"the fixed kernel's time changed by {change:.0f} % meanwhile"
    if disturbance.kernel_spread > MAX_KERNEL_SPREAD:
        return f"times of the fixed kernel spread by {100 * disturbance.kernel_spread:.0f} %"
    return ""


def _growth(before: float | None, after: float | None) -> float | None:
    return None if before is None or after is None else after - before
