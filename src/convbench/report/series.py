"""Histories: what one benchmark with one set of parameters did over the commits, per line."""

import math
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from convbench.report.measurements import Measurements
from convbench.report.naming import line_order, records

OK, FAILED, SKIPPED = "ok", "failed", "skipped"

Params = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Change:
    """A verdict of `detect`: the first commit of a new level, on one line."""

    position: int
    before: float
    after: float
    ratio: float
    kind: str


@dataclass(frozen=True, slots=True)
class Point:
    """One commit's outcome on a line; `value` is None unless the status is ok."""

    position: int
    value: float | None
    low: float | None
    high: float | None
    status: str
    environment: str
    run: str


@dataclass(frozen=True, slots=True)
class Line:
    """One curve: a BLAS build or environment on a machine; points oldest first.

    `searched` counts the commits with a value in the history that `detect` searches: that of the
    environment, whichever BLAS identities it had.
    """

    machine: str
    name: str
    identity: str
    points: tuple[Point, ...]
    changes: tuple[Change, ...]
    searched: int

    @property
    def newest(self) -> Point:
        """The last point, whatever its status."""
        return self.points[-1]

    @property
    def measured(self) -> tuple[tuple[int, float], ...]:
        """Positions and values of the points that have one."""
        return tuple((p.position, p.value) for p in self.points if p.value is not None)

    @property
    def always_skipped(self) -> bool:
        """Whether there is nothing to see: neither a value nor a failure."""
        return all(point.status == SKIPPED for point in self.points)


@dataclass(frozen=True, slots=True)
class Series:
    """One measure with one set of parameters, on every line that measured it.

    A line that was always skipped is among them only where all were.
    """

    measure: str
    benchmark: str
    params: Params
    strategy: str
    problem: str
    dtype: str
    unit: str
    lines: tuple[Line, ...]

    @property
    def label(self) -> str:
        """The parameters as text; the measure's own name where it has none."""
        return ", ".join(f"{name}={value}" for name, value in self.params) or self.measure


Changes = dict[tuple[str, str, str, str], list[Change]]
Rows = list[dict[str, Any]]
# What `detect` searches, within a series: its row at each position.
Histories = dict[tuple[str, ...], dict[int, dict[str, Any]]]

COLUMNS = (
    *("measure", "benchmark", "machine", "line", "position", "environment", "blas_identity"),
    *("strategy", "problem", "dtype", "unit", "status", "value", "low", "high", "version"),
    *("blas", "threads", "run", "started_at"),
)


def build_series(measurements: Measurements) -> tuple[Series, ...]:
    """Cut the values into series, in the order of measure and parameters."""
    changes = _changes_by_line(measurements)
    rows = records(measurements.newest[list(COLUMNS)])
    groups: dict[tuple[str, str, Params], dict[tuple[str, str], Rows]] = {}
    for row, params in zip(rows, measurements.newest["params"], strict=True):
        key = (row["measure"], row["benchmark"], params_of(params))
        lines = groups.setdefault(key, {})
        lines.setdefault((row["machine"], row["line"]), []).append(row)
    series = [_build_series(*key, lines, changes) for key, lines in groups.items()]
    return tuple(sorted(series, key=lambda one: (one.measure, _natural(one.params))))


def _build_series(
    measure: str,
    benchmark: str,
    params: Params,
    lines: dict[tuple[str, str], Rows],
    changes: Changes,
) -> Series:
    label = ", ".join(f"{name}={value}" for name, value in params)
    every = sorted(lines, key=lambda key: (key[0], line_order(key[1])))
    histories = _histories([row for key in every for row in lines[key]])
    built = {key: _build_line(*key, lines[key], label, changes, histories) for key in every}
    # asv writes what a run did not select as it writes a skip. Where another line has an outcome,
    # a line of skips alone is taken for that: it is no history.
    shown = {key: line for key, line in built.items() if not line.always_skipped} or built
    newest = lines[next(iter(shown))][-1]
    return Series(
        measure=measure,
        benchmark=benchmark,
        params=params,
        strategy=newest["strategy"],
        problem=newest["problem"],
        dtype=newest["dtype"],
        unit=newest["unit"],
        lines=tuple(shown.values()),
    )


