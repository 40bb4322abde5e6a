"""asv's result files through Python's `json`, formats 1 and 2: exact, and the judge of all others.

asv writes ``null`` for a failed benchmark and ``NaN`` for one that was skipped or not selected;
both would be NaN in a column of floats, so the status is derived first. Trailing cells of a row may
be missing. Format 1 (asv before 0.5) holds one object per benchmark in place of columns; profiles
are passed over in both.
"""

import math
import re
from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt

from convbench.results.raw_files import loads_bounded
from convbench.results.result_file import (
    COUNTS,
    FAILED,
    INTERVALS,
    MAX_ROWS,
    NO_COUNT,
    NO_TIME,
    OK,
    SKIPPED,
    Axes,
    Floats,
    Head,
    Integers,
    ResultFile,
    Rows,
    Samples,
    date_ms,
    name,
    utf8,
)

STATISTICS = {
    "ci_low": "stats_ci_99_a",
    "ci_high": "stats_ci_99_b",
    "q25": "stats_q_25",
    "q75": "stats_q_75",
    "number": "stats_number",
    "repeat": "stats_repeat",
}
"""Format 2's name of each of our columns of statistics."""

_FORMAT_1_STATISTICS = {
    "stats_q_25": "q_25",
    "stats_q_75": "q_75",
    "stats_number": "number",
    "stats_repeat": "repeat",
}
_PER_ROW = ("result", *STATISTICS.values(), "samples")

Cells = Mapping[str, Any]
"""One benchmark of a file: format 2's columns by name; those that are missing are null."""


def read_exact(raw: bytes) -> ResultFile:
    """Read one result file.

    Raises
    ------
    ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError
        It is no result file that this version knows.
    """
    data = loads_bounded(raw)
    if not isinstance(data, dict):
        raise ValueError("no JSON object")
    version = data.get("version", 1)
    if version not in (1, 2):
        raise ValueError(f"asv's format {repr(version)[:40]}; this version reads formats 1 and 2")
    benchmarks = _format_1(data) if version == 1 else _format_2(data)
    return ResultFile(_head(data), rows_of(benchmarks))


def _head(data: Mapping[str, Any]) -> Head:
    requirements, variables = _mapping(data, "requirements"), _mapping(data, "env_vars")
    return Head(
        commit=name(data["commit_hash"]),
        commit_date_ms=date_ms(data["date"]),
        environment=name(data["env_name"] if "env_name" in data else _environment(data)),
        python=utf8(data.get("python") or ""),
        requirements={utf8(key): utf8(pin or "") for key, pin in requirements.items()},
        variables={utf8(key): utf8(text or "") for key, text in variables.items()},
    )


def _environment(data: Mapping[str, Any]) -> str:
    """Name an environment that its file does not name, as asv does: ``py3.6-numpy1.14``."""
    requirements = sorted(_mapping(data, "requirements").items())
    parts = [f"py{data['python']}", *(f"{key}{pin or ''}" for key, pin in requirements)]
    return re.sub(r'[<>:"/\\^|?*\x00-\x1f]', "_", "-".join(parts))


def _format_2(data: Mapping[str, Any]) -> dict[str, Cells]:
    columns = data["result_columns"]
    if not isinstance(columns, list) or not all(isinstance(column, str) for column in columns):
        raise ValueError(f"result_columns: expected a list of names, found {repr(columns)[:40]}")
    return {key: _by_name(columns, row) for key, row in _mapping(data, "results").items()}


