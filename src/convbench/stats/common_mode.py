"""What a machine does to all its benchmarks at one commit, and how to take it away.

A run on a warm or busy machine is slower throughout. The *common mode* of a commit is the part of
its values that all histories of one machine and environment share, and that both the commits before
and those after don't show: a transient. A level to which all histories move and stay is no common
mode but an event, and is left alone.

1. **Transients.** In logarithms, a value lies some distance from the median of the `REACH` values
   before it and some distance from that of the `REACH` after it. Its transient is the smaller
   distance when both have one sign, else 0. At a step one of the two is only noise, so a step
   leaves no transient. A commit with fewer than `MIN_SIDE` values before or after it has none
   either: there a step and a transient look alike.
2. **The common part.** The median transient c over the control histories, which measure what no
   commit changes; without those, over all other histories when there are `MIN_HISTORIES`. The
   median of m values has the standard error e = 1.2533 σ/√m, σ being their spread at this commit.
   It is shrunk to c·max(0, 1 − (`DOUBT`·e/c)²), the positive-part rule of James and Stein (1961)
   that starts at `DOUBT` standard errors: noise alone becomes 0 at 95 % of the commits.
3. **Each history's share.** A benchmark may feel the machine less than others, or not at all. Its
   share b minimises Σ|r − b·c| over its transients r, within 0 to 1; b·c is subtracted. The sum is
   convex in b and 0 is allowed, so Σ|r| of a history never grows, whatever c is.

A bad commit that slowed everything and was taken back within two or three commits looks the same as
a disturbed run, except to control histories.
"""

from collections.abc import Sequence

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike, NDArray

from convbench.stats.normal_scale import MEDIAN_TO_DEVIATION

Matrix = NDArray[np.float64]

REACH = 7
"""Values on each side that make the running level: a disturbance of three commits is a minority."""

MIN_SIDE = 3
"""Values that a side must have to be a level."""

MIN_HISTORIES = 20
"""Histories without control that are enough for a median of themselves."""

MIN_SPREAD = 5
"""Histories at one commit from which their spread is known; fewer take it from all commits."""

DOUBT = 2.0
"""Standard errors within which a common part counts as noise."""

# Standard deviation of a median over a mean's, of Gaussian noise.
_OF_MEDIAN = 1.2533

_BLOCK = 1 << 20
"""Windowed values held at once, 8 MB."""


def aligned(
    positions: Sequence[NDArray[np.int64]], values: Sequence[NDArray[np.float64]]
) -> tuple[NDArray[np.int64], Matrix]:
    """Put histories below each other, one column per commit that any of them has.

    Parameters
    ----------
    positions, values : sequences of arrays
        Of each history: its commits' places in the project's order, rising, and the values there.

    Returns
    -------
    columns : array, shape (commits,)
        The places, rising.
    matrix : array, shape (histories, commits)
        NaN where a history has no value.
    """
    columns = np.unique(np.concatenate(positions))
    matrix = np.full((len(values), len(columns)), np.nan)
    for row, places, one in zip(matrix, positions, values, strict=True):
        row[np.searchsorted(columns, places)] = one
    return columns, matrix


def corrected(values: ArrayLike, control: ArrayLike | None = None) -> Matrix:
    """Take the common mode out of the histories of one machine, environment and unit.

    Parameters
    ----------
    values : array, shape (histories, commits)
        Commits oldest first; NaN where there is none.
    control : array, shape (controls, commits), optional
        Histories of the same machine and environment that no commit changes, none of them in
        `values`.

    Returns
    -------
    array, shape (histories, commits)
        In the unit of `values`. Unchanged are values without evidence of a common mode, and
        histories that are not all positive, as they have no logarithm.
    """
    given = _matrix(values, "values")
    transients = _transients(_logarithms(given))
    if control is not None and len(_matrix(control, "control")):
        others = _matrix(control, "control")
        if others.shape[1] != given.shape[1]:
            raise ValueError(
                f"control has {others.shape[1]} commits and values {given.shape[1]}; both must have"
                " the same commits"
            )
        common = np.broadcast_to(_shrunk(_transients(_logarithms(others))), given.shape)
    elif len(given) >= MIN_HISTORIES:
        common = _shrunk_without_self(transients)
    else:
        return given.copy()
    common = np.where(np.isnan(transients), 0.0, common)
    correction = _shares(np.nan_to_num(transients), common)[:, None] * common
    return np.where(correction == 0, given, given * np.exp(-correction))


def _matrix(values: ArrayLike, name: str) -> Matrix:
    """Check that an array has one row per history."""
    matrix = np.asarray(values, dtype=np.float64)
    if matrix.ndim != 2:
        raise ValueError(f"{name} has shape {matrix.shape}; one row per history is accepted")
    return matrix


def _logarithms(values: Matrix) -> Matrix:
    """Take logarithms; NaN where there is no value and throughout a history with one ≤ 0."""
    present = np.isfinite(values)
    usable = present & ~np.any(present & (values <= 0), axis=1, keepdims=True)
    return np.log(values, out=np.full_like(values, np.nan), where=usable)