def _histories(rows: Rows) -> Histories:
    """Give the histories of a series as `detect` cuts them: by environment, not by identity.

    Of a commit's rows the later one stands, but a skipped one only where there is no other.
    """
    # Rows of one line come in this order already; here those of several identities meet.
    ranked = sorted(rows, key=lambda row: (row["position"], *_rank(row)))
    histories: Histories = defaultdict(dict)
    for row in ranked:
        histories[_history(row)][row["position"]] = row
    return histories


def _rank(row: dict[str, Any]) -> tuple[bool, float, str]:
    started = row["started_at"]
    moment = -math.inf if started is None or started != started else started.timestamp()
    return row["status"] != SKIPPED, moment, _text(row["run"])


def _history(row: dict[str, Any]) -> tuple[str, ...]:
    names = ("machine", "environment", "blas", "threads", "version")
    return tuple(_text(row[name]) for name in names)


def _text(value: object) -> str:
    return "" if value is None or value != value else str(value)


def params_of(params: object) -> Params:
    """Give a Parquet map, which pandas reads as pairs or as a dict, as pairs."""
    if params is None or (isinstance(params, float) and math.isnan(params)):
        return ()
    pairs = params.items() if isinstance(params, dict) else params
    return tuple((str(name), str(value)) for name, value in pairs)  # type: ignore[attr-defined]


def _natural(params: Params) -> tuple[tuple[float, str], ...]:
    """Sort parameters that are numbers as numbers: 200 before 1000."""
    keys = []
    for _, value in params:
        try:
            keys.append((float(value), value))
        except ValueError:
            keys.append((math.inf, value))
    return tuple(keys)


def _build_line(
    machine: str, name: str, rows: Rows, label: str, changes: Changes, histories: Histories
) -> Line:
    # Another version of a benchmark measured something else: only the newest one is a history.
    rows = [row for row in rows if row["version"] == rows[-1]["version"]]
    # Of a commit's rows, as `prepare` ordered them, the last stands.
    by_position = {row["position"]: row for row in rows}
    found: dict[int, Change] = {}
    for environment in {row["environment"]: None for row in rows}:
        key = (machine, environment, rows[0]["benchmark"], label)
        found |= {change.position: change for change in changes.get(key, [])}
    history = histories[_history(rows[-1])]

    def is_own(position: int) -> bool:
        """Whether the commit is this line's: of two identities `detect` took the later."""
        return position in by_position and (
            position not in history or history[position]["line"] == name
        )

    return Line(
        machine,
        name,
        rows[-1]["blas_identity"] or "",
        tuple(_point(row) for row in by_position.values()),
        tuple(found[position] for position in sorted(found) if is_own(position)),
        sum(row["status"] == OK and _finite(row["value"]) is not None for row in history.values()),
    )


def _point(row: dict[str, Any]) -> Point:
    return Point(
        row["position"],
        _finite(row["value"]),
        _finite(row["low"]),
        _finite(row["high"]),
        row["status"],
        row["environment"],
        _text(row["run"]),
    )


def _finite(value: float | None) -> float | None:
    """Give None for what JSON and people cannot read."""
    return None if value is None or not math.isfinite(value) else float(value)


def _changes_by_line(measurements: Measurements) -> Changes:
    positions = {commit.commit: commit.position for commit in measurements.commits}
    changes: Changes = defaultdict(list)
    for event in records(measurements.tables["events"]):
        if event["commit"] in positions:
            change = Change(
                positions[event["commit"]],
                event["before"],
                event["after"],
                event["ratio"],
                event["kind"],
            )
            key = (event["machine"], event["environment"], event["benchmark"], event["params"])
            changes[key].append(change)
    return changes
