import json
import math
import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convbench.results import fast_reader
from convbench.results._compiled import compiled
from convbench.results.fast_reader import FastReader
from convbench.results.result_file import (
    COUNTS,
    FAILED,
    INTERVALS,
    LAST_DATE_MS,
    MAX_ROWS,
    NO_COUNT,
    NO_TIME,
    OK,
    SKIPPED,
    ResultFile,
    date_ms,
    name,
)

COLUMNS = ["result", "params", "version", "started_at", "duration", "stats_ci_99_a"]
COLUMNS += ["stats_ci_99_b", "stats_q_25", "stats_q_75", "stats_number", "stats_repeat"]
COLUMNS += ["samples", "profile"]
INTERVAL_COLUMNS = dict(zip(INTERVALS, COLUMNS[5:9], strict=True))
COUNT_COLUMNS = dict(zip(COUNTS, COLUMNS[9:11], strict=True))

NAN = math.nan

BENCHMARKS: dict[str, list[Any]] = {
    "plain": [[0.25], [], "v1", 1626223299331, 9.295, [0.2], [0.3], [0.21], [0.29], [7], [10]],
    "grid": [
        *([1e-6, None, NAN, 4.0, math.inf, 17], [["a", "'b\\n'"], ["1", "2", "é"]], "v2"),
        *(1.0, None, [1.5, None, NAN, 2, 3, 4], [math.inf] * 6, [-math.inf] * 6),
        *(None, [1, None, NAN, 4.0, 5e3, 0], None),
        *([[1.0, 2.0], None, [], [3.0], None, [4.123456789012345678901]], {"a": [True, "é", {}]}),
    ],
    "failed": [None, [["x", "y"]], "v3", None, NAN],
    "cut": [[3.0]],
    "nothing": [],
    "empty axis": [[], [["a"], []], None],
    "profiled": [[1.0], [], None, None, None, *[None] * 6, [[0.5]], "eJw\\/"],
}


def document(**changes: Any) -> dict[str, Any]:
    """Return a file of the plain shape with everything in it, or one that differs."""
    return {
        "commit_hash": "0123abcd" * 5,
        "env_name": "virtualenv-py3.11",
        "date": 1626164013000,
        "params": {"machine": "m", "ram": None, "deep": [[{}]]},
        "python": "3.11",
        "requirements": {"numpy": "2.0", "six": "", "blas": None},
        "env_vars": {"CONVBENCH_BLAS": "openblas"},
        "result_columns": COLUMNS,
        "results": BENCHMARKS,
        "durations": {"<build>": 1.5},
        "version": 2,
    } | changes


def encoded(**changes: Any) -> bytes:
    return json.dumps(document(**changes)).encode()


def with_row(*cells: Any) -> bytes:
    return encoded(results={"b": list(cells)})


def with_result(text: str) -> bytes:
    """Return a file with one result, spelt as given."""
    return encoded(results={"b": [["here"]]}).replace(b'"here"', text.encode())


def plain(found: ResultFile) -> Any:
    """Return a file as Python's values; floats by repr, which tells NaN and -0.0 apart."""
    rows = found.rows
    samples = rows.samples
    lists = None
    if samples is not None:
        lists = [
            list(map(repr, samples.values[start:end].tolist())) if recorded else None
            for recorded, start, end in zip(
                samples.recorded, samples.offsets[:-1], samples.offsets[1:], strict=True
            )
        ]
    numbers = (rows.duration, rows.value, *(rows.intervals[one] for one in INTERVALS))
    return (
        found.head,
        *(rows.benchmarks, rows.axes, rows.versions, rows.started_at_ms.tolist()),
        [list(map(repr, column.tolist())) for column in numbers],
        rows.status.tolist(),
        {key: column.tolist() for key, column in rows.counts.items()},
        lists,
    )


