"""The column family `intervals`: four numbers of five digits each, as small whole numbers.

asv writes the median with all its digits, interval and quartiles with five. As doubles those four
take three quarters of a store and don't compress: a decimal fraction has no short binary form. But
each lies within some hundred units of the median's fifth digit. So the family holds, per row,

    q25 − value,  q75 − value,  ci_low − q25,  ci_high − q75      in units of 10**power,

and numbers of which this is not exact (more digits, infinite, no median) as they are, in columns of
their own. Decoding gives every number bit for bit: `encode` tries it.

The power is the place of the smallest number's fifth digit. Powers of ten up to 22 are exact
doubles, and so are whole numbers below 2**53; one multiplication or division of two exact doubles
rounds once, so a decoded number is the double nearest to its decimal fraction: what reading
"0.25151" gives. (The same reasoning as Clinger, "How to read floating point numbers accurately",
1990, section 4.)
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from convbench.results.result_file import INTERVALS, Floats

DIGITS = 5
"""Significant digits that asv gives its statistics."""

# A difference of None is one to the value itself; the order is the one of decoding.
_BASES: Mapping[str, str | None] = {"q25": None, "q75": None, "ci_low": "q25", "ci_high": "q75"}

_EXACT_POWER = 22
_EXPONENTS = range(-30, 31)
_POWERS = np.array([float(f"1e{exponent}") for exponent in _EXPONENTS])
_LARGEST_STEP = 2**31 - 1


@dataclass(frozen=True)
class Coded:
    """Intervals of some rows in units of ``10**power``; `steps` has every one of `INTERVALS`."""

    power: npt.NDArray[np.int8]
    steps: Mapping[str, npt.NDArray[np.int32]]


def encode(value: Floats, intervals: Mapping[str, Floats]) -> tuple[Coded, npt.NDArray[np.bool_]]:
    """Code the intervals of rows with these medians.

    Parameters
    ----------
    value : array (rows,)
        Medians; NaN where there is none.
    intervals : mapping of arrays (rows,)
        Every one of `INTERVALS`; NaN where there is none.

    Returns
    -------
    coded : Coded
        Meaningless in rows that are not exact.
    exact : array (rows,) of bool
        Rows in which `decode` gives all four numbers back.
    """
    power = _power(np.abs(intervals["ci_low"]))  # mostly the smallest; others need not be exact
    scale = _Scale(power)
    digits: dict[str | None, Floats] = {None: np.rint(scale.to_digits(value))}
    steps, exact = {}, np.ones(len(value), bool)
    for name, base in _BASES.items():
        digits[name] = np.rint(scale.to_digits(intervals[name]))
        with np.errstate(over="ignore", invalid="ignore"):
            difference = digits[name] - digits[base]
        fits = np.abs(difference) < _LARGEST_STEP  # false for NaN
        # Where the steps fit, `decode` adds them up to these very digits: all are whole numbers
        # below 2**53, or there is no exact power.
        exact &= fits & (scale.from_digits(digits[name]) == intervals[name])
        steps[name] = np.where(fits, difference, 0).astype(np.int32)
    return Coded(power.astype(np.int8), steps), exact


def decode(value: Floats, coded: Coded) -> dict[str, Floats]:
    """Return the intervals that were coded; NaN in rows without a value."""
    scale = _Scale(coded.power.astype(np.int64))
    digits: dict[str | None, Floats] = {None: np.rint(scale.to_digits(value))}
    for name, base in _BASES.items():
        digits[name] = digits[base] + coded.steps[name]
    return {name: scale.from_digits(digits[name]) for name in INTERVALS}


def _power(size: Floats) -> npt.NDArray[np.int64]:
    """Return the power of ten of the fifth digit of each size."""
    # Compared with exact powers: a logarithm could be a hair off at a power of ten.
    exponent = np.searchsorted(_POWERS, size, side="right") - 1 + _EXPONENTS[0]
    return exponent - (DIGITS - 1)


class _Scale:
    """Multiplies and divides by powers of ten with one rounding; NaN where one is no double."""

    def __init__(self, power: npt.NDArray[np.int64]) -> None:
        size = np.abs(power)
        self._factor = np.where(
            size <= _EXACT_POWER, _POWERS[np.minimum(size, _EXACT_POWER) - _EXPONENTS[0]], np.nan
        )
        self._small = power < 0  # factors are powers of ten from 0 on

    def to_digits(self, numbers: Floats) -> Floats:
        """Divide by ``10**power``."""
        return self._either(numbers, self._small)

    def from_digits(self, digits: Floats) -> Floats:
        """Multiply by ``10**power``."""
        return self._either(digits, ~self._small)

    def _either(self, numbers: Floats, multiplied: npt.NDArray[np.bool_]) -> Floats:
        with np.errstate(over="ignore", invalid="ignore"):
            if multiplied.all():
                return numbers * self._factor
            if not multiplied.any():
                return numbers / self._factor
            return np.where(multiplied, numbers * self._factor, numbers / self._factor)
