"""Small `/proc`, `/sys` and `/etc` of hosts that differ, as their kernels would show them."""

from collections.abc import Mapping
from pathlib import Path

Tree = Mapping[str, str]

CPU = "sys/devices/system/cpu"
CLOCK = "sys/devices/system/clocksource/clocksource0"


def write_tree(root: Path, *trees: Tree) -> Path:
    """Write files below a root, later trees over earlier ones."""
    for tree in trees:
        for name, text in tree.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    return root


def cpuinfo(cpus: int, **fields: str) -> str:
    """The file `/proc/cpuinfo`: a block for each CPU, with the same fields."""
    words = {name.replace("_", " "): text for name, text in fields.items()}
    blocks = (
        "".join(f"{name}\t: {text}\n" for name, text in ({"processor": str(cpu)} | words).items())
        for cpu in range(cpus)
    )
    return "\n".join(blocks)


def siblings(*groups: str) -> Tree:
    """Say which CPUs share a core, a group of two at most for each."""
    return {
        f"{CPU}/cpu{cpu}/topology/thread_siblings_list": f"{group}\n"
        for group in groups
        for cpu in group.split(",")
    }


def cache(index: int, level: int, kind: str, size: str) -> Tree:
    folder = f"{CPU}/cpu0/cache/index{index}"
    return {
        f"{folder}/level": f"{level}\n",
        f"{folder}/type": f"{kind}\n",
        f"{folder}/size": f"{size}\n",
    }


def governors(cpus: int, governor: str) -> Tree:
    return {f"{CPU}/cpu{cpu}/cpufreq/scaling_governor": f"{governor}\n" for cpu in range(cpus)}


XEON = {
    "proc/cpuinfo": cpuinfo(
        4, vendor_id="GenuineIntel", model_name="Intel(R) Xeon(R) E-2124G", flags="fpu tsc avx2"
    ).replace("vendor id", "vendor_id"),
    f"{CPU}/online": "0-3\n",
    f"{CPU}/isolated": "3\n",
    f"{CPU}/smt/active": "1\n",
    f"{CPU}/intel_pstate/no_turbo": "0\n",
    **siblings("0,2", "1,3"),
    **governors(4, "powersave"),
    **cache(0, 1, "Data", "32K"),
    **cache(1, 1, "Instruction", "32K"),
    **cache(2, 2, "Unified", "256K"),
    **cache(3, 3, "Unified", "8192K"),
    f"{CLOCK}/current_clocksource": "tsc\n",
    f"{CLOCK}/available_clocksource": "tsc hpet acpi_pm\n",
    "sys/class/dmi/id/sys_vendor": "Dell Inc.\n",
    "sys/class/dmi/id/product_name": "PowerEdge T140\n",
    "sys/devices/system/node/node0/cpulist": "0-3\n",
    "proc/meminfo": "MemTotal:       16000000 kB\nMemFree: 1 kB\nHugePages_Total:       0\n"
    "SwapTotal:       2000000 kB\nSwapFree:        1500000 kB\n",
    "proc/loadavg": "1.25 0.50 0.25 2/345 6789\n",
    # The mask has bits for CPUs that could be plugged in.
    "proc/self/status": "Name:\tpython\nCpus_allowed_list:\t0-2,4-127\n",
    "proc/self/cgroup": "0::/user.slice/user-1000.slice\n",
    "proc/sys/kernel/osrelease": "6.1.0-28-amd64\n",
    "proc/1/cgroup": "0::/init.scope\n",
    "etc/os-release": 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME="Debian GNU/Linux"\n',
}
"""Bare metal with everything that makes timings noisy: SMT, powersave, turbo, swap, load."""

EPYC = {
    "proc/cpuinfo": cpuinfo(4, vendor_id="AuthenticAMD", model_name="AMD EPYC 7302P").replace(
        "vendor id", "vendor_id"
    ),
    f"{CPU}/online": "0-3\n",
    f"{CPU}/smt/active": "0\n",
    f"{CPU}/cpufreq/boost": "0\n",
    **siblings("0", "1", "2", "3"),
    **governors(3, "performance"),
    f"{CPU}/cpu3/cpufreq/scaling_governor": "schedutil\n",
    "sys/class/dmi/id/sys_vendor": "Amazon EC2\n",
    "sys/class/dmi/id/product_name": "m5.metal\n",
    "sys/devices/system/node/node0/cpulist": "0-1\n",
    "sys/devices/system/node/node1/cpulist": "2-3\n",
}
"""A cloud's bare machine; somebody has set three of its four governors."""

VIRTUAL = {
    "proc/cpuinfo": cpuinfo(2, model_name="QEMU Virtual CPU", flags="fpu hypervisor"),
    f"{CLOCK}/current_clocksource": "kvm-clock\n",
    f"{CLOCK}/available_clocksource": "kvm-clock tsc acpi_pm\n",
}

CONTAINER_V2 = {
    ".dockerenv": "",
    "proc/self/cgroup": "0::/\n",
    "sys/fs/cgroup/cpu.max": "150000 100000\n",
    "sys/fs/cgroup/memory.max": "2147483648\n",
}

CONTAINER_V1 = {
    # The path is that of the host: inside, the container's own limits are at the top.
    "proc/self/cgroup": "5:memory:/kubepods/1\n3:cpu,cpuacct:/kubepods/1\n1:name=systemd:/x\n",
    "proc/1/cgroup": "5:memory:/kubepods/1\n",
    "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "50000\n",
    "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000\n",
    "sys/fs/cgroup/memory/memory.limit_in_bytes": "1073741824\n",
}

GRAVITON = {
    "proc/cpuinfo": cpuinfo(2, CPU_implementer="0x41", CPU_part="0xd40", Features="fp sve"),
    f"{CPU}/online": "0-1\n",
    **siblings("0", "1"),
    f"{CLOCK}/current_clocksource": "arch_sys_counter\n",
    "sys/class/dmi/id/sys_vendor": "Amazon EC2\n",
    "sys/class/dmi/id/product_name": "c7g.large\n",
}
