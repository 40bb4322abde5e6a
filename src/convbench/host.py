"""Facts of a host that decide how far its timings can be trusted, read without privilege.

Everything comes from files below `/proc`, `/sys` and `/etc`; nothing is changed, and what a
kernel, a container or a hypervisor hides is None. Sources: the kernel's documentation of
cpufreq, cgroup-v1, cgroup-v2 and sysfs-devices-system-cpu; proc(5).
"""

import itertools
import operator
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

SYSTEM = Path("/")

CPU_FOLDER = "sys/devices/system/cpu"

# Arm's processors give numbers instead of a name; the parts that servers and boards are made of.
_ARM = "0x41"
_ARM_PARTS = {
    "0xd08": "Cortex-A72",
    "0xd0b": "Cortex-A76",
    "0xd0c": "Neoverse-N1",
    "0xd40": "Neoverse-V1",
    "0xd49": "Neoverse-N2",
    "0xd4f": "Neoverse-V2",
}

_HYPERVISORS = (
    ("vmware", "vmware"),
    ("virtualbox", "virtualbox"),
    ("innotek", "virtualbox"),
    ("virtual machine", "hyper-v"),  # Microsoft's own laptops have the same vendor
    ("xen", "xen"),
    ("qemu", "kvm"),
    ("kvm", "kvm"),
    ("amazon ec2", "kvm"),
    ("google compute engine", "kvm"),
    ("openstack", "kvm"),
)
_CONTAINERS_OF_WORD = (
    ("docker", "docker"),
    ("libpod", "podman"),
    ("kubepods", "kubernetes"),
    ("lxc", "lxc"),
)
CONTAINERS = frozenset({"docker", "podman", "kubernetes", "lxc"})
"""Words of `Host.virtualised` that mean a shared kernel; every other word is a hypervisor."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """What a machine is and how it is set, as plain JSON values; None where it can't be known.

    Attributes
    ----------
    cpu, vendor : str
        Model name and maker, empty where unknown.
    cores, cpus : int
        Physical cores, and logical CPUs that are online: with SMT, several to a core.
    smt : bool or None
        Whether cores run several CPUs at the moment.
    governor : str or None
        Who chooses the clock, as `performance`; several words where CPUs differ.
    turbo : bool or None
        Whether the clock may rise above the rated one while heat and neighbours allow.
    caches : dict of str to int
        Bytes of one instance of L1d, L2, L3: those of the first CPU.
    ram_bytes, swap_used_bytes, swap_total_bytes : int or None
    load_average : list of float
        Runnable tasks, on average over 1, 5 and 15 minutes; empty where unknown.
    cgroup_cpus : float or None
        The strictest quota above this process, in CPUs; None without one.
    cgroup_memory_bytes : int or None
        The strictest limit above this process that is below the RAM; None without one.
    affinity, isolated_cpus : list of int
        CPUs that this process may use; CPUs that the scheduler keeps free of other work.
    virtualised : str
        Hypervisor and container, as `kvm`, `docker` or `kvm docker`; empty on bare metal.
    clock_source : str or None
        What the kernel reads the time from, as `tsc`.
    kernel, os : str
        Release of the kernel, name of the distribution.
    numa_nodes : int or None
        Parts of the memory that are near to some CPUs and far from others.
    """

    cpu: str
    vendor: str
    cores: int | None
    cpus: int
    smt: bool | None
    governor: str | None
    turbo: bool | None
    caches: dict[str, int]
    ram_bytes: int | None
    swap_used_bytes: int | None
    swap_total_bytes: int | None
    load_average: list[float]
    cgroup_cpus: float | None
    cgroup_memory_bytes: int | None
    affinity: list[int]
    isolated_cpus: list[int]
    virtualised: str
    clock_source: str | None
    kernel: str
    os: str
    numa_nodes: int | None


def host(root: Path = SYSTEM) -> Host:
    """Read the facts of this host, or of one whose `proc`, `sys` and `etc` lie below another root.

    A file that is missing, forbidden or garbled leaves its facts unknown and raises nothing.
    """
    folder = root / CPU_FOLDER
    processors = _processors(root)
    first = processors[0] if processors else {}
    online = _listed(text_of(folder / "online")) or list(range(len(processors) or _cpu_count()))
    cores = _cores(folder, online, processors)
    memory = _memory(root)
    return Host(
        cpu=_model(first),
        vendor=_vendor(first),
        cores=cores,
        cpus=len(online),
        smt=_smt(folder, cores, len(online)),
        governor=_governor(folder, online),
        turbo=_turbo(folder),
        caches=_caches(folder / f"cpu{online[0]}/cache"),
        ram_bytes=memory.get("MemTotal"),
        swap_used_bytes=_difference(memory.get("SwapTotal"), memory.get("SwapFree")),
        swap_total_bytes=memory.get("SwapTotal"),
        load_average=_load_average(root),
        cgroup_cpus=min(_quotas(root), default=None),
        cgroup_memory_bytes=min(_memory_limits(root, memory.get("MemTotal")), default=None),
        affinity=_affinity(root, online),
        isolated_cpus=_listed(text_of(folder / "isolated")),
        virtualised=" ".join(filter(None, (_hypervisor(root, first), _container(root)))),
        clock_source=text_of(_clock_folder(root) / "current_clocksource") or None,
        kernel=text_of(root / "proc/sys/kernel/osrelease"),
        os=_distribution(root),
        numa_nodes=len(list((root / "sys/devices/system/node").glob("node[0-9]*"))) or None,
    )


def text_of(path: Path) -> str:
    """Read a small file of the kernel's; empty when it is missing or may not be read."""
    try:
        # Firmware writes what it likes into its tables.
        return path.read_text(errors="replace").strip("\0 \n\t")
    except OSError:
        return ""


