"""Environments of one machine against each other: what another Python or library costs.

For projects without strategies; of this one, the view of BLAS builds tells it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from convbench.report.machine_comparison import EQUAL, Comparison, compare_with
from convbench.report.machine_pairs import timed_series
from convbench.report.readable import counted
from convbench.report.series import Line, Series
from convbench.report.winners import newest_value

MOST_MACHINES, MOST_NAMES = 4, 12
"""Tables, and benchmarks of each, that are drawn."""


@dataclass(frozen=True, slots=True)
class EnvironmentsCompared:
    """The environments of one machine against `comparison.machine`, one of them."""

    machine: str
    title: str
    comparison: Comparison

    @property
    def others(self) -> int:
        """Count the benchmarks that are not drawn."""
        names = self.comparison.names
        return len(names[MOST_NAMES:]) + self.comparison.others


def compare_environments(series: Sequence[Series]) -> tuple[EnvironmentsCompared, ...]:
    """Compare the environments of each machine with the one that was measured last.

    Machines with the most cells first; empty in a project with strategies.
    """
    timed = timed_series(series)
    if any(one.strategy for one in timed):
        return ()
    by_machine: dict[str, dict[str, dict[int, Line]]] = {}
    for number, one in enumerate(timed):
        for line in one.lines:
            if newest_value(line).value:
                environments = by_machine.setdefault(line.machine, {})
                environments.setdefault(line.name, {})[number] = line
    made = [
        EnvironmentsCompared(machine, _title(comparison), comparison)
        for machine, environments in by_machine.items()
        if len(environments) > 1
        and (comparison := compare_with(timed, environments, _base(environments)))
    ]
    made.sort(key=lambda one: (-sum(row.cells for row in one.comparison.rows), one.machine))
    return tuple(made[:MOST_MACHINES])


def _base(environments: Mapping[str, Mapping[int, Line]]) -> str:
    """Choose the environment of the newest commit; of several the one with the most cells."""

    def rank(name: str) -> tuple[int, int, str]:
        lines = environments[name].values()
        newest = max(newest_value(line).position for line in lines)
        return -newest, -len(lines), name

    return min(environments, key=rank)


def _title(comparison: Comparison) -> str:
    """Say what differs most from the base."""
    row = max(comparison.rows, key=lambda one: abs(one.ratio.log))
    cells = counted(row.cells, "common cell")
    if row.ratio.kind == EQUAL:
        return f"{row.machine} is about as fast as {comparison.machine}, over {cells}"
    return f"{row.machine} is {row.ratio.factor} than {comparison.machine}, over {cells}"
