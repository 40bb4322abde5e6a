"""Where results lie: asv results directories and other tools' files under the given paths."""

import os
import stat
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from convbench.errors import BadResults, BadUsage
from convbench.results.adapters import ADAPTERS, adapter_of
from convbench.results.raw_files import loads_bounded, one_line, printable, read_bounded
from convbench.results.result_file import utf8
from convbench.results.words import Words

BENCHMARKS, MACHINE, FACTS = "benchmarks.json", "machine.json", "facts.json"

MANIFEST = "manifest.json"
"""What `convbench pull` puts beside results that another machine pushed."""

LINK_OUT = "a link to outside of the results"
"""Why a file or folder is refused: what it names is not this source's."""

# Names of folders that say nothing about the project: its name is that of a folder further up.
_NEUTRAL = {"results", "asv", ".asv", "runs", "benchmarks", ".benchmarks", "asv_bench", "benchmark"}


@dataclass(frozen=True)
class Source:
    """One asv results directory, or one file of another tool.

    Parameters
    ----------
    path : Path
        The directory or file, absolute.
    shown : str
        The same as the user would write it, for messages.
    key : str
        The same relative to the store: the source's name in the manifest.
    foreign : bool
        Whether it is a file of another tool.
    only : frozenset of str, optional
        The folders of it that are read, by default all.
    """

    path: Path
    shown: str
    key: str
    foreign: bool = False
    only: frozenset[str] | None = None

    def shows(self, *names: str) -> str:
        """Name the source, or a file or folder in it, for a message."""
        return printable("/".join((self.shown, *map(utf8, names))))

    @property
    def machines(self) -> list[str]:
        """Names of the machines' folders."""
        return sorted(entry.name for entry in self._folders() if self._is_inside(entry))

    @property
    def links_out(self) -> list[str]:
        """Names of links that would be machines' folders if they did not lead out of the source."""
        return sorted(entry.name for entry in self._folders() if not self._is_inside(entry))

    def _folders(self) -> list[os.DirEntry[str]]:
        with os.scandir(self.path) as entries:
            chosen = [e for e in entries if self.only is None or e.name in self.only]
            return [entry for entry in chosen if entry.name[0] != "." and _has_files(entry)]

    def file(self, *names: str) -> Path:
        """Return the path of a file of it; raise ValueError where a link leads out."""
        path = self.path.joinpath(*names)
        if path.is_symlink() and not self._holds(path):
            raise ValueError(LINK_OUT)
        return path

    def result_files(self, machine: str) -> Iterator[tuple[str, os.stat_result | None]]:
        """Yield name and stat of each of a machine's result files; None where a link leads out."""
        with os.scandir(self.path / machine) as entries:
            named = {e.name: e for e in entries if e.name.endswith(".json") and e.name[0] != "."}
        for name, entry in sorted(named.items()):
            if name == MACHINE:
                continue
            try:
                yield name, entry.stat() if self._is_inside(entry) else None
            except FileNotFoundError:  # since it was listed; rows of vanished files stay
                continue

    def _is_inside(self, entry: os.DirEntry[str]) -> bool:
        """Whether an entry lies in the source itself, also when it is a link."""
        return not entry.is_symlink() or self._holds(Path(entry.path))

    def _holds(self, path: Path) -> bool:
        return path.exists() and self.path in path.resolve().parents


def _has_files(entry: os.DirEntry[str]) -> bool:
    try:
        if not entry.is_dir():
            return False
    except OSError:  # a loop of links
        return False
    try:
        with os.scandir(entry.path) as entries:
            return any(e.name.endswith(".json") for e in entries)
    except OSError:  # which is said where its files are asked for
        return True


def find_sources(paths: Iterable[Path | str], store: Path) -> list[Source]:
    """Find every asv results directory and other tools' files at or below `paths`.

    Raises
    ------
    BadResults
        A path is not there, or has none.
    """
    found: dict[Path, Source] = {}
    for given in map(Path, paths):
        if not given.exists():
            raise BadResults(f"{given} does not exist; expected a folder with asv's {BENCHMARKS}")
        for place, foreign in _places(given):
            path = place.resolve()
            key = utf8(Path(os.path.relpath(path, store.resolve())).as_posix())
            found.setdefault(path, Source(path, utf8(place), key, foreign))
    return list(found.values())


def _places(given: Path) -> list[tuple[Path, bool]]:
    """Return the results at or below a path, and whether they are another tool's."""
    if given.is_file():
        _check_recognised(given)
        return [(given, True)]
    asv = sorted(_results_directories(given))
    others = sorted(_files_of_other_tools(given, asv))
    if not asv and not others:
        raise BadResults(_nothing_in(given))
    return [(path, False) for path in asv] + [(path, True) for path in others]


