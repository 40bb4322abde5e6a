"""Who is fastest on which problem, and how sure that is."""

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from statistics import fmean, median

from convbench.report.series import OK, Line, Point, Series

MEASURE = "time_run"

# What one machine, line and dtype measured: (strategy, problem) -> its series and line.
Found = Mapping[tuple[str, str], tuple[Series, Line]]


MOST_SPREAD = 2.0
"""An interval's upper end over its lower, above which it overlaps all and tells nothing."""


@dataclass(frozen=True, slots=True)
class Win:
    """The fastest strategy of a problem, and those whose interval overlaps the winner's.

    `tied` may be as fast. Of `unclear` that cannot be said: one of the two intervals spans more
    than `MOST_SPREAD`, or one of the two values is of a disturbed run. `rivals` counts the other
    strategies with a time: without any nothing was won.
    """

    problem: str
    strategy: str
    seconds: float
    tied: tuple[str, ...]
    unclear: tuple[str, ...] = ()
    rivals: int = 0

    @property
    def is_contested(self) -> bool:
        """Whether at least two strategies have a time, so that one can be the fastest."""
        return self.rivals > 0


def group_timings(series: Iterable[Series]) -> dict[tuple[str, str, str], Found]:
    """Group the run times of strategies by machine, line and dtype; what is not above 0 is none."""
    groups: dict[tuple[str, str, str], dict[tuple[str, str], tuple[Series, Line]]] = {}
    for one in series:
        if one.measure == MEASURE and one.strategy and one.problem:
            for line in filter(_is_timing, one.lines):
                found = groups.setdefault((line.machine, line.name, one.dtype), {})
                found[one.strategy, one.problem] = (one, line)
    return dict(groups)


def _is_timing(line: Line) -> bool:
    value = newest_value(line).value
    return value is None or value > 0


def newest_value(line: Line) -> Point:
    """Give the last point with a value, else the last point."""
    status = line.columns.status
    ok = (at for at in reversed(range(len(status))) if status[at] == OK)
    return line.columns.point(next(ok, -1))


def find_wins(found: Found, disturbed: Collection[tuple[str, str]] = ()) -> dict[str, Win]:
    """Find each problem's winner, and who may be as fast.

    `disturbed` are the machines and runs of which nothing close can be told.
    """
    points: dict[str, list[tuple[float, str, Point, bool]]] = {}
    for (strategy, problem), (_, line) in found.items():
        point = newest_value(line)
        if point.value is not None:
            quiet = (line.machine, point.run) not in disturbed
            points.setdefault(problem, []).append((point.value, strategy, point, quiet))
    wins = {}
    for problem, candidates in points.items():
        value, winner, best, sure = min(candidates, key=lambda one: one[:2])
        sure = sure and _is_narrow(best)
        near = {
            strategy: sure and quiet and _is_narrow(point)
            for _, strategy, point, quiet in sorted(candidates, key=lambda one: one[1])
            if strategy != winner and _overlap(best, point)
        }
        tied, unclear = (
            tuple(name for name, clear in near.items() if clear is wanted)
            for wanted in (True, False)
        )
        wins[problem] = Win(problem, winner, value, tied, unclear, len(candidates) - 1)
    return wins


def _overlap(best: Point, other: Point) -> bool:
    """Whether two values may be the same; without an interval nothing is claimed."""
    if best.high is None or other.low is None:
        return False
    return other.low <= best.high


def _is_narrow(point: Point) -> bool:
    """Whether a value with an interval is known to within a factor."""
    if point.low is None or point.high is None:
        return False
    return point.high <= MOST_SPREAD * point.low


def order_strategies(groups: Iterable[Found]) -> list[str]:
    """Order strategies by their mean × slower than the winner, fastest first.

    One order for all tables, so that they can be compared by eye. Of a problem that a strategy did
    not do, the median of those that did counts: else who does one thing well would stand above who
    does everything.
    """
    logs: dict[str, list[float]] = {}
    for found in groups:
        wins = find_wins(found)
        by_problem: dict[str, dict[str, float]] = {}
        for (strategy, problem), (_, line) in found.items():
            logs.setdefault(strategy, [])
            value = newest_value(line).value
            if value:
                ratios = by_problem.setdefault(problem, {})
                ratios[strategy] = math.log(value / wins[problem].seconds)
        for strategy in set().union(*by_problem.values()):
            logs[strategy] += [
                ratios.get(strategy, median(ratios.values())) for ratios in by_problem.values()
            ]
    return sorted(logs, key=lambda name: (fmean(logs[name]) if logs[name] else math.inf, name))
