"""A bisection for a terminal, and as one JSON document.

Names, subjects and authors are anybody's text: in the terminal nothing of them acts, and JSON is
ASCII. The document holds no time of day: the same blocks give the same bytes.
"""

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from convbench.report.readable import counted, significant
from convbench.results.raw_files import printable
from convbench.stats.bisection_search import Progress, Question, Step, interval

FORMAT = 1
"""Version of the JSON document."""

_SHOWN = 8
"""Digits of a hash."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bisected:
    """All that is said of a bisection.

    Parameters
    ----------
    event
        The event's id; empty where two commits were given.
    cell, environment, threads
        What was timed, and where.
    has_times
        False where the cell's working, and not its time, is what changed.
    question, progress
        What was asked, and how far it came.
    subject, author, date, is_merge
        Of the first bad commit, or of the last one that it may be.
    """

    event: str
    cell: str
    environment: str
    threads: str
    has_times: bool
    question: Question
    progress: Progress
    subject: str = ""
    author: str = ""
    date: str = ""
    is_merge: bool = False

    @property
    def exit_code(self) -> int:
        """0 for an answer, 1 for none."""
        return 0 if self.progress.outcome in ("found", "range") else 1


def opening_lines(one: Bisected) -> Iterator[str]:
    """Say what is looked for."""
    commits = one.question.commits
    threads = "one thread" if one.threads == "1" else f"threads: {one.threads}"
    yield f"{printable(one.cell)} in {printable(one.environment)}, {threads}"
    yield (
        f"good {commits[0][:_SHOWN]}, bad {commits[-1][:_SHOWN]}: one of "
        f"{counted(len(commits) - 1, 'commit')}, with an error of at most {_share(one)}"
    )


def step_line(step: Step, what: str, *, has_times: bool) -> str:
    """Write one verdict: which commit, what it is, and by how many blocks."""
    blocks = counted(len(step.values), "block")
    told = [f"{what:<6}", step.commit[:_SHOWN], f"{step.verdict:<9}"]
    if step.values:
        told += [_effect(step.values), blocks] if has_times else [blocks.replace("block", "run")]
    return "  ".join([*told, *([printable(step.reason)] if step.reason else [])])


def closing_lines(one: Bisected) -> Iterator[str]:
    """Say what was found, what it cost, and, last, the answer in one line."""
    progress, found = one.progress, one.progress.suspects
    if one.exit_code == 0:
        label = "first bad commit" if progress.outcome == "found" else "last of the suspects"
        yield f"{label}: {found.first_bad}"
        yield f"  {printable(one.subject)}"
        yield f"  {printable(one.author)}, {printable(one.date)}"
        if one.is_merge:
            yield "  a merge: the change may have come with its other parents"
    if one.has_times:
        fixed = progress.fixed_blocks()
        instead = f"; fixed numbers of the same error: {fixed:,}" if fixed else ""
        yield f"{counted(progress.blocks, 'block')} measured{instead}"
    yield reason(one)


def reason(one: Bisected) -> str:
    """Give the answer in one line."""
    ends, found = one.progress.ends, one.progress.suspects
    effect = f" ({_effect(ends.values)})" if one.has_times and ends.values else ""
    match one.progress.outcome:
        case "found":
            return f"found: {found.first_bad[:_SHOWN]} is the first bad commit{effect}"
        case "range":
            return (
                f"found a range: one of {_range(one)} is the first bad commit{effect}; "
                f"the others can't be measured"
            )
        case "not reproduced":
            return (
                f"not reproduced here: {found.first_bad[:_SHOWN]} is at the level of "
                f"{found.last_good[:_SHOWN]}{effect}; maybe another machine, or a disturbed run"
            )
        case "undecided":
            return f"undecided: one of {_range(one)}{effect}; too noisy here, or another level"
        case None:
            return f"undecided within the budget: one of {_range(one)}; the same command goes on"


def _range(one: Bisected) -> str:
    found = one.progress.suspects
    first = (*found.between, found.first_bad)[0]
    return (
        f"{counted(len(found.between) + 1, 'commit')}, "
        f"{first[:_SHOWN]} to {found.first_bad[:_SHOWN]},"
    ).removesuffix(",")


def as_json(one: Bisected) -> str:
    """Write the bisection as one document; what has no finite number is null."""
    progress, found = one.progress, one.progress.suspects
    answered = one.exit_code == 0
    document = {
        "format": FORMAT,
        "event": one.event,
        "cell": one.cell,
        "environment": one.environment,
        "threads": one.threads,
        "good": one.question.commits[0],
        "bad": one.question.commits[-1],
        "commits": len(one.question.commits) - 1,
        "error": one.question.error,
        "outcome": progress.outcome or "undecided",
        "first_bad": {
            "commit": found.first_bad,
            "subject": one.subject,
            "author": one.author,
            "date": one.date,
            "merge": one.is_merge,
        }
        if answered and progress.outcome == "found"
        else None,
        "last_good": found.last_good,
        "suspects": [*found.between, found.first_bad],
        **_ratios(progress.ends.values if one.has_times else ()),
        "ends": _step(progress.ends, has_times=one.has_times),
        "steps": [_step(each, has_times=one.has_times) for each in progress.steps],
        "blocks": progress.blocks,
        "fixed_blocks": progress.fixed_blocks() if one.has_times else None,
        "reason": reason(one),
    }
    return json.dumps(document, indent=1, allow_nan=False)


def _step(step: Step, *, has_times: bool) -> dict[str, Any]:
    return {
        "commit": step.commit,
        "verdict": step.verdict,
        "blocks": len(step.values),
        **_ratios(step.values if has_times else ()),
        "error": step.error,
        "reason": step.reason,
    }


def _ratios(values: Sequence[float]) -> dict[str, float | None]:
    numbers = interval(values)
    names = ("ratio", "ratio_low", "ratio_high")
    return {
        name: number if len(values) > 1 and math.isfinite(number) else None
        for name, number in zip(names, numbers, strict=True)
    }


def _effect(values: Sequence[float]) -> str:
    ratio, low, high = interval(values)
    if len(values) < 2:
        return f"×{significant(ratio, 4)}"
    return f"×{significant(ratio, 4)} [{significant(low, 4)}–{significant(high, 4)}]"


def _share(one: Bisected) -> str:
    return f"{100 * one.question.error:g} %"
