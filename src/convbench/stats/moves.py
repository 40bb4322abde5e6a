"""How far a history moves at each of its values, whatever a detector says.

The *move* at a value is the median of the `SIDE` values from there on less that of the `SIDE`
before, in logarithms. It is too noisy to find changes by, and good enough to say whether a history
that shows no change did stay where it was.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

SIDE, LEAST_SIDE = 10, 5
"""Values whose median is taken, and how many there must be."""

Moves = NDArray[np.float32]


def moves_of(values: NDArray[np.float64]) -> Moves:
    """Compute the move at each value; NaN near the ends, and throughout where one is not positive.

    Parameters
    ----------
    values : array, shape (n,)
        Finite, oldest first.
    """
    if values.size < 2 * LEAST_SIDE or not np.all(values > 0):
        return np.full(values.size, np.nan, dtype=np.float32)
    logs = np.log(values)
    before, after = _median_before(logs), _median_before(logs[::-1])[::-1]
    moves = np.full(values.size, np.nan, dtype=np.float32)
    # What comes after the value before is the value itself and what follows.
    moves[1:] = after[:-1] - before[1:]
    return moves


def _median_before(logs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give the median of up to `SIDE` values before each; NaN for fewer than `LEAST_SIDE`."""
    # What the first values lack before them is above all, and so behind the middle.
    padded = np.concatenate([np.full(SIDE, np.inf), logs[:-1]])
    ordered = np.sort(sliding_window_view(padded, SIDE), axis=1)
    places = np.arange(logs.size)
    count = np.clip(places, 1, SIDE)
    medians: NDArray[np.float64] = (
        ordered[places, (count - 1) // 2] + ordered[places, count // 2]
    ) / 2
    medians[:LEAST_SIDE] = np.nan
    return medians
