"""How far a history moves at each of its values, whatever a detector says.

The *move* at a value is the median of the `SIDE` values from there on less that of the `SIDE`
before, in logarithms. It is too noisy to find changes by, and good enough to say whether a history
that shows no change did stay where it was.
"""

import numpy as np
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
    medians = _window_medians(np.log(values))
    # What comes after the value before is the value itself and what follows.
    moves: Moves = (medians[SIDE:-1] - medians[: -SIDE - 1]).astype(np.float32)
    return moves


def _window_medians(logs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give the median of each `SIDE` successive values; NaN for fewer than `LEAST_SIDE`.

    The first windows lie wholly before the first value, the last ones behind the last: window `i`
    is what comes before value `i`, window `i + SIDE` is value `i` and what follows.
    """
    size = logs.size
    # What a window lacks at the ends is above all, and so behind the middle.
    nothing = np.full(SIDE, np.inf)
    padded = np.concatenate([nothing, logs, nothing])
    first = np.arange(size + SIDE + 1)
    ordered = np.sort(padded[first[:, np.newaxis] + np.arange(SIDE)], axis=1)
    count = np.minimum(first, size) - np.maximum(first - SIDE, 0)
    known = count >= LEAST_SIDE
    rows, held = ordered[known], count[known]
    places = np.arange(held.size)
    medians = np.full(first.size, np.nan)
    medians[known] = (rows[places, (held - 1) // 2] + rows[places, held // 2]) / 2
    return medians
