"""Building one part: reading its new files, keeping rows of its older ones, writing it.

A task holds all that this needs, so that a part can be built in a process of its own.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
import pyarrow as pa

from convbench.errors import BadResults
from convbench.results.adapters import Origin, read_foreign
from convbench.results.exact_reader import read_exact
from convbench.results.part_columns import Part, PartColumns
from convbench.results.part_files import read_part, without_samples, write_part
from convbench.results.partition import FileRecord, PartRecord
from convbench.results.raw_files import check_objects, one_line, read_bounded
from convbench.results.result_file import Axes, Benchmark, Head, ResultFile, Rows
from convbench.results.schema import FAILED, OK, SKIPPED, STATUSES
from convbench.results.words import COLUMNS, Words

READERS = 1
"""Raised when a reader accepts more, or reads otherwise: every file is then read again."""

# What a damaged file raises; JSON errors and Arrow's refusals are ValueErrors.
DAMAGE: tuple[type[Exception], ...] = (
    *(OSError, ValueError, TypeError, KeyError, IndexError, AttributeError),
    *(OverflowError, RecursionError, MemoryError, pa.ArrowException),
)

MAX_PART_ROWS = 8_000_000
"""Rows of one part, which are sorted in memory; parts of real files have a hundredth of that."""

MAX_BENCHMARKS = 200_000
MAX_AXES = 50
MAX_CHARACTERS = 100_000_000
"""Benchmarks of a file, axes of one, and characters of all combinations when written out."""

_NO_BUILD = ("", "")


@dataclass(frozen=True)
class SourceContext:
    """What a source says for all of its files.

    Parameters
    ----------
    run : str
        The measuring run's name; empty for a plain results directory.
    builds : mapping
        For each environment its BLAS identity and hash.
    benchmarks : mapping
        Its own descriptions; they go before those of the project's other sources.
    origin : Origin or None
        For files of another tool: what the user said of them.
    """

    run: str
    builds: Mapping[str, tuple[str, str]]
    benchmarks: Mapping[str, Benchmark]
    origin: Origin | None = None


@dataclass(frozen=True)
class FileToRead:
    """One new or changed file: where it lies, what is known before, and its older rows if any."""

    path: Path
    record: FileRecord
    context: SourceContext
    older: tuple[PartRecord, FileRecord] | None = None
    shown: str = ""


@dataclass(frozen=True)
class PartTask:
    """What makes one part.

    Parameters
    ----------
    files : tuple of FileToRead
        Files that are new or changed.
    kept : tuple of pairs
        Files that are as they were, each with the part that has its rows now.
    benchmarks : mapping
        What the project knows of its benchmarks.
    newest : frozenset of str
        Commits of which all samples stay; quantiles take the place of the others'.
    fast : bool
        Whether to read with compiled code, which takes a second to load.
    """

    store: Path
    project: str
    machine: str
    files: tuple[FileToRead, ...]
    kept: tuple[tuple[PartRecord, FileRecord], ...]
    benchmarks: Mapping[str, Benchmark]
    words: Words
    newest: frozenset[str]
    fast: bool


@dataclass(frozen=True)
class FileRead:
    """What one file said beside its rows."""

    record: FileRecord
    head: Head
    run: str
    build: tuple[str, str]
    """BLAS identity and hash."""
    benchmarks: Mapping[str, Benchmark]
    """Those that the file itself describes."""


@dataclass(frozen=True)
class PartBuilt:
    """What came of a task: the part, what its new files said, and those that were damaged."""

    part: PartRecord
    read: tuple[FileRead, ...]
    damaged: tuple[tuple[FileToRead, str], ...]


class Reader(Protocol):
    """Reads plain files quickly, and says None of the others."""

    def read(self, raw: bytes) -> ResultFile | None:
        """Return a file's rows, or None."""


def build_part(task: PartTask) -> PartBuilt:
    """Read, merge and write one part."""
    reader, columns = _reader(task.fast), PartColumns(task.words)
    kept, records = list(task.kept), []
    read: list[FileRead] = []
    damaged: list[tuple[FileToRead, str]] = []
    room = MAX_PART_ROWS - sum(one.ok + one.failed + one.skipped for _, one in task.kept)
    checked: object = None
    descriptions = _Descriptions(task.benchmarks)
    for file in task.files:
        digest = ""
        try:
            raw = read_bounded(file.path)
            digest = hashlib.sha256(raw).hexdigest()
            result = _parsed(raw, file.context, reader)
            if (result.rows.benchmarks, result.rows.axes) != checked:  # mostly as the file before
                _check_combinations(result.rows, descriptions.of(file))
                checked = (result.rows.benchmarks, result.rows.axes)
            if len(result.rows.value) > room:
                raise ValueError(
                    f"{len(result.rows.value):,} results; its part has room for {room:,}"
                )
        except DAMAGE as error:
            damaged.append((file, one_line(error)))
            if file.older is None:
                records.append(replace(file.record, sha256=digest, damage=one_line(error)))
            else:  # rows that were read before it was damaged stay
                part, known = file.older
                kept.append((part, replace(known, sha256=digest, damage=one_line(error))))
            continue
        about = descriptions.of(file)
        if result.benchmarks:
            about = {**about, **result.benchmarks}
        columns.add_file(_constants(task, file, result.head), result.head, result.rows, about)
        read.append(_said(file, digest, result))
        room -= len(result.rows.value)
    for part, files in _by_part(kept):
        owner = {"project": task.project, "machine": task.machine}
        sources = [known.source for known in files]
        columns.add_part(_older_rows(task.store, part), sources, owner)
    records += [known for _, known in kept] + [file.record for file in read]
    return PartBuilt(_written(task, columns, records), tuple(read), tuple(damaged))


