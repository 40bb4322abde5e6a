"""Who is fastest on which problem, for each BLAS build: the short form of the matrix."""

from collections.abc import Sequence
from dataclasses import dataclass

from convbench.report.matrix import Head, Matrix
from convbench.report.readable import seconds


@dataclass(frozen=True, slots=True)
class Champion:
    """Who is fastest on one problem with one BLAS build."""

    strategy: str
    time: str
    ties: tuple[str, ...]
    link: str
    slowest: str
    slowest_ratio: str


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


def build_champions(matrices: Sequence[Matrix]) -> Champions | None:
    """List the winners of the first table's machine and dtype, for each of its BLAS builds."""
    if not matrices:
        return None
    first = matrices[0]
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
        link,
        slowest if several else "",
        cell.ratio if several else "",
    )
