"""The rows of one part as NumPy columns: from files and older parts to Arrow tables.

Text is held as numbers into a growing list of names, so joining, filtering and sorting files never
touches a string; and what is the same for a whole file, or for all rows of a benchmark in it, is
held once: a row knows its entry (benchmark in a file), an entry its file.

Rows are sorted by benchmark, parameters, environment, date and source: a history lies together
(which makes the part small and a query for it quick), and the same rows give the same bytes
whatever order they came in.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from convbench.results.grids import Codes, Grids
from convbench.results.params import as_text, from_text
from convbench.results.result_file import (
    COUNTS,
    INTERVALS,
    NO_COUNT,
    NO_TIME,
    Benchmark,
    Head,
    Rows,
    Samples,
    undescribed,
)
from convbench.results.samples import joined_samples, no_samples, taken_samples
from convbench.results.schema import NAME, ROWS, STATUSES, TEXT, TIME
from convbench.results.words import COLUMNS as WORD_COLUMNS
from convbench.results.words import Words

Column = npt.NDArray[Any]

_OF_ENTRIES = ("benchmark", "unit", "version", "started_at", "duration")
_OF_ROWS = ("params", "status", "value", *INTERVALS, *COUNTS)
_OF_FILES = tuple(name for name in ROWS.names if name not in (*_OF_ENTRIES, *_OF_ROWS))
_TIMES = ("commit_date", "started_at")
_FLOATS = ("value", *INTERVALS, "duration")
_NAMES = tuple(
    column.name for column in ROWS if column.type == NAME and column.name not in _OF_ROWS
)


_NAMES_OF_FILES = tuple(name for name in _NAMES if name in _OF_FILES)


class Names(dict[str | None, int]):
    """Numbers for names, in order of appearance; None (null) is a name of its own."""

    def __missing__(self, name: str | None) -> int:
        number = self[name] = len(self)
        return number


@dataclass(frozen=True)
class Part:
    """One part in its final order; `lists` are those of `schema.LISTS` that some row has."""

    values: pa.Table
    lists: Mapping[str, Samples]


@dataclass(frozen=True)
class _Shape:
    """What the names of a file's benchmarks, their axes and versions come to."""

    names: Mapping[str, Codes]  # one number per benchmark
    sizes: Column
    params: Codes  # one number per row


class _Level:
    """Columns of all files, entries or rows, piece by piece; `owners` number the level above."""

    def __init__(self) -> None:
        self.size = 0
        self._owners: list[Column] = []
        self._columns: dict[str, list[Column]] = {}
        self._single: dict[str, list[int]] = {}

    def add(self, owners: Column, columns: Mapping[str, Column]) -> None:
        """Add a piece."""
        self._gather()
        self._owners.append(owners)
        self.size += len(owners)
        for name, column in columns.items():
            self._columns.setdefault(name, []).append(column)

    def add_one(self, numbers: Mapping[str, int]) -> None:
        """Add a piece of one, which has no owner."""
        self.size += 1
        for name, number in numbers.items():
            self._single.setdefault(name, []).append(number)

    def _gather(self) -> None:
        """Make one piece of many of one."""
        for name, numbers in self._single.items():
            kind = np.int64 if name in _TIMES else np.int32
            self._columns.setdefault(name, []).append(np.array(numbers, kind))
        self._single = {}

    def owners(self) -> Column:
        """Return the owners of all pieces."""
        return np.concatenate(self._owners)

    def columns(self) -> dict[str, Column]:
        """Return the columns of all pieces."""
        self._gather()
        return {name: np.concatenate(pieces) for name, pieces in self._columns.items()}


