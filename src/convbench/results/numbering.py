"""Numbers for rows that are equal in some columns."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray


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
    numbers = np.zeros(count, dtype=np.int64)
    for column in columns:
        codes, found = pd.factorize(column, use_na_sentinel=False)
        # Numbered anew after each column: the product can't overflow.
        numbers, _ = pd.factorize(numbers * (len(found) + 1) + codes)
    return numbers
