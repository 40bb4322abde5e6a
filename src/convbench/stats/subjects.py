"""What a change is about: a strategy, a class of benchmarks, or everything.

So much that changes at once does not change for as many reasons: a machine was exchanged, Python
updated, or code touched that all benchmarks run. Where at one commit several subjects change, their
subject is `EVERYTHING` if either at least `MACHINE_SHARE` of all histories of a machine, or of one
of its environments, are among them; or if, by a similar size, at least `WIDE_SUBJECTS` subjects are
and `WIDE_SHARE` of those measured there, and chance would hardly bring so many together: in a
project where much changes all the time they were Poisson distributed about the usual number.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import pdtrc

from convbench.stats.causes import (
    TOGETHER,
    Numbers,
    by_commit,
    causes_of,
    most_supported,
    sorted_groups,
    spans,
)
from convbench.stats.changes import history_numbers, plain

EVERYTHING = ""
"""Subject of an event that concerns benchmarks of all sorts."""

MACHINE_SHARE = 0.6
"""Least share of a machine's histories that changes when the machine is what changed."""

WIDE_SUBJECTS, WIDE_SHARE = 5, 0.2
"""Least number and least share of subjects that change alike at one commit for one reason."""

WIDE_CHANCE = 0.01
"""Chance, over all commits of a project, that changes of other reasons would look so."""


def subjects_of(frame: pd.DataFrame) -> list[str]:
    """Name what each history is about: its strategy, or the module and class of its benchmark."""
    names = plain(frame[["strategy", "benchmark"]])
    return [
        str(strategy or benchmark.rpartition(".")[0] or benchmark)
        for strategy, benchmark in zip(names["strategy"], names["benchmark"], strict=True)
    ]


def of_everything(
    changes: pd.DataFrame, subjects: NDArray[np.object_], histories: pd.DataFrame
) -> NDArray[np.bool_]:
    """Tell which changes are part of a change of everything.

    Parameters
    ----------
    changes, histories
        As of `grouping.group`.
    subjects
        Of each change, what its own history is about.
    """
    return (
        _of_whole(["machine"], changes, subjects, histories)
        | _of_whole(["machine", "environment"], changes, subjects, histories)
        | _wide(changes, subjects, histories)
    )


def _of_whole(
    place: list[str],
    changes: pd.DataFrame,
    subjects: NDArray[np.object_],
    histories: pd.DataFrame,
) -> NDArray[np.bool_]:
    """Tell which changes are part of a change of most that one place measures."""
    whole = np.zeros(len(changes), dtype=bool)
    history, searched = history_numbers(changes, histories)
    measured = dict(sorted_groups(plain(histories[["project", *place]]), ["project", *place]))
    for (*where, _), rows in sorted_groups(changes, ["project", *place, "kind"]):
        here = measured.get(tuple(where), np.array([], dtype=np.int64))
        first, last = _spans_of(histories, here)
        for cause in by_commit(*spans(changes.iloc[rows])):
            members = rows[cause]
            at = most_supported(changes.iloc[members])
            changed = np.unique(history[members])
            # What fails for good has no value after it: changed ones are counted by themselves.
            unchanged = np.setdiff1d(searched[here[(first < at) & (at <= last)]], changed)
            every = changed.size + unchanged.size
            several = len(set(subjects[members])) > 1
            whole[members] = several and changed.size >= MACHINE_SHARE * every
    return whole


def _wide(
    changes: pd.DataFrame, subjects: NDArray[np.object_], histories: pd.DataFrame
) -> NDArray[np.bool_]:
    """Tell which changes are part of a similar change of many subjects."""
    wide = np.zeros(len(changes), dtype=bool)
    projects = dict(sorted_groups(plain(histories[["project"]]), ["project"]))
    for (project, _), rows in sorted_groups(changes, ["project", "kind"]):
        here = projects.get((project,), np.array([], dtype=np.int64))
        first, last = _spans_of(histories, here)
        names = np.array(subjects_of(histories.iloc[here]), dtype=object)
        places = len(set(zip(subjects[rows], changes["position"].iloc[rows], strict=True)))
        commits = int(last.max() - first.min()) + 1 if here.size else 1
        for cause in causes_of(changes.iloc[rows]):
            members = rows[cause]
            changed = set(subjects[members])
            if len(changed) < WIDE_SUBJECTS:
                continue
            at = most_supported(changes.iloc[members])
            every = changed | set(names[(first < at) & (at <= last)])
            usual = max(places - len(changed), 0) / commits * TOGETHER
            chance = commits * float(pdtrc(len(changed) - 1, usual))
            wide[members] = len(changed) >= WIDE_SHARE * len(every) and chance <= WIDE_CHANCE
    return wide


def _spans_of(histories: pd.DataFrame, rows: Numbers) -> tuple[Numbers, Numbers]:
    """Give the first and last positions of some histories."""
    first, last = (
        histories[name].to_numpy("int64") for name in ("first_position", "last_position")
    )
    return first[rows], last[rows]
