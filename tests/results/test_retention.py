"""Of old commits quantiles stay in place of many samples."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from asv_tree import content_of, result_file, row, source_in, write_source

from convbench.results import collect, load, partition

COMMITS = [letter * 40 for letter in "abcde"]
DAY_MS = 86_400_000


def samples_of(commit: str, size: int) -> list[float]:
    generator = np.random.default_rng([ord(commit[0]), size])
    return generator.uniform(1.0, 2.0, size).tolist()


def text(commit: str) -> str:
    """A commit's results: 30 samples, 11 samples, none; and a failed one."""
    samples = [samples_of(commit, 30), samples_of(commit, 11), None, None]
    cells = row([1.5, 1.25, 2.0, None], [["1", "2", "3", "4"]], samples=samples)
    date = 1_690_000_000_000 + DAY_MS * COMMITS.index(commit)
    return result_file({"a": cells}, commit_hash=commit, date=date)


def add(results: Path, commit: str) -> Path:
    return write_source(results, {f"m/{commit[:8]}-py.json": text(commit)})


@pytest.fixture
def results(tmp_path) -> Path:
    for commit in COMMITS[:4]:
        add(tmp_path / "p", commit)
    return tmp_path / "p"


@pytest.fixture
def one_commit_per_part(monkeypatch):
    monkeypatch.setattr(partition, "PART_BYTES", 1)


def lists(store: Path, commit: str) -> list[tuple[Any, Any]]:
    """Samples and quantiles of each row of a commit."""
    values = load(store, samples=True, commit=commit)
    plain = values[["samples", "quantiles"]].map(lambda c: None if c is None else list(c))
    return list(plain.itertuples(index=False, name=None))


def whole(commit: str) -> list[tuple[Any, Any]]:
    samples = [samples_of(commit, 30), samples_of(commit, 11), None, None]
    return [(cell, None) for cell in samples]


def shortened(commit: str) -> list[tuple[Any, Any]]:
    quantiles = np.quantile(samples_of(commit, 30), np.linspace(0, 1, 11)).tolist()
    return [(None, quantiles), *whole(commit)[1:]]


@pytest.mark.usefixtures("one_commit_per_part")
def test_the_newest_commits_keep_all_samples_and_older_ones_quantiles(results, tmp_path):
    collect(results, tmp_path / "store", keep_samples=2)

    found = [lists(tmp_path / "store", commit) for commit in COMMITS[:4]]
    assert found == [
        *(shortened(commit) for commit in COMMITS[:2]),
        *(whole(commit) for commit in COMMITS[2:4]),
    ]


def test_commits_of_one_part_are_told_apart(results, tmp_path):
    collect(results, tmp_path / "store", keep_samples=2)

    found = [lists(tmp_path / "store", commit) for commit in COMMITS[:4]]
    assert found == [
        *(shortened(commit) for commit in COMMITS[:2]),
        *(whole(commit) for commit in COMMITS[2:4]),
    ]


@pytest.mark.usefixtures("one_commit_per_part")
def test_a_later_commit_reduces_the_next_one(results, tmp_path):
    collect(results, tmp_path / "store", keep_samples=2)
    add(results, COMMITS[4])

    summary = collect(results, tmp_path / "store")

    assert summary.files_read == 1
    assert lists(tmp_path / "store", COMMITS[2]) == shortened(COMMITS[2])
    assert lists(tmp_path / "store", COMMITS[3]) == whole(COMMITS[3])
    assert lists(tmp_path / "store", COMMITS[4]) == whole(COMMITS[4])


@pytest.mark.usefixtures("one_commit_per_part")
def test_keeping_fewer_reduces_without_reading(results, tmp_path):
    collect(results, tmp_path / "store")
    assert lists(tmp_path / "store", COMMITS[0]) == whole(COMMITS[0])

    summary = collect(results, tmp_path / "store", keep_samples=1)

    assert summary.files_read == 0
    assert lists(tmp_path / "store", COMMITS[2]) == shortened(COMMITS[2])


@pytest.mark.usefixtures("one_commit_per_part")
def test_keeping_more_reads_again_what_was_reduced(results, tmp_path):
    collect(results, tmp_path / "store", keep_samples=2)
    (results / f"m/{COMMITS[0][:8]}-py.json").unlink()

    collect(results, tmp_path / "store", keep_samples=4)

    assert lists(tmp_path / "store", COMMITS[0]) == shortened(COMMITS[0])  # its file is gone
    assert lists(tmp_path / "store", COMMITS[1]) == whole(COMMITS[1])


@pytest.mark.usefixtures("one_commit_per_part")
def test_how_many_are_kept_is_remembered(results, tmp_path):
    collect(results, tmp_path / "store", keep_samples=2)
    before = content_of(tmp_path / "store")

    summary = collect(results, tmp_path / "store")

    assert summary.files_read == 0
    assert content_of(tmp_path / "store") == before


@pytest.mark.usefixtures("one_commit_per_part")
def test_none_may_be_kept(results, tmp_path):
    collect(results, tmp_path / "store", keep_samples=0)

    found = [lists(tmp_path / "store", commit) for commit in COMMITS[:4]]
    assert found == [shortened(commit) for commit in COMMITS[:4]]


def test_the_newest_hundred_are_kept_unless_said_otherwise(results, tmp_path):
    collect(results, tmp_path / "store")

    found = [lists(tmp_path / "store", commit) for commit in COMMITS[:4]]
    assert found == [whole(commit) for commit in COMMITS[:4]]


@pytest.mark.usefixtures("one_commit_per_part")
def test_a_damaged_file_does_not_take_the_place_of_a_commit(results, tmp_path):
    (results / "m/damaged.json").write_text("{")

    collect(results, tmp_path / "store", keep_samples=4)

    assert lists(tmp_path / "store", COMMITS[0]) == whole(COMMITS[0])


@pytest.mark.usefixtures("one_commit_per_part")
def test_a_reduced_row_of_a_file_that_was_damaged_later_keeps_its_quantiles(results, tmp_path):
    collect(results, tmp_path / "store", keep_samples=2)
    (results / f"m/{COMMITS[0][:8]}-py.json").write_text("{")

    collect(results, tmp_path / "store")
    collect(results, tmp_path / "store", keep_samples=9)

    assert lists(tmp_path / "store", COMMITS[0]) == shortened(COMMITS[0])


@pytest.mark.usefixtures("one_commit_per_part")
def test_no_other_column_knows_of_it(results, tmp_path):
    for name, kept in (("few", 1), ("many", 9)):
        collect(results, tmp_path / name, keep_samples=kept)

    few, many = load(tmp_path / "few"), load(tmp_path / "many")
    pd.testing.assert_frame_equal(few, many)
    assert source_in(tmp_path / "few", results / f"m/{COMMITS[0][:8]}-py.json") in set(
        few["source"]
    )


@pytest.mark.usefixtures("one_commit_per_part")
def test_growing_one_commit_at_a_time_reduces_as_a_fresh_store_does(results, tmp_path):
    files = sorted((results / "m").glob("*-py.json"))
    texts = [path.read_text() for path in files]
    for path in files:
        path.unlink()
    for path, content in zip(files, texts, strict=True):
        path.write_text(content)
        collect(results, tmp_path / "grown", keep_samples=2)
    collect(results, tmp_path / "grown")  # removes what was replaced
    collect(results, tmp_path / "fresh", keep_samples=2)

    assert content_of(tmp_path / "grown") == content_of(tmp_path / "fresh")
