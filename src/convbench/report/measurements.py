"""What the site is made from: the store's tables for one project, with lines and commits named.

A *line* is what one curve of a history shows: a BLAS build (or, where a project has none, an
environment) on a machine; several environments of one build are several lines. A *measure* is what
was measured: the benchmark's method where the strategy, problem and dtype tell the classes apart,
else the benchmark's whole name.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from convbench.errors import BadUsage
from convbench.report.intervals import intervals
from convbench.report.naming import name_lines, name_measures, name_units, records
from convbench.report.samples import Samples, read_samples
from convbench.results import load, load_table, newest
from convbench.results.loading import FILTERS
from convbench.results.schema import DETECTED, SKIPPED
from convbench.stats import MIN_COMMITS
from convbench.stats.magnitudes import kept
from convbench.stats.null_control import BENCHMARK as NULL_CONTROL
from convbench.stats.triage import Entry, applied

TABLES = (
    *("benchmarks", "machines", "environments", "problems", "cells", "runs"),
    *DETECTED,
)

ALL_THREADS = "all"
"""What stands for the number of threads of an environment that took all there were."""


@dataclass(frozen=True, slots=True)
class Commit:
    """One measured commit; `position` counts the measured commits, oldest first.

    `minute` counts from 1970 in UTC, for axes of dates; None where the date is not known.
    """

    position: int
    commit: str
    date: str
    subject: str
    minute: int | None = None

    @property
    def short(self) -> str:
        """The first eight digits."""
        return self.commit[:8]


@dataclass(frozen=True)  # without slots, for the cached properties
class Measurements:
    """One project's values in the default view, and its tables.

    `newest` has the store's columns and: `position` (of the commit), `line`, `measure`, `low` and
    `high` (the finite interval, else the quartiles, else NaN). `control` has the rows of the null
    control in every run, not in the newest alone. `detected` says whether changes were searched for
    at all: only then does their absence mean something. `detected_before` says that an older
    convbench did, whose events say too little to be shown. `samples` are those of the newest
    commits.
    """

    project: str
    newest: pd.DataFrame
    control: pd.DataFrame
    commits: tuple[Commit, ...]
    tables: Mapping[str, pd.DataFrame]
    min_commits: int
    detected: bool
    detected_before: bool = False
    samples: Samples = field(default_factory=dict)

    @property
    def unsearched(self) -> str:
        """Say why nothing can be said of changes; empty where they were searched for."""
        if self.detected:
            return ""
        if self.detected_before:
            return "an older convbench searched, run convbench detect again"
        return "convbench detect has not run"

    @cached_property
    def several_machines(self) -> bool:
        """Whether a line needs its machine's name beside it."""
        return len(set(self.newest["machine"])) > 1

    @cached_property
    def outdated(self) -> frozenset[tuple[str, str]]:
        """Machines and lines that the machine's newest commit did not measure any more."""
        last = self.newest.groupby(["machine", "line"])["position"].max()
        newest = last.groupby(level="machine").transform("max")
        return frozenset((str(machine), str(line)) for machine, line in last[last < newest].index)

    @cached_property
    def last_positions(self) -> Mapping[str, int]:
        """Each machine's newest measured commit, by its position."""
        last = self.newest.groupby("machine")["position"].max()
        return {str(machine): int(position) for machine, position in last.items()}

    @cached_property
    def several_lines(self) -> bool:
        """Whether a machine's name does not tell its line."""
        return len(set(self.newest["line"])) > 1

    @cached_property
    def disturbed(self) -> Mapping[tuple[str, str], str]:
        """Why a run was disturbed, by machine and run; runs that stayed quiet are not in it."""
        runs = self.tables["runs"]
        marked = runs[runs["disturbed"].fillna("") != ""]
        keys = zip(marked["machine"], marked["run"], strict=True)
        return dict(zip(keys, marked["disturbed"].astype(str), strict=True))

    @cached_property
    def rows_of_lines(self) -> Mapping[tuple[str, str], Mapping[str, Any]]:
        """One row of each machine and line: its environment, BLAS and threads are the line's."""
        rows = self.newest.drop_duplicates(["machine", "line"], keep="last")
        return {(row["machine"], row["line"]): row for row in records(rows)}

    def uses_all_threads(self, machine: str, line: str) -> bool:
        """Whether a line was measured with all threads."""
        return text(self.rows_of_lines[machine, line]["threads"]) == ALL_THREADS

    def place(self, machine: str, line: str) -> str:
        """Say where a history was measured, without words that are the same for all."""
        if not self.several_machines:
            return line
        return f"{machine} · {line}" if self.several_lines else machine