def expected(raw: bytes) -> Any:
    """Return what `plain` must be, cell by cell from json; raise where a file says no such thing.

    Only for files of the plain shape; of others it may make anything.
    """
    data = json.loads(raw)
    assert type(data["version"]) is int
    assert data["version"] == 2
    head = (
        *(name(data["commit_hash"]), date_ms(data["date"]), name(data["env_name"])),
        data.get("python") or "",
        {key: pin or "" for key, pin in (data.get("requirements") or {}).items()},
        {key: text or "" for key, text in (data.get("env_vars") or {}).items()},
    )
    cells = [
        dict.fromkeys(COLUMNS) | dict(zip(data["result_columns"], row, strict=False))
        for row in data["results"].values()
    ]
    combinations = [list(product(*(one["params"] or []))) for one in cells]

    def column(key: str) -> list[Any]:
        return [
            value
            for one, rows in zip(cells, combinations, strict=True)
            for value, _ in zip(none_for(one[key], rows), rows, strict=True)
        ]

    def none_for(cell: Any, rows: list[Any]) -> list[Any]:
        return [None] * len(rows) if cell is None else cell

    results, samples = column("result"), column("samples")
    numbers = [[one["duration"] for one in cells], results]
    numbers += [column(INTERVAL_COLUMNS[one]) for one in INTERVALS]
    recorded = any(one is not None for one in samples)
    return (
        fast_reader.Head(*head),
        tuple(data["results"]),
        tuple(tuple(map(tuple, one["params"] or ())) for one in cells),
        tuple(one["version"] for one in cells),
        [NO_TIME if one["started_at"] is None else date_ms(one["started_at"]) for one in cells],
        [[repr(number(value)) for value in values] for values in numbers],
        [FAILED if v is None else SKIPPED if math.isnan(v) else OK for v in results],
        {key: [count(value) for value in column(COUNT_COLUMNS[key])] for key in COUNTS},
        [None if one is None else [repr(float(value)) for value in one] for one in samples]
        if recorded
        else None,
    )


def number(value: Any) -> float:
    return NAN if value is None else float(value)


def count(value: Any) -> int:
    if value is None or math.isnan(value):
        return NO_COUNT
    assert value == int(value)
    assert 0 <= value < 2**53
    return int(value)


@pytest.fixture(scope="module")
def reader() -> FastReader:
    return FastReader()


@pytest.mark.parametrize("indent", [None, 0, 4, "\t"])
def test_a_plain_file_is_read_as_json_reads_it(reader: FastReader, indent: int | None) -> None:
    raw = json.dumps(document(), indent=indent).encode()

    found = reader.read(raw)

    assert found is not None
    assert plain(found) == expected(raw)


def test_carriage_returns_and_tight_commas_are_white_space(reader: FastReader) -> None:
    tight = json.dumps(document(), separators=(",", ":")).encode()
    loose = json.dumps(document(), indent=1).replace("\n", "\r\n\t ").encode()

    found = [reader.read(raw) for raw in (tight, loose)]

    assert None not in found
    assert [plain(one) for one in found if one] == [expected(tight), expected(loose)]


def test_text_may_be_utf8_or_escaped(reader: FastReader) -> None:
    results = {'naïve "x" \\ \t 名': [[1.0], [["ü", "/"]], "v\n1"]}
    results['naïve "x" \\ \t 名'][0] = [1.0, 2.0]
    escaped = encoded(results=results)
    direct = json.dumps(document(results=results), ensure_ascii=False).encode()

    found = [reader.read(raw) for raw in (escaped, direct)]

    assert None not in found
    assert [plain(one) for one in found if one] == [expected(escaped)] * 2


def test_columns_may_come_in_any_order_and_be_missing(reader: FastReader) -> None:
    order = ["unknown", "version", "samples", "params", "stats_repeat", "result", "duration"]
    row = [{"x": []}, "v", [[1.0], None], [["a", "b"]], [3, 4], [5.0, 6.0], 7.5]
    raw = encoded(result_columns=order, results={"b": row, "c": row, "d": [None, "w"]})

    found = reader.read(raw)

    assert found is not None
    assert plain(found) == expected(raw)


def test_what_an_earlier_file_had_changes_nothing(reader: FastReader) -> None:
    grids = [[["a", "b"]], [["a", "b", "c"]], [["a"]], None]
    files = [
        encoded(results={"b": [None, grid, version], "c": [None, grid, version]})
        for _ in range(3)
        for grid in grids
        for version in ("v", "v2", None)
    ]
    other_order = ["version", "params", "result"]
    files += [
        encoded(result_columns=other_order, results={"b": [version, grid, None]})
        for grid in grids
        for version in ("v", "v3", None)
    ]

    found = [reader.read(raw) for raw in files]

    assert [one and plain(one) for one in found] == [expected(raw) for raw in files]


def test_more_versions_of_a_benchmark_than_are_compared_are_read_alike(reader: FastReader) -> None:
    files = [encoded(results={"b": [[1.0], None, f"v{n % 150}"]}) for n in range(300)]

    found = [reader.read(raw) for raw in files]

    assert [one and one.rows.versions for one in found] == [(f"v{n % 150}",) for n in range(300)]


