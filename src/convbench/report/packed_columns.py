"""Columns of a history as text: whole numbers of one unit, each as its distance from the least.

The scripts read them back in ``history_data.js``.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from convbench.report.packing import pack_all, width_of
from convbench.report.rounding import FARTHEST, in_units, short, unit_of

DIGITS = 6
"""Digits that every value keeps, and so the difference of its power of ten from the unit's."""

LARGEST = 1e13
"""Numbers up to this are whole in every step, here and in the scripts; others stay as they are."""

Column = Sequence[float | None] | npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]


def pack_counts(numbers: Sequence[int] | Whole) -> int | list[object]:
    """Write only the first of numbers that count up by one; of others the steps as well."""
    steps = np.diff(numbers)
    first = int(numbers[0])
    if (steps == 1).all():
        return first
    return [first, *_packed(steps, np.full(len(steps), True))]


def pack_values(
    y: Column, low: Column | None = None, high: Column | None = None
) -> dict[str, object]:
    """Write values with `DIGITS` digits, and the distances to both ends of their intervals.

    Values that are too far apart for one unit are written as they are, without ``exponent``. What
    is not known is None or NaN.
    """
    names = ("y", "low", "high")[: 1 if low is None else 3]
    values = np.array([column for column in (y, low, high) if column is not None], dtype=float)
    known = ~np.isnan(values)
    values = np.where(known, values, 0.0)
    exponent = unit_of(values, DIGITS)
    scaled = in_units(values, DIGITS, exponent) if abs(exponent) <= FARTHEST else None
    if scaled is None or (np.abs(scaled) >= LARGEST).any():
        return {
            name: [short(value, DIGITS) if is_known else None for value, is_known in cells]
            for name, cells in zip(names, map(zip, values.tolist(), known.tolist()), strict=True)
        }
    whole = scaled.astype(np.int64)
    tens = _tens(whole)
    whole //= 10**tens
    far = [whole[0], *([whole[0] - whole[1], whole[2] - whole[0]] if low is not None else [])]
    return {
        "exponent": exponent + tens,
        **{name: _packed(*column) for name, *column in zip(names, far, known, strict=True)},
    }


def _tens(numbers: Whole) -> int:
    """Count the zeros at the end of all numbers."""
    common = int(np.gcd.reduce(numbers, axis=None))
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