def _older_rows(store: Path, part: PartRecord) -> Part:
    try:
        return read_part(store, part.paths)
    except (OSError, ValueError, pa.ArrowException) as error:
        raise BadResults(
            f"{store / str(part.paths['values'])} can't be read ({one_line(error)}); "
            "collect into a new folder"
        ) from None


class _Descriptions:
    """What is known of the benchmarks of each source: its own descriptions, else the project's."""

    def __init__(self, of_project: Mapping[str, Benchmark]) -> None:
        self._of_project = of_project
        self._joined: dict[int, Mapping[str, Benchmark]] = {}

    def of(self, file: FileToRead) -> Mapping[str, Benchmark]:
        """Return what a file's benchmarks are described by: one mapping for all of a source."""
        own = file.context.benchmarks
        if id(own) not in self._joined:
            self._joined[id(own)] = {**self._of_project, **own}
        return self._joined[id(own)]


def _said(file: FileToRead, digest: str, result: ResultFile) -> FileRead:
    counts = np.bincount(result.rows.status, minlength=len(STATUSES))
    rows = dict(zip(STATUSES, map(int, counts), strict=True))
    return FileRead(
        record=replace(
            file.record,
            sha256=digest,
            ok=rows[OK],
            failed=rows[FAILED],
            skipped=rows[SKIPPED],
        ),
        head=result.head,
        run=file.context.run,
        build=file.context.builds.get(result.head.environment, _NO_BUILD),
        benchmarks=result.benchmarks,
    )


def _reader(fast: bool) -> Reader | None:
    if not fast:
        return None
    from convbench.results.fast_reader import FastReader  # loads Numba

    return FastReader()


def _parsed(raw: bytes, context: SourceContext, reader: Reader | None) -> ResultFile:
    check_objects(raw)
    if context.origin is not None:
        return read_foreign(raw, context.origin)
    quickly = None if reader is None else reader.read(raw)
    return read_exact(raw) if quickly is None else quickly


def _check_combinations(rows: Rows, known: Mapping[str, Benchmark]) -> None:
    """Raise ValueError where combinations would take far more memory than a file's bytes.

    A few bytes of axes are millions of combinations, and each is written out with all its names.
    """
    if len(rows.benchmarks) > MAX_BENCHMARKS:
        raise ValueError(
            f"{len(rows.benchmarks):,} benchmarks; at most {MAX_BENCHMARKS:,} are read"
        )
    axes = max(map(len, rows.axes), default=0)
    if axes > MAX_AXES:
        raise ValueError(f"{axes:,} parameters of one benchmark; at most {MAX_AXES} are read")
    characters = sum(
        _characters(names.param_names if (names := known.get(name)) else (), one, size)
        for name, one, size in zip(rows.benchmarks, rows.axes, rows.sizes, strict=True)
    )
    if characters > MAX_CHARACTERS:
        raise ValueError(
            f"parameter combinations of {characters:,} characters; "
            f"at most {MAX_CHARACTERS:,} are read"
        )


def _characters(names: Sequence[str], axes: Axes, size: int) -> int:
    """Return how long a benchmark's combinations are together, as JSON objects."""
    lengths = [len(name) for name in names[: len(axes)]] + [6] * (len(axes) - len(names))
    return sum(
        size // len(axis) * (sum(map(len, axis)) + (length + 8) * len(axis))
        for axis, length in zip(axes, lengths, strict=True)
        if axis
    )


def _constants(task: PartTask, file: FileToRead, head: Head) -> dict[str, str]:
    """Return what is the same for all rows of a file."""
    identity, sha256 = file.context.builds.get(head.environment, _NO_BUILD)
    words = {
        column: task.words.of_environment(column, head.variables, head.requirements)
        for column in COLUMNS
    }
    return words | {
        "project": task.project,
        "machine": task.machine,
        "environment": head.environment,
        "blas_identity": identity,
        "blas_sha256": sha256,
        "commit": head.commit,
        "run": file.context.run,
        "source": file.record.source,
    }


def _by_part(
    kept: Iterable[tuple[PartRecord, FileRecord]],
) -> Iterator[tuple[PartRecord, list[FileRecord]]]:
    files: dict[str, tuple[PartRecord, list[FileRecord]]] = {}
    for part, file in kept:
        files.setdefault(str(part.paths["values"]), (part, []))[1].append(file)
    for _, found in sorted(files.items()):
        yield found


def _written(task: PartTask, columns: PartColumns, records: list[FileRecord]) -> PartRecord:
    files = [replace(file, reduced=file.commit not in task.newest) for file in records]
    old = [file.source for file in files if file.reduced]
    part = without_samples(columns.finished(), old)
    return PartRecord(
        project=task.project,
        machine=task.machine,
        paths=write_part(task.store, task.project, task.machine, part),
        files=tuple(sorted(files, key=lambda file: (file.date_ms, file.source))),
    )
