"""Writes small asv results directories, byte for byte as the test says."""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

COLUMNS = [
    *("result", "params", "version", "started_at", "duration", "stats_ci_99_a", "stats_ci_99_b"),
    *("stats_q_25", "stats_q_75", "stats_number", "stats_repeat", "samples", "profile"),
]
NAN, INFINITY = float("nan"), float("inf")
COMMIT = "a" * 40


def row(
    result: list[Any] | None, params: list[list[str]] | None = None, **columns: Any
) -> list[Any]:
    """A row of a result file, trailing nulls cut as asv does."""
    cells = {"version": "1", "started_at": 1_700_000_000_000, "duration": 1.5}
    cells |= {"result": result, "params": params or []} | columns
    full = [cells.get(name) for name in COLUMNS]
    while full and full[-1] is None:
        full.pop()
    return full


def result_file(results: dict[str, list[Any]], **top: Any) -> str:
    """The text of a result file of format 2."""
    content: dict[str, Any] = {
        "commit_hash": COMMIT,
        "env_name": "py",
        "date": 1_690_000_000_000,
        "params": {"machine": "m"},
        "python": "3.12",
        "requirements": {},
        "env_vars": {},
        "result_columns": COLUMNS,
        "results": results,
        "durations": {},
        "version": 2,
    }
    return json.dumps(content | top)


def format_1_file(results: dict[str, Any], **top: Any) -> str:
    """The text of a result file of format 1, as asv wrote it before 0.5."""
    content: dict[str, Any] = {
        "commit_hash": COMMIT,
        "env_name": "py",
        "date": 1_690_000_000_000,
        "params": {"machine": "m"},
        "python": "3.12",
        "requirements": {},
        "results": results,
        "benchmark_version": dict.fromkeys(results, "1"),
        "started_at": dict.fromkeys(results, 1_700_000_000_000),
        "ended_at": dict.fromkeys(results, 1_700_000_001_500),
        "profiles": {},
        "version": 1,
    }
    return json.dumps(content | top)


