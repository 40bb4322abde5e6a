"""What is known of every cell: a series on a line, measured there lately, once, or never.

Lately is told by the commits that the machine measured, never by a clock. asv writes what a run did
not select as it writes a skip, so a skip hides no older outcome, unless the store knows that the
strategy cannot do the problem.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from convbench.report.cells import unsupported_reasons
from convbench.report.measurements import Measurements
from convbench.report.naming import line_order
from convbench.report.series import FAILED, OK, SKIPPED, Line, Point, Series

STALE, NEVER, RETIRED = "stale", "never", "retired"
OUTCOMES = (OK, STALE, FAILED, SKIPPED, NEVER, RETIRED)
"""`ok` is of the machine's newest commit, `stale` of an older one, `retired` of a much older one;
`never` has no outcome there."""

RETIRED_AFTER = 20
"""Commits of its machine that a cell or a whole line may miss; of more, nobody expects a value."""

Place = tuple[str, str]
"""A machine and a line."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One cell's state; `behind` counts the commits that its machine has measured since.

    `point` is the outcome that counts; where the series was never measured, both it and, mostly,
    `line` are None. `with_line` tells that the cell is as new as its whole line: if it is stale,
    then because nothing of the line was measured.
    """

    series: Series
    place: Place
    state: str
    line: Line | None = None
    point: Point | None = None
    behind: int = 0
    with_line: bool = False

    @property
    def name(self) -> str:
        """What the cell is counted with: its strategy, else its benchmark."""
        return self.series.strategy or self.series.measure

    @property
    def is_history(self) -> bool:
        """Whether the cell counts among the histories: it has an outcome that is not retired."""
        return self.state not in (NEVER, RETIRED)


@dataclass(frozen=True)  # without slots, for the cached properties
class Outcomes:
    """All cells of the lines that are still measured.

    `places` tells of each how many commits of its machine it misses; `retired` are the other lines,
    each with its newest commit's position and the commits since.
    """

    places: Mapping[Place, int]
    retired: tuple[tuple[Place, int, int], ...]
    every: tuple[Outcome, ...]
    commits: Mapping[str, tuple[int, ...]]

    def newest(self, place: Place) -> int:
        """Give the position of the newest commit of which anything of a line is known."""
        return self.commits[place[0]][-1 - self.places[place]]

    @cached_property
    def by_place(self) -> Mapping[Place, tuple[Outcome, ...]]:
        """The cells of each line."""
        found: dict[Place, list[Outcome]] = {place: [] for place in self.places}
        for outcome in self.every:
            found[outcome.place].append(outcome)
        return {place: tuple(outcomes) for place, outcomes in found.items()}

    @cached_property
    def histories(self) -> tuple[tuple[Outcome, Line], ...]:
        """The cells that count as histories, each with its line."""
        return tuple((one, one.line) for one in self.every if one.is_history and one.line)


def find_outcomes(measurements: Measurements, series: Sequence[Series]) -> Outcomes:
    """Judge every cell that was measured, failed or skipped anywhere."""
    commits = {
        str(machine): tuple(sorted(set(positions)))
        for machine, positions in measurements.newest.groupby("machine")["position"]
    }
    support = Support(measurements.tables["cells"])
    newest: dict[Place, tuple[bool, int]] = {}
    for one in series:
        for line in one.lines:
            point = outcome_of(line)
            # A skip tells when a line was measured only where it has nothing else.
            known = (point.status != SKIPPED, point.position)
            place = (line.machine, line.name)
            newest[place] = max(newest.get(place, known), known)
    last = {place: position for place, (_, position) in newest.items()}
    behind = {place: commits_since(commits[place[0]], at) for place, at in last.items()}
    ordered = sorted(last, key=lambda place: (place[0], line_order(place[1])))
    places = {place: behind[place] for place in ordered if behind[place] <= RETIRED_AFTER}
    return Outcomes(
        places,
        tuple((place, last[place], behind[place]) for place in ordered if place not in places),
        tuple(outcome for one in series for outcome in _of_series(one, places, commits, support)),
        commits,
    )


def commits_since(positions: Sequence[int], position: int) -> int:
    """Count the commits of a machine after a position."""
    return len(positions) - bisect_right(positions, position)


class Support:
    """Which strategies can do which problems, as far as the store tells."""

    def __init__(self, cells: pd.DataFrame) -> None:
        self._reasons = unsupported_reasons(cells)
        names = cells[["strategy", "problem", "dtype"]].drop_duplicates()
        self._known = set(names.itertuples(index=False, name=None))

    def reason(self, one: Series) -> str:
        """Say why a series cannot be measured; empty where it can be, or nothing is known."""
        return self._reasons.get((one.strategy, one.problem, one.dtype), "")

    def can(self, one: Series) -> bool:
        """Whether the store tells that a series can be measured."""
        key = (one.strategy, one.problem, one.dtype)
        return key in self._known and key not in self._reasons


def outcome_of(line: Line, *, refused: bool = False) -> Point:
    """Give the point that counts: the last one that was no skip, if there is one."""
    if refused:
        return line.newest
    status = line.columns.status
    known = (at for at in reversed(range(len(status))) if status[at] != SKIPPED)
    return line.columns.point(next(known, -1))


def _of_series(
    one: Series,
    places: Mapping[Place, int],
    commits: Mapping[str, Sequence[int]],
    support: Support,
) -> list[Outcome]:
    lines = {(line.machine, line.name): line for line in one.lines}
    refused = bool(support.reason(one))
    found = []
    for place, least in places.items():
        if line := lines.get(place):
            point = outcome_of(line, refused=refused)
            if point.status == SKIPPED and support.can(one):
                found.append(Outcome(one, place, NEVER, line))
                continue
            behind = commits_since(commits[place[0]], point.position)
            found.append(
                Outcome(one, place, _state(point, behind), line, point, behind, behind == least)
            )
    # What no line does, or does no more, is no hole on a line that did not try.
    if any(outcome.state in (OK, STALE, FAILED) for outcome in found):
        found += [Outcome(one, place, NEVER) for place in places if place not in lines]
    return found


def _state(point: Point, behind: int) -> str:
    if point.status != OK or not behind:
        return point.status
    return STALE if behind <= RETIRED_AFTER else RETIRED
