"""How many flags on real histories are true, told by measurements that know nothing of each other.

A collection that measures one benchmark in several environments at the same commits tells, without
any label, what flags are worth. Where the code changed, all environments move the same way. Where
one history only seems to change, the others move up or down by chance, half of them the same way.
So if a share a of the flags *agrees* with the other environments, about 2a − 1 of them are changes
that all share. A change of one environment alone counts as noise here, and what disturbed the
machine for ten commits as a change.

The move of a history at a commit is the median of its `SIDE` values from there on less that of the
`SIDE` before, in logarithms; no detector is asked about it.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from convbench.stats.bench.figures import Cell, Figure, Tally, summarise
from convbench.stats.bench.noise import Values
from convbench.stats.bench.scoring import SAME_ALERT

AGREEMENT = "agreement"
AGREES = "agrees"

SIDE, LEAST_SIDE = 10, 8
"""Values whose medians are compared, and how many there must be on each side."""

NEAR = 3
"""A history that measured no commit so near, in the order of the collection, has no say."""

Places = NDArray[np.int64]


def agree(
    source: str,
    detector: str,
    benchmarks: Sequence[str],
    series: Sequence[tuple[Places, Values]],
    flags: Mapping[int, Sequence[int]],
) -> list[Figure]:
    """Count flags that agree with the other environments; nothing where there is no other.

    Parameters
    ----------
    benchmarks
        Of each history what was measured, with its parameters; empty if unknown.
    series
        Of each history its commits, rising, and its values.
    flags
        Number of a history -> positions in it that the detector flags, rising. One flag within
        `SAME_ALERT` commits of the one before is the same.
    """
    same: dict[str, list[int]] = defaultdict(list)
    for number, benchmark in enumerate(benchmarks):
        if benchmark:
            same[benchmark].append(number)
    tallies: list[Tally] = []
    for number, flagged in flags.items():
        others = [series[other] for other in same[benchmarks[number]] if other != number]
        told = [
            answer
            for place in _news(flagged)
            if (answer := _agrees(series[number], place, others)) is not None
        ]
        tallies.append({AGREES: (sum(told), len(told))})
    if not any(tally[AGREES][1] for tally in tallies):
        return []
    return summarise(Cell(AGREEMENT, source, 0, 0.0, 0.0, len(tallies)), detector, tallies)


def _news(flagged: Sequence[int]) -> list[int]:
    """Leave out what is near the flag before it."""
    return [
        place
        for number, place in enumerate(flagged)
        if not number or place - flagged[number - 1] > SAME_ALERT
    ]


def _agrees(
    own: tuple[Places, Values], place: int, others: Sequence[tuple[Places, Values]]
) -> bool | None:
    """Say whether the others move the way this history does; None where nobody can tell."""
    commit = int(own[0][place])
    moves = [_move(other, commit) for other in others]
    move, typical = _move(own, commit), [one for one in moves if one is not None]
    if not move or not typical:
        return None
    return bool(np.sign(np.median(typical)) == np.sign(move))


def _move(one: tuple[Places, Values], commit: int) -> float | None:
    """Give how far a history moves at a commit, in log units; None where it can't tell."""
    commits, values = one
    at = int(np.searchsorted(commits, commit))
    if at < LEAST_SIDE or commits.size - at < LEAST_SIDE:
        return None
    if min(commits[at] - commit, commit - commits[at - 1]) > NEAR:
        return None
    after, before = values[at : at + SIDE], values[max(0, at - SIDE) : at]
    return float(np.median(np.log(after)) - np.median(np.log(before)))
