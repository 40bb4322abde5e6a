"""Reading bundles of a place: several at once where that is faster, the bad ones told."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from convbench.results.raw_files import printable
from convbench.sharing.bundles import MANIFEST, BadBundle, Content, Manifest
from convbench.sharing.places import Place, read_manifest

Result = TypeVar("Result")


def each(
    place: Place,
    bundles: Iterable[str],
    do: Callable[[str], Result],
    refuse: Callable[[str], None],
) -> Iterator[Result]:
    """Yield what `do` returns for each bundle, but say why where it finds it bad."""

    def tried(bundle: str) -> Result | BadBundle:
        try:
            return do(bundle)
        except BadBundle as error:
            return BadBundle(printable(f"{bundle} in {place.shown}: {error}"))

    pool = ThreadPoolExecutor(place.readers)
    try:
        for outcome in pool.map(tried, bundles):
            if isinstance(outcome, BadBundle):
                refuse(str(outcome))
            else:
                yield outcome
    finally:  # an error of the place concerns all bundles
        pool.shutdown(cancel_futures=True)


def manifests(
    place: Place, bundles: Iterable[str], refuse: Callable[[str], None]
) -> Iterator[Manifest]:
    """Yield the manifests of bundles."""
    yield from each(place, bundles, lambda bundle: read_manifest(place, bundle), refuse)


def read_checked(place: Place, bundle: str, path: str, content: Content) -> bytes:
    """Read a file of a bundle; raise `BadBundle` unless it is what the manifest says."""
    raw = place.read(bundle, path, content.size)
    if Content.of(raw) != content:
        raise BadBundle(f"{path}: not the content that {MANIFEST} lists")
    return raw
