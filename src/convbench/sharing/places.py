"""Places: where bundles lie. The table of kinds, and what each of them must be able to do."""

import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from convbench.errors import BadPlace, BadUsage
from convbench.results.words import CONFIG
from convbench.sharing.bundles import (
    MANIFEST,
    MAX_MANIFEST_BYTES,
    BadBundle,
    Bundle,
    Manifest,
    parse_manifest,
)

Say = Callable[[str], None]


class Place(Protocol):
    """A store of bundles: all that pushing and pulling need of it.

    Every operation raises `BadPlace` when the place can't be reached, read or written.
    """

    @property
    def shown(self) -> str:
        """The place for messages, without credentials."""

    @property
    def readers(self) -> int:
        """How many may read at once."""

    def names(self) -> set[str]:
        """Name the bundles that have a manifest: all others are being pushed."""

    def read(self, bundle: str, path: str, limit: int) -> bytes:
        """Read a file; raise `BadBundle` when it is not there or has more than `limit` bytes."""

    def add(self, bundles: Sequence[Bundle]) -> None:
        """Add bundles, each whole or not at all; raise `Changed` when a file is being written."""


def _folder(text: str) -> Place:
    from convbench.sharing.folder import FolderPlace

    return FolderPlace.of(text)


def _git(text: str) -> Place:
    from convbench.sharing.git_branch import GitPlace

    return GitPlace.of(text)


def _s3(text: str) -> Place:
    from convbench.sharing.s3 import S3Place  # boto3 is an extra, and takes half a second

    return S3Place.of(text)


PLACES: Mapping[str, Callable[[str], Place]] = {"s3://": _s3, "git+": _git, "": _folder}
"""Kinds of places by how they begin; the first that fits is taken."""

KNOWN = "a folder, git+https://HOST/PATH#BRANCH, git+REMOTE#BRANCH or s3://BUCKET/PREFIX"


def open_place(text: str | None, project: Path = Path()) -> Place:
    """Open a place; by default that of the project's ``convbench.toml``.

    Raises
    ------
    BadUsage
        It is no place, or none is given and configured.
    """
    wanted = configured_place(project) if text is None else text
    if not wanted:
        raise BadUsage(
            f'no place to share results in: give --place, or write [shared] place = "…" into'
            f" {CONFIG}; it is {KNOWN}"
        )
    return next(PLACES[start] for start in PLACES if wanted.startswith(start))(wanted)


def configured_place(project: Path) -> str | None:
    """Read the place from the table `[shared]` of a project's ``convbench.toml``, if it has one."""
    path = project / CONFIG
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (ValueError, RecursionError) as error:
        raise BadUsage(f"{path}: expected TOML: {' '.join(str(error).split())[:200]}") from None
    shared = data.get("shared", {})
    if not isinstance(shared, dict) or shared.keys() - {"place"}:
        raise BadUsage(f"{path}: [shared] must be a table with the one key place")
    place = shared.get("place")
    if place is not None and not (isinstance(place, str) and place):
        raise BadUsage(f"{path}: [shared] place = {place!r}: expected {KNOWN}, in quotes")
    return place


def read_manifest(place: Place, bundle: str) -> Manifest:
    """Read the manifest of a bundle; raise `BadBundle` when it is none, or another one's."""
    manifest = parse_manifest(place.read(bundle, MANIFEST, MAX_MANIFEST_BYTES))
    if manifest.bundle != bundle:
        raise BadBundle(f"{MANIFEST} is not the one that this name was made of")
    return manifest


def unusable(place: str, doing: str, why: str) -> BadPlace:
    """Say in one line that a place can't be used."""
    return BadPlace(f"{place} can't be {doing}: {why}")
