"""The inventory: what was measured where, and what was not.

A *place* is one environment on one machine. A commit is known when the table `commits` names it or
any place has rows of it; a place misses the known commits of its project of which it has no row at
all. Counts are of the newest run of each benchmark at a commit that did not skip it whole, as in
the default view: a run of a few benchmarks does not hide the others.
"""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from convbench.errors import BadUsage
from convbench.results import loading
from convbench.results.raw_files import printable
from convbench.results.schema import COUNT, STATUSES, TEXT, TIME

PLACE = ["project", "machine", "environment"]
_AT = [*PLACE, "commit"]
_UNIT = [*_AT, "benchmark", "run"]
_DATES = ["commit_date", "started_at"]

_COMMIT = ["project", "commit"]

_COUNTED = pa.schema(
    [(name, TEXT) for name in _UNIT]
    + [(name, COUNT) for name in STATUSES]
    + [(name, TIME) for name in _DATES]
)

# Rows that are counted at once: many small parts cost less together, and all don't fit in memory.
_HELD = 500_000


@dataclass(frozen=True, kw_only=True)
class Place:
    """What one environment on one machine has of a project.

    Parameters
    ----------
    machine, environment : str
        The place.
    commits : tuple of str
        Measured commits, oldest first.
    first, last : Timestamp
        Dates of the oldest and the newest of them.
    run : str
        The newest run of the newest commit; empty where `asv run` measured it.
    ok, failed, skipped : int
        Values of the newest commit.
    missing : tuple of tuple of str
        Known commits that are missing, oldest first; neighbours in one tuple.
    never_measured : tuple of str
        Benchmarks that were measured in some other place and never here.
    failing : tuple of str
        Benchmarks that failed at the newest commit with every parameter.
    """

    machine: str
    environment: str
    commits: tuple[str, ...]
    first: pd.Timestamp
    last: pd.Timestamp
    run: str
    ok: int
    failed: int
    skipped: int
    missing: tuple[tuple[str, ...], ...]
    never_measured: tuple[str, ...]
    failing: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Holdings:
    """What a store has of one project.

    Parameters
    ----------
    project : str
        Its name.
    known, measured : int
        Commits that are known, and that have a row anywhere.
    first_position, last_position : int
        Where the known commits lie in the project's history; it may have commits between them
        that no result names.
    places : tuple of Place
        By machine and environment.
    """

    project: str
    known: int
    measured: int
    first_position: int
    last_position: int
    places: tuple[Place, ...]


def inventory(store: Path | str, project: str | None = None) -> pd.DataFrame:
    """Say for every place and every known commit of its project what was measured.

    Parameters
    ----------
    store : path
        A folder that `convbench collect` wrote.
    project : str, optional
        Only this one.

    Returns
    -------
    DataFrame
        One row per project, machine, environment and known commit, in this order, commits by
        `position` (-1 where the store doesn't know it). `runs` is how many have rows there and
        `run` the newest, `ok`, `failed` and `skipped` count values, and `missing` is true where
        there is no row.

    Raises
    ------
    BadResults
        `store` is no store.
    BadUsage
        It has no such project.
    """
    units = _units(store, project)
    return _by_commit(units, _known(store, units))


def holdings(store: Path | str, project: str | None = None) -> tuple[Holdings, ...]:
    """Summarise the inventory by project and place; arguments and errors are the same."""
    units = _units(store, project)
    frame = _by_commit(units, _known(store, units))
    by_place = dict(iter(units.groupby(PLACE)))
    found = []
    for name, of_project in frame.groupby("project"):
        measured = of_project.loc[~of_project["missing"], "commit"].nunique()
        known = of_project.drop_duplicates("commit")
        everywhere = _measured_benchmarks(units[units["project"] == name])
        places = [
            _place(of_place, by_place[where], everywhere)
            for where, of_place in of_project.groupby(PLACE)
        ]
        found.append(
            Holdings(
                project=str(name),
                known=len(known),
                measured=measured,
                first_position=int(known["position"].min()),
                last_position=int(known["position"].max()),
                places=tuple(places),
            )
        )
    return tuple(found)


def _place(commits: pd.DataFrame, units: pd.DataFrame, everywhere: set[str]) -> Place:
    """Summarise the rows of `inventory` and the units of one place."""
    measured = commits[~commits["missing"]]
    newest = measured.iloc[-1]
    at_newest = _newest_units(units[units["commit"] == newest["commit"]])
    failing = at_newest[(at_newest["failed"] > 0) & (at_newest["ok"] == 0)]
    return Place(
        machine=newest["machine"],
        environment=newest["environment"],
        commits=tuple(measured["commit"]),
        first=measured["commit_date"].min(),
        last=measured["commit_date"].max(),
        run=newest["run"],
        **{status: int(newest[status]) for status in STATUSES},
        missing=_stretches(commits),
        never_measured=tuple(sorted(everywhere - _measured_benchmarks(units))),
        failing=tuple(sorted(failing["benchmark"])),
    )


