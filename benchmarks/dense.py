"""The other half of the question: `np.dot` of a 500×3072 matrix with a vector."""

from functools import cache, partial
from typing import Any

import numpy as np

from . import _cells, _process

ROWS, COLUMNS = 500, 3072  # a dense layer on the same 32×32×3 image; 3,072,000 operations


@cache
def dot(dtype: str) -> Any:
    """Return the product as a call without arguments."""
    _process.check_cell(brings=())
    rng = np.random.default_rng(_process.SEED)
    matrix = rng.standard_normal((ROWS, COLUMNS), dtype=dtype)
    return partial(np.dot, matrix, rng.standard_normal(COLUMNS, dtype=dtype))


class Dense(_cells.TimedCells):
    """One matrix-vector product: bound by memory, one call, no Python loop."""

    param_names = ("dtype",)
    params = (("float32", "float64"),)

    def time_dot(self, dtype: str) -> None:
        dot(dtype)()
