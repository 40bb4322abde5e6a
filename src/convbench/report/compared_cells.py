"""What can be compared with what: cells, the two sides of a comparison, and its command."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from convbench.report.cell_verdicts import Readings, Side, reach_of, readings_of, side_of
from convbench.report.measurements import Measurements, text
from convbench.report.series import FAILED, OK, Line, Series


@dataclass(frozen=True, slots=True)
class Choice:
    """What is compared: positions of commits; an empty place is every place, or the same one."""

    base: int
    head: int
    machine: str = ""
    blas: str = ""
    base_machine: str = ""
    base_blas: str = ""


@dataclass(frozen=True)  # without slots, for the cached properties
class Cells:
    """All cells: one for each line of each series, numbered in their order."""

    measurements: Measurements
    series: Sequence[Series]

    @cached_property
    def lines(self) -> tuple[tuple[int, Series, Line], ...]:
        """The cells, each with the number of its series."""
        return tuple(
            (number, one, line) for number, one in enumerate(self.series) for line in one.lines
        )

    @cached_property
    def reaches(self) -> tuple[float | None, ...]:
        """How far two values of each cell may lie apart by chance."""
        needed = self.measurements.min_commits
        return tuple(reach_of(line, needed) for _, _, line in self.lines)

    @cached_property
    def readings(self) -> tuple[Readings, ...]:
        """The values of each cell as the site keeps them."""
        return readings_of([line.columns for _, _, line in self.lines])

    @cached_property
    def numbers(self) -> Mapping[tuple[int, str, str], int]:
        """The number of a cell by its series, machine and line."""
        return {
            (number, line.machine, line.name): at for at, (number, _, line) in enumerate(self.lines)
        }

    @cached_property
    def valued(self) -> tuple[frozenset[int], ...]:
        """The cells with a value at each commit."""
        found: list[set[int]] = [set() for _ in self.measurements.commits]
        for at, (_, _, line) in enumerate(self.lines):
            for position in line.positions.tolist():
                found[position].add(at)
        return tuple(map(frozenset, found))

    def pairs(self, choice: Choice) -> Iterator[tuple[Series, Side, Side]]:
        """Give base and head of each cell that has an outcome at either."""
        for at, (number, one, line) in enumerate(self.lines):
            if choice.machine not in ("", line.machine) or choice.blas not in ("", line.name):
                continue
            place = choice.base_machine or line.machine, choice.base_blas or line.name
            other = self.numbers.get((number, *place))
            if other == at and choice.base == choice.head:
                continue
            head = side_of(line, choice.head, self.reaches[at], self.readings[at])
            base = (
                Side(choice.base, line, "", None, None)
                if other is None
                else side_of(
                    self.lines[other][2], choice.base, self.reaches[other], self.readings[other]
                )
            )
            if {base.status, head.status} & {OK, FAILED}:
                yield one, base, head


def first_choice(cells: Cells) -> Choice | None:
    """Choose the newest commit against the one before; of one commit alone, two of its places.

    The one before is the newest that shares half of the newest one's cells, else the one that
    shares most: a run of a few benchmarks, or of another machine, is no base.
    """
    if not cells.lines:
        return None
    head = len(cells.valued) - 1
    shared = [len(cells.valued[head] & values) for values in cells.valued[:head]]
    if any(shared):
        half = len(cells.valued[head]) / 2
        base = max(range(head), key=lambda at: (min(shared[at], half), at))
        return Choice(base, head)
    places = list(dict.fromkeys((line.machine, line.name) for _, _, line in cells.lines))
    for machine, name in places[1:]:
        if machine == places[0][0]:
            where = machine if cells.measurements.several_machines else ""
            return Choice(head, head, machine=where, blas=name, base_blas=places[0][1])
    if len(places) > 1:
        return Choice(head, head, machine=places[1][0], base_machine=places[0][0])
    return None


def state_of(measurements: Measurements, choice: Choice) -> dict[str, str]:
    """Write a choice as the address has it."""
    commits = measurements.commits
    places = {
        "machine": choice.machine,
        "blas": choice.blas,
        "base_machine": choice.base_machine,
        "base_blas": choice.base_blas,
    }
    short = {"base": commits[choice.base].short, "head": commits[choice.head].short}
    return short | {key: value for key, value in places.items() if value}


def command_of(measurements: Measurements, choice: Choice) -> str:
    """Write the command that measures the comparison anew; empty where there is none."""
    commits = measurements.commits
    if choice.base_machine:
        return ""
    head = _place(measurements, choice.machine, choice.blas)
    if not choice.base_blas:
        words = [commits[choice.base].short, commits[choice.head].short]
        words += ["--environment", head.environment] if head else []
    elif choice.base != choice.head or not head:
        return ""
    else:
        base = _place(measurements, choice.machine, choice.base_blas)
        if not base:
            return ""
        kind = "blas" if head.blas and base.blas and head.blas != base.blas else "environment"
        words = [f"{kind}:{getattr(one, kind)}" for one in (base, head)]
        words += ["--at", commits[choice.head].short]
    words += ["--threads", "all"] if head and head.all_threads else []
    return shlex.join(["convbench", "compare", *words])


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a machine, as `convbench compare` names it."""

    machine: str
    line: str
    blas: str
    environment: str
    all_threads: bool


def places_of(measurements: Measurements) -> tuple[Place, ...]:
    """Give all machines and lines."""
    return tuple(
        Place(
            machine,
            line,
            text(row["blas"]),
            text(row["environment"]),
            measurements.uses_all_threads(machine, line),
        )
        for (machine, line), row in measurements.rows_of_lines.items()
    )


def _place(measurements: Measurements, machine: str, line: str) -> Place | None:
    """Find a line's place; of several machines the first, as their environments are alike."""
    places = places_of(measurements) if line else ()
    found = [one for one in places if one.line == line and machine in ("", one.machine)]
    return found[0] if found else None
