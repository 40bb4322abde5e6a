"""What lies around a change: the commits among which it began, and the environments compared."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from convbench.report.links import commit_link
from convbench.report.measurements import Measurements, day, text
from convbench.report.naming import records
from convbench.report.readable import counted

MOST_COMMITS = 60
"""Commits of a range that are listed: of more, those around the likeliest."""

FEW_PACKAGES = 3
"""So many packages that stayed the same are named; of more, how many there are."""

_FACTS = {
    "identity": "BLAS",
    "lapack": "LAPACK",
    "threads": "threads",
    "threads_claimed": "threads that ran",
    "cpus": "CPUs",
}


@dataclass(frozen=True, slots=True)
class RangeCommit:
    """A commit that may be the first of the new level; `likeliest` is the one the event names."""

    commit: str
    url: str
    date: str
    subject: str
    author: str
    tags: str
    measured: bool
    likeliest: bool


@dataclass(frozen=True, slots=True)
class Difference:
    """What an environment had before a change and after it; `same` says what did not differ."""

    rows: tuple[tuple[str, str, str], ...]
    same: str


class KnownCommits:
    """All commits that the store knows of a project, measured or not, in its order."""

    def __init__(self, measurements: Measurements, repo_url: str) -> None:
        rows = records(measurements.tables["commits"])
        self._rows = sorted(rows, key=lambda row: row["position"])
        self._at = {row["commit"]: at for at, row in enumerate(self._rows)}
        self._measured = {one.commit: one.position for one in measurements.commits}
        self._measured_at = sorted(self._at[c] for c in self._measured if c in self._at)
        self._repo_url = repo_url

    def range(self, row: Mapping[str, Any]) -> tuple[tuple[RangeCommit, ...], int]:
        """List the commits of an event's range, oldest first, and count those left out."""
        ends = [self._at.get(text(row[name])) for name in ("range_first", "range_last")]
        likeliest = self._at.get(row["commit"])
        if likeliest is None:
            return (), 0
        first, last = (likeliest if end is None else end for end in ends)
        first, last = min(first, likeliest), max(last, likeliest)
        start = max(first, min(likeliest - MOST_COMMITS // 2, last + 1 - MOST_COMMITS))
        stop = min(last + 1, start + MOST_COMMITS)
        shown = tuple(self._commit(one, row["commit"]) for one in self._rows[start:stop])
        return shown, last + 1 - first - len(shown)

    def last_good(self, row: Mapping[str, Any]) -> int | None:
        """Give the position of the last measured commit before a range; None where unknown."""
        first = self._at.get(text(row["range_first"]))
        if first is None:
            return None
        before = bisect_left(self._measured_at, first) - 1
        return (
            self._measured[self._rows[self._measured_at[before]]["commit"]] if before >= 0 else None
        )

    def _commit(self, row: Mapping[str, Any], likeliest: str) -> RangeCommit:
        return RangeCommit(
            commit=row["commit"][:8],
            url=commit_link(self._repo_url, row["commit"]),
            date=day(row["commit_date"]),
            subject=text(row["subject"]),
            author=text(row["author"]),
            tags=", ".join(map(str, _listed(row["tags"]))),
            measured=row["commit"] in self._measured,
            likeliest=row["commit"] == likeliest,
        )


def _listed(cell: Any) -> Iterable[Any]:
    return () if cell is None or isinstance(cell, float) else cell


class Environments:
    """What every environment held, as the run found it that gave the newest value of a commit."""

    def __init__(self, measurements: Measurements) -> None:
        place = ["machine", "environment", "commit"]
        runs = measurements.newest[[*place, "run"]].drop_duplicates(place, keep="last")
        self._runs = {
            (row["machine"], row["environment"], row["commit"]): text(row["run"])
            for row in records(runs)
        }
        self._facts = {
            (row["machine"], row["environment"], row["commit"], text(row["run"])): _facts(row)
            for row in records(measurements.tables["environments"])
        }

    def difference(self, change: Mapping[str, Any]) -> Difference:
        """Compare the environment of a change at its commit with that of the commit before it."""
        before, after = (self._known(change, name) for name in ("previous_commit", "commit"))
        # What the search itself compared counts for more than what a run tells.
        identities = text(change["identity_before"]), text(change["identity_after"])
        if not (before and after):
            before, after = {}, {}
        if all(identities):
            before, after = before | {"BLAS": identities[0]}, after | {"BLAS": identities[1]}
        names = list(dict.fromkeys([*before, *after]))
        rows = [(name, before.get(name, "–"), after.get(name, "–")) for name in names]
        return Difference(
            tuple(row for row in rows if row[1] != row[2]),
            _same([name for name, one, other in rows if one == other]),
        )

    def _known(self, change: Mapping[str, Any], name: str) -> dict[str, str]:
        key = change["machine"], change["environment"], text(change[name])
        return self._facts.get((*key, self._runs.get(key, "")), {})


def _facts(row: Mapping[str, Any]) -> dict[str, str]:
    """Name what is known of an environment; a package that nobody pinned is there, too."""
    own = {name: text(row[column]) for column, name in _FACTS.items() if text(row[column])}
    packages = row["packages"]
    pairs = packages.items() if isinstance(packages, dict) else _listed(packages)
    return own | {str(name): text(version) or "unpinned" for name, version in sorted(pairs)}


def _same(names: Sequence[str]) -> str:
    """Say what did not differ: packages by name while these are few."""
    told = [name for name in names if name in _FACTS.values()]
    packages = [name for name in names if name not in _FACTS.values()]
    if len(packages) > FEW_PACKAGES:
        packages = [counted(len(packages), "package")]
    return ", ".join([*told, *packages])
