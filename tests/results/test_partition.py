"""How the files of one machine are shared out to parts, and what is peeked of a file."""

import json
import statistics
from dataclasses import replace

import pytest
from asv_tree import COMMIT, format_1_file, result_file, row
from hypothesis import given
from hypothesis import strategies as st

from convbench.results.partition import (
    PART_BYTES,
    FileRecord,
    PartRecord,
    newest_commits,
    peek,
    shared_out,
)
from convbench.results.result_file import LAST_DATE_MS


def record(source: str, date: int = 0, size: int = PART_BYTES // 10, commit: str = "c"):
    return FileRecord(source, "", date, commit, size)


SIZES = st.sampled_from([1, PART_BYTES // 50, PART_BYTES // 3, PART_BYTES, 3 * PART_BYTES])
FILES = st.lists(
    st.builds(
        record, st.integers(0, 10**6).map(lambda n: f"m/{n}.json"), st.integers(0, 20), SIZES
    ),
    unique_by=lambda file: file.source,
    max_size=40,
)


@given(FILES)
def test_every_file_is_in_one_part_and_parts_are_in_order_of_date(files):
    parts = shared_out(files)

    shared = [file for part in parts for file in part]
    assert all(parts)
    assert shared == sorted(files, key=lambda file: (file.date_ms, file.source))


@given(FILES, st.randoms(use_true_random=False))
def test_parts_depend_on_the_files_and_not_on_their_order(files, random):
    shuffled = list(files)
    random.shuffle(shuffled)

    assert shared_out(shuffled) == shared_out(files)


@given(FILES, SIZES, st.integers(0, 10**6))
def test_a_newest_file_changes_the_last_part_only(files, size, number):
    before = shared_out(files)
    newest = record(f"m/new {number}.json", date=21, size=size)

    after = shared_out([*files, newest])

    assert after[: max(len(before) - 1, 0)] == before[:-1]
    last, *more = after[max(len(before) - 1, 0) :]
    if more:  # the last part had ended
        assert [last, *more] == [before[-1], [newest]]
    else:
        assert last == [*(before[-1] if before else []), newest]


@given(FILES)
def test_no_part_has_more_than_twice_the_size_and_one_file(files):
    for part in shared_out(files):
        assert sum(file.size_bytes for file in part[:-1]) <= 2 * PART_BYTES


@pytest.mark.parametrize("files_per_part", [1, 20, 200])
def test_parts_end_between_once_and_twice_the_size(files_per_part):
    size = PART_BYTES // files_per_part
    files = [record(f"m/{n}.json", date=n, size=size) for n in range(400 * files_per_part)]

    sizes = [sum(file.size_bytes for file in part) for part in shared_out(files)]

    assert min(sizes[:-1]) >= PART_BYTES - files_per_part  # sizes are rounded down
    assert max(sizes) <= 2 * PART_BYTES + size
    # What comes after once the size is geometric with a mean of a third, and cut at three means:
    # 1 - e**-3 of it remains. The mean of 300 such is within 0.08 of it in all but a few of a
    # million cases.
    expected = 1 if files_per_part == 1 else 1 + (1 - 2.718281828**-3) / 3
    assert statistics.mean(sizes[:-1]) / PART_BYTES == pytest.approx(expected, abs=0.08)


def test_parts_do_not_depend_on_where_the_files_lie():
    files = [record(f"m/{n}.json", date=n) for n in range(100)]
    moved = [replace(file, source=f"../far/away/{file.source}") for file in files]

    assert [len(part) for part in shared_out(moved)] == [len(part) for part in shared_out(files)]


def test_a_file_in_the_middle_leaves_far_parts_as_they_are():
    files = [record(f"m/{n}.json", date=2 * n) for n in range(1000)]
    before = {tuple(part) for part in shared_out(files)}

    after = {tuple(part) for part in shared_out([*files, record("m/late.json", date=1001)])}

    assert len(before) > 50
    assert len(before - after) <= 5


@pytest.mark.parametrize("text", [result_file({"a": row([1.0])}), format_1_file({"a": 1.0})])
def test_both_formats_say_date_and_commit_in_their_text(text):
    assert peek(text.encode()) == (1_690_000_000_000, COMMIT)
    assert peek(json.dumps(json.loads(text), indent=4).encode()) == (1_690_000_000_000, COMMIT)
    assert peek(json.dumps(json.loads(text), separators=(",", ":")).encode()) is not None


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"{",
        b'{"date": 5}',
        b'{"commit_hash": "abc"}',
        b'{"commit_hash": "no hash", "date": 5}',
        b'{"commit_hash": "abc", "date": "5"}',
        b'{"commit_hash": "abc", "date": -5}',
        b'{"commit_hash": "abc", "date": 1' + b"0" * 20 + b"}",
        b"\x00\xff",
    ],
)
def test_nothing_is_peeked_where_one_of_both_is_missing(head):
    assert peek(head) is None


def test_a_date_beyond_the_last_is_the_last():
    assert peek(b'{"commit_hash": "abc", "date": 999999999999999}') == (LAST_DATE_MS, "abc")


def test_the_newest_commits_are_those_of_the_latest_dates():
    files = [record("a", 5, commit="x"), record("b", 1, commit="y"), record("c", 3, commit="z")]
    files += [record("d", 0, commit="x"), record("e", 4, commit="y")]

    assert newest_commits(files, 2) == {"x", "y"}
    assert newest_commits(files, 0) == set()
    assert newest_commits(files, 9) == {"x", "y", "z"}


RECORDS = st.builds(FileRecord, *[st.text()] * 2, st.integers(), st.text(), st.integers())


@given(st.lists(RECORDS, min_size=1))
def test_a_part_survives_the_manifest(files):
    paths = {"values": "values/project=p/machine=m/0a.parquet", "samples": None}
    part = PartRecord("p", "m", paths, tuple(files))

    assert PartRecord.from_entry(json.loads(json.dumps(part.as_entry()))) == part
