"""Intervals of values, as pages show them."""

import numpy as np
import pandas as pd

REACH = 1e6
"""An end of an interval is at most this many times the value, and one nearer to 0 than its inverse
times the value is 0: beyond, what it says is that the end is not known."""


def intervals(values: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """Choose for each value its finite interval, else its quartiles, else nothing.

    An interval holds its value: an end on the wrong side is the value itself.
    """
    value = values["value"]
    bounds = values[["ci_low", "ci_high", "q25", "q75"]].astype("float64")
    finite = np.isfinite(bounds)
    # Both ends must be finite: asv writes infinite ones for too few samples.
    has_interval = finite["ci_low"] & finite["ci_high"]
    has_quartiles = finite["q25"] & finite["q75"]
    low = bounds["ci_low"].where(has_interval, bounds["q25"].where(has_quartiles))
    high = bounds["ci_high"].where(has_interval, bounds["q75"].where(has_quartiles))
    return _end(low.clip(upper=value), value), _end(high.clip(lower=value), value)


def _end(end: pd.Series, value: pd.Series) -> pd.Series:
    size = value.abs()
    far = (size * REACH).where(size > 0)
    return end.clip(lower=-far, upper=far).mask(end.abs() < size / REACH, 0.0).where(size > 0)
