"""Google Benchmark's files, library 1.5 and later: ``--benchmark_out_format=json``.

The value is the median of ``real_time``, the wall time of one iteration, over a run's repetitions.
CPU time, counters and complexities are not read. Where only aggregates were reported, the median
among them is the value.

Format: https://github.com/google/benchmark, docs/user_guide.md.
"""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from convbench.results.adapters.reading import (
    Origin,
    Params,
    Reading,
    commit_of,
    count,
    fields,
    items,
    moment_ms,
    name,
    number,
    result_file,
    said,
    summary,
    text,
)
from convbench.results.result_file import NO_COUNT, NO_TIME, Head, ResultFile

PER_SECOND = {"ns": 1e9, "us": 1e6, "ms": 1e3, "s": 1.0}

_NAMED = re.compile(r"([^:<>]+):([^:<>]+)")
_POSITIONAL = re.compile(r"-?[0-9]+")

Entry = Mapping[str, Any]


def recognises(data: Mapping[str, Any]) -> bool:
    """Whether a context stands beside benchmarks."""
    return "context" in data and "benchmarks" in data


def read(data: Mapping[str, Any], origin: Origin) -> ResultFile:
    """Read the runs of one call of a benchmark program."""
    context = fields(data["context"], "context")
    started = moment_ms(context.get("date"))
    runs: dict[str, list[Entry]] = {}
    for item in items(data["benchmarks"], "benchmarks"):
        entry = fields(item, "benchmark")
        if "run_type" not in entry:
            raise ValueError(
                "a benchmark without run_type; files of Google Benchmark 1.5 and later are read"
            )
        runs.setdefault(name(entry.get("run_name"), "run_name"), []).append(entry)
    found = (_reading(called, entries, started) for called, entries in runs.items())
    return result_file(_head(context, origin, started), [one for one in found if one is not None])


def _head(context: Entry, origin: Origin, started: int | None) -> Head:
    commit, date = commit_of(origin, measured=started)
    parts = ("google-benchmark", text(context.get("library_build_type")))
    return Head(
        commit=commit,
        commit_date_ms=date,
        environment="-".join(filter(None, parts)),
        requirements=said(**{"google-benchmark": context.get("library_version")}),
        machine=origin.machine or text(context.get("host_name")),
        facts=said(num_cpu=context.get("num_cpus")),
    )


def _reading(called: str, entries: Sequence[Entry], started: int | None) -> Reading | None:
    """Return what all entries of a run say; None for one that has fitted complexities only."""
    repetitions = [entry for entry in entries if entry["run_type"] == "iteration"]
    medians = [entry for entry in entries if entry.get("aggregate_name") == "median"]
    if not repetitions and not medians:
        return None
    _check_registered_once(called, repetitions, medians)
    # A repetition that failed among others is left out, as the tool's own aggregates do.
    measured = [entry for entry in repetitions if not _failed(entry) and not _skipped(entry)]
    samples = [_seconds(called, entry) for entry in measured]
    if not repetitions:
        samples = [_seconds(called, medians[0])]
    of_samples = summary(samples)
    benchmark, params = _without_params(called)
    return Reading(
        full_name=called,
        benchmark=benchmark,
        params=params,
        value=of_samples.value,
        skipped=not samples and not any(map(_failed, repetitions)),
        q25=of_samples.q25,
        q75=of_samples.q75,
        number=_common(
            [count(entry.get("iterations"), f"{called}: iterations") for entry in measured]
        ),
        repeat=len(samples) or NO_COUNT if repetitions else _aggregated(called, medians[0]),
        samples=None if not repetitions or math.isnan(of_samples.value) else samples,
        started_at_ms=NO_TIME if started is None else started,
    )


def _check_registered_once(called: str, repetitions: list[Entry], medians: list[Entry]) -> None:
    """Refuse two benchmarks of one name: no median of both would be a value of either."""
    numbers = [
        count(entry["repetition_index"], f"{called}: repetition_index")
        for entry in repetitions
        if "repetition_index" in entry
    ]
    if len(medians) > 1 or len(set(numbers)) < len(numbers):
        raise ValueError(
            f"{called}: two benchmarks are registered under this name; give each its own"
        )


def _failed(entry: Entry) -> bool:
    return bool(entry.get("error_occurred"))


def _skipped(entry: Entry) -> bool:
    return bool(entry.get("skipped"))


def _seconds(called: str, entry: Entry) -> float:
    unit = entry["time_unit"]
    if not isinstance(unit, str) or unit not in PER_SECOND:
        known = ", ".join(PER_SECOND)
        raise ValueError(f"{called}: time_unit {repr(unit)[:40]}; expected one of {known}")
    return number(entry["real_time"], f"{called}: real_time") / PER_SECOND[unit]


def _aggregated(called: str, median: Entry) -> int:
    """Return the repetitions behind an aggregate, which stand in place of iterations there."""
    return count(median.get("iterations"), f"{called}: iterations")


def _common(iterations: list[int]) -> int:
    """Return the number that all repetitions share."""
    return iterations[0] if len(set(iterations)) == 1 else NO_COUNT


def _without_params(called: str) -> tuple[str, Params]:
    """Split ``BM_x/8/threads:2`` into the benchmark ``BM_x``, arg1=8 and threads=2.

    Arguments are whole numbers or ``name:value``; other parts belong to the benchmark. Settings
    that the program fixed (``min_time:0.1``) look like arguments and tell results apart like them.
    """
    first, *parts = called.split("/")
    kept, params = [first], dict[str, str]()
    for part in parts:
        named = _NAMED.fullmatch(part)
        if named and named[1] not in params:
            params[named[1]] = named[2]
        elif _POSITIONAL.fullmatch(part) and (key := f"arg{len(params) + 1}") not in params:
            params[key] = part
        else:
            kept.append(part)
    return "/".join(kept), tuple(params.items())
