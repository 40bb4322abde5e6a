"""Numbers for rows that are equal in some columns."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

MOST = 2**62
"""Numbers of several columns together stay below it, so that none overflows."""


def numbered(columns: Iterable["pd.Series[Any] | NDArray[Any]"], count: int) -> NDArray[np.int64]:
    """Give rows numbers from 0, in the order of their first: equal where all columns are.

    Parameters
    ----------
    columns
        Each with `count` values; nulls are equal to each other.

    Returns
    -------
    array, shape (count,)
    """
    numbers, bound = np.zeros(count, dtype=np.int64), 1
    for column in columns:
        codes, found = pd.factorize(column, use_na_sentinel=False)
        if bound * len(found) > MOST:
            numbers, distinct = pd.factorize(numbers)
            bound = len(distinct)
        numbers = numbers * len(found) + codes
        bound *= len(found)
    return pd.factorize(numbers)[0]