def _cpu_count() -> int:
    return os.cpu_count() or 1


def _integer(text: str) -> int | None:
    return int(text) if re.fullmatch("[0-9]+", text, re.ASCII) else None


def _listed(text: str) -> list[int]:
    """Parse the kernel's list of CPUs: 0-3,8 is five of them."""
    if not re.fullmatch(r"[0-9]+(-[0-9]+)?(,[0-9]+(-[0-9]+)?)*", text, re.ASCII):
        return []
    ends = ([int(end) for end in part.split("-")] for part in text.split(","))
    return [cpu for part in ends for cpu in range(part[0], part[-1] + 1)]


def _pairs(text: str) -> dict[str, str]:
    """Parse lines of `key : value`."""
    lines = (line.partition(":") for line in text.splitlines())
    return {key.strip(): value.strip() for key, _, value in lines}


def _processors(root: Path) -> list[dict[str, str]]:
    blocks = re.split(r"\n\s*\n", text_of(root / "proc/cpuinfo"))
    return [fields for block in blocks if "processor" in (fields := _pairs(block))]


def _model(processor: dict[str, str]) -> str:
    if name := processor.get("model name"):
        return name
    part = processor.get("CPU part", "")
    if processor.get("CPU implementer") == _ARM and part in _ARM_PARTS:
        return _ARM_PARTS[part]
    return f"{processor['CPU implementer']} part {part}" if part else ""


def _vendor(processor: dict[str, str]) -> str:
    maker = processor.get("CPU implementer", "")
    return processor.get("vendor_id") or ("ARM" if maker == _ARM else maker)


def _cores(folder: Path, online: list[int], processors: list[dict[str, str]]) -> int | None:
    """Count cores by the CPUs that share one, or by their numbers where the kernel gives these."""
    siblings = {text_of(folder / f"cpu{cpu}/topology/thread_siblings_list") for cpu in online}
    if siblings and "" not in siblings:
        return len(siblings)
    numbered = [one for one in processors if "core id" in one]
    return len({(one.get("physical id"), one["core id"]) for one in numbered}) or None


def _smt(folder: Path, cores: int | None, cpus: int) -> bool | None:
    if active := text_of(folder / "smt/active"):
        return active == "1"
    return None if cores is None else cores < cpus


def _governor(folder: Path, online: list[int]) -> str | None:
    each = {text_of(folder / f"cpu{cpu}/cpufreq/scaling_governor") for cpu in online} - {""}
    return " ".join(sorted(each)) or None


def _turbo(folder: Path) -> bool | None:
    if forbidden := text_of(folder / "intel_pstate/no_turbo"):
        return forbidden == "0"
    boost = text_of(folder / "cpufreq/boost")
    return boost == "1" if boost else None


