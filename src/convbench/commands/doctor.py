"""Say what this machine is, what makes its timings noisy, how noisy they are, and what helps.

It prints the machine's facts, the BLAS that this process really loads, each finding with the
command that mends it, the best rates and the noise floor, measured now, and how the null controls
in the store came out. Nothing on the machine is changed, and a finding is no failure.
"""

import argparse
import json
import math
import textwrap
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convbench import blas, ceilings, disturbance, machine, noise_floor, threads
from convbench.errors import BadResults, BadUsage
from convbench.host import CONTAINERS
from convbench.problem import DTYPES
from convbench.report import readable

if TYPE_CHECKING:
    from convbench.stats import NullControl

EXAMPLES = """\
convbench doctor

# three seconds for the noise floor, as a document
convbench doctor --seconds 3 --json
"""
SEE_ALSO = "docs/measuring.md; convbench measure"

STORE = Path("results/store")

COLUMNS = 80
"""Lines are no wider, but for commands that are to be copied whole."""

UNKNOWN = "unknown"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `convbench doctor`."""
    parser.add_argument(
        "--seconds",
        type=float,
        metavar="S",
        default=10.0,
        help="time for the noise floor; five processes need about five (default: 10)",
    )
    parser.add_argument(
        "--store",
        type=Path,
        metavar="DIR",
        default=STORE,
        help=f"whose null controls are judged, if it is there (default: {STORE})",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document instead")


def run(arguments: argparse.Namespace, say: Callable[[str], None]) -> int:
    """Read, measure and print; nothing on the machine is changed, and a finding is no failure."""
    if not 0 < arguments.seconds < math.inf:
        raise BadUsage(f"--seconds must be a positive number of seconds; got {arguments.seconds}")
    host = machine.host()  # before anything here raises the load
    blas.exercise()
    libraries = blas.loaded_blas()
    if arguments.json:
        say(json.dumps(document(host, libraries, arguments.seconds, arguments.store)))
        return 0
    for section in (
        titled("Machine", machine_lines(host)),
        titled("BLAS in this process", blas_lines(libraries)),
        titled("What makes timings noisy here", finding_lines(host)),
        titled("Best rates measured now", ceiling_lines()),
        titled("Noise floor measured now", floor_lines(arguments.seconds)),
        titled(f"Null controls in {arguments.store}", control_lines(arguments.store)),
    ):
        for line in section:  # each as soon as it is known
            say(line)
    return 0


def document(
    host: machine.Host, libraries: Iterable[blas.BlasLibrary], seconds: float, store: Path
) -> dict[str, Any]:
    """Measure, and give the whole answer as JSON."""
    limits = measured_ceilings()
    floor, disturbed = measured_floor(seconds)
    control = judged_control(store)
    return {
        "host": asdict(host),
        "blas": [asdict(library) for library in libraries],
        "findings": [asdict(finding) for finding in machine.findings(host)],
        "ceilings": [
            {"dtype": dtype, "threads": number} | asdict(limit)
            for (dtype, number), limit in limits.items()
        ],
        "noise_floor": asdict(floor) | {"disturbed": disturbed},
        "null_control": None if isinstance(control, str) else asdict(control),
        "null_control_missing": control if isinstance(control, str) else "",
    }


def titled(title: str, lines: Iterable[str]) -> Iterator[str]:
    """Put a title above lines, which are indented, and a blank one below."""
    yield title
    yield from (f"  {line}" for line in lines)
    yield ""


def machine_lines(host: machine.Host) -> Iterator[str]:
    """Write the facts of a host, one subject a line."""
    smt = {True: "SMT on", False: "no SMT", None: f"SMT {UNKNOWN}"}[host.smt]
    turbo = {True: "on", False: "off", None: UNKNOWN}[host.turbo]
    cores = UNKNOWN if host.cores is None else host.cores
    caches = ", ".join(f"{name} {binary(size)}" for name, size in host.caches.items())
    swap = f"{binary(host.swap_used_bytes)} of {binary(host.swap_total_bytes)} swap used"
    load = " ".join(f"{number:.2f}" for number in host.load_average)
    limits = (
        f"{host.cgroup_cpus:.2g} CPUs" if host.cgroup_cpus is not None else "",
        binary(host.cgroup_memory_bytes) if host.cgroup_memory_bytes is not None else "",
    )
    nodes = "" if host.numa_nodes is None else f", {readable.counted(host.numa_nodes, 'NUMA node')}"
    yield from aligned(
        (
            ("CPU", host.cpu or UNKNOWN),
            ("CPUs", f"{host.cpus} on {cores} cores, {smt}"),
            ("may use", f"{cpu_list(host.affinity)}; isolated: {cpu_list(host.isolated_cpus)}"),
            ("frequency", f"governor {host.governor or UNKNOWN}, turbo {turbo}"),
            ("caches", caches or UNKNOWN),
            (
                "memory",
                f"{binary(host.ram_bytes)}, {swap if host.swap_total_bytes else 'no swap'}{nodes}",
            ),
            ("load average", load or UNKNOWN),
            ("control group", ", ".join(filter(None, limits)) or "no limit"),
            ("virtualised", host.virtualised or "no"),
            ("clock source", host.clock_source or UNKNOWN),
            ("system", f"{host.os or UNKNOWN}, Linux {host.kernel or UNKNOWN}"),
        )
    )


def aligned(rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Write names and texts in two columns, breaking long texts within theirs."""
    rows = tuple(rows)
    width = max(len(name) for name, _ in rows) + 2
    for name, text in rows:
        # The title's indent is two.
        first, *rest = textwrap.wrap(text, COLUMNS - 2 - width, break_on_hyphens=False)
        yield f"{name:{width}}{first}"
        yield from (" " * width + line for line in rest)


