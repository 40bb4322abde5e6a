"""The rows of one part as NumPy columns: from files and older parts to Arrow tables.

Text is held as numbers into a growing list of names, so joining, filtering and sorting files never
touches a string. Rows are sorted by benchmark, parameters, environment, date and source: a history
lies together (which makes the part small and a query for it quick), and the same rows give the same
bytes whatever order they came in.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from convbench.results.grids import Codes, Combination, Grids
from convbench.results.result_file import (
    COUNTS,
    INTERVALS,
    NO_COUNT,
    NO_TIME,
    Benchmark,
    Head,
    Rows,
    Samples,
)
from convbench.results.samples import joined_samples, no_samples, taken_samples
from convbench.results.schema import NAME, PAIRS, SCHEMAS, STATUSES, TEXT, TIME
from convbench.results.words import COLUMNS as WORD_COLUMNS
from convbench.results.words import Words

_NAMES = tuple(f.name for f in SCHEMAS["values"] if f.type == NAME and f.name != "status")
_TIMES = ("commit_date", "started_at")
_FLOATS = ("value", *INTERVALS, "duration")
_ROW_ORDER = ("benchmark", "params", "environment", "commit_date", "source")


class Names(dict[str | None, int]):
    """Numbers for names, in order of appearance; None (null) is a name of its own."""

    def __missing__(self, name: str | None) -> int:
        number = self[name] = len(self)
        return number


@dataclass(frozen=True)
class _Piece:
    """Rows of one file or older part; a constant column is a number in place of an array."""

    size: int
    numbers: Mapping[str, Any]
    lists: Mapping[str, Samples]


@dataclass(frozen=True)
class Part:
    """One part in its final order; `lists` are those of `schema.LISTS` that some row has."""

    values: pa.Table
    lists: Mapping[str, Samples]


class PartColumns:
    """Rows that become one part."""

    def __init__(self, words: Words) -> None:
        self._words = words
        self._names = {column: Names() for column in _NAMES}
        self._grids = Grids()
        self._pieces: list[_Piece] = []

    def add_file(
        self, constants: Mapping[str, str], head: Head, rows: Rows, known: Mapping[str, Benchmark]
    ) -> None:
        """Add a file's rows; `constants` are the texts that are the same for all of them."""
        about = [known.get(name) or Benchmark(name) for name in rows.benchmarks]
        codes = [
            self._grids.codes(one.param_names, axes)
            for one, axes in zip(about, rows.axes, strict=True)
        ]
        sizes = np.array(list(map(len, codes)), np.int64)
        per_benchmark: dict[str, npt.NDArray[Any]] = {
            "benchmark": self._coded("benchmark", rows.benchmarks),
            "unit": self._coded("unit", [one.unit for one in about]),
            "version": self._coded("version", rows.versions),
            "started_at": rows.started_at_ms,
            "duration": rows.duration,
        }
        numbers: dict[str, Any] = {
            **{column: self._names[column][constants.get(column, "")] for column in _NAMES},
            **{name: np.repeat(column, sizes) for name, column in per_benchmark.items()},
            "params": np.concatenate(codes) if codes else np.empty(0, np.int32),
            "commit_date": head.commit_date_ms,
            "value": rows.value,
            "status": rows.status,
            **rows.intervals,
            **rows.counts,
        }
        lists = {} if rows.samples is None else {"samples": rows.samples}
        self._pieces.append(_Piece(int(sizes.sum()), numbers, lists))

    def _coded(self, column: str, texts: Iterable[str | None]) -> Codes:
        names = self._names[column]
        return np.array([names[text] for text in texts], np.int32)

    def add_part(self, part: Part, keep: Iterable[str], owner: Mapping[str, str]) -> None:
        """Add the rows of an older part whose source is in `keep`.

        `owner` has texts that are the same for all rows now: project and machine.
        """
        values = part.values
        numbers: dict[str, Any] = {column: self._recoded(values, column) for column in _NAMES}
        status = values["status"].cast(TEXT).combine_chunks().dictionary_encode()
        order = pa.array(STATUSES, TEXT)
        numbers["status"] = np.array(
            [order.index(name).as_py() for name in status.dictionary], np.uint8
        )[status.indices.to_numpy()]
        for column in _TIMES:
            numbers[column] = values[column].cast(pa.int64()).fill_null(NO_TIME).to_numpy()
        for column in _FLOATS:
            numbers[column] = values[column].to_numpy()
        for column in COUNTS:
            numbers[column] = values[column].fill_null(NO_COUNT).to_numpy()
        numbers["params"] = self._combinations(values["params"])
        kept = [self._names["source"][name] for name in keep]
        rows = np.flatnonzero(np.isin(numbers["source"], kept))
        taken: dict[str, Any] = {name: column[rows] for name, column in numbers.items()}
        taken |= {name: self._names[name][text] for name, text in owner.items()}
        lists = {name: taken_samples(samples, rows) for name, samples in part.lists.items()}
        self._pieces.append(_Piece(len(rows), taken, lists))

    def _recoded(self, values: pa.Table, column: str) -> Codes:
        coded = values[column].combine_chunks()
        if not isinstance(coded, pa.DictionaryArray):
            coded = coded.cast(TEXT).dictionary_encode()
        own = self._coded(column, coded.dictionary.to_pylist())
        if not coded.null_count:
            return own[coded.indices.to_numpy()] if len(own) else np.empty(0, np.int32)
        own = np.array([*own, self._names[column][None]], np.int32)  # the last is null's
        places: npt.NDArray[np.int32] = coded.indices.fill_null(len(own) - 1).to_numpy()
        return own[places]

    def _combinations(self, params: pa.ChunkedArray) -> Codes:
        """Give the maps of an older part their numbers; each distinct one is looked at once."""
        maps = params.combine_chunks()
        offsets = maps.offsets.to_numpy()
        if not len(maps):
            return np.empty(0, np.int32)
        keys, items = (side.dictionary_encode() for side in (maps.keys, maps.items))
        pair = keys.indices.to_numpy().astype(np.int64) * max(len(items.dictionary), 1)
        pair += items.indices.to_numpy()
        names, texts = keys.dictionary.to_pylist(), items.dictionary.to_pylist()
        codes = np.empty(len(maps), np.int32)
        lengths = np.diff(offsets)
        for length in np.unique(lengths):
            rows = np.flatnonzero(lengths == length)
            cells = pair[(offsets[rows] - offsets[0])[:, None] + np.arange(length)]
            distinct, which = np.unique(cells, axis=0, return_inverse=True)
            numbers = [
                self._grids.code(
                    tuple((names[p // len(texts)], texts[p % len(texts)]) for p in one)
                )
                for one in distinct.tolist()
            ]
            codes[rows] = np.array(numbers, np.int32)[which.reshape(-1)]
        return codes

    @property
    def size(self) -> int:
        """Number of rows."""
        return sum(piece.size for piece in self._pieces)

    def finished(self) -> Part:
        """Return all rows in their order."""
        numbers = {name: self._joined(name) for name in (*_NAMES, *_NUMERIC)}
        combinations = self._grids.combinations
        self._fill_words(numbers, combinations)
        order = self._order(numbers, combinations)
        numbers = {name: column[order] for name, column in numbers.items()}
        named = {name for piece in self._pieces for name in piece.lists}
        lists = {name: taken_samples(self._joined_lists(name), order) for name in sorted(named)}
        return Part(self._table(numbers, combinations), lists)

    def _joined(self, name: str) -> npt.NDArray[Any]:
        kind = _NUMERIC.get(name, np.int32)
        columns = [
            np.full(piece.size, column, kind) if np.isscalar(column) else column
            for piece in self._pieces
            if (column := piece.numbers[name]) is not None
        ]
        return np.concatenate(columns) if columns else np.empty(0, kind)

    def _fill_words(self, numbers: dict[str, Any], combinations: Sequence[Combination]) -> None:
        """Write what parameters say into the columns that the project's words name."""
        for column in WORD_COLUMNS:
            told = [self._words.of_parameters(column, dict(one)) for one in combinations]
            if any(told):
                codes = self._coded(column, told)[numbers["params"]]
                says = np.array(list(map(bool, told)))[numbers["params"]]
                numbers[column] = np.where(says, codes, numbers[column]).astype(np.int32)

    def _order(
        self, numbers: Mapping[str, npt.NDArray[Any]], combinations: Sequence[Combination]
    ) -> npt.NDArray[np.intp]:
        """Return the rows' final order, by names and not by their numbers."""
        keys = []
        for column in _ROW_ORDER:
            if column == "commit_date":
                _, ranks = np.unique(numbers[column], return_inverse=True)
            else:
                names = combinations if column == "params" else list(self._names[column])
                ranks = _ranks(names)[numbers[column]]
            keys.append(ranks.astype(np.int64))
        combined = np.zeros(len(numbers["value"]), np.int64)
        sizes = [int(key.max(initial=0)) + 1 for key in keys]
        if np.prod([float(size) for size in sizes]) >= 2.0**62:
            return np.lexsort(keys[::-1])
        for key, size in zip(keys, sizes, strict=True):
            combined = combined * size + key
        return np.argsort(combined, kind="stable")

    def _table(
        self, numbers: Mapping[str, npt.NDArray[Any]], combinations: Sequence[Combination]
    ) -> pa.Table:
        columns = {}
        for field in SCHEMAS["values"]:
            column = numbers[field.name]
            if field.name == "status":
                columns[field.name] = _dictionary(column.astype(np.int32), list(STATUSES))
            elif field.name == "params":
                columns[field.name] = _maps(column, combinations)
            elif field.type == NAME:
                columns[field.name] = _dictionary(column, list(self._names[field.name]))
            elif field.type == TIME:
                columns[field.name] = pa.array(column, mask=column == NO_TIME).cast(TIME)
            elif field.name in COUNTS:
                columns[field.name] = pa.array(column, mask=column == NO_COUNT)
            else:
                columns[field.name] = pa.array(column, mask=np.isnan(column))
        return pa.table(columns, schema=SCHEMAS["values"])

    def _joined_lists(self, name: str) -> Samples:
        return joined_samples(
            [piece.lists.get(name) or no_samples(piece.size) for piece in self._pieces]
        )


_NUMERIC: Mapping[str, type] = {
    "params": np.int32,
    "status": np.uint8,
    **dict.fromkeys((*_TIMES, *COUNTS), np.int64),
    **dict.fromkeys(_FLOATS, np.float64),
}
"""Columns that are no names, with the type of their numbers."""


def _ranks(names: Sequence[Any]) -> npt.NDArray[np.int64]:
    """Return the place of each name in sorted order; null comes first."""
    told = sorted((i for i in range(len(names)) if names[i] is not None), key=names.__getitem__)
    order = [*(i for i in range(len(names)) if names[i] is None), *told]
    ranks = np.empty(len(names), np.int64)
    ranks[order] = np.arange(len(names))
    return ranks


def _dictionary(codes: Codes, names: list[Any]) -> pa.Array:
    """Give equal rows equal bytes: names that no row has are left out, the others sorted."""
    used = np.flatnonzero(np.bincount(codes, minlength=len(names)))
    ordered = sorted((i for i in used if names[i] is not None), key=lambda i: str(names[i]))
    own = np.zeros(len(names), np.int32)
    own[ordered] = np.arange(len(ordered), dtype=np.int32)
    null = names.index(None) if None in names else -1
    indices = pa.array(own[codes], pa.int32(), mask=codes == null if null >= 0 else None)
    return pa.DictionaryArray.from_arrays(indices, pa.array([names[i] for i in ordered], TEXT))


def _maps(codes: Codes, combinations: Sequence[Combination]) -> pa.Array:
    return pa.array(list(combinations), PAIRS).take(pa.array(codes))
