"""The noise of synthetic histories: seven kinds, all with a coefficient of variation.

Noise is what is added to the logarithm of a level, so a coefficient of variation (CV) of 0.02 means
a standard deviation of about 2 % of any level. Real histories showed each kind's trait: strange
values (`outlier`), a spread that changes over time (`hetero`), slow change (`drift`), two modes
between which a value jumps at once (`bimodal`) or stays for a while (`sticky`), and neighbours that
resemble each other (`ar1`).
"""

import itertools
import math
import zlib
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]

OUTLIER_SHARE = 0.05
OUTLIER_HEIGHT = math.log(1.3)
"""Of `outlier`: how many points are strange, and by how much, whatever the CV."""

SPREADS = (0.5, 1.0, 2.0)
SPREAD_BLOCK = (10, 40)
"""Of `hetero`: the spreads that alternate, and for how many points one lasts."""

DRIFT_HEIGHT = 3.0
"""Of `drift`: how far the level moves over the whole history, in units of the noise."""

MODE_SPREAD, MODE_DISTANCE, MODE_SHARE = 0.4, 2.0, 0.3
"""Of `bimodal` and `sticky`: spread of a mode, distance of the upper one, its share of points."""

MODE_ENTER, MODE_LEAVE = 0.075, 0.175
"""Of `sticky`: chance of a move to the upper mode and back; the share stays `MODE_SHARE`."""

CORRELATION = 0.5
"""Of `ar1`: between a point and the next one."""


def generator(seed: int, *keys: object) -> np.random.Generator:
    """Make the random generator of one series, independent of those of all other keys.

    Parameters
    ----------
    seed
        1000 while a detector is developed; any other number for a draw that nobody has seen.
    keys
        What the series is: test, kind of noise, size, repetition. Their texts are what counts.
    """
    return np.random.default_rng([seed, *(zlib.crc32(str(key).encode()) for key in keys)])


def draw_noise(kind: str, points: int, cv: float, rng: np.random.Generator) -> Values:
    """Draw the noise of one history.

    Parameters
    ----------
    kind
        A key of `KINDS`.
    points
        Length of the history.
    cv
        Coefficient of variation of the noise.
    rng
        Where chance comes from; see `generator`.

    Returns
    -------
    array, shape (points,)
        To be added to the logarithm of the levels.
    """
    return KINDS[kind](points, cv, rng)


def _gaussian(points: int, cv: float, rng: np.random.Generator) -> Values:
    return cv * rng.standard_normal(points)


def _with_outliers(points: int, cv: float, rng: np.random.Generator) -> Values:
    noise = _gaussian(points, cv, rng)
    return noise + OUTLIER_HEIGHT * (rng.random(points) < OUTLIER_SHARE)


def _of_changing_spread(points: int, cv: float, rng: np.random.Generator) -> Values:
    spreads: list[float] = []
    shortest, longest = SPREAD_BLOCK
    while len(spreads) < points:
        length = int(rng.integers(shortest, longest + 1))
        spreads += [float(rng.choice(SPREADS))] * length
    # Divided by the mean square of the spreads, so that the CV is that of the whole.
    scale = math.sqrt(sum(spread**2 for spread in SPREADS) / len(SPREADS))
    noise: Values = _gaussian(points, cv, rng) * np.array(spreads[:points])
    return noise / scale


def _drifting(points: int, cv: float, rng: np.random.Generator) -> Values:
    sign = float(rng.choice((-1.0, 1.0)))
    line = np.linspace(0, sign * DRIFT_HEIGHT * cv, points)
    return _gaussian(points, cv, rng) + line


def _of_two_modes(points: int, cv: float, rng: np.random.Generator) -> Values:
    upper = rng.random(points) < MODE_SHARE
    return _modes(upper, cv, rng)


def _of_sticky_modes(points: int, cv: float, rng: np.random.Generator) -> Values:
    chances = rng.random(points)
    upper = [chances[0] < MODE_SHARE]
    for chance in chances[1:]:
        upper.append(chance >= MODE_LEAVE if upper[-1] else chance < MODE_ENTER)
    return _modes(np.array(upper), cv, rng)


def _modes(upper: NDArray[np.bool_], cv: float, rng: np.random.Generator) -> Values:
    noise: Values = MODE_SPREAD * rng.standard_normal(upper.size) + MODE_DISTANCE * upper
    return cv * noise


def _autocorrelated(points: int, cv: float, rng: np.random.Generator) -> Values:
    innovations = rng.standard_normal(points)
    innovations[1:] *= math.sqrt(1 - CORRELATION**2)
    return cv * np.array(
        list(itertools.accumulate(innovations, lambda last, new: CORRELATION * last + new))
    )


KINDS: Mapping[str, Callable[[int, float, np.random.Generator], Values]] = {
    "logn": _gaussian,
    "outlier": _with_outliers,
    "hetero": _of_changing_spread,
    "drift": _drifting,
    "bimodal": _of_two_modes,
    "ar1": _autocorrelated,
    "sticky": _of_sticky_modes,
}
"""Kind of noise -> function of points, CV and generator."""
