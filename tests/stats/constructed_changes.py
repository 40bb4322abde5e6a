"""Changes and histories as a detection has them, built by hand."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

REACH = 500
"""Positions that constructed histories cover."""


def measured_throughout(frame: pd.DataFrame) -> pd.DataFrame:
    """Add what is known of the values of histories that never moved."""
    positions = np.arange(REACH + 1)
    stays = np.zeros(REACH + 1, dtype=np.float32)
    return frame.assign(
        first_position=0,
        last_position=REACH,
        noise=0.001,
        positions=pd.Series([positions] * len(frame), index=frame.index, dtype=object),
        moves=pd.Series([stays] * len(frame), index=frame.index, dtype=object),
    )


def commit(position: int) -> str:
    return f"{position:040x}"


def change(position: int = 100, **columns: Any) -> dict[str, Any]:
    """One row of `changes`: im2col is 10 % slower at one commit; name what is otherwise."""
    first, last = columns.pop("range", (position, position))
    row = {
        **{"project": "p", "machine": "m1", "environment": "e", "blas": "openblas"},
        **{"blas_identity": "", "threads": "1", "benchmark": "conv.Forward.time_run"},
        **{"params": "case 1", "strategy": "im2col", "problem": "case 1", "dtype": "float32"},
        **{"unit": "seconds", "before": 1.0, "after": 1.1},
        **{"ratio": 1.1, "ratio_low": 1.09, "ratio_high": 1.11, "p_value": 1e-6},
        **{"kind": "regression", "points": 100, "recovered": False},
        **{"disturbed": "", "identity_before": "", "identity_after": "", "packages_changed": ""},
    }
    places = {
        **{"position": position, "commit": commit(position)},
        **{"previous_commit": commit(position - 1)},
        **{"range_first": commit(first), "range_first_position": first},
        **{"range_last": commit(last), "range_last_position": last},
    }
    return row | places | columns


def changes(*rows: dict[str, Any]) -> pd.DataFrame:
    return pd.DataFrame([*rows, change()]).iloc[: len(rows)]


def histories(
    machines: Sequence[str] = ("m1", "m2"),
    builds: Sequence[str] = ("openblas", "mkl"),
    strategies: Sequence[str] = ("im2col", "fft"),
    cases: int = 4,
) -> pd.DataFrame:
    """Every case of every strategy on every build of every machine, measured throughout."""
    names = ["project", "machine", "environment", "blas", "threads", "benchmark", "params"]
    rows = [
        {
            **{name: change()[name] for name in names},
            **{"machine": machine, "blas": build, "strategy": strategy},
            "params": f"{strategy}, case {case}",
        }
        for machine in machines
        for build in builds
        for strategy in strategies
        for case in range(cases)
    ]
    return measured_throughout(pd.DataFrame(rows))


def in_histories(frame: pd.DataFrame, position: int = 100, **columns: Any) -> pd.DataFrame:
    """A change in each of some histories."""
    names = [name for name in frame.columns if name in change()]
    return changes(
        *(change(position, **dict(row) | columns) for row in frame[names].to_dict("records"))
    )
