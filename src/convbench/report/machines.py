"""Machines side by side: what each is and reaches, how noisy it is, and how their times compare."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from convbench.report.environments_compared import EnvironmentsCompared, compare_environments
from convbench.report.machine_comparison import (
    EQUAL,
    Against,
    Comparison,
    compare_machines,
)
from convbench.report.machine_facts import Section, sections_of
from convbench.report.machine_peaks import ceilings
from convbench.report.measurements import Measurements
from convbench.report.outcomes import Outcomes
from convbench.report.provenance import MachineRow
from convbench.report.readable import counted
from convbench.report.series import Series
from convbench.report.trust import Trust


@dataclass(frozen=True, slots=True)
class Machines:
    """The view; where no two machines measured the same there are no comparisons.

    `title` and `lede` are those of the first comparison, where there is one.
    """

    title: str
    lede: str
    names: tuple[str, ...]
    sections: tuple[Section, ...]
    comparisons: tuple[Comparison, ...]
    environments: tuple[EnvironmentsCompared, ...] = ()


def build_machines(
    measurements: Measurements,
    series: Sequence[Series],
    outcomes: Outcomes,
    machines: Sequence[MachineRow],
    trust: Trust | None = None,
    repo_url: str = "",
) -> Machines | None:
    """Build the view; None where no machine was measured."""
    if not machines:
        return None
    found = ceilings(measurements, series)
    comparisons = tuple(
        replace(one, rows=tuple(_told(one, row) for row in one.rows))
        for one in compare_machines(measurements, series, found)
    )
    names = tuple(row.machine for row in machines)
    return Machines(
        comparisons[0].farthest.title if comparisons else _title(names),
        comparisons[0].farthest.lede if comparisons else _lede(names),
        names,
        sections_of(measurements, series, outcomes, machines, found, trust, repo_url),
        comparisons,
        compare_environments(series),
    )


def _title(names: Sequence[str]) -> str:
    if len(names) == 1:
        return f"One machine: {names[0]}"
    return f"{len(names)} machines, measured differently"


def _lede(names: Sequence[str]) -> str:
    if len(names) == 1:
        return "With results of a second machine in the store, the two are compared here."
    return (
        "No two machines measured the same in the same environment or build, so their times "
        "are not compared."
    )


def _told(comparison: Comparison, row: Against) -> Against:
    """Say what is found of a machine and the one that it is compared with."""
    lede = " ".join(_sentences_of(comparison, row))
    return replace(row, title=_title_of(comparison, row), lede=lede)


def _title_of(comparison: Comparison, row: Against) -> str:
    if row.ratio.kind == EQUAL:
        return f"{row.machine} is about as fast as {comparison.machine}"
    return f"{row.machine} is {row.ratio.factor} than {comparison.machine}"


def _sentences_of(comparison: Comparison, row: Against) -> Iterator[str]:
    where = ", ".join(filter(None, (comparison.line, comparison.dtype)))
    yield (
        f"In the geometric mean over {counted(row.cells, 'common cell')}"
        f"{f' with {where}' if where else ''}: slower on {row.slower:,}, faster on "
        f"{row.faster:,}, intervals that touch on {row.equal:,}."
    )
    if row.at_equal_peak:
        yield (
            f"At equal peaks its time would stand at {row.at_equal_peak}; below ×1 a machine makes "
            f"more of what it has than {comparison.machine} does."
        )
