"""Histories: what one benchmark with one set of parameters did over the commits, per line."""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from convbench.report.measurements import Measurements, text
from convbench.report.naming import line_order, records
from convbench.report.value_columns import Params, Rows, ValueColumns, finite
from convbench.stats.changes import FAILURES
from convbench.stats.triage import SILENT

OK, FAILED, SKIPPED = "ok", "failed", "skipped"


@dataclass(frozen=True, slots=True)
class Change:
    """A verdict of `detect`: the first commit of a new level, on one line.

    `low` and `high` bound the ratio; `event`, `cause` and `triage` are those of the event that the
    change belongs to, empty where they are not known.
    """

    position: int
    before: float
    after: float
    ratio: float
    kind: str
    low: float | None = None
    high: float | None = None
    event: str = ""
    cause: str = ""
    triage: str = ""

    @property
    def is_silent(self) -> bool:
        """Whether it was decided that this change is nobody's concern."""
        return self.triage in SILENT


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


Numbers = NDArray[np.float64]
Texts = tuple[str, ...]


@dataclass(frozen=True, eq=False)
class PointColumns:
    """The points of a line, oldest first, in columns of one length.

    A store has millions of points: who looks at all of them reads columns.
    Numbers that are not known are NaN; `value` is one unless the status is ok.
    """

    position: NDArray[np.int64]
    value: Numbers
    low: Numbers
    high: Numbers
    status: Texts
    environment: Texts
    run: Texts

    @cached_property
    def is_value(self) -> NDArray[np.bool_]:
        """Which points have a value."""
        return ~np.isnan(self.value)

    def point(self, at: int) -> Point:
        """Give one point, by its number."""
        return Point(
            int(self.position[at]),
            finite(self.value[at]),
            finite(self.low[at]),
            finite(self.high[at]),
            self.status[at],
            self.environment[at],
            self.run[at],
        )

    def at(self, position: int) -> int | None:
        """Find the number of the point at a commit; None without one."""
        at = int(np.searchsorted(self.position, position))
        return at if at < len(self.position) and self.position[at] == position else None

    def kept(self, numbers: Sequence[int]) -> "PointColumns":
        """Give some points, by their numbers."""
        texts = (
            tuple(column[at] for at in numbers)
            for column in (self.status, self.environment, self.run)
        )
        chosen = list(numbers)
        columns = (self.value[chosen], self.low[chosen], self.high[chosen])
        return PointColumns(self.position[chosen], *columns, *texts)


def columns_of(points: Sequence[Point]) -> PointColumns:
    """Put points into columns."""
    value, low, high = (
        np.array([getattr(point, name) for point in points], dtype=np.float64)
        for name in ("value", "low", "high")
    )
    return PointColumns(
        np.array([point.position for point in points], dtype=np.int64),
        *(value, low, high),
        tuple(point.status for point in points),
        tuple(point.environment for point in points),
        tuple(point.run for point in points),
    )


@dataclass(frozen=True, eq=False)  # without slots, for the cached properties
class Line:
    """One curve: a BLAS build or environment on a machine.

    `searched` counts the commits with a value in the history that `detect` searches: that of the
    environment, whichever BLAS identities it had.
    """

    machine: str
    name: str
    identity: str
    columns: PointColumns
    changes: tuple[Change, ...]
    searched: int

    @cached_property
    def points(self) -> tuple[Point, ...]:
        """The points one by one, oldest first."""
        return tuple(self.columns.point(at) for at in range(len(self.columns.position)))

    @cached_property
    def newest(self) -> Point:
        """The last point, whatever its status."""
        return self.columns.point(-1)

    @cached_property
    def values(self) -> Numbers:
        """The values of the points that have one."""
        return self.columns.value[self.columns.is_value]

    @cached_property
    def positions(self) -> NDArray[np.int64]:
        """The positions of the points that have a value."""
        return self.columns.position[self.columns.is_value]

    @cached_property
    def measured(self) -> tuple[tuple[int, float], ...]:
        """Positions and values of the points that have one."""
        return tuple(zip(self.positions.tolist(), self.values.tolist(), strict=True))

    @cached_property
    def always_skipped(self) -> bool:
        """Whether there is nothing to see: neither a value nor a failure."""
        return set(self.columns.status) == {SKIPPED}


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


def build_series(measurements: Measurements) -> tuple[Series, ...]:
    """Cut the values into series, in the order of measure and parameters."""
    columns = ValueColumns(measurements.newest)
    changes = _changes_by_line(measurements)
    series = [_build_series(lines, columns, changes) for lines in columns.lines]
    return tuple(sorted(series, key=lambda one: (one.measure, _natural(one.params))))


