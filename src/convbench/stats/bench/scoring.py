"""What counts as found: matching of detections with true changes, and of alerts with news."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from convbench.stats.bench.noise import Values

Find = Callable[[Values], Sequence[int]]
"""A detector: values in, positions of the first commits of new levels out."""

TOLERANCE = 2
"""A detection within so many commits of a true change has found it, unless a test says another."""

SAME_ALERT = 3
"""While a history grows, a detection within so many commits of an earlier one is no news."""


@dataclass(frozen=True, slots=True)
class Matches:
    """How detections and true changes fit together."""

    found: int
    false: int
    missed: int


def within(true: Sequence[int], detected: Sequence[int], tolerance: int) -> Matches:
    """Match detections with true changes, the nearest pairs first, each at most once.

    Parameters
    ----------
    true, detected
        Positions of changes.
    tolerance
        Greatest distance of a pair, in commits.
    """
    pairs = sorted(
        (abs(position - change), change, place)
        for change in true
        for place, position in enumerate(detected)
        if abs(position - change) <= tolerance
    )
    changes: set[int] = set()
    places: set[int] = set()
    for _, change, place in pairs:
        if change not in changes and place not in places:
            changes.add(change)
            places.add(place)
    found = len(changes)
    return Matches(found, len(detected) - found, len(true) - found)


def is_near(position: int, others: Iterable[int], distance: int) -> bool:
    """Tell whether any of some positions is at most so far away."""
    return any(abs(position - other) <= distance for other in others)


def online_alerts(find: Find, values: Values, first: int) -> list[tuple[int, int]]:
    """Look at a history whenever it has grown by a commit, and note what is new.

    Parameters
    ----------
    find
        Detector under test.
    values : array, shape (n,)
        The whole history.
    first
        Length at the first look; the last look sees everything.

    Returns
    -------
    list of (look, position)
        Alerts: detections farther than `SAME_ALERT` from every earlier one, with the number of
        values that were there.
    """
    known: set[int] = set()
    alerts = []
    for length in range(first, values.size + 1):
        for position in sorted(find(values[:length])):
            if not is_near(position, known, SAME_ALERT):
                alerts.append((length, position))
            known.add(position)
    return alerts


def online_delay(find: Find, values: Values, change: int) -> float:
    """Count the commits of the new level that a detector needs, infinite where it never finds it.

    A history is looked at from the first commit of the new level on: found when that commit is the
    newest is a delay of 1.
    """
    for length in range(change + 1, values.size + 1):
        if is_near(change, find(values[:length]), TOLERANCE):
            return float(length - change)
    return math.inf
