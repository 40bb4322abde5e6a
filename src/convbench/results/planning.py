"""What a collection has to do: which files are new or changed, and which parts follow from that."""

import hashlib
import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from convbench.results.contexts import Context
from convbench.results.file_hashes import FileHashes
from convbench.results.manifest import SourceRecord
from convbench.results.part_building import DAMAGE, FileToRead, PartTask
from convbench.results.partition import (
    PEEKED_BYTES,
    FileRecord,
    PartRecord,
    newest_commits,
    peek,
    shared_out,
)
from convbench.results.raw_files import one_line, read_bounded
from convbench.results.result_file import Benchmark, utf8
from convbench.results.sources import LINK_OUT, Source, is_regular
from convbench.results.words import Words

Place = tuple[str, str]
"""Project and machine: what makes a partition."""

FAST_FROM_BYTES = 16_000_000
"""From here on compiled reading gains more than loading it costs."""


@dataclass
class Findings:
    """What was found of the given sources: files to read, and files as they were."""

    to_read: dict[Place, list[FileToRead]] = field(default_factory=lambda: defaultdict(list))
    unchanged: list[FileRecord] = field(default_factory=list)
    stats: dict[str, os.stat_result] = field(default_factory=dict)
    source_of: dict[str, str] = field(default_factory=dict)
    """The source of each file to read."""


Known = Mapping[str, tuple[PartRecord, FileRecord]]
"""Where the store has the rows of each file."""


def known_files(parts: Iterable[PartRecord]) -> Known:
    """Return every file of some parts with the part that has its rows."""
    return {file.source: (part, file) for part in parts for file in part.files}


@dataclass(frozen=True)
class Looking:
    """What files are compared with."""

    known: Known
    hashes: FileHashes
    words: Words
    same_readers: bool
    refuse: Callable[[str, str], None]


def look_at(context: Context, folder: str, same: bool, looking: Looking, found: Findings) -> None:
    """Find what is new or changed among the files of one machine of a source.

    `same` says that nothing changed which gives unchanged files other rows.
    """
    source = context.source
    place = (context.project, looking.words.machine(utf8(folder)))
    try:
        files = list(_files(source, folder))
    except OSError as error:
        looking.refuse(source.shows(folder), one_line(error))
        return
    keys = "" if source.foreign else f"{source.key}/{utf8(folder)}/"
    for name, about in files:
        key = f"{keys}{utf8(name)}" if keys else source.key
        known = looking.known.get(key)
        regular = about is not None and is_regular(about)
        # Most files are as they were: only of the others paths and names are made.
        if known and same and regular and _is_as_it_was(known[1], key, about, looking):
            found.unchanged.append(known[1])
            if known[1].damage:
                looking.refuse(_shown(source, folder, name), known[1].damage)
            continue
        shown = _shown(source, folder, name)
        if about is None or not regular:
            looking.refuse(shown, LINK_OUT if about is None else "no regular file")
            continue
        path = source.path if source.foreign else source.path / folder / name
        if known and same and _has_same_bytes(known[1], path, looking):
            looking.hashes.remember(key, about, known[1].sha256)
            found.unchanged.append(known[1])
            if known[1].damage:
                looking.refuse(shown, known[1].damage)
            continue
        date, commit = _peek(path)
        record = FileRecord(key, "", date, commit, about.st_size)
        found.to_read[place].append(FileToRead(path, record, context.of_files, known, shown))
        found.stats[key] = about
        found.source_of[key] = source.key


def _shown(source: Source, folder: str, name: str) -> str:
    return source.shows() if source.foreign else source.shows(folder, name)


def _files(source: Source, folder: str) -> Iterator[tuple[str, os.stat_result | None]]:
    if source.foreign:
        yield source.path.name, source.path.stat()
    else:
        yield from source.result_files(folder)


def _stands(record: FileRecord, looking: Looking) -> bool:
    """Whether what a file's bytes gave would be given by them again."""
    return bool(record.sha256) and (not record.damage or looking.same_readers)


def _is_as_it_was(
    record: FileRecord, key: str, about: os.stat_result | None, looking: Looking
) -> bool:
    """Whether a file's stat tells that its bytes are those that were read."""
    if about is None or not _stands(record, looking):
        return False
    return looking.hashes.known(key, about) == record.sha256


