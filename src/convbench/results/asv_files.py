"""asv's result files, format 2: the one place that knows what is inside them.

A file is read by columns: one list per column, no object per row. asv writes ``null`` for a failed
benchmark and ``NaN`` for one that was skipped or not selected; both would be NaN in a column of
floats, so the status is derived first. Trailing columns of a row may be missing.
"""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa

from convbench.results.grids import Grids, utf8
from convbench.results.schema import FAILED, NAME, OK, SCHEMAS, SKIPPED, TEXT, TIME

# How a suite says which BLAS and how many threads an environment is meant to have.
BLAS_VARIABLE = "CONVBENCH_BLAS"
BLAS_REQUIREMENT = "libblas"
THREADS_VARIABLE = "CONVBENCH_THREADS"

STATISTICS = {
    "ci_low": "stats_ci_99_a",
    "ci_high": "stats_ci_99_b",
    "q25": "stats_q_25",
    "q75": "stats_q_75",
    "number": "stats_number",
    "repeat": "stats_repeat",
}
SCALARS = {"version": "version", "started_at": "started_at", "duration": "duration"}

# What a damaged file raises; JSON errors and Arrow's refusals are ValueErrors.
DAMAGE: tuple[type[Exception], ...] = (
    *(OSError, ValueError, TypeError, KeyError, IndexError, AttributeError),
    *(OverflowError, RecursionError, pa.ArrowException),
)


@dataclass(frozen=True)
class Benchmark:
    """What ``benchmarks.json`` says of one benchmark."""

    benchmark: str
    type: str = ""
    unit: str = ""
    param_names: tuple[str, ...] = ()
    version: str = ""
    code: str = ""


@dataclass(frozen=True)
class ResultFile:
    """One result file: its commit and environment, and its rows without the file's constants.

    `rows` has the per-row columns of the table `values`, `samples`, and `combination`, the number
    of the parameter combination in the `Grids` that it was read with.
    """

    commit: str
    commit_date: datetime
    environment: str
    blas: str
    threads: str
    packages: dict[str, str]
    rows: pa.Table


def parse_benchmarks(raw: bytes) -> dict[str, Benchmark]:
    """Read ``benchmarks.json``; keys beside the benchmarks (its version) are passed over."""
    return {
        name: Benchmark(
            benchmark=utf8(name),
            type=utf8(entry.get("type") or ""),
            unit=utf8(entry.get("unit") or ""),
            param_names=tuple(map(utf8, entry.get("param_names") or ())),
            version=utf8(entry.get("version") or ""),
            code=utf8(entry.get("code") or ""),
        )
        for name, entry in json.loads(raw).items()
        if isinstance(entry, dict)
    }


def parse_machine(raw: bytes) -> dict[str, str]:
    """Read ``machine.json``: free text under the names that asv uses."""
    facts = json.loads(raw)
    return {key: utf8(facts.get(key) or "") for key in ("os", "arch", "cpu", "num_cpu", "ram")}


def parse_result(raw: bytes, benchmarks: Mapping[str, Benchmark], grids: Grids) -> ResultFile:
    """Read one result file; raise one of `DAMAGE` when it is none that this version knows."""
    data = json.loads(raw)
    if not isinstance(data, dict):
        raise ValueError("no JSON object")
    version = data.get("version", 1)
    if version == 1:
        raise ValueError("asv's format 1; this version reads format 2 (`asv update` rewrites it)")
    if version != 2:
        raise ValueError(f"asv's format {version!r}; this version reads format 2")
    variables, requirements = data.get("env_vars") or {}, data.get("requirements") or {}
    return ResultFile(
        commit=_text(data["commit_hash"]),
        commit_date=pa.scalar(data["date"], TIME).as_py(),
        environment=_text(data["env_name"]),
        blas=utf8(variables.get(BLAS_VARIABLE) or _blas_of(requirements)),
        threads=utf8(variables.get(THREADS_VARIABLE) or ""),
        packages={"python": utf8(data.get("python") or "")}
        | {utf8(name): utf8(pin or "") for name, pin in requirements.items()},
        rows=_rows(data["results"], data["result_columns"], benchmarks, grids),
    )


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError(f"expected a name, found {repr(value)[:40]}")
    return utf8(value)


def _blas_of(requirements: Mapping[str, Any]) -> str:
    """Return ``mkl`` for the requirement ``libblas=*=*mkl`` and its spellings, else nothing."""
    for name, pin in requirements.items():
        if name.partition("[")[0] == BLAS_REQUIREMENT:
            found = re.search(r"\*([a-z]\w*)", f"{name}{pin or ''}")
            return found.group(1) if found else ""
    return ""


