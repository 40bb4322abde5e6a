"""Which commit a bisection measures next, and how its error is shared among the steps.

The commits stand in order; the first is known to be good, the last to be bad, and what made the
difference stays in. Verdicts close in on it from both sides: the *range* reaches from the last good
commit to the first bad one, and the first bad commit is found when nothing untried lies between.
A commit that can't be measured is skipped, as in `git bisect skip`.

A wrong verdict anywhere leads to a wrong commit, so the errors of the steps add up (union bound).
Each step takes an equal share of what is left among the steps still needed at most; without
skipped commits that is error ÷ ⌈log₂ n⌉ for each.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from convbench.errors import BadUsage

CommitVerdict = Literal["good", "bad", "skipped"]


@dataclass(frozen=True, slots=True)
class Range:
    """Where the first bad commit lies.

    Parameters
    ----------
    last_good, first_bad
        Neighbours once found.
    between
        Commits between the two without a verdict or skipped, oldest first. The first bad commit
        is one of them or `first_bad`.
    """

    last_good: str
    first_bad: str
    between: tuple[str, ...]


def suspects(commits: Sequence[str], verdicts: Mapping[str, CommitVerdict]) -> Range:
    """Narrow the commits down by the verdicts so far.

    Parameters
    ----------
    commits
        Oldest first, from a good one to a bad one; at least two, none twice.
    verdicts
        Of commits in between; the ends need none.

    Raises
    ------
    BadUsage
        For commits that span nothing, and for a good commit after a bad one.
    """
    if len(commits) < 2 or len(set(commits)) < len(commits):
        raise BadUsage(
            f"{len(commits)} commits to bisect, {len(set(commits))} of them different; "
            "give two or more, none twice"
        )
    known = {**verdicts, commits[0]: "good", commits[-1]: "bad"}
    bad = min(i for i, commit in enumerate(commits) if known.get(commit) == "bad")
    good = max(i for i, commit in enumerate(commits) if known.get(commit) == "good")
    if good > bad:
        raise BadUsage(
            f"{commits[good]} is good though the earlier {commits[bad]} is bad; "
            "bisecting needs one change, choose a range with one"
        )
    return Range(commits[good], commits[bad], tuple(commits[good + 1 : bad]))


def next_candidate(commits: Sequence[str], verdicts: Mapping[str, CommitVerdict]) -> str | None:
    """Give the untried commit nearest to the middle of the range, None when there is none."""
    between = suspects(commits, verdicts).between
    untried = [i for i, commit in enumerate(between) if verdicts.get(commit) != "skipped"]
    if not untried:
        return None
    middle = (len(between) - 1) / 2
    return between[min(untried, key=lambda i: (abs(i - middle), i))]


def steps_left(commits: Sequence[str], verdicts: Mapping[str, CommitVerdict]) -> int:
    """Return how many verdicts are needed at most when no further commit is skipped.

    Without skipped commits that is ⌈log₂ n⌉ for n places where the change may be.
    """
    between = suspects(commits, verdicts).between
    untried = sum(verdicts.get(commit) != "skipped" for commit in between)
    return untried.bit_length()


def step_error(
    commits: Sequence[str], verdicts: Mapping[str, CommitVerdict], error_left: float
) -> float:
    """Return the error that the next step may have.

    Parameters
    ----------
    commits, verdicts
        As for `suspects`.
    error_left
        The error allowed in all, less what the steps so far were allowed; 0 where none is left.
    """
    return error_left / max(steps_left(commits, verdicts), 1)
