"""Real files of every kind, ways to damage them, and what any record that is read must be like."""

import json
import random
import re
from collections.abc import Callable

import numpy as np
from adapters.foreign_files import (
    google_entry,
    google_file,
    pyperf_file,
    pyperf_run,
    pytest_entry,
    pytest_file,
)
from asv_tree import INFINITY, NAN, benchmark, facts, facts_2, format_1_file, result_file, row

from convbench.results.part_columns import Part, PartColumns
from convbench.results.result_file import (
    FAILED,
    LAST_DATE_MS,
    NO_COUNT,
    NO_TIME,
    OK,
    SKIPPED,
    ResultFile,
)
from convbench.results.words import Words

GRID = [["'a'", "'b'"], ["1", "2"]]

FORMAT_2 = {
    "suite.time_grid": row(
        [1.5e-3, None, NAN, 2],
        GRID,
        stats_ci_99_a=[1e-3, None, None, -INFINITY],
        stats_ci_99_b=[2e-3, None, None, INFINITY],
        stats_q_25=[1.25e-3, None, None, 2],
        stats_q_75=[1.75e-3, None, None, 2],
        stats_number=[10, None, None, 1],
        stats_repeat=[5, None, None, 1],
        samples=[[1.5e-3, 1e-3], None, None, []],
    ),
    "suite.track_é": row([17]),
    "suite.failed": row(None, [["'x'", "'y'"]]),
    "suite.empty": row([], [[]]),
}
FORMAT_1 = {
    "suite.time_grid": {
        "result": [1.5e-3, None, NAN, 2],
        "params": GRID,
        "stats": [{"ci_99": [1, 2], "q_25": 1, "q_75": 2, "number": 3, "repeat": 4}, None, {}, {}],
        "samples": [[1.5e-3], None, None, [2.0]],
    },
    "suite.plain": 0.25,
    "suite.failed": None,
}
DESCRIBED = benchmark("suite.time_grid", ["how", "n"]) | benchmark("suite.track_é", [])

FILES: dict[str, tuple[str, ...]] = {
    "format 2": (
        result_file(FORMAT_2, requirements={"numpy": "2.0"}, env_vars={"OMP_NUM_THREADS": "1"}),
        json.dumps(json.loads(result_file({"a": row([1.0])}, python=None)), indent=1),
    ),
    "format 1": (format_1_file(FORMAT_1), format_1_file({"a": 1.0}, requirements={"numpy": ""})),
    "benchmarks.json": (json.dumps(DESCRIBED), json.dumps({"version": 2})),
    "machine.json": ('{"arch":"x86_64","cpu":"é","machine":"m","num_cpu":4,"ram":"8","os":null}',),
    "facts.json": (json.dumps(facts()), json.dumps(facts_2())),
    "pyperf": (
        json.dumps(pyperf_file({"a": [pyperf_run([1.0, 2.0]), pyperf_run([3])], "b": []})),
        json.dumps(pyperf_file({"a": [pyperf_run([1])]}, commit_id="c" * 40, cpu_count=4)),
    ),
    "pytest-benchmark": (
        json.dumps(pytest_file(pytest_entry("t.py::f[1]", params={"n": 1}, param="1"))),
        json.dumps(pytest_file(pytest_entry("t.py::g", data=[1.0, 2.0, 3.0]))),
    ),
    "Google Benchmark": (
        json.dumps(google_file(google_entry("BM_x/8/n:2"), google_entry("BM_x/8/n:2", 6))),
        json.dumps(google_file(google_entry("BM_y", error_occurred=True), library_version="1.8")),
    ),
}
"""A few files of each kind, with everything that the kind knows."""

_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[-+.\w]+|[\[\]{},:]')

_WORDS = [
    *(b"null", b"true", b"NaN", b"-Infinity", b"1e400", b"-0", b"-1", b"1.5", b"1e999999"),
    *(
        b'""',
        b'"x"',
        b'"\\ud800"',
        b'"\\u0000"',
        b'"\\u001b[2J"',
        b"[]",
        b"{}",
        b"[[]]",
        b'{"a":1}',
    ),
    *(b"253402300800000", b"9" * 400, b'"', b"\\", b"\xff", b"\xc3\xa9", b"\x00", b" ", b"[" * 50),
]


def damaged(raw: bytes, other: bytes, rng: random.Random) -> bytes:
    """Change one to three places of a file; `other` is one that pieces may be taken from."""
    for _ in range(rng.choice((1, 1, 2, 3))):
        raw = rng.choice(_WAYS)(raw, other, rng) or b" "
    return raw


def _flip(raw: bytes, _: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(raw))
    return raw[:at] + bytes([raw[at] ^ 1 << rng.randrange(8)]) + raw[at + 1 :]


