"""A collection with something hostile in it, collected here or in a process with bounds."""

import json
import resource
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from asv_tree import benchmark, result_file, row, write_source

from convbench.results import collect, load
from convbench.results.collection import Summary

GOOD = {
    "m/good-1.json": result_file({"good": row([1.0, None], [["1", "2"]])}, commit_hash="1" * 40),
    "m/good-2.json": result_file({"good": row([3.0, 4.0], [["1", "2"]])}, commit_hash="2" * 40),
}
GOOD_ROWS = 4

RAW = (None, True, 0, -1, 1.5, "", "x", [], {}, [[]], float("nan"), 10**400, "\x1b[2J\u202e\ud800")
"""What stands in place of each value of a file."""


def hostile_source(folder: Path, files: dict[str, str | bytes] | None = None, **about: Any) -> Path:
    """A results directory of two good files, and others."""
    return write_source(folder, {**GOOD, **(files or {})}, benchmark("good", ["n"]), **about)


def survived(results: Path, store: Path) -> Summary:
    """Collect; the good rows must be there, every line be one, and nothing lie beside the store."""
    around = _tree(results.parent, store)
    said: list[str] = []

    summary = collect(results, store, say=said.append)

    assert said_plainly(said)
    assert list(summary.damaged) == [line for line in said if not line.startswith("read ")]
    assert _tree(results.parent, store) == around
    values = load(store)
    assert (values["benchmark"] == "good").sum() == GOOD_ROWS
    assert len(values) == summary.ok + summary.failed + summary.skipped
    return summary


def said_plainly(lines: list[str]) -> bool:
    """Whether lines hold nothing that a terminal would act on, and are short enough to read."""
    return all(line.isprintable() and len(line) < 1000 for line in lines)


def _tree(folder: Path, store: Path) -> list[str]:
    return sorted(str(p) for p in folder.rglob("*") if store not in (p, *p.parents))


@dataclass(frozen=True)
class Outcome:
    """What a collection in a process of its own did."""

    damaged: list[str]
    good_rows: int
    rows: int
    grown_bytes: int
    """Memory at its peak above that before collecting."""


_CODE = """
import json, resource, sys
from convbench.results import collect, load
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
load.__module__
before = peak()
summary = collect(sys.argv[1], sys.argv[2], jobs=1)
grown = peak() - before
values = load(sys.argv[2], columns=["benchmark"])
good = int((values["benchmark"] == "good").sum())
print(json.dumps([list(summary.damaged), good, len(values), grown]))
"""


def collected_in_bounds(results: Path, store: Path, seconds: int = 30) -> Outcome:
    """Collect in a process of its own that is ended after some seconds, or at 6 GB."""
    done = subprocess.run(
        [sys.executable, "-c", _CODE, str(results), str(store)],
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (6_000_000_000,) * 2),
    )
    assert done.returncode == 0, done.stderr[-500:]
    return Outcome(*json.loads(done.stdout))


def variants(text: str) -> Iterator[tuple[str, str]]:
    """Yield a document with each of its values replaced by each of `RAW`, and where it was."""
    data = json.loads(text)
    for path in _paths(data):
        for value in RAW:
            yield f"{'.'.join(map(str, path))} = {value!r}", json.dumps(_with(data, path, value))


def _paths(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    if isinstance(data, dict):
        for key, value in data.items():
            yield from _paths(value, (*path, key))
    elif isinstance(data, list):
        for position, value in enumerate(data):
            yield from _paths(value, (*path, position))


def _with(data: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    copy = dict(data) if isinstance(data, dict) else list(data)
    copy[path[0]] = _with(copy[path[0]], path[1:], value)
    return copy
