"""Raw files as they lie there, read within bounds: results may come from anybody's fork.

Only regular files are read, none that a link outside of its results directory names, and none that
would take more memory than any real collection needs.
"""

import json
import os
import stat
from pathlib import Path
from typing import Any

MAX_BYTES = 128_000_000
"""The largest file that is read; with all samples, asv's own have a few tens of megabytes."""

MAX_OBJECTS = 4_000_000
MAX_ITEMS = 24_000_000
"""Lists, objects and texts of one JSON document, and items in them: a gigabyte in Python."""


def read_bounded(path: Path) -> bytes:
    """Read a file; raise ValueError when it is none that can be, OSError when it can't be read."""
    # A named pipe without a writer must not block.
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as file:
        about = os.fstat(file.fileno())
        if not stat.S_ISREG(about.st_mode):
            raise ValueError("no regular file")
        # One byte more than it should have tells whether it grew meanwhile.
        raw = b"" if about.st_size > MAX_BYTES else file.read(about.st_size + 1)
        if len(raw) > about.st_size:
            raw += file.read(MAX_BYTES + 1 - len(raw))
    if max(about.st_size, len(raw)) > MAX_BYTES:
        size = max(about.st_size, len(raw))
        raise ValueError(f"{size:,} bytes; files of at most {MAX_BYTES:,} are read")
    return raw


def loads_bounded(raw: bytes) -> Any:
    """Parse JSON; raise ValueError when it is none, or would become too many Python objects."""
    check_objects(raw)
    return json.loads(raw)


def check_objects(raw: bytes) -> None:
    """Raise ValueError when JSON would become too many Python objects, without parsing it."""
    if len(raw) <= MAX_OBJECTS:  # each takes a byte
        return
    # A key costs its object as much as a list of its own would.
    objects = raw.count(b"[") + raw.count(b"{") + raw.count(b'"') // 2
    items = raw.count(b",")
    if objects > MAX_OBJECTS or items > MAX_ITEMS:
        raise ValueError(
            f"JSON of {objects:,} lists, objects and texts and {items:,} items; "
            f"at most {MAX_OBJECTS:,} and {MAX_ITEMS:,} are read"
        )


def one_line(error: BaseException) -> str:
    """Say in one short line what was wrong with a file."""
    if isinstance(error, json.JSONDecodeError):
        return f"no complete JSON ({error.msg} at byte {error.pos})"
    if isinstance(error, UnicodeDecodeError):
        return "no text"
    if isinstance(error, KeyError):
        return f"{str(error.args[0])[:80]!r} is missing"
    if isinstance(error, RecursionError):
        return "JSON of too many levels"
    if isinstance(error, OSError):
        return error.strerror or "can't be read"
    if "integer string conversion" in str(error):  # Python's advice would be no user's
        return "a whole number of thousands of digits"
    text = printable(" ".join(str(error)[:1000].split())) or type(error).__name__
    return text if len(text) <= 300 else f"{text[:300]}…"


def printable(text: str) -> str:
    """Escape what a terminal would act on: names come from anybody's files.

    Control characters may move the cursor or set the window's title, and marks of writing from
    right to left turn a line around.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