def _caches(folder: Path) -> dict[str, int]:
    caches = {}
    for index in sorted(folder.glob("index[0-9]*")):
        kind, size = text_of(index / "type"), _integer(text_of(index / "size").removesuffix("K"))
        if size and kind in ("Data", "Unified"):
            suffix = "d" if kind == "Data" else ""
            caches[f"L{text_of(index / 'level')}{suffix}"] = size * 1024
    return caches


def _memory(root: Path) -> dict[str, int]:
    """Read bytes of `/proc/meminfo`, which counts in kB of 1024."""
    fields = _pairs(text_of(root / "proc/meminfo")).items()
    amounts = {name: _integer(text.removesuffix(" kB")) for name, text in fields}
    return {name: amount * 1024 for name, amount in amounts.items() if amount is not None}


def _difference(total: int | None, free: int | None) -> int | None:
    return None if total is None or free is None else total - free


def _load_average(root: Path) -> list[float]:
    found = re.match(3 * r"([0-9]+\.[0-9]+) ", text_of(root / "proc/loadavg"))
    return [float(number) for number in found.groups()] if found else []


def _affinity(root: Path, online: list[int]) -> list[int]:
    """Read where this process may run; the kernel also lists CPUs that are not there."""
    allowed = _pairs(text_of(root / "proc/self/status")).get("Cpus_allowed_list", "")
    return sorted(set(_listed(allowed)) & set(online)) or online


def _cgroup_folders(root: Path, controller: str) -> Iterator[Path]:
    """List the control groups of this process, outermost first, in both versions of cgroups.

    Inside a container the path that the kernel tells may not exist; its limit then stands at
    the top of what is mounted.
    """
    lines = text_of(root / "proc/self/cgroup").splitlines() or ["0::/", f"1:{controller}:/"]
    for _, controllers, path in (line.split(":", 2) for line in lines if line.count(":") >= 2):
        if controllers and controller not in controllers.split(","):
            continue
        parts = (part for part in PurePosixPath(path).parts if part not in ("/", ".."))
        top = root / "sys/fs/cgroup" / controllers
        yield from itertools.accumulate(parts, operator.truediv, initial=top)


def _quotas(root: Path) -> Iterator[float]:
    for folder in _cgroup_folders(root, "cpu"):
        legacy = (text_of(folder / f"cpu.cfs_{name}_us") for name in ("quota", "period"))
        words = text_of(folder / "cpu.max").split() or list(legacy)
        quota, period = (_integer(word) for word in words[:2])
        if quota and period:
            yield quota / period


def _memory_limits(root: Path, ram_bytes: int | None) -> Iterator[int]:
    for folder in _cgroup_folders(root, "memory"):
        for name in ("memory.max", "memory.limit_in_bytes"):
            limit = _integer(text_of(folder / name))
            # Version 1 writes no limit as a number of exabytes.
            if limit and limit < (ram_bytes or 2**60):
                yield limit


def _clock_folder(root: Path) -> Path:
    return root / "sys/devices/system/clocksource/clocksource0"


def _hypervisor(root: Path, processor: dict[str, str]) -> str:
    """Name the hypervisor by what its firmware, then what its clock calls itself."""
    firmware = " ".join(
        text_of(root / "sys/class/dmi/id" / name) for name in ("sys_vendor", "product_name")
    ).lower()
    clocks = text_of(_clock_folder(root) / "available_clocksource")
    flagged = "hypervisor" in processor.get("flags", "").split()
    if ".metal" in firmware:  # a cloud's bare machine bears the cloud's name
        return ""
    for word, name in _HYPERVISORS:
        if word in firmware or word in text_of(root / "sys/hypervisor/type"):
            return name
    if "kvm-clock" in clocks or (root / "proc/device-tree/hypervisor").exists():
        return "kvm"
    return "vm" if flagged else ""


def _container(root: Path) -> str:
    if (root / ".dockerenv").exists():
        return "docker"
    if (root / "run/.containerenv").exists():
        return "podman"
    groups = text_of(root / "proc/1/cgroup")
    return next((name for word, name in _CONTAINERS_OF_WORD if word in groups), "")


def _distribution(root: Path) -> str:
    for line in text_of(root / "etc/os-release").splitlines():
        key, _, value = line.partition("=")
        if key == "PRETTY_NAME":
            return value.strip("\"'")
    return ""
