"""The magnitudes of numbers that were measured, not made up.

Files may hold any number. Of those kept here ratios, their squares and their logarithms are finite.
"""

import numpy as np
from numpy.typing import NDArray

GREATEST = 1e100
"""A number further from 0 than this was not measured; one nearer than its inverse is 0."""


def kept(numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    """Replace what was not measured by NaN, as what is infinite, and the least by 0.

    Parameters
    ----------
    numbers : array
        Of any shape; NaN where there is none.
    """
    size = np.abs(numbers)
    return np.where(size < GREATEST, np.where(size < 1 / GREATEST, 0.0, numbers), np.nan)
