"""What it costs to take one strategy for every problem, against the fastest of each problem.

The cost of a strategy is the geometric mean, over the problems that it did, of its time divided by
the shortest time that any strategy of the same table took. Its interval takes the intervals of the
times as independent: in logarithms, their half-widths are added in quadrature. What moves all times
of a run together is in none of them.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from convbench.report.axes import Scale, linear, logarithmic
from convbench.report.cells import Cell
from convbench.report.readable import counted, significant, times
from convbench.report.series import OK

AUTO = "auto"
"""The strategy that chooses another for each problem: what a fixed choice is compared with."""

STRIP_WIDTH = 180
MOST_FIRST = 10
"""So many strategies stand in the table at once: nobody would always take the others."""


@dataclass(frozen=True, slots=True)
class Strip:
    """A cost as coordinates along a strip whose axis is logarithmic."""

    mean: float
    low: float
    high: float
    worst: float


@dataclass(frozen=True, slots=True)
class Cost:
    """What always taking one strategy costs: ratios to the fastest of each problem.

    `low` and `high` bound the mean, None where a time has no interval. `undone` names the problems
    without a value.
    """

    strategy: str
    mean: float
    low: float | None
    high: float | None
    worst: float
    worst_on: str
    best_on: int
    done: int
    undone: tuple[str, ...]
    strip: Strip | None = None

    @property
    def interval(self) -> str:
        """The mean's interval in words; empty where there is none."""
        if self.low is None or self.high is None:
            return ""
        low, high = times(self.low), times(self.high)
        if low == high:
            low, high = significant(self.low), significant(self.high)
        return f"{low} to {high}"


@dataclass(frozen=True, slots=True)
class Regret:
    """All strategies: those that did every problem first, the cheapest of them first.

    `first` are those worth a look, and `auto`; `rest` the others, without strips. The strips end at
    the ratio `most`.
    """

    first: tuple[Cost, ...]
    rest: tuple[Cost, ...]
    most: float
    problems: int
    sentence: str
    width: int = STRIP_WIDTH

    @property
    def costs(self) -> tuple[Cost, ...]:
        """All rows."""
        return self.first + self.rest


# Strategies with their cells, which stand in the order of the problems.
Rows = Sequence[tuple[str, Sequence[Cell]]]


def find_regret(rows: Rows, problems: Sequence[str]) -> Regret | None:
    """Rank the strategies of one table; None where there is nothing to choose between."""
    best = _fastest(rows, problems)
    if len(best) < 2:
        return None
    wanted = [problem for problem in problems if problem in best]
    named = [(strategy, dict(zip(problems, cells, strict=True))) for strategy, cells in rows]
    costs = [
        _cost(strategy, cells, best, wanted)
        for strategy, cells in named
        if any(cells[name].status == OK for name in wanted)
    ]
    if len(costs) < 2:
        return None
    ranked = sorted(costs, key=lambda one: (len(one.undone), one.mean, one.strategy))
    first = [
        cost
        for index, cost in enumerate(ranked)
        if cost.strategy == AUTO or (index < MOST_FIRST and not cost.undone)
    ]
    rest = [cost for cost in ranked if cost not in first]
    if not first or len(ranked) <= MOST_FIRST:
        first, rest = ranked, []
    most = max(max(cost.worst, cost.high or 1.0) for cost in first)
    sentence = _sentence(ranked, len(wanted))
    return Regret(_with_strips(first, most), tuple(rest), most, len(wanted), sentence)


def _fastest(rows: Rows, problems: Sequence[str]) -> dict[str, Cell]:
    """Give the winning cell of each problem that anyone did."""
    best = {}
    for column, problem in enumerate(problems):
        winners = [cells[column] for _, cells in rows if cells[column].wins]
        if winners and winners[0].seconds:
            best[problem] = winners[0]
    return best


def _cost(
    strategy: str, cells: Mapping[str, Cell], best: Mapping[str, Cell], wanted: Sequence[str]
) -> Cost:
    done = {name: cells[name] for name in wanted if cells[name].status == OK}
    logs = {name: math.log(max(cell.factor, 1.0)) for name, cell in done.items()}
    mean = sum(logs.values()) / len(logs)
    squares = [_doubt(cell, best[name]) for name, cell in done.items()]
    known = [one for one in squares if one is not None]
    half = math.sqrt(sum(known)) / len(done) if len(known) == len(squares) else None
    worst_on = max(logs, key=lambda name: logs[name])
    return Cost(
        strategy,
        math.exp(mean),
        # No strategy is faster than the fastest, whatever an interval would allow.
        None if half is None else math.exp(max(mean - half, 0.0)),
        None if half is None else math.exp(mean + half),
        math.exp(logs[worst_on]),
        worst_on,
        sum(cell.wins or cell.ties for cell in done.values()),
        len(done),
        tuple(name for name in wanted if name not in done),
    )


def _doubt(cell: Cell, best: Cell) -> float | None:
    """Give the squared half-width of the logarithm of a ratio; None where an interval is missing.

    The fastest is exactly as fast as itself.
    """
    if cell.wins:
        return 0.0
    halves = [_half_width(cell), _half_width(best)]
    return None if None in halves else sum(half * half for half in halves if half is not None)


def _half_width(cell: Cell) -> float | None:
    if not cell.low or not cell.high or cell.low <= 0:
        return None
    return math.log(cell.high / cell.low) / 2


def _with_strips(costs: Sequence[Cost], most: float) -> tuple[Cost, ...]:
    ends = (4.0, STRIP_WIDTH - 4.0)
    scale = logarithmic((1.0, most), ends) if most > 1 else linear((1.0, 1.0), ends)
    return tuple(_with_strip(cost, scale) for cost in costs)


def _with_strip(cost: Cost, scale: Scale) -> Cost:
    low, high = cost.low or cost.mean, cost.high or cost.mean
    places = [round(scale(value), 1) for value in (cost.mean, low, high, cost.worst)]
    return replace(cost, strip=Strip(*places))


def _sentence(costs: Sequence[Cost], problems: int) -> str:
    """Say what the choice by problem costs, and what the best fixed choice does."""
    said = []
    auto = next((cost for cost in costs if cost.strategy == AUTO), None)
    if auto:
        said.append(f"Always taking auto costs {_words(auto, problems)}.")
    fixed = next((cost for cost in costs if cost.strategy != AUTO and not cost.undone), None)
    if fixed is None:
        none = "No other strategy" if auto else "No strategy"
        said.append(f"{none} did all {counted(problems, 'problem')}.")
    elif auto:
        said.append(
            f"Of the others that did every problem {fixed.strategy} costs least: "
            f"{_words(fixed, problems)}."
        )
    else:
        said.append(
            f"Of the strategies that did every problem {fixed.strategy} costs least to take "
            f"always: {_words(fixed, problems)}."
        )
    return " ".join(said)


def _words(cost: Cost, problems: int) -> str:
    if cost.worst <= 1.0:
        return "nothing: it was the fastest everywhere"
    of = "" if not cost.undone else f" over the {cost.done} of {problems} problems that it did"
    return (
        f"×{times(cost.mean)} the time of the fastest in the geometric mean{of}, "
        f"at worst ×{times(cost.worst)} (on {cost.worst_on})"
    )
