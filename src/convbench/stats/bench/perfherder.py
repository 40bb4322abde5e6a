"""Perfherder's rule, as read in mozilla/treeherder: a weighted t value of two windows.

Mozilla runs it inside a web service, not as a package to install, so it is written anew here from
what its code does; theirs was not executed.
"""

import math

import numpy as np

from convbench.stats.bench.noise import Values

LEAST_BEFORE, MOST_BEFORE = 12, 24
"""Commits before: the window grows from the one to the other while there is no alert."""

AFTER = 12
"""Commits after, the first of the new level among them."""

THRESHOLD = 7.0
"""Greatest |t| of a commit that is not reported."""


def perfherder(values: Values) -> list[int]:
    """Find the commits whose t value exceeds the threshold and both neighbours'.

    A commit needs `LEAST_BEFORE` values before it and `AFTER` from it on.
    """
    scores = _scores(values)
    return [
        place
        for place in range(LEAST_BEFORE, values.size - AFTER + 1)
        if scores[place] > THRESHOLD and scores[place] == max(scores[place - 1 : place + 2])
    ]


def _scores(values: Values) -> list[float]:
    """Give |t| of each commit; the first has none."""
    scores = [0.0]
    since_alert = 0
    for place in range(1, values.size):
        length = min(max(since_alert, LEAST_BEFORE), MOST_BEFORE)
        # Both windows run away from the commit: the nearest value weighs most.
        before = values[max(place - length, 0) : place][::-1]
        scores.append(_t_value(before, values[place : place + AFTER]))
        since_alert = 0 if scores[-1] > THRESHOLD else since_alert + 1
    return scores


def _t_value(first: Values, second: Values) -> float:
    (mean, variance), (other_mean, other_variance) = _moments(first), _moments(second)
    if mean == other_mean:
        return 0.0
    error = math.sqrt(variance / first.size + other_variance / second.size)
    return abs(other_mean - mean) / error if error else math.inf


def _moments(window: Values) -> tuple[float, float]:
    """Give a mean with linearly falling weights, and the unweighted variance about it."""
    weights = np.arange(window.size, 0, -1)
    mean = float(weights @ window / weights.sum())
    freedom = window.size - 1
    return mean, float(((window - mean) ** 2).sum() / freedom) if freedom else 0.0
