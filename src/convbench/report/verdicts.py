"""What is known of every history: the state each one is counted in, and the changes found."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from convbench.report.links import commit_link, history_link
from convbench.report.measurements import Measurements
from convbench.report.outcomes import Outcomes, outcome_of
from convbench.report.readable import distinct_quantities, percent, times
from convbench.report.series import FAILED, SKIPPED, Change, Line, Series
from convbench.report.sparkline import Sparkline, sparkline
from convbench.stats.changes import REGRESSION

REGRESSED, IMPROVED, UNCHANGED, UNDECIDED = "regressed", "improved", "unchanged", "undecided"
STATES = (REGRESSED, IMPROVED, UNCHANGED, UNDECIDED, FAILED, SKIPPED)


def state_of(line: Line, measurements: Measurements) -> str:
    """Give the one state of a history: failed or skipped, by the outcome that counts, or a verdict.

    Of a strategy that cannot do the problem any more it is still the last verdict.
    """
    status = outcome_of(line).status
    return status if status in (FAILED, SKIPPED) else verdict_of(line, measurements)


def verdict_of(line: Line, measurements: Measurements) -> str:
    """Give the verdict on a history with a value.

    It is the newest change that was found, but for those that are expected or ignored; else whether
    there were commits enough to find one, and a search.
    """
    if told := [change for change in line.changes if not change.is_silent]:
        return REGRESSED if told[-1].kind == REGRESSION else IMPROVED
    enough = line.searched >= measurements.min_commits
    return UNCHANGED if enough and measurements.detected else UNDECIDED


def count_states(outcomes: Outcomes, measurements: Measurements) -> Mapping[str, int]:
    """Count the histories by state; the counts add up to all histories, those of Coverage."""
    counts = Counter(
        one.state if one.state in (FAILED, SKIPPED) else verdict_of(line, measurements)
        for one, line in outcomes.histories
    )
    return {state: counts[state] for state in STATES}


Member = tuple[Change, Series, Line]


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """One event, shown by the history it moved most; of an unnamed one, one commit's effect."""

    event: str
    kind: str
    size: float
    change: str
    interval: str
    effect: str
    cause: str
    triage: str
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
    """Group the changes that are to be told by event, newest commit first."""
    groups: dict[tuple[str, ...], list[Member]] = {}
    for one in series:
        for line in one.lines:
            for change in line.changes:
                if not change.is_silent:
                    groups.setdefault(_cause_of(change, one), []).append((change, one, line))
    rows = [_change_row(measurements, members, repo_url) for members in groups.values()]
    return tuple(sorted(rows, key=lambda row: (-row.position, row.kind != REGRESSION)))


def _cause_of(change: Change, one: Series) -> tuple[str, ...]:
    """Give what changes of one cause share: their event, or where and what they are."""
    unnamed = (str(change.position), change.kind, one.strategy or one.measure)
    return (change.event,) if change.event else unnamed


def _change_row(measurements: Measurements, members: Sequence[Member], repo_url: str) -> ChangeRow:
    ranked = sorted(members, key=lambda member: -size_of(member[0]))
    change, one, line = ranked[0]
    commit = measurements.commits[change.position]
    before, after = distinct_quantities(change.before, change.after, one.unit)
    others = tuple(
        f"{other.label}, {measurements.place(where.machine, where.name)}: {percent(its.ratio)}"
        for its, other, where in ranked[1:]
    )
    values = [value for key, value in one.params if key != "strategy"]
    return ChangeRow(
        event=change.event,
        kind=change.kind,
        size=size_of(change),
        cause=change.cause,
        triage=change.triage,
        effect=_effect(change, one.unit),
        change=f"{'▲' if change.ratio > 1 else '▼'} {percent(change.ratio)}",
        interval=""
        if change.low is None or change.high is None
        else f"{percent(change.low)} to {percent(change.high)}",
        before=before,
        after=after,
        name=one.strategy or one.measure,
        detail=" · ".join([*([one.measure] if one.strategy else []), *values]),
        sparkline=sparkline(line, len(measurements.commits), change.position),
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
