"""Histories: what one benchmark with one set of parameters did over the commits, per line."""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from convbench.report.measurements import Measurements, text
from convbench.report.naming import line_order, records
from convbench.report.value_columns import Params, ValueColumns, finite
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


class Point(
    NamedTuple
):  # of all that a site is made of the most numerous: no dataclass is as quick
    """One commit's outcome on a line; `value` is None unless the status is ok."""

    position: int
    value: float | None
    low: float | None
    high: float | None
    status: str
    environment: str
    run: str


@dataclass(frozen=True)  # without slots, for the cached property
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

    @cached_property
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
Rows = list[int]
"""Rows of the values, by number."""


def build_series(measurements: Measurements) -> tuple[Series, ...]:
    """Cut the values into series, in the order of measure and parameters."""
    columns = ValueColumns(measurements.newest)
    changes = _changes_by_line(measurements)
    of = columns.text
    groups: dict[tuple[str, str, Params], dict[tuple[str, str], Rows]] = {}
    keys = zip(of["measure"], of["benchmark"], columns.params, strict=True)
    places = zip(of["machine"], of["line"], strict=True)
    for row, (key, place) in enumerate(zip(keys, places, strict=True)):
        lines = groups.get(key)
        if lines is None:
            lines = groups[key] = {}
        rows = lines.get(place)
        if rows is None:
            rows = lines[place] = []
        rows.append(row)
    series = [_build_series(*key, lines, columns, changes) for key, lines in groups.items()]
    return tuple(sorted(series, key=lambda one: (one.measure, _natural(one.params))))


def _build_series(
    measure: str,
    benchmark: str,
    params: Params,
    lines: dict[tuple[str, str], Rows],
    columns: ValueColumns,
    changes: Changes,
) -> Series:
    label = ", ".join(f"{name}={value}" for name, value in params)
    every = sorted(lines, key=lambda key: (key[0], line_order(key[1])))
    histories = _histories([lines[key] for key in every], columns)
    built = {
        key: _build_line(*key, lines[key], label, columns, changes, histories) for key in every
    }
    # asv writes what a run did not select as it writes a skip. Where another line has an outcome,
    # a line of skips alone is taken for that: it is no history.
    shown = {key: line for key, line in built.items() if not line.always_skipped} or built
    newest = lines[next(iter(shown))][-1]
    of = columns.text
    return Series(
        measure=measure,
        benchmark=benchmark,
        params=params,
        strategy=of["strategy"][newest],
        problem=of["problem"][newest],
        dtype=of["dtype"][newest],
        unit=of["unit"][newest],
        lines=tuple(shown.values()),
    )


# What `detect` searches, within a series: its row at each position.
Histories = dict[tuple[str, ...], dict[int, int]]


def _histories(lines: Sequence[Rows], columns: ValueColumns) -> Histories:
    """Give the histories of a series as `detect` cuts them: by environment, not by identity.

    Of a commit's rows the later one stands, but a skipped one only where there is no other.
    """
    history, position = columns.history, columns.position
    found: Histories = {}
    for rows in lines:
        # Rows of one line are ranked already; those of another identity meet them here.
        for row in rows:
            at = found.setdefault(history[row], {})
            known = at.get(position[row])
            if known is None or columns.rank(known) <= columns.rank(row):
                at[position[row]] = row
    return found


def _point(columns: ValueColumns, row: int) -> Point:
    of = columns.text
    return Point(
        columns.position[row],
        columns.value[row],
        columns.low[row],
        columns.high[row],
        of["status"][row],
        of["environment"][row],
        of["run"][row],
    )


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
    of, position = columns.text, columns.position
    # Another version of a benchmark measured something else: only the newest one is a history.
    version = of["version"]
    rows = [row for row in rows if version[row] == version[rows[-1]]]
    # Of a commit's rows, as `prepare` ordered them, the last stands.
    by_position = {position[row]: row for row in rows}
    found: dict[int, Change] = {}
    for environment in {of["environment"][row]: None for row in rows}:
        key = (machine, environment, of["benchmark"][rows[0]], label)
        found |= {change.position: change for change in changes.get(key, [])}
    history = histories[columns.history[rows[-1]]]

    def is_own(position: int) -> bool:
        """Whether the commit is this line's: of two identities `detect` took the later."""
        return position in by_position and (
            position not in history or of["line"][history[position]] == name
        )

    return Line(
        machine,
        name,
        of["blas_identity"][rows[-1]],
        tuple(_point(columns, row) for row in by_position.values()),
        tuple(found[position] for position in sorted(found) if is_own(position)),
        sum(of["status"][row] == OK and columns.value[row] is not None for row in history.values()),
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
