"""Samples of many rows: taking some rows, joining, and the quantiles that stay of old ones.

Quantiles are held as samples are: a list of numbers for each row that has them.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from convbench.results.result_file import Integers, Samples

PROBABILITIES = np.linspace(0, 1, 11)
"""What stays of the samples of old commits: the smallest, the nine deciles, the largest."""


def no_samples(rows: int) -> Samples:
    """Return samples of rows of which none has any."""
    return Samples(np.zeros(rows, bool), np.zeros(rows + 1, np.int64), np.empty(0))


def taken_samples(samples: Samples, rows: npt.NDArray[np.intp]) -> Samples:
    """Return the samples of some rows, in their order."""
    lengths = np.diff(samples.offsets)[rows]
    offsets = np.zeros(len(rows) + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    # Place i of the result is place i - offsets[r] + start[r] of what was given, r being its row.
    shift = np.repeat(samples.offsets[:-1][rows] - offsets[:-1], lengths)
    return Samples(samples.recorded[rows], offsets, samples.values[np.arange(offsets[-1]) + shift])


def joined_samples(parts: Sequence[Samples]) -> Samples:
    """Return the samples of all rows, one part's after the other's."""
    lengths = np.concatenate([np.diff(part.offsets) for part in parts])
    offsets = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    recorded = np.concatenate([part.recorded for part in parts])
    return Samples(recorded, offsets, np.concatenate([part.values for part in parts]))


def either(first: Samples, second: Samples) -> Samples:
    """Return for each row the first's, where it was recorded, else the second's."""
    rows = np.arange(len(first.recorded))
    return taken_samples(
        joined_samples([first, second]), np.where(first.recorded, rows, rows + len(rows))
    )


def reduced(samples: Samples, rows: npt.NDArray[np.bool_]) -> tuple[Samples, Samples]:
    """Reduce the samples of some rows to their quantiles, where these are fewer.

    Returns
    -------
    samples : Samples
        Those of the other rows, and of rows with no more samples than there are quantiles.
    quantiles : Samples
        Of the reduced rows the quantiles at `PROBABILITIES`, by linear interpolation.
    """
    lengths = np.diff(samples.offsets)
    long = rows & (lengths > len(PROBABILITIES))
    quantiles = np.empty((len(lengths), len(PROBABILITIES)))
    for length in np.unique(lengths[long]):  # rows of one length are a matrix
        same = np.flatnonzero(long & (lengths == length))
        matrix = samples.values[samples.offsets[same][:, None] + np.arange(length)]
        quantiles[same] = np.quantile(matrix, PROBABILITIES, axis=1).T
    short = Samples(
        samples.recorded & ~long,
        _offsets(np.where(long, 0, lengths)),
        samples.values[np.repeat(~long, lengths)],
    )
    own = _offsets(np.where(long, len(PROBABILITIES), 0))
    return short, Samples(long, own, quantiles[long].reshape(-1))


def _offsets(lengths: Integers) -> Integers:
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])


def to_arrow(samples: Samples) -> pa.Array:
    """Return an Arrow array of lists of numbers, null where nothing was recorded."""
    offsets = pa.array(samples.offsets.astype(np.int32))
    values = pa.array(samples.values, pa.float64())
    return pa.ListArray.from_arrays(offsets, values, mask=pa.array(~samples.recorded))


def from_arrow(lists: pa.ChunkedArray) -> Samples:
    """Return the samples of an Arrow column of lists."""
    array = lists.combine_chunks()
    lengths = array.value_lengths().fill_null(0).to_numpy()
    recorded = array.is_valid().to_numpy(zero_copy_only=False)
    numbers = array.flatten().fill_null(np.nan).to_numpy()
    return Samples(recorded, _offsets(lengths.astype(np.int64)), numbers)