def _transients(logs: Matrix) -> Matrix:
    """Give what departs at each value from both the values before and those after."""
    absent = np.isnan(logs)
    # Values first, in their order, so that gaps don't shorten a history's sides.
    order = np.argsort(absent, axis=1, kind="stable")
    dense = np.take_along_axis(logs, order, axis=1)
    result = np.zeros_like(logs)
    rows = max(1, _BLOCK // max(1, logs.shape[1] * REACH))
    for start in range(0, len(logs), rows):
        block = dense[start : start + rows]
        before = block - _running_level(block)
        after = block - _running_level(block[:, ::-1])[:, ::-1]
        smaller = np.where(np.abs(before) < np.abs(after), before, after)
        np.put_along_axis(
            result[start : start + rows],
            order[start : start + rows],
            np.where(before * after > 0, smaller, 0.0),
            axis=1,
        )
    return np.where(absent, np.nan, result)


def _running_level(block: Matrix) -> Matrix:
    """Give the median of the values just before each value; NaN where there are too few."""
    padded = np.pad(block, ((0, 0), (REACH, 0)), constant_values=np.nan)
    return _median(sliding_window_view(padded, REACH, axis=1)[:, :-1], least=MIN_SIDE)


def _median(values: NDArray[np.float64], least: int = 1) -> NDArray[np.float64]:
    """Take medians along the last axis over what is no NaN; NaN below `least` values."""
    if not values.shape[-1]:
        return np.full(values.shape[:-1], np.nan)
    ordered = np.sort(values, axis=-1)  # NaN goes last
    count = np.sum(~np.isnan(ordered), axis=-1)
    return np.where(count >= least, _middle(ordered, count), np.nan)


def _middle(ordered: NDArray[np.float64], count: NDArray[np.intp]) -> NDArray[np.float64]:
    """Take the mean of the one or two middle ones of the first `count` along the last axis."""
    low, high = np.maximum(count - 1, 0) // 2, count // 2
    last = ordered.shape[-1] - 1
    picked = [
        np.take_along_axis(ordered, np.minimum(place, last)[..., None], axis=-1)[..., 0]
        for place in (low, high)
    ]
    middle: NDArray[np.float64] = (picked[0] + picked[1]) / 2
    return middle


def _shrunk(transients: Matrix) -> NDArray[np.float64]:
    """Take the common part of each commit, shape (commits,); 0 where it may be noise."""
    return _less_noise(_median(transients.T), _standard_errors(transients))


def _shrunk_without_self(transients: Matrix) -> Matrix:
    """Take for each history the common part of all others, shape (histories, commits).

    Were a history part of its own median, it would always seem to follow it.
    """
    ordered = np.sort(transients, axis=0).T
    count = np.sum(~np.isnan(transients), axis=0)
    rank = np.argsort(np.argsort(transients, axis=0, kind="stable"), axis=0, kind="stable")
    remaining = np.maximum(count - 1, 0)
    places = (np.maximum(remaining - 1, 0) // 2, remaining // 2)
    commits = np.arange(transients.shape[1])
    # In a sorted list without its element `rank`, what lay behind it moves up one place.
    low, high = (
        ordered[commits, np.minimum(place + (place >= rank), len(transients) - 1)]
        for place in places
    )
    enough = (remaining >= MIN_HISTORIES - 1) & ~np.isnan(transients)
    centre: Matrix = np.where(enough, (low + high) / 2, np.nan)
    return _less_noise(centre, _standard_errors(transients))


def _standard_errors(transients: Matrix) -> NDArray[np.float64]:
    """State how far chance alone moves the median of each commit, shape (commits,)."""
    count = np.sum(~np.isnan(transients), axis=0)
    spread = MEDIAN_TO_DEVIATION * _median(np.abs(transients - _median(transients.T)).T)
    known = spread[count >= MIN_SPREAD]
    if known.size:
        # A few values lie close together by chance; the usual spread is the least believed.
        typical = float(np.median(known))
    else:
        own = MEDIAN_TO_DEVIATION * _median(np.abs(transients))
        typical = float(np.sqrt(np.nanmean(own**2))) if np.any(np.isfinite(own)) else 0.0
    spread = np.where(count >= MIN_SPREAD, np.maximum(spread, typical), typical)
    errors: NDArray[np.float64] = _OF_MEDIAN * spread / np.sqrt(np.maximum(count, 1))
    return errors


def _less_noise(centre: NDArray[np.float64], error: NDArray[np.float64]) -> NDArray[np.float64]:
    """Shrink common parts to 0 by as much as they may be noise; 0 where there is none."""
    doubt = DOUBT * error
    certain = np.abs(centre) > doubt  # False for NaN
    ratio = np.divide(doubt, centre, out=np.ones_like(centre), where=certain)
    shrunk: NDArray[np.float64] = np.where(certain, centre * (1 - ratio**2), 0.0)
    return shrunk


def _shares(transients: Matrix, common: Matrix) -> NDArray[np.float64]:
    """Fit how much of the common part each history shows: least absolute deviations, 0 to 1.

    The minimum of Σ|r − b·c| is the median of the ratios r/c weighted by |c|.
    """
    weight = np.abs(common)
    ratio = np.divide(transients, common, out=np.zeros_like(common), where=weight > 0)
    order = np.argsort(ratio, axis=1, kind="stable")
    reached = np.cumsum(np.take_along_axis(weight, order, axis=1), axis=1)
    middle = np.argmax(reached >= reached[:, -1:] / 2, axis=1)[:, None]
    slope = np.take_along_axis(np.take_along_axis(ratio, order, axis=1), middle, axis=1)[:, 0]
    shares: NDArray[np.float64] = np.clip(np.where(reached[:, -1] > 0, slope, 0.0), 0.0, 1.0)
    return shares
