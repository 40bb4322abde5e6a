"""The levels of memory, and the working set that each one's bandwidth is measured on.

This file is loaded beside other commits' packages too, hence imports nothing of this one.
"""

import contextlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

LEVELS = ("L1", "L2", "L3", "DRAM")

DRAM_FACTOR = 4
"""A working set of so many times the last cache is memory's, but for what happens to be left."""

MAX_WORKING_SET = 2**30
"""No working set is larger than these bytes, or than an eighth of the RAM. A cache that holds a
good part of the largest one answers for memory then: that rate is an upper bound of memory's, as
on a virtual machine that is told of a large cache and owns an unknown part of it."""

CACHES = "/sys/devices/system/cpu/cpu{}/cache"


@dataclass(frozen=True, slots=True)
class Cache:
    """A data cache: its bytes, and how many CPUs share them."""

    bytes: int
    sharers: int


def caches(folder: Path | None = None) -> dict[str, Cache]:
    """Read the caches of a CPU of this process by level, L1 first; none where nothing tells."""
    first = min(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0
    found = {}
    for index in (folder or Path(CACHES.format(first))).glob("index[0-9]*"):
        with contextlib.suppress(OSError, ValueError, LookupError):
            names = ("type", "level", "size", "shared_cpu_list")
            kind, level, size, sharing = ((index / name).read_text().strip() for name in names)
            if kind != "Instruction":
                unit = {"K": 2**10, "M": 2**20, "G": 2**30}[size[-1]]
                found[f"L{int(level)}"] = Cache(int(size[:-1]) * unit, _counted(sharing))
    return dict(sorted(found.items()))


def _counted(cpus: str) -> int:
    """Count the CPUs of a list as `0-3,8`."""
    ends = [[int(end) for end in part.split("-")] for part in cpus.split(",")]
    return sum(each[-1] - each[0] + 1 for each in ends)


def capacities(threads: int, known: Mapping[str, Cache]) -> dict[str, int]:
    """Give the bytes that so many threads, each on its own CPU, have of each level together."""
    return {level: one.bytes * threads // min(threads, one.sharers) for level, one in known.items()}


def working_set(level: str, threads: int, known: Mapping[str, Cache] | None = None) -> int:
    """Choose the bytes that so many threads work on together, for one level of L1 … DRAM.

    They lie midway between what the level before holds and what this level holds, about half of
    this one; for DRAM they are `DRAM_FACTOR` times the last cache. `MAX_WORKING_SET` caps them.
    """
    held = capacities(threads, caches() if known is None else known)
    cap = min(MAX_WORKING_SET, os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 8)
    if level == "DRAM":
        return min(cap, DRAM_FACTOR * max(held.values(), default=cap))
    if level not in held:
        raise LookupError(f"no cache {level} here; known: {', '.join(held) or 'none'}, and DRAM")
    before = max((size for name, size in held.items() if name < level), default=0)
    return min(cap, (before + held[level]) // 2)


def level_of(working_bytes: int, threads: int) -> str:
    """Name the first level that holds so many bytes, of so many threads together."""
    held = capacities(threads, caches())
    return next((level for level, size in held.items() if working_bytes <= size), "DRAM")
