"""Steps injected into real histories: noise as it is, changes as they are known.

Nobody knows which changes a real history has, so what a detector finds there is a *flag*, neither
right nor wrong. What can be known is whether it finds a step that was put there. Sites near a
detector's own flags are passed over, because a step on top of another change is another size;
which sites count thus depends on the detector, and one with many flags is spared the hard places.

Real histories come many at a time, and `convbench detect` uses that: what all benchmarks of one
environment share at a commit is taken out before ours looks (`common_mode`). `DETECT` is ours with
that, each step being put into one history among its neighbours.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from convbench.stats.bench.agreement import agree
from convbench.stats.bench.figures import Cell, Figure, Tally, summarise
from convbench.stats.bench.noise import Values, generator
from convbench.stats.bench.scoring import TOLERANCE, Find, is_near
from convbench.stats.bench.steps import MARGIN
from convbench.stats.common_mode import aligned, corrected

INJECTION = "injection"
FLAGS, FOUND = "flags", "found"

DETECT = "detect"
"""Ours on histories without their common mode, listed beside the detectors."""

LEAST_POINTS, MOST_POINTS = 60, 400
"""Shorter histories are left out; of longer ones only the newest commits are taken."""

SIZES = (0.03, 0.05, 0.10, 0.20)
SITES = 2
"""Relative sizes of the steps, and how many places are tried for each."""

NEAR_FLAG = 5
"""Sites within so many commits of a flag are passed over."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One real history.

    Parameters
    ----------
    values : array, shape (n,)
    commits : array, shape (n,)
        Places of the commits in the order of the collection, rising.
    benchmark
        What was measured, with its parameters; empty if unknown.
    beside
        What it was measured in; times with the same text were measured side by side. Empty for
        a history that is alone, or no time.
    """

    values: Values
    commits: NDArray[np.int64]
    benchmark: str = ""
    beside: str = ""


Sees = Callable[[int, Values], Values]
"""(number of a history, its values) -> what the detector is shown."""


def usable(histories: Sequence[Measured]) -> list[Measured]:
    """Choose the histories that are long enough, and of each the newest commits."""
    return [
        replace(one, values=one.values[-MOST_POINTS:], commits=one.commits[-MOST_POINTS:])
        for one in histories
        if one.values.size >= LEAST_POINTS
    ]


def chosen(count: int, share: float) -> list[int]:
    """Choose an evenly spread share of so many histories, at least one."""
    if not count:
        return []
    places = np.linspace(0, count - 1, max(round(count * share), 1))
    return [int(place) for place in places.round()]


def as_measured(number: int, values: Values) -> Values:  # noqa: ARG001  # a Sees
    """Show a history by itself."""
    return values


def without_common_mode(histories: Sequence[Measured]) -> Sees:
    """Show a history less what those beside it share with it, as `convbench detect` does."""
    groups: dict[str, list[int]] = defaultdict(list)
    for number, one in enumerate(histories):
        if one.beside:
            groups[one.beside].append(number)
    matrices = {
        beside: aligned(
            [histories[at].commits for at in members], [histories[at].values for at in members]
        )
        for beside, members in groups.items()
    }

    def sees(number: int, values: Values) -> Values:
        one = histories[number]
        if not one.beside:
            return values
        columns, matrix = matrices[one.beside]
        row, places = groups[one.beside].index(number), np.searchsorted(columns, one.commits)
        changed = matrix.copy()
        changed[row, places] = values
        quiet: Values = corrected(changed)[row, places]
        return quiet

    return sees


def inject(
    source: str,
    histories: Sequence[Measured],
    detector: str,
    find: Find,
    seed: int,
    *,
    sees: Sees = as_measured,
    share: float = 1.0,
) -> list[Figure]:
    """Count flags on real histories, how many agree with others, and injected steps that are found.

    Parameters
    ----------
    source
        Name of the collection that the histories are from.
    histories
        As `usable` gives them.
    sees
        What the detector is shown of a history.
    share
        Of the histories that are looked at; the others are only beside them.
    """
    tallies: dict[float, list[Tally]] = {size: [] for size in (0.0, *SIZES)}
    numbers = chosen(len(histories), share)
    flagged: dict[int, Sequence[int]] = {}
    for number in numbers:
        values = histories[number].values

        def look(shown: Values, number: int = number) -> Sequence[int]:
            return find(sees(number, shown))

        flags = look(values)
        flagged[number] = flags
        tallies[0.0].append({FLAGS: (len(flags), values.size)})
        for size in SIZES:
            rng = generator(seed, INJECTION, source, number, size)
            tallies[size].append({FOUND: _found(values, size, flags, look, rng)})
    counted = [
        figure
        for size, each in tallies.items()
        for figure in summarise(Cell(INJECTION, source, 0, 0.0, size, len(numbers)), detector, each)
    ]
    benchmarks = [one.benchmark for one in histories]
    series = [(one.commits, one.values) for one in histories]
    return counted + agree(source, detector, benchmarks, series, flagged)


def _found(
    values: Values, size: float, flags: Sequence[int], find: Find, rng: np.random.Generator
) -> tuple[int, int]:
    """Count the injected steps that are found, and those that were tried."""
    found = tried = 0
    lowest, highest = math.ceil(MARGIN * values.size), math.floor((1 - MARGIN) * values.size)
    for _ in range(SITES):
        site = int(rng.integers(lowest, highest + 1))
        factor = (1 + size) ** float(rng.choice((-1.0, 1.0)))
        if is_near(site, flags, NEAR_FLAG):
            continue
        changed = values.copy()
        changed[site:] *= factor
        tried += 1
        found += is_near(site, find(changed), TOLERANCE)
    return found, tried
