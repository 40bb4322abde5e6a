"""Hashes of raw files, without reading those whose stat is as it was.

The cache is a file of its own beside the manifest: times of files are no part of the store's
content. Losing it costs reading every file once more, nothing else.
"""

import hashlib
import json
import os
from pathlib import Path

from convbench.results.raw_files import read_bounded
from convbench.results.store import STAT_CACHE, write_atomically


class FileHashes:
    """SHA-256 of files by a name that stays the same from one collection to the next."""

    def __init__(self, store: Path) -> None:
        self._path = store / STAT_CACHE
        try:
            self._known: dict[str, list[object]] = dict(json.loads(self._path.read_bytes()))
        except (OSError, ValueError, TypeError):
            self._known = {}
        self._changed = False

    def known(self, name: str, about: os.stat_result) -> str | None:
        """Return the hash of a file whose stat is as it was."""
        known = self._known.get(name)
        return str(known[-1]) if isinstance(known, list) and known[:-1] == _times(about) else None

    def remember(self, name: str, about: os.stat_result, sha256: str) -> None:
        """Keep the hash of what was read after `about` was taken."""
        self._known[name] = [*_times(about), sha256]
        self._changed = True

    def look(self, path: Path, name: str) -> tuple[str, bytes | None]:
        """Return a file's hash, and its bytes if they had to be read."""
        about = path.stat()
        if (known := self.known(name, about)) is not None:
            return known, None
        raw = read_bounded(path)
        digest = hashlib.sha256(raw).hexdigest()
        self.remember(name, about, digest)
        return digest, raw

    def write(self) -> None:
        """Keep what was learnt for the next collection."""
        if self._changed:
            write_atomically(self._path, json.dumps(self._known, separators=(",", ":")).encode())


def _times(about: os.stat_result) -> list[object]:
    # Change time and inode see what a rewrite within one tick of the clock would hide.
    return [about.st_mtime_ns, about.st_ctime_ns, about.st_size, about.st_ino]
