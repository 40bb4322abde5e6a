"""Shards: the stores, one of each machine, that a collection by partitions is made of.

A shard must be collected again when anything changed that its rows come from. Times of change alone
don't say so: files that are copied from another machine keep theirs, and are then older than the
shard that lacks them. So a shard has a state, a text that is another one after any change.
"""

import hashlib
import json
import os
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote, unquote

from convbench.results.part_building import READERS
from convbench.results.result_file import utf8
from convbench.results.schema import SCHEMA_VERSION
from convbench.results.sources import BENCHMARKS, FACTS, MACHINE, directories, find_sources
from convbench.results.words import Words


def shard_name(machine: str) -> str:
    """Spell a machine's name so that any file system, shell and scheduler takes it.

    Other characters than letters, digits and ``_.-~`` are written as in quoted-printable text:
    ``big box`` becomes ``big=20box``.
    """
    return quote(machine, safe="").replace("%", "=")


def machine_of(shard: str) -> str:
    """Return the machine that `shard_name` spelled."""
    return unquote(shard.replace("=", "%"))


def shard_states(
    paths: Iterable[Path | str], words: Words, project: str | None = None
) -> dict[str, str]:
    """Return the shards of asv results directories, each with its state.

    Parameters
    ----------
    paths : iterable of path
        asv results directories, or folders that hold some.
    words : Words
        Gives renamed machines their names.
    project : str, optional
        Name of the project, where no ``facts.json`` says it.

    Returns
    -------
    dict
        By shard: a hash of name, times and size of every file that is read for it, and of all else
        that its rows depend on.
    """
    seen: dict[str, list[object]] = defaultdict(list)
    for source in directories(find_sources(paths, Path())):
        shared = [utf8(source.path), *(_times(source.path / name) for name in (BENCHMARKS, FACTS))]
        for folder in source.machines:
            files = {name: about and _of(about) for name, about in source.result_files(folder)}
            about_machine = _times(source.path / folder / MACHINE)
            seen[words.machine(utf8(folder))] += [*shared, utf8(folder), about_machine, files]
    ways = [project, words.digest, READERS, SCHEMA_VERSION]
    return {shard_name(name): _digest([ways, found]) for name, found in sorted(seen.items())}


def _times(path: Path) -> list[int] | None:
    return _of(path.stat()) if path.exists() else None


def _of(about: os.stat_result) -> list[int]:
    # The time of the last change of the file's entry sees a copy that kept the older time.
    return [about.st_mtime_ns, about.st_ctime_ns, about.st_size]


def _digest(seen: object) -> str:
    return hashlib.sha256(json.dumps(seen).encode()).hexdigest()[:16]
