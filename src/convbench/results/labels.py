"""Labels: what descriptions put into rows, which are a benchmark's unit and its parameters' names.

A description may come after the results, or change; then rows that lie in the store have other
labels than they would get today, and their files are to be read again. The rows themselves tell
which: nothing else has to be kept right through interrupted and partial collections.
"""

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from convbench.results.grids import axis_names
from convbench.results.params import from_text
from convbench.results.part_files import read_groups
from convbench.results.partition import PartRecord
from convbench.results.result_file import Benchmark, undescribed

Descriptions = Mapping[str, Benchmark]

_COLUMNS = ("source", "benchmark", "unit", "params")

Label = tuple[str, str, tuple[str, ...]]
"""A benchmark, its unit and its parameters' names."""


def digest(descriptions: Descriptions) -> str:
    """Hash the labels that descriptions give."""
    labels = sorted((name, one.unit, one.param_names) for name, one in descriptions.items())
    return hashlib.sha256(repr(labels).encode()).hexdigest()[:16]


def mislabelled(store: Path, part: PartRecord, by_file: Mapping[str, Descriptions]) -> set[str]:
    """Return the files of a part whose rows have other labels than they would get.

    Parameters
    ----------
    by_file : mapping
        The descriptions of each file that is asked about.
    """
    asked = {file.source: by_file[file.source] for file in part.files if file.source in by_file}
    distinct = list({id(one): one for one in asked.values()}.values())
    found: set[str] = set()
    for rows in read_groups(store, part.paths, columns=_COLUMNS, samples=False, wanted={}):
        coded = _Coded(rows)
        # Mostly all labels are right, whichever file they are of.
        if all(_is_right(label, one) for label in coded.labels() for one in distinct):
            continue
        found |= {
            source
            for source, label in coded.labels_of_files()
            if source in asked and not _is_right(label, asked[source])
        }
    return found


def _is_right(label: Label, descriptions: Descriptions) -> bool:
    name, unit, names = label
    known = descriptions.get(name) or undescribed(name)
    return unit == known.unit and names == axis_names(known.param_names, len(names))


class _Coded:
    """Rows as numbers of their sources and labels."""

    def __init__(self, rows: pa.Table) -> None:
        columns = {name: rows[name].combine_chunks() for name in _COLUMNS}
        texts = {name: column.dictionary.to_pylist() for name, column in columns.items()}
        of_params = [tuple(name for name, _ in from_text(text)) for text in texts["params"]]
        distinct = list(dict.fromkeys(of_params))
        number = {names: place for place, names in enumerate(distinct)}
        params = np.array([number[names] for names in of_params], np.int64)
        codes = {name: np.asarray(column.indices, np.int64) for name, column in columns.items()}
        self._sources, self._benchmarks, self._units = (
            texts[name] for name in ("source", "benchmark", "unit")
        )
        self._names = distinct
        self._source = codes["source"]
        self._label = codes["benchmark"] * len(self._units) + codes["unit"]
        self._label = self._label * len(distinct) + (params[codes["params"]] if len(params) else 0)

    def labels(self) -> list[Label]:
        """Return the labels that any row has."""
        changes = np.flatnonzero(np.diff(self._label, prepend=-1))  # rows of one lie together
        return [self._named(label) for label in np.unique(self._label[changes]).tolist()]

    def labels_of_files(self) -> Iterable[tuple[str, Label]]:
        """Return the labels of each file."""
        both: npt.NDArray[np.int64] = self._label * len(self._sources) + self._source
        for number in np.unique(both).tolist():
            label, source = divmod(number, len(self._sources))
            yield self._sources[source], self._named(label)

    def _named(self, label: int) -> Label:
        rest, names = divmod(label, len(self._names))
        benchmark, unit = divmod(rest, len(self._units))
        return self._benchmarks[benchmark], self._units[unit], self._names[names]
