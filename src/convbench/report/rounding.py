"""Numbers with few digits, as data files keep them."""

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Whole = NDArray[np.int64]

FARTHEST = 300
"""Powers of ten up to this, and down to its negative, are units."""

_POWERS = np.array([float(f"1e{power}") for power in range(-FARTHEST, FARTHEST + 1)])


def short(value: float, digits: int) -> float:
    """Round a number to so many digits."""
    return float(f"{value:.{digits}g}")


def rounded(values: Numbers, digits: int) -> Numbers:
    """Round finite numbers to so many digits, as `short` does but for ties."""
    last = np.clip(powers_of(values) - (digits - 1), -FARTHEST, FARTHEST)
    counts = np.rint(values * _POWERS[FARTHEST - last])
    # Of the powers only whole ones are exact.
    result: Numbers = np.where(
        last >= 0,
        counts * _POWERS[FARTHEST + np.maximum(last, 0)],
        counts / _POWERS[FARTHEST - np.minimum(last, 0)],
    )
    return result


def powers_of(values: Numbers) -> Whole:
    """Give the power of ten of each number's first digit; 0 for 0."""
    size = np.abs(values)
    return np.floor(np.log10(size, out=np.zeros_like(size), where=size > 0)).astype(np.int64)


def unit_of(values: Numbers, digits: int) -> int:
    """Give the power of ten of the last digit of the number nearest to 0, but for 0 itself."""
    powers = powers_of(values[values != 0])
    return (int(powers.min()) if powers.size else 0) - (digits - 1)


def in_units(values: Numbers, digits: int, exponent: int) -> Numbers:
    """Round numbers to so many digits, and count them in units of a power of ten.

    A number of which the unit is more than its last digit has fewer digits; one that is some 300
    powers of ten greater than the unit is infinite, or nearly.

    Parameters
    ----------
    values : array
        Finite.
    digits
        Of each number.
    exponent
        The unit is 10 to this power, at most `FARTHEST` from 0.
    """
    last = np.clip(powers_of(values) - (digits - 1), exponent, FARTHEST)
    counts = np.rint(values * _POWERS[FARTHEST - last])
    result: Numbers = counts * _POWERS[FARTHEST + np.minimum(last - exponent, FARTHEST - digits)]
    return result
