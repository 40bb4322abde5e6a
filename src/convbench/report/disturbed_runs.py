"""Runs during which something else used the machine: how many, and what it was."""

from collections.abc import Sequence
from dataclasses import dataclass

from convbench.report.coverage_strip import share_of
from convbench.report.measurements import Measurements
from convbench.report.provenance import RunRow


@dataclass(frozen=True, slots=True)
class QuietRow:
    """How many of a machine's runs were disturbed, of those that recorded whether they were."""

    machine: str
    recorded: int
    disturbed: int

    @property
    def share(self) -> str:
        """The disturbed part, in percent."""
        return share_of(self.disturbed, self.recorded)


@dataclass(frozen=True, slots=True)
class DisturbedRuns:
    """All machines' counts, and the disturbed runs themselves, newest first."""

    machines: tuple[QuietRow, ...]
    runs: tuple[RunRow, ...]

    @property
    def recorded(self) -> int:
        """The runs that recorded whether they were disturbed."""
        return sum(row.recorded for row in self.machines)

    @property
    def share(self) -> str:
        """The disturbed part of them all, in percent."""
        return share_of(len(self.runs), self.recorded)


def disturbed_runs(measurements: Measurements, runs: Sequence[RunRow]) -> DisturbedRuns | None:
    """Count the disturbed runs; None where no run recorded it."""
    table = measurements.tables["runs"]
    known = table[table["disturbed"].notna()]
    if known.empty:
        return None
    rows = tuple(
        QuietRow(str(machine), len(of), int((of["disturbed"] != "").sum()))
        for machine, of in known.groupby("machine", sort=True)
    )
    return DisturbedRuns(rows, tuple(run for run in runs if run.disturbed))
