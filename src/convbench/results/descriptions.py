"""What asv's ``benchmarks.json`` and ``machine.json`` say."""

from collections.abc import Mapping
from typing import Any

from convbench.results.raw_files import loads_bounded
from convbench.results.result_file import Benchmark, utf8

MACHINE_FACTS = ("os", "arch", "cpu", "num_cpu", "ram")

MAX_DESCRIBED = 200_000
"""Benchmarks of one ``benchmarks.json``; the largest suites have some ten thousand."""

MAX_PARAMETER_NAME = 1000

MAX_MACHINE_BYTES = 1_000_000
"""asv writes some hundred; what it says stands in the manifest, too."""


def parse_benchmarks(raw: bytes) -> dict[str, Benchmark]:
    """Read ``benchmarks.json``; keys beside the benchmarks (its version) are passed over."""
    described = _object(raw)
    if len(described) > MAX_DESCRIBED:
        raise ValueError(f"{len(described):,} benchmarks; at most {MAX_DESCRIBED:,} are read")
    known = _benchmarks(described)
    longest = max((len(n) for one in known.values() for n in one.param_names), default=0)
    if longest > MAX_PARAMETER_NAME:  # every combination of parameters repeats it
        raise ValueError(
            f"a parameter's name of {longest:,} characters; at most {MAX_PARAMETER_NAME} are read"
        )
    return known


def _benchmarks(described: Mapping[str, Any]) -> dict[str, Benchmark]:
    return {
        utf8(name): Benchmark(
            benchmark=utf8(name),
            type=utf8(entry.get("type") or ""),
            unit=utf8(entry.get("unit") or ""),
            param_names=tuple(map(utf8, entry.get("param_names") or ())),
            version=utf8(entry.get("version") or ""),
            code=utf8(entry.get("code") or ""),
        )
        for name, entry in described.items()
        if isinstance(entry, dict)
    }


def parse_machine(raw: bytes) -> dict[str, str]:
    """Read ``machine.json``: free text under the names that asv uses."""
    if len(raw) > MAX_MACHINE_BYTES:
        raise ValueError(f"{len(raw):,} bytes; at most {MAX_MACHINE_BYTES:,} are read")
    said = _object(raw)
    return {key: utf8(said.get(key) or "") for key in MACHINE_FACTS}


def _object(raw: bytes) -> dict[str, object]:
    data = loads_bounded(raw)
    if not isinstance(data, dict):
        raise ValueError("no JSON object")
    return data
