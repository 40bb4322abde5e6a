"""Which history shows a change or an event: rows of both tables name one by its labels."""

from collections.abc import Mapping, Sequence
from typing import Any

from convbench.report.measurements import Measurements, text
from convbench.report.series import Line, Series
from convbench.stats.changes import FAILURES

Row = Mapping[str, Any]
Place = tuple[str, str]
"""A machine and an environment."""


class EventLines:
    """The series of a project, found by rows of the tables `events` and `changes`.

    An event is shown by the history of its clearest change, whose labels are the event's own.
    """

    def __init__(self, measurements: Measurements, series: Sequence[Series]) -> None:
        self._measurements = measurements
        self._series = {(one.benchmark, _params(one)): one for one in series}
        self._lines: dict[tuple[str, str], dict[Place, list[Line]]] = {}

    def series(self, row: Row) -> Series | None:
        """Find the series; None where the benchmark is no longer measured with the parameters."""
        return self._series.get(_key(row))

    def line(self, row: Row) -> Line | None:
        """Find the line: of several in the row's environment, the one that shows the event."""
        key = _key(row)
        if key not in self._lines:
            self._lines[key] = _by_place(self._series.get(key))
        own = self._lines[key].get((row["machine"], row["environment"]), [])
        return next((line for line in own if shows(line, row)), own[0] if own else None)

    def drawn(self, row: Row) -> Line | None:
        """Find the line that shows the event; None where only an older version had it."""
        line = self.line(row)
        return line if line is not None and shows(line, row) else None

    def name(self, row: Row) -> str:
        """Name what was measured: the strategy, else the measure."""
        one = self.series(row)
        return text(row["strategy"]) or (one.measure if one else text(row["benchmark"]))

    def detail(self, row: Row) -> str:
        """Say which history it is: what a reader needs beside the name."""
        one, line = self.series(row), self.line(row)
        values = [value for name, value in one.params if name != "strategy"] if one else []
        measure = [one.measure] if one and one.strategy else []
        machine = text(row["machine"])
        where = self._measurements.place(machine, line.name) if line else machine
        return " · ".join(filter(None, [*measure, *values, where]))


def shows(line: Line, row: Row) -> bool:
    """Whether a line shows an event: lines hold changes of level, and draw failures as such."""
    its = (change.event == row["event"] for change in line.changes)
    return row["kind"] in FAILURES or any(its)


def _key(row: Row) -> tuple[str, str]:
    return text(row["benchmark"]), text(row["params"])


def _params(one: Series) -> str:
    return ", ".join(f"{name}={value}" for name, value in one.params)


def _by_place(one: Series | None) -> dict[Place, list[Line]]:
    """Give the lines of a series by the places whose points they hold."""
    lines: dict[Place, list[Line]] = {}
    for line in one.lines if one else ():
        for environment in dict.fromkeys(line.columns.environment):
            lines.setdefault((line.machine, environment), []).append(line)
    return lines
