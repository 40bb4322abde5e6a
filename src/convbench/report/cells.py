"""One strategy on one problem: how a cell of the matrix is measured, coloured and explained."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import pandas as pd

from convbench.report.cell_measures import CellMeasures
from convbench.report.links import history_link
from convbench.report.measurements import Measurements
from convbench.report.readable import seconds, times
from convbench.report.series import FAILED, SKIPPED, Line, Point
from convbench.report.winners import Found, Win, newest_value

SHADES = 10
DARKEST_RATIO = 1000.0
MISSING = "missing"

Facts = Mapping[str, Mapping[str, int]]
# Why the guard refused a BLAS, by machine, environment, run and commit.
Refusals = Mapping[tuple[str, str, str, str], str]


@dataclass(frozen=True, slots=True)
class Cell:
    """One strategy on one problem; `shade` counts from 0 (the winner) to `SHADES`.

    `shared` is a win that others tie with, `alone` one over nobody; `unclear` as in `Win`. `low`
    and `high` bound `seconds`. What was not measured, or not counted, is None.
    """

    status: str
    ratio: str = ""
    time: str = ""
    shade: int = 0
    wins: bool = False
    ties: bool = False
    shared: bool = False
    alone: bool = False
    unclear: bool = False
    reason: str = ""
    commit: str = ""
    disturbed: str = ""
    factor: float = 0.0
    link: str = ""
    seconds: float = 0.0
    low: float | None = None
    high: float | None = None
    workspace: int | None = None
    memory: float | None = None
    error: float | None = None

    @property
    def numbers(self) -> dict[str, str]:
        """The numbers that a script shows in the cell, by the names of their data attributes."""
        known = {
            "seconds": self.seconds or None,
            "workspace": self.workspace,
            "memory": self.memory,
            "error": self.error,
        }
        return {name: f"{value:.5g}" for name, value in known.items() if value is not None}

    @property
    def remark(self) -> str:
        """What the cell's signs mean, in words; empty where it has none."""
        signs = {
            "as fast as the winner within the intervals": self.ties,
            "tied with others": self.shared,
            "the only strategy with a time": self.alone,
            "too uncertain to tell from the winner": self.unclear,
            f"at commit {self.commit}": self.commit,
            f"of a disturbed run: {self.disturbed}": self.disturbed,
        }
        return ", ".join(words for words, present in signs.items() if present)


@dataclass(frozen=True, slots=True)
class Context:
    """What else is known: problems, reasons for skips, refusals, families, other measures."""

    facts: Facts
    reasons: Mapping[tuple[str, str, str], str]
    refused: Refusals
    families: Mapping[str, str]
    measures: CellMeasures

    def flops(self, problem: str) -> int | None:
        """Give the direct algorithm's operations."""
        facts = self.facts.get(problem)
        return int(facts["flops"]) if facts else None


def facts_of_problems(problems: pd.DataFrame) -> Facts:
    """Give each problem's row of the store by its name."""
    rows = problems.drop_duplicates("problem", keep="last").to_dict("records")
    return {str(row["problem"]): row for row in rows}  # type: ignore[misc] # keys are column names


def unsupported_reasons(cells: pd.DataFrame) -> dict[tuple[str, str, str], str]:
    """Give why a strategy does not do a problem, by strategy, problem and dtype."""
    refused = cells[cells["unsupported"].notna() & (cells["unsupported"] != "")]
    keys = zip(refused["strategy"], refused["problem"], refused["dtype"], strict=True)
    return dict(zip(keys, refused["unsupported"].astype(str), strict=True))


def families(cells: pd.DataFrame) -> dict[str, str]:
    """Give each strategy's family; a commit that did not have the strategy knows none."""
    known = cells[cells["family"].notna() & (cells["family"] != "")]
    return dict(zip(known["strategy"], known["family"].astype(str), strict=True))


def refusals(environments: pd.DataFrame) -> Refusals:
    """Give the guard's message where it refused an environment's BLAS, in that run only."""
    guard = environments["guard"].fillna("")
    refused = environments[(guard != "") & (guard != "ok")]
    names = refused[["machine", "environment", "run", "commit"]].fillna("").astype(str)
    keys = names.itertuples(index=False, name=None)
    return dict(zip(keys, refused["guard"].astype(str), strict=True))


def refusal_of(measurements: Measurements, line: Line, point: Point, refused: Refusals) -> str:
    """Give the guard's message for a point; empty where it did not refuse that run."""
    commit = measurements.commits[point.position].commit
    return refused.get((line.machine, point.environment, point.run, commit), "")


def build_cell(
    measurements: Measurements,
    found: Found,
    key: tuple[str, str, str],
    wins: Mapping[str, Win],
    context: Context,
    newest: int,
) -> Cell:
    """Say what is known of one cell; what a run did not measure is neither failed nor skipped."""
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
        refused = refusal_of(measurements, line, point, context.refused)
        return replace(cell, status=FAILED, reason=refused or "the benchmark failed; see asv.log")
    behind = "" if point.position == newest else measurements.commits[point.position].short
    disturbed = measurements.disturbed.get((line.machine, point.run), "")
    cell = replace(
        cell,
        commit=behind,
        disturbed=disturbed,
        workspace=context.measures.workspace_of(measurements, line, point, key),
        memory=context.measures.memory.of(line, key),
        error=context.measures.error.of(line, key),
    )
    return _with_value(cell, point, strategy, wins[problem])


def _with_value(cell: Cell, point: Point, strategy: str, win: Win) -> Cell:
    value = point.value or 0.0
    ratio = value / win.seconds if win.seconds else 1.0
    shade = round(SHADES * math.log(max(ratio, 1.0)) / math.log(DARKEST_RATIO))
    return replace(
        cell,
        factor=ratio,
        ratio=f"×{times(ratio)}",
        time=seconds(value),
        shade=min(shade, SHADES),
        wins=strategy == win.strategy,
        ties=strategy in win.tied,
        shared=strategy == win.strategy and bool(win.tied),
        alone=strategy == win.strategy and not win.is_contested,
        unclear=strategy in win.unclear,
        seconds=value,
        low=point.low,
        high=point.high,
    )
