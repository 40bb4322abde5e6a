"""How well one step can be located at all: by who knows everything but the commit.

The oracle knows that there is one step, both levels, the kind of noise and its size, and names the
most likely commit. Detectors know none of this, so none can be expected to name the commit more
often; on a few dozen series, or within ±1, chance may put one a little above.
"""

import math
from collections.abc import Callable, Mapping

import numpy as np

from convbench.stats.bench.noise import (
    MODE_DISTANCE,
    MODE_SHARE,
    MODE_SPREAD,
    OUTLIER_HEIGHT,
    OUTLIER_SHARE,
    Values,
)
from convbench.stats.bench.steps import LEVEL, History

LogDensity = Callable[[Values, float], Values]


def most_likely_change(history: History, kind: str, cv: float) -> int:
    """Locate the only step of a history by maximum likelihood, its levels and noise known.

    Parameters
    ----------
    history
        With exactly one change.
    kind
        A key of `LOG_DENSITIES`: noise whose points are independent of each other.
    cv
        Coefficient of variation of the noise.
    """
    before, after = history.levels
    points = np.log(history.values / LEVEL)
    density = LOG_DENSITIES[kind]
    # What speaks for the new level, summed over the commits that would be after the change.
    gain = density(points - after, cv) - density(points - before, cv)
    totals = np.cumsum(gain[::-1])[::-1]
    return int(np.argmax(totals[1:])) + 1


def _gaussian(noise: Values, cv: float) -> Values:
    """Give the log density but for a constant."""
    return -0.5 * (noise / cv) ** 2


def _with_outliers(noise: Values, cv: float) -> Values:
    return np.logaddexp(
        math.log1p(-OUTLIER_SHARE) + _gaussian(noise, cv),
        math.log(OUTLIER_SHARE) + _gaussian(noise - OUTLIER_HEIGHT, cv),
    )


def _of_two_modes(noise: Values, cv: float) -> Values:
    spread = MODE_SPREAD * cv
    return np.logaddexp(
        math.log1p(-MODE_SHARE) + _gaussian(noise, spread),
        math.log(MODE_SHARE) + _gaussian(noise - MODE_DISTANCE * cv, spread),
    )


LOG_DENSITIES: Mapping[str, LogDensity] = {
    "logn": _gaussian,
    "outlier": _with_outliers,
    "bimodal": _of_two_modes,
}
"""Kind of noise -> logarithm of its density, but for a constant."""
