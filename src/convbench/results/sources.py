"""Where results lie: asv results directories under the given paths, and their files."""

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from convbench.errors import BadResults

BENCHMARKS, MACHINE, FACTS = "benchmarks.json", "machine.json", "facts.json"

# Names of folders that say nothing about the project: its name is that of a folder further up.
_NEUTRAL = {"results", "asv", ".asv", "runs", "benchmarks", "asv_bench", "benchmark"}


@dataclass(frozen=True)
class Source:
    """One asv results directory.

    Parameters
    ----------
    path : Path
        The directory, absolute.
    shown : str
        The same as the user would write it, for messages.
    key : str
        The same relative to the store: the source's name in the manifest.
    """

    path: Path
    shown: str
    key: str

    @property
    def machines(self) -> list[str]:
        """Names of the machines, one folder each."""
        folders = (entry for entry in self.path.iterdir() if entry.is_dir())
        return sorted(f.name for f in folders if not f.name.startswith(".") and _has_files(f))

    def result_files(self, machine: str) -> list[str]:
        """Names of a machine's result files."""
        files = (self.path / machine).glob("*.json")
        return sorted(f.name for f in files if f.name != MACHINE and not f.name.startswith("."))


def _has_files(folder: Path) -> bool:
    return any(folder.glob("*.json"))


def find_sources(paths: Iterable[Path | str], store: Path) -> list[Source]:
    """Find every asv results directory at or below `paths`; refuse a path that has none."""
    found: dict[Path, Source] = {}
    for given in map(Path, paths):
        if not given.is_dir():
            what = "is no folder" if given.exists() else "does not exist"
            raise BadResults(f"{given} {what}; expected a folder with asv's {BENCHMARKS}")
        directories = sorted(_results_directories(given))
        if not directories:
            raise BadResults(
                f"no asv results under {given}; expected a folder with {BENCHMARKS}, "
                "as `asv run` or `convbench measure` leaves it"
            )
        for directory in directories:
            path = directory.resolve()
            key = Path(os.path.relpath(path, store.resolve())).as_posix()
            found.setdefault(path, Source(path=path, shown=str(directory), key=key))
    return list(found.values())


def _results_directories(top: Path) -> Iterator[Path]:
    for folder, below, files in os.walk(top):
        if BENCHMARKS in files:
            below.clear()
            yield Path(folder)
        # Hidden folders are caches and unfinished runs; asv's own default is .asv.
        below[:] = [name for name in below if not name.startswith(".") or name == ".asv"]


def project_name(source: Source) -> str:
    """Name a project after its folder: the nearest one whose name says something."""
    for folder in (source.path, *source.path.parents):
        if folder.name and folder.name not in _NEUTRAL:
            return folder.name
    return "results"


def start_of(source: Source) -> str:
    """Say when a source's run started; where nothing says it, later than any."""
    try:
        start = json.loads((source.path / FACTS).read_bytes())["started_at"]
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return "~"
    return start if isinstance(start, str) else "~"


def one_line(error: Exception) -> str:
    """Say in one short line what was wrong with a file."""
    if isinstance(error, json.JSONDecodeError):
        return f"no complete JSON ({error.msg} at byte {error.pos})"
    if isinstance(error, UnicodeDecodeError):
        return "no text"
    if isinstance(error, KeyError):
        return f"{error.args[0]!r} is missing"
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 300 else f"{text[:300]}…"