class PartColumns:
    """Rows that become one part."""

    def __init__(self, words: Words) -> None:
        self._words = words
        self._names = {column: Names() for column in _NAMES}
        self._grids = Grids()
        self._files, self._entries, self._rows = _Level(), _Level(), _Level()
        self._lists: list[Mapping[str, Samples]] = []
        self._sizes: list[int] = []
        self._last: tuple[object, object, _Shape] | None = None

    def add_file(
        self, constants: Mapping[str, str], head: Head, rows: Rows, known: Mapping[str, Benchmark]
    ) -> None:
        """Add a file's rows; `constants` are the texts that are the same for all of them."""
        shape = self._shape(rows, known)
        count = len(rows.benchmarks)
        file = np.full(count, self._files.size, np.int32)
        entries = np.arange(self._entries.size, self._entries.size + count, dtype=np.int32)
        of_file = {name: self._names[name][constants.get(name, "")] for name in _NAMES_OF_FILES}
        self._files.add_one(of_file | {"commit_date": head.commit_date_ms})
        self._entries.add(
            file,
            {
                **shape.names,
                "started_at": rows.started_at_ms,
                "duration": rows.duration,
            },
        )
        self._add_rows(
            np.repeat(entries, shape.sizes),
            {
                "params": shape.params,
                "value": rows.value,
                "status": rows.status,
                **rows.intervals,
                **rows.counts,
            },
            {} if rows.samples is None else {"samples": rows.samples},
        )

    def _shape(self, rows: Rows, known: Mapping[str, Benchmark]) -> _Shape:
        """Return a file's names and combinations by number; mostly those of the file before."""
        key = (rows.benchmarks, rows.axes, rows.versions)
        if self._last is None or self._last[0] != key or self._last[1] is not known:
            self._last = (key, known, self._new_shape(rows, known))
        return self._last[2]

    def _new_shape(self, rows: Rows, known: Mapping[str, Benchmark]) -> _Shape:
        about = [known.get(name) or undescribed(name) for name in rows.benchmarks]
        codes = [
            self._grids.codes(one.param_names, axes)
            for one, axes in zip(about, rows.axes, strict=True)
        ]
        return _Shape(
            names={
                "benchmark": self._coded("benchmark", rows.benchmarks),
                "unit": self._coded("unit", [one.unit for one in about]),
                "version": self._coded("version", rows.versions),
            },
            sizes=np.fromiter(map(len, codes), np.int64, len(codes)),
            params=np.concatenate(codes) if codes else np.empty(0, np.int32),
        )

    def _coded(self, column: str, texts: Sequence[str | None]) -> Codes:
        names = self._names[column]
        return np.fromiter((names[text] for text in texts), np.int32, len(texts))

    def _add_rows(
        self, entries: Column, columns: Mapping[str, Column], lists: Mapping[str, Samples]
    ) -> None:
        self._rows.add(entries, columns)
        self._lists.append(lists)
        self._sizes.append(len(entries))

    def add_part(self, part: Part, keep: Iterable[str], owner: Mapping[str, str]) -> None:
        """Add the rows of an older part whose source is in `keep`.

        `owner` has texts that are the same for all rows now: project and machine.
        """
        columns = {name: self._recoded(part.values, name) for name in ROWS.names}
        kept = np.array([self._names["source"][name] for name in keep], np.int32)
        rows = np.flatnonzero(np.isin(columns["source"], kept))
        taken = {name: column[rows] for name, column in columns.items()}
        for name, text in owner.items():
            taken[name] = np.full(len(rows), self._names[name][text], np.int32)
        # Each row is an entry and a file of its own: what it shares with others is not known.
        own = np.arange(len(rows), dtype=np.int32)
        files, entries = self._files.size + own, self._entries.size + own
        self._files.add(own, {name: taken[name] for name in _OF_FILES})
        self._entries.add(files, {name: taken[name] for name in _OF_ENTRIES})
        lists = {name: taken_samples(samples, rows) for name, samples in part.lists.items()}
        self._add_rows(entries, {name: taken[name] for name in _OF_ROWS}, lists)

    def _recoded(self, values: pa.Table, name: str) -> Column:
        """Return a column of an older part as numbers of ours."""
        column = values[name].combine_chunks()
        if pa.types.is_dictionary(column.type):
            own = self._own_numbers(name, column.dictionary.to_pylist())
            places: npt.NDArray[np.int32] = np.asarray(column.indices.fill_null(len(own) - 1))
            return own[places]
        if name in _TIMES:
            column = column.cast(pa.int64()).fill_null(NO_TIME)
        elif name in COUNTS:
            column = column.fill_null(NO_COUNT)
        plain: Column = np.asarray(column)
        return plain

    def _own_numbers(self, name: str, texts: list[str]) -> Column:
        """Return our numbers for an older part's names; the last one is null's."""
        if name == "params":
            return np.array([self._grids.code(from_text(text)) for text in texts], np.int32)
        if name == "status":
            return np.array([STATUSES.index(text) for text in texts], np.uint8)
        return np.array([*self._coded(name, texts), self._names[name][None]], np.int32)

    def finished(self) -> Part:
        """Return all rows in their order."""
        if not self._sizes:
            return Part(ROWS.empty_table(), {})
        entry, file = self._rows.owners(), self._entries.owners()
        of_rows, of_entries = self._rows.columns(), self._entries.columns()
        of_files = self._files.columns()
        order = self._order(entry, of_rows, file, of_entries, of_files)
        rows = {name: column[order] for name, column in of_rows.items()}
        # A name that no row has must not stand in the part.
        entry_lives = np.bincount(entry, minlength=len(file)) > 0
        file_lives = np.bincount(file[entry_lives], minlength=self._files.size) > 0
        # NumPy would turn shorter numbers into these for each of twenty columns.
        entry = entry[order].astype(np.intp)
        file = file[entry].astype(np.intp)
        arrays = {
            **{name: self._array(name, column, None, len(order)) for name, column in rows.items()},
            **{
                name: self._array(name, column, entry, len(order), entry_lives)
                for name, column in of_entries.items()
            },
            **{
                name: self._array(name, column, file, len(order), file_lives)
                for name, column in of_files.items()
            },
        }
        arrays |= self._words_of(rows["params"], arrays)
        named = sorted({name for lists in self._lists for name in lists})
        lists = {name: taken_samples(self._joined_lists(name), order) for name in named}
        return Part(pa.table([arrays[name] for name in ROWS.names], schema=ROWS), lists)

    def _array(
        self,
        name: str,
        column: Column,
        place: Column | None,
        size: int,
        lives: Column | None = None,
    ) -> pa.Array:
        """Return one column of all rows; `place` is each row's in `column`, None for its own."""
        kind = ROWS.field(name).type
        if kind == NAME:
            return _dictionary(column, self._texts(name), place, size, lives)
        whole = column if place is None else column[place]
        if name in _FLOATS:
            return pa.array(whole, from_pandas=True)  # NaN is null
        numbers = pa.array(whole, mask=whole == (NO_TIME if kind == TIME else NO_COUNT))
        return numbers.cast(TIME) if kind == TIME else numbers

    def _texts(self, name: str) -> list[str | None]:
        """Return the texts that a column's numbers stand for."""
        if name == "params":
            return [as_text(one) for one in self._grids.combinations]
        return list(STATUSES) if name == "status" else list(self._names[name])

    def _order(
        self,
        entry: Column,
        of_rows: Mapping[str, Column],
        file: Column,
        of_entries: Mapping[str, Column],
        of_files: Mapping[str, Column],
    ) -> npt.NDArray[np.intp]:
        """Return the rows' final order, by names and not by their numbers."""
        benchmark = _ranks(list(self._names["benchmark"]))[of_entries["benchmark"]]
        params = _ranks(self._grids.combinations)
        environment, source = (
            _ranks(list(self._names[name]))[of_files[name]] for name in ("environment", "source")
        )
        by_file = np.lexsort((source, of_files["commit_date"], environment))
        place = np.empty(len(by_file), np.int64)
        place[by_file] = np.arange(len(by_file))
        # One number in place of three: its largest is far below 2**63 for any part.
        base = benchmark * (len(params) * len(by_file)) + place[file]
        key = base[entry] + (params * len(by_file))[of_rows["params"]]
        return np.argsort(key, kind="stable")

    def _words_of(self, params: Column, said: Mapping[str, pa.Array]) -> dict[str, pa.Array]:
        """Return the columns that parameters fill, as the project's words name them.

        Where a parameter says nothing, what was `said` before stands.
        """
        combinations = [dict(one) for one in self._grids.combinations]
        filled = {}
        for name in WORD_COLUMNS:
            told = [self._words.of_parameters(name, one) for one in combinations]
            if any(told):
                names = Names()
                codes = np.array([names[text] for text in told], np.int32)[params]
                own = np.array(
                    [names[text] for text in said[name].dictionary.to_pylist()], np.int32
                )
                before = own[np.asarray(said[name].indices)]
                codes = np.where(codes == names[""], before, codes).astype(np.int32)
                filled[name] = _dictionary(codes, list(names), None, len(codes), None)
        return filled

    def _joined_lists(self, name: str) -> Samples:
        pieces = zip(self._lists, self._sizes, strict=True)
        return joined_samples([lists.get(name) or no_samples(size) for lists, size in pieces])


