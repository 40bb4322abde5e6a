"""Who is fastest on which problem, and how sure that is."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import fmean

from convbench.report.series import OK, Line, Point, Series

MEASURE = "time_run"

# What one machine, line and dtype measured: (strategy, problem) -> its series and line.
Found = Mapping[tuple[str, str], tuple[Series, Line]]


@dataclass(frozen=True, slots=True)
class Win:
    """The fastest strategy of a problem, and those whose interval overlaps the winner's."""

    problem: str
    strategy: str
    seconds: float
    tied: tuple[str, ...]


def group_timings(series: Iterable[Series]) -> dict[tuple[str, str, str], Found]:
    """Group the run times of strategies by machine, line and dtype."""
    groups: dict[tuple[str, str, str], dict[tuple[str, str], tuple[Series, Line]]] = {}
    for one in series:
        if one.measure == MEASURE and one.strategy and one.problem:
            for line in one.lines:
                found = groups.setdefault((line.machine, line.name, one.dtype), {})
                found[one.strategy, one.problem] = (one, line)
    return dict(groups)


def newest_value(line: Line) -> Point:
    """Give the last point with a value, else the last point."""
    return next((point for point in reversed(line.points) if point.status == OK), line.newest)


def find_wins(found: Found) -> dict[str, Win]:
    """Find each problem's winner; a tie is an interval that overlaps the winner's."""
    points: dict[str, list[tuple[float, str, Point]]] = {}
    for (strategy, problem), (_, line) in found.items():
        point = newest_value(line)
        if point.value is not None:
            points.setdefault(problem, []).append((point.value, strategy, point))
    wins = {}
    for problem, candidates in points.items():
        value, winner, best = min(candidates, key=lambda one: one[:2])
        tied = tuple(
            sorted(
                strategy
                for _, strategy, point in candidates
                if strategy != winner and _overlap(best, point)
            )
        )
        wins[problem] = Win(problem, winner, value, tied)
    return wins


def _overlap(best: Point, other: Point) -> bool:
    """Whether two values may be the same; without an interval nothing is claimed."""
    if best.high is None or other.low is None:
        return False
    return other.low <= best.high


def order_strategies(groups: Iterable[Found]) -> list[str]:
    """Order strategies by their mean × slower than the winner, fastest first.

    One order for all tables, so that they can be compared by eye.
    """
    logs: dict[str, list[float]] = {}
    for found in groups:
        wins = find_wins(found)
        for (strategy, problem), (_, line) in found.items():
            ratios = logs.setdefault(strategy, [])
            value = newest_value(line).value
            if value:
                ratios.append(math.log(value / wins[problem].seconds))
    return sorted(logs, key=lambda name: (fmean(logs[name]) if logs[name] else math.inf, name))
