"""What is known of every history: the state each one is counted in, and the changes found."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from convbench.report.links import commit_link, history_link
from convbench.report.measurements import Measurements
from convbench.report.readable import percent, quantity, times
from convbench.report.series import FAILED, SKIPPED, Change, Line, Series
from convbench.report.sparkline import Sparkline, sparkline

REGRESSED, IMPROVED, UNCHANGED, UNDECIDED = "regressed", "improved", "unchanged", "undecided"
STATES = (REGRESSED, IMPROVED, UNCHANGED, UNDECIDED, FAILED, SKIPPED)


def state_of(line: Line, measurements: Measurements) -> str:
    """Give the one state of a history; each history is counted once.

    The newest commit decides: failed or skipped there is failed or skipped. Else the newest change
    that was found; else whether there were commits enough to find one, and a search.
    """
    if line.newest.status in (FAILED, SKIPPED):
        return line.newest.status
    if line.changes:
        return REGRESSED if line.changes[-1].kind == "regression" else IMPROVED
    enough = line.searched >= measurements.min_commits
    return UNCHANGED if enough and measurements.detected else UNDECIDED


def count_states(series: Sequence[Series], measurements: Measurements) -> Mapping[str, int]:
    """Count the histories by state; the counts add up to all histories."""
    counts = Counter(state_of(line, measurements) for one in series for line in one.lines)
    return {state: counts[state] for state in STATES}


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """One commit's effect on one strategy or measure, shown by the history it moved most."""

    kind: str
    size: float
    change: str
    effect: str
    before: str
    after: str
    name: str
    detail: str
    sparkline: Sparkline | None
    position: int
    commit: str
    date: str
    subject: str
    commit_url: str
    where: str
    link: str
    others: tuple[str, ...]


def change_rows(
    measurements: Measurements, series: Sequence[Series], repo_url: str
) -> tuple[ChangeRow, ...]:
    """Group the changes by commit, kind and strategy (or measure), newest commit first."""
    groups: dict[tuple[int, str, str], list[tuple[Change, Series, Line]]] = {}
    for one in series:
        for line in one.lines:
            for change in line.changes:
                key = (change.position, change.kind, one.strategy or one.measure)
                groups.setdefault(key, []).append((change, one, line))
    ordered = sorted(groups.items(), key=lambda item: (-item[0][0], item[0][1] != "regression"))
    return tuple(_change_row(measurements, key[2], members, repo_url) for key, members in ordered)


def _change_row(
    measurements: Measurements,
    name: str,
    members: Sequence[tuple[Change, Series, Line]],
    repo_url: str,
) -> ChangeRow:
    ranked = sorted(members, key=lambda member: -size_of(member[0]))
    change, one, line = ranked[0]
    commit = measurements.commits[change.position]
    others = tuple(
        f"{other.label}, {measurements.place(where.machine, where.name)}: {percent(its.ratio)}"
        for its, other, where in ranked[1:]
    )
    values = [value for key, value in one.params if key != "strategy"]
    return ChangeRow(
        kind=change.kind,
        size=size_of(change),
        effect=_effect(change, one.unit),
        change=f"{'▲' if change.ratio > 1 else '▼'} {percent(change.ratio)}",
        before=quantity(change.before, one.unit),
        after=quantity(change.after, one.unit),
        name=name,
        detail=" · ".join([*([one.measure] if one.strategy else []), *values]),
        sparkline=sparkline(line, len(measurements.commits)),
        position=change.position,
        commit=commit.short,
        date=commit.date,
        subject=commit.subject,
        commit_url=commit_link(repo_url, commit.commit),
        where=measurements.place(line.machine, line.name),
        link=history_link(one, line.machine),
        others=others,
    )


def _effect(change: Change, unit: str) -> str:
    """Say what became of a history, in words: 15 % slower, ×3.4 more."""
    larger = change.ratio > 1
    words = ("slower", "faster") if unit == "seconds" else ("more", "less")
    ratio = change.ratio if larger else 1 / change.ratio if change.ratio else float("inf")
    if ratio >= 2:
        return f"{times(ratio)}× {words[0] if larger else words[1]}"
    return f"{percent(change.ratio).lstrip('+−')} {words[0] if larger else words[1]}"


def size_of(change: Change) -> float:
    """Give how large a change is, whichever way it went."""
    return max(change.ratio, 1 / change.ratio) if change.ratio > 0 else float("inf")
