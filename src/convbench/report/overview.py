"""The first view: the finding, counts that add up, changes, failures, newest values, provenance."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from convbench.report.caveats import Caveat, caveats
from convbench.report.champions import Champions, build_champions
from convbench.report.matrix import Matrix
from convbench.report.measurements import Measurements
from convbench.report.newest import NewestValues, newest_values
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

WORDS = {
    REGRESSED: "regressed",
    IMPROVED: "improved",
    UNCHANGED: "unchanged",
    UNDECIDED: "no verdict yet",
    "failed": "failed",
    "skipped": "skipped",
}
UNSEARCHED = "convbench detect has not run"


@dataclass(frozen=True, slots=True)
class Tile:
    """One count of histories; `share` is its part of all, in percent."""

    state: str
    number: int
    label: str
    share: float


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything the first view shows."""

    title: str
    lede: tuple[str, ...]
    total: int
    total_note: str
    tiles: tuple[Tile, ...]
    caveats: tuple[Caveat, ...]
    control: str
    champions: Champions | None
    changes: tuple[ChangeRow, ...]
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
) -> Overview:
    """Put the first view together."""
    counts = count_states(series, measurements)
    changes = change_rows(measurements, series, repo_url)
    undecided = verdict_note(measurements, series)
    total = sum(counts.values())
    return Overview(
        title=_title(measurements, changes, undecided, matrices),
        lede=tuple(filter(None, _lede(measurements, changes, undecided, matrices, counts))),
        total=total,
        total_note=_typical_interval(series),
        tiles=_tiles(counts, total),
        caveats=caveats(measurements, series),
        control=control_note(measurements),
        champions=build_champions(matrices),
        changes=changes,
        undecided=undecided,
        failures=failures(measurements, series),
        runs=run_rows(measurements, repo_url),
        machines=machine_rows(measurements),
        newest=newest_values(measurements, series),
    )


def verdict_note(measurements: Measurements, series: Sequence[Series]) -> str:
    """Say how far the longest history is from a verdict; empty once one has enough commits."""
    if not measurements.detected:
        return f"{UNSEARCHED}: no verdict yet"
    longest = max((line.searched for one in series for line in one.lines), default=0)
    if longest >= measurements.min_commits:
        return ""
    return f"{longest} of {counted(measurements.min_commits, 'commit')}: no verdict yet"


def _title(
    measurements: Measurements,
    changes: Sequence[ChangeRow],
    undecided: str,
    matrices: Sequence[Matrix],
) -> str:
    if not measurements.commits:
        return "Nothing measured yet"
    if changes:
        regressions = sum(change.kind == "regression" for change in changes)
        improvements = len(changes) - regressions
        found = [
            counted(regressions, "regression") if regressions else "",
            counted(improvements, "improvement") if improvements else "",
        ]
        return f"{' and '.join(filter(None, found))} in {_commits(measurements)}"
    if matrices:
        # The winner is the finding as long as there is no change to report.
        (strategy, wins), *_ = _ranking(matrices[0])
        problems = counted(len(matrices[0].wins), "problem")
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
    undecided: str,
    matrices: Sequence[Matrix],
    counts: Mapping[str, int],
) -> list[str]:
    sentences: list[str] = []
    if not measurements.commits:
        return sentences
    if changes:
        largest = max(changes, key=lambda change: change.size)
        place = ", ".join(filter(None, (largest.detail, largest.where)))
        sentences.append(
            f"The largest: {largest.name} ({place}) became {largest.effect} at {largest.commit}."
        )
    if matrices:
        sentences.append(_winners(matrices[0], titled=not changes))
    if undecided:
        sentences.append(f"{undecided}, so no change is claimed.")
    elif not changes and matrices:
        sentences.append(f"No change found in {_commits(measurements)}.")
    if counts["failed"]:
        sentences.append(f"{counted(counts['failed'], 'history', 'histories')} failed.")
    return sentences


def _ranking(matrix: Matrix) -> list[tuple[str, int]]:
    wins = Counter(win.strategy for win in matrix.wins)
    return sorted(wins.items(), key=lambda item: (-item[1], item[0]))


def _winners(matrix: Matrix, *, titled: bool) -> str:
    """Say who wins where, in one sentence; the title may have named the first already."""
    ranking = _ranking(matrix)
    where = f"{matrix.line}, {matrix.dtype}, commit {matrix.commit}"
    tied = sum(bool(win.tied) for win in matrix.wins)
    near = f"; {counted(tied, 'win')} within the interval of a runner-up" if tied else ""
    if titled:
        others = ", ".join(f"{name} on {wins}" for name, wins in ranking[1:])
        return f"With {where}{f': then {others}' if others else ''}{near}."
    everyone = ", ".join(f"{name} {wins}" for name, wins in ranking)
    return f"Fastest with {where}: {everyone} of {counted(len(matrix.wins), 'problem')}{near}."


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