def _build_series(lines: Sequence[Rows], columns: ValueColumns, changes: Changes) -> Series:
    of = columns.text
    places = [(of["machine"][rows[0]], of["line"][rows[0]]) for rows in lines]
    params = columns.params[lines[0][0]]
    label = ", ".join(f"{name}={value}" for name, value in params)
    ordered = sorted(
        zip(places, lines, strict=True), key=lambda one: (one[0][0], line_order(one[0][1]))
    )
    histories = _histories([rows for _, rows in ordered], columns)
    built = [
        (_build_line(*place, rows, label, columns, changes, histories), rows)
        for place, rows in ordered
    ]
    # asv writes what a run did not select as it writes a skip. Where another line has an outcome,
    # a line of skips alone is taken for that: it is no history.
    shown = [(line, rows) for line, rows in built if not line.always_skipped] or built
    newest = shown[0][1][-1]
    return Series(
        measure=of["measure"][newest],
        benchmark=of["benchmark"][newest],
        params=params,
        strategy=of["strategy"][newest],
        problem=of["problem"][newest],
        dtype=of["dtype"][newest],
        unit=of["unit"][newest],
        lines=tuple(line for line, _ in shown),
    )


# What `detect` searches, within a series: its rows by the number of the history.
Histories = dict[int, Rows]


def _histories(lines: Sequence[Rows], columns: ValueColumns) -> Histories:
    """Give the histories of a series as `detect` cuts them: by environment, not by identity."""
    parts: dict[int, list[Rows]] = {}
    for rows in lines:
        history = columns.history[rows]
        for number in dict.fromkeys(history.tolist()):
            parts.setdefault(number, []).append(rows[history == number])
    return {number: _standing(_ranked(found, columns), columns) for number, found in parts.items()}


def _ranked(parts: Sequence[Rows], columns: ValueColumns) -> Rows:
    """Put a history's rows in order; those of one line are ranked already."""
    if len(parts) == 1:
        return parts[0]
    # Rows of another identity meet here.
    met = np.concatenate(parts).tolist()
    met.sort(key=lambda row: (columns.position[row], columns.rank(row)))
    return np.array(met, dtype=np.int64)


def _standing(rows: Rows, columns: ValueColumns) -> Rows:
    """Keep of a commit's rows, which follow each other, the last."""
    position = columns.position[rows]
    is_last = np.append(position[1:] != position[:-1], True)
    return rows if is_last.all() else rows[is_last]


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
    machine: str,
    name: str,
    rows: Rows,
    label: str,
    columns: ValueColumns,
    changes: Changes,
    histories: Histories,
) -> Line:
    of = columns.text
    last = rows[-1]
    # Another version of a benchmark measured something else: only the newest one is a history.
    rows = rows[of["version"][rows] == of["version"][last]]
    found: dict[int, Change] = {}
    for environment in dict.fromkeys(of["environment"][rows].tolist()):
        key = (machine, environment, of["benchmark"][last], label)
        found |= {change.position: change for change in changes.get(key, [])}
    rows = _standing(rows, columns)
    history = histories[int(columns.history[last])]
    own = set(columns.position[rows].tolist())
    # The commits that are another line's: of two identities `detect` took the later.
    own -= set(columns.position[history[of["line"][history] != name]].tolist())
    return Line(
        machine,
        name,
        of["blas_identity"][last],
        PointColumns(
            columns.position[rows],
            columns.value[rows],
            columns.low[rows],
            columns.high[rows],
            *(tuple(of[name][rows].tolist()) for name in ("status", "environment", "run")),
        ),
        tuple(found[position] for position in sorted(own.intersection(found))),
        int(columns.is_value[history].sum()),
    )


def _changes_by_line(measurements: Measurements) -> Changes:
    """Give the changes of level by the line that shows them; failures are drawn as such."""
    positions = {commit.commit: commit.position for commit in measurements.commits}
    events = {event["event"]: event for event in records(measurements.tables["events"])}
    changes: Changes = defaultdict(list)
    for row in records(measurements.tables["changes"]):
        if row["commit"] in positions and row["kind"] not in FAILURES:
            event = events.get(row["event"], {})
            change = Change(
                positions[row["commit"]],
                row["before"],
                row["after"],
                row["ratio"],
                row["kind"],
                finite(row["ratio_low"]),
                finite(row["ratio_high"]),
                text(row["event"]),
                text(event.get("cause")),
                text(event.get("triage")),
            )
            key = (row["machine"], row["environment"], row["benchmark"], row["params"])
            changes[key].append(change)
    return changes
