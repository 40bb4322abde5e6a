"""Where results lie: asv results directories and other tools' files under the given paths."""

import json
import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from convbench.errors import BadResults
from convbench.results.adapters import ADAPTERS, adapter_of
from convbench.results.raw_files import loads_bounded, read_bounded
from convbench.results.result_file import utf8

BENCHMARKS, MACHINE, FACTS = "benchmarks.json", "machine.json", "facts.json"

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
    """

    path: Path
    shown: str
    key: str
    foreign: bool = False

    @property
    def machines(self) -> list[str]:
        """Names of the machines' folders."""
        with os.scandir(self.path) as entries:
            return sorted(e.name for e in entries if e.name[0] != "." and self._has_files(e))

    def _has_files(self, entry: os.DirEntry[str]) -> bool:
        if not entry.is_dir() or not self._is_inside(entry):
            return False
        with os.scandir(entry.path) as entries:
            return any(e.name.endswith(".json") for e in entries)

    def result_files(self, machine: str) -> Iterator[tuple[str, os.stat_result | None]]:
        """Yield name and stat of each of a machine's result files; None where a link leads out."""
        with os.scandir(self.path / machine) as entries:
            named = {e.name: e for e in entries if e.name.endswith(".json") and e.name[0] != "."}
        for name, entry in sorted(named.items()):
            if name == MACHINE:
                continue
            yield name, entry.stat() if self._is_inside(entry) else None

    def _is_inside(self, entry: os.DirEntry[str]) -> bool:
        """Whether an entry lies in the source itself, also when it is a link."""
        if not entry.is_symlink():
            return True
        return Path(entry.path).exists() and self.path in Path(entry.path).resolve().parents


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
        foreign = given.is_file()
        places = [given] if foreign else sorted(_results_directories(given))
        if not places:
            foreign, places = True, sorted(_files_of_other_tools(given))
        if not places or (foreign and given.is_file() and not _is_recognised(given)):
            raise BadResults(_nothing_in(given))
        for place in places:
            path = place.resolve()
            key = utf8(Path(os.path.relpath(path, store.resolve())).as_posix())
            found.setdefault(path, Source(path, utf8(place), key, foreign))
    return list(found.values())


def _nothing_in(given: Path) -> str:
    tools = ", ".join(adapter.name for adapter in ADAPTERS)
    if (given / MACHINE).exists():
        return f"{given} is one machine's folder; give the results directory that holds it"
    return (
        f"no results in {given}; expected asv's results directory with {BENCHMARKS}, "
        f"as `asv run` or `convbench measure` leaves it, or JSON files of {tools}"
    )


def _results_directories(top: Path) -> Iterator[Path]:
    for folder, below, files in os.walk(top):
        # A directory that lost its descriptions is still one.
        if BENCHMARKS in files or any(Path(folder, name, MACHINE).is_file() for name in below):
            below.clear()
            yield Path(folder)
        # Hidden folders are caches and unfinished runs; asv's own default is .asv.
        below[:] = [name for name in below if not name.startswith(".") or name == ".asv"]


def _files_of_other_tools(top: Path) -> Iterator[Path]:
    for folder, below, files in os.walk(top):
        # pytest-benchmark's own default is .benchmarks.
        below[:] = [name for name in below if not name.startswith(".") or name == ".benchmarks"]
        for name in files:
            path = Path(folder, name)
            if name.endswith(".json") and not name.startswith(".") and _is_recognised(path):
                yield path


def _is_recognised(path: Path) -> bool:
    try:
        return adapter_of(loads_bounded(read_bounded(path))) is not None
    except (OSError, ValueError, RecursionError):
        return False


def project_name(source: Source) -> str:
    """Name a project after its folder: the nearest one whose name says something."""
    folders = source.path.parents if source.foreign else (source.path, *source.path.parents)
    for folder in folders:
        if folder.name and folder.name not in _NEUTRAL:
            return folder.name
    return "results"


def start_of(source: Source) -> str:
    """Say when a source's run started; where nothing says it, later than any."""
    try:
        start = json.loads(read_bounded(source.path / FACTS))["started_at"]
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return "~"
    return start if isinstance(start, str) else "~"


def is_regular(about: os.stat_result) -> bool:
    """Whether a stat is that of a plain file."""
    return stat.S_ISREG(about.st_mode)
