"""Whatever happened to the files between collections, the store has what they last said."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from asv_tree import NAN, benchmark, content_of, plain_rows, result_file, row, write_source

from convbench.errors import BadResults
from convbench.results import collect, load, partition
from convbench.results.words import Words

SOURCES = ("one", "two", "three")
MACHINES = ("m", "n")

Rows = list[tuple[Any, ...]]


@dataclass
class World:
    """Results directories that change, and what a store must know of every file ever seen.

    The oracle is a fresh store of the files as they are: its rows replace those of the same files,
    and rows of files that it does not have stay as they were.
    """

    folder: Path
    rng: np.random.Generator
    words: Words = field(default_factory=Words)
    expected: dict[str, Rows] = field(default_factory=dict)
    damaged: dict[Path, str] = field(default_factory=dict)
    deleted: dict[Path, str] = field(default_factory=dict)
    collections: int = 0

    @property
    def files(self) -> list[Path]:
        return sorted(
            path
            for path in self.folder.glob("results/*/*/*.json")
            if path.name != "machine.json" and path not in self.damaged
        )

    def any_of(self, paths: Iterable[Path]) -> Path | None:
        found = sorted(paths)
        return found[self.rng.integers(len(found))] if found else None

    def text(self, path: Path) -> str:
        """Results of a file: random ones under the commit and environment of its name."""
        number, environment = path.stem.split("-")
        size = int(self.rng.integers(1, 4))
        values = self.rng.choice([1.5, 2.0, NAN, None, 1e-9], size).tolist()
        quartiles = [value and 0.5 for value in values]
        samples = [value and [1.0] * int(self.rng.integers(1, 15)) for value in values]
        names = [str(n) for n in range(size)]
        return result_file(
            {
                "common": row(values, [names], samples=samples, stats_q_25=quartiles),
                f"own_{path.parts[-3]}": row([float(self.rng.random())], [["'im2col'"]]),
            },
            commit_hash=f"{int(number):040x}",
            date=1_690_000_000_000 + 1000 * int(number),
            env_name=environment,
        )

    # What may happen to the files.

    def add(self) -> None:
        name = f"{self.rng.integers(100)}-{self.rng.choice(['x', 'y'])}.json"
        place = Path(self.rng.choice(SOURCES), self.rng.choice(MACHINES), name)
        path = self.folder / "results" / place
        if path not in self.deleted and path not in self.damaged:
            path.write_text(self.text(path))

    def change(self) -> None:
        if path := self.any_of(self.files):
            path.write_text(self.text(path))

    def touch(self) -> None:
        if path := self.any_of(self.files):
            path.touch()

    def delete(self) -> None:
        if path := self.any_of(self.files):
            self.deleted[path] = path.read_text()
            path.unlink()

    def restore(self) -> None:
        if path := self.any_of(self.deleted):
            path.write_text(self.deleted.pop(path))

    def damage(self) -> None:
        if path := self.any_of(self.files):
            self.damaged[path] = path.read_text()
            path.write_bytes(path.read_bytes()[: int(self.rng.integers(0, 200))])

    def repair(self) -> None:
        if path := self.any_of(self.damaged):
            path.write_text(self.damaged.pop(path))

    def describe(self) -> None:
        """Change a source's descriptions: code alone, or a label of its own benchmark."""
        source = str(self.rng.choice(SOURCES))
        described = benchmark(f"own_{source}", [str(self.rng.choice(["strategy", "method"]))])
        described[f"own_{source}"]["code"] = f"def f(): {self.rng.integers(9)}"
        common = benchmark("common", ["n"])
        content = json.dumps(described | common)
        (self.folder / "results" / source / "benchmarks.json").write_text(content)

    def rename(self) -> None:
        self.words = Words(machines={"m": "renamed"})

    def change_some(self, changes: Sequence[str]) -> None:
        for change in self.rng.choice(changes, self.rng.integers(1, 4)):
            getattr(self, change)()

    # What must be there then.

    def collect(self, store: Path) -> None:
        self.collections += 1
        collect(self.folder / "results", store, project="p", words=self.words)

    def compare(self, store: Path) -> None:
        fresh = self.folder / f"fresh {self.collections}"
        self.collect(fresh)
        self.expected |= rows_by_source(fresh)
        machines = {source: self.words.machine(source.split("/")[-2]) for source in self.expected}
        values = load(store)
        assert rows_by_source(store) == self.expected
        assert dict(zip(values["source"], values["machine"], strict=True)) == machines


def rows_by_source(store: Path) -> dict[str, Rows]:
    values = load(store, samples=True).drop(columns="machine")  # which follows from the source
    return {source: plain_rows(rows) for source, rows in values.groupby("source")}


# A seed, and how large parts are: one per file, several, one for all.
@pytest.fixture(params=[(1, 1), (2, 2000), (3, partition.PART_BYTES)], ids=str)
def world(request, tmp_path, monkeypatch) -> World:
    seed, part_bytes = request.param
    monkeypatch.setattr(partition, "PART_BYTES", part_bytes)
    rng = np.random.default_rng(seed)
    for source in SOURCES:
        described = benchmark("common", ["n"])
        if source != "three":
            described |= benchmark(f"own_{source}", ["strategy"])
        folder = tmp_path / "results" / source
        write_source(folder, {f"{m}/0-x.json": "{" for m in MACHINES}, described)
    world = World(tmp_path, rng)
    for path in tmp_path.glob("results/*/*/0-x.json"):
        path.write_text(world.text(path))
    return world


@pytest.fixture
def store(tmp_path) -> Path:
    return tmp_path / "store"


CHANGES = ("add", "add", "change", "touch", "delete", "restore", "damage", "repair", "describe")


def test_the_store_has_what_every_file_last_said(world, store):
    for _ in range(12):
        world.change_some([*CHANGES, "rename"])

        world.collect(store)

        world.compare(store)


def test_a_grown_store_is_a_fresh_one_when_everything_is_there_again(world, store, tmp_path):
    for _ in range(12):
        world.change_some(CHANGES)
        world.collect(store)
    while world.damaged or world.deleted:
        world.repair()
        world.restore()

    world.collect(store)
    world.collect(store)  # removes what was replaced

    world.collect(tmp_path / "fresh")
    assert content_of(store) == content_of(tmp_path / "fresh")


def test_sources_that_are_collected_one_at_a_time_are_those_collected_together(
    world, store, tmp_path
):
    for source in world.rng.permutation(SOURCES):
        collect(tmp_path / "results" / str(source), store, project="p")
    world.collect(store)
    world.collect(store)

    world.collect(tmp_path / "fresh")
    assert content_of(store) == content_of(tmp_path / "fresh")


def test_nothing_is_read_again_when_nothing_changed(world, store):
    for _ in range(5):
        world.change_some(CHANGES)
    world.collect(store)
    before = content_of(store)

    summary = collect(world.folder / "results", store, project="p")

    assert summary.files_read == 0
    assert len(summary.damaged) == len(world.damaged)
    assert content_of(store).items() <= before.items()  # what was replaced is gone now


def test_damage_alone_is_an_error_and_changes_nothing(world, store):
    world.collect(store)
    before = content_of(store)
    for path in world.files:
        path.write_text("{")

    with pytest.raises(BadResults, match="nothing could be read: 6 damaged"):
        world.collect(store)

    assert before.items() <= content_of(store).items()
