"""A partition, the rows of one machine of one project, and how its files are shared out to parts.

Files lie in order of their commit's date, and a part that is large enough ends where the files
say: after a file whose name's hash, as a fraction, is below the file's share of what may still
come. So the parts depend on the files alone, not on where they lie or when each was collected; a
new commit's file changes the last part only; and many small results directories (one per measuring
run) become few parts.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from convbench.results import schema
from convbench.results.result_file import LAST_DATE_MS

PART_BYTES = 32_000_000
"""Result files of a part that has ended, together, at least; it ends before twice as much."""

_ENDING = 3
"""How many borders are to be expected between once and twice `PART_BYTES`."""


@dataclass(frozen=True)
class FileRecord:
    """What the store knows of one file.

    Parameters
    ----------
    source : str
        The file's path relative to the store.
    sha256 : str
        Hash of the bytes that were read; empty where an older store did not say.
    date_ms, commit : int, str
        As its first lines say them: its place among the files, no more.
    size_bytes : int
        Its size when it was read.
    ok, failed, skipped : int
        Its rows.
    made_with : str
        A hash of what else gave its rows their texts: words, run, facts, readers.
    damage : str
        Why it could not be read; such a file has no rows.
    reduced : bool
        Whether quantiles took the place of its samples.
    """

    source: str
    sha256: str
    date_ms: int
    commit: str
    size_bytes: int
    ok: int = 0
    failed: int = 0
    skipped: int = 0
    made_with: str = ""
    damage: str = ""
    reduced: bool = False

    @classmethod
    def from_entry(cls, entry: list[Any]) -> "FileRecord":
        """Read a record back from the manifest; raise ValueError when it is none."""
        if tuple(map(type, entry)) != _KINDS[: len(entry)]:
            raise ValueError("a file with words of another kind")
        return cls(*entry)

    def as_entry(self) -> list[Any]:
        """Write the record for the manifest."""
        # `dataclasses.astuple` copies deeply, which takes fifty times as long.
        return [getattr(self, name) for name in _FIELDS]


_FIELDS = tuple(field.name for field in fields(FileRecord))
_KINDS = (str, str, int, str, int, int, int, int, str, str, bool)


def shared_out(files: Iterable[FileRecord]) -> list[list[FileRecord]]:
    """Share files out to parts, oldest first."""
    parts: list[list[FileRecord]] = [[]]
    size = 0
    for file in sorted(files, key=lambda file: (file.date_ms, file.source)):
        parts[-1].append(file)
        size += file.size_bytes
        share = _ENDING * file.size_bytes / PART_BYTES
        if size >= PART_BYTES and (_fraction(file.source) < share or size > 2 * PART_BYTES):
            parts.append([])
            size = 0
    return [part for part in parts if part]


def _fraction(source: str) -> float:
    """Return a number from 0 to 1 that is a file's own, by its folder's name and its own."""
    name = "/".join(source.split("/")[-2:])
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=6).digest()) / 2**48


_FIRST_LINES = re.compile(
    rb'"(?:commit_hash"\s*:\s*"([!#-\[\]-~]{1,100})"|date"\s*:\s*(\d{1,15})\b)'
)
PEEKED_BYTES = 4096


def peek(head: bytes) -> tuple[int, str] | None:
    """Return date and commit as a file's first bytes say them, None where they don't."""
    date, commit = None, None
    for found in _FIRST_LINES.finditer(head):
        commit = commit or found.group(1)
        date = date or found.group(2)
        if date and commit:
            return min(int(date), LAST_DATE_MS), commit.decode()
    return None


def newest_commits(files: Iterable[FileRecord], count: int) -> set[str]:
    """Return the newest commits of a project, by date."""
    dates: dict[str, int] = {}
    for file in files:
        dates[file.commit] = max(file.date_ms, dates.get(file.commit, 0))
    ordered = sorted(dates, key=lambda commit: (dates[commit], commit))
    return set(ordered[max(len(ordered) - count, 0) :])


# A manifest may come from elsewhere: it must not name places outside of the store.
_PART = re.compile(
    rf"(?:{'|'.join(schema.FAMILIES)})/project=[^/]*/machine=[^/]*/[0-9a-f]+\.parquet"
)


def checked_paths(paths: Any) -> Mapping[str, str | None]:
    """Give the places of a part's families; raise ValueError when one can be no part's."""
    if not isinstance(paths, dict) or not {"values"} <= set(paths) <= set(schema.FAMILIES):
        raise ValueError("a part without its places")
    for family, path in paths.items():
        is_left_out = path is None and family == "samples"
        if not is_left_out and not (isinstance(path, str) and _PART.fullmatch(path)):
            raise ValueError(f"{path!r} is no part")
    return paths


@dataclass(frozen=True)
class PartRecord:
    """One part in the manifest: where its rows lie, and whose they are."""

    project: str
    machine: str
    paths: Mapping[str, str | None]  # by family
    files: tuple[FileRecord, ...]
    older_source: str = ""
    """Of a part of an older schema: the source that all its files belong to."""

    @classmethod
    def from_entry(cls, entry: Mapping[str, Any]) -> "PartRecord":
        """Read a record back from the manifest."""
        files = tuple(map(FileRecord.from_entry, entry["files"]))
        if not (files and isinstance(entry["project"], str) and isinstance(entry["machine"], str)):
            raise ValueError("a part without files, project or machine")
        return cls(
            project=entry["project"],
            machine=entry["machine"],
            paths=checked_paths(entry["paths"]),
            files=files,
        )

    def as_entry(self) -> dict[str, Any]:
        """Write the record for the manifest."""
        return {
            "project": self.project,
            "machine": self.machine,
            "paths": dict(self.paths),
            "files": [file.as_entry() for file in self.files],
        }
