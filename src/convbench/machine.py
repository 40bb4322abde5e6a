"""A host's facts: as asv files them beside its results, and what of them makes timings noisy."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from convbench.errors import MeasureFailed
from convbench.host import CONTAINERS, Host, host

__all__ = ["Finding", "Host", "file_machine", "findings", "host"]

BUSY_SHARE = 0.1
"""A load average above this share of the CPUs is a finding: what is pinned to one CPU would share
it for a tenth of the time."""

SWAP_SHARE = 0.01
"""Swap in use above this share of the RAM is a finding: pages that nobody reads end there anyhow,
but gigabytes of them mean that memory was short."""

FEW_CPUS = 2
"""With no more CPUs than this, using all of them leaves none for the system."""

# A processor's counter that programs read themselves, on x86 and on Arm.
_PLAIN_CLOCKS = ("tsc", "arch_sys_counter")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing about a host that makes its timings noisy.

    Attributes
    ----------
    what : str
        The fact, with its figures.
    why : str
        How it makes timings noisy.
    fix : str
        The command that ends it on Debian, where possible until the next start only; empty
        where nothing can be done.
    severity : "serious" or "minor"
        Serious can move a median by several percent; minor widens the spread.
    """

    what: str
    why: str
    fix: str
    severity: Literal["serious", "minor"]


def findings(host: Host) -> tuple[Finding, ...]:
    """List what makes timings on a host noisy, serious things first; unknown facts give nothing."""
    found = [finding for check in _CHECKS for finding in check(host)]
    return tuple(sorted(found, key=lambda finding: finding.severity == "minor"))


def _load(host: Host) -> Iterator[Finding]:
    limit = BUSY_SHARE * host.cpus
    if host.load_average and host.load_average[0] > limit:
        yield Finding(
            f"load average {host.load_average[0]:.2f}, above {limit:.2f}",
            "other programs take CPUs, caches and memory bandwidth from what is measured, or did"
            " so within the last minute",
            "ps -eo pcpu,pid,args --sort=-pcpu | head",
            "serious",
        )


def _governor(host: Host) -> Iterator[Finding]:
    if host.governor not in (None, "performance"):
        yield Finding(
            f"CPU frequency governor {host.governor}",
            "the clock follows the load: the first milliseconds of a measurement run at a lower"
            " frequency than the rest",
            "echo performance | sudo tee /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor",
            "serious",
        )


def _turbo(host: Host) -> Iterator[Finding]:
    if host.turbo:
        # Only Intel's own driver, the usual one on its processors, has a switch of its own.
        intel = host.vendor == "GenuineIntel"
        value, file = (1, "intel_pstate/no_turbo") if intel else (0, "cpufreq/boost")
        yield Finding(
            "turbo is on",
            "the clock depends on heat and on how many cores are busy, so it falls during a long"
            " run and when a neighbour starts to work",
            f"echo {value} | sudo tee /sys/devices/system/cpu/{file}",
            "serious",
        )


def _smt(host: Host) -> Iterator[Finding]:
    if host.smt:
        yield Finding(
            f"SMT is on: {host.cpus} CPUs on {host.cores or 'fewer'} cores",
            "a task on the other CPU of the same core takes up to half of its arithmetic and"
            " caches; all threads means more threads than cores",
            "echo off | sudo tee /sys/devices/system/cpu/smt/control",
            "serious",
        )


def _swap(host: Host) -> Iterator[Finding]:
    used, ram = host.swap_used_bytes or 0, host.ram_bytes or 0
    if used > SWAP_SHARE * ram:
        yield Finding(
            f"{used / 1e9:.2f} GB of swap in use",
            "memory was short: a page that has to come back from disk takes milliseconds",
            "sudo swapoff --all",
            "serious",
        )


