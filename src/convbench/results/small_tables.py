"""The store's small tables: rows added by key, never taken away while their project is there."""

from collections.abc import Collection, Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from convbench.results.commits import order_of, positions, read_history
from convbench.results.result_file import Benchmark
from convbench.results.schema import DETECTED, KEYS, SCHEMAS, TABLES
from convbench.results.store import read_table, replace_table

Row = dict[str, Any]


class SmallTables:
    """The small tables of one store while it is collected into; `write` puts them on disk.

    Parameters
    ----------
    store : path
        The store's folder.
    anew : bool
        Whether to begin without the rows that the store has.
    """

    def __init__(self, store: Path, *, anew: bool = False) -> None:
        self._store = store
        self._anew = anew
        self._rows: dict[str, dict[tuple[str, ...], Row]] = {}
        self._changed: set[str] = set()

    def add(self, name: str, rows: Iterable[Row]) -> None:
        """Add rows; columns that they leave out keep what a row of the same key had there."""
        table, nothing = self._of(name), dict.fromkeys(SCHEMAS[name].names)
        for row in rows:
            key = tuple(row[column] for column in KEYS[name])
            whole = nothing | table.get(key, {}) | row
            if whole != table.get(key):
                table[key] = whole
                self._changed.add(name)

    def take_along(self, commits: Collection[str], before: str, after: str) -> None:
        """Give a project what another one knows of some commits, and of all of them together.

        What it knows of the same itself stays.
        """
        for name in (name for name in TABLES if name not in DETECTED):
            table, key = self._of(name), KEYS[name]
            moved = [
                row | {"project": after}
                for row in table.values()
                if row["project"] == before and row.get("commit", "") in {"", *commits}
            ]
            self.add(name, [row for row in moved if tuple(row[c] for c in key) not in table])

    def _of(self, name: str) -> dict[tuple[str, ...], Row]:
        if name not in self._rows:
            rows = [] if self._anew else read_table(self._store, name).to_pylist()
            key = KEYS[name]
            self._rows[name] = {tuple(row[column] for column in key): row for row in rows}
        return self._rows[name]

    def benchmarks(self, project: str) -> dict[str, Benchmark]:
        """Return every benchmark that a project ever had: asv forgets those that are gone."""
        return {
            name: Benchmark(
                **{column: row[column] for column in ("benchmark", "type", "unit")},
                param_names=tuple(row["param_names"]),
                version=row["version"],
                code=row["code"],
            )
            for (owner, name), row in self._of("benchmarks").items()
            if owner == project
        }

    def machine(self, project: str, machine: str) -> Row:
        """Return what is known of a machine; empty for an unknown one."""
        return self._of("machines").get((project, machine), {})

    def runs_of(self, project: str, machine: str) -> dict[str, datetime | None]:
        """Return the runs of a machine and when each started."""
        return {
            row["run"]: row["started_at"]
            for row in self._of("runs").values()
            if (row["project"], row["machine"]) == (project, machine)
        }

    def renew(self) -> None:
        """Have every table written as today's schema has it."""
        for name in TABLES:
            self._of(name)
            self._changed.add(name)

    def order_commits(self, projects: Iterable[str], repo: Path | None) -> None:
        """Give the commits of some projects their positions, and git's facts if there is a repo.

        Without one, an order that git once gave stays, and others take their place by date.
        """
        for project in sorted(projects):
            rows = [row for row in self._of("commits").values() if row["project"] == project]
            commits = [row["commit"] for row in rows]
            # Positions of several stores can't be compared.
            before = None if self._anew else order_of(rows)
            history = before if repo is None else read_history(repo, commits)
            self.add("commits", positions(rows, history))

    def write(self, projects: set[str], machines: set[tuple[str, str]]) -> None:
        """Replace the tables that changed, with the rows of these projects and machines."""
        for name, rows in sorted(self._rows.items()):
            kept = [
                row
                for _, row in sorted(rows.items())
                if row["project"] in projects
                and ("machine" not in row or (row["project"], row["machine"]) in machines)
            ]
            as_before = not self._anew and name not in self._changed and len(kept) == len(rows)
            if not as_before and (kept or (self._store / f"{name}.parquet").exists()):
                replace_table(self._store, name, pa.Table.from_pylist(kept, SCHEMAS[name]))
