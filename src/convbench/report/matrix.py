"""Strategies × problems: one table per machine, line and dtype, and what its cells say."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

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
from convbench.report.measurements import Measurements
from convbench.report.naming import line_order
from convbench.report.readable import operations
from convbench.report.series import FAILED, OK, SKIPPED, Series
from convbench.report.winners import Found, Win, find_wins, group_timings, order_strategies


@dataclass(frozen=True, slots=True)
class Head:
    """A problem at the head of its column."""

    problem: str
    shape: str
    filters: str
    flops: str


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
    """One table; `idle` are the strategies without a value or failure in it, left out."""

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


def build_matrices(measurements: Measurements, series: Sequence[Series]) -> tuple[Matrix, ...]:
    """Build every table that has a value, for each machine those with the most problems first."""
    groups = group_timings(series)
    order = order_strategies(groups.values())
    context = Context(
        facts_of_problems(measurements.tables["problems"]),
        unsupported_reasons(measurements.tables["cells"]),
        refusals(measurements.tables["environments"]),
        families(measurements.tables["cells"]),
    )
    matrices = [
        _build_matrix(measurements, key, found, order, context) for key, found in groups.items()
    ]
    filled = (matrix for matrix in matrices if matrix.wins)
    return tuple(
        sorted(
            filled,
            key=lambda one: (
                *(one.machine, -len(one.heads), one.dtype),
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
) -> Matrix:
    machine, name, dtype = key
    wins = find_wins(found)
    problems = sorted(
        {problem for _, problem in found},
        key=lambda problem: (context.flops(problem) or math.inf, problem),
    )
    newest = max(line.newest.position for _, line in found.values())
    rows = []
    for strategy in order:
        if any(measured == strategy for measured, _ in found):
            cells = (
                build_cell(measurements, found, (strategy, problem, dtype), wins, context, newest)
                for problem in problems
            )
            rows.append(Row(strategy, context.families.get(strategy, ""), tuple(cells)))
    statuses = [cell.status for row in rows for cell in row.cells]
    identities = {line.identity for _, line in found.values() if line.identity}
    return Matrix(
        machine,
        name,
        ", ".join(sorted(identities)),
        dtype,
        measurements.commits[newest].short,
        tuple(_head(problem, context.facts.get(problem)) for problem in problems),
        tuple(row for row in rows if not _is_idle(row)),
        tuple(row.strategy for row in rows if _is_idle(row)),
        tuple(wins[problem] for problem in problems if problem in wins),
        _notes(rows, problems),
        {status: statuses.count(status) for status in (OK, FAILED, SKIPPED, MISSING)},
        measurements.uses_all_threads(machine, name),
    )


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
    return Head(problem, shape, filters, operations(facts["flops"]))


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
