"""The values as columns: of numbers arrays, of texts one object for all equal ones."""

import math
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from convbench.results.numbering import numbered
from convbench.results.schema import OK, SKIPPED

Params = tuple[tuple[str, str], ...]
Rows = NDArray[np.int64]
"""Rows of the values, by number."""

TEXTS = (
    *("measure", "benchmark", "machine", "line", "environment", "blas", "threads", "version"),
    *("blas_identity", "strategy", "problem", "dtype", "unit", "status", "run"),
)

PLACE = ("machine", "line")
"""What tells the lines of a series apart."""

HISTORY = ("machine", "environment", "blas", "threads", "version")
"""What tells the histories of a series apart that `detect` searches."""


class ValueColumns:
    """Columns in which a row's cells have its number; what a text column misses is empty.

    Equal texts and equal parameters are one object each; numbers that are not finite are NaN.
    """

    def __init__(self, values: pd.DataFrame) -> None:
        self.text = {name: _texts(values[name]) for name in TEXTS}
        self.params, params = _all_params(values["params"])
        self.position: Rows = values["position"].to_numpy(np.int64)
        self.value, self.low, self.high = (_numbers(values[n]) for n in ("value", "low", "high"))
        self.is_value = (self.text["status"] == OK) & np.isfinite(self.value)
        self.history = numbered([self.text[name] for name in HISTORY], len(values))
        self._started_at = values["started_at"]
        self._series = numbered([self.text["measure"], self.text["benchmark"], params], len(values))

    @cached_property
    def lines(self) -> list[list[Rows]]:
        """The rows of each line of each series, in their order."""
        place = numbered([self.text[name] for name in PLACE], len(self.position))
        line = numbered([self._series, place], len(self.position))
        found: list[list[Rows]] = [[] for _ in range(self._series.max(initial=-1) + 1)]
        order = np.argsort(line, kind="stable")
        starts = np.flatnonzero(np.diff(line[order], prepend=-1))
        for rows in np.split(order, starts[1:]) if len(order) else []:
            found[self._series[rows[0]]].append(rows)
        return found

    def rank(self, row: int) -> tuple[bool, float, str]:
        """Rank the rows of one commit as `detect` does: a skipped one first, then by start."""
        started = self._started_at.iloc[row]
        moment = -math.inf if pd.isna(started) else started.timestamp()
        return self.text["status"][row] != SKIPPED, moment, self.text["run"][row]


def params_of(params: object) -> Params:
    """Give a Parquet map, which pandas reads as pairs or as a dict, as pairs."""
    if params is None or (isinstance(params, float) and math.isnan(params)):
        return ()
    pairs: Any = params.items() if isinstance(params, dict) else params
    return tuple((str(name), str(value)) for name, value in pairs)


def finite(value: float | None) -> float | None:
    """Give None for what JSON and people cannot read."""
    return None if value is None or not math.isfinite(value) else float(value)


def _texts(column: pd.Series) -> NDArray[np.object_]:
    codes, names = pd.factorize(column)
    # A missing one has the code -1: the last.
    return np.array([*map(str, names), ""], dtype=object)[codes]


def _all_params(column: pd.Series) -> tuple[list[Params], NDArray[np.int64]]:
    """Give the parameters of each row, and numbers that are equal for equal ones."""
    cells = column.to_numpy(object)
    # Rows of one combination share an object in most stores: each is looked at once.
    distinct = {id(cell): cell for cell in cells}
    numbers: dict[Params, int] = {}
    known = {
        key: numbers.setdefault(params_of(cell), len(numbers)) for key, cell in distinct.items()
    }
    combinations = list(numbers)
    codes = np.array([known[id(cell)] for cell in cells], dtype=np.int64)
    return [combinations[code] for code in codes.tolist()], codes


def _numbers(column: pd.Series) -> NDArray[np.float64]:
    numbers = column.to_numpy("float64", na_value=np.nan)
    return np.where(np.isfinite(numbers), numbers, np.nan)
