"""Hashes of raw files, without reading those whose stat is as it was.

The cache is a file of its own beside the manifest: times of files are no part of the store's
content. Losing it costs reading every file once more, nothing else.
"""

import hashlib
import json
from pathlib import Path

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

    def look(self, path: Path, name: str) -> tuple[str, bytes | None]:
        """Return a file's hash, and its bytes if they had to be read."""
        stat = path.stat()
        # Change time and inode see what a rewrite within one tick of the clock would hide.
        now = [stat.st_mtime_ns, stat.st_ctime_ns, stat.st_size, stat.st_ino]
        known = self._known.get(name)
        if isinstance(known, list) and known[:-1] == now:
            return str(known[-1]), None
        raw = path.read_bytes()
        digest = hashlib.sha256(raw).hexdigest()
        self._known[name] = [*now, digest]
        self._changed = True
        return digest, raw

    def write(self) -> None:
        """Keep what was learnt for the next collection."""
        if self._changed:
            write_atomically(self._path, json.dumps(self._known).encode())
