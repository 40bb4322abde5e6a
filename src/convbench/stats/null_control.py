"""Null control: how often two measurements of the same thing are told apart.

In every run some calls are measured twice under different labels, `arm` a and b. Nothing differs
between the two but chance and whatever disturbs the machine, so every difference that would be
reported is a false alarm, and their share is the false-alarm rate of everything else that was
measured in this way.

An *alarm* is what asv's comparison calls a difference when it has intervals: the 99 % intervals of
the two values don't touch (asv 0.6.6, `asv/_stats.py:is_different`), and one value is at least
`min_ratio` times the other, as `convbench detect --min-ratio` asks. A *pair* is one case of one
run, machine, environment and commit of which both arms have a positive number and a finite
interval; with fewer than about eight samples asv's interval is infinite, and no verdict possible.

The pairs of one run share a machine and its moods: they are less than independent, and the bound
is that much too low when one disturbed run gives many alarms.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from convbench.stats.magnitudes import kept

BENCHMARK = "control.NullControl.time_case"
ARMS = ("a", "b")

MIN_RATIO = 1.0
"""Least factor between two values that is told, as of `convbench detect`: any."""

CONFIDENCE = 0.95

_RUN = ["project", "machine", "run"]
_PAIR = [*_RUN, "environment", "commit", "case"]
_NUMBERS = ["value", "ci_low", "ci_high"]
_COLUMNS = {
    **{"machine": "str", "run": "str", "started_at": "datetime64[ms, UTC]"},
    **{"pairs": "int64", "alarms": "int64", "spread": "float64"},
}


@dataclass(frozen=True, slots=True)
class NullControl:
    """The false alarms among measurements of the same thing.

    Parameters
    ----------
    pairs, alarms
        Pairs that were compared, and those that were told apart.
    rate
        Alarms over pairs; NaN without pairs.
    upper
        One-sided 95 % upper bound of the rate (Clopper and Pearson 1934, exact): a greater rate
        would show as few alarms in less than 5 % of such controls. 1 without pairs.
    spread, largest
        Median and greatest distance ``|log(b / a)|``, where 0.02 is a difference of 2 %; NaN
        without pairs.
    runs
        Runs that have pairs.
    """

    pairs: int
    alarms: int
    rate: float
    upper: float
    spread: float
    largest: float
    runs: int


def null_control(values: pd.DataFrame, *, min_ratio: float = MIN_RATIO) -> NullControl:
    """Judge the null control of some runs.

    Parameters
    ----------
    values
        Rows of the store's table `values`; rows of other benchmarks are passed over.
    min_ratio
        Factor, up or down, below which a difference is no alarm.
    """
    pairs = _pairs(values, min_ratio)
    count, alarms = len(pairs), int(pairs["alarm"].sum())
    distances = pairs["distance"].to_numpy()
    return NullControl(
        pairs=count,
        alarms=alarms,
        rate=alarms / count if count else float("nan"),
        upper=upper_bound(alarms, count),
        spread=float(np.median(distances)) if count else float("nan"),
        largest=float(distances.max()) if count else float("nan"),
        runs=len(pairs[_RUN].drop_duplicates()),
    )


def null_control_by_run(values: pd.DataFrame, *, min_ratio: float = MIN_RATIO) -> pd.DataFrame:
    """Judge the null control of each run, oldest first.

    Parameters
    ----------
    values
        Rows of the store's table `values`; rows of other benchmarks are passed over.
    min_ratio
        Factor, up or down, below which a difference is no alarm.

    Returns
    -------
    DataFrame
        `machine`, `run`, `started_at` (of the run's first pair), `pairs`, `alarms`, `spread` as in
        `NullControl`; runs without pairs have no row.
    """
    pairs = _pairs(values, min_ratio)
    by_run = pairs.groupby(_RUN).agg(
        started_at=("started_at", "min"),
        pairs=("alarm", "size"),
        alarms=("alarm", "sum"),
        spread=("distance", "median"),
    )
    ordered = by_run.reset_index().sort_values(["started_at", *_RUN], ignore_index=True)
    return ordered[list(_COLUMNS)].astype(_COLUMNS)


def upper_bound(alarms: int, pairs: int, confidence: float = CONFIDENCE) -> float:
    """Return the one-sided upper confidence bound of a rate (Clopper and Pearson 1934, exact).

    It is the rate at which `alarms` or fewer in `pairs` have probability 1 − `confidence`.
    """
    if alarms == pairs:
        return 1.0
    from scipy.special import betaincinv  # takes longer to import than all else here to run

    return float(betaincinv(alarms + 1, pairs - alarms, confidence))


def paired(values: pd.DataFrame) -> pd.DataFrame:
    """Join the arms of each case: one row per pair, ordered by machine, run and case.

    Every column of an arm has its suffix, ``_a`` or ``_b``: `value`, the interval, and `samples`
    where `values` have them.
    """
    pairs = _pairs(values, MIN_RATIO)
    return pairs.sort_values(_PAIR, kind="stable", ignore_index=True)


def _pairs(values: pd.DataFrame, min_ratio: float) -> pd.DataFrame:
    """Join the arms of each case: one row per pair, with its distance and whether it alarms."""
    rows = values[(values["benchmark"] == BENCHMARK) & (values["status"] == "ok")]
    arm, case = ([params.get(name) for params in rows["params"]] for name in ("arm", "case"))
    samples = [name for name in ("samples",) if name in rows]
    rows = rows[[*_PAIR[:-1], *_NUMBERS, *samples, "started_at"]].assign(arm=arm, case=case)
    numbers = rows[_NUMBERS].to_numpy("float64", na_value=np.nan)
    value, low, high = numbers.T
    comparable = np.isfinite(numbers).all(axis=1) & (kept(value) > 0)
    # An interval holds its value, whatever a file says.
    rows = rows.assign(ci_low=np.minimum(low, value), ci_high=np.maximum(high, value))
    rows = rows[rows["case"].notna() & comparable]
    # The same run in two folders is one measurement.
    rows = rows.drop_duplicates([*_PAIR, "arm"], keep="last")
    first, second = (rows[rows["arm"] == name].drop(columns="arm") for name in ARMS)
    pairs: pd.DataFrame = first.merge(
        second, on=_PAIR, suffixes=("_a", "_b"), validate="one_to_one"
    )
    # A difference of logarithms, not the logarithm of a ratio: exactly the same from both sides.
    distance = np.abs(np.log(pairs["value_b"]) - np.log(pairs["value_a"]))
    apart = (pairs["ci_low_a"] > pairs["ci_high_b"]) | (pairs["ci_low_b"] > pairs["ci_high_a"])
    pairs["distance"] = distance
    pairs["alarm"] = apart & (distance >= np.log(min_ratio))
    pairs["started_at"] = pairs[["started_at_a", "started_at_b"]].min(axis=1)
    return pairs
