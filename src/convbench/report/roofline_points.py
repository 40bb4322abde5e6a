"""What the roofline is made of: newest times of strategies on problems, and what was executed."""

from collections.abc import Iterable
from dataclasses import dataclass

from convbench.report.cell_costs import Costs
from convbench.report.cells import Facts
from convbench.report.links import history_link
from convbench.report.measurements import Measurements
from convbench.report.winners import Found, newest_value

SAME_WORK = 0.005
"""Costs operations within this part of the direct algorithm's are the same."""


@dataclass(frozen=True, slots=True)
class Rated:
    """A strategy's newest time on a problem, with the operations and bytes of that problem.

    `factor` is the operations that it executes for each one of the direct algorithm, exactly 1 for
    the same work, and None where it is not known.
    """

    strategy: str
    problem: str
    seconds: float
    flops: int
    moved: int
    factor: float | None
    commit: str
    disturbed: str
    link: str

    @property
    def intensity(self) -> float:
        """The direct algorithm's operations per byte that must move."""
        return self.flops / self.moved

    @property
    def effective(self) -> float:
        """The direct algorithm's operations per second."""
        return self.flops / self.seconds

    @property
    def executed(self) -> float | None:
        """The operations per second that were really executed; None where they are not known."""
        return None if self.factor is None else self.effective * self.factor


def rated_cells(
    measurements: Measurements, found: Found, facts: Facts, executed: Costs, dtype: str
) -> Iterable[Rated]:
    """Give all cells with a time whose problem's operations and bytes are known."""
    for (strategy, problem), (series, line) in found.items():
        point = newest_value(line)
        known = facts.get(problem) or {}
        flops, moved = (int(known.get(name) or 0) for name in ("flops", f"bytes_{dtype}"))
        if not point.value or flops <= 0 or moved <= 0:
            continue
        commit = measurements.commits[point.position]
        run = (line.machine, point.environment, point.run, commit.commit)
        yield Rated(
            strategy,
            problem,
            point.value,
            flops,
            moved,
            _factor(executed.get((*run, strategy, problem, dtype)), flops),
            commit.short,
            measurements.disturbed.get((line.machine, point.run), ""),
            history_link(series, line.machine),
        )


def _factor(executed: int | None, flops: int) -> float | None:
    if not executed:  # not known; no strategy executes nothing
        return None
    factor = executed / flops
    return 1.0 if abs(factor - 1) < SAME_WORK else factor