def _rows(
    results: Mapping[str, list[Any]],
    result_columns: list[str],
    benchmarks: Mapping[str, Benchmark],
    grids: Grids,
) -> pa.Table:
    at = {name: position for position, name in enumerate(result_columns)}
    sizes: list[int] = []
    units: list[str] = []
    combinations: list[int] = []
    cells: dict[str, list[Any]] = {name: [] for name in ("result", "samples", *STATISTICS.values())}
    scalars: dict[str, list[Any]] = {column: [] for column in SCALARS}
    for name, row in results.items():
        known = benchmarks.get(name) or Benchmark(name)
        codes = grids.codes(known.param_names, _cell(row, at, "params") or ())
        for column, values in cells.items():
            values.extend(_column(_cell(row, at, column), len(codes), f"{name}: {column}"))
        for column, asv_name in SCALARS.items():
            scalars[column].append(_cell(row, at, asv_name))
        combinations.extend(codes)
        sizes.append(len(codes))
        units.append(known.unit)
    of_benchmark = pa.array(np.repeat(np.arange(len(sizes), dtype=np.int32), sizes))
    value, status = values_and_status(cells["result"])
    version = [None if text is None else str(text) for text in scalars["version"]]
    types = {name: SCHEMAS["values"].field(name).type for name in (*STATISTICS, *SCALARS)}
    return pa.table(
        {
            "benchmark": _coded(of_benchmark, list(results)),
            "combination": pa.array(combinations, pa.int32()),
            "value": value,
            "unit": _coded(of_benchmark, units),
            "status": status,
            **{name: _statistic(cells[asv], types[name]) for name, asv in STATISTICS.items()},
            "version": _coded(of_benchmark, version),
            "started_at": pa.array(scalars["started_at"], types["started_at"]).take(of_benchmark),
            "duration": pa.array(scalars["duration"], types["duration"]).take(of_benchmark),
            "samples": pa.array(cells["samples"], SCHEMAS["samples"].field("samples").type),
        }
    )


def _cell(row: list[Any], at: Mapping[str, int], column: str) -> Any:
    position = at.get(column, len(row))
    return row[position] if position < len(row) else None


def _column(cell: Any, size: int, what: str) -> list[Any]:
    if cell is None:
        return [None] * size
    if not isinstance(cell, list) or len(cell) != size:
        raise ValueError(f"{what} does not match the parameter grid of {size}")
    return cell


def _coded(codes: pa.Array, names: list[str | None] | list[str]) -> pa.Array:
    return pa.DictionaryArray.from_arrays(codes, pa.array(names, TEXT)).cast(TEXT)


def values_and_status(cells: list[Any]) -> tuple[pa.Array, pa.Array]:
    """Split asv's results into numbers (null unless ok) and their status."""
    try:
        array = pa.array(cells, pa.float64())
        failed = np.asarray(array.is_null())
        numbers = array.fill_null(0.0).to_numpy()
        skipped = np.isnan(numbers)
        missing = failed | skipped
    except pa.ArrowException:  # some result is no number, or an integer beyond 2**53
        failed = np.array([cell is None for cell in cells], dtype=bool)
        numbers = np.array([_float(cell) for cell in cells], dtype=float)
        skipped = np.array([isinstance(cell, float) and math.isnan(cell) for cell in cells])
        missing = np.isnan(numbers)
    codes = np.where(failed, 1, np.where(skipped, 2, 0)).astype(np.int32)
    status = pa.DictionaryArray.from_arrays(pa.array(codes), pa.array([OK, FAILED, SKIPPED], TEXT))
    return pa.array(numbers, mask=missing), status.cast(NAME)


def _float(cell: Any) -> float:
    return float(cell) if isinstance(cell, int | float) else math.nan


def _statistic(cells: list[Any], kind: pa.DataType) -> pa.Array:
    """Return a column of numbers in which NaN is null and infinity stays."""
    try:
        return pa.array(cells, kind, from_pandas=True)  # from_pandas: NaN is null
    except pa.ArrowException:  # counts written as 1.0, numbers beyond 2**53
        plain = [None if cell is None or math.isnan(cell) else cell for cell in cells]
        whole = pa.types.is_integer(kind)
        return pa.array([c if c is None else int(c) if whole else float(c) for c in plain], kind)
