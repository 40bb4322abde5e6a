"""Pulling: bundles of a place that a folder does not have yet become folders of it."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from convbench.errors import BadUsage
from convbench.sharing.bundles import MANIFEST, RUN, BadBundle, Manifest, check_name, digest_in
from convbench.sharing.folder import BATCH, publish, sweep, unfinished, write_new
from convbench.sharing.local import digests
from convbench.sharing.places import Place, read_manifest
from convbench.sharing.reading import each, read_checked


@dataclass
class Pulled:
    """What a pull did.

    Attributes
    ----------
    place : str
        Where from.
    pulled : list of str
        Names of the new folders, or files.
    bytes : int
        What was read for them.
    unchanged : int
        Bundles that were here.
    refused : list of str
        Bundles that are damaged or made to do harm, and why.
    """

    place: str
    pulled: list[str] = field(default_factory=list)
    bytes: int = 0
    unchanged: int = 0
    refused: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The same in one line."""
        there = f"{self.unchanged} already here"
        if not self.pulled:
            return f"nothing new in {self.place} ({there})"
        return f"{len(self.pulled)} new from {self.place} ({self.bytes / 1e6:.1f} MB; {there})"


def pull(place: Place, folder: Path) -> Pulled:
    """Bring every bundle that `folder` does not have, each whole or not at all.

    A run comes back under its own name, results of a directory that grows under their bundle's.

    Raises
    ------
    BadPlace
        The place can't be read; what was pulled until then stays.
    BadUsage
        `folder` is none.
    """
    make_folder(folder)
    sweep(folder)
    here = set(digests(folder).values())
    names = sorted(place.names())
    missing = [name for name in names if digest_in(name) not in here]
    done = Pulled(place.shown, unchanged=len(names) - len(missing))
    for start in range(0, len(missing), BATCH):
        _pull(place, missing[start : start + BATCH], folder, here, done)
    if done.pulled:
        digests(folder)  # while what was written is in the page cache
    return done


def make_folder(folder: Path) -> None:
    """Make the folder that is pulled into."""
    if folder.exists() and not folder.is_dir():
        raise BadUsage(f"{folder} is a file; give a folder to pull into")
    folder.mkdir(parents=True, exist_ok=True)


def _pull(place: Place, bundles: list[str], folder: Path, here: set[str], done: Pulled) -> None:
    """Pull bundles together; `here` has the digests of what the folder has."""
    with unfinished(folder) as incoming:

        def bring(bundle: str) -> Manifest:
            manifest = read_manifest(place, bundle)
            for path, content in manifest.files.items():
                raw = read_checked(place, bundle, path, content)
                write_new(incoming / bundle / path, raw)
            if manifest.kind != RUN:
                write_new(incoming / bundle / MANIFEST, manifest.to_bytes())
            return manifest

        whole = []
        try:
            for manifest in each(place, bundles, bring, done.refused.append):
                whole.append(manifest)
        finally:  # what is whole stays, also when the place can't be read any more
            os.sync()
            for manifest in whole:
                if manifest.digest in here:  # two pushed the same content under two names
                    done.unchanged += 1
                    continue
                here.add(manifest.digest)
                done.pulled.append(_publish(incoming / manifest.bundle, manifest))
                done.bytes += sum(content.size for content in manifest.files.values())


def _publish(whole: Path, manifest: Manifest) -> str:
    """Give a bundle its name here: a run its own one, unless another run has that."""
    folder = whole.parents[1]
    for name in ([manifest.name] if manifest.kind == RUN else []) + [manifest.bundle]:
        try:
            check_name(name)
        except BadBundle:
            continue
        if publish(whole, folder / name):
            return name
    raise BadUsage(f"{folder / manifest.bundle} has another content than its name; remove it")
