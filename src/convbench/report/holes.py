"""What is not measured at the newest commit, as a list: what, where, since when and why."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from convbench.report.cells import Refusals, refusal_of, refusals
from convbench.report.links import history_link
from convbench.report.measurements import Measurements, text
from convbench.report.naming import records
from convbench.report.outcomes import NEVER, RETIRED, STALE, Outcome, Outcomes, Support
from convbench.report.readable import counted
from convbench.report.series import FAILED, OK, SKIPPED

ORDER = (FAILED, STALE, NEVER, RETIRED, SKIPPED)
"""What can be mended stands first; the last two need no mending."""

MOST_NAMED = 3
"""Sets of parameters that a row names; it counts the others."""


@dataclass(frozen=True, slots=True)
class Hole:
    """Cells of one name with the same outcome at the same place, for the same reason.

    `position` is the newest commit of a `stale` or `failed` one, -1 without any; `behind` counts
    the commits that the machine measured since.
    """

    state: str
    name: str
    detail: str
    number: int
    where: str
    position: int
    behind: int
    reason: str
    link: str


def find_holes(measurements: Measurements, outcomes: Outcomes) -> tuple[Hole, ...]:
    """List all holes: failures first, then what went missing, the latest first."""
    reasons = _Reasons(measurements)
    groups: dict[tuple[object, ...], list[Outcome]] = {}
    for one in outcomes.every:
        if one.state != OK:
            position = one.point.position if one.point else -1
            reason = reasons.of(one)
            cell = (one.name, one.series.measure)
            # That nothing of a line was measured is one thing, and no hole of each benchmark.
            whole = one.state == STALE and one.with_line
            key = (one.state, *(("", "") if whole else cell), one.place, position, reason)
            groups.setdefault(key, []).append(one)
    holes = [_hole(measurements, key, members) for key, members in groups.items()]
    return tuple(sorted(holes, key=lambda one: (ORDER.index(one.state), *_rank(one), one.name)))


def _rank(hole: Hole) -> tuple[int, int]:
    return hole.behind, -hole.number


def _hole(measurements: Measurements, key: tuple[Any, ...], members: list[Outcome]) -> Hole:
    state, name, measure, place, position, reason = key
    first = members[0]
    machine = "" if state == NEVER else place[0]
    detail = _detail(measure if name != measure else "", members)
    if not name:
        name, detail = "the whole line", f"{len({one.name for one in members}):,} by name"
    return Hole(
        state,
        name,
        detail,
        len(members),
        measurements.place(*place) or place[0],
        position,
        first.behind,
        reason,
        history_link(first.series, machine),
    )


def _detail(measure: str, members: Iterable[Outcome]) -> str:
    """Name the measure, unless that is the name, and the first sets of parameters."""
    sets = [_parameters(one) for one in members]
    named = [one for one in sets[:MOST_NAMED] if one]
    more = len(sets) - MOST_NAMED
    words = [*filter(None, [measure]), *([", ".join(named)] if named else [])]
    return " · ".join(words) + (f" and {more:,} more" if more > 0 else "")


def _parameters(one: Outcome) -> str:
    # The strategy is the name already.
    return " ".join(value for name, value in one.series.params if name != "strategy")


class _Reasons:
    """Why a cell has no new value, as far as the store tells."""

    def __init__(self, measurements: Measurements) -> None:
        self._measurements = measurements
        self._refused: Refusals = refusals(measurements.tables["environments"])
        self._support = Support(measurements.tables["cells"])
        self._left_out = _left_out(measurements)

    def of(self, one: Outcome) -> str:
        """Give the reason in words; empty where none is known."""
        if one.state == NEVER:
            elsewhere = _places(self._measurements, one)
            return f"measured on {elsewhere}" if elsewhere else "no run selected it yet"
        if one.state == FAILED and one.line and one.point:
            refused = refusal_of(self._measurements, one.line, one.point, self._refused)
            return refused or "the benchmark raised an error; its run's asv.log has it"
        if one.state == SKIPPED:
            return self._support.reason(one.series) or "skipped by the benchmark, or not selected"
        if one.state == RETIRED:
            return "for so long that it is taken as retired"
        return self._left_out.get(one.place[0], "")


def _places(measurements: Measurements, one: Outcome) -> str:
    names = [
        measurements.place(line.machine, line.name)
        for line in one.series.lines
        if not line.always_skipped
    ]
    more = f" and {counted(len(names) - 2, 'other line')}" if len(names) > 2 else ""
    return ", ".join(names[:2]) + more


def _left_out(measurements: Measurements) -> Mapping[str, str]:
    """Say of each machine why its newest run may have left out cells."""
    runs = measurements.tables["runs"].sort_values(["machine", "started_at", "run"], kind="stable")
    found = {}
    for run in records(runs.drop_duplicates("machine", keep="last")):
        if text(run["bench"]):
            words = f"the newest run measured only benchmarks like {text(run['bench'])}"
        elif run["cells_left_out"] and run["cells_left_out"] > 0:
            words = f"the newest run left out {counted(int(run['cells_left_out']), 'cell')}"
        else:
            continue
        found[text(run["machine"])] = words
    return found
