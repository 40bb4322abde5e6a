"""Who is fastest on which problem, for each BLAS build: the short form of the matrix."""

from collections.abc import Sequence
from dataclasses import dataclass

from convbench.report.matrix import Head, Matrix, most_contested
from convbench.report.readable import seconds


@dataclass(frozen=True, slots=True)
class Champion:
    """Who is fastest on one problem with one BLAS build.

    `alone` tells that no other strategy has a time there: then it is no winner.
    """

    strategy: str
    time: str
    ties: tuple[str, ...]
    unclear: tuple[str, ...]
    link: str
    slowest: str
    slowest_ratio: str
    alone: bool


@dataclass(frozen=True, slots=True)
class ChampionRow:
    """The fastest strategies of one problem, by BLAS build."""

    head: Head
    champions: tuple[Champion | None, ...]


@dataclass(frozen=True, slots=True)
class Champions:
    """Who wins where, on one machine and with one dtype; of all threads if a column is."""

    columns: tuple[str, ...]
    dtype: str
    machine: str
    rows: tuple[ChampionRow, ...]
    of_all_threads: bool

    @property
    def unclear(self) -> bool:
        """Whether of any winner it cannot be told whether another is as fast."""
        return any(one and one.unclear for row in self.rows for one in row.champions)


def build_champions(matrices: Sequence[Matrix]) -> Champions | None:
    """List the winners for each BLAS build, on the machine and with the dtype of most to compare.

    None where no problem was measured with more than one strategy.
    """
    first = most_contested(matrices)
    if first is None:
        return None
    shown = [one for one in matrices if (one.machine, one.dtype) == (first.machine, first.dtype)]
    rows = tuple(
        ChampionRow(head, tuple(_champion(one, head.problem) for one in shown))
        for head in first.heads
    )
    return Champions(
        tuple(one.line for one in shown),
        first.dtype,
        first.machine,
        rows,
        any(one.of_all_threads for one in shown),
    )


def _champion(matrix: Matrix, problem: str) -> Champion | None:
    """Give a problem's winner and, for scale, its slowest strategy."""
    win = next((win for win in matrix.wins if win.problem == problem), None)
    if win is None:
        return None
    column = [head.problem for head in matrix.heads].index(problem)
    cells = [(row.strategy, row.cells[column]) for row in matrix.rows]
    link = next(cell.link for _, cell in cells if cell.wins)
    slowest, cell = max(cells, key=lambda pair: pair[1].factor)
    several = slowest != win.strategy
    return Champion(
        win.strategy,
        seconds(win.seconds),
        win.tied,
        win.unclear,
        link,
        slowest if several else "",
        cell.ratio if several else "",
        not win.is_contested,
    )
