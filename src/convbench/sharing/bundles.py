"""A bundle: files of results under a name that their content makes, so that none has two contents.

    <label>-<16 digits>/manifest.json        what belongs to it, written last
    <label>-<16 digits>/benchmarks.json, facts.json, asv.log, <machine>/<file>.json

The digits are those of the hash of all paths, sizes and hashes: two machines that push at once
never mean different things by one name. Whoever can push can lie, so that a manifest is read as
hostile input: it decides names of files here.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from convbench.results.raw_files import MAX_BYTES, loads_bounded, read_bounded
from convbench.results.sources import MANIFEST as MANIFEST

FORMAT = 1

RUN, RESULTS = "run", "results"
"""Kinds: a whole measuring run, or files of an asv results directory that grows."""

MAX_FILES = 10_000
MAX_BUNDLE_BYTES = 2_000_000_000
MAX_MANIFEST_BYTES = 8_000_000

_DIGITS = 16
_BUNDLE = re.compile(rf"[A-Za-z0-9_][A-Za-z0-9_.+-]{{0,100}}-[0-9a-f]{{{_DIGITS}}}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


class BadBundle(ValueError):
    """A bundle that is damaged or made to do harm; it is passed over."""


class Changed(Exception):
    """A file is no longer what the manifest says: something writes it at this moment."""


@dataclass(frozen=True, slots=True)
class Content:
    """What a file of a bundle must be."""

    sha256: str
    size: int

    @classmethod
    def of(cls, raw: bytes) -> "Content":
        """Describe bytes."""
        return cls(hashlib.sha256(raw).hexdigest(), len(raw))


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What belongs to a bundle, and where it came from.

    Attributes
    ----------
    kind, name : str
        What it is, and what a run's folder was called.
    project : str
        The project of results that don't say it themselves.
    pushed_at, pushed_by : str
        When (UTC), and the name of the host.
    files : mapping
        Contents by path.
    """

    kind: str
    name: str
    project: str
    pushed_at: str
    pushed_by: str
    files: Mapping[str, Content]

    @property
    def digest(self) -> str:
        """The hash of the content: not of who pushed it, when, and by what name."""
        return digest(self.files)

    @property
    def bundle(self) -> str:
        """The name in the place."""
        label = re.sub(r"[^A-Za-z0-9_.+-]", "_", self.name).lstrip(".+-")[:100] or "results"
        return f"{label}-{self.digest}"

    @property
    def age(self) -> tuple[str, str]:
        """What orders bundles; the greatest is the newest."""
        return self.pushed_at, self.bundle

    def to_bytes(self) -> bytes:
        """Write the file."""
        return json.dumps({"format": FORMAT} | asdict(self), indent=1, sort_keys=True).encode()


@dataclass(frozen=True)
class Bundle:
    """A bundle that is to be pushed; its files lie in a folder, perhaps among others."""

    manifest: Manifest
    folder: Path

    @property
    def name(self) -> str:
        """The name in the place."""
        return self.manifest.bundle

    def read(self, path: str) -> bytes:
        """Read a file; raise `Changed` when it is not what the manifest says."""
        try:
            raw = read_bounded(self.folder / path)
        except (FileNotFoundError, ValueError):
            raise Changed(path) from None
        if Content.of(raw) != self.manifest.files[path]:
            raise Changed(path)
        return raw


def digest(files: Mapping[str, Content]) -> str:
    """Hash contents by path."""
    listed = sorted((path, one.sha256, one.size) for path, one in files.items())
    return hashlib.sha256(json.dumps(listed).encode()).hexdigest()[:_DIGITS]


def is_bundle_name(name: str) -> bool:
    """Whether a name is one that a bundle can have."""
    return _BUNDLE.fullmatch(name) is not None


def digest_in(name: str) -> str:
    """Return the digest that a bundle's name ends with."""
    return name[-_DIGITS:]


def check_name(name: str) -> None:
    """Raise `BadBundle` unless this may be the name of a file or folder here."""
    if not name or len(name.encode(errors="replace")) > 255:
        raise BadBundle(f"a name of {len(name)} characters; expected 1 to 255 bytes")
    if name[0] == "." or not name.isprintable() or "/" in name or "\\" in name:
        raise BadBundle(
            f"the name {name!r}; expected no leading dot, no slash, only printable characters"
        )


def check_paths(paths: Mapping[str, Content]) -> None:
    """Raise `BadBundle` unless all paths stay inside of a folder, and within the limits."""
    if not paths:
        raise BadBundle("it has no files")
    if len(paths) > MAX_FILES:
        raise BadBundle(f"{len(paths):,} files; at most {MAX_FILES:,} are taken")
    for path in paths:
        parts = path.split("/")
        if len(parts) > 2 or path == MANIFEST:
            raise BadBundle(f"the path {path!r}; expected a file, or a machine's folder and a file")
        for part in parts:
            check_name(part)
        if len(parts) == 2 and parts[0] in paths:
            raise BadBundle(f"{parts[0]!r} is a file and a folder")
    largest = max(one.size for one in paths.values())
    if largest > MAX_BYTES:
        raise BadBundle(f"a file of {largest:,} bytes; at most {MAX_BYTES:,} are taken")
    total = sum(one.size for one in paths.values())
    if total > MAX_BUNDLE_BYTES:
        raise BadBundle(f"{total:,} bytes; at most {MAX_BUNDLE_BYTES:,} are taken")


def parse_manifest(raw: bytes) -> Manifest:
    """Read a manifest; raise `BadBundle` when it is none."""
    try:
        said = loads_bounded(raw)
    except (ValueError, RecursionError):
        raise BadBundle(f"{MANIFEST} is no complete JSON") from None
    if not isinstance(said, dict) or said.get("format") != FORMAT:
        raise BadBundle(f"{MANIFEST} is none of format {FORMAT}, which this version reads")
    if said.get("kind") not in (RUN, RESULTS):
        raise BadBundle(f"{MANIFEST}: kind is none of {RUN}, {RESULTS}")
    texts = {key: _text(said, key) for key in ("name", "project", "pushed_at", "pushed_by")}
    return Manifest(kind=said["kind"], files=_files(said.get("files")), **texts)


def _text(said: Mapping[str, Any], key: str) -> str:
    text = said.get(key)
    if not isinstance(text, str) or len(text) > 255 or not text.isprintable():
        raise BadBundle(f"{MANIFEST}: {key} is no short text")
    return text


def _files(given: Any) -> dict[str, Content]:
    if not isinstance(given, dict):
        raise BadBundle(f"{MANIFEST}: files is no table")
    found = {}
    for path, said in given.items():
        sha256, size = (said.get("sha256"), said.get("size")) if isinstance(said, dict) else (0, 0)
        if not isinstance(sha256, str) or not _SHA256.fullmatch(sha256):
            raise BadBundle(f"{MANIFEST}: {path!r} has no SHA-256")
        if isinstance(size, bool) or not isinstance(size, int) or size < 0:
            raise BadBundle(f"{MANIFEST}: {path!r} has no size")
        found[path] = Content(sha256, size)
    check_paths(found)
    return found
