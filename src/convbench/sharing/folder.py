"""A folder as a place: a network share, a mounted disk, a folder of one machine.

A bundle is written beside its place under a hidden name, and renamed: a reader sees it whole or not
at all. Of two that push the same content one finds it there already.
"""

import contextlib
import errno
import os
import shutil
import stat
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from convbench.errors import BadUsage
from convbench.sharing.bundles import MANIFEST, BadBundle, Bundle, is_bundle_name
from convbench.sharing.places import KNOWN, unusable

UNFINISHED = ".incoming-"
"""Prefix of folders that are being written."""

BATCH = 32
"""Bundles that are written down to the disk together: one at a time takes milliseconds a file."""

_LEFT_BEHIND_SECONDS = 24 * 3600
"""Age from which an unfinished folder is that of a process which died."""


@dataclass(frozen=True)
class FolderPlace:
    """Bundles as folders of a folder."""

    path: Path
    shown: str
    readers: int = 1

    @classmethod
    def of(cls, text: str) -> "FolderPlace":
        """Open a folder; it is made by the first push, but never the one that it lies in."""
        if "://" in text:
            raise BadUsage(f"--place {text.split('://')[0]}://…: no such kind; a place is {KNOWN}")
        path = Path(text).expanduser()
        if path.exists() and not path.is_dir():
            raise BadUsage(f"--place {text} is a file; expected a folder")
        if not path.absolute().parent.is_dir():
            # A share that is not mounted must not be mistaken for an empty one.
            raise unusable(
                text, "reached", f"{path.absolute().parent} is no folder; is it mounted?"
            )
        return cls(path, text)

    def names(self) -> set[str]:
        """Name the folders that have a manifest."""
        try:
            with os.scandir(self.path) as entries:
                named = [e.name for e in entries if is_bundle_name(e.name) and not e.is_symlink()]
            return {name for name in named if (self.path / name / MANIFEST).is_file()}
        except FileNotFoundError:
            return set()
        except OSError as error:
            raise unusable(self.shown, "read", error.strerror or str(error)) from None

    def read(self, bundle: str, path: str, limit: int) -> bytes:
        """Read a file of a bundle; links are not followed."""
        file = self.path / bundle / path
        try:
            if file.parent.is_symlink():
                raise BadBundle(f"{path}: a link")
            # A named pipe without a writer must not block.
            handle = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
            with os.fdopen(handle, "rb") as opened:
                if not stat.S_ISREG(os.fstat(handle).st_mode):
                    raise BadBundle(f"{path}: no regular file")
                raw = opened.read(limit + 1)
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.ENOTDIR):
                raise BadBundle(f"{path}: it is not there") from None
            if error.errno == errno.ELOOP:
                raise BadBundle(f"{path}: a link") from None
            raise unusable(self.shown, "read", f"{bundle}/{path}: {error.strerror}") from None
        if len(raw) > limit:
            raise BadBundle(f"{path}: more than {limit:,} bytes")
        return raw

    def add(self, bundles: Sequence[Bundle]) -> None:
        """Write bundles beside their places, and rename them."""
        try:
            self.path.mkdir(exist_ok=True)
            sweep(self.path)
            for start in range(0, len(bundles), BATCH):
                self._add(bundles[start : start + BATCH])
        except OSError as error:
            raise unusable(self.shown, "written", error.strerror or str(error)) from None

    def _add(self, bundles: Sequence[Bundle]) -> None:
        with unfinished(self.path) as incoming:
            for bundle in bundles:
                for path in bundle.manifest.files:
                    write_new(incoming / bundle.name / path, bundle.read(path))
                write_new(incoming / bundle.name / MANIFEST, bundle.manifest.to_bytes())
            os.sync()
            for bundle in bundles:
                target = self.path / bundle.name
                if not publish(incoming / bundle.name, target) and not (target / MANIFEST).exists():
                    why = f"{bundle.name} is there without {MANIFEST}; remove it"
                    raise unusable(self.shown, "written", why)


@contextlib.contextmanager
def unfinished(parent: Path) -> Iterator[Path]:
    """Give a new hidden folder, which is gone afterwards unless it was renamed."""
    folder = parent / f"{UNFINISHED}{uuid.uuid4().hex}"
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def sweep(parent: Path) -> None:
    """Remove what processes left behind that died a day ago or earlier."""
    for folder in parent.glob(f"{UNFINISHED}*"):
        with contextlib.suppress(OSError):
            if time.time() - folder.stat().st_mtime > _LEFT_BEHIND_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)


def write_new(path: Path, content: bytes) -> None:
    """Write a new file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("xb") as file:
        file.write(content)


def publish(folder: Path, target: Path) -> bool:
    """Give a whole folder its name; return False when that is taken."""
    try:
        folder.rename(target)
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
            return False
        raise
    return True
