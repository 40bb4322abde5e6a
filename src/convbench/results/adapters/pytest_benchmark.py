"""pytest-benchmark's files, of ``--benchmark-json`` or ``--benchmark-save``.

Median and quartiles are the tool's own. A test that failed is not in the file at all. The file
tells one moment, that of writing it: the rows' start and, where the commit tells none, its date.

Format: https://pytest-benchmark.readthedocs.io, and the files themselves.
"""

import math
from collections.abc import Mapping
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
    numbers,
    result_file,
    said,
    text,
)
from convbench.results.result_file import NO_TIME, Head, ResultFile, utf8

# What the tool writes in place of a commit, and in front of a parameter that is no JSON.
NO_COMMIT = ("unversioned", "unknown")
NO_JSON = "UNSERIALIZABLE["


def recognises(data: Mapping[str, Any]) -> bool:
    """Whether a machine is described beside benchmarks."""
    return "machine_info" in data and "benchmarks" in data


def read(data: Mapping[str, Any], origin: Origin) -> ResultFile:
    """Read the benchmarks of one session."""
    written = moment_ms(data.get("datetime"))
    readings = [
        _reading(fields(one, "benchmark"), NO_TIME if written is None else written)
        for one in items(data["benchmarks"], "benchmarks")
    ]
    return result_file(_head(data, origin, written), readings)


def _head(data: Mapping[str, Any], origin: Origin, written: int | None) -> Head:
    machine = fields(data["machine_info"], "machine_info")
    info = fields(data.get("commit_info"), "commit_info")
    found = text(info.get("id"))
    commit, date = commit_of(
        origin,
        "" if found in NO_COMMIT else found,
        moment_ms(info.get("time") or info.get("author_time") or None),
        written,
    )
    python = ".".join(text(machine.get("python_version")).split(".")[:2])
    parts = ("pytest-benchmark", text(machine.get("python_implementation")), python)
    return Head(
        commit=commit,
        commit_date_ms=date,
        environment="-".join(filter(None, parts)),
        python=python,
        requirements=said(**{"pytest-benchmark": data.get("version")}),
        machine=origin.machine or text(machine.get("node")),
        facts=_facts(machine),
    )


def _facts(machine: Mapping[str, Any]) -> dict[str, str]:
    cpu = fields(machine.get("cpu"), "cpu")
    system = (text(machine.get("system")), text(machine.get("release")))
    return said(
        os=" ".join(filter(None, system)),
        arch=machine.get("machine"),
        cpu=cpu.get("brand_raw"),
        num_cpu=cpu.get("count"),
    )


def _reading(entry: Mapping[str, Any], written: int) -> Reading:
    called = name(entry.get("fullname"), "fullname")
    stats = fields(entry["stats"], f"{called}: stats")
    benchmark, params = _without_params(called, entry)
    value = number(stats["median"], f"{called}: median")
    rounds = count(stats.get("rounds"), f"{called}: rounds")
    data = stats.get("data")
    samples = None if data is None else numbers(data, f"{called}: data")
    q1, q3 = (number(stats.get(key), f"{called}: {key}") for key in ("q1", "q3"))
    has_spread = rounds != 1  # of one round the tool writes the round itself
    return Reading(
        full_name=called,
        benchmark=benchmark,
        params=params,
        value=value,
        q25=q1 if has_spread else math.nan,
        q75=q3 if has_spread else math.nan,
        number=count(stats.get("iterations"), f"{called}: iterations"),
        repeat=rounds,
        samples=None if math.isnan(value) else samples,
        started_at_ms=written,
    )


def _without_params(called: str, entry: Mapping[str, Any]) -> tuple[str, Params]:
    """Split a test's name; what is no JSON has no text that outlives the process.

    pytest's own identifier, which stays in the name then, has one.
    """
    params = fields(entry.get("params"), f"{called}: params")
    texts = tuple((utf8(key), utf8(value)) for key, value in params.items())
    if any(value.startswith(NO_JSON) for _, value in texts):
        return called, ()
    return called.removesuffix(f"[{text(entry.get('param'))}]") if params else called, texts
