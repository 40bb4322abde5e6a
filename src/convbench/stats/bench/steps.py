"""Histories whose changes are known."""

import math
from dataclasses import dataclass

import numpy as np

from convbench.stats.bench.noise import Values, draw_noise

LEVEL = 0.001
"""Seconds per call before the first change."""

MARGIN = 0.15
"""A single step lies at least this share of the history away from either end."""

END_DISTANCE, STEP_DISTANCE = 10, 12
"""Of a history of several steps: their least distance from the ends, and from each other."""

SPIKE = math.log(2.0)
"""Of a history with a single strange value: that value is twice the others."""


@dataclass(frozen=True, slots=True)
class History:
    """Values of one benchmark over commits, and where its level really changes.

    Parameters
    ----------
    values : array, shape (n,)
        Seconds per call, oldest commit first.
    changes : tuple of int
        First commits of new levels, ascending.
    levels : tuple of float
        Logarithm of each level relative to the first, one more than there are changes.
    """

    values: Values
    changes: tuple[int, ...] = ()
    levels: tuple[float, ...] = (0.0,)


def unchanging(kind: str, points: int, cv: float, rng: np.random.Generator) -> History:
    """Draw a history without a change: everything that is found there is false."""
    return _history(draw_noise(kind, points, cv, rng), (), ())


def spiked(kind: str, points: int, cv: float, rng: np.random.Generator) -> History:
    """Draw a history without a change in which one value, anywhere, is twice the others."""
    noise = draw_noise(kind, points, cv, rng)
    noise[rng.integers(points)] += SPIKE
    return _history(noise, (), ())


def one_step(kind: str, points: int, cv: float, step: float, rng: np.random.Generator) -> History:
    """Draw a history with one step, up by 1 + step or down by the same factor.

    Its position is uniform in the middle 70 % of the history.
    """
    position = int(rng.integers(math.ceil(MARGIN * points), math.floor((1 - MARGIN) * points) + 1))
    height = float(rng.choice((-1.0, 1.0))) * math.log1p(step)
    return _history(draw_noise(kind, points, cv, rng), (position,), (height,))


def step_at(
    position: int, kind: str, points: int, cv: float, step: float, rng: np.random.Generator
) -> History:
    """Draw a history with one step, up or down, at a given position."""
    height = float(rng.choice((-1.0, 1.0))) * math.log1p(step)
    return _history(draw_noise(kind, points, cv, rng), (position,), (height,))


def several_steps(
    count: int, kind: str, points: int, cv: float, step: float, rng: np.random.Generator
) -> History:
    """Draw a history with several steps of one size and random signs.

    Positions are uniform among all that keep their distance: they are drawn without repetition
    from a history that lacks the distances, which are then put back.
    """
    spare = points - 2 * END_DISTANCE - (count - 1) * (STEP_DISTANCE - 1)
    ranks = np.sort(rng.choice(spare, count, replace=False))
    positions = ranks + END_DISTANCE + (STEP_DISTANCE - 1) * np.arange(count)
    heights = rng.choice((-1.0, 1.0), count) * math.log1p(step)
    noise = draw_noise(kind, points, cv, rng)
    return _history(noise, tuple(map(int, positions)), tuple(map(float, heights)))


def _history(noise: Values, changes: tuple[int, ...], heights: tuple[float, ...]) -> History:
    levels = (0.0, *(float(level) for level in np.cumsum(heights)))
    lengths = np.diff((0, *changes, noise.size))
    return History(LEVEL * np.exp(noise + np.repeat(levels, lengths)), changes, levels)
