"""Runs and bundles in a folder here, by the digests of their contents.

Hashing a thousand runs takes seconds, so digests are kept in a file beside them. Published runs
never change: the time of a folder says whether it is the one that was hashed. Losing that file
costs hashing once more, nothing else.
"""

import contextlib
import json
import os
from collections.abc import Mapping
from pathlib import Path

from convbench.results.raw_files import loads_bounded, read_bounded
from convbench.results.sources import FACTS
from convbench.results.store import write_atomically
from convbench.sharing.bundles import MANIFEST, BadBundle, Content, check_paths, digest

INDEX = ".bundles.json"


def is_immutable(folder: Path) -> bool:
    """Whether a folder is a published run or a pulled bundle, and no directory that grows."""
    return (folder / FACTS).is_file() or (folder / MANIFEST).is_file()


def files_of(folder: Path) -> dict[str, Content]:
    """Describe the files of a run: those in it, and those in its machines' folders.

    Raises
    ------
    BadBundle
        There are too many, or one has a name that can't be shared.
    """
    with os.scandir(folder) as entries:
        within = [entry for entry in entries if _is_shared(entry)]
    paths = [entry.name for entry in within if entry.is_file(follow_symlinks=False)]
    for below in (entry for entry in within if entry.is_dir(follow_symlinks=False)):
        with os.scandir(below) as entries:
            files = [e for e in entries if _is_shared(e) and e.is_file(follow_symlinks=False)]
        paths += [f"{below.name}/{entry.name}" for entry in files]
    try:
        found = {path: Content.of(read_bounded(folder / path)) for path in sorted(paths)}
    except ValueError as error:
        raise BadBundle(str(error)) from None
    check_paths(found)
    return found


def _is_shared(entry: os.DirEntry[str]) -> bool:
    return entry.name[0] != "." and entry.name != MANIFEST


def digests(folder: Path) -> dict[str, str]:
    """Return the digest of each run and bundle in a folder, by the name of its folder."""
    known = _read_index(folder)
    found: dict[str, list[object]] = {}
    with os.scandir(folder) as entries:
        below = sorted((e for e in entries if e.name[0] != "."), key=lambda entry: entry.name)
    for entry in below:
        path = Path(entry.path)
        if not entry.is_dir(follow_symlinks=False) or not is_immutable(path):
            continue
        changed = path.stat().st_mtime_ns
        kept = known.get(entry.name)
        if isinstance(kept, list) and len(kept) == 2 and kept[0] == changed:
            found[entry.name] = kept
            continue
        with contextlib.suppress(BadBundle, OSError):
            found[entry.name] = [changed, digest(files_of(path))]
    if found != known:
        with contextlib.suppress(OSError):  # a folder that can't be written is hashed each time
            write_atomically(folder / INDEX, json.dumps(found, indent=0).encode())
    return {name: str(kept[1]) for name, kept in found.items()}


def _read_index(folder: Path) -> Mapping[str, object]:
    try:
        known = loads_bounded(read_bounded(folder / INDEX))
    except (OSError, ValueError, RecursionError):
        return {}
    return known if isinstance(known, dict) else {}
