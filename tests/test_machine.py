import json
import os
import re
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import fake_hosts
import pytest
from fake_hosts import (
    CLOCK,
    CONTAINER_V1,
    CONTAINER_V2,
    CPU,
    EPYC,
    GRAVITON,
    VIRTUAL,
    XEON,
    Tree,
    write_tree,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from convbench import machine
from convbench.machine import Host, findings


def read(root: Path, *trees: Tree) -> Host:
    return machine.host(write_tree(root, *trees))


def test_a_bare_xeon_tells_everything(tmp_path: Path) -> None:
    assert read(tmp_path, XEON) == Host(
        cpu="Intel(R) Xeon(R) E-2124G",
        vendor="GenuineIntel",
        cores=2,
        cpus=4,
        smt=True,
        governor="powersave",
        turbo=True,
        caches={"L1d": 32 * 1024, "L2": 256 * 1024, "L3": 8 * 1024**2},
        ram_bytes=16_000_000 * 1024,
        swap_used_bytes=500_000 * 1024,
        swap_total_bytes=2_000_000 * 1024,
        load_average=[1.25, 0.5, 0.25],
        cgroup_cpus=None,
        cgroup_memory_bytes=None,
        affinity=[0, 1, 2],
        isolated_cpus=[3],
        virtualised="",
        clock_source="tsc",
        kernel="6.1.0-28-amd64",
        os="Debian GNU/Linux 12 (bookworm)",
        numa_nodes=1,
    )


def test_an_amd_machine_without_smt_and_boost_of_which_one_cpu_is_set_otherwise(
    tmp_path: Path,
) -> None:
    host = read(tmp_path, EPYC)

    assert (host.cores, host.cpus, host.smt, host.turbo) == (4, 4, False, False)
    assert host.governor == "performance schedutil"
    assert host.numa_nodes == 2
    assert host.virtualised == ""  # a cloud's name, but .metal


def test_a_cpu_that_is_offline_does_not_count(tmp_path: Path) -> None:
    host = read(tmp_path, XEON, {f"{CPU}/online": "0-1\n", f"{CPU}/smt/active": "0\n"})

    assert (host.cores, host.cpus, host.smt, host.affinity) == (2, 2, False, [0, 1])


def test_cores_are_counted_by_their_numbers_where_the_topology_is_hidden(tmp_path: Path) -> None:
    fields = {"model_name": "a cpu", "physical_id": "0", "core_id": "0"}

    host = read(tmp_path, {"proc/cpuinfo": fake_hosts.cpuinfo(2, **fields)})

    assert (host.cores, host.cpus, host.smt) == (1, 2, True)


@pytest.mark.parametrize(
    ("trees", "virtualised"),
    [
        ([VIRTUAL], "kvm"),
        ([VIRTUAL, {f"{CLOCK}/available_clocksource": "tsc\n"}], "vm"),
        ([VIRTUAL, {"sys/class/dmi/id/sys_vendor": "VMware, Inc.\n"}], "vmware"),
        ([XEON, CONTAINER_V2], "docker"),
        ([XEON, {"run/.containerenv": ""}], "podman"),
        ([VIRTUAL, CONTAINER_V1], "kvm kubernetes"),
        ([GRAVITON], "kvm"),  # Arm has no flag for it; the firmware says so
        ([{"sys/hypervisor/type": "xen\n"}], "xen"),
    ],
)
def test_hypervisor_and_container_are_named(
    trees: Sequence[Tree], virtualised: str, tmp_path: Path
) -> None:
    assert read(tmp_path, *trees).virtualised == virtualised


@pytest.mark.parametrize(
    ("limits", "cpus", "memory_bytes"),
    [
        (CONTAINER_V2, 1.5, 2 * 1024**3),
        (CONTAINER_V1, 0.5, 1024**3),
        # The strictest one above this process counts, wherever it stands.
        (
            {
                "proc/self/cgroup": "0::/a.slice/b.scope\n",
                "sys/fs/cgroup/a.slice/cpu.max": "200000 100000\n",
                "sys/fs/cgroup/a.slice/b.scope/cpu.max": "300000 100000\n",
                "sys/fs/cgroup/a.slice/b.scope/memory.max": "max\n",
                "sys/fs/cgroup/other.slice/cpu.max": "1000 100000\n",
            },
            2.0,
            None,
        ),
        # No limits, as both versions write them.
        (
            CONTAINER_V1
            | {
                "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "-1\n",
                "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
            },
            None,
            None,
        ),
        (
            CONTAINER_V2 | {"sys/fs/cgroup/cpu.max": "max 100000\n"},
            None,
            2 * 1024**3,
        ),
    ],
)
def test_limits_of_control_groups(
    limits: Tree, cpus: float | None, memory_bytes: int | None, tmp_path: Path
) -> None:
    host = read(tmp_path, XEON, limits)

    assert (host.cgroup_cpus, host.cgroup_memory_bytes) == (cpus, memory_bytes)


def test_an_arm_processor_is_named_by_its_part(tmp_path: Path) -> None:
    known = read(tmp_path / "known", GRAVITON)
    other = {"proc/cpuinfo": GRAVITON["proc/cpuinfo"].replace("0xd40", "0xabc")}
    unknown = read(tmp_path / "unknown", GRAVITON, other)

    assert (known.cpu, known.vendor, known.cores, known.smt) == ("Neoverse-V1", "ARM", 2, False)
    assert unknown.cpu == "0x41 part 0xabc"


def test_nothing_to_read_is_nothing_known(tmp_path: Path) -> None:
    host = machine.host(tmp_path)

    assert host.cpus == os.cpu_count()  # what Python knows without any file
    assert host.affinity == list(range(host.cpus))
    rest = asdict(host)
    del rest["cpus"], rest["affinity"]
    assert not any(rest.values())
    assert host.smt is host.turbo is host.governor is host.cores is None


def test_files_that_may_not_be_read_are_missing_ones(tmp_path: Path) -> None:
    for name in XEON:  # a folder in place of a file can't be read, not even by root
        (tmp_path / name).mkdir(parents=True)

    assert machine.host(tmp_path).cpu == ""


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(st.dictionaries(st.sampled_from(sorted(XEON | CONTAINER_V1)), st.text(max_size=30)))
def test_garbled_files_raise_nothing(tmp_path: Path, garbled: dict[str, str]) -> None:
    clean = {name: text.encode("utf-8", "replace").decode() for name, text in garbled.items()}

    host = read(tmp_path, XEON, CONTAINER_V1, clean)

    findings(host)
    json.dumps(asdict(host))


def test_this_host_is_what_others_say_of_it() -> None:
    host = machine.host()

    assert host.kernel == os.uname().release
    assert host.affinity == sorted(os.sched_getaffinity(0))
    assert host.cpus == os.sysconf("SC_NPROCESSORS_ONLN")
    assert host.ram_bytes == os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert host.load_average == pytest.approx(os.getloadavg(), abs=0.5)
    assert host.cores is None or 1 <= host.cores <= host.cpus
    assert Host(**json.loads(json.dumps(asdict(host)))) == host


CALM = Host(
    cpu="a cpu",
    vendor="GenuineIntel",
    cores=8,
    cpus=8,
    smt=False,
    governor="performance",
    turbo=False,
    caches={},
    ram_bytes=10**10,
    swap_used_bytes=10**6,
    swap_total_bytes=10**9,
    load_average=[0.05, 1.0, 9.0],
    cgroup_cpus=None,
    cgroup_memory_bytes=10**9,
    affinity=[0, 1, 2, 3, 7],
    isolated_cpus=[7],
    virtualised="docker",
    clock_source="tsc",
    kernel="6.1",
    os="Debian",
    numa_nodes=1,
)

NOISY = {
    "load average 0.90, above 0.80": {"load_average": [0.9, 0.0, 0.0]},
    "CPU frequency governor powersave": {"governor": "powersave"},
    "CPU frequency governor performance schedutil": {"governor": "performance schedutil"},
    "turbo is on": {"turbo": True},
    "SMT is on: 8 CPUs on 4 cores": {"smt": True, "cores": 4},
    "0.50 GB of swap in use": {"swap_used_bytes": 500_000_000},
    "a control group allows 2.5 of 5 CPUs": {"cgroup_cpus": 2.5},
    "a virtual machine (kvm)": {"virtualised": "kvm docker"},
    "the clock source is hpet, not tsc": {"clock_source": "hpet"},
    "one CPU to run on": {"affinity": [7]},
    "2 CPUs to run on": {"affinity": [0, 7]},
    "CPU 7 is isolated, but this process may not use it": {"affinity": [0, 1, 2]},
    "no CPU is isolated": {"isolated_cpus": []},
}


def test_a_calm_host_gives_no_finding() -> None:
    assert findings(CALM) == ()


def test_a_quota_counts_against_the_cpus_that_may_be_used() -> None:
    assert findings(replace(CALM, cgroup_cpus=5.0)) == ()  # of eight, on five


@pytest.mark.parametrize("what", NOISY)
def test_each_thing_that_makes_timings_noisy_is_one_finding_with_its_reason(what: str) -> None:
    (finding,) = findings(replace(CALM, **NOISY[what]))

    assert finding.what == what
    assert finding.why
    assert finding.severity in ("serious", "minor")


def test_what_is_unknown_is_no_finding(tmp_path: Path) -> None:
    host = replace(machine.host(tmp_path), affinity=[0, 1, 2])

    assert findings(host) == ()


def test_serious_things_come_first() -> None:
    everything = replace(CALM, isolated_cpus=[], clock_source="hpet", turbo=True, smt=True)

    severities = [finding.severity for finding in findings(everything)]

    assert severities == ["serious", "serious", "minor", "minor"]


def fixes() -> dict[str, str]:
    # AMD's boost has another switch; outside of a container, a quota has another command.
    more = {
        "boost": {"turbo": True, "vendor": "AuthenticAMD"},
        "quota": {"cgroup_cpus": 2.5, "virtualised": ""},
    }
    found = {what: findings(replace(CALM, **facts)) for what, facts in (NOISY | more).items()}
    return {what: finding.fix for what, (finding,) in found.items() if finding.fix}


@pytest.mark.parametrize("fix", fixes().values(), ids=fixes())
def test_a_fix_is_a_command_that_a_shell_accepts(fix: str) -> None:
    subprocess.run(["bash", "-n", "-c", fix], check=True)


@pytest.mark.parametrize(
    ("what", "before", "after"),
    [
        (
            "CPU frequency governor powersave",
            {f"{CPU}/cpu{cpu}/cpufreq/scaling_governor": "powersave" for cpu in (0, 1)},
            "performance",
        ),
        ("turbo is on", {f"{CPU}/intel_pstate/no_turbo": "0"}, "1"),
        ("boost", {f"{CPU}/cpufreq/boost": "1"}, "0"),
        ("SMT is on: 8 CPUs on 4 cores", {f"{CPU}/smt/control": "on"}, "off"),
        ("the clock source is hpet, not tsc", {f"{CLOCK}/current_clocksource": "hpet"}, "tsc"),
    ],
)
def test_a_fix_writes_what_the_kernel_reads(
    what: str, before: Tree, after: str, tmp_path: Path
) -> None:
    root = write_tree(tmp_path, before)
    command = fixes()[what].replace("sudo ", "").replace("/sys/", f"{root}/sys/")

    subprocess.run(["bash", "-c", command], check=True, capture_output=True)

    assert {(root / name).read_text() for name in before} == {f"{after}\n"}
    # Only switches that exist were written.
    assert {path for path in root.rglob("*") if path.is_file()} == {root / name for name in before}


def test_the_fix_of_isolation_adds_to_the_command_line_of_the_kernel(tmp_path: Path) -> None:
    grub = tmp_path / "grub"
    grub.write_text(
        'GRUB_TIMEOUT=5\nGRUB_CMDLINE_LINUX_DEFAULT="quiet"\nGRUB_CMDLINE_LINUX="net.ifnames=0"\n'
    )
    command = re.sub(" && sudo update-grub.*", "", fixes()["no CPU is isolated"])

    command = command.replace("sudo ", "").replace("/etc/default/grub", str(grub))
    subprocess.run(["bash", "-c", command], check=True)

    assert grub.read_text().splitlines()[1:] == [
        'GRUB_CMDLINE_LINUX_DEFAULT="quiet"',
        'GRUB_CMDLINE_LINUX="isolcpus=7 nohz_full=7 net.ifnames=0"',
    ]


def test_the_fix_of_a_quota_names_whole_cpus_that_may_be_used() -> None:
    assert fixes()["a control group allows 2.5 of 5 CPUs"].startswith(
        "docker run --cpuset-cpus=0,1 "
    )
    assert "AllowedCPUs=0,1" in fixes()["quota"]
