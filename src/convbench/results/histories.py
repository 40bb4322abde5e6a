"""Histories: the values of one benchmark with one set of parameters, commit by commit.

A history belongs to one machine, environment, BLAS build and number of threads, and to one version
of its benchmark: values of another version measured something else.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from convbench.results.loading import load, load_table, newest
from convbench.results.manifest import read_manifest
from convbench.results.numbering import numbered
from convbench.results.schema import FAILED, OK, SKIPPED, params_text
from convbench.stats.magnitudes import kept

KEY = ("project", "machine", "environment", "blas", "threads", "benchmark", "params")
"""What one history is about, besides the benchmark's version; ``params`` as text."""

LABELS = (*KEY, "strategy", "problem", "dtype", "unit")

Texts = NDArray[np.object_]
Numbers = NDArray[np.float64]
Indices = NDArray[np.int64]

_READ = (
    *("project", "machine", "environment", "blas", "blas_identity", "blas_sha256", "commit"),
    *("commit_date", "run", "benchmark", "params", "strategy", "problem", "dtype", "threads"),
    *("value", "unit", "status", "version", "started_at"),
)


@dataclass(frozen=True)  # without slots, for the cached property
class History:
    """One history, oldest commit first; every array has one entry per commit.

    Parameters
    ----------
    labels
        Texts of `LABELS`, as the newest commit has them; empty where nothing is known.
    params
        The parameters by name.
    commits, positions
        Hash of each commit, and its place among the project's commits.
    numbers
        NaN where a commit has no number.
    statuses
        ``ok``, ``failed`` or ``skipped``: what has no value for lack of trying is no failure.
    runs, identities
        Which run measured each commit, with which BLAS; empty where that is not known.
    """

    labels: Mapping[str, str]
    params: Mapping[str, str]
    commits: Texts
    positions: Indices
    numbers: Numbers
    statuses: Texts
    runs: Texts
    identities: Texts

    @cached_property
    def measured(self) -> Indices:
        """Indices of the commits that have a number."""
        return np.flatnonzero(np.isfinite(self.numbers))


def read_histories(store: Path) -> Iterator[list[History]]:
    """Yield the histories of each environment of each machine of each project.

    Only one environment's values are held at a time, so a store may be larger than the memory.
    """
    order = load_table(store, "commits")
    parts = read_manifest(store).parts
    for project, machine in sorted({(part.project, part.machine) for part in parts}):
        of_project = order[order["project"] == project]
        names = load(store, columns=["environment"], project=project, machine=machine)
        for environment in sorted(names["environment"].unique()):
            # Not named: while its histories are searched, the frame must not stay.
            yield cut(
                load(
                    store,
                    columns=_READ,
                    project=project,
                    machine=machine,
                    environment=environment,
                ),
                of_project,
            )


def cut(values: pd.DataFrame, commits: pd.DataFrame) -> list[History]:
    """Cut one project's rows into histories, in the order of their labels.

    A commit measured under two BLAS identities has two rows: the history takes the newer, but a
    skipped one only where there is no other.

    Parameters
    ----------
    values : DataFrame
        Rows of the store's table `values`, every run of them.
    commits : DataFrame
        The project's `commits`, with their `position`.
    """
    rows = newest(values)
    rows = rows[(rows["status"] == OK) | (rows["status"] == FAILED) | (rows["status"] == SKIPPED)]
    if rows.empty:
        return []
    columns = _columns(rows, commits)
    history = numbered((columns[name] for name in (*KEY, "version")), len(rows))
    stand = _ordered(columns, history)
    columns = {name: column[stand] for name, column in columns.items()}
    history = history[stand]
    starts = np.flatnonzero(np.diff(history, prepend=-1))
    ends = np.append(starts[1:], len(history))
    found = [_history(columns, slice(*ends_of)) for ends_of in zip(starts, ends, strict=True)]
    with_number = [one for one in found if len(one.measured)]
    return sorted(with_number, key=lambda one: tuple(one.labels[name] for name in KEY))


def _columns(rows: pd.DataFrame, commits: pd.DataFrame) -> dict[str, NDArray[Any]]:
    """Give the columns as arrays: texts without nulls, parameters as their text and as a dict."""
    texts = [name for name in _READ if name not in ("value", "params", "commit_date", "started_at")]
    columns: dict[str, NDArray[Any]] = {name: _shared(rows[name]) for name in texts}
    combinations = rows["params"].to_numpy(object)
    # Rows of one combination share its dict.
    distinct = {id(one): one for one in combinations}
    texts_of = {key: params_text(one) for key, one in distinct.items()}
    columns["combination"] = combinations
    columns["params"] = np.array([texts_of[id(one)] for one in combinations], object)
    is_ok = columns["status"] == OK
    value = rows["value"].to_numpy(np.float64, na_value=np.nan)
    columns["value"] = np.where(is_ok, kept(value), np.nan)
    position = dict(zip(commits["commit"], commits["position"], strict=True))
    codes, found = pd.factorize(columns["commit"])
    places = np.array([position.get(commit, -1) for commit in found], dtype=np.int64)
    columns["position"] = places[codes]
    for name in ("commit_date", "started_at"):
        columns[name] = rows[name].to_numpy("datetime64[ms]").astype(np.int64)  # NaT is the least
    return columns


def _shared(column: "pd.Series[str]") -> Texts:
    """Give texts as objects, equal ones as one object; nulls are empty.

    A store names a few benchmarks a million times: a text of its own for each takes a gigabyte.
    """
    codes, found = pd.factorize(column)
    texts: Texts = np.append(np.asarray(found, dtype=object), "")  # a null's code is −1: the last
    return texts[codes]


def _ordered(columns: Mapping[str, NDArray[Any]], history: Indices) -> Indices:
    """Return the rows of each history by commit, of several of one commit the one that stands."""
    commit, _ = pd.factorize(columns["commit"], sort=True)
    run, _ = pd.factorize(columns["run"], sort=True)
    is_measured = columns["status"] != SKIPPED
    ranks = (run, columns["started_at"], is_measured, commit)
    order = np.lexsort((*ranks, columns["commit_date"], columns["position"], history))
    same = (np.diff(history[order]) == 0) & (np.diff(commit[order]) == 0)
    stand: Indices = order[~np.append(same, False)]
    return stand


def _history(columns: Mapping[str, NDArray[Any]], rows: slice) -> History:
    last = rows.stop - 1
    return History(
        labels={name: str(columns[name][last]) for name in LABELS},
        params=columns["combination"][last],
        commits=columns["commit"][rows],
        positions=columns["position"][rows],
        numbers=columns["value"][rows],
        statuses=columns["status"][rows],
        runs=columns["run"][rows],
        identities=columns["blas_identity"][rows],
    )
