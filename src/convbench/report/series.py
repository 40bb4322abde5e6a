"""Histories: what one benchmark with one set of parameters did over the commits, per line."""

import math
from collections import defaultdict
from dataclasses import dataclass

import pandas as pd

from convbench.report.measurements import Measurements, line_order, records

OK, FAILED, SKIPPED = "ok", "failed", "skipped"


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


@dataclass(frozen=True, slots=True)
class Line:
    """One curve: a BLAS build or environment on a machine; points oldest first."""

    machine: str
    name: str
    identity: str
    points: tuple[Point, ...]
    changes: tuple[Change, ...]

    @property
    def newest(self) -> Point:
        """The last point, whatever its status."""
        return self.points[-1]

    @property
    def measured(self) -> tuple[tuple[int, float], ...]:
        """Positions and values of the points that have one."""
        return tuple((p.position, p.value) for p in self.points if p.value is not None)


@dataclass(frozen=True, slots=True)
class Series:
    """One measure with one set of parameters, on every line that measured it."""

    measure: str
    benchmark: str
    params: tuple[tuple[str, str], ...]
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


def build_series(measurements: Measurements) -> tuple[Series, ...]:
    """Cut the values into series, in the order of measure and parameters."""
    changes = _changes_by_line(measurements)
    pairs = pd.Series([params_of(one) for one in measurements.newest["params"]], dtype="object")
    values = measurements.newest.assign(params=pairs)
    series = []
    # sort=False keeps asv's order of parameters where the sorting of `prepare` leaves it free.
    for (measure, benchmark, _), rows in values.groupby(
        ["measure", "benchmark", "params"], sort=False
    ):
        first = rows.iloc[0]
        lines = sorted(
            (
                _build_line(str(machine), str(name), line_rows, changes)
                for (machine, name), line_rows in rows.groupby(["machine", "line"], sort=False)
            ),
            key=lambda line: (line.machine, line_order(line.name)),
        )
        series.append(
            Series(
                measure=str(measure),
                benchmark=str(benchmark),
                params=first["params"],
                strategy=str(first["strategy"]),
                problem=str(first["problem"]),
                dtype=str(first["dtype"]),
                unit=str(first["unit"]),
                lines=tuple(lines),
            )
        )
    return tuple(sorted(series, key=lambda one: (one.measure, _natural(one.params))))


def params_of(params: object) -> tuple[tuple[str, str], ...]:
    """Give a Parquet map, which pandas reads as pairs or as a dict, as pairs."""
    if params is None or (isinstance(params, float) and math.isnan(params)):
        return ()
    pairs = params.items() if isinstance(params, dict) else params
    return tuple((str(name), str(value)) for name, value in pairs)  # type: ignore[attr-defined]


def _natural(params: tuple[tuple[str, str], ...]) -> tuple[tuple[float, str], ...]:
    """Sort parameters that are numbers as numbers: 200 before 1000."""
    keys = []
    for _, value in params:
        try:
            keys.append((float(value), value))
        except ValueError:
            keys.append((math.inf, value))
    return tuple(keys)


def _build_line(machine: str, name: str, rows: pd.DataFrame, changes: Changes) -> Line:
    # Rows are sorted by position and start: of two runs of a commit the later one stands.
    rows = rows.drop_duplicates("position", keep="last")
    points = tuple(
        Point(
            row["position"],
            _finite(row["value"]),
            _finite(row["low"]),
            _finite(row["high"]),
            row["status"],
            row["environment"],
        )
        for row in records(rows)
    )
    label = ", ".join(f"{key}={value}" for key, value in rows["params"].iloc[0])
    found: dict[int, Change] = {}
    for environment in rows["environment"].unique():
        key = (machine, str(environment), str(rows["benchmark"].iloc[0]), label)
        found |= {change.position: change for change in changes.get(key, [])}
    measured = {point.position for point in points}
    kept = tuple(found[position] for position in sorted(found) if position in measured)
    return Line(machine, name, str(rows["blas_identity"].iloc[-1] or ""), points, kept)


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
