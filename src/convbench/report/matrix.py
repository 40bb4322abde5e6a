"""Strategies × problems: one table per machine, line and dtype, and what its cells say."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from convbench.report.cell_measures import cell_measures
from convbench.report.cells import (
    MISSING,
    Cell,
    Context,
    build_cell,
    facts_of_problems,
    families,
    refusals,
    unsupported_reasons,
)
from convbench.report.crossover import Crossover, find_crossovers
from convbench.report.fronts import Fronts, find_fronts
from convbench.report.measurements import Measurements
from convbench.report.naming import line_order
from convbench.report.readable import counted, operations
from convbench.report.regret import AUTO, Regret, find_regret
from convbench.report.roofs import ARITHMETIC, Roof, roofs_of
from convbench.report.series import FAILED, OK, SKIPPED, Series
from convbench.report.winners import (
    Found,
    Win,
    find_wins,
    group_timings,
    order_strategies,
)

MOST_NAMED = 4
"""So many strategies are named in a sentence."""


@dataclass(frozen=True, slots=True)
class Head:
    """A problem at the head of its column; `operations` is None where they are not known."""

    problem: str
    shape: str
    filters: str
    flops: str
    operations: int | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """A reason why cells have no value, and these cells."""

    status: str
    reason: str
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """A strategy's cells, in the order of the heads; the family is empty where unknown."""

    strategy: str
    family: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Matrix:
    """One table; `idle` are the strategies without a value or failure in it, left out.

    `wins` has the best time of each problem, also where one strategy alone was measured. `finding`
    says who is fastest how often, `peak` is the highest measured rate of arithmetic.
    """

    machine: str
    line: str
    identity: str
    dtype: str
    commit: str
    heads: tuple[Head, ...]
    rows: tuple[Row, ...]
    idle: tuple[str, ...]
    wins: tuple[Win, ...]
    notes: tuple[Note, ...]
    counts: Mapping[str, int]
    of_all_threads: bool
    finding: str
    peak: Roof | None
    regret: Regret | None
    fronts: Fronts | None
    crossovers: tuple[Crossover, ...]

    @property
    def contested(self) -> tuple[Win, ...]:
        """The wins over somebody: those of problems that two strategies at least were timed on."""
        return tuple(win for win in self.wins if win.is_contested)


def most_contested(matrices: Sequence[Matrix]) -> Matrix | None:
    """Give the first table with the most contested problems; None where nothing is contested."""
    best = max(matrices, key=lambda one: len(one.contested), default=None)
    return best if best and best.contested else None


SHOWN = {
    "": "times slower than the fastest",
    "peak": "% of measured peak, effective",
    "rate": "effective GFLOP/s",
    "workspace": "workspace, counted",
    "memory": "peak memory, measured",
    "error": "largest error",
}
"""What cells can show, by the choice in the address."""


def shown_measures(matrices: Sequence[Matrix]) -> dict[str, str]:
    """Keep of `SHOWN` what any table has."""
    cells = [cell for matrix in matrices for row in matrix.rows for cell in row.cells]
    counted_flops = any(head.operations for matrix in matrices for head in matrix.heads)
    present = {
        "": True,
        "peak": counted_flops and any(matrix.peak for matrix in matrices),
        "rate": counted_flops,
        "workspace": any(cell.workspace is not None for cell in cells),
        "memory": any(cell.memory is not None for cell in cells),
        "error": any(cell.error is not None for cell in cells),
    }
    return {name: words for name, words in SHOWN.items() if present[name]}


def build_matrices(measurements: Measurements, series: Sequence[Series]) -> tuple[Matrix, ...]:
    """Build every table that has a value, for each machine those with the most to compare first.

    How many problems a table has says little: one of a run that was cut short has them all, too.
    """
    groups = group_timings(series)
    order = order_strategies(groups.values())
    context = Context(
        facts_of_problems(measurements.tables["problems"]),
        unsupported_reasons(measurements.tables["cells"]),
        refusals(measurements.tables["environments"]),
        families(measurements.tables["cells"]),
        cell_measures(series, measurements.tables["cells"]),
    )
    ceilings = [one for one in series if one.benchmark == ARITHMETIC]
    matrices = [
        _build_matrix(measurements, key, found, order, context, roofs_of(ceilings, *key))
        for key, found in groups.items()
    ]
    filled = (matrix for matrix in matrices if matrix.wins)
    return tuple(
        sorted(
            filled,
            key=lambda one: (
                *(one.machine, -len(one.contested), -len(one.heads), one.dtype),
                (one.machine, one.line) in measurements.outdated,
                line_order(one.line),
            ),
        )
    )