def directories(sources: Iterable[Source]) -> list[Source]:
    """Return sources all of which have folders of machines.

    Raises
    ------
    BadUsage
        One is a file of another tool.
    """
    found = list(sources)
    if foreign := [source.shown for source in found if source.foreign]:
        raise BadUsage(
            f"{foreign[0]} is a file of another tool; machines are chosen by their folders in "
            "asv's results directories: collect it into a store of its own"
        )
    return found


def of_machines(sources: Iterable[Source], wanted: Collection[str], words: Words) -> list[Source]:
    """Keep the folders of some machines, and the sources that have one.

    Raises
    ------
    BadUsage
        A name is that of no folder, neither as it stands nor as `words` renames it; or a source is
        a file of another tool.
    """
    chosen, known = [], set()
    for source in directories(sources):
        names = {folder: {utf8(folder), words.machine(utf8(folder))} for folder in source.machines}
        known |= set().union(*names.values())
        only = frozenset(folder for folder, called in names.items() if called & set(wanted))
        if only:
            chosen.append(replace(source, only=only))
    if unknown := sorted(set(wanted) - known):
        raise BadUsage(
            f"--only-machine: no machine {unknown[0]!r}; there are {', '.join(sorted(known))}"
        )
    return chosen


def _nothing_in(given: Path) -> str:
    if (given / MACHINE).exists():
        return f"{given} is one machine's folder; give the results directory that holds it"
    return f"no results in {given}; {_expected()}"


def _expected() -> str:
    tools = ", ".join(adapter.name for adapter in ADAPTERS)
    return (
        f"expected asv's results directory with {BENCHMARKS}, as `asv run` or `convbench measure` "
        f"leaves it, or JSON files of {tools}"
    )


def _results_directories(top: Path) -> Iterator[Path]:
    for folder, below, files in os.walk(top):
        # A directory that lost its descriptions is still one.
        if BENCHMARKS in files or any(Path(folder, name, MACHINE).is_file() for name in below):
            below.clear()
            yield Path(folder)
        # Hidden folders are caches and unfinished runs; asv's own default is .asv.
        below[:] = [name for name in below if not name.startswith(".") or name == ".asv"]


def _files_of_other_tools(top: Path, asv: Collection[Path]) -> Iterator[Path]:
    """Yield other tools' files outside of asv's directories, damaged ones too."""
    for folder, below, files in os.walk(top):
        if Path(folder) in asv:
            below.clear()
            continue
        # pytest-benchmark's own default is .benchmarks.
        below[:] = [name for name in below if not name.startswith(".") or name == ".benchmarks"]
        for name in files:
            path = Path(folder, name)
            named = name.endswith(".json") and not name.startswith(".")
            inside = not path.is_symlink() or top.resolve() in path.resolve().parents
            if named and inside and _is_other_tools(path):
                yield path


_WORDS_OF_TOOLS = (b'"benchmarks"', b'"machine_info"')


def _is_other_tools(path: Path) -> bool:
    """Whether a file is another tool's, or was before it was damaged."""
    try:
        raw = read_bounded(path)
    except (OSError, ValueError):
        return False
    if not any(word in raw for word in _WORDS_OF_TOOLS):
        return False
    try:
        return adapter_of(loads_bounded(raw)) is not None
    except (ValueError, RecursionError):
        return True


def _check_recognised(path: Path) -> None:
    """Raise `BadResults` where a file that was given by its name is none that can be read."""
    try:
        if adapter_of(loads_bounded(read_bounded(path))) is not None:
            return
        reason = "no file of another tool"
    except (OSError, ValueError, RecursionError) as error:
        reason = one_line(error)
    raise BadResults(f"{path}: {reason}; {_expected()}")


def project_name(source: Source) -> str:
    """Name a project after its folder: the nearest one whose name says something.

    Of results that were pulled, it is the folder that they were pushed from.
    """
    if pushed := _said_by(source, MANIFEST, "project"):
        return utf8(pushed)
    folders = source.path.parents if source.foreign else (source.path, *source.path.parents)
    for folder in folders:
        if folder.name and folder.name not in _NEUTRAL:
            return folder.name
    return "results"


def start_of(source: Source) -> str:
    """Say when a source's run started; where nothing says it, later than any."""
    return _said_by(source, FACTS, "started_at") or "~"


def _said_by(source: Source, file: str, key: str) -> str:
    """Read a text in a file of a source; empty where it is not there."""
    try:
        said = loads_bounded(read_bounded(source.file(file)))[key]
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return ""
    return said if isinstance(said, str) else ""


def is_regular(about: os.stat_result) -> bool:
    """Whether a stat is that of a plain file."""
    return stat.S_ISREG(about.st_mode)
