"""The view Coverage and A/A: what is measured, what is missing, and how far numbers hold."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from convbench.report.coverage_strip import Strip, build_strips
from convbench.report.holes import ORDER, Hole, find_holes
from convbench.report.links import history_link
from convbench.report.measurements import Measurements
from convbench.report.outcomes import (
    NEVER,
    OUTCOMES,
    RETIRED,
    RETIRED_AFTER,
    STALE,
    Outcome,
    Outcomes,
)
from convbench.report.readable import counted
from convbench.report.series import FAILED, OK, SKIPPED
from convbench.report.trust import Trust

MOST_ROWS, MOST_COLUMNS = 20, 8
"""Of the heat table; other benchmarks and lines are counted."""

MOST_HOLES, MOST_IN_FILE = 15, 2000
"""Rows of the list in the document, and in its data file."""

MOST_STRIPS, MOST_PLACES = 3, 12
SHADES = 5
"""Of the colours of the matrix the pale ones, on which dark words can be read."""


@dataclass(frozen=True, slots=True)
class PlaceRow:
    """How many cells of one line are in which state; the counts add up to `total`."""

    where: str
    commit: str
    date: str
    behind: int
    counts: Mapping[str, int]
    oldest: int
    total: int


@dataclass(frozen=True, slots=True)
class Retired:
    """A line that its machine does not measure any more."""

    where: str
    commit: str
    date: str
    behind: int


@dataclass(frozen=True, slots=True)
class HeatCell:
    """The cells of one name on one line; `shade` counts from 0, nothing missing, to `SHADES`."""

    total: int
    ok: int
    said: str
    missing: bool
    shade: int
    link: str


@dataclass(frozen=True, slots=True)
class HeatRow:
    """One benchmark or strategy on every line; None where it is not known there."""

    name: str
    cells: tuple[HeatCell | None, ...]


@dataclass(frozen=True, slots=True)
class Heat:
    """The table of benchmarks and lines, those with most holes first.

    `columns` are the lines and the commits that each misses as a whole; what is as new as its line
    is no hole here. `more` counts rows with holes that are left out, `whole` those without a hole.
    """

    columns: tuple[tuple[str, int], ...]
    hidden_columns: int
    rows: tuple[HeatRow, ...]
    more: int
    whole: int


@dataclass(frozen=True, slots=True)
class Coverage:
    """Everything the view shows; `trust` is None where nothing is known of runs and A/A pairs."""

    title: str
    lede: str
    counts: Mapping[str, int]
    places: tuple[PlaceRow, ...]
    retired: tuple[Retired, ...]
    heat: Heat | None
    strips: tuple[Strip, ...]
    hidden_strips: int
    holes: tuple[Hole, ...]
    commits: tuple[str, ...]
    trust: Trust | None

    @property
    def listed(self) -> tuple[Hole, ...]:
        """The holes that stand in the document: those that can be mended."""
        return tuple(one for one in self.holes if one.state not in (RETIRED, SKIPPED))[:MOST_HOLES]

    @property
    def missed(self) -> tuple[PlaceRow, ...]:
        """The lines on which something failed, went missing or was never tried, worst first."""
        missed = (row for row in self.places if _lately(row.counts) or row.counts[NEVER])
        return tuple(sorted(missed, key=lambda row: (-_lately(row.counts), -row.counts[NEVER])))


def _lately(counts: Mapping[str, int]) -> int:
    return counts[FAILED] + counts[STALE]


def build_coverage(
    measurements: Measurements, outcomes: Outcomes, trust: Trust | None
) -> Coverage | None:
    """Build the view; None without a value."""
    if not outcomes.places:
        return None
    counts = Counter(one.state for one in outcomes.every)
    strips = build_strips(outcomes, measurements.commits)
    return Coverage(
        _title(counts),
        _lede(outcomes, counts),
        {state: counts[state] for state in OUTCOMES},
        tuple(_place_row(measurements, outcomes, place) for place in outcomes.places),
        tuple(
            Retired(
                measurements.place(*place) or place[0],
                measurements.commits[position].short,
                measurements.commits[position].date,
                behind,
            )
            for place, position, behind in sorted(outcomes.retired, key=lambda one: one[2])
        ),
        _heat(measurements, outcomes),
        strips[:MOST_STRIPS],
        len(strips[MOST_STRIPS:]),
        find_holes(measurements, outcomes),
        tuple(commit.short for commit in measurements.commits),
        trust,
    )


def _title(counts: Mapping[str, int]) -> str:
    histories = _histories(counts)
    if not histories:
        return "No history is measured any more"
    found = [f"{counts[state]:,} {state}" for state in (FAILED, STALE) if counts[state]]
    if found:
        return f"{' and '.join(found)} of {counted(histories, 'history', 'histories')}"
    if counts[OK] == histories:
        whole = "The one history was" if histories == 1 else f"All {histories:,} histories were"
        return f"{whole} measured at the newest commit"
    return f"{counts[OK]:,} of {histories:,} histories measured, the others skipped"


def _histories(counts: Mapping[str, int]) -> int:
    return sum(counts[state] for state in OUTCOMES if state not in (NEVER, RETIRED))


def _lede(outcomes: Outcomes, counts: Mapping[str, int]) -> str:
    sentences = []
    if counts[OK] < _histories(counts):
        skipped = (
            f"; {counts[SKIPPED]:,} {_was(counts[SKIPPED])} skipped" if counts[SKIPPED] else ""
        )
        sentences.append(
            f"{counts[OK]:,} {_was(counts[OK])} measured at their machine's newest commit{skipped}."
        )
    late = sum(one.state == STALE and one.with_line for one in outcomes.every)
    if late:
        lines = counted(sum(behind > 0 for behind in outcomes.places.values()), "line")
        sentences.append(
            f"{late:,} {_is(late)} stale because the newest commit measured nothing of {lines}."
        )
    if counts[NEVER]:
        cells = counted(counts[NEVER], "more cell")
        sentences.append(f"{cells} {_was(counts[NEVER])} never measured there.")
    if counts[RETIRED]:
        histories = counted(counts[RETIRED], "other history", "other histories")
        sentences.append(
            f"{histories} {_was(counts[RETIRED])} last measured more than {RETIRED_AFTER} commits "
            "ago and are taken as retired."
        )
    if outcomes.retired:
        lines = counted(len(outcomes.retired), "line")
        sentences.append(
            f"{lines} that the machine measures no more {_is(len(outcomes.retired))} left out."
        )
    return " ".join(sentences)


def _is(number: int) -> str:
    return "is" if number == 1 else "are"


def _was(number: int) -> str:
    return "was" if number == 1 else "were"


def _place_row(measurements: Measurements, outcomes: Outcomes, place: tuple[str, str]) -> PlaceRow:
    cells = outcomes.by_place[place]
    counts = Counter(one.state for one in cells)
    newest = measurements.commits[outcomes.newest(place)]
    return PlaceRow(
        measurements.place(*place) or place[0],
        newest.short,
        newest.date,
        outcomes.places[place],
        {state: counts[state] for state in OUTCOMES},
        max((one.behind for one in cells if one.state == STALE), default=0),
        len(cells),
    )


def _heat(measurements: Measurements, outcomes: Outcomes) -> Heat | None:
    # Lines that are measured still go first where there is no room for all.
    ranked_places = sorted(outcomes.places, key=lambda place: outcomes.places[place] > 0)
    shown = [place for place in outcomes.places if place in ranked_places[:MOST_COLUMNS]]
    groups: dict[str, dict[tuple[str, str], list[Outcome]]] = {}
    for one in (one for one in outcomes.every if one.state != RETIRED):
        groups.setdefault(one.name, {}).setdefault(one.place, []).append(one)
    holes = {
        name: Counter(_told(one) for cells in places.values() for one in cells)
        for name, places in groups.items()
    }
    ranked = sorted(
        (name for name, counts in holes.items() if _lately(counts) or counts[NEVER]),
        key=lambda name: (-_lately(holes[name]), -holes[name][NEVER], name),
    )
    if not ranked:
        return None
    return Heat(
        tuple((measurements.place(*place) or place[0], outcomes.places[place]) for place in shown),
        len(outcomes.places) - len(shown),
        tuple(
            HeatRow(name, tuple(_heat_cell(groups[name].get(place)) for place in shown))
            for name in ranked[:MOST_ROWS]
        ),
        len(ranked[MOST_ROWS:]),
        len(groups) - len(ranked),
    )


def _told(one: Outcome) -> str:
    """Give a cell's state among those of its line."""
    return OK if one.state == STALE and one.with_line else one.state


def _heat_cell(cells: Sequence[Outcome] | None) -> HeatCell | None:
    if cells is None:
        return None
    counts = Counter(map(_told, cells))
    first = min(cells, key=lambda one: (*ORDER, OK).index(_told(one)))
    words = [f"{counts[state]:,} {state}" for state in OUTCOMES[1:] if counts[state]]
    share = _lately(counts) / len(cells)
    return HeatCell(
        len(cells),
        counts[OK],
        ", ".join(words),
        counts[NEVER] == len(cells),
        max(1, round(SHADES * share)) if share else 0,
        history_link(first.series, first.place[0] if first.point else ""),
    )
