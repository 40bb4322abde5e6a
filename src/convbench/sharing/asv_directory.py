"""A plain asv results directory out of all bundles: of each file the version pushed last.

    <machine>/<file>.json, <machine>/machine.json    for `asv publish` and `asv run NEW`
    benchmarks.json                                  the union, of each benchmark the last one
    .shared/<bundle>, .shared/<sha256>               manifests and descriptions of what was pulled

What has been changed here since (asv ran) stays: it is newer than what anybody pushed. Names in the
hidden folder have no suffix, because asv would read every .json below.
"""

import fcntl
import json
import os
import shutil
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from convbench.results.raw_files import loads_bounded, one_line, read_bounded
from convbench.results.sources import BENCHMARKS
from convbench.results.store import write_atomically
from convbench.sharing.bundles import (
    BadBundle,
    Content,
    Manifest,
    is_bundle_name,
    parse_manifest,
)
from convbench.sharing.folder import sweep, unfinished, write_new
from convbench.sharing.places import Place
from convbench.sharing.pulling import Pulled, make_folder
from convbench.sharing.reading import each, manifests, read_checked

KEPT = ".shared"

Descriptions = dict[str, Any]


def pull_as_asv(place: Place, folder: Path) -> Pulled:
    """Bring the newest version of every file that others pushed.

    Raises
    ------
    BadPlace
        The place can't be read; the folder is as it was.
    BadUsage
        `folder` is none.
    """
    make_folder(folder)
    kept = folder / KEPT
    with _locked(kept):
        sweep(kept)
        known = _known(kept)
        names = place.names()
        done = Pulled(place.shown, unchanged=len(names & known.keys()))
        told = manifests(place, sorted(names - known.keys()), done.refused.append)
        new = {manifest.bundle: manifest for manifest in told}
        with unfinished(kept) as incoming:
            while _bring(place, known, new, incoming, done):
                pass
            _install(folder, incoming, known, new, done)
    return done


@contextmanager
def _locked(kept: Path) -> Iterator[None]:
    kept.mkdir(exist_ok=True)
    with (kept / ".lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _known(kept: Path) -> dict[str, Manifest]:
    """Read the manifests of what was pulled before."""
    found = {}
    for file in kept.iterdir():
        if is_bundle_name(file.name):
            try:
                found[file.name] = parse_manifest(read_bounded(file))
            except ValueError:  # it is pulled again
                continue
    return found


def _is_of_asv(path: str) -> bool:
    """Whether asv would read a file of a bundle, apart from the descriptions of benchmarks."""
    return "/" in path and path.endswith(".json")


def _newest(manifests: Iterable[Manifest]) -> dict[str, Manifest]:
    """Return by path the manifest that had it last."""
    ordered = sorted(manifests, key=lambda manifest: manifest.age)
    return {path: one for one in ordered for path in one.files if _is_of_asv(path)}


def _bring(
    place: Place,
    known: Mapping[str, Manifest],
    new: dict[str, Manifest],
    incoming: Path,
    done: Pulled,
) -> bool:
    """Read what is needed of the new bundles; drop bad ones, and tell whether there were any."""
    wanted: dict[str, list[str]] = {name: [] for name in new}
    for path, manifest in _newest([*known.values(), *new.values()]).items():
        if manifest.bundle in new:
            wanted[manifest.bundle].append(path)

    def bring(bundle: str) -> tuple[str, int]:
        files = new[bundle].files
        paths = wanted[bundle] + ([BENCHMARKS] if BENCHMARKS in files else [])
        size = 0
        for path in paths:
            target = incoming / files[path].sha256
            if target.exists():
                continue
            raw = read_checked(place, bundle, path, files[path])
            if path == BENCHMARKS:
                parse_descriptions(raw)
            with suppress(FileExistsError):  # another bundle has the same, and was faster
                write_new(target, raw)
            size += len(raw)
        return bundle, size

    right = set()
    for bundle, size in each(place, wanted, bring, done.refused.append):
        right.add(bundle)
        done.bytes += size
    bad = new.keys() - right
    for bundle in bad:
        del new[bundle]
    return bool(bad)


def _install(
    folder: Path,
    incoming: Path,
    known: Mapping[str, Manifest],
    new: Mapping[str, Manifest],
    done: Pulled,
) -> None:
    """Put files in place, then say of their bundles that they are here."""
    pushed: dict[str, set[Content]] = defaultdict(set)
    for manifest in [*known.values(), *new.values()]:
        for path, content in manifest.files.items():
            pushed[path].add(content)
    copies: dict[str, Path] = {}
    for path, manifest in sorted(_newest([*known.values(), *new.values()]).items()):
        content = manifest.files[path]
        here = _content(folder / path)
        if here != content and (here is None or here in pushed[path]):
            read = incoming / content.sha256
            if not read.exists():
                continue  # deleted here, of a bundle that was pulled before
            copies[path] = incoming / f"{len(copies)}"
            shutil.copyfile(read, copies[path])  # no link: asv writes into its files
    os.sync()  # all at once: one file at a time takes milliseconds each
    for path, copy in copies.items():
        (folder / path).parent.mkdir(exist_ok=True)
        copy.replace(folder / path)
        done.pulled.append(path)
    kept = folder / KEPT
    for manifest in new.values():
        if BENCHMARKS in manifest.files:
            name = manifest.files[BENCHMARKS].sha256
            write_atomically(kept / name, (incoming / name).read_bytes())
    if new:
        _unite(folder, [*known.values(), *new.values()])
    for name, manifest in new.items():
        write_atomically(kept / name, manifest.to_bytes())


def _content(file: Path) -> Content | None:
    """Describe a file here; one that can't be read is taken for changed."""
    try:
        return Content.of(read_bounded(file))
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        return Content("", -1)


def _unite(folder: Path, manifests: Iterable[Manifest]) -> None:
    """Write the union of all descriptions of benchmarks."""
    ordered = sorted(manifests, key=lambda manifest: manifest.age)
    names = [one.files[BENCHMARKS].sha256 for one in ordered if BENCHMARKS in one.files]
    pushed = [parse_descriptions(read_bounded(folder / KEPT / name)) for name in names]
    path = folder / BENCHMARKS
    try:
        here = parse_descriptions(read_bounded(path))
    except (OSError, ValueError):
        here = {}
    content = json.dumps(united(pushed, here), indent=4, sort_keys=True).encode()
    if here != parse_descriptions(content):
        write_atomically(path, content)


def united(pushed: Iterable[Descriptions], here: Descriptions) -> Descriptions:
    """Unite descriptions of benchmarks.

    Parameters
    ----------
    pushed : iterable of dict
        What others pushed, the newest last: it wins.
    here : dict
        What lies here: benchmarks that nobody pushed so win over all.
    """
    union: Descriptions = {}
    own = dict(here)
    for descriptions in pushed:
        for name, said in descriptions.items():
            union[name] = said
            if own.get(name) == said:
                del own[name]
    return union | own


def parse_descriptions(raw: bytes) -> Descriptions:
    """Read a ``benchmarks.json``; raise `BadBundle` when it is none."""
    try:
        said = loads_bounded(raw)
    except (ValueError, RecursionError) as error:
        raise BadBundle(f"{BENCHMARKS}: {one_line(error)}") from None
    if not isinstance(said, dict):
        raise BadBundle(f"{BENCHMARKS}: no JSON object")
    return said
