"""Where one strategy overtakes another as a problem grows in one size.

A *family* of problems are those that differ in one size alone: the image's side, the kernel's side,
a number of channels, or the batch. Within a family, the fastest strategy at each size is found as
everywhere: a strategy whose interval overlaps the winner's is as fast.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from convbench.report.cells import Cell
from convbench.report.crossover_figure import CrossoverPicture, Value, crossover_picture
from convbench.report.problem_families import Facts, Family, find_families
from convbench.report.readable import significant
from convbench.report.regret import AUTO, Rows
from convbench.report.series import OK

MOST_FAMILIES = 6
MOST_LINES = 7
"""Strategies in a picture: all that are the fastest at some size, then the fastest of the rest."""

# Each strategy's cells in the order of the sizes; None where it has no time.
Lines = Mapping[str, Sequence[Cell | None]]


@dataclass(frozen=True, slots=True)
class Crossing:
    """The size between `low` and `high` from which on `after` is faster than `before`.

    `about` is where lines through the measured points cross; None where the two are within each
    other's interval at a size between, `equal`, or at the first.
    """

    before: str
    after: str
    low: int | None
    high: int
    about: float | None
    equal: tuple[int, ...]

    @property
    def words(self) -> str:
        """The crossing as a sentence without its full stop."""
        if self.low is None:
            return (
                f"{self.after} and {self.before} are equal within their intervals at "
                f"{_listed(self.equal)}; {self.after} is faster at {self.high}"
            )
        said = f"{self.after} overtakes {self.before} between {self.low} and {self.high}"
        if self.equal:
            return f"{said}; at {_listed(self.equal)} they are equal within their intervals"
        return f"{said}, at about {significant(self.about, 2)}" if self.about else said


@dataclass(frozen=True, slots=True)
class Crossover:
    """A family with its picture, crossings, and a table of times: a row for each strategy."""

    family: Family
    title: str
    picture: CrossoverPicture
    crossings: tuple[Crossing, ...]
    rows: tuple[tuple[str, tuple[Cell | None, ...]], ...]
    left_out: int


def find_crossovers(
    rows: Rows, problems: Sequence[str], facts: Mapping[str, Facts]
) -> tuple[Crossover, ...]:
    """Draw the families of one table's problems, and name where the fastest strategy changes."""
    found = []
    timed = [
        problem
        for column, problem in enumerate(problems)
        if any(cells[column].status == OK for _, cells in rows)
    ]
    for family in find_families(facts, timed)[:MOST_FAMILIES]:
        columns = [problems.index(problem) for _, problem in family.members]
        table = {
            strategy: [_timed(cells[column]) for column in columns] for strategy, cells in rows
        }
        lines = {name: cells for name, cells in table.items() if sum(map(bool, cells)) >= 2}
        if lines:
            found.append(_crossover(family, lines, facts))
    return tuple(found)


def _value(cell: Cell | None, flops: int) -> Value:
    if cell is None:
        return None
    low, high = (cell.seconds if bound is None else bound for bound in (cell.low, cell.high))
    return cell.seconds / flops, low / flops, high / flops


def _timed(cell: Cell) -> Cell | None:
    return cell if cell.status == OK and cell.seconds > 0 else None


def _crossover(family: Family, lines: Lines, facts: Mapping[str, Facts]) -> Crossover:
    sizes = [size for size, _ in family.members]
    shown = _fastest_lines(lines)
    crossings = find_crossings(lines, sizes)
    flops = [int(facts[problem]["flops"]) for _, problem in family.members]
    picture = crossover_picture(
        family.size,
        sizes,
        {
            name: [_value(cell, work) for cell, work in zip(lines[name], flops, strict=True)]
            for name in shown
        },
        [(one.about, one.before, one.after) for one in crossings if one.about],
    )
    return Crossover(
        family,
        f"By {family.size}, {sizes[0]} to {sizes[-1]}: {family.rest}",
        picture,
        crossings,
        tuple((name, tuple(lines[name])) for name in shown),
        len(lines) - len(shown),
    )


def _fastest_lines(lines: Lines) -> list[str]:
    """Choose the strategies to draw, by their mean × slower than the fastest."""

    def mean(name: str) -> float:
        logs = [math.log(max(cell.factor, 1.0)) for cell in lines[name] if cell]
        return sum(logs) / len(logs)

    sizes = range(len(next(iter(lines.values()))))
    winners = {_fastest(lines, index) for index in sizes} - {""}
    ranked = sorted(lines, key=lambda name: (name not in winners, mean(name), name))
    return sorted(ranked[: max(MOST_LINES, len(winners))], key=lambda name: (mean(name), name))


def find_crossings(lines: Lines, sizes: Sequence[int]) -> tuple[Crossing, ...]:
    """Follow the fastest strategy from the smallest size to the largest.

    It changes only where another is faster beyond both intervals.
    """
    crossings: list[Crossing] = []
    leader = ""
    for index in range(len(sizes)):
        winner = _fastest(lines, index)
        held = lines[leader][index] if leader else None
        best = lines[winner][index] if winner else None
        if best is None or (held is not None and not _apart(held, best)):
            continue
        if held is not None and (crossing := _crossing(leader, winner, lines, sizes, index)):
            crossings.append(crossing)
        leader = winner
    return tuple(crossings)


def _fastest(lines: Lines, index: int) -> str:
    """Name the fastest at a size; `auto` is none of its own, but one of the others."""
    times = {
        name: cell.seconds
        for name, cells in lines.items()
        if name != AUTO and (cell := cells[index])
    }
    return min(times, key=lambda name: (times[name], name), default="")


def _crossing(
    before: str,
    after: str,
    lines: Lines,
    sizes: Sequence[int],
    index: int,
) -> Crossing | None:
    """Look back from a size at which `after` is faster to the last at which `before` was."""
    equal: list[int] = []
    for earlier in range(index - 1, -1, -1):
        old, new = lines[before][earlier], lines[after][earlier]
        if old is None or new is None:
            continue
        if _apart(old, new):
            if old.seconds > new.seconds:
                return None  # faster there already: no crossing of these two
            about = None if equal else _meeting(lines, before, after, sizes, earlier, index)
            return Crossing(before, after, sizes[earlier], sizes[index], about, tuple(equal[::-1]))
        equal.append(sizes[earlier])
    return Crossing(before, after, None, sizes[index], None, tuple(equal[::-1])) if equal else None


def _apart(one: Cell, other: Cell) -> bool:
    """Whether two times differ beyond their intervals; without these every difference counts."""
    if None in (one.low, one.high, other.low, other.high):
        return one.seconds != other.seconds
    faster, slower = sorted((one, other), key=lambda cell: cell.seconds)
    return (faster.high or 0.0) < (slower.low or 0.0)


def _meeting(
    lines: Lines,
    before: str,
    after: str,
    sizes: Sequence[int],
    start: int,
    end: int,
) -> float:
    """Give the size at which straight lines in the picture, whose axes are logarithmic, cross."""
    gaps = []
    for index in (start, end):
        old, new = lines[before][index], lines[after][index]
        gaps.append(math.log(old.seconds / new.seconds) if old and new else 0.0)
    part = gaps[0] / (gaps[0] - gaps[1])
    low, high = math.log(sizes[start]), math.log(sizes[end])
    return math.exp(low + part * (high - low))


def _listed(sizes: Sequence[int]) -> str:
    words = [str(size) for size in sizes]
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1]))) if words else ""