def _quota(host: Host) -> Iterator[Finding]:
    if host.cgroup_cpus is not None and host.cgroup_cpus < len(host.affinity):
        contained = CONTAINERS & set(host.virtualised.split())
        whole = host.affinity[: max(int(host.cgroup_cpus), 1)]
        cpus = ",".join(str(cpu) for cpu in whole)
        yield Finding(
            f"a control group allows {host.cgroup_cpus:.2g} of {len(host.affinity)} CPUs",
            "threads that use up the quota are all stopped until the next period, usually of"
            " 100 ms",
            f"docker run --cpuset-cpus={cpus} ...  # whole CPUs instead of --cpus"
            if contained
            else f"sudo systemd-run --pty --property=AllowedCPUs={cpus} bash",
            "serious",
        )


def _hypervisor(host: Host) -> Iterator[Finding]:
    if hypervisors := [word for word in host.virtualised.split() if word not in CONTAINERS]:
        yield Finding(
            f"a virtual machine ({', '.join(hypervisors)})",
            "other guests use the same caches and memory and may steal CPU time; clock frequency"
            " and SMT of the host can't be seen from here",
            "",
            "serious",
        )


def _clock_source(host: Host) -> Iterator[Finding]:
    if host.clock_source is not None and host.clock_source not in _PLAIN_CLOCKS:
        yield Finding(
            f"the clock source is {host.clock_source}, not tsc",
            "reading the time takes longer, with some sources a microsecond and a system call,"
            " and not always equally long",
            "echo tsc | sudo tee /sys/devices/system/clocksource/clocksource0/current_clocksource",
            "minor",
        )


def _few_cpus(host: Host) -> Iterator[Finding]:
    number = len(host.affinity)
    if number == 1:
        why = "the system, asv and what is measured take turns on it"
        yield Finding("one CPU to run on", why, "", "serious")
    elif number <= FEW_CPUS:
        why = "a measurement on all threads leaves no CPU for the system and interrupts"
        yield Finding(f"{number} CPUs to run on", why, "", "minor")


def _isolation(host: Host) -> Iterator[Finding]:
    usable, first, last = set(host.affinity), host.affinity[0], host.affinity[-1]
    if host.isolated_cpus and not usable & set(host.isolated_cpus):
        isolated = host.isolated_cpus[-1]
        yield Finding(
            f"CPU {isolated} is isolated, but this process may not use it",
            "what is measured runs among everything else",
            f"taskset --cpu-list {first},{isolated} convbench measure COMMIT --threads 1",
            "minor",
        )
    elif host.kernel and not host.isolated_cpus and len(usable) > 1:  # only Linux isolates
        yield Finding(
            "no CPU is isolated",
            "the system may run anything on the CPU that one thread is measured on",
            "sudo sed -i 's/^GRUB_CMDLINE_LINUX=\"/&isolcpus="
            f"{last} nohz_full={last} /' /etc/default/grub && sudo update-grub  # then reboot",
            "minor",
        )


_CHECKS = (
    *(_load, _governor, _turbo, _smt, _swap, _quota),
    *(_hypervisor, _clock_source, _few_cpus, _isolation),
)


def file_machine(machine: str, environment: Mapping[str, str]) -> dict[str, Any]:
    """Let asv look at this machine, and file what it finds under the configured name.

    Parameters
    ----------
    machine : str
        Name that results are filed under; a host name may change, this one should not.
    environment : mapping
        Variables for asv; it reads and writes `.asv-machine.json` in their HOME.

    Raises
    ------
    MeasureFailed
        When asv is not installed or can't look.
    """
    file = Path(environment["HOME"], ".asv-machine.json")
    # With --machine asv would store the name alone and ask for nothing else.
    answer = subprocess.run(
        [sys.executable, "-m", "asv", "machine", "--yes"],
        env=dict(environment),
        cwd=environment["HOME"],
        capture_output=True,
        text=True,
    )
    if answer.returncode:
        reason = (answer.stderr.strip() or "it said nothing").splitlines()[-1]
        raise MeasureFailed(
            f"asv could not describe this machine: {reason}"
            " (asv comes with `pip install convbench[measure]`)"
        )
    found = json.loads(file.read_text())
    facts = next(entry for name, entry in found.items() if name != "version")
    facts["machine"] = machine
    file.write_text(json.dumps({machine: facts, "version": 1}))
    return dict(facts)
