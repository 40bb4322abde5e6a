"""Pushing: what a place does not have yet becomes bundles of it."""

import datetime
import platform
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from convbench.errors import BadResults
from convbench.results.raw_files import loads_bounded, one_line, printable, read_bounded
from convbench.results.sources import (
    BENCHMARKS,
    MACHINE,
    Source,
    directories,
    find_sources,
    project_name,
)
from convbench.sharing.bundles import (
    MANIFEST,
    RESULTS,
    RUN,
    BadBundle,
    Bundle,
    Changed,
    Content,
    Manifest,
    check_paths,
    digest_in,
    parse_manifest,
)
from convbench.sharing.local import digests, files_of, is_immutable
from convbench.sharing.places import Place, Say
from convbench.sharing.reading import manifests

FILES_PER_BUNDLE = 1_000
"""Result files of a growing directory that go into one bundle."""

_ATTEMPTS = 3

Files = dict[str, Content]


@dataclass
class Pushed:
    """What a push did.

    Attributes
    ----------
    place : str
        Where to.
    pushed : list of str
        Names of the new bundles.
    files, bytes : int
        What they have.
    unchanged : int
        Runs and directories of which the place had everything.
    refused : list of str
        What can't be pushed, and why.
    """

    place: str
    pushed: list[str] = field(default_factory=list)
    files: int = 0
    bytes: int = 0
    unchanged: int = 0
    refused: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The same in one line."""
        there = f"{self.unchanged} already there"
        if not self.pushed:
            return f"nothing new for {self.place} ({there})"
        size = f"{self.files:,} files, {self.bytes / 1e6:.1f} MB"
        new = f"{len(self.pushed)} new bundle{'' if len(self.pushed) == 1 else 's'}"
        return f"{new} in {self.place} ({size}; {there})"


def push(
    paths: Iterable[Path | str], place: Place, *, project: str | None = None, say: Say
) -> Pushed:
    """Push what a place does not have: whole runs, and new files of directories that grow.

    Parameters
    ----------
    paths : iterable of path
        Runs, folders of runs, or asv results directories.
    project : str, optional
        The project of results that don't say it; by default the name that `collect` would take.

    Raises
    ------
    BadPlace
        The place can't be read or written; every bundle is in it whole or not at all.
    BadResults, BadUsage
        A path has no results, or those of another tool.
    """
    sources = directories(find_sources(paths, Path()))
    for _ in range(_ATTEMPTS):
        try:
            return _push(sources, place, project)
        except Changed as changed:
            written = printable(str(changed))
            say(f"{written} is being written: looking again")
    raise BadResults(f"{written} is being written all the time; push when `asv run` has ended")


def _push(sources: Iterable[Source], place: Place, project: str | None) -> Pushed:
    done = Pushed(place.shown)
    bundles: dict[str, Bundle] = {}
    for bundle in _Preparation(place, project, done).of(sources):
        bundles[bundle.manifest.digest] = bundle  # the same content under two names goes once
    place.add(list(bundles.values()))
    for bundle in bundles.values():
        done.pushed.append(bundle.name)
        done.files += len(bundle.manifest.files)
        done.bytes += sum(content.size for content in bundle.manifest.files.values())
    return done


class _Preparation:
    """Makes bundles of what the place does not have; tells the rest."""

    def __init__(self, place: Place, project: str | None, done: Pushed) -> None:
        self._place, self._project, self._done = place, project, done
        self._names = place.names()
        self._present = {digest_in(name) for name in self._names}
        self._hashed: dict[Path, Mapping[str, str]] = {}
        self._at = datetime.datetime.now(datetime.UTC).isoformat(timespec="microseconds")

    def of(self, sources: Iterable[Source]) -> Iterator[Bundle]:
        """Yield the bundles that the place lacks."""
        grow = []
        for source in sources:
            if not is_immutable(source.path):
                grow.append(source)
            elif self._digest(source.path) in self._present:
                self._done.unchanged += 1
            else:
                yield from self._immutable(source)
        known = self._versions() if grow else set()
        for source in grow:
            found = list(self._growing(source, known))
            self._done.unchanged += not found
            yield from found

    def _digest(self, folder: Path) -> str | None:
        if folder.parent not in self._hashed:
            self._hashed[folder.parent] = digests(folder.parent)
        return self._hashed[folder.parent].get(folder.name)

    def _versions(self) -> set[tuple[str, Content]]:
        """Every path of the place with each of its contents."""
        told = manifests(self._place, sorted(self._names), lambda _: None)
        return {version for manifest in told for version in manifest.files.items()}

    def _immutable(self, source: Source) -> Iterator[Bundle]:
        """Yield the bundle of a run, or of a bundle that was pulled from another place."""
        try:
            if (source.path / MANIFEST).is_file():
                yield Bundle(_kept_manifest(source.path), source.path)
            else:
                manifest = self._manifest(RUN, source.path.name, source, files_of(source.path))
                yield Bundle(manifest, source.path)
        except BadBundle as error:
            self._done.refused.append(f"{source.shows()}: {printable(str(error))}")

    def _growing(self, source: Source, known: set[tuple[str, Content]]) -> Iterator[Bundle]:
        """Yield bundles of files of a directory that are new, one machine in each."""
        described = self._side_file(source, BENCHMARKS)
        for machine in source.machines:
            about = self._side_file(source, machine, MACHINE)
            new = dict(self._new_files(source, machine, known))
            for start in range(0, len(new), FILES_PER_BUNDLE):
                paths = list(new)[start : start + FILES_PER_BUNDLE]
                files = {path: new[path] for path in paths} | about | described
                try:
                    check_paths(files)
                except BadBundle as error:
                    self._done.refused.append(f"{source.shows(machine)}: {printable(str(error))}")
                    break
                yield Bundle(self._manifest(RESULTS, machine, source, files), source.path)

    def _new_files(
        self, source: Source, machine: str, known: set[tuple[str, Content]]
    ) -> Iterator[tuple[str, Content]]:
        for name, _ in source.result_files(machine):
            path = f"{machine}/{name}"
            content = self._content(source, machine, name)
            if content is not None and (path, content) not in known:
                yield path, content

    def _side_file(self, source: Source, *names: str) -> Files:
        if not source.path.joinpath(*names).exists():
            return {}
        content = self._content(source, *names)
        return {} if content is None else {"/".join(names): content}

    def _content(self, source: Source, *names: str) -> Content | None:
        """Describe a file; none where it is no complete JSON: asv may be writing it."""
        try:
            raw = read_bounded(source.file(*names))
            loads_bounded(raw)
        except (OSError, ValueError, RecursionError) as error:
            self._done.refused.append(f"{source.shows(*names)}: {one_line(error)}")
            return None
        return Content.of(raw)

    def _manifest(self, kind: str, name: str, source: Source, files: Files) -> Manifest:
        return Manifest(
            kind=kind,
            name=name,
            project=(self._project or project_name(source))[:255],
            pushed_at=self._at,
            pushed_by=platform.node()[:255],
            files=files,
        )


def _kept_manifest(folder: Path) -> Manifest:
    """Read the manifest of a bundle that was pulled, whose folder says what it must be."""
    try:
        raw = read_bounded(folder / MANIFEST)
    except ValueError as error:
        raise BadBundle(str(error)) from None
    return parse_manifest(raw)