def _stretches(commits: pd.DataFrame) -> tuple[tuple[str, ...], ...]:
    """Group the missing commits of a place that follow each other among the known ones."""
    numbers = commits["missing"].ne(commits["missing"].shift()).cumsum()
    missing = commits.loc[commits["missing"], "commit"]
    return tuple(tuple(group) for _, group in missing.groupby(numbers))


def _measured_benchmarks(units: pd.DataFrame) -> set[str]:
    return set(units.loc[units["measured"], "benchmark"])


def _units(store: Path | str, project: str | None) -> pd.DataFrame:
    """Count the values of every benchmark of every run by status: what all else is made of."""
    filters: dict[str, Any] = {} if project is None else {"project": project}
    columns = [*_UNIT, "status", *_DATES]
    counts = _counted(loading.scan(store, columns=columns, **filters))
    units: pd.DataFrame = counts.to_pandas()
    if project is not None and units.empty:
        raise _unknown(store, project)
    units["measured"] = (units["ok"] > 0) | (units["failed"] > 0)
    return units


def _unknown(store: Path | str, project: str) -> BadUsage:
    known: set[str] = set()
    for rows in loading.scan(store, columns=["project"]):
        known |= set(pc.unique(rows["project"].cast(TEXT)).to_pylist())
    near = difflib.get_close_matches(project, sorted(known), 3, 0.3) or sorted(known)[:3]
    names = ", ".join(printable(name) for name in near) or "none at all"
    asked = printable(project) or repr(project)
    return BadUsage(f"the store has no project {asked}; near: {names}")


def _counted(tables: Iterable[pa.Table]) -> pa.Table:
    """Count the rows of each unit by status; never all rows are held."""
    held, fresh = [_COUNTED.empty_table()], 0
    for rows in tables:
        held.append(_with_counts(rows))
        fresh += len(rows)
        if fresh > _HELD:
            held, fresh = [_sums(pa.concat_tables(held))], 0
    return _sums(pa.concat_tables(held)).sort_by([(name, "ascending") for name in _UNIT])


def _with_counts(rows: pa.Table) -> pa.Table:
    columns = {name: rows[name].cast(TEXT).fill_null("") for name in _UNIT}
    status = rows["status"].cast(TEXT)
    columns |= {name: pc.equal(status, name).cast(COUNT) for name in STATUSES}
    return pa.table(columns | {name: rows[name] for name in _DATES}, schema=_COUNTED)


def _sums(table: pa.Table) -> pa.Table:
    totals = [(name, "sum") for name in STATUSES] + [(name, "max") for name in _DATES]
    grouped = table.group_by(_UNIT).aggregate(totals)
    names = [*_UNIT, *("_".join(total) for total in totals)]
    return grouped.select(names).rename_columns(_COUNTED.names)


def _newest_units(units: pd.DataFrame) -> pd.DataFrame:
    """Keep the newest run of each benchmark at each commit; one that skipped it all hides none."""
    order = units.sort_values(["measured", "started_at", "run"], na_position="first", kind="stable")
    return order.drop_duplicates([*_AT, "benchmark"], keep="last")


def _known(store: Path | str, units: pd.DataFrame) -> pd.DataFrame:
    """List the known commits of the projects that have values, in order."""
    told = loading.load_table(store, "commits")[[*_COMMIT, "position", "commit_date"]]
    told = told[told["project"].isin(units["project"].unique())]
    # Every measured commit is in the table, unless a collector is just replacing it.
    known = pd.concat([told, units[[*_COMMIT, "commit_date"]]]).drop_duplicates(_COMMIT)
    known = known.sort_values(["project", "position", "commit_date", "commit"])
    return known.assign(position=known["position"].fillna(-1).astype("int64"))


def _by_commit(units: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    """Build the frame that `inventory` returns."""
    order = units.sort_values(["measured", "started_at", "run"], na_position="first", kind="stable")
    runs = order.groupby(_AT).agg(runs=("run", "nunique"), run=("run", "last"))
    counts = _newest_units(units).groupby(_AT)[[*STATUSES]].sum()
    places = units[PLACE].drop_duplicates()
    rows = places.merge(known, on="project").merge(
        runs.join(counts).reset_index(), on=_AT, how="left"
    )
    rows["missing"] = rows["runs"].isna()
    rows[["runs", *STATUSES]] = rows[["runs", *STATUSES]].fillna(0).astype("int64")
    rows["run"] = rows["run"].fillna("")
    names = [*_AT, "position", "commit_date", "runs", "run", *STATUSES, "missing"]
    return rows[names].sort_values(PLACE, kind="stable", ignore_index=True)
