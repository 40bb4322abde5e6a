"""The first view: the finding, counts that add up, changes, failures, newest values, provenance."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from convbench.report.caveats import Caveat, caveats
from convbench.report.champions import Champions, build_champions
from convbench.report.events import EventsView, events_note
from convbench.report.matrix import Matrix, most_contested
from convbench.report.measurements import Measurements
from convbench.report.newest import NewestValues, newest_values
from convbench.report.outcomes import NEVER, RETIRED, Outcomes, find_outcomes
from convbench.report.provenance import (
    Failure,
    MachineRow,
    RunRow,
    failures,
    machine_rows,
    run_rows,
)
from convbench.report.readable import counted, significant
from convbench.report.series import Series
from convbench.report.trust import control_note
from convbench.report.verdicts import (
    IMPROVED,
    REGRESSED,
    STATES,
    UNCHANGED,
    UNDECIDED,
    ChangeRow,
    change_rows,
    count_states,
)
from convbench.stats.changes import FAILURES, IMPROVEMENT, REGRESSION

WORDS = {
    REGRESSED: "regressed",
    IMPROVED: "improved",
    UNCHANGED: "unchanged",
    UNDECIDED: "no verdict yet",
    "failed": "failed",
    "skipped": "skipped",
}


@dataclass(frozen=True, slots=True)
class Tile:
    """One count of histories; `share` is its part of all, in percent."""

    state: str
    number: int
    label: str
    share: float


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything the first view shows.

    `outcomes` is what Coverage shows whole; `total` counts their histories, `uncounted` says what
    is none, or none any more.
    `reproduce` are the commands that measure an event again, by its id.
    `undrawn` counts the events of level, told on the view Changes, that are not among `changes`.
    """

    outcomes: Outcomes
    title: str
    lede: tuple[str, ...]
    total: int
    total_note: str
    uncounted: str
    tiles: tuple[Tile, ...]
    caveats: tuple[Caveat, ...]
    control: str
    champions: Champions | None
    events: str
    changes: tuple[ChangeRow, ...]
    reproduce: Mapping[str, str]
    undrawn: int
    undecided: str
    failures: tuple[Failure, ...]
    runs: tuple[RunRow, ...]
    machines: tuple[MachineRow, ...]
    newest: NewestValues


def build_overview(
    measurements: Measurements,
    series: Sequence[Series],
    matrices: Sequence[Matrix],
    repo_url: str = "",
    events: EventsView | None = None,
) -> Overview:
    """Put the first view together."""
    outcomes = find_outcomes(measurements, series)
    counts = count_states(outcomes, measurements)
    changes = change_rows(measurements, series, repo_url)
    undrawn = _undrawn(changes, events)
    kinds = Counter([*(change.kind for change in changes), *undrawn])
    undecided = verdict_note(measurements, series)
    total = sum(counts.values())
    first = most_contested(matrices)
    lede = _lede(measurements, changes, kinds, undecided, first, counts)
    if matrices and first is None:
        lede.append(matrices[0].finding)
    return Overview(
        outcomes=outcomes,
        title=_title(measurements, kinds, undecided, first),
        lede=tuple(filter(None, lede)),
        total=total,
        total_note=_typical_interval(series),
        uncounted=_uncounted(outcomes),
        tiles=_tiles(counts, total),
        caveats=caveats(measurements, series),
        control=control_note(measurements),
        champions=build_champions(matrices),
        events=events_note(events),
        changes=changes,
        reproduce=events.reproduce if events else {},
        undrawn=len(undrawn),
        undecided=undecided,
        failures=failures(measurements, outcomes),
        runs=run_rows(measurements, repo_url),
        machines=machine_rows(measurements),
        newest=newest_values(measurements, series),
    )


def _undrawn(changes: Sequence[ChangeRow], events: EventsView | None) -> list[str]:
    """Give the kinds of those events of level that no drawn history shows.

    Histories are drawn of the newest version of a benchmark; an older one may have had events.
    """
    drawn = {change.event for change in changes}
    told = events.told if events else {}
    return [kind for event, kind in told.items() if kind not in FAILURES and event not in drawn]


def verdict_note(measurements: Measurements, series: Sequence[Series]) -> str:
    """Say how far the longest history is from a verdict; empty once one has enough commits."""
    if measurements.unsearched:
        return f"{measurements.unsearched}: no verdict yet"
    longest = max((line.searched for one in series for line in one.lines), default=0)
    if longest >= measurements.min_commits:
        return ""
    return f"{longest} of {counted(measurements.min_commits, 'commit')}: no verdict yet"


