"""Changes: what the statistics find in histories, as rows of the table `changes`.

A row joins what is found with what the store knows of the two commits: whether the run was
disturbed, and which BLAS and packages each was measured with.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from convbench.results.histories import History, Indices, Numbers
from convbench.results.loading import load_table
from convbench.results.points import point_of
from convbench.results.schema import FAILED, OK
from convbench.stats import MIN_COMMITS, ChangePoint, find_change_points, noise_of
from convbench.stats.changes import IMPROVEMENT, REGRESSION, STARTS_FAILING
from convbench.stats.common_mode import aligned, corrected
from convbench.stats.failures import find_failures
from convbench.stats.moves import Moves, moves_of
from convbench.stats.null_control import BENCHMARK as NULL_CONTROL

Row = dict[str, Any]

_TIME = "seconds"
"""Only times share what disturbs a machine; bytes and counts don't."""

_SHARED = ("machine", "environment", "blas", "threads")
"""Histories that share these were measured side by side."""

_PLACE = ("project", "machine", "environment", "run", "commit")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a store knows around its values.

    Parameters
    ----------
    order
        Of each project: its commits' positions, rising, and their hashes in that order.
    disturbed
        Why a run was disturbed, by project, machine and run; quiet runs are not in it.
    packages
        What an environment held, by project, machine, environment, run and commit.
    """

    order: Mapping[str, tuple[Indices, Sequence[str]]]
    disturbed: Mapping[tuple[str, ...], str]
    packages: Mapping[tuple[str, ...], Mapping[str, str]]

    def next_commit(self, project: str, position: int) -> tuple[int, str]:
        """Give the position and the hash of the project's first known commit after a position."""
        positions, commits = self.order[project]
        at = min(int(np.searchsorted(positions, position, side="right")), len(commits) - 1)
        return int(positions[at]), commits[at]


@dataclass(frozen=True, slots=True)
class Searched:
    """One history that was searched.

    Parameters
    ----------
    labels
        As of `History`.
    positions
        Of the commits that have a number, rising.
    noise
        How much those numbers scatter about their levels, relative to them; NaN for too few.
    moves
        How far the history moves at each of them (`stats.moves`).
    changes
        What noise alone is unlikely to show in this history, as rows of `changes`: without
        `event`, and without a thought of how many histories there are.
    """

    labels: Mapping[str, str]
    positions: Indices
    noise: float
    moves: Moves
    changes: tuple[Row, ...]

    @property
    def has_enough_commits(self) -> bool:
        """Whether a change of its level could be found at all."""
        return len(self.positions) >= MIN_COMMITS


def surroundings(store: Path) -> Surroundings:
    """Read what a store knows around its values."""
    order = {}
    commits = load_table(store, "commits").sort_values(["project", "position"], kind="stable")
    for project, rows in commits.groupby("project", sort=True):
        positions = rows["position"].to_numpy(np.int64)
        order[str(project)] = (positions, rows["commit"].tolist())
    runs = load_table(store, "runs")
    marked = runs[runs["disturbed"].fillna("") != ""]
    environments = load_table(store, "environments")
    return Surroundings(
        order=order,
        disturbed=_keyed(marked, ("project", "machine", "run"), "disturbed"),
        packages=_keyed(environments, _PLACE, "packages"),
    )


def _keyed(frame: pd.DataFrame, key: Sequence[str], value: str) -> dict[tuple[str, ...], Any]:
    keys = zip(*(frame[name].fillna("").tolist() for name in key), strict=True)
    return dict(zip(keys, frame[value].tolist(), strict=True))


def search(
    histories: Sequence[History], known: Surroundings, is_rate: Callable[[str], bool]
) -> Iterator[Searched]:
    """Search histories that were read together, with what they share taken out of their times.

    `is_rate` tells whether a greater value of a unit is the better one.
    """
    for history, values in zip(histories, _quietened(histories), strict=True):
        found = find_change_points(values, higher_is_better=is_rate(history.labels["unit"]))
        rows = [*_level_rows(history, found, known), *_failure_rows(history, known)]
        yield Searched(
            labels=history.labels,
            positions=history.positions[history.measured],
            noise=noise_of(values),
            moves=moves_of(values[history.measured]),
            changes=tuple(rows),
        )


def _quietened(histories: Sequence[History]) -> list[Numbers]:
    """Take out of the times what all benchmarks of one commit share, as the control shows it."""
    values = [history.numbers for history in histories]
    groups: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for at, history in enumerate(histories):
        measured = history.numbers[history.measured]
        if history.labels["unit"] == _TIME and np.all(measured > 0):
            groups[tuple(history.labels[name] for name in _SHARED)].append(at)
    for members in groups.values():
        columns, matrix = aligned(
            [histories[at].positions for at in members],
            [histories[at].numbers for at in members],
        )
        # Control histories, which no commit changes, stay as they are.
        control = np.array(
            [histories[at].labels["benchmark"] == NULL_CONTROL for at in members], dtype=bool
        )
        quiet = corrected(matrix[~control], matrix[control])
        for at, row in zip(np.array(members)[~control], quiet, strict=True):
            values[at] = row[np.searchsorted(columns, histories[at].positions)]
    return values


