"""The single samples behind the newest values, read where asv recorded them.

Of the newest commits alone: those of a whole store would weigh more than all else of a site.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from convbench.results import load

NEWEST_COMMITS = 10
"""Samples are kept of so many of the newest commits."""

COLUMNS = ("machine", "environment", "run", "commit", "benchmark", "params")

Key = tuple[object, ...]
"""A value's `COLUMNS`, the parameters as pairs."""

Samples = Mapping[Key, Sequence[float]]


def read_samples(store: Path, project: str, dates: "pd.Series[pd.Timestamp]") -> Samples:
    """Read the samples of a project's newest commits; `dates` are the dates of its commits."""
    newest = sorted(dates.dropna().unique())[-NEWEST_COMMITS:]
    if not newest:
        return {}
    rows = load(
        store,
        samples=True,
        columns=COLUMNS,
        since=pd.Timestamp(newest[0]).to_pydatetime(),
        project=project,
    )
    rows = rows[rows["samples"].notna()]
    columns = (rows[name].astype("object").fillna("") for name in COLUMNS[:-1])
    pairs = (tuple(params.items()) for params in rows["params"])
    keys = zip(*columns, pairs, strict=True)
    return {
        key: list(found) for key, found in zip(keys, rows["samples"], strict=True) if len(found)
    }
