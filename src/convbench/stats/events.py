"""Events: one row per cause, made of all changes that show it."""

import numpy as np
import pandas as pd

from convbench.stats.attribution import Histories, attribute
from convbench.stats.causes import log_sizes, most_supported
from convbench.stats.changes import FAILURES, HISTORY, plain
from convbench.stats.grouping import known_as

LINKED = [
    *("machine", "environment", "blas", "threads", "benchmark", "params"),
    *("strategy", "problem", "dtype", "unit", "before", "after"),
]
"""Columns of the most significant change: the one to look at first."""

COLUMNS = {
    **dict.fromkeys(["project", "event", "kind", "subject", "commit", "previous_commit"], "str"),
    "position": "int64",
    **dict.fromkeys(["range_first", "range_last"], "str"),
    **dict.fromkeys(["range_first_position", "range_last_position"], "int64"),
    **dict.fromkeys(["cause", "evidence", "known_as"], "str"),
    **dict.fromkeys(["changes", "machines", "builds", "benchmarks"], "int64"),
    **dict.fromkeys(["ratio", "ratio_low", "ratio_high", "p_value"], "float64"),
    "recovered": "bool",
    **dict.fromkeys(LINKED[:-2], "str"),
    **dict.fromkeys(LINKED[-2:], "float64"),
}
"""Columns of the frame of events, and their types."""

# Standard error of a median of Gaussian values over that of their mean; a two-sided 95 % quantile.
_OF_MEDIAN, _QUANTILE = 1.2533, 1.96


def summarise(changes: pd.DataFrame, histories: pd.DataFrame) -> pd.DataFrame:
    """Make one row per event, oldest first.

    Parameters
    ----------
    changes
        As `grouping.group` returns them.
    histories
        One row per history that was searched, with `HISTORY`, `strategy`, the `first_position` and
        `last_position` of its values, all `positions` and the `moves` there (arrays, see `moves`),
        and the values' relative `noise`.

    Returns
    -------
    DataFrame
        The columns `COLUMNS`. `commit` is the most supported first bad commit; the range is what
        all ranges have in common, else all of them; `ratio` is the median over the changes, in the
        sense of the change linked to (a rate that halves is a time that doubles); `changes`,
        `machines`, `builds` and `benchmarks` are counts; `p_value` is the smallest, after
        `false_discovery` where that was applied; `recovered` says that most changes were.
    """
    searched = Histories.of(histories)
    ranked = _by_evidence(plain(changes))
    rows = [
        _summary(str(event), ranked.iloc[places], searched)
        for event, places in ranked.groupby("event", sort=False).indices.items()
    ]
    frame = pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)
    return frame.sort_values(["project", "position", "event"], ignore_index=True)


def _by_evidence(changes: pd.DataFrame) -> pd.DataFrame:
    """Sort changes: the most significant first, then the largest, then by name of history."""
    p = changes["p_adjusted" if "p_adjusted" in changes else "p_value"]
    size = np.nan_to_num(log_sizes(changes)[0])
    ranked = changes.assign(p_value=p, size=-size)
    return ranked.sort_values(["p_value", "size", *HISTORY, "position"], ignore_index=True)


def _summary(name: str, event: pd.DataFrame, histories: Histories) -> dict[str, object]:
    """Describe one event by its changes, the most significant first."""
    lead = event.iloc[0]
    at = most_supported(event)
    first_bad = event[event["position"] == at].iloc[0]
    ratio, ratio_low, ratio_high = typical_ratio(event)
    cause, evidence = attribute(event, histories)
    return {
        **{column: lead[column] for column in ("project", "kind", "subject", "p_value", *LINKED)},
        **{"event": name, "known_as": " ".join(known_as(event)), "position": at},
        **{column: first_bad[column] for column in ("commit", "previous_commit")},
        **_common_range(event),
        **{"cause": cause, "evidence": evidence},
        "changes": len(event),
        "machines": event["machine"].nunique(),
        "builds": len(set(event["blas"]) - {""}),
        "benchmarks": event["benchmark"].nunique(),
        **{"ratio": ratio, "ratio_low": ratio_low, "ratio_high": ratio_high},
        "recovered": 2 * int(event["recovered"].sum()) > len(event),
    }


def typical_ratio(event: pd.DataFrame) -> tuple[float, float, float]:
    """Take the median size of some changes, with a 95 % interval, as a ratio.

    The interval of the median assumes that each size scatters by the larger of what its own
    interval says and what the sizes really do; one change keeps its own interval. NaN for failures.

    Parameters
    ----------
    event
        Changes with `ratio`, `ratio_low` and `ratio_high`; the first one gives the sense.
    """
    if len(event) == 1 or event["kind"].iloc[0] in FAILURES:
        one = event[["ratio", "ratio_low", "ratio_high"]].to_numpy("float64", na_value=np.nan)[0]
        return float(one[0]), float(one[1]), float(one[2])
    sizes, low, high = log_sizes(event)
    middle = float(np.median(sizes))
    sign = -1.0 if event["ratio"].iloc[0] < 1 else 1.0
    if not np.isfinite(middle):
        return float(np.exp(sign * middle)), np.nan, np.nan
    own = np.median((high - low) / (2 * _QUANTILE))
    scatter = np.std(sizes[np.isfinite(sizes)], ddof=1)
    error = _QUANTILE * _OF_MEDIAN * np.fmax(own, scatter) / np.sqrt(len(event))
    ends = sorted((sign * (middle - error), sign * (middle + error)))
    return float(np.exp(sign * middle)), float(np.exp(ends[0])), float(np.exp(ends[1]))


def _common_range(event: pd.DataFrame) -> dict[str, object]:
    """Take what all ranges have in common; where that is nothing, from the first to the last."""
    first = event["range_first_position"].to_numpy("int64")
    last = event["range_last_position"].to_numpy("int64")
    begins, ends = int(first.argmax()), int(last.argmin())
    if first[begins] > last[ends]:
        begins, ends = int(first.argmin()), int(last.argmax())
    return {
        **{"range_first": event["range_first"].iloc[begins], "range_first_position": first[begins]},
        **{"range_last": event["range_last"].iloc[ends], "range_last_position": last[ends]},
    }
