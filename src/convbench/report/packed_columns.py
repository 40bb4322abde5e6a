"""Columns of a history as text: whole numbers of one unit, each as its distance from the least.

The scripts read them back in ``history_data.js``.
"""

import math
from collections.abc import Iterable, Sequence
from itertools import chain, pairwise

import numpy as np
import numpy.typing as npt

from convbench.report.packing import pack_all, width_of

DIGITS = 6
"""Digits that every value keeps, and so the difference of its power of ten from the unit's."""

LARGEST = 1e13
"""Numbers up to this are whole in every step, here and in the scripts; others stay as they are."""

FARTHEST = 300
"""Powers of ten up to this, and down to its negative, can be divided by."""

Column = Sequence[float | None]
Whole = npt.NDArray[np.int64]


def pack_counts(numbers: Sequence[int]) -> int | list[object]:
    """Write only the first of numbers that count up by one; of others the steps as well."""
    steps = [after - before for before, after in pairwise(numbers)]
    if all(step == 1 for step in steps):
        return numbers[0]
    return [numbers[0], *_packed(np.array(steps), np.full(len(steps), True))]


def pack_values(y: Column, low: Column = (), high: Column = ()) -> dict[str, object]:
    """Write values of `DIGITS` digits, and the distances to both ends of their intervals.

    Values that are too far apart for one unit are written as they are, without ``exponent``.
    """
    names = ("y", "low", "high") if low else ("y",)
    columns = dict(zip(names, (y, low, high), strict=False))
    exponent = _exponent(chain.from_iterable(columns.values()))
    measured = {name: np.array(column, dtype=float) for name, column in columns.items()}
    known = {name: ~np.isnan(column) for name, column in measured.items()}
    if abs(exponent) > FARTHEST:
        return {**columns}
    scale = float(f"1e{-exponent}")
    scaled = {name: np.nan_to_num(column) * scale for name, column in measured.items()}
    if any((np.abs(column) >= LARGEST).any() for column in scaled.values()):
        return {**columns}
    whole = {name: np.rint(column).astype(np.int64) for name, column in scaled.items()}
    tens = _tens(whole.values())
    whole = {name: column // 10**tens for name, column in whole.items()}
    far = {"y": whole["y"]}
    if low:
        far |= {"low": whole["y"] - whole["low"], "high": whole["high"] - whole["y"]}
    return {
        "exponent": exponent + tens,
        **{name: _packed(column, known[name]) for name, column in far.items()},
    }


def _exponent(values: Iterable[float | None]) -> int:
    """Give the power of ten of the last digit of the value nearest to 0."""
    least = min((abs(value) for value in values if value), default=1.0)
    return math.floor(math.log10(least)) - (DIGITS - 1)


def _tens(columns: Iterable[Whole]) -> int:
    """Count the zeros at the end of all numbers."""
    common = math.gcd(*(int(np.gcd.reduce(column)) for column in columns))
    tens = 0
    while common and common % 10 ** (tens + 1) == 0:
        tens += 1
    return tens


def _packed(numbers: Whole, known: npt.NDArray[np.bool_]) -> list[object]:
    """Write the least, how many digits each has, and all; 0 where there is none."""
    least = int(numbers[known].min()) if known.any() else 0
    far = np.where(known, numbers - least + 1, 0)
    width = width_of(int(far.max(initial=0)))
    return [least, width, pack_all(far, width)]