def binary(number: int | None) -> str:
    """Write a size of memory in powers of 1024, as processors have them: 48 KiB, 23.5 GiB."""
    if number is None:
        return UNKNOWN
    for unit, power in (("GiB", 30), ("MiB", 20), ("KiB", 10)):
        if number >= 2**power:
            return f"{number / 2**power:.3g} {unit}"
    return f"{number} bytes"


def cpu_list(cpus: list[int]) -> str:
    """Write CPUs as the kernel does: 0-3,8."""
    ends: list[list[int]] = []
    for cpu in cpus:
        if ends and cpu == ends[-1][1] + 1:
            ends[-1][1] = cpu
        else:
            ends.append([cpu, cpu])
    texts = (str(first) if first == last else f"{first}-{last}" for first, last in ends)
    return ",".join(texts) or "none"


def blas_lines(libraries: Iterable[blas.BlasLibrary]) -> Iterator[str]:
    """Identify each BLAS library in two lines."""
    for library in libraries:
        words = (library.version, library.architecture, library.threading_layer)
        count = readable.counted(library.threads, "thread") if library.threads else ""
        yield ", ".join(filter(None, (library.family, *words, count)))
        yield f"  {library.file}, sha256 {library.sha256[:12]}"


def finding_lines(host: machine.Host) -> Iterator[str]:
    """Write each finding with its reason and the command that helps."""
    found = machine.findings(host)
    if not found:
        yield "nothing that can be seen"
    for finding in found:
        yield from aligned(
            ((finding.severity, f"{finding.what}:"), (" " * len("serious"), finding.why))
        )
        yield f"         {f'$ {finding.fix}' if finding.fix else 'nothing can be done from here'}"
    if any(finding.fix for finding in found) and CONTAINERS & set(host.virtualised.split()):
        yield "In a container: give these commands on its host."


def measured_ceilings() -> dict[tuple[str, int], ceilings.Ceilings]:
    """Measure the ceilings for each dtype on one thread and on all."""
    numbers = sorted({1, threads.count()})
    return {
        (dtype, number): ceilings.measured(dtype, number) for dtype in DTYPES for number in numbers
    }


def ceiling_lines() -> Iterator[str]:
    """Measure the ceilings and write one line for each dtype and number of threads."""
    limits = measured_ceilings()
    rates = {
        f"GEMM {dtype}, {readable.counted(number, 'thread')}": readable.rate(
            limit.flops_per_second / 1e9
        )
        for (dtype, number), limit in limits.items()
    }
    cache = max(limit.cache_bytes_per_second for limit in limits.values())
    memory = max(limit.memory_bytes_per_second for limit in limits.values())
    yield from aligned(
        (
            *rates.items(),
            ("copies in a core's caches", f"{readable.quantity(cache, 'bytes')}/s"),
            ("copies in memory", f"{readable.quantity(memory, 'bytes')}/s, one thread"),
        )
    )


def measured_floor(seconds: float) -> tuple[noise_floor.NoiseFloor, str]:
    """Measure the noise floor, and say what disturbed it."""
    before = disturbance.snapshot()
    floor = noise_floor.noise_floor(seconds)
    return floor, disturbance.reason(disturbance.between(before, disturbance.snapshot()))


def floor_lines(seconds: float) -> Iterator[str]:
    """Measure the noise floor and write it."""
    floor, disturbed = measured_floor(seconds)
    yield from aligned(
        (
            (
                "fixed kernel",
                f"{readable.seconds(floor.median_seconds)}, {floor.samples:,} samples in"
                f" {floor.processes} fresh processes, each on one CPU",
            ),
            ("within a run", f"{share(floor.within_run)}, half of the samples lie in this range"),
            (
                "between runs",
                f"{share(floor.between_process)} from the fastest to the slowest process",
            ),
            ("disturbed", disturbed or "no"),
        )
    )


def share(part: float) -> str:
    """Write a part of one in percent."""
    return f"{readable.significant(part * 100, 2)} %"


def judged_control(store: Path) -> "NullControl | str":
    """Judge a store's null controls, or say why there is nothing to judge."""
    from convbench import results
    from convbench.stats.null_control import BENCHMARK, null_control

    if not store.exists():
        return "there is no store; `convbench collect` makes one"
    try:
        control = null_control(results.load(store, benchmark=BENCHMARK))
    except BadResults as reason:
        return str(reason)
    return control if control.pairs else "no run in it holds a null control yet"


def control_lines(store: Path) -> Iterator[str]:
    """Write how far the same work differed under two labels, and how often it raised an alarm."""
    control = judged_control(store)
    if isinstance(control, str):
        yield from textwrap.wrap(control, COLUMNS - 2)
        return
    pairs = readable.counted(control.pairs, "pair")
    yield from aligned(
        (
            ("measured", f"{pairs} of the same work in {readable.counted(control.runs, 'run')}"),
            (
                "spread",
                f"{share(control.spread)} apart, half of the pairs less;"
                f" {share(control.largest)} at most",
            ),
            (
                "false alarms",
                f"{control.alarms}, a rate of {share(control.rate)}, below"
                f" {share(control.upper)} with 95 % confidence",
            ),
        )
    )
