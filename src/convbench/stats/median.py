"""The median of few finite values, without what `numpy.median` asks of any array.

A history is short, and its search takes a dozen medians: of `numpy.median`'s time nine tenths go to
axes, weights and NaN that are not there.
"""

import numpy as np
from numpy.typing import NDArray


def median(values: NDArray[np.float64]) -> float:
    """Take the median; bit for bit what `numpy.median` gives.

    Parameters
    ----------
    values : array, shape (n,)
        Finite, n > 0.
    """
    low, high = (values.size - 1) // 2, values.size // 2
    ordered = np.partition(values, high)
    if low == high:
        return float(ordered[high])
    # What lies before the upper middle is not above it: the lower one is the greatest of those.
    return float((ordered[:high].max() + ordered[high]) / 2)