def test_names_without_a_slot_are_read_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("convbench.results._known_benchmarks._SLOTS", 8)
    reader = FastReader()
    raw = encoded(results={f"b{n}": [[float(n)], None, "v"] for n in range(50)})

    found = [reader.read(raw) for _ in range(3)]

    assert [one and plain(one) for one in found] == [expected(raw)] * 3


def test_a_reader_that_has_seen_too_much_forgets_and_reads_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("convbench.results._known_benchmarks._MOST_BENCHMARKS", 10)
    reader = FastReader()
    files = [encoded(results={f"b{n}": [[1.0], None, "v"]}) for n in range(40)]

    found = [reader.read(raw) for raw in files]

    assert [one and one.rows.benchmarks for one in found] == [(f"b{n}",) for n in range(40)]
    assert len(reader._known.names) <= 11


def test_rows_beyond_the_first_room_are_read(reader: FastReader) -> None:
    axis = [str(n) for n in range(300)]
    raw = encoded(
        results={"large": [None, [axis, axis]], "small": [[1.0]]}
        | {f"b{n}": [[float(n)] * 40, [axis[:40]]] for n in range(1000)}
    )

    found = reader.read(raw)

    assert found is not None
    assert len(found.rows.value) == 90_000 + 1 + 40_000
    assert plain(found) == expected(raw)


def test_the_limit_of_rows_is_exact(reader: FastReader) -> None:
    axis = [str(n) for n in range(1000)]
    half = [axis, axis]
    fits = encoded(results={"a": [None, half], "b": [None, half]})
    too_many = encoded(results={"a": [None, half], "b": [None, half], "c": []})

    found = reader.read(fits)

    assert found is not None
    assert len(found.rows.status) == MAX_ROWS
    assert reader.read(too_many) is None
    assert reader.read(encoded(results={"a": [None, [*half, axis]]})) is None


def test_arrays_of_one_file_are_not_touched_by_the_next(reader: FastReader) -> None:
    raw = encoded()
    found = reader.read(raw)

    reader.read(with_row([9.0], None, "other"))

    assert found is not None
    assert plain(found) == expected(raw)


NOT_PLAIN: dict[str, bytes] = {
    "nothing": b"",
    "no object": b"[]",
    "another format": encoded(version=1),
    "format as float": encoded(version=2.0),
    "format as truth": encoded(version=True),
    "no columns": encoded(result_columns=None),
    "a column twice": encoded(result_columns=["result", "result"]),
    "columns that are no texts": encoded(result_columns=["result", 1]),
    "results that are a list": encoded(results=[]),
    "a row that is an object": encoded(results={"b": {}}),
    "more cells than columns": encoded(results={"b": [None] * 14}),
    "no commit": encoded(commit_hash=""),
    "commit that is a number": encoded(commit_hash=5),
    "no environment": encoded(env_name=None),
    "date after 9999": encoded(date=LAST_DATE_MS + 1),
    "endless date": encoded(date=math.inf),
    "date that is a text": encoded(date="today"),
    "requirements in a list": encoded(requirements=["numpy"]),
    "a number as requirement": encoded(requirements={"numpy": 2}),
    "surrogate in the head": encoded(env_name="\ud800"),
    "surrogate in a name": encoded(results={"\udfff": []}),
    "a key twice": encoded().replace(b'"durations"', b'"results"'),
    "a key before and behind the results": encoded().replace(b'"durations"', b'"params"'),
    "a benchmark twice": encoded().replace(b'"grid"', b'"cut"'),
    "a benchmark twice, escaped": encoded().replace(b'"grid"', b'"c\\u0075t"'),
    "byte order mark": b"\xef\xbb\xbf" + encoded(),
    "not UTF-8, a name": encoded().replace(b'"grid"', b'"gr\xffid"'),
    "not UTF-8, the head": encoded().replace(b'"3.11"', b'"3.\xff11"'),
    "not UTF-8, a profile": encoded().replace(b"eJw", b"e\xffw"),
    "surrogate in UTF-8": encoded().replace(b'"grid"', b'"gr\xed\xa0\x80id"'),
    "surrogate in UTF-8, what is ignored": encoded().replace(b'"m"', b'"\xed\xa0\x80"'),
    "UTF-16": encoded().decode().encode("utf-16"),
    "result that is a text": with_row(["1"]),
    "result that is true": with_row([True]),
    "result without a list": with_row(1.0),
    "too few results": with_row([1.0], [["a", "b"]]),
    "too many results": with_row([1.0, 2.0, 3.0], [["a", "b"]]),
    "parameters that are numbers": with_row([1.0], [[1]]),
    "parameters without axes": with_row([1.0], ["1"]),
    "version that is a number": with_row([1.0], None, 3),
    "start with a fraction": with_row([1.0], None, None, 0.5),
    "start before 1970": with_row([1.0], None, None, -1),
    "start after 9999": with_row([1.0], None, None, LAST_DATE_MS + 1),
    "start that is NaN": with_row([1.0], None, None, NAN),
    "duration that is a text": with_row([1.0], None, None, None, "1"),
    "count with a fraction": with_row([1.0], *[None] * 8, [0.5]),
    "count below zero": with_row([1.0], *[None] * 8, [-1]),
    "count beyond 2^53": with_row([1.0], *[None] * 8, [2**53]),
    "endless count": with_row([1.0], *[None] * 8, [math.inf]),
    "samples with null": with_row([1.0], *[None] * 10, [[None]]),
    "samples with NaN": with_row([1.0], *[None] * 10, [[NAN]]),
    "samples of too many rows": with_row([1.0], *[None] * 10, [[1.0], [1.0]]),
    "samples that are numbers": with_row([1.0], *[None] * 10, [1.0]),
    "a deep profile": with_row([1.0], *[None] * 11, json.loads("[" * 65 + "]" * 65)),
}


