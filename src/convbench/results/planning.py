"""What a collection has to do: which files are new or changed, and which parts follow from that."""

import hashlib
import os
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
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
    foreign: Mapping[str, list[str]]
    """Other tools' files among the known ones, by their source."""
    newest: Mapping[str, set[str]]
    """By project the commits of which all samples are kept."""
    hashes: FileHashes
    words: Words
    refuse: Callable[[str, str], None]
    say: Callable[[str], None]


def look_at(
    context: Context, folder: str, stale: Collection[str], looking: Looking, found: Findings
) -> None:
    """Find what is new or changed among the files of one machine of a source.

    Files that are `stale` are read again though their bytes are as they were.
    """
    source, of_files = context.source, context.of_files
    place = (context.project, looking.words.machine(utf8(folder)))
    made_with = context.made_with(looking.words)
    newest = looking.newest.get(context.project, set())
    try:
        files = list(_files(source, folder))
    except OSError as error:
        looking.refuse(source.shows(folder), one_line(error))
        return
    keys = f"{source.key}/{utf8(folder)}/"
    for name, about in files:
        key = _foreign_key(context, looking) if source.foreign else f"{keys}{utf8(name)}"
        known = looking.known.get(key)
        record = None if known is None else known[1]
        if about is None or not is_regular(about):
            what = LINK_OUT if about is None else "no regular file"
            looking.refuse(_shown(source, folder, name), what)
        elif key in found.source_of:
            looking.refuse(_shown(source, folder, name), "another file's name is written the same")
        elif (
            record is not None
            and record.made_with == made_with
            and key not in stale
            and not (record.reduced and record.commit in newest)
            and _has_same_bytes(record, source, folder, name, about, looking)
        ):
            found.unchanged.append(record)
            if record.damage:
                looking.refuse(_shown(source, folder, name), record.damage)
        else:
            path = _path(source, folder, name)
            new = FileRecord(key, "", *_place_in_time(context, path), about.st_size)
            new = replace(new, made_with=made_with)
            shown = _shown(source, folder, name)
            found.to_read[place].append(FileToRead(path, new, of_files, known, shown))
            found.stats[key] = about
            found.source_of[key] = source.key


def _foreign_key(context: Context, looking: Looking) -> str:
    """Name another tool's file in the store: by its path and its commit.

    Such a file is written again for each commit. Bytes that lie in the store belong to the commit
    that was said of them first.
    """
    head = context.source.key + _OF_COMMIT
    wanted = f"{head}{context.foreign.head.commit[:40]}" if context.foreign else head
    for key in looking.foreign.get(context.source.key, ()):
        if looking.known[key][1].sha256 == context.told:
            if key != wanted:
                looking.say(
                    f"{context.source.shows()}: unchanged, of {key.removeprefix(head)[:12]}"
                )
            return key
    return wanted


def _path(source: Source, folder: str, name: str) -> Path:
    return source.path if source.foreign else source.path / folder / name


def _shown(source: Source, folder: str, name: str) -> str:
    return source.shows() if source.foreign else source.shows(folder, name)


def _files(source: Source, folder: str) -> Iterator[tuple[str, os.stat_result | None]]:
    if source.foreign:
        yield source.path.name, source.path.stat()
    else:
        yield from source.result_files(folder)


def _has_same_bytes(
    record: FileRecord,
    source: Source,
    folder: str,
    name: str,
    about: os.stat_result,
    looking: Looking,
) -> bool:
    """Whether a file has the bytes that were read; the file is read only if its stat changed."""
    known = looking.hashes.known(record.source, about)
    if known is None and record.sha256:
        try:
            known = hashlib.sha256(read_bounded(_path(source, folder, name))).hexdigest()
        except DAMAGE:
            return False
        looking.hashes.remember(record.source, about, known)
    return known is not None and known == record.sha256


def _place_in_time(context: Context, path: Path) -> tuple[int, str]:
    """Return date and commit of a file as its text says them; nothing where it doesn't."""
    if context.foreign is not None:
        return context.foreign.head.commit_date_ms, context.foreign.head.commit
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
    newest = newest_by_project(
        ((project, members) for (project, _), members in files.items()), layout.keep_samples
    )
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
    key = source_key(file.source)
    project = layout.sources[key].project if key in layout.sources else part.project
    if _OF_COMMIT in file.source:
        return project, part.machine
    return project, layout.words.machine(file.source.split("/")[-2])


_OF_COMMIT = "//commit/"
"""Between path and commit in the name of another tool's file; no path has it."""


def source_key(file: str) -> str:
    """Return the source of a file: the results directory of a machine's folder, or the file."""
    return file.partition(_OF_COMMIT)[0] if _OF_COMMIT in file else file.rsplit("/", 2)[0]


def foreign_files(known: Known) -> dict[str, list[str]]:
    """Return the names of other tools' files in the store, by their source."""
    found: dict[str, list[str]] = defaultdict(list)
    for key in known:
        if _OF_COMMIT in key:
            found[source_key(key)].append(key)
    return found


def newest_by_project(
    files: Iterable[tuple[str, Iterable[FileRecord]]], count: int
) -> dict[str, set[str]]:
    """Return of each project the commits of which all samples are kept."""
    by_project: dict[str, list[FileRecord]] = defaultdict(list)
    for project, members in files:
        by_project[project] += members
    return {project: newest_commits(members, count) for project, members in by_project.items()}
