"""Strategies × problems: one table per machine, line and dtype, and what its cells say."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from convbench.report.links import history_link
from convbench.report.measurements import Measurements
from convbench.report.readable import gflops_per_second, operations, seconds, significant, times
from convbench.report.series import FAILED, OK, SKIPPED, Point, Series
from convbench.report.winners import (
    Found,
    Win,
    find_wins,
    group_timings,
    newest_value,
    order_strategies,
)

SHADES = 10
DARKEST_RATIO = 1000.0
MISSING = "missing"

Facts = Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class Cell:
    """One strategy on one problem; `shade` counts from 0 (the winner) to `SHADES`."""

    status: str
    ratio: str = ""
    time: str = ""
    rate: str = ""
    shade: int = 0
    wins: bool = False
    ties: bool = False
    reason: str = ""
    commit: str = ""
    link: str = ""


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
    """A strategy's cells, in the order of the heads."""

    strategy: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Matrix:
    """One table."""

    machine: str
    line: str
    identity: str
    dtype: str
    commit: str
    heads: tuple[Head, ...]
    rows: tuple[Row, ...]
    wins: tuple[Win, ...]
    notes: tuple[Note, ...]
    counts: Mapping[str, int]


def build_matrices(measurements: Measurements, series: Sequence[Series]) -> tuple[Matrix, ...]:
    """Build every table that has a value, for each machine those with the most problems first."""
    groups = group_timings(series)
    order = order_strategies(groups.values())
    context = _Context(
        facts_of_problems(measurements.tables["problems"]),
        unsupported_reasons(measurements.tables["cells"]),
        refusals(measurements.tables["environments"]),
    )
    matrices = [
        _build_matrix(measurements, key, found, order, context) for key, found in groups.items()
    ]
    filled = (matrix for matrix in matrices if matrix.wins)
    return tuple(
        sorted(
            filled,
            key=lambda one: (one.machine, -len(one.wins), one.dtype, one.line),
        )
    )


@dataclass(frozen=True, slots=True)
class _Context:
    """What tables other than the values say about cells."""

    facts: Facts
    reasons: Mapping[tuple[str, str, str], str]
    refused: Mapping[tuple[str, str], str]

    def flops(self, problem: str) -> int | None:
        facts = self.facts.get(problem)
        return int(facts["flops"]) if facts else None


def facts_of_problems(problems: pd.DataFrame) -> Facts:
    """Give each problem's row of the store by its name."""
    rows = problems.drop_duplicates("problem", keep="last").to_dict("records")
    return {str(row["problem"]): row for row in rows}  # type: ignore[misc]


def unsupported_reasons(cells: pd.DataFrame) -> dict[tuple[str, str, str], str]:
    """Give why a strategy does not do a problem, by strategy, problem and dtype."""
    refused = cells[cells["unsupported"].notna() & (cells["unsupported"] != "")]
    keys = zip(refused["strategy"], refused["problem"], refused["dtype"], strict=True)
    return dict(zip(keys, refused["unsupported"].astype(str), strict=True))


def refusals(environments: pd.DataFrame) -> dict[tuple[str, str], str]:
    """Give the guard's message where it refused an environment's BLAS."""
    guard = environments["guard"].fillna("")
    refused = environments[(guard != "") & (guard != "ok")]
    keys = zip(refused["machine"], refused["environment"], strict=True)
    return dict(zip(keys, refused["guard"].astype(str), strict=True))


def _build_matrix(
    measurements: Measurements,
    key: tuple[str, str, str],
    found: Found,
    order: Sequence[str],
    context: _Context,
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
                _cell(measurements, found, (strategy, problem, dtype), wins, context, newest)
                for problem in problems
            )
            rows.append(Row(strategy, tuple(cells)))
    statuses = [cell.status for row in rows for cell in row.cells]
    identities = {line.identity for _, line in found.values() if line.identity}
    return Matrix(
        machine,
        name,
        ", ".join(sorted(identities)),
        dtype,
        measurements.commits[newest].short,
        tuple(_head(problem, context.facts.get(problem)) for problem in problems),
        tuple(rows),
        tuple(wins[problem] for problem in problems if problem in wins),
        _notes(rows, problems),
        {status: statuses.count(status) for status in (OK, FAILED, SKIPPED, MISSING)},
    )


def _cell(
    measurements: Measurements,
    found: Found,
    key: tuple[str, str, str],
    wins: Mapping[str, Win],
    context: _Context,
    newest: int,
) -> Cell:
    strategy, problem, _ = key
    if (strategy, problem) not in found:
        reason = context.reasons.get(key, "")
        return Cell(SKIPPED if reason else MISSING, reason=reason)
    series, line = found[strategy, problem]
    point = newest_value(line)
    cell = Cell(point.status, link=history_link(series, line.machine))
    if point.status == SKIPPED:
        return replace(cell, reason=context.reasons.get(key, "skipped by the benchmark"))
    if point.value is None:
        refused = context.refused.get((line.machine, point.environment))
        return replace(cell, status=FAILED, reason=refused or "the benchmark failed; see asv.log")
    behind = "" if point.position == newest else measurements.commits[point.position].short
    return _with_value(replace(cell, commit=behind), point, strategy, wins[problem], context)


def _with_value(cell: Cell, point: Point, strategy: str, win: Win, context: _Context) -> Cell:
    value = point.value or 0.0
    ratio = value / win.seconds if win.seconds else 1.0
    flops = context.flops(win.problem)
    shade = round(SHADES * math.log(max(ratio, 1.0)) / math.log(DARKEST_RATIO))
    return replace(
        cell,
        ratio=f"×{times(ratio)}",
        time=seconds(value),
        rate=f"{significant(gflops_per_second(flops, value))} GFLOP/s" if flops and value else "",
        shade=min(shade, SHADES),
        wins=strategy == win.strategy,
        ties=strategy in win.tied,
    )


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