@pytest.mark.parametrize("raw", NOT_PLAIN.values(), ids=NOT_PLAIN)
def test_what_is_not_plain_is_left_to_the_exact_reader(reader: FastReader, raw: bytes) -> None:
    assert reader.read(raw) is None


def test_a_profile_may_be_nested(reader: FastReader) -> None:
    profile = json.loads('[{"a":[' * 16 + "]}]" * 16)
    raw = with_row([1.0], *[None] * 11, profile)

    assert reader.read(raw) is not None


BAD_NUMBERS = ["+1", "01", "-01", ".5", "1.", "1.e5", "1e", "1e+", "-", "--1", "0x10", "1_0"]
BAD_NUMBERS += ["nan", "-NaN", "NaNs", "Infinit", "-infinity", "nul", "nulll", "1 2", "1,", ",1"]
BAD_NUMBERS += ["١", "1\x00", "1e5.0", "1" * 5000, "true", '""', "[1]", "00", "0 .5", "1a"]


@pytest.mark.parametrize("text", BAD_NUMBERS)
def test_numbers_have_the_grammar_of_json(reader: FastReader, text: str) -> None:
    assert reader.read(with_result(text)) is None


BAD_STRINGS = [r"\x41", r"\u12", r"\u12g4", "a\nb", "a\x00b", "\x1f", "\\", r"\ud83d\ude00"]


@pytest.mark.parametrize("inside", BAD_STRINGS)
@pytest.mark.parametrize("place", ["name", "param", "version", "profile"])
def test_strings_have_the_grammar_of_json(reader: FastReader, place: str, inside: str) -> None:
    row = [[1.0], [["param"]], "version", *[None] * 9, "profile"]
    raw = encoded(results={"name": row})
    bad = raw.replace(f'"{place}"'.encode(), f'"{inside}"'.encode())

    assert reader.read(raw) is not None
    assert bad.count(inside.encode()) > 0
    assert reader.read(bad) is None


WORDS = [
    b"null",
    b"NaN",
    b"-Infinity",
    b"1e400",
    b"-0",
    b"-0.0",
    b"0.1e-3",
    b'"',
    b"\\",
    b"[",
    b"]",
]
WORDS += [b"{", b"}", b",", b":", b" ", b"\n", b"\t", b"9", b"-", b".", b"e5", b"\x00", b"\xff"]
WORDS += [
    b"\xc3\xa9",
    b'"\\u00e9"',
    b"[]",
    b"[[]]",
    b'"a"',
    b"12345678901234567890",
    b"true",
    b"{}",
]


def mutated(raw: bytes, rng: random.Random) -> bytes:
    """Change one to three places of a file: another byte, a word more, a piece less or twice."""
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        at = rng.randrange(len(raw))
        end = min(len(raw), at + rng.choice((1, 1, 2, 5, 20)))
        other = rng.randrange(len(raw))
        middle = rng.choice(
            (
                bytes([rng.randrange(256)]),
                rng.choice(WORDS),
                rng.choice(WORDS) + raw[at:end],
                b"",
                raw[at:end] * 2,
                raw[other : other + end - at],
            )
        )
        raw = raw[:at] + middle + raw[end:]
    return raw if rng.random() < 0.98 else raw[: rng.randrange(len(raw))]