def _ranks(names: Sequence[Any]) -> npt.NDArray[np.int64]:
    """Return the place of each name in sorted order; null comes first."""
    told = sorted((i for i in range(len(names)) if names[i] is not None), key=names.__getitem__)
    order = [*(i for i in range(len(names)) if names[i] is None), *told]
    ranks = np.empty(len(names), np.int64)
    ranks[order] = np.arange(len(names))
    return ranks


def _dictionary(
    codes: Column,
    texts: Sequence[str | None],
    place: Column | None,
    size: int,
    lives: Column | None,
) -> pa.Array:
    """Return the texts of all rows, coded by number.

    Equal rows give equal bytes: texts that no row has are left out, the others sorted.
    """
    living = codes if lives is None else codes[lives]
    used = np.flatnonzero(np.bincount(living, minlength=len(texts))).tolist()
    ordered = sorted((i for i in used if texts[i] is not None), key=lambda i: str(texts[i]))
    own = np.full(len(texts), -1, np.int32)  # null, and what no row has
    own[ordered] = np.arange(len(ordered), dtype=np.int32)
    if len(used) == 1:
        places = np.full(size, own[used[0]], np.int32)
    else:
        places = own[codes] if place is None else own[codes][place]
    null = any(texts[i] is None for i in used)
    indices = pa.array(places, mask=places < 0 if null else None)
    return pa.DictionaryArray.from_arrays(indices, pa.array([texts[i] for i in ordered], TEXT))
