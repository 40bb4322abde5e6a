"""What is told about a change: chance, size and place, each with its uncertainty."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from convbench.stats._elimination import Change, Noise
from convbench.stats._location import confidence_range
from convbench.stats.change_points import WINDOW

Values = NDArray[np.float64]

CONFIDENCE = 0.95

RANGE_SHARE = 0.96
"""Of the likelihood that the range of places holds: more than the confidence, since levels and
noise are estimates."""

FALSE_PER_POINT = 1e-4
"""Rate of false changes at the thresholds, as far as p-values go; measured rates are lower."""

EVIDENCE_PER_DECAY = 0.95
"""Each so many nats above the thresholds, false changes become rarer by a factor of e."""


@dataclass(frozen=True, slots=True)
class Description:
    """Numbers of one change, on the scale of the points.

    Parameters
    ----------
    p_value
        Chance that noise alone shows such a change anywhere in the history.
    shift_low, shift_high
        95 % interval of the shift.
    first, last
        Points among which the change lies.
    """

    p_value: float
    shift_low: float
    shift_high: float
    first: int
    last: int


def described(points: Values, change: Change, noise: Noise) -> Description:
    """Describe one change of a history.

    Parameters
    ----------
    points : array, shape (n,)
    change, noise
        As `Elimination.remaining` returned them for these points.
    """
    from scipy.special import stdtrit  # takes longer to import than a history

    half = float(stdtrit(change.shift.degrees, (1 + CONFIDENCE) / 2)) * change.shift.error
    low, high = max(change.low, change.start - WINDOW), min(change.high, change.start + WINDOW)
    deviation = noise.deviation * math.sqrt(noise.factor)
    first, last = confidence_range(points, low, change.start, high, deviation, RANGE_SHARE)
    chance = points.size * FALSE_PER_POINT * math.exp(-change.margin / EVIDENCE_PER_DECAY)
    return Description(
        min(1.0, chance), change.shift.size - half, change.shift.size + half, int(first), int(last)
    )