def read_measurements(
    store: Path, *, project: str | None, triage: tuple[Entry, ...] = ()
) -> Measurements:
    """Read one project of a store; `triage` is what is decided of its events today."""
    values = load(store)
    projects = sorted(values["project"].unique())
    if project is None and len(projects) > 1:
        raise BadUsage(
            f"the store holds {len(projects)} projects: {', '.join(projects)}; "
            "choose one with --project"
        )
    if project is not None and project not in projects:
        raise BadUsage(
            f"the store has no project {project!r}; it has: {', '.join(projects) or 'none yet'}"
        )
    chosen = project or (projects[0] if projects else "")
    tables = {name: _of_project(load_table(store, name), chosen) for name in TABLES}
    commits = _of_project(load_table(store, "commits"), chosen)
    own = _of_project(values, chosen)
    written = [(store / f"{name}.parquet").is_file() for name in DETECTED]
    if not all(written):
        tables |= {name: tables[name].iloc[:0] for name in DETECTED}
    tables["events"], _ = applied(tables["events"], triage, commits)
    return prepare(
        chosen,
        newest(own),
        commits,
        tables,
        control=_control_with_samples(store, chosen, null_control_rows(own)),
        detected=all(written),
        detected_before=any(written),
        samples=read_samples(store, chosen, own["commit_date"]),
    )


def prepare(
    project: str,
    values: pd.DataFrame,
    commits: pd.DataFrame,
    tables: Mapping[str, pd.DataFrame],
    *,
    control: pd.DataFrame | None = None,
    min_commits: int = MIN_COMMITS,
    detected: bool = True,
    detected_before: bool = False,
    samples: Samples | None = None,
) -> Measurements:
    """Name the lines, measures and positions of the newest view of one project.

    `control` are the null control's rows of every run; by default those of `values`.
    """
    # Of some texts other tools' files say nothing: null, which would not be equal to itself.
    values = values.fillna(dict.fromkeys(FILTERS, ""))
    control = null_control_rows(values) if control is None else control
    ordered = order_commits(values, commits)
    positions = {commit.commit: commit.position for commit in ordered}
    values = values.assign(value=_kept(values["value"]), duration=_kept(values["duration"]))
    low, high = intervals(values)
    values = values.assign(
        position=values["commit"].map(positions).astype("int64"),
        unit=name_units(values),
        line=name_lines(values),
        measure=name_measures(values),
        low=low,
        high=high,
    )
    # A fixed order makes everything after it deterministic, whatever the store's file order.
    order = ["measure", "strategy", "problem", "dtype", "machine", "line", "position"]
    # Within a commit as `newest` and `detect` rank it: the row that stands comes last.
    ranked = values.assign(measured=values["status"] != SKIPPED).sort_values(
        [*order, "measured", "started_at", "run", "environment"],
        na_position="first",
        kind="stable",
        ignore_index=True,
    )
    values = ranked.drop(columns="measured")
    known = {**tables, "commits": commits}
    return Measurements(
        *(project, values, control, ordered, known, min_commits, detected, detected_before),
        samples=samples or {},
    )


def _control_with_samples(store: Path, project: str, control: pd.DataFrame) -> pd.DataFrame:
    """Read the null control's rows once more, with their samples; most stores have none."""
    if control.empty:
        return control
    return load(store, samples=True, project=project, benchmark=NULL_CONTROL)


def null_control_rows(values: pd.DataFrame) -> pd.DataFrame:
    """Keep the rows of the null control."""
    return values[values["benchmark"] == NULL_CONTROL].reset_index(drop=True)


def order_commits(values: pd.DataFrame, commits: pd.DataFrame) -> tuple[Commit, ...]:
    """Order the commits that have values: by git where the store knows it, else by date."""
    dates = values.groupby("commit", sort=True)["commit_date"].min()
    known = commits.drop_duplicates("commit").set_index("commit")
    table = pd.DataFrame({"date": dates})
    table["git"] = known["position"].reindex(table.index)
    table["subject"] = known["subject"].reindex(table.index).fillna("")
    table = table.sort_values(["git", "date"], kind="stable", na_position="first")
    return tuple(
        Commit(position, str(commit), day(date), str(subject), _minute_of(date))
        for position, (commit, date, subject) in enumerate(
            zip(table.index, table["date"], table["subject"], strict=True)
        )
    )


def day(moment: pd.Timestamp | None) -> str:
    """Write the UTC day of a moment; empty where unknown."""
    return "" if moment is None or pd.isna(moment) else f"{moment:%Y-%m-%d}"


def _minute_of(moment: pd.Timestamp) -> int | None:
    return None if pd.isna(moment) else int(moment.timestamp() // 60)


def minute(moment: pd.Timestamp | None) -> str:
    """Write a moment to the minute, in UTC; empty where unknown."""
    return "" if moment is None or pd.isna(moment) else f"{moment:%Y-%m-%d %H:%M}"


def text(value: object) -> str:
    """Give a cell of a text column; empty where it is missing."""
    return "" if value is None or value is pd.NaT or value != value else str(value)


def is_true(value: object) -> bool:
    """Tell whether a cell holds true; one of an older version's run may hold nothing."""
    return text(value) == "True"


def _of_project(frame: pd.DataFrame, project: str) -> pd.DataFrame:
    return frame[frame["project"] == project].reset_index(drop=True)


def _kept(column: pd.Series) -> NDArray[np.float64]:
    return kept(column.to_numpy("float64", na_value=math.nan))
