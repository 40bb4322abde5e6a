"""Any two commits, lines or machines, cell by cell: what the store says of the difference."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from convbench.report.cell_verdicts import (
    FAILING,
    FASTER,
    MISSING,
    SAME,
    SLOWER,
    SUSPECT,
    UNDECIDED,
    VERDICTS,
    Judged,
    Side,
    judge,
)
from convbench.report.compared_cells import Cells, Choice, command_of, first_choice, state_of
from convbench.report.links import history_link, view_link
from convbench.report.measurements import Commit, Measurements
from convbench.report.naming import is_rate
from convbench.report.readable import counted, percent, quantity
from convbench.report.series import Series
from convbench.report.tags import find_tags

MOST_ROWS = 12
"""Rows of the document; scripts show all."""


@dataclass(frozen=True, slots=True)
class CellRow:
    """One cell in words; `links` lead to the changes that decided it."""

    verdict: str
    words: str
    tone: str
    name: str
    detail: str
    link: str
    base: str
    head: str
    change: str
    interval: str
    known: str
    links: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Count:
    """How many cells have a verdict."""

    verdict: str
    label: str
    number: int


@dataclass(frozen=True, slots=True)
class Compared:
    """The view's first state, and the cells that its data files hold; `tags` are by position."""

    cells: Cells
    title: str
    base: Commit
    head: Commit
    tags: Mapping[int, Sequence[str]]
    where: str
    state: Mapping[str, str]
    counts: tuple[Count, ...]
    total: int
    rows: tuple[CellRow, ...]
    command: str
    with_strategies: bool
    min_commits: int


def build_compared(measurements: Measurements, series: Sequence[Series]) -> Compared | None:
    """Build the view's first state; None where no two things can be compared."""
    cells = Cells(measurements, series)
    choice = first_choice(cells)
    return compared_at(cells, choice) if choice else None


def compared_at(cells: Cells, choice: Choice) -> Compared:
    """Build the view of one choice; scripts say the same of any."""
    measurements = cells.measurements
    needed = measurements.min_commits
    judged = [
        (one, head, judge(base, head, one.unit, needed)) for one, base, head in cells.pairs(choice)
    ]
    judged.sort(key=lambda each: _attention(each[2]))
    counts = Counter(one.verdict for _, _, one in judged)
    state = state_of(measurements, choice)
    return Compared(
        cells=cells,
        title=title_of(counts),
        base=measurements.commits[choice.base],
        head=measurements.commits[choice.head],
        tags=_tags(measurements),
        where=_where(choice),
        state=state,
        counts=_counts(counts),
        total=len(judged),
        rows=tuple(_row(measurements, *each) for each in judged[:MOST_ROWS]),
        command=command_of(measurements, choice),
        with_strategies=any(one.strategy for one in cells.series),
        min_commits=needed,
    )


def _tags(measurements: Measurements) -> Mapping[int, Sequence[str]]:
    tags: dict[int, list[str]] = {}
    for position, tag, is_exact in find_tags(measurements):
        if is_exact:
            tags.setdefault(position, []).append(tag)
    return tags


def _counts(counts: Mapping[str, int]) -> tuple[Count, ...]:
    """Count the verdicts that there are, and the two that a reader asks for in any case."""
    return tuple(
        Count(verdict, label, counts[verdict])
        for verdict, label in VERDICTS.items()
        if counts[verdict] or verdict in (SLOWER, FASTER)
    )


def title_of(counts: Mapping[str, int]) -> str:
    """Say what was found: what needs attention first."""
    total = sum(counts.values())
    told = [
        f"{counts[verdict]:,} {VERDICTS[verdict]}"
        for verdict in (SLOWER, FAILING, FASTER)
        if counts.get(verdict)
    ]
    doubtful = counts.get(SUSPECT, 0)
    if told:
        aside = f", {doubtful:,} {VERDICTS[SUSPECT]}" if doubtful else ""
        return f"{', '.join(told)} of {counted(total, 'cell')}{aside}"
    if doubtful:
        return f"{doubtful:,} of {counted(total, 'cell')} may differ, unconfirmed"
    missing = counts.get(MISSING, 0)
    aside = f", {missing:,} {VERDICTS[MISSING]}" if missing else ""
    if counts.get(SAME):
        return f"Nothing beyond the noise in {counted(counts[SAME], 'cell')}{aside}"
    if counts.get(UNDECIDED):
        return f"No verdict yet on {counted(counts[UNDECIDED], 'cell')}{aside}"
    return f"{counted(total, 'cell')}, none with a value at both" if total else "Nothing to compare"


def _where(choice: Choice) -> str:
    """Name the places, where not every line is compared with itself."""
    head = " · ".join(filter(None, [choice.machine, choice.blas]))
    base = " · ".join(
        filter(None, [choice.base_machine or choice.machine, choice.base_blas or choice.blas])
    )
    if head == base:
        return head
    return f"{head or 'everything'} against {base}"


def _attention(judged: Judged) -> tuple[int, float]:
    return list(VERDICTS).index(judged.verdict), -size_of(judged.ratio)


def size_of(ratio: float | None) -> float:
    """Give how far a ratio is from one, either way; 0 where it is not known."""
    return max(ratio, 1 / ratio) if ratio else 0.0


def _row(measurements: Measurements, one: Series, head: Side, judged: Judged) -> CellRow:
    words, tone = _verdict_words(judged, one.unit)
    line = head.line
    values = [value for key, value in one.params if key != "strategy"]
    measure = [one.measure] if one.strategy else []
    where = measurements.place(line.machine, line.name)
    changes = tuple(
        (
            measurements.commits[change.position].short,
            view_link("event", {"id": change.event}) if change.event else "",
        )
        for change in judged.changes
    )
    return CellRow(
        judged.verdict,
        words,
        tone,
        one.strategy or one.measure,
        " · ".join([*values, *measure, where]),
        history_link(one, line.machine),
        "–" if judged.base is None else quantity(judged.base, one.unit),
        "–" if judged.head is None else quantity(judged.head, one.unit),
        "" if judged.ratio is None else percent(judged.ratio),
        ""
        if judged.low is None or judged.high is None or math.isinf(judged.high)
        else f"{percent(judged.low)} to {percent(judged.high)}",
        judged.known,
        changes,
    )


def _verdict_words(judged: Judged, unit: str) -> tuple[str, str]:
    """Write a verdict with its direction: ▲ slower; of other units than time, ▲ more."""
    larger = judged.ratio is not None and judged.ratio > 1
    worse = larger != is_rate(unit)
    arrow = "▲" if larger else "▼"
    timed = unit == "seconds" or is_rate(unit)
    direction = ("slower" if worse else "faster") if timed else ("more" if larger else "less")
    tone = "worse" if worse else "better"
    words = {
        SLOWER: (f"{arrow} {direction}", tone),
        FASTER: (f"{arrow} {direction}", tone),
        SUSPECT: (f"{arrow} looks {direction}" if timed else f"{arrow} {direction}?", tone),
        SAME: ("within noise", "muted"),
        UNDECIDED: ("no verdict yet", "muted"),
        FAILING: ("✕ fails", "failed"),
        MISSING: ("not comparable", "muted"),
    }
    return words[judged.verdict]