def _title(
    measurements: Measurements,
    kinds: Mapping[str, int],
    undecided: str,
    matrix: Matrix | None,
) -> str:
    if not measurements.commits:
        return "Nothing measured yet"
    if kinds:
        found = [counted(kinds[kind], kind) for kind in (REGRESSION, IMPROVEMENT) if kind in kinds]
        return f"{' and '.join(found)} in {_commits(measurements)}"
    if matrix:
        # The winner is the finding as long as there is no change to report.
        (strategy, wins), *_ = _ranking(matrix)
        problems = counted(len(matrix.contested), "problem")
        return f"{strategy} is fastest on {wins} of {problems}"
    return (
        f"No verdict yet: {undecided.split(':')[0]}"
        if undecided
        else f"No change found in {_commits(measurements)}"
    )


def _commits(measurements: Measurements) -> str:
    return counted(len(measurements.commits), "commit")


def _lede(
    measurements: Measurements,
    changes: Sequence[ChangeRow],
    kinds: Mapping[str, int],
    undecided: str,
    matrix: Matrix | None,
    counts: Mapping[str, int],
) -> list[str]:
    sentences: list[str] = []
    if not measurements.commits:
        return sentences
    if changes:
        largest = max(changes, key=lambda change: change.size)
        place = ", ".join(filter(None, (largest.detail, largest.where)))
        first = (
            "The largest" if sum(kinds.values()) == len(changes) else "The largest that is drawn"
        )
        sentences.append(
            f"{first}: {largest.name} ({place}) became {largest.effect} at {largest.commit}."
        )
    if matrix:
        sentences.append(_winners(matrix, titled=not kinds))
    if undecided:
        claim = " on today's versions" if kinds else ", so no change is claimed"
        sentences.append(f"{undecided}{claim}.")
    elif not kinds and matrix:
        sentences.append(f"No change found in {_commits(measurements)}.")
    if counts["failed"]:
        sentences.append(f"{counted(counts['failed'], 'history', 'histories')} failed.")
    return sentences


def _ranking(matrix: Matrix) -> list[tuple[str, int]]:
    wins = Counter(win.strategy for win in matrix.contested)
    return sorted(wins.items(), key=lambda item: (-item[1], item[0]))


def _winners(matrix: Matrix, *, titled: bool) -> str:
    """Say who wins where, in one sentence; the title may have named the first already."""
    ranking = _ranking(matrix)
    where = f"{matrix.line}, {matrix.dtype}, commit {matrix.commit}"
    tied = sum(bool(win.tied) for win in matrix.contested)
    near = f"; {counted(tied, 'win')} within the interval of a runner-up" if tied else ""
    unclear = sum(bool(win.unclear) for win in matrix.contested)
    # Their noise is wider than what they would be told apart by.
    near += f"; of {unclear} it cannot be told who else is as fast" if unclear else ""
    alone = len(matrix.wins) - len(matrix.contested)
    near += f"; {counted(alone, 'more problem')} with one strategy only" if alone else ""
    if titled:
        others = ", ".join(f"{name} on {wins}" for name, wins in ranking[1:])
        return f"With {where}{f': then {others}' if others else ''}{near}."
    everyone = ", ".join(f"{name} {wins}" for name, wins in ranking)
    return f"Fastest with {where}: {everyone} of {counted(len(matrix.contested), 'problem')}{near}."


def _uncounted(outcomes: Outcomes) -> str:
    """Say what Coverage lists that is no history, or none any more; empty without."""
    counts = Counter(one.state for one in outcomes.every)
    never, retired, lines = counts[NEVER], counts[RETIRED], len(outcomes.retired)
    parts = [
        f"{counted(never, 'cell')} never measured" if never else "",
        counted(retired, "retired history", "retired histories") if retired else "",
        f"the histories of {counted(lines, 'retired line')}" if lines else "",
    ]
    return ", ".join(filter(None, parts))


def _tiles(counts: Mapping[str, int], total: int) -> tuple[Tile, ...]:
    """Make a tile of each state; of unchanged and undecided only what there is."""
    tiles = []
    for state in STATES:
        optional = state in (UNCHANGED, UNDECIDED) and counts[state] == 0
        needed = state == UNDECIDED and counts[UNCHANGED] == 0
        if not optional or needed:
            share = round(100 * counts[state] / total, 2) if total else 0.0
            tiles.append(Tile(state, counts[state], WORDS[state], share))
    return tuple(tiles)


def _typical_interval(series: Sequence[Series]) -> str:
    """Say how wide the newest intervals are in the median: what a small change drowns in."""
    widths = [
        (line.newest.high - line.newest.low) / 2 / line.newest.value
        for one in series
        for line in one.lines
        if line.newest.value and line.newest.low is not None and line.newest.high is not None
        if one.unit == "seconds"
    ]
    return f"typical interval ±{significant(median(widths) * 100, 2)} %" if widths else ""
