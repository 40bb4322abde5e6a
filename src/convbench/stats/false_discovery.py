"""How many of all changes found may be false: the false-discovery rate over all histories.

A store of thousands of histories has some that look changed by chance. Benjamini and Hochberg
(1995, "Controlling the false discovery rate") reject the k smallest of m p-values, k being the
largest for which p₍ₖ₎ ≤ q·k/m; of the histories so rejected, a share of at most q is expected to
have no change. The guarantee holds for independent histories and for those that chance moves in the
same direction (Benjamini and Yekutieli 2001), which the histories of one machine are.

The unit is the history, not the change: it enters with its smallest p-value, which the detector
states family-wise for the whole history, and a history without a change enters with 1.
"""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from convbench.stats.changes import FAILURES, history_numbers

Q = 0.05
"""Share of false ones among the discoveries that is accepted unless told otherwise."""


def adjusted(p_values: ArrayLike) -> NDArray[np.float64]:
    """Give for each p-value the least `q` at which it is a discovery.

    Parameters
    ----------
    p_values : array, shape (m,)
        One per hypothesis; NaN, where there was no test, counts as 1.

    Returns
    -------
    array, shape (m,)
        Never below the p-value, never above 1, in the same order as the p-values.
    """
    given = np.asarray(p_values, dtype=np.float64)
    if given.ndim != 1:
        raise ValueError(f"p_values has shape {given.shape}; one number per hypothesis is accepted")
    p = np.where(np.isnan(given), 1.0, given)
    if np.any((p < 0) | (p > 1)):
        raise ValueError(f"p-values lie between 0 and 1; got {p[(p < 0) | (p > 1)][0]}")
    if not p.size:
        return p
    # As scipy.stats.false_discovery_control, whose import takes longer than a search.
    order = np.argsort(p, kind="stable")
    scaled = p[order] * (p.size / np.arange(1, p.size + 1))
    least = np.empty_like(p)
    # The largest k decides: what a later one allows, all before it have.
    least[order] = np.minimum.accumulate(scaled[::-1])[::-1]
    return np.maximum(np.minimum(least, 1.0), p)  # rounding may put it below by a hair


def discoveries(p_values: ArrayLike, q: float = Q) -> NDArray[np.bool_]:
    """Tell which hypotheses are rejected, with at most a share `q` of false ones expected.

    Parameters
    ----------
    p_values : array, shape (m,)
        One per hypothesis; NaN, where there was no test, is never a discovery.
    q
        False-discovery rate, between 0 and 1.
    """
    if not 0 < q < 1:
        raise ValueError(f"q is a rate between 0 and 1; got {q}")
    return adjusted(p_values) <= q


def kept(changes: pd.DataFrame, *, histories: int, q: float = Q) -> pd.DataFrame:
    """Keep the changes of those histories that are discoveries.

    Parameters
    ----------
    changes
        Changes found in one detection, with the columns `HISTORY`, `kind` and `p_value`.
    histories
        All histories that were searched, also those without a change.
    q
        False-discovery rate over these histories.

    Returns
    -------
    DataFrame
        Rows of `changes`, in their order, with `p_adjusted`: the least `q` at which the change is
        kept. Failures were seen, not inferred: they stay, with 0.
    """
    (history,) = history_numbers(changes)
    failures = changes["kind"].isin(FAILURES).to_numpy()
    p = changes["p_value"].to_numpy("float64", na_value=1.0)
    searched = pd.Series(p[~failures]).groupby(history[~failures]).min()
    if histories < searched.size:
        raise ValueError(f"{searched.size} histories have changes; histories={histories} is less")
    smallest = np.ones(histories)
    smallest[: searched.size] = searched
    of_history = pd.Series(adjusted(smallest)[: searched.size], index=searched.index)
    p_adjusted = np.zeros(len(changes))
    p_adjusted[~failures] = np.maximum(of_history.reindex(history[~failures]), p[~failures])
    found = np.zeros(len(changes), dtype=bool)
    found[~failures] = np.isin(
        history[~failures], of_history.index[discoveries(smallest, q)[: searched.size]]
    )
    return changes.assign(p_adjusted=p_adjusted)[found | failures]
