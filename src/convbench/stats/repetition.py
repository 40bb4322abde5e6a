"""How far a value may be from another measurement of the same thing."""

import math
from dataclasses import dataclass

CONFIDENCE_QUANTILE = 2.5758
"""Of the normal distribution: 99 % lie within so many standard deviations."""

BETWEEN_RUNS = 2.0
"""How much larger the spread between runs is than within one (see docs/measuring.md)."""

LEAST_SPREAD = 0.01
"""Relative standard deviation that every measurement is granted."""

UNKNOWN_SPREAD = 0.035
"""The same where no null control tells how far runs of a machine lie apart."""


@dataclass(frozen=True, slots=True)
class Expected:
    """The interval that 99 % of repeated measurements should fall into."""

    low: float
    high: float

    def holds(self, value: float) -> bool:
        """Tell whether a value is as expected."""
        return self.low <= value <= self.high


def expected_again(value: float, ci_low: float, ci_high: float, null_spread: float) -> Expected:
    """State where a measurement of the same thing should fall.

    Parameters
    ----------
    value
        What was measured, a positive number.
    ci_low, ci_high
        Its 99 % interval; NaN or infinite where there is none.
    null_spread
        Median |log ratio| of the null control of the same run; NaN where there is none.

    Notes
    -----
    Two standard deviations of log(value) are known: the interval's half width over its quantile,
    and the null control's median distance, which for two normal values of one mean is 0.954 times
    the standard deviation of one (0.6745 √2). The greater counts, widened by what differs between
    runs. A difference of two measurements has √2 times the spread of one.
    """
    within = 0.0
    if 0 < ci_low <= ci_high < math.inf:
        within = math.log(ci_high / ci_low) / (2 * CONFIDENCE_QUANTILE)
    between = UNKNOWN_SPREAD
    if not math.isnan(null_spread):
        between = BETWEEN_RUNS * null_spread / (0.6745 * math.sqrt(2))
    deviation = max(BETWEEN_RUNS * within, between, LEAST_SPREAD)
    factor = math.exp(CONFIDENCE_QUANTILE * math.sqrt(2) * deviation)
    return Expected(value / factor, value * factor)
