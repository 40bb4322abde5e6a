"""The least that each tool writes, and a result file's rows by name."""

import math
from typing import Any

from convbench.results.adapters import Origin
from convbench.results.grids import axis_names, unquote
from convbench.results.result_file import NO_COUNT, ResultFile

COMMIT = "c" * 40
OF_COMMIT = Origin(commit=COMMIT)

Row = dict[str, Any]


def pyperf_run(values: list[Any], **metadata: Any) -> dict[str, Any]:
    return {"values": values, "metadata": {"date": "2024-05-01 10:00:00", **metadata}}


def pyperf_file(benchmarks: dict[str, list[dict[str, Any]]], **common: Any) -> dict[str, Any]:
    """A suite: runs by the benchmark's name."""
    return {
        "version": "1.0",
        "metadata": {"unit": "second", "loops": 1, **common},
        "benchmarks": [
            {"metadata": {"name": name}, "runs": runs} for name, runs in benchmarks.items()
        ],
    }


def pytest_entry(name: str, median: Any = 2.0, **fields: Any) -> dict[str, Any]:
    """One benchmark; statistics by their names, other keys as they are."""
    entry: dict[str, Any] = {"fullname": name, "params": None, "param": None}
    own = {key: fields.pop(key) for key in ("params", "param") if key in fields}
    stats = {"median": median, "q1": 1.0, "q3": 3.0, "rounds": 5, "iterations": 1, **fields}
    return {**entry, **own, "stats": stats}


def pytest_file(*entries: dict[str, Any], **top: Any) -> dict[str, Any]:
    return {
        "machine_info": {"node": "host", "python_version": "3.12.4"},
        "commit_info": {"id": COMMIT, "time": "2024-05-01T12:00:00+02:00"},
        "benchmarks": list(entries),
        "datetime": "2024-05-02T10:00:00+00:00",
        "version": "5.0.0",
        **top,
    }


def google_entry(run: str, real_time: Any = 5.0, **fields: Any) -> dict[str, Any]:
    return {
        "name": run,
        "run_name": run,
        "run_type": "iteration",
        "iterations": 10,
        "real_time": real_time,
        "time_unit": "ns",
        **fields,
    }


def google_file(*entries: dict[str, Any], **context: Any) -> dict[str, Any]:
    known = {"date": "2024-05-01T12:00:00+02:00", "host_name": "host", "num_cpus": 2}
    return {"context": known | context, "benchmarks": list(entries)}


def rows_of(result: ResultFile) -> dict[str, Row]:
    """Every row by its name, as the store would write it: ``benchmark(name=text, …)``."""
    assert all(len(axis) == 1 for axes in result.rows.axes for axis in axes)
    return {_name(result, position): _row(result, position) for position in range(_size(result))}


def _size(result: ResultFile) -> int:
    rows = result.rows
    columns = (rows.value, rows.status, *rows.intervals.values(), *rows.counts.values())
    assert {len(column) for column in columns} == {sum(rows.sizes)}
    return sum(rows.sizes)


def _name(result: ResultFile, position: int) -> str:
    benchmark, axes = result.rows.benchmarks[position], result.rows.axes[position]
    names = axis_names(result.benchmarks[benchmark].param_names, len(axes))
    params = [f"{name}={unquote(axis[0])}" for name, axis in zip(names, axes, strict=True)]
    return f"{benchmark}({', '.join(params)})" if params else benchmark


def _row(result: ResultFile, position: int) -> Row:
    rows, known = result.rows, result.benchmarks[result.rows.benchmarks[position]]
    return {
        "value": None if math.isnan(rows.value[position]) else rows.value[position],
        "status": ("ok", "failed", "skipped")[rows.status[position]],
        "type": known.type,
        "unit": known.unit,
        "started_at": rows.started_at_ms[position],
        "duration": rows.duration[position],
        "samples": _samples(result, position),
        **{name: _told(column[position]) for name, column in rows.intervals.items()},
        **{name: _told(column[position]) for name, column in rows.counts.items()},
    }


def _told(cell: Any) -> Any:
    return None if math.isnan(cell) or cell == NO_COUNT else cell


def _samples(result: ResultFile, position: int) -> list[float] | None:
    samples = result.rows.samples
    if samples is None or not samples.recorded[position]:
        return None
    return samples.values[slice(*samples.offsets[position : position + 2])].tolist()
