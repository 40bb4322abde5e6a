"""The fast reader of asv's result files: from bytes to arrays in one pass of machine code.

Only files of the plain shape are read: format 2, numbers where numbers belong, texts where texts
belong. The law is ``read(raw) is None or read(raw) == read_exact(raw)``. Python's `json` reads what
stands around the ``results``, which is small; `_asv_kernel` reads the results themselves. Texts are
decoded once: a project's files repeat their names, parameters and versions.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from convbench.results._asv_kernel import (
    COLUMNS,
    CROWDED,
    DURATION,
    FIRST_COUNT,
    FUNCTIONS,
    IGNORED,
    INLINED,
    PARAMS,
    RESULT,
    SAMPLES,
    STARTED_AT,
    VERSION,
    Floats,
    Positions,
    read_results,
)
from convbench.results._compiled import MachineCode, compiled
from convbench.results._decimal import Bytes
from convbench.results._known_benchmarks import KnownBenchmarks
from convbench.results.result_file import (
    COUNTS,
    INTERVALS,
    LAST_DATE_MS,
    MAX_ROWS,
    Head,
    ResultFile,
    Rows,
    Samples,
    date_ms,
    name,
    utf8,
)

_ROLES = {
    "result": RESULT,
    "stats_ci_99_a": 1,
    "stats_ci_99_b": 2,
    "stats_q_25": 3,
    "stats_q_75": 4,
    "stats_number": FIRST_COUNT,
    "stats_repeat": FIRST_COUNT + 1,
    "params": PARAMS,
    "version": VERSION,
    "started_at": STARTED_AT,
    "duration": DURATION,
    "samples": SAMPLES,
}

_RESULTS = b'"results"'

# What a file that is not plain makes the checks below, or json, raise.
_NOT_PLAIN = (ValueError, TypeError, KeyError, OverflowError, RecursionError)

# A first size of the arrays, in rows, and how much larger the next is: few files have more rows.
_ROOM, _GROWTH = 1 << 14, 4


class FastReader:
    """Read plain asv files one after the other; each thread needs a reader of its own.

    Making the first one of a process imports Numba and loads machine code, about a second; the very
    first one on a machine compiles it, about ten.
    """

    def __init__(self) -> None:
        self._kernel = _kernel()
        self._arrays = _Arrays.of_capacity(_ROOM)
        self._samples = np.empty(0)
        self._known = KnownBenchmarks()

    def read(self, raw: bytes) -> ResultFile | None:
        """Return the file's rows, or None when it is not of the plain shape.

        None says nothing about the file's validity: the exact reader decides. Never raises for what
        a file holds.
        """
        if self._kernel is None:
            return None
        try:
            return self._read(raw, self._kernel)
        except _NOT_PLAIN:
            return None

    def _read(self, raw: bytes, kernel: MachineCode) -> ResultFile:
        # What comes before the first "results" makes, with null and a bracket behind it, an object
        # that has this key only if it is a key of the file's object itself.
        start = raw.find(_RESULTS)
        head = _object(raw[: max(start, 0)] + _RESULTS + b":null}")
        start = _opening(raw, start + len(_RESULTS))
        end = self._scan(kernel, raw, start, _roles(head["result_columns"]))
        tail = _object(b"{" + _RESULTS + b":null" + raw[end:])
        if head.keys() & tail.keys() != {"results"}:
            raise ValueError("a key occurs twice")
        return ResultFile(_head(head | tail), self._rows(raw))

    def _scan(self, kernel: MachineCode, raw: bytes, start: int, roles: Positions) -> int:
        """Fill the arrays from the results that start at `start`; return where they end."""
        if len(self._samples) <= len(raw) // 2:  # a number and its comma take two bytes
            self._samples = np.empty(len(raw) // 2 + 1)
        data = np.frombuffer(raw + bytes(8), np.uint8)
        known = self._known
        known.settle()
        end = CROWDED
        capacity = _ROOM
        while end == CROWDED and capacity < MAX_ROWS * _GROWTH:
            if capacity != self._arrays.capacity:
                self._arrays = _Arrays.of_capacity(capacity)
            arrays = self._arrays
            end = kernel(
                *(data, start, roles, MAX_ROWS, LAST_DATE_MS),
                *(known.slots, known.table, known.texts),
                *(arrays.numbers, arrays.statuses, arrays.recorded, arrays.ends, self._samples),
                *(arrays.filled, arrays.times, arrays.spans, arrays.identities, arrays.sizes),
                *(arrays.left, arrays.totals),
            )
            capacity *= _GROWTH
        if end < 0:
            raise ValueError("not of the plain shape")
        self._settle(raw)
        return end

    def _settle(self, raw: bytes) -> None:
        """Let `float` read the few numbers that the kernel left to it."""
        arrays = self._arrays
        for column, index, start, end in arrays.left[1 : arrays.left[0, 0] + 1].tolist():
            value = float(raw[start:end])
            if column == SAMPLES:
                self._samples[index] = value
            elif column == DURATION:
                arrays.times[1, index] = value
            elif column < FIRST_COUNT:
                arrays.numbers[column, index] = value
            else:
                raise ValueError("a count of more digits than a double has")

    def _rows(self, raw: bytes) -> Rows:
        arrays = self._arrays
        benchmarks, rows, with_samples = arrays.totals.tolist()
        identities = arrays.identities[:benchmarks]
        for index in np.flatnonzero(identities < 0).tolist():
            cuts = arrays.spans[index].tolist()
            identities[index] = self._known.learn(
                *(raw[cuts[0] : cuts[1]], raw[cuts[2] : cuts[3]], raw[cuts[4] : cuts[5]]),
                size=int(arrays.sizes[index]),
                digest=cuts[6],
            )
        numbered = identities.tolist()
        names = tuple([self._known.names[identity] for identity in numbered])
        if len(set(names)) < benchmarks:
            raise ValueError("two benchmarks of one name")
        numbers = arrays.numbers[:, :rows].copy()
        return Rows(
            benchmarks=names,
            axes=tuple([self._known.axes[identity] for identity in numbered]),
            versions=tuple([self._known.versions[identity] for identity in numbered]),
            started_at_ms=arrays.times[0, :benchmarks].astype(np.int64),
            duration=arrays.times[1, :benchmarks].copy(),
            value=numbers[RESULT],
            status=arrays.statuses[:rows].copy(),
            intervals=dict(zip(INTERVALS, numbers[1:FIRST_COUNT], strict=True)),
            counts=dict(zip(COUNTS, numbers[FIRST_COUNT:].astype(np.int64), strict=True)),
            samples=self._recorded_samples(rows) if with_samples else None,
        )

    def _recorded_samples(self, rows: int) -> Samples:
        offsets = np.zeros(rows + 1, np.int64)
        offsets[1:] = self._arrays.ends[:rows]
        return Samples(
            recorded=self._arrays.recorded[:rows].astype(bool),
            offsets=offsets,
            values=self._samples[: offsets[-1]].copy(),
        )


@dataclass(frozen=True)
class _Arrays:
    """What the kernel writes, used again for file after file; `read_results` describes them."""

    numbers: Floats
    statuses: Bytes
    recorded: Bytes
    ends: Positions
    filled: Positions
    times: Floats
    spans: Positions
    identities: Positions
    sizes: Positions
    left: Positions
    totals: Positions

    @classmethod
    def of_capacity(cls, rows: int) -> "_Arrays":
        return cls(
            numbers=np.empty((COLUMNS, rows)),
            statuses=np.empty(rows, np.uint8),
            recorded=np.empty(rows, np.uint8),
            ends=np.empty(rows, np.int64),
            filled=np.empty(COLUMNS, np.int64),
            times=np.empty((2, rows)),
            spans=np.empty((rows, 7), np.int64),
            identities=np.empty(rows, np.int64),
            sizes=np.empty(rows, np.int64),
            left=np.empty((rows, 4), np.int64),
            totals=np.zeros(3, np.int64),
        )

    @property
    def capacity(self) -> int:
        return len(self.statuses)


def _object(text: bytes) -> dict[str, Any]:
    # Python's strict UTF-8; json would let surrogates pass.
    found = _DECODER.decode(text.decode())
    if not isinstance(found, dict) or found.get("results", text) is not None:
        raise ValueError("no object with results")
    return found


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key occurs twice")
    return found


_DECODER = json.JSONDecoder(object_pairs_hook=_without_repetition)


def _opening(raw: bytes, at: int) -> int:
    """Return the place of the bracket that opens the results; `at` is behind their key."""
    before, bracket, _ = raw[at : at + 1000].partition(b"{")
    if before.strip(b" \t\n\r") != b":" or not bracket:
        raise ValueError("results that are no object")
    return at + len(before)


def _roles(columns: object) -> Positions:
    if not isinstance(columns, list) or len(set(columns)) < len(columns):
        raise ValueError("no list of different columns")
    if not all(isinstance(column, str) for column in columns):
        raise ValueError("a column that has no name")
    return np.array([_ROLES.get(column, IGNORED) for column in columns], np.int64)


def _head(data: Mapping[str, Any]) -> Head:
    if type(data["version"]) is not int or data["version"] != 2:
        raise ValueError("another format than 2")
    return Head(
        commit=name(_plain(data["commit_hash"])),
        commit_date_ms=date_ms(data["date"]),
        environment=name(_plain(data["env_name"])),
        python=_plain(data.get("python")),
        requirements=_texts(data.get("requirements")),
        variables=_texts(data.get("env_vars")),
    )


def _texts(found: Any) -> Mapping[str, str]:
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise ValueError("texts that are no object")
    return {_plain(key): _plain(text) for key, text in found.items()}


def _plain(text: Any) -> str:
    """Return a text, or nothing for null; refuse other values, and surrogates."""
    if text is None:
        return ""
    if not isinstance(text, str) or utf8(text) != text:
        raise ValueError("no plain text")
    return text


@cache
def _kernel() -> MachineCode | None:
    def arguments() -> tuple[Any, ...]:
        from numba import types

        raw = types.Array(types.uint8, 1, "C", readonly=True)
        octets, floats, places = types.uint8[::1], types.float64[::1], types.int64[::1]
        rows_of_floats, rows_of_places = types.float64[:, ::1], types.int64[:, ::1]
        return (
            *(raw, types.int64, places, types.int64, types.int64),
            *(places, rows_of_places, types.uint64[::1]),
            *(rows_of_floats, octets, octets, places, floats),
            *(places, rows_of_floats, rows_of_places, places, places),
            *(rows_of_places, places),
        )

    return compiled(read_results, FUNCTIONS, arguments, INLINED)
