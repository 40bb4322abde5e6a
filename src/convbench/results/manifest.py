"""The manifest: what belongs to a store. It is written last, so nothing new counts before it.

Sources are what was read (results directories, other tools' files), with what a source says for all
of its files; parts are where the rows are. Stores of older versions had a part per source and
machine; their manifest is read as one without files, and `collect` makes them anew.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from convbench.errors import BadResults
from convbench.results.partition import PartRecord, checked_paths
from convbench.results.schema import SCHEMA_VERSION
from convbench.results.store import MANIFEST, no_store, write_atomically

KEEP_SAMPLES = 100
"""Commits of a project, the newest ones, of which all samples are kept."""


@dataclass(frozen=True)
class SourceRecord:
    """What the store knows of one source.

    Parameters
    ----------
    project, run : str
        Whose results they are; the run is empty for results of no measuring run.
    described : str
        Hash of its ``benchmarks.json``.
    labels : str
        Hash of the descriptions that all of its rows were labelled by; empty where some may not be.
    machines : mapping
        What it says of each machine's processor.
    """

    project: str
    run: str
    described: str
    labels: str
    machines: Mapping[str, Mapping[str, list[str]]]


@dataclass(frozen=True)
class Manifest:
    """What belongs to a store.

    Parameters
    ----------
    schema_version : int
        Version of the schema of its parts.
    keep_samples : int
        Of how many commits, the newest, all samples are kept.
    sources : mapping
        By the source's path relative to the store.
    parts : tuple of PartRecord
        Ordered by project, machine and date.
    combined : bool
        Whether other stores were combined into it; its files are then named as in those stores.
    """

    schema_version: int = SCHEMA_VERSION
    keep_samples: int = KEEP_SAMPLES
    sources: Mapping[str, SourceRecord] = field(default_factory=dict)
    parts: tuple[PartRecord, ...] = ()
    combined: bool = False

    @property
    def paths(self) -> set[str]:
        """Every file of every part."""
        return {path for part in self.parts for path in part.paths.values() if path}


def read_manifest(store: Path) -> Manifest:
    """Read what belongs to a store; raise `BadResults` if it is none that can be read."""
    path = store / MANIFEST
    try:
        data = json.loads(path.read_bytes())
        version = data["schema_version"]
        if not isinstance(version, int) or version > SCHEMA_VERSION:
            raise BadResults(
                f"{store} has schema version {version}, this convbench reads up to "
                f"{SCHEMA_VERSION}; use a newer convbench or collect into a new folder"
            )
        return _older(data) if version < 3 else _parsed(data)
    except FileNotFoundError:
        raise no_store(store) from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BadResults(f"{path} can't be read ({error}); collect into a new folder") from None


def _parsed(data: Mapping[str, Any]) -> Manifest:
    sources = {key: _source(entry) for key, entry in data["sources"].items()}
    if type(data["keep_samples"]) is not int:
        raise ValueError("keep_samples is no number")
    return Manifest(
        keep_samples=data["keep_samples"],
        sources=sources,
        parts=tuple(map(PartRecord.from_entry, data["parts"])),
        combined=data.get("combined", False),
    )


def _source(entry: Mapping[str, Any]) -> SourceRecord:
    record = SourceRecord(**entry)
    texts = (record.project, record.run, record.described, record.labels)
    if not (all(isinstance(text, str) for text in texts) and _are_statements(record.machines)):
        raise ValueError("a source with words of another kind")
    return record


def _are_statements(machines: object) -> bool:
    """Whether these are processors by machine and by who says it: a model and a number, as text."""
    return isinstance(machines, dict) and all(
        isinstance(said, dict)
        and said.keys() <= {"host", "asv"}
        and all(
            isinstance(one, list) and len(one) <= 2 and all(isinstance(text, str) for text in one)
            for one in said.values()
        )
        for said in machines.values()
    )


def _older(data: Mapping[str, Any]) -> Manifest:
    """Read a manifest of version 1 or 2, in which parts belong to sources."""
    sources, parts = {}, []
    for key, entry in sorted(data["sources"].items()):
        machines = {}
        for machine, part in sorted(entry["machines"].items()):
            machines[machine] = part.get("processor", {})
            paths = checked_paths({"values": part["values"], "samples": part.get("samples")})
            parts.append(PartRecord(part["project"], machine, paths, (), key))
        sources[key] = SourceRecord(entry["project"], entry["run"], "", "", machines)
    return Manifest(schema_version=data["schema_version"], sources=sources, parts=tuple(parts))


def write_manifest(store: Path, manifest: Manifest) -> None:
    """Publish what was collected; nothing new is part of the store before this."""
    sources = {
        key: {
            "project": source.project,
            "run": source.run,
            "described": source.described,
            "labels": source.labels,
            "machines": dict(source.machines),
        }
        for key, source in manifest.sources.items()
    }
    data = {
        "schema_version": manifest.schema_version,
        "keep_samples": manifest.keep_samples,
        "sources": sources,
        "parts": [part.as_entry() for part in manifest.parts],
        **({"combined": True} if manifest.combined else {}),
    }
    content = f"{json.dumps(data, sort_keys=True, separators=(',', ':'))}\n".encode()
    if not (store / MANIFEST).exists() or (store / MANIFEST).read_bytes() != content:
        write_atomically(store / MANIFEST, content)


def with_parts(manifest: Manifest, parts: list[PartRecord]) -> Manifest:
    """Return a manifest with other parts, in their order."""
    ordered = sorted(
        parts,
        key=lambda part: (part.project, part.machine, part.files[0].date_ms, part.files[0].source),
    )
    return replace(manifest, parts=tuple(ordered))
