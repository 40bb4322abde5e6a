"""The values as columns of plain Python objects, which are quicker to walk through than a frame."""

import math
from collections.abc import Hashable
from typing import Any

import numpy as np
import pandas as pd

from convbench.results.schema import SKIPPED

Params = tuple[tuple[str, str], ...]

TEXTS = (
    *("measure", "benchmark", "machine", "line", "environment", "blas", "threads", "version"),
    *("blas_identity", "strategy", "problem", "dtype", "unit", "status", "run"),
)

HISTORY = ("machine", "environment", "blas", "threads", "version")
"""What tells the histories of a series apart that `detect` searches."""


class ValueColumns:
    """Columns in which a row's cells have its number; what a text column misses is empty.

    Equal texts and equal parameters are one object each; numbers that are not finite are None.
    """

    def __init__(self, values: pd.DataFrame) -> None:
        self.text = {name: _texts(values[name]) for name in TEXTS}
        self.params = _all_params(values["params"])
        self.position: list[int] = values["position"].tolist()
        self.value, self.low, self.high = (_numbers(values[n]) for n in ("value", "low", "high"))
        self.history = list(zip(*(self.text[name] for name in HISTORY), strict=True))
        self._started_at = values["started_at"]

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


def _texts(column: pd.Series) -> list[str]:
    codes, names = pd.factorize(column)
    # A missing one has the code -1: the last.
    named: list[str] = np.array([*map(str, names), ""], dtype=object)[codes].tolist()
    return named


def _all_params(column: pd.Series) -> list[Params]:
    known: dict[Hashable, Params] = {}
    made = []
    for params in column:
        key = _key(params)
        if key not in known:
            known[key] = params_of(params)
        made.append(known[key])
    return made


def _key(params: Any) -> Hashable:
    """Give something that is equal for equal parameters, at the least cost."""
    if isinstance(params, dict):
        return tuple(params.items())
    return tuple(params) if isinstance(params, list) else repr(params)


def _numbers(column: pd.Series) -> list[float | None]:
    return [finite(value) for value in column.to_numpy("float64", na_value=np.nan).tolist()]