def _build_matrix(
    measurements: Measurements,
    key: tuple[str, str, str],
    found: Found,
    order: Sequence[str],
    context: Context,
    peaks: Sequence[Roof],
) -> Matrix:
    machine, name, dtype = key
    wins = find_wins(found, measurements.disturbed)
    problems = sorted(
        {problem for _, problem in found},
        key=lambda problem: (context.flops(problem) or math.inf, problem),
    )
    newest = max(line.newest.position for _, line in found.values())
    rows = [
        Row(
            strategy,
            context.families.get(strategy, ""),
            tuple(
                build_cell(measurements, found, (strategy, problem, dtype), wins, context, newest)
                for problem in problems
            ),
        )
        for strategy in order
        if any(measured == strategy for measured, _ in found)
    ]
    shown = tuple(row for row in rows if not _is_idle(row))
    cells_of = [(row.strategy, row.cells) for row in shown]
    regret = find_regret(cells_of, problems)
    statuses = [cell.status for row in rows for cell in row.cells]
    identities = {line.identity for _, line in found.values() if line.identity}
    return Matrix(
        machine,
        name,
        ", ".join(sorted(identities)),
        dtype,
        measurements.commits[newest].short,
        tuple(_head(problem, context.facts.get(problem)) for problem in problems),
        shown,
        tuple(row.strategy for row in rows if _is_idle(row)),
        tuple(wins[problem] for problem in problems if problem in wins),
        _notes(rows, problems),
        {status: statuses.count(status) for status in (OK, FAILED, SKIPPED, MISSING)},
        measurements.uses_all_threads(machine, name),
        _finding([wins[problem] for problem in problems if problem in wins]),
        max(peaks, key=lambda roof: roof.rate, default=None),
        regret,
        find_fronts(cells_of, problems, regret, context.families),
        find_crossovers(cells_of, problems, context.facts),
    )


def _finding(wins: Sequence[Win]) -> str:
    """Say who is the fastest, and how often nobody alone is, where more than one was measured.

    `auto` is no rival of the strategy that it chose.
    """
    contested = [win for win in wins if win.is_contested]
    if not contested:
        return "No problem was measured with more than one strategy: nothing to compare."
    alone: Counter[str] = Counter()
    for win in contested:
        rivals = {win.strategy, *win.tied, *win.unclear}
        rivals = rivals - {AUTO} or rivals
        if len(rivals) == 1:
            alone.update(rivals)
    shared = len(contested) - alone.total()
    ranked = sorted(alone.items(), key=lambda one: (-one[1], one[0]))
    said = [f"{name} on {number}" for name, number in ranked[:MOST_NAMED]]
    if len(ranked) > MOST_NAMED:
        said.append(f"others on {sum(number for _, number in ranked[MOST_NAMED:])}")
    problems = counted(len(contested), "problem")
    if not said:
        return f"Nobody is the fastest alone: {problems}, each shared or unclear."
    rest = f"; {shared} {'is' if shared == 1 else 'are'} shared or unclear" if shared else ""
    return f"Of {problems} fastest alone: {', '.join(said)}{rest}."


def _is_idle(row: Row) -> bool:
    return all(cell.status not in (OK, FAILED) for cell in row.cells)


def _head(problem: str, facts: Mapping[str, int] | None) -> Head:
    if facts is None:
        return Head(problem, "", "", "")
    stride, groups = facts["stride_h"], facts["groups"]
    filters = f"{facts['out_channels']} of {facts['kernel_height']}×{facts['kernel_width']}"
    if stride != 1:
        filters += f", /{stride}"
    if groups == facts["in_channels"] != 1:
        filters += ", depthwise"
    elif groups != 1:
        filters += f", {groups} groups"
    shape = f"{facts['height']}×{facts['width']}×{facts['in_channels']}"
    if facts["batch"] != 1:
        shape = f"{facts['batch']}×{shape}"
    flops = int(facts["flops"])
    return Head(problem, shape, filters, operations(flops), flops)


def _notes(rows: Sequence[Row], problems: Sequence[str]) -> tuple[Note, ...]:
    """List every reason once, with its cells; failures before skips."""
    cells: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        for problem, cell in zip(problems, row.cells, strict=True):
            if cell.reason:
                name = f"{row.strategy} on {problem}"
                cells.setdefault((cell.status, cell.reason), []).append(name)
    ordered = sorted(cells.items(), key=lambda item: item[0][0])
    return tuple(Note(status, reason, tuple(names)) for (status, reason), names in ordered)
