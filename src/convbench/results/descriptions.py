"""What asv's ``benchmarks.json`` and ``machine.json`` say."""

from convbench.results.raw_files import loads_bounded
from convbench.results.result_file import Benchmark, utf8

MACHINE_FACTS = ("os", "arch", "cpu", "num_cpu", "ram")


def parse_benchmarks(raw: bytes) -> dict[str, Benchmark]:
    """Read ``benchmarks.json``; keys beside the benchmarks (its version) are passed over."""
    return {
        utf8(name): Benchmark(
            benchmark=utf8(name),
            type=utf8(entry.get("type") or ""),
            unit=utf8(entry.get("unit") or ""),
            param_names=tuple(map(utf8, entry.get("param_names") or ())),
            version=utf8(entry.get("version") or ""),
            code=utf8(entry.get("code") or ""),
        )
        for name, entry in _object(raw).items()
        if isinstance(entry, dict)
    }


def parse_machine(raw: bytes) -> dict[str, str]:
    """Read ``machine.json``: free text under the names that asv uses."""
    said = _object(raw)
    return {key: utf8(said.get(key) or "") for key in MACHINE_FACTS}


def _object(raw: bytes) -> dict[str, object]:
    data = loads_bounded(raw)
    if not isinstance(data, dict):
        raise ValueError("no JSON object")
    return data