def _cut(raw: bytes, _: bytes, rng: random.Random) -> bytes:
    return raw[: rng.randrange(len(raw))] if rng.random() < 0.1 else raw


def _splice(raw: bytes, other: bytes, rng: random.Random) -> bytes:
    at, end = _place(raw, rng)
    start, stop = _place(other, rng)
    if rng.random() < 0.2:
        return raw[:at] + other[start:]
    return raw[:at] + other[start:stop] + raw[end:]


def _replace(raw: bytes, _: bytes, rng: random.Random) -> bytes:
    at, end = _place(raw, rng)
    return raw[:at] + rng.choice(_WORDS) + raw[end:]


def _drop(raw: bytes, _: bytes, rng: random.Random) -> bytes:
    at, end = _place(raw, rng)
    if rng.random() < 0.7:  # with its comma, so that the rest is JSON
        end += len(raw[end:]) - len(raw[end:].lstrip(b" ,"))
    return raw[:at] + raw[end:]


def _swap(raw: bytes, _: bytes, rng: random.Random) -> bytes:
    (at, end), (start, stop) = sorted((_place(raw, rng), _place(raw, rng)))
    if end > start:
        return raw
    return raw[:at] + raw[start:stop] + raw[end:start] + raw[at:end] + raw[stop:]


def _repeat(raw: bytes, _: bytes, rng: random.Random) -> bytes:
    at, end = rng.randrange(len(raw)), rng.randrange(len(raw) + 1)
    return raw[: max(at, end)] + raw[min(at, end) :]


def _place(raw: bytes, rng: random.Random) -> tuple[int, int]:
    """Return where a token begins and ends."""
    tokens = [found.span() for found in _TOKEN.finditer(raw)]
    return rng.choice(tokens) if tokens else (0, len(raw))


_Way = Callable[[bytes, bytes, random.Random], bytes]
_WAYS: tuple[_Way, ...] = (
    _flip,
    _cut,
    _splice,
    _replace,
    _replace,
    _replace,
    _drop,
    _swap,
    _repeat,
)


def assert_consistent(file: ResultFile) -> None:
    """Check what holds for every record, whatever file it was read from."""
    rows, total = file.rows, sum(file.rows.sizes)
    of_benchmarks = (rows.axes, rows.versions, rows.started_at_ms, rows.duration)
    assert {len(one) for one in of_benchmarks} <= {len(rows.benchmarks)}
    of_rows = (rows.value, rows.status, *rows.intervals.values(), *rows.counts.values())
    assert {len(one) for one in of_rows} == {total}
    assert set(rows.status.tolist()) <= {OK, FAILED, SKIPPED}
    assert np.isnan(rows.value[rows.status != OK]).all()
    assert all((count >= NO_COUNT).all() for count in rows.counts.values())
    started = rows.started_at_ms[rows.started_at_ms != NO_TIME]
    assert ((started >= 0) & (started <= LAST_DATE_MS)).all()
    assert 0 <= file.head.commit_date_ms <= LAST_DATE_MS
    if rows.samples is not None:
        offsets = rows.samples.offsets
        assert len(rows.samples.recorded) == len(offsets) - 1 == total
        assert offsets[0] == 0
        assert offsets[-1] == len(rows.samples.values)
        lengths = np.diff(offsets)
        assert (lengths >= 0).all()
        assert not lengths[~rows.samples.recorded].any()


def stored(file: ResultFile) -> Part:
    """Return the part that a file's rows alone make: every one of its texts must be UTF-8."""
    head = file.head
    constants = {"environment": head.environment, "commit": head.commit, "source": "s"}
    columns = PartColumns(Words())
    columns.add_file(constants, head, file.rows, file.benchmarks)
    part = columns.finished()
    part.values.validate(full=True)
    for text in (head.python, head.machine, *head.requirements.items(), *head.variables.items()):
        "".join(text).encode()
    return part


def same_record(one: ResultFile, other: ResultFile) -> bool:
    """Whether two readers made the same of a file, bit by bit but for kinds of NaN."""
    return one.head == other.head and _plain(one) == _plain(other)


def _plain(file: ResultFile) -> tuple[object, ...]:
    rows = file.rows
    columns = [rows.started_at_ms, rows.duration, rows.value, rows.status]
    columns += [rows.intervals[name] for name in sorted(rows.intervals)]
    columns += [rows.counts[name] for name in sorted(rows.counts)]
    if rows.samples is not None:
        columns += [rows.samples.recorded, rows.samples.offsets, rows.samples.values]
    named = (rows.benchmarks, rows.axes, rows.versions)
    return (*named, *(_bits(column) for column in columns))


def _bits(column: np.ndarray) -> tuple[str, bytes]:
    if column.dtype.kind == "f":
        column = np.where(np.isnan(column), np.nan, column)
    return column.dtype.str, column.tobytes()
