"""What a run of the bench has to compute, in pieces that processes can share."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from convbench.stats.bench.detectors import DETECTORS
from convbench.stats.bench.figures import Cell, Figure
from convbench.stats.bench.goals import OURS
from convbench.stats.bench.injection import (
    DETECT,
    INJECTION,
    Measured,
    as_measured,
    inject,
    usable,
    without_common_mode,
)
from convbench.stats.bench.protocols import (
    CEILING,
    GOAL_PROTOCOLS,
    PROTOCOLS,
    Protocol,
    evaluate,
    evaluate_ceiling,
    scaled,
)

ABOVE_PEERS = "goal five"
"""The goal test that every detector takes part in; ours is alone in the others."""


@dataclass(frozen=True, slots=True)
class Unit:
    """One detector on one cell, or, without a cell, on one collection of real histories."""

    detector: str
    test: str
    seed: int
    cell: Cell | None = None
    source: str = ""
    histories: tuple[Measured, ...] = ()
    share: float = 1.0

    def figures(self) -> list[Figure]:
        """Compute; the same wherever and whenever it is done."""
        if self.cell is None:
            return self._injected()
        if self.detector == CEILING:
            return evaluate_ceiling(self.test, self.cell, self.seed)
        find = DETECTORS[self.detector].find
        return evaluate(self.test, self.cell, self.detector, find, self.seed)

    def _injected(self) -> list[Figure]:
        among_others = self.detector == DETECT
        return inject(
            self.source,
            self.histories,
            self.detector,
            DETECTORS[OURS if among_others else self.detector].find,
            self.seed,
            sees=without_common_mode(self.histories) if among_others else as_measured,
            share=self.share,
        )


def plan(
    tests: Sequence[str],
    detectors: Sequence[str],
    histories: Mapping[str, Sequence[Measured]],
    *,
    goals: bool,
    share: float,
    seed: int,
) -> list[Unit]:
    """List the units of a run, in the order of its tables.

    Parameters
    ----------
    tests, detectors
        Names of what was asked for.
    histories
        Name of a collection -> its real histories.
    goals
        Whether the tests that decide the goals are run as well.
    share
        Of the series of each cell, and of the real histories.
    """
    units: list[Unit] = []
    for name, protocol in PROTOCOLS.items():
        if name in tests:
            units += _of_protocol(name, protocol, detectors, share, seed)
    if INJECTION in tests:
        units += [
            Unit(name, INJECTION, seed, None, source, tuple(usable(series)), share)
            for name in (*([DETECT] if OURS in detectors else []), *detectors)
            for source, series in histories.items()
        ]
    for name, protocol in GOAL_PROTOCOLS.items() if goals else ():
        taking_part = detectors if name == ABOVE_PEERS else [OURS]
        units += _of_protocol(name, protocol, taking_part, share, seed)
    return units


def _of_protocol(
    test: str, protocol: Protocol, detectors: Sequence[str], share: float, seed: int
) -> Iterator[Unit]:
    for name in (*detectors, CEILING) if protocol.has_ceiling else detectors:
        for cell in scaled(protocol.cells, share):
            yield Unit(name, test, seed, cell)
