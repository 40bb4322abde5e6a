"""The words that all statistics of changes share: what a history is, and the kinds of change.

A *change* is one row of a frame: one history, the first commit of its new level, and what is known
of it. A history is named by the columns `HISTORY`; changes are dated by `position`, the place of
their commit in the project's order.
"""

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

HISTORY: Final = ["project", "machine", "environment", "blas", "threads", "benchmark", "params"]
"""Columns that together name one history."""

REGRESSION, IMPROVEMENT = "regression", "improvement"
STARTS_FAILING, WORKS_AGAIN = "starts failing", "works again"
KINDS: Final = (REGRESSION, IMPROVEMENT, STARTS_FAILING, WORKS_AGAIN)

FAILURES: Final = (STARTS_FAILING, WORKS_AGAIN)
"""Kinds that are seen, not inferred: they have no level, no ratio and no p-value."""


def history_numbers(*frames: pd.DataFrame) -> list[NDArray[np.int64]]:
    """Give each row the number of its history, which is the same in all frames.

    Parameters
    ----------
    frames
        Each with the columns `HISTORY`; an unknown (null) part equals the empty text.
    """
    named = [frame[HISTORY].astype("str").where(frame[HISTORY].notna(), "") for frame in frames]
    numbers = pd.concat(named).groupby(HISTORY, sort=False).ngroup().to_numpy("int64")
    return np.split(numbers, np.cumsum([len(frame) for frame in frames])[:-1])


def plain(frame: pd.DataFrame) -> pd.DataFrame:
    """Hold texts as Python's own, where unknown ones are empty.

    Taking a few rows of pandas' own texts costs a hundred times as much, for each of many events.
    """
    kinds = (pd.StringDtype, pd.CategoricalDtype)
    texts = {
        name: object
        for name, dtype in frame.dtypes.items()
        if isinstance(dtype, kinds) or dtype.kind == "O"
    }
    return frame.astype(texts).fillna(dict.fromkeys(texts, ""))
