"""What else is known of a strategy on a problem than its time: workspace, memory, error."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from convbench.report.cell_costs import Costs, cell_costs
from convbench.report.measurements import Measurements
from convbench.report.series import Line, Point, Series
from convbench.report.winners import newest_value

ERROR, MEMORY = "relative error", "bytes"
"""Units by which the benchmarks of error and memory are known."""

# A value by machine, line, data type, strategy and problem.
Values = Mapping[tuple[str, ...], float]


@dataclass(frozen=True, slots=True)
class Measured:
    """The newest values of one benchmark that has strategies, problems and a given unit."""

    benchmark: str
    values: Values

    def of(self, line: Line, cell: tuple[str, str, str]) -> float | None:
        """Give the value of a strategy, problem and data type on a line."""
        strategy, problem, dtype = cell
        return self.values.get((line.machine, line.name, dtype, strategy, problem))


@dataclass(frozen=True, slots=True)
class CellMeasures:
    """All that cells can show beside times.

    `workspace` is in bytes.
    """

    error: Measured
    memory: Measured
    workspace: Costs

    def workspace_of(
        self, measurements: Measurements, line: Line, point: Point, cell: tuple[str, str, str]
    ) -> int | None:
        """Give the bytes that a strategy, problem and data type needed in the run of a point."""
        commit = measurements.commits[point.position].commit
        return self.workspace.get((line.machine, point.environment, point.run, commit, *cell))


def cell_measures(series: Sequence[Series], cells: pd.DataFrame) -> CellMeasures:
    """Collect what the store has."""
    return CellMeasures(
        _measured(series, ERROR), _measured(series, MEMORY), cell_costs(cells, "workspace_bytes")
    )


def _measured(series: Sequence[Series], unit: str) -> Measured:
    """Take the benchmark whose newest value is newest, then that of the most cells."""
    own = [one for one in series if one.unit == unit and one.strategy and one.problem]
    newest: Counter[str] = Counter()
    for one in own:
        last = max(line.newest.position for line in one.lines)
        newest[one.benchmark] = max(newest[one.benchmark], last)
    cells = Counter(one.benchmark for one in own)
    if not own:
        return Measured("", {})
    chosen = max(cells, key=lambda name: (newest[name], cells[name], name))
    values: dict[tuple[str, ...], float] = {}
    for one in own:
        for line in one.lines:
            value = newest_value(line).value
            if one.benchmark == chosen and value is not None:
                values[line.machine, line.name, one.dtype, one.strategy, one.problem] = value
    return Measured(chosen, values)
