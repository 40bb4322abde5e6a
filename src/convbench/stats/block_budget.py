"""Where the next blocks of a comparison are best spent, within the time that is left.

A cell that is SAME, confirmed, refuted or failed gets no more blocks. Stage 2 comes first, cheapest
first: it turns what stage 1 found into verdicts. Then cells before their first look, cheapest
first, so that as many as possible are judged at all. Then the others by their chance of a verdict
per second. A cell whose chance stays below `HOPELESS` up to the last look is left AMBIGUOUS.

Blocks are asked for up to the next look only, and never fewer: part of the way to a look decides
nothing. Ask again when they are measured.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scipy import special

from convbench.errors import BadUsage
from convbench.stats.block_evidence import Evidence, Settings
from convbench.stats.block_stages import Assessment, assess

HOPELESS = 0.05
"""Chance of a verdict by the last look below which a cell gets no more blocks."""

RESERVE = 0.4
"""Share of the time left that stage 1 leaves to stage 2: unconfirmed findings are no verdicts. Ten
blocks of stage 1 are followed by at least six, and what a block costs is mostly its starts, which
few cells share as well as many."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The blocks to measure next; without any, the comparison has ended.

    Parameters
    ----------
    screen, confirm
        Blocks of stage 1 and of stage 2 by name of the cell. Both may share processes with each
        other, since each block has fresh ones.
    seconds
        Time that they should take.
    dropped
        Cells that could still be decided but don't fit into the time left.
    """

    screen: Mapping[str, int]
    confirm: Mapping[str, int]
    seconds: float
    dropped: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.screen or self.confirm)


@dataclass(frozen=True, slots=True)
class _Request:
    name: str
    stage: int
    blocks: int
    seconds: float
    rank: tuple[int, float, str]


def wants(
    evidence: Sequence[Evidence],
    settings: Settings,
    seconds_per_block: Mapping[str, float],
    seconds_left: float,
) -> Plan:
    """Plan the next blocks.

    Parameters
    ----------
    evidence
        All cells of the run with the blocks measured so far.
    settings
        As for `judge`.
    seconds_per_block
        What one block of a cell takes, by name: its calls in all four processes and its share of
        starting them.
    seconds_left
        Time until the budget ends; infinite without a budget.

    Raises
    ------
    BadUsage
        For a cell without a positive cost.
    """
    requests = []
    for cell in assess(evidence, settings):
        if cell.evidence.failed:
            continue
        cost = seconds_per_block.get(cell.evidence.name, 0.0)
        if not 0 < cost < math.inf:
            raise BadUsage(f"a block of {cell.evidence.name!r} costs {cost} s; give what it takes")
        request = _request(cell, settings, cost)
        if request:
            requests.append(request)
    return _fit(sorted(requests, key=lambda one: one.rank), seconds_left)


def _fit(requests: Sequence[_Request], seconds_left: float) -> Plan:
    """Take requests in order while they fit, those of stage 1 into their share."""
    plans: tuple[dict[str, int], dict[str, int]] = ({}, {})
    limits = ((1 - RESERVE) * seconds_left, seconds_left)
    spent, dropped = 0.0, []
    for request in requests:
        if spent + request.seconds <= limits[request.stage - 1]:
            plans[request.stage - 1][request.name] = request.blocks
            spent += request.seconds
        else:
            dropped.append(request.name)
    return Plan(plans[0], plans[1], spent, tuple(dropped))


def _request(cell: Assessment, settings: Settings, cost: float) -> _Request | None:
    """Give what would bring a cell nearer to a verdict, or nothing."""
    name, measured = cell.evidence.name, len(cell.evidence.screen)
    if cell.same or cell.confirm:
        return None
    if cell.selected:
        missing = cell.confirm_blocks - len(cell.evidence.confirm)
        return _Request(name, 2, missing, missing * cost, (0, missing * cost, name))
    ahead = [look for look in settings.looks if look > measured]
    if not ahead:
        return None
    missing = ahead[0] - measured
    if not cell.looked:
        return _Request(name, 1, missing, missing * cost, (1, missing * cost, name))
    chances = [chance_of_verdict(cell, look, settings) for look in ahead]
    if max(chances) < HOPELESS:
        return None
    value = max(
        chance / ((look - measured) * cost) for chance, look in zip(chances, ahead, strict=True)
    )
    return _Request(name, 1, missing, missing * cost, (2, -value, name))


def chance_of_verdict(cell: Assessment, look: int, settings: Settings) -> float:
    """Predict the chance that stage 1 selects the cell, or shows equality, at a later look.

    Given n blocks of mean m and spread s, the mean of N > n blocks is predicted as normal around m
    with variance s²·(1/n − 1/N): what is known stays, what is to come is centred at m. The spread
    is taken as known; a plan needs no more.
    """
    now = cell.screen
    error = now.spread / math.sqrt(look)
    deviation = now.spread * math.sqrt(1 / now.blocks - 1 / look)
    freedom = look - 1
    critical = error * float(special.stdtrit(freedom, 1 - settings.look_alpha / 2))
    reach = error * float(special.stdtrit(freedom, 1 - settings.equivalence_alpha))
    same_within = math.log(settings.margin) - reach

    def inside(bound: float) -> float:
        upper = special.ndtr((bound - now.mean) / deviation)
        return float(upper - special.ndtr((-bound - now.mean) / deviation))

    different = 1 - inside(critical)
    same = inside(same_within) if same_within > 0 else 0.0
    return min(different + same, 1.0)
