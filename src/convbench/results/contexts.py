"""What a source says for all of its files: facts, descriptions, machines."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from convbench.results.adapters import Origin, read_foreign
from convbench.results.descriptions import MACHINE_FACTS, parse_benchmarks, parse_machine
from convbench.results.facts import Facts, parse_facts, tables_of
from convbench.results.file_hashes import FileHashes
from convbench.results.part_building import DAMAGE, READERS, SourceContext
from convbench.results.processors import Statement
from convbench.results.raw_files import check_objects, one_line, read_bounded
from convbench.results.result_file import Benchmark, ResultFile, utf8
from convbench.results.schema import COUNT, KEYS, SCHEMAS
from convbench.results.sources import (
    BENCHMARKS,
    FACTS,
    LINK_OUT,
    MACHINE,
    Source,
    project_name,
)
from convbench.results.words import Words

Refuse = Callable[[str, str], None]
"""Takes what was damaged, as the user would write it, and why."""


@dataclass(frozen=True)
class Context:
    """One source with all that it says beside its result files.

    Parameters
    ----------
    described, told : str
        Hashes of its ``benchmarks.json`` and ``facts.json``, empty where there is none; of another
        tool's file, `told` is its own.
    benchmarks : mapping
        What the source itself describes.
    machine_files : mapping
        asv's facts of each machine, by the folder's name.
    foreign : ResultFile or None
        The whole file, when the source is one of another tool.
    """

    source: Source
    project: str
    facts: Facts | None
    described: str
    told: str
    benchmarks: Mapping[str, Benchmark]
    machine_files: Mapping[str, Mapping[str, str]]
    origin: Origin | None = None
    foreign: ResultFile | None = None

    @property
    def run(self) -> str:
        """The measuring run's name; empty for results of none."""
        return "" if self.facts is None else utf8(self.facts.run)

    def statement(self, folder: str) -> Statement:
        """Return what the source says of a machine's processor."""
        host = self.facts.host if self.facts and self.facts.machine == folder else {}
        return Statement.of(host, self.machine_files[folder])

    @property
    def of_files(self) -> SourceContext:
        """What its files are read with."""
        environments = () if self.facts is None else self.facts.environments
        builds = {
            name: (self.facts.identity(name), self.facts.blas_sha256(name))
            for name in environments
            if self.facts is not None
        }
        return SourceContext(self.run, builds, self.benchmarks, self.origin)

    def made_with(self, words: Words) -> str:
        """Hash what gives a file's rows their texts, besides its bytes and descriptions."""
        told = "" if self.source.foreign else self.told
        parts = (READERS, words.digest, self.project, self.run, told)
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def read_context(
    source: Source, project: str | None, origin: Origin, hashes: FileHashes, refuse: Refuse
) -> Context | None:
    """Read what a source says; None where that is damaged so that its rows would be other ones."""
    if source.foreign:
        return _of_foreign(source, project, origin, refuse)
    try:
        facts_hash, facts = _facts(source, hashes)
    except DAMAGE as error:
        # Rows without their run and BLAS identity would be other points: better none.
        refuse(source.shows(FACTS), one_line(error))
        return None
    digest = ""
    benchmarks: dict[str, Benchmark] = {}
    try:
        digest, benchmarks = _benchmarks(source, hashes)
    except FileNotFoundError:
        pass
    except DAMAGE as error:
        refuse(source.shows(BENCHMARKS), one_line(error))
    name = utf8(facts.project if facts else project or project_name(source))
    files = _machine_files(source, refuse)
    return Context(source, name, facts, digest, facts_hash, benchmarks, files)


def _of_foreign(
    source: Source, project: str | None, origin: Origin, refuse: Refuse
) -> Context | None:
    try:
        raw = read_bounded(source.path)
        check_objects(raw)
        file = read_foreign(raw, origin)
    except DAMAGE as error:
        refuse(source.shows(), one_line(error))
        return None
    said = {file.head.machine: {key: file.head.facts.get(key, "") for key in MACHINE_FACTS}}
    name = utf8(project or project_name(source))
    told = hashlib.sha256(raw).hexdigest()
    return Context(source, name, None, "", told, file.benchmarks, said, origin, file)


def _benchmarks(source: Source, hashes: FileHashes) -> tuple[str, dict[str, Benchmark]]:
    path = source.file(BENCHMARKS)
    digest, raw = hashes.look(path, f"{source.key}/{BENCHMARKS}")
    return digest, parse_benchmarks(raw or read_bounded(path))


def _facts(source: Source, hashes: FileHashes) -> tuple[str, Facts | None]:
    path = source.file(FACTS)
    if not path.exists():
        return "", None
    digest, raw = hashes.look(path, f"{source.key}/{FACTS}")
    facts = parse_facts(raw or read_bounded(path))
    for name, rows in tables_of(facts).items():  # damage must show before anything is read
        _check(name, rows)
    return digest, facts


def _check(name: str, rows: list[dict[str, Any]]) -> None:
    """Raise what Arrow or we have against rows of a small table."""
    pa.Table.from_pylist(rows, SCHEMAS[name])
    if any(row[column] is None for row in rows for column in KEYS[name]):
        raise ValueError(f"null in {' or '.join(KEYS[name])} of {name}")
    counts = [field.name for field in SCHEMAS[name] if field.type == COUNT]
    cut = {c for row in rows for c in counts if row.get(c) is not None and row[c] != int(row[c])}
    if cut:  # Arrow would drop what is behind the point
        raise ValueError(f"no whole number in {', '.join(sorted(cut))} of {name}")


def _machine_files(source: Source, refuse: Refuse) -> dict[str, dict[str, str]]:
    """Read what ``machine.json`` says of each machine; one without it has its name alone."""
    for link in source.links_out:
        refuse(source.shows(link), LINK_OUT)
    files = {}
    for machine in source.machines:
        files[machine] = parse_machine(b"{}")
        try:
            files[machine] = parse_machine(read_bounded(source.file(machine, MACHINE)))
        except FileNotFoundError:
            pass
        except DAMAGE as error:
            refuse(source.shows(machine, MACHINE), one_line(error))
    return files
