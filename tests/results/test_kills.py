"""Collectors that are killed at any moment, and several at once, leave a store that is whole."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from asv_tree import benchmark, content_of, result_file, row, write_source

from convbench.results import collect, collection, load, schema
from convbench.results.store import read_table

SOURCES, FILES, ROWS = 4, 15, 40
GRID = [[str(i) for i in range(ROWS)]]

_CODE = """
import sys
from convbench.results import building, collect
building.BYTES_PER_PROCESS = 1  # as if there were work for two
if __name__ == "__main__":
    print("ready", flush=True)
    collect(sys.argv[1], sys.argv[2], jobs=int(sys.argv[3]))
"""


def write_collection(folder: Path) -> Path:
    """Four results directories of fifteen files, forty rows each."""
    for source in range(SOURCES):
        files = {
            f"m{number % 2}/{number:02d}.json": a_file(source, number, 1.0)
            for number in range(FILES)
        }
        write_source(folder / f"p{source}", files, benchmark("a", ["n"]))
    return folder


def a_file(source: int, number: int, value: float) -> str:
    return result_file(
        {"a": row([value + i for i in range(ROWS)], GRID)},
        commit_hash=f"{source:020x}{number:020x}",
        date=1_600_000_000_000 + number,
    )


def change(results: Path) -> None:
    """Change files of one source, add some to another, and let a machine of a third vanish."""
    for number in range(0, FILES, 4):
        (results / f"p0/m{number % 2}/{number:02d}.json").write_text(a_file(0, number, 100.0))
        (results / f"p1/m0/new-{number}.json").write_text(a_file(1, 100 + number, 100.0))
    shutil.rmtree(results / "p3/m1")


Rows = dict[str, tuple[tuple[float, str], ...]]


def rows_of(store: Path) -> Rows:
    """Values and units of every file."""
    values = load(store).sort_values(["source", "value"])
    return {
        str(source): tuple(zip(rows["value"], rows["unit"], strict=True))
        for source, rows in values.groupby("source")
    }


@pytest.fixture(scope="module")
def scene(tmp_path_factory) -> tuple[Path, Path, Rows, Rows, dict[str, bytes]]:
    """Results that changed after a store was made; the rows before and after; the final content."""
    folder = tmp_path_factory.mktemp("kills")
    results = write_collection(folder / "results")
    collect(results, folder / "before")
    change(results)
    shutil.copytree(folder / "before", folder / "after")
    collect(results, folder / "after")
    collect(results, folder / "after")  # sweeps what the first one replaced
    old, new = rows_of(folder / "before"), rows_of(folder / "after")
    return results, folder / "before", old, new, content_of(folder / "after")


def start(results: Path, store: Path, jobs: int) -> subprocess.Popen[str]:
    """Start a collector in a process group of its own; return when it begins to collect."""
    words = [sys.executable, "-c", _CODE, str(results), str(store), str(jobs)]
    collector = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert collector.stdout is not None
    assert collector.stdout.readline() == "ready\n"
    return collector


def members(group: int) -> list[int]:
    """Processes of a group that are no zombies."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, of_group = stat.read_text().rpartition(")")[2].split()[:3]
        except OSError:  # it ended meanwhile
            continue
        if int(of_group) == group and state != "Z":
            found.append(int(stat.parent.name))
    return found


def counts() -> list[object]:
    """How many collectors are killed: some always, many where tests are slow."""
    return [5, pytest.param(50, marks=pytest.mark.slow)]


def check(scene: tuple[Path, Path, Rows, Rows, dict[str, bytes]], store: Path) -> bool:
    """Check a store that a killed collector left; return whether it has the new rows."""
    results, _, old, new, content = scene
    found = rows_of(store)
    assert found in (old, new)
    for name in schema.TABLES:
        read_table(store, name)
    collect(results, store)
    collect(results, store)
    assert rows_of(store) == new
    assert content_of(store) == content
    assert not list(store.rglob("*.part"))
    return found == new


@pytest.mark.parametrize("count", counts())
@pytest.mark.parametrize("jobs", [1, 2])
def test_a_killed_collector_leaves_the_old_store_or_the_new_one(scene, count, jobs):
    results, before, *_ = scene
    rng = random.Random(f"{count} {jobs}")
    longest = 0.6 if jobs == 1 else 3.0
    outcomes: Counter[bool] = Counter()
    for number in range(count):
        # Beside the others, as the sources are named by their place relative to the store.
        store = before.parent / f"killed-{jobs}-{count}-{number}"
        shutil.copytree(before, store)
        collector = start(results, store, jobs)
        time.sleep(rng.uniform(0, longest))
        os.killpg(collector.pid, signal.SIGKILL)
        collector.communicate()
        outcomes[check(scene, store)] += 1
        shutil.rmtree(store)

    assert len(outcomes) == 2 or count < 20  # before publishing, and after it


def test_the_workers_of_a_killed_collector_end(scene):
    results, before, *_ = scene
    store = before.parent / "orphans"
    shutil.copytree(before, store)
    collector = start(results, store, 2)
    deadline = time.monotonic() + 10
    while len(members(collector.pid)) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.5)
    collector.kill()
    collector.wait()  # not for the end of its output, which the workers share

    try:
        while members(collector.pid) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert members(collector.pid) == []
    finally:
        assert collector.stdout is not None
        collector.stdout.close()
        if members(collector.pid):
            os.killpg(collector.pid, signal.SIGKILL)
    check(scene, store)


class PowerCut(BaseException):
    pass


# What a collection writes, in its order: the power is cut before each.
WRITES = ("built_parts", "_record", "with_parts", "write_manifest")


@pytest.mark.parametrize("step", WRITES)
def test_a_cut_between_any_two_steps_is_made_good_by_the_next_collection(scene, monkeypatch, step):
    results, before, *_ = scene
    store = before.parent / f"cut-{step}"
    shutil.copytree(before, store)

    def die(*_: object) -> None:
        raise PowerCut

    with monkeypatch.context() as patch:
        patch.setattr(collection, step, die)
        with pytest.raises(PowerCut):
            collect(results, store)

    assert not check(scene, store)


def test_labels_of_a_collection_that_was_cut_reach_the_rows_of_the_next(tmp_path, monkeypatch):
    text = {"m/a.json": result_file({"a": row([1.0])})}
    results = write_source(tmp_path / "p", text, benchmark("a", [], unit="bytes"))
    store = tmp_path / "store"
    collect(results, store)
    (results / "benchmarks.json").write_text(json.dumps(benchmark("a", [], unit="seconds")))

    def die(*_: object) -> None:
        raise PowerCut

    with monkeypatch.context() as patch:
        patch.setattr(collection, "write_manifest", die)
        with pytest.raises(PowerCut):
            collect(results, store)
    collect(results, store)

    assert load(store)["unit"].tolist() == ["seconds"]


@pytest.mark.parametrize("rounds", [1, pytest.param(5, marks=pytest.mark.slow)])
def test_three_collectors_at_once_end_as_one(scene, rounds):
    results, before, _, new, content = scene
    for number in range(rounds):
        store = before.parent / f"shared-{rounds}-{number}"
        shutil.copytree(before, store)
        collectors = [start(results, store, 1) for _ in range(3)]
        for collector in collectors:
            collector.communicate()

        assert [collector.returncode for collector in collectors] == [0, 0, 0]
        assert rows_of(store) == new
        collect(results, store)
        assert content_of(store) == content
        shutil.rmtree(store)