def write_source(
    folder: Path,
    files: dict[str, str | bytes],
    benchmarks: dict[str, Any] | None = None,
    facts: dict[str, Any] | None = None,
    machine: dict[str, Any] | None = None,
) -> Path:
    """A results directory; the names of `files` are relative to it (``m/a-py.json``)."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "benchmarks.json").write_text(json.dumps((benchmarks or {}) | {"version": 2}))
    if facts is not None:
        (folder / "facts.json").write_text(json.dumps(facts))
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        about = {"machine": path.parent.name, "cpu": "a cpu", "ram": 8, "version": 1}
        (path.parent / "machine.json").write_text(json.dumps(about | (machine or {})))
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def benchmark(name: str, param_names: list[str], unit: str = "seconds") -> dict[str, Any]:
    """An entry of ``benchmarks.json``."""
    entry = {"name": name, "param_names": param_names, "unit": unit, "type": "time"}
    return {name: entry | {"version": "1", "code": "def time_it(): pass"}}


def content_of(store: Path) -> dict[str, bytes]:
    """Every file of a store but the lock and the cache of file times."""
    return {
        path.relative_to(store).as_posix(): path.read_bytes()
        for path in sorted(store.rglob("*"))
        if path.is_file() and not path.name.startswith(".")
    }


def source_in(store: Path, path: Path) -> str:
    """How the store names a result file."""
    return Path(os.path.relpath(path.resolve(), store.resolve())).as_posix()


def plain_rows(values: pd.DataFrame) -> list[tuple[Any, ...]]:
    """The rows of a frame in an order of their own, nulls as None, maps and lists as tuples."""
    columns = [[_plain(cell) for cell in values[name]] for name in values.columns]
    return sorted(zip(*columns, strict=True), key=repr)


def _plain(cell: Any) -> Any:
    if isinstance(cell, dict):
        return tuple(cell.items())
    if isinstance(cell, Iterable) and not isinstance(cell, str):
        return tuple(np.asarray(cell).tolist())
    return None if pd.isna(cell) else cell


def facts(**changes: Any) -> dict[str, Any]:
    """Facts of one run with one environment, one problem and two cells."""
    sizes = dict.fromkeys(
        ("batch", "groups", "in_channels", "height", "width", "out_channels", "kernel_height"), 1
    )
    sizes |= dict.fromkeys(
        ("kernel_width", "out_height", "out_width", "flops", "bytes_float32", "bytes_float64"), 2
    )
    library = {"family": "openblas", "version": "0.3.31", "architecture": "Haswell", "threads": 1}
    return {
        "format": 1,
        "project": "convbench",
        "run": "run-1",
        "machine": "m",
        "commit": COMMIT,
        "started_at": "2026-11-22T10:00:00Z",
        "finished_at": "2026-11-22T10:05:00Z",
        "asv_exit_code": 2,
        "asv_version": "0.6.6",
        "dropped_variables": {"OMP_NUM_THREADS": "4"},
        "load_average": {"before": [0.5, 0.4, 0.3], "after": [1.5, 1.0, 0.5]},
        "problems": {"question": sizes | {"stride": [2, 3], "padding": [0, 1], "dilation": [1, 1]}},
        "environments": {
            "py": {
                "blas": "openblas",
                "threads": 1,
                "packages": {"numpy": "2.4.6"},
                "libraries": [library, {"family": "openmp", "version": "5"}],
                "guard": "ok",
                "cells": [
                    {"strategy": "im2col", "family": "gemm", "problem": "question"}
                    | {"dtype": "float32", "flops": 122880, "workspace_bytes": 9}
                    | {"unsupported": None},
                    {"strategy": "fft", "family": "transform", "problem": "question"}
                    | {"dtype": "float32", "flops": None, "workspace_bytes": None}
                    | {"unsupported": "needs gigabytes"},
                ],
            }
        },
    } | changes


def host(**changes: Any) -> dict[str, Any]:
    """What a run of format 2 says of its machine."""
    return {
        "cpu": "AMD EPYC 7763",
        "vendor": "AuthenticAMD",
        "cores": 2,
        "cpus": 4,
        "smt": True,
        "governor": None,
        "turbo": None,
        "caches": {"L1d": 32768, "L3": 33554432},
        "ram_bytes": 16_000_000_000,
        "load_average": [0.1, 0.2, 0.3],
        "affinity": [0, 1, 2, 3],
        "virtualised": "kvm",
        "kernel": "6.1.0",
    } | changes


UNITS = [
    {"round": 1, "blas": "openblas", "threads": "1", "attempt": 1, "kept": False}
    | {"disturbance": {"foreign_cpus": 0.9}, "disturbed": "other processes used 0.9 CPUs"},
    {"round": 1, "blas": "openblas", "threads": "1", "attempt": 2, "kept": True}
    | {"disturbance": {"foreign_cpus": 0.0}, "disturbed": ""},
]


def facts_2(**changes: Any) -> dict[str, Any]:
    """Facts of format 2: the run of `facts`, with all that format 2 added."""
    old = facts()
    library = {"family": "openblas", "file": "libopenblas.so", "sha256": "0123456789ab" + "0" * 52}
    environment = {
        "threads_claimed": "all",
        "cpus": [0, 2],
        "lapack": "LAPACK 3.11.0 netlib",
        "libraries": [library | {"version": "0.3.31", "architecture": "Haswell", "package": ""}],
    }
    new = {
        "format": 2,
        "environment_type": "virtualenv",
        "quick": False,
        "bench": "time_run",
        "host": host(),
        "provenance": {"dirty": True, "command": "convbench measure HEAD", "lock_sha256": "a" * 64}
        | {"environments_sha256": "b" * 64, "seed": 0, "python": "3.11.7"}
        | {"convbench_version": "0.1.0"},
        "budget": {"minutes": None, "rounds": 2, "cells_left_out": 3, "measured_minutes": 10.5},
        "units": UNITS,
        "disturbed": "1 of 2 units, measured twice: other processes used 0.9 CPUs",
        "environments": {"py": old["environments"]["py"] | environment},
    }
    return old | new | changes
