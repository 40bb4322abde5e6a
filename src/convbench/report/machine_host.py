"""What a machine is, and what about it makes timings noisy, from what runs and asv recorded of it.

Host facts come from a run's file, which may be anybody's: a fact of another type than expected is
taken as unknown.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pandas as pd

from convbench.report.measurements import text
from convbench.report.provenance import memory
from convbench.report.readable import counted, quantity, significant

Row = Mapping[str, Any]
Host = Mapping[str, Any]

PLAIN_CLOCKS = ("tsc", "arch_sys_counter")
"""Clock sources that a program reads without asking the kernel."""

CONTAINERS = frozenset({"docker", "podman", "kubernetes", "lxc"})
"""Words of a virtualised host that mean a shared kernel; every other one is a hypervisor."""


def host_of(row: Row) -> Host:
    """Read the host facts of a machine's row; empty where no run recorded any."""
    host = json.loads(text(row.get("host_json")) or "{}")
    return host if isinstance(host, dict) else {}


def processor(row: Row, host: Host) -> str:
    """Name the processor."""
    return _word(host, "cpu") or text(row["cpu"])


def processors(row: Row, host: Host) -> str:
    """Count cores and CPUs: ``2 cores, 4 CPUs``."""
    cpus = _number(host, "cpus") or (int(row["num_cpu"]) if _is_count(row["num_cpu"]) else None)
    cores: int | None = None if pd.isna(row["cores"]) else int(row["cores"])
    words = (
        counted(cores, "core") if cores else "",
        counted(int(cpus), "CPU") if cpus else text(row["num_cpu"]),
    )
    return ", ".join(filter(None, words))


def ram(row: Row, _: Host) -> str:
    """Write the size of the memory."""
    size = row["ram_bytes"]
    return memory(text(row["ram"])) if pd.isna(size) else quantity(size, "bytes")


def caches(_: Row, host: Host) -> str:
    """List the caches of one CPU in powers of two, as processors have them."""
    sizes = host.get("caches")
    if not isinstance(sizes, dict):
        return ""
    return ", ".join(
        f"{name} {_binary(size)}" for name, size in sizes.items() if isinstance(size, int)
    )


def system(row: Row, host: Host) -> str:
    """Name the distribution and the kernel."""
    kernel = _word(host, "kernel")
    words = (_word(host, "os"), f"Linux {kernel}" if kernel else "")
    return ", ".join(filter(None, words)) or text(row["os"])


def architecture(row: Row, _: Host) -> str:
    """Name the instruction set."""
    return text(row["arch"])


def virtualised(row: Row, _: Host) -> str:
    """Name the hypervisor and container; unknown is not the same as none."""
    if pd.isna(row["virtualised"]):
        return ""
    return str(row["virtualised"]) or "no, bare metal"


def clock(row: Row, host: Host) -> str:
    """Say who chooses the clock and whether it may rise."""
    turbo = host.get("turbo")
    words = (
        f"governor {row['governor']}" if text(row["governor"]) else "",
        f"turbo {'on' if turbo else 'off'}" if isinstance(turbo, bool) else "",
        f"SMT {'on' if host['smt'] else 'off'}" if isinstance(host.get("smt"), bool) else "",
    )
    return ", ".join(filter(None, words))


FACTS: tuple[tuple[str, Callable[[Row, Host], str]], ...] = (
    ("Processor", processor),
    ("Cores and CPUs", processors),
    ("Architecture", architecture),
    ("Caches of a CPU", caches),
    ("Memory", ram),
    ("System", system),
    ("Virtualised", virtualised),
    ("Clock", clock),
)


def noisy_settings(row: Row, host: Host) -> Iterator[str]:
    """List what `convbench doctor` would find in the recorded facts, but for the load of that day.

    These are the same rules: `convbench.machine.findings`, which belongs to the half that measures.
    """
    governor = text(row["governor"])
    if governor and governor != "performance":
        yield f"frequency governor {governor}: the clock follows the load"
    if host.get("turbo") is True:
        yield "turbo is on: the clock depends on heat and on busy neighbours"
    if host.get("smt") is True:
        yield "SMT is on: another task may share the core"
    if (swap := _number(host, "swap_used_bytes")) > 0.01 * _number(host, "ram_bytes"):
        yield f"{quantity(swap, 'bytes')} of swap in use"
    affinity = host.get("affinity")
    usable = len(affinity) if isinstance(affinity, list) else 0
    quota = _number(host, "cgroup_cpus")
    if 0 < quota < usable:
        yield f"a control group allows {significant(quota, 2)} of {usable} CPUs"
    if hypervisors := [one for one in text(row["virtualised"]).split() if one not in CONTAINERS]:
        yield f"a virtual machine ({', '.join(hypervisors)}): other guests share caches and memory"
    source = _word(host, "clock_source")
    if source and source not in PLAIN_CLOCKS:
        yield f"clock source {source}: reading the time takes long"
    if 0 < usable <= 2:
        yield f"{counted(usable, 'CPU')} to run on: all threads leave none for the system"
    isolated = host.get("isolated_cpus")
    if isinstance(affinity, list) and isinstance(isolated, list):
        if isolated and not [cpu for cpu in isolated if cpu in affinity]:
            yield "a CPU is isolated, but measuring may not use it"
        elif usable > 1 and not isolated and _word(host, "kernel"):
            yield "no CPU is isolated"


def _word(host: Host, name: str) -> str:
    value = host.get(name)
    return value if isinstance(value, str) else ""


def _number(host: Host, name: str) -> float:
    """Give a number; 0 where there is none."""
    value = host.get(name)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else 0


def _is_count(value: object) -> bool:
    return text(value).isascii() and text(value).isdigit()


def _binary(size: int) -> str:
    for name, unit in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if size >= unit:
            return f"{significant(size / unit)} {name}"
    return f"{size} bytes"