def _level_rows(
    history: History, found: Sequence[ChangePoint], known: Surroundings
) -> Iterator[Row]:
    """Give the rows of changes of level."""
    measured = history.measured
    for number, change in enumerate(found):
        before = measured[np.searchsorted(measured, change.index) - 1]
        last_good = measured[np.searchsorted(measured, change.first) - 1]
        yield {
            **_where(history, int(before), change.index, known),
            **_range(history, int(last_good), change.last, known),
            "before": change.before,
            "after": change.after,
            "ratio": change.ratio,
            "ratio_low": change.ratio_low,
            "ratio_high": change.ratio_high,
            "p_value": change.p_value,
            "kind": REGRESSION if change.is_regression else IMPROVEMENT,
            "recovered": any(_returns(change, later) for later in found[number + 1 :]),
        }


def _failure_rows(history: History, known: Surroundings) -> Iterator[Row]:
    """Give the rows of failures that begin and end; they have no levels."""
    found = find_failures(history.statuses.tolist())
    for number, (index, kind) in enumerate(found):
        status = OK if kind == STARTS_FAILING else FAILED
        before = int(np.flatnonzero(history.statuses[:index] == status)[-1])
        numbers = ("before", "after", "ratio", "ratio_low", "ratio_high", "p_value")
        yield {
            **_where(history, before, index, known),
            **_range(history, before, index, known),
            **dict.fromkeys(numbers, math.nan),
            "kind": kind,
            "recovered": any(other != kind for _, other in found[number + 1 :]),
        }


def _where(history: History, before: int, index: int, known: Surroundings) -> Row:
    """Say where a history changed, from the commit `before` to that at `index`."""
    project, machine = history.labels["project"], history.labels["machine"]
    run = history.runs[index]
    return {
        **history.labels,
        "point": _point(history, index),
        "blas_identity": history.identities[index],
        "commit": history.commits[index],
        "previous_commit": history.commits[before],
        "position": int(history.positions[index]),
        "points": len(history.measured),
        "disturbed": known.disturbed.get((project, machine, run), ""),
        "identity_before": history.identities[before],
        "identity_after": history.identities[index],
        "packages_changed": packages_changed(
            *(known.packages.get(_place(history, at), {}) for at in (before, index))
        ),
    }


def _point(history: History, at: int) -> str:
    """Name one value, as `convbench reproduce` takes it."""
    own = {"run": history.runs[at], "commit": history.commits[at], "params": history.params}
    return str(point_of({**history.labels, **own}))


def _place(history: History, at: int) -> tuple[str, ...]:
    labels = (history.labels[name] for name in ("project", "machine", "environment"))
    return (*labels, history.runs[at], history.commits[at])


def _range(history: History, last_good: int, last: int, known: Surroundings) -> Row:
    """Give the commits among which the first of the new level lies.

    It may lie before the first one that this history measured: whatever followed `last_good`.
    """
    project = history.labels["project"]
    position, commit = known.next_commit(project, int(history.positions[last_good]))
    return {
        "range_first": commit,
        "range_first_position": position,
        "range_last": history.commits[last],
        "range_last_position": int(history.positions[last]),
    }


def _returns(change: ChangePoint, later: ChangePoint) -> bool:
    """Tell whether a later change returns to the level before this one, within their intervals."""
    if not (change.before > 0 and later.after > 0):
        return later.after == change.before
    apart = abs(math.log(later.after / change.before))
    return apart <= math.hypot(_half_width(change), _half_width(later))


def _half_width(change: ChangePoint) -> float:
    """Give half of the interval of a change's ratio, in log units."""
    if not (change.ratio_low > 0 and math.isfinite(change.ratio_high)):
        return 0.0
    return math.log(change.ratio_high / change.ratio_low) / 2


def packages_changed(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    """Say in words which packages differ: ``numpy 2.1.0 → 2.2.0, mkl added (2025.3)``."""
    before, after = dict(before), dict(after)  # a store gives maps as pairs or as dicts
    return ", ".join(_difference(before, after)) if before and after else ""


def _difference(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[str]:
    for name in sorted({*before, *after}):
        old, new = before.get(name), after.get(name)
        if old is None:
            yield f"{name} added ({new})" if new else f"{name} added"
        elif new is None:
            yield f"{name} {old} removed" if old else f"{name} removed"
        elif old != new:
            yield f"{name} {old or 'unpinned'} → {new or 'unpinned'}"
