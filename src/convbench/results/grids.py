"""asv's parameter grids: names and `repr` strings in, combinations of plain text out.

asv stores a benchmark's axes, not its combinations; results follow in `itertools.product` order.
A grid repeats in every file of a project, so each is expanded once and rows refer to its
combinations by number.
"""

import ast
import itertools
import math
import warnings
from collections.abc import Sequence
from functools import lru_cache

import pyarrow as pa

from convbench.results.schema import PAIRS, TEXT

# The parameters that have a column of their own, by the name that an asv suite gives them.
AXIS_COLUMNS = ("strategy", "problem", "dtype")

# Far above any real suite: a damaged grid must not fill the memory.
MAX_COMBINATIONS = 1_000_000

Combination = tuple[tuple[str, str], ...]


def utf8(text: object) -> str:
    """Return `text` with lone surrogates escaped: JSON can hold them, Parquet's UTF-8 can't."""
    return str(text).encode(errors="backslashreplace").decode()


@lru_cache(maxsize=100_000)
def unquote(text: str) -> str:
    """Return the string of which `text` is the `repr`; any other text as it is."""
    if text[:1] not in ("'", '"'):
        return utf8(text)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # no repr has an invalid escape: leave such text alone
            value = ast.literal_eval(text)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return utf8(text)
    return utf8(value if isinstance(value, str) else text)


def axis_names(param_names: Sequence[str], count: int) -> tuple[str, ...]:
    """Name `count` axes: the declared names, else ``param1`` …; a repeated name gets a number."""
    names: list[str] = []
    for position in range(count):
        name = param_names[position] if position < len(param_names) else f"param{position + 1}"
        while name in names:
            name = f"{name}_{position + 1}"
        names.append(name)
    return tuple(names)


class Grids:
    """The parameter combinations met so far, numbered in order of appearance."""

    def __init__(self) -> None:
        self._combinations: dict[Combination, int] = {}
        self._expanded: dict[tuple[tuple[str, ...], tuple[tuple[str, ...], ...]], list[int]] = {}

    def codes(self, param_names: Sequence[str], axes: Sequence[Sequence[str]]) -> list[int]:
        """Return the number of each combination of a grid, in the order of asv's results."""
        values = tuple(tuple(map(str, axis)) for axis in axes)
        names = axis_names(param_names, len(values))
        known = self._expanded.get((names, values))
        if known is None:
            size = math.prod(map(len, values))
            if size > MAX_COMBINATIONS:
                raise ValueError(f"a parameter grid of {size} combinations")
            plain = [
                [(name, unquote(v)) for v in axis] for name, axis in zip(names, values, strict=True)
            ]
            known = self._expanded[names, values] = [
                self._combinations.setdefault(combination, len(self._combinations))
                for combination in itertools.product(*plain)
            ]
        return known

    def columns(self, codes: pa.Array) -> dict[str, pa.Array]:
        """Return the column `params` and those of `AXIS_COLUMNS` for rows given by number."""
        combinations = list(self._combinations)
        columns = {"params": pa.array(combinations, PAIRS).take(codes)}
        for axis in AXIS_COLUMNS:
            texts = [dict(combination).get(axis, "") for combination in combinations]
            columns[axis] = pa.array(texts, TEXT).take(codes)
        return columns
