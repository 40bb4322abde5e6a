"""The rows of one part as NumPy columns: from files and older parts to Arrow tables.

Text is held as numbers into a growing list of names, so joining, filtering and sorting files never
touches a string; and what is the same for a whole file, or for all rows of a benchmark in it, is
held once: a row knows its entry (benchmark in a file), an entry its file.

Rows are sorted by benchmark, parameters, environment, date and source: a history lies together
(which makes the part small and a query for it quick), and the same rows give the same bytes
whatever order they came in.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
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
_NAMES = tuple(
    column.name for column in ROWS if column.type == NAME and column.name not in _OF_ROWS
)


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


@dataclass
class _Level:
    """Columns of all files, entries or rows, piece by piece; `owners` number the level above."""

    size: int = 0
    owners: list[Column] = field(default_factory=list)
    columns: dict[str, list[Column]] = field(default_factory=dict)

    def add(self, owners: Column, columns: Mapping[str, Column]) -> None:
        """Add a piece."""
        self.owners.append(owners)
        self.size += len(owners)
        for name, column in columns.items():
            self.columns.setdefault(name, []).append(column)

    def joined(self) -> tuple[Column, dict[str, Column]]:
        """Return owners and columns of all pieces."""
        columns = {name: np.concatenate(pieces) for name, pieces in self.columns.items()}
        return np.concatenate(self.owners), columns


class PartColumns:
    """Rows that become one part."""

    def __init__(self, words: Words) -> None:
        self._words = words
        self._names = {column: Names() for column in _NAMES}
        self._grids = Grids()
        self._files, self._entries, self._rows = _Level(), _Level(), _Level()
        self._lists: list[Mapping[str, Samples]] = []
        self._sizes: list[int] = []

    def add_file(
        self, constants: Mapping[str, str], head: Head, rows: Rows, known: Mapping[str, Benchmark]
    ) -> None:
        """Add a file's rows; `constants` are the texts that are the same for all of them."""
        about = [known.get(name) or Benchmark(name) for name in rows.benchmarks]
        codes = [
            self._grids.codes(one.param_names, axes)
            for one, axes in zip(about, rows.axes, strict=True)
        ]
        sizes = np.fromiter(map(len, codes), np.int64, len(codes))
        file = np.full(len(codes), self._files.size, np.int32)
        entries = np.arange(self._entries.size, self._entries.size + len(codes), dtype=np.int32)
        of_file = {
            name: np.array([self._names[name][constants.get(name, "")]], np.int32)
            for name in _NAMES
            if name in _OF_FILES
        }
        self._files.add(np.zeros(1), of_file | {"commit_date": np.array([head.commit_date_ms])})
        self._entries.add(
            file,
            {
                "benchmark": self._coded("benchmark", rows.benchmarks),
                "unit": self._coded("unit", [one.unit for one in about]),
                "version": self._coded("version", rows.versions),
                "started_at": rows.started_at_ms,
                "duration": rows.duration,
            },
        )
        self._add_rows(
            np.repeat(entries, sizes),
            {
                "params": np.concatenate(codes) if codes else np.empty(0, np.int32),
                "value": rows.value,
                "status": rows.status,
                **rows.intervals,
                **rows.counts,
            },
            {} if rows.samples is None else {"samples": rows.samples},
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
        entry, of_rows = self._rows.joined()
        file, of_entries = self._entries.joined()
        _, of_files = self._files.joined()
        order = self._order(entry, of_rows, file, of_entries, of_files)
        of_rows = {name: column[order] for name, column in of_rows.items()}
        entry = entry[order]
        columns = of_rows | {name: column[entry] for name, column in of_entries.items()}
        file = file[entry]
        for name, column in of_files.items():
            columns[name] = column[:1] if (column == column[0]).all() else column[file]
        self._fill_words(columns)
        named = sorted({name for lists in self._lists for name in lists})
        lists = {name: taken_samples(self._joined_lists(name), order) for name in named}
        return Part(self._table(columns, len(order)), lists)

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

    def _fill_words(self, columns: dict[str, Column]) -> None:
        """Write what parameters say into the columns that the project's words name."""
        combinations = [dict(one) for one in self._grids.combinations]
        for name in WORD_COLUMNS:
            told = [self._words.of_parameters(name, one) for one in combinations]
            if any(told):
                codes = self._coded(name, told)[columns["params"]]
                says = np.array([bool(text) for text in told])[columns["params"]]
                columns[name] = np.where(says, codes, columns[name]).astype(np.int32)

    def _table(self, columns: Mapping[str, Column], size: int) -> pa.Table:
        arrays = {}
        for about in ROWS:
            column = columns[about.name]
            if about.name == "params":
                texts = [as_text(one) for one in self._grids.combinations]
                arrays[about.name] = _dictionary(column, texts, size)
            elif about.name == "status":
                arrays[about.name] = _dictionary(column, list(STATUSES), size)
            elif about.type == NAME:
                arrays[about.name] = _dictionary(column, list(self._names[about.name]), size)
            elif about.type == TIME:
                whole = np.broadcast_to(column, size) if len(column) < size else column
                arrays[about.name] = pa.array(whole, mask=whole == NO_TIME).cast(TIME)
            elif about.name in COUNTS:
                arrays[about.name] = pa.array(column, mask=column == NO_COUNT)
            else:
                arrays[about.name] = pa.array(column, mask=np.isnan(column))
        return pa.table(arrays, schema=ROWS)

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


def _dictionary(codes: Column, names: list[Any], size: int) -> pa.Array:
    """Give equal rows equal bytes: names that no row has are left out, the others sorted.

    One code stands for all rows.
    """
    used = np.flatnonzero(np.bincount(codes, minlength=len(names)))
    ordered = sorted((i for i in used if names[i] is not None), key=lambda i: str(names[i]))
    own = np.zeros(len(names), np.int32)
    own[ordered] = np.arange(len(ordered), dtype=np.int32)
    null = names.index(None) if None in names else -1
    mask = codes == null if null >= 0 and null in used else None
    if len(codes) < size:
        mask = None if mask is None else np.broadcast_to(mask, size)
        indices = pa.array(np.zeros(size, np.int32), mask=mask)
    else:
        indices = pa.array(own[codes], pa.int32(), mask=mask)
    return pa.DictionaryArray.from_arrays(indices, pa.array([names[i] for i in ordered], TEXT))
