"""How much of a machine's suite each commit measured, as a picture of bars."""

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from convbench.report.figures import LEFT, RIGHT, WIDTH, Tick
from convbench.report.measurements import Commit
from convbench.report.outcomes import RETIRED, Outcomes
from convbench.report.readable import significant
from convbench.report.series import FAILED, OK

MOST_COMMITS = 60
MOST_LISTED = 12
"""Commits of the table below the picture, newest first."""

TOP, BOTTOM, HEIGHT = 8, 114, 142
LEAST_ROOM = 64
"""Between the middles of two dates, so that they do not touch on a phone either."""

GAP = 0.25
"""Part of a bar's room that stays empty."""


@dataclass(frozen=True, slots=True)
class CommitCount:
    """What one commit measured of a machine's histories."""

    commit: str
    date: str
    ok: int
    failed: int
    total: int

    @property
    def share(self) -> str:
        """The part that has a value, in percent."""
        return share_of(self.ok, self.total)


@dataclass(frozen=True, slots=True)
class Strip:
    """The bars of one machine, one per commit: values from below, failures on top of them."""

    machine: str
    commits: tuple[CommitCount, ...]
    words: str
    ok: str
    failed: str
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    top: int = TOP
    bottom: int = BOTTOM

    @property
    def listed(self) -> tuple[CommitCount, ...]:
        """The newest commits, newest first."""
        return tuple(reversed(self.commits[-MOST_LISTED:]))


def build_strips(outcomes: Outcomes, commits: Sequence[Commit]) -> tuple[Strip, ...]:
    """Draw a strip of each machine that measured several commits."""
    wanted = {
        machine: positions[-MOST_COMMITS:]
        for machine, positions in outcomes.commits.items()
        if len(positions) > 1
    }
    counts: Counter[tuple[str, int, str]] = Counter()
    totals: Counter[str] = Counter()
    for one in outcomes.every:
        if one.line is None or one.line.always_skipped or one.state == RETIRED:
            continue
        machine = one.line.machine
        totals[machine] += 1
        columns = one.line.columns
        first = bisect_left(columns.position, wanted.get(machine, (0,))[0])
        newest = zip(columns.position[first:].tolist(), columns.status[first:], strict=True)
        counts.update((machine, position, status) for position, status in newest)
    return tuple(
        _strip(
            machine,
            [
                CommitCount(
                    commits[at].short,
                    commits[at].date,
                    counts[machine, at, OK],
                    counts[machine, at, FAILED],
                    totals[machine],
                )
                for at in positions
            ],
        )
        for machine, positions in wanted.items()
        if totals[machine]
    )


def _strip(machine: str, counts: Sequence[CommitCount]) -> Strip:
    room = (WIDTH - RIGHT - LEFT) / max(len(counts), 30)
    width = room * (1 - GAP)
    # The newest stands at the right, where a narrow screen looks first.
    start = WIDTH - RIGHT - room * len(counts)
    xs = [start + room * (at + GAP / 2) for at in range(len(counts))]
    bars = list(zip(xs, counts, strict=True))
    least = min(counts, key=lambda one: one.ok)
    step = max(-(-len(counts) // 8), math.ceil(LEAST_ROOM / room))
    return Strip(
        machine,
        tuple(counts),
        f"Of {counts[-1].total:,} histories the newest commit measured {counts[-1].share}; "
        f"the least of these {len(counts)} commits, {least.commit}, {least.share}.",
        "".join(_bar(x, width, 0, one.ok / one.total) for x, one in bars),
        "".join(
            _bar(x, width, one.ok / one.total, (one.ok + one.failed) / one.total) for x, one in bars
        ),
        tuple(
            Tick(round(x + width / 2, 1), one.date[5:] or one.commit)
            for x, one in bars[(len(bars) - 1) % step :: step]
        ),
        tuple(Tick(round(_y(part), 1), f"{100 * part:g} %") for part in (0, 0.5, 1)),
    )


def _y(part: float) -> float:
    return BOTTOM - part * (BOTTOM - TOP)


def _bar(x: float, width: float, start: float, end: float) -> str:
    if end <= start:
        return ""
    return f"M{x:.1f} {_y(start):.1f}h{width:.1f}V{_y(end):.1f}h-{width:.1f}z"


def share_of(part: int, whole: int) -> str:
    """Write a part as a percentage, in which neither nothing nor all is ever a rounded number."""
    if not whole or not part:
        return "0 %"
    share = 100 * part / whole
    if part < whole and share > 99.9:
        return "over 99.9 %"
    return f"{significant(share, 3 if share > 99 else 2)} %"
