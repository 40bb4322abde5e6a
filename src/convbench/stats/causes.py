"""Which changes could have happened at one commit, and are of similar size: those of one cause.

See `grouping` for what is asked of the changes of one event.
"""

from collections.abc import Iterator
from typing import cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Numbers = NDArray[np.int64]

BESIDE = 1
"""Commits by which a detected commit may be off; two changes are off by twice that at most."""

TOGETHER = 4 * BESIDE + 1
"""Commits that changes of one cause spread over where no range is known."""

SIMILAR = 2.0
"""Factor between two sizes of one cause, in log units."""


def most_supported(event: pd.DataFrame) -> int:
    """Place the first bad commit of an event: a position of one of its changes.

    It is the one that lies in most ranges; of these, at which most changes were found; of these, of
    the smallest p-value; of these, the oldest.
    """
    positions = event["position"].to_numpy("int64")
    p = event["p_value"].to_numpy("float64", na_value=0.0)
    first = event["range_first_position"].to_numpy("int64")
    last = event["range_last_position"].to_numpy("int64")
    candidates = np.unique(positions)
    return int(
        min(
            candidates,
            key=lambda at: (
                -np.sum((np.minimum(first, positions) <= at) & (at <= np.maximum(last, positions))),
                -np.sum(positions == at),
                p[positions == at].min(),
                at,
            ),
        )
    )


def log_sizes(changes: pd.DataFrame) -> NDArray[np.float64]:
    """Give |log ratio| and its interval, shape (3, n): size, low, high; NaN where unknown.

    A failure has none; a change from or to zero is infinitely large.
    """
    names = ("ratio", "ratio_low", "ratio_high")
    ratios = np.array([changes[name].to_numpy("float64", na_value=np.nan) for name in names])
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(ratios)
    size, one, other = np.where(logs[0] < 0, -logs, logs)
    low, high = np.fmin(one, other), np.fmax(one, other)
    return np.array([size, np.fmax(np.fmin(low, size), 0), np.fmax(high, size)])


def sorted_groups(
    frame: pd.DataFrame, keys: list[str]
) -> Iterator[tuple[tuple[str, ...], Numbers]]:
    """Yield each group of rows by place, both in an order that doesn't depend on the frame's."""
    for key, rows in sorted(frame.groupby(keys, sort=False).indices.items()):
        names = key if isinstance(key, tuple) else (key,)  # pandas unpacks a single one
        yield cast("tuple[str, ...]", names), np.asarray(rows, dtype=np.int64)


def spans(changes: pd.DataFrame) -> tuple[Numbers, Numbers, Numbers]:
    """Give the position of each change, and the first and last that it may lie at."""
    position = changes["position"].to_numpy("int64")
    first = changes["range_first_position"].to_numpy("int64")
    last = changes["range_last_position"].to_numpy("int64")
    return position, np.minimum(first, position - BESIDE), np.maximum(last, position + BESIDE)


def causes_of(changes: pd.DataFrame, *, by_size: bool = True) -> list[Numbers]:
    """Split changes by cause: places of rows, one array per cause.

    Parameters
    ----------
    changes
        Of one project, kind and subject.
    by_size
        Whether sizes must be similar, too.
    """
    causes = by_commit(*spans(changes))
    if not by_size:
        return causes
    size, low, high = log_sizes(changes)
    # Two sizes lie within a factor when each, widened by its root, touches the other.
    reach = np.sqrt(SIMILAR)
    low, high = np.fmin(low, size / reach), np.fmax(high, size * reach)
    unknown = np.isnan(size)  # failures are all alike
    low, high = np.where(unknown, 0.0, low), np.where(unknown, 0.0, high)
    return [
        rows[labels == label]
        for rows in causes
        for labels in [_touching(low[rows], high[rows])]
        for label in range(labels.max() + 1)
    ]


def _touching(low: NDArray[np.float64], high: NDArray[np.float64]) -> Numbers:
    """Label intervals so that those which overlap, also through others, share a label."""
    order = np.lexsort((high, low))
    reached = np.maximum.accumulate(high[order])
    labels = np.empty(order.size, dtype=np.int64)
    labels[order] = np.cumsum(np.append(0, low[order][1:] > reached[:-1]))
    return labels


def by_commit(position: Numbers, first: Numbers, last: Numbers) -> list[Numbers]:
    """Gather changes around the commits that most of them may lie at."""
    labels = _touching(first.astype(np.float64), last.astype(np.float64))
    # By label at once: a project has thousands of stretches.
    order = np.argsort(labels, kind="stable")
    stretches = np.split(order, np.flatnonzero(np.diff(labels[order])) + 1)
    return [
        rows[one]
        for rows in stretches
        for one in _by_centre(position[rows], first[rows], last[rows])
    ]


def _by_centre(position: Numbers, first: Numbers, last: Numbers) -> Iterator[Numbers]:
    """Find the centres of one stretch of overlapping spans; give each change to the nearest."""
    centres = []
    left = np.ones(position.size, dtype=bool)
    while left.any():
        centre = _most_covered(position[left], first[left], last[left])
        centres.append(centre)
        left &= (first > centre) | (last < centre)
    places = np.array(centres)[:, None]
    distance = np.where((first <= places) & (places <= last), np.abs(position - places), np.inf)
    nearest = np.argmin(distance, axis=0)
    for number in range(len(centres)):
        if np.any(nearest == number):
            yield np.flatnonzero(nearest == number)


def _most_covered(position: Numbers, first: Numbers, last: Numbers) -> int:
    """Find the position that most spans hold; of these, at which most changes lie; the oldest."""
    candidates = np.unique(np.concatenate([position, first]))
    begun = np.searchsorted(np.sort(first), candidates, side="right")
    ended = np.searchsorted(np.sort(last), candidates, side="left")
    ordered = np.sort(position)
    here = np.searchsorted(ordered, candidates, "right") - np.searchsorted(ordered, candidates)
    return int(candidates[np.lexsort((candidates, -here, ended - begun))[0]])