def obeys_the_law(reader: FastReader, raw: bytes) -> bool:
    found = reader.read(raw)
    return found is None or plain(found) == expected(raw)


BASES: dict[str, Callable[[], bytes]] = {
    "everything": encoded,
    "indented": lambda: json.dumps(document(), indent=4).encode(),
    "numbers": lambda: with_row([1.5, -2e-7, 3, NAN, None], [list("abcde")], "v", 5, 0.25),
    "samples": lambda: with_row([1.0, 2.0], [["a", "b"]], *[None] * 9, [[1.0, 2.5e-6], None]),
}


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("seed", range(10))
def test_damaged_files_obey_the_law(reader: FastReader, base: str, seed: int) -> None:
    rng = random.Random(f"{base} {seed}")
    raw = BASES[base]()
    files = [mutated(raw, rng) for _ in range(250)]

    strange = [one for one in files if not obeys_the_law(reader, one)]

    assert not strange
    assert any(reader.read(one) for one in files)  # else the law would say nothing


def test_every_truncation_is_refused(reader: FastReader) -> None:
    raw = encoded()

    accepted = [end for end in range(len(raw)) if reader.read(raw[:end])]

    assert not accepted


def test_the_codes_of_the_kernel_are_those_of_the_record() -> None:
    from convbench.results import _asv_kernel, _decimal

    assert (_decimal.NUMBER, _decimal.NULL, _decimal.NOT_A_NUMBER) == (OK, FAILED, SKIPPED)
    assert _asv_kernel.NO_TIME == NO_TIME
    assert np.float64(_asv_kernel.NO_TIME).astype(np.int64) == NO_TIME


def test_nothing_is_imported_before_a_reader_is_made() -> None:
    code = "import sys; import convbench.results.fast_reader; sys.exit('numba' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def twice(number: int) -> int:
    return 2 * number


def one_more_than_twice(number: int) -> int:
    return twice(number) + 1


def compile_one_more_than_twice() -> Any:
    def arguments() -> tuple[Any, ...]:
        from numba import types

        return (types.int64,)

    return compiled(one_more_than_twice, [twice], arguments)


@pytest.fixture
def kept_in(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Path], None]]:
    """Give a function that makes Numba keep machine code in a folder."""
    import numba

    def keep_in(folder: Path) -> None:
        monkeypatch.setenv("NUMBA_CACHE_DIR", str(folder))
        numba.config.reload_config()

    yield keep_in
    monkeypatch.undo()
    numba.config.reload_config()


def test_machine_code_is_kept(kept_in: Callable[[Path], None], tmp_path: Path) -> None:
    kept_in(tmp_path)

    first = compile_one_more_than_twice()
    second = compile_one_more_than_twice()

    assert (first(3), second(3)) == (7, 7)
    assert sum(first.stats.cache_misses.values()) == 1
    assert sum(second.stats.cache_hits.values()) == 1


@pytest.mark.parametrize("ending", ["nbi", "nbc"])
@pytest.mark.parametrize("kept", [0, 0.5])
def test_damaged_machine_code_is_made_again(
    kept_in: Callable[[Path], None], tmp_path: Path, ending: str, kept: float
) -> None:
    kept_in(tmp_path)
    compile_one_more_than_twice()
    (file,) = tmp_path.rglob(f"*.{ending}")
    raw = file.read_bytes()
    file.write_bytes(raw[: int(kept * len(raw))])

    assert compile_one_more_than_twice()(3) == 7


def test_machine_code_is_made_where_none_can_be_kept(
    kept_in: Callable[[Path], None], tmp_path: Path
) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("no folder")
    kept_in(in_the_way)

    assert compile_one_more_than_twice()(3) == 7


def test_nothing_is_compiled_when_numba_is_told_not_to() -> None:
    code = (
        "from convbench.results.fast_reader import FastReader; import sys;"
        "sys.exit(FastReader().read(b'{}') is not None)"
    )
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1"}

    assert (
        subprocess.run([sys.executable, "-c", code], env=environment, check=False).returncode == 0
    )


def test_without_machine_code_everything_is_left_to_the_exact_reader(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fast_reader, "_kernel", lambda: None)

    assert FastReader().read(encoded()) is None