def _has_same_bytes(record: FileRecord, path: Path, looking: Looking) -> bool:
    """Whether a file that was touched has the bytes that were read."""
    if not _stands(record, looking):
        return False
    try:
        return hashlib.sha256(read_bounded(path)).hexdigest() == record.sha256
    except DAMAGE:
        return False


def _peek(path: Path) -> tuple[int, str]:
    """Return date and commit of a file as its text says them; nothing where it doesn't."""
    try:
        with path.open("rb") as file:
            found = peek(file.read(PEEKED_BYTES))
        return found or peek(read_bounded(path)) or (0, "")
    except DAMAGE:
        return 0, ""


@dataclass(frozen=True)
class Layout:
    """Who owns which file, and what its rows are made with.

    Parameters
    ----------
    sources : mapping
        Records of all sources; a source that got another project takes its older files along.
    benchmarks : mapping
        What is known of the benchmarks of each project.
    keep_samples : int
        Of how many commits, the newest, all samples are kept.
    """

    store: Path
    sources: Mapping[str, SourceRecord]
    benchmarks: Mapping[str, Mapping[str, Benchmark]]
    words: Words
    keep_samples: int


def part_tasks(
    parts: Iterable[PartRecord], found: Findings, layout: Layout
) -> tuple[list[PartRecord], list[PartTask]]:
    """Share out the files of every partition anew.

    Returns
    -------
    kept : list of PartRecord
        Parts that stay as they are.
    tasks : list of PartTask
        What makes the others.
    """
    files = _files_of_partitions(parts, found, layout)
    newest = _newest(files, layout.keep_samples)
    known = known_files(parts)
    old_parts = {(part.project, part.machine, part.files): part for part in parts}
    reading = {file.record.source: file for files in found.to_read.values() for file in files}
    fast = sum(file.record.size_bytes for file in reading.values()) >= FAST_FROM_BYTES
    kept, tasks = [], []
    for (project, machine), members in sorted(files.items()):
        for chunk in shared_out(members):
            old = old_parts.get((project, machine, tuple(chunk)))
            if old is not None and (stands := _with_samples_as_wanted(old, newest[project])):
                kept.append(stands)
                continue
            tasks.append(
                PartTask(
                    store=layout.store,
                    project=project,
                    machine=machine,
                    files=tuple(reading[f.source] for f in chunk if f.source in reading),
                    kept=tuple(known[f.source] for f in chunk if f.source not in reading),
                    benchmarks=layout.benchmarks.get(project, {}),
                    words=layout.words,
                    newest=frozenset(file.commit for file in chunk) & newest[project],
                    fast=fast,
                )
            )
    return kept, tasks


def _with_samples_as_wanted(part: PartRecord, newest: set[str]) -> PartRecord | None:
    """Return a part whose samples need no reducing; reduced ones stay so until read again."""
    if all(file.reduced or file.commit in newest for file in part.files):
        return part
    if part.paths["samples"]:
        return None
    files = [
        file if file.reduced or file.commit in newest else replace(file, reduced=True)
        for file in part.files
    ]
    return replace(part, files=tuple(files))


def _files_of_partitions(
    parts: Iterable[PartRecord], found: Findings, layout: Layout
) -> dict[Place, list[FileRecord]]:
    partitions: dict[Place, list[FileRecord]] = defaultdict(list)
    for part in parts:
        for file in part.files:
            if file.source not in found.source_of:
                partitions[_owner(file, part, layout)].append(file)
    for place, files in found.to_read.items():
        partitions[place] += [file.record for file in files]
    return partitions


def _owner(file: FileRecord, part: PartRecord, layout: Layout) -> Place:
    """Return the partition of a file that is not read now."""
    if file.source in layout.sources:  # of another tool
        return layout.sources[file.source].project, part.machine
    key = source_key(file.source)
    project = layout.sources[key].project if key in layout.sources else part.project
    return project, layout.words.machine(file.source.split("/")[-2])


def source_key(file: str) -> str:
    """Return the source of a file in a machine's folder."""
    return file.rsplit("/", 2)[0]


def _newest(files: Mapping[Place, list[FileRecord]], count: int) -> dict[str, set[str]]:
    by_project: dict[str, list[FileRecord]] = defaultdict(list)
    for (project, _), members in files.items():
        by_project[project] += members
    return {project: newest_commits(members, count) for project, members in by_project.items()}