def _mapping(data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Return the object under a key; empty where it is null or missing, except the results."""
    found = data[key] if key == "results" else data.get(key) or {}
    if not isinstance(found, dict):
        raise ValueError(f"{key}: expected an object, found {repr(found)[:40]}")
    return found


def _by_name(columns: list[str], row: object) -> Cells:
    if not isinstance(row, list):
        raise ValueError(f"expected a list of columns, found {repr(row)[:40]}")
    return dict(zip(columns, row, strict=False))  # trailing nulls are cut off a row


def _format_1(data: Mapping[str, Any]) -> dict[str, Cells]:
    versions = _mapping(data, "benchmark_version")
    started, ended = _mapping(data, "started_at"), _mapping(data, "ended_at")
    durations = _mapping(data, "duration")
    cells: dict[str, Cells] = {}
    for key, entry in _mapping(data, "results").items():
        start, end = started.get(key), ended.get(key)
        times = {
            "version": versions.get(key),
            "started_at": start,
            "duration": durations.get(key),
        }
        if times["duration"] is None and start is not None and end is not None:
            times["duration"] = (end - start) / 1000
        cells[key] = _cells_of_format_1(entry) | times
    return cells


def _cells_of_format_1(entry: Any) -> dict[str, Any]:
    """Return the columns that format 2 would have; a benchmark without parameters is a number."""
    if not isinstance(entry, dict):
        return {"result": [entry]}
    statistics = entry.get("stats")
    result = entry.get("result")
    cells = {
        "result": result if isinstance(result, list) or result is None else [result],
        "params": entry.get("params"),
        "samples": entry.get("samples"),
    }
    if statistics is not None:
        listed = [statistics] if isinstance(statistics, dict) else statistics
        known = [one or {} for one in listed]
        for column, key in _FORMAT_1_STATISTICS.items():
            cells[column] = [one.get(key) for one in known]
        bounds = [one.get("ci_99") or (None, None) for one in known]
        cells |= {"stats_ci_99_a": [low for low, _ in bounds]}
        cells |= {"stats_ci_99_b": [high for _, high in bounds]}
    return cells


def rows_of(benchmarks: Mapping[str, Cells]) -> Rows:
    """Return the rows of a file from its benchmarks' columns."""
    axes = tuple(_axes(cells.get("params")) for cells in benchmarks.values())
    sizes = [_size(one) for one in axes]
    if sum(sizes) > MAX_ROWS:
        raise ValueError(f"at least {sum(sizes)} results in one file; at most {MAX_ROWS} are read")
    columns: dict[str, list[Any]] = {column: [] for column in _PER_ROW}
    for (benchmark, cells), size in zip(benchmarks.items(), sizes, strict=True):
        for column, values in columns.items():
            values.extend(_of_size(cells.get(column), size, f"{benchmark[:100]}: {column}"))
    value, status = values_and_status(columns["result"])
    return Rows(
        benchmarks=tuple(map(utf8, benchmarks)),
        axes=axes,
        versions=tuple(_version(cells.get("version")) for cells in benchmarks.values()),
        started_at_ms=np.array([_time(c.get("started_at")) for c in benchmarks.values()], np.int64),
        duration=floats(cells.get("duration") for cells in benchmarks.values()),
        value=value,
        status=status,
        intervals={column: floats(columns[STATISTICS[column]]) for column in INTERVALS},
        counts={column: counts(columns[STATISTICS[column]], column) for column in COUNTS},
        samples=samples_of(columns["samples"]),
    )


def _axes(cell: Any) -> Axes:
    if cell is None:
        return ()
    if not isinstance(cell, list) or not all(isinstance(axis, list) for axis in cell):
        raise ValueError(f"expected a list of parameter axes, found {repr(cell)[:40]}")
    return tuple(tuple(map(str, axis)) for axis in cell)


def _size(axes: Axes) -> int:
    """Return the number of combinations, of too many only some number that is too large, too.

    The product of a million axes would have a million digits.
    """
    if not all(axes):
        return 0
    size = 1
    for axis in axes:
        size *= len(axis)
        if size > MAX_ROWS:
            break
    return size


def _of_size(cell: Any, size: int, what: str) -> Iterable[Any]:
    if cell is None:
        return (None,) * size
    if not isinstance(cell, list) or len(cell) != size:
        raise ValueError(f"{what} does not match the parameter grid of {size}")
    return cell


def _version(cell: Any) -> str | None:
    return None if cell is None else utf8(cell)


def _time(cell: Any) -> int:
    if isinstance(cell, bool):
        raise ValueError(f"expected milliseconds since 1970, found {cell}")
    return NO_TIME if cell is None else date_ms(math.floor(cell))


def values_and_status(cells: list[Any]) -> tuple[Floats, npt.NDArray[np.uint8]]:
    """Split asv's results into numbers (NaN where there is none) and the codes of their status.

    A result that is no number (a `track_` benchmark may return any JSON value) is ok, without one.
    """
    failed = np.fromiter((cell is None for cell in cells), bool, len(cells))
    if set(map(type, cells)) <= {float, type(None)}:
        values = np.array(cells, np.float64)  # None becomes NaN
        skipped = np.isnan(values) & ~failed
    else:
        values = np.array([_number(cell) for cell in cells], np.float64)
        skipped = np.array([isinstance(c, float) and math.isnan(c) for c in cells], bool)
    return values, np.where(failed, FAILED, np.where(skipped, SKIPPED, OK)).astype(np.uint8)


def _number(cell: Any) -> float:
    try:
        return float(cell) if isinstance(cell, int | float) else math.nan
    except OverflowError:  # an integer beyond any float
        return math.inf if cell > 0 else -math.inf


def floats(cells: Iterable[Any]) -> Floats:
    """Return numbers; null and NaN are NaN, infinity stays."""
    plain = list(cells)
    if strange := set(map(type, plain)) - {float, int, type(None)}:
        raise ValueError(f"expected numbers, found {min(kind.__name__ for kind in strange)}")
    return np.array(plain, np.float64)


def counts(cells: Iterable[Any], what: str) -> Integers:
    """Return whole numbers from 0 on; null and NaN are NO_COUNT."""
    values = floats(cells)
    told = ~np.isnan(values)
    wrong = told & ~((values >= 0) & (values < 2**53) & (values == np.floor(values)))
    if wrong.any():
        raise ValueError(f"{what}: expected whole numbers from 0 on, found {values[wrong][0]}")
    return np.where(told, values, NO_COUNT).astype(np.int64)


def samples_of(cells: list[Any]) -> Samples | None:
    """Return the samples of each row; None when no row has any."""
    recorded = np.fromiter((cell is not None for cell in cells), bool, len(cells))
    if not recorded.any():
        return None
    lists = [cell or [] for cell in cells]
    if not all(isinstance(one, list) for one in lists):
        raise ValueError("samples: expected lists of numbers")
    offsets = np.zeros(len(cells) + 1, np.int64)
    np.cumsum([len(one) for one in lists], out=offsets[1:])
    return Samples(recorded, offsets, floats(chain.from_iterable(lists)))
