"""pyperf's files, formats 6 and 1.0 (pyperf 0.9.6 and later): suites of benchmarks in runs.

The value is the median of all runs' values, each of them per call already; warm-ups and runs that
only calibrate are passed over. What all benchmarks or runs have in common stands once, further up.

Format: https://pyperf.readthedocs.io, chapters "API" and "Runner"; the keys of the commit are
those that pyperformance writes.
"""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from convbench.results.adapters.reading import (
    Origin,
    Reading,
    commit_of,
    count,
    fields,
    items,
    moment_ms,
    name,
    number,
    numbers,
    result_file,
    said,
    summary,
    text,
)
from convbench.results.result_file import NO_COUNT, NO_TIME, Head, ResultFile

FORMATS = ("1.0", 6)

# pyperf's unit to asv's type and unit; bytes are what --track-memory and --tracemalloc saw at most.
KINDS = {"second": ("time", "seconds"), "byte": ("peakmemory", "bytes"), "integer": ("track", "")}


def recognises(data: Mapping[str, Any]) -> bool:
    """Whether these are benchmarks with runs."""
    benchmarks = data.get("benchmarks")
    return (
        "version" in data
        and isinstance(benchmarks, list)
        and bool(benchmarks)
        and all(isinstance(one, Mapping) and "runs" in one for one in benchmarks)
    )


def read(data: Mapping[str, Any], origin: Origin) -> ResultFile:
    """Read a suite."""
    if data["version"] not in FORMATS:
        raise ValueError(
            f"pyperf's format {repr(data['version'])[:40]}; formats 6 and 1.0 are read: "
            "`pyperf convert FILE -o NEW` rewrites older ones"
        )
    metadata = fields(data.get("metadata"), "metadata")
    readings = [_reading(one, metadata) for one in data["benchmarks"]]
    starts = [one.started_at_ms for one in readings if one.started_at_ms != NO_TIME]
    return result_file(_head(metadata, origin, min(starts, default=None)), readings)


def _head(metadata: Mapping[str, Any], origin: Origin, measured: int | None) -> Head:
    commit, date = commit_of(
        origin, text(metadata.get("commit_id")), moment_ms(metadata.get("commit_date")), measured
    )
    python = _python(text(metadata.get("python_version")))
    parts = ("pyperf", text(metadata.get("python_implementation")), python)
    return Head(
        commit=commit,
        commit_date_ms=date,
        environment="-".join(filter(None, parts)),
        python=python,
        requirements=said(pyperf=metadata.get("perf_version")),
        machine=origin.machine or text(metadata.get("hostname")),
        facts=said(
            os=metadata.get("platform"),
            cpu=metadata.get("cpu_model_name"),
            num_cpu=metadata.get("cpu_count"),
        ),
    )


def _python(version: str) -> str:
    """Return the language's version in ``3.12.1 (64-bit)`` or ``PyPy 7.3 (Python 3.9.1) …``."""
    found = re.search(r"Python (\d+\.\d+)", version) or re.match(r"(\d+\.\d+)", version)
    return found.group(1) if found else ""


def _reading(benchmark: Mapping[str, Any], common: Mapping[str, Any]) -> Reading:
    common = {**common, **fields(benchmark.get("metadata"), "metadata")}
    runs = [fields(run, "run") for run in items(benchmark["runs"], "runs")]
    metadata = [{**common, **fields(run.get("metadata"), "metadata")} for run in runs]
    known = metadata[0] if metadata else common
    called = name(known.get("name"), "name of a benchmark")
    values = [numbers(run.get("values", []), f"{called}: values") for run in runs]
    samples = [value for of_run in values for value in of_run]
    of_samples = summary(samples)
    kind, unit = _kind(called, known.get("unit", "second"))
    starts = [date for one in metadata if (date := moment_ms(one.get("date"))) is not None]
    measuring = [one for one, of_run in zip(metadata, values, strict=True) if of_run]
    return Reading(
        full_name=called,
        benchmark=called,
        value=of_samples.value,
        q25=of_samples.q25,
        q75=of_samples.q75,
        number=_common([_loops(called, one) for one in measuring]),
        repeat=len(samples) or NO_COUNT,
        samples=None if math.isnan(of_samples.value) else samples,
        started_at_ms=min(starts, default=NO_TIME),
        duration=_duration(called, metadata),
        type=kind,
        unit=unit,
    )


def _kind(called: str, unit: Any) -> tuple[str, str]:
    if not isinstance(unit, str) or unit not in KINDS:
        known = ", ".join(KINDS)
        raise ValueError(f"{called}: unit {repr(unit)[:40]}; expected one of {known}")
    return KINDS[unit]


def _loops(called: str, metadata: Mapping[str, Any]) -> int:
    """Return the calls per value."""
    outer = count(metadata.get("loops", 1), f"{called}: loops")
    return outer * count(metadata.get("inner_loops", 1), f"{called}: inner_loops")


def _duration(called: str, metadata: Sequence[Mapping[str, Any]]) -> float:
    """Return the seconds that all runs took, NaN where one doesn't say."""
    parts = [number(one.get("duration"), f"{called}: duration") for one in metadata]
    return math.fsum(parts) if parts else math.nan


def _common(loops: list[int]) -> int:
    """Return the number that all runs share; runs that were calibrated differently have none."""
    return loops[0] if len(set(loops)) == 1 else NO_COUNT
