"""Where an event was seen, and where it was not: what the verdict on its cause rests on.

An event is seen in the histories that its changes are of. Those of the same benchmarks and
parameters that have values before and after its commit, on whatever machine and build, could have
shown it as well: the *scene* of an event is both. Who has no change is a witness only if one of
this size would have been found there, and if it did stay: a history that scatters by 5 % says
nothing about a change of 2 %, nor does one that moves the same way and misses a threshold. Nothing
is decided here; `attribution` does.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from convbench.stats.causes import Numbers, log_sizes, most_supported
from convbench.stats.change_points import WINDOW
from convbench.stats.changes import HISTORY, plain
from convbench.stats.moves import Moves
from convbench.stats.subjects import EVERYTHING, MACHINE_SHARE, subjects_of

ERRORS_TO_SEE = 8.0
"""Standard errors of a shift from which it counts as sure to be found. In Gaussian noise, with 10
to 100 values on each side, 87 to 98 % of such shifts are, with their commit in the range told."""

ALIKE = 0.5
"""Part of a change by which a history moves the same way that did not stay."""


@dataclass(frozen=True, slots=True)
class Histories:
    """All histories that were searched, ready to be asked about many events.

    Parameters
    ----------
    rows
        Place of each history by its name, the values of `HISTORY`.
    places
        In this order: `machine`, `build` and `subject` of each. The build is that of the BLAS, or
        the environment where the project has no BLAS builds.
    codes
        In this order, a number for each of these, for `project`, for `case`, which is the same
        benchmark with the same parameters, and for `name`, which the versions of a benchmark share.
        Numbers are compared a hundred times as fast as texts.
    first, last
        Positions of the first and the last value.
    noise
        How much the values scatter about their levels, relative to them.
    positions, moves
        All positions, rising, and how far the history moves at each (see `moves`).
    """

    rows: Mapping[tuple[str, ...], int]
    places: pd.DataFrame
    codes: Mapping[str, Numbers]
    first: Numbers
    last: Numbers
    noise: NDArray[np.float64]
    positions: Sequence[Numbers]
    moves: Sequence[Moves]

    @classmethod
    def of(cls, histories: pd.DataFrame) -> "Histories":
        """Take one row per history, as `events.summarise` does."""
        texts = plain(histories[[*HISTORY, "strategy"]]).reset_index(drop=True)
        texts["subject"] = pd.Series(subjects_of(texts), dtype=object)
        texts["build"] = texts["blas"].where(texts["blas"] != "", texts["environment"])
        names = zip(*(texts[name] for name in HISTORY), strict=True)
        keys = {name: [name] for name in ("project", "machine", "build", "subject")}
        keys |= {"case": ["benchmark", "params"], "name": HISTORY}
        return cls(
            rows={name: row for row, name in enumerate(names)},
            places=texts[["machine", "build", "subject"]],
            codes={
                name: np.asarray(texts.groupby(key, sort=False).ngroup(), dtype=np.int64)
                for name, key in keys.items()
            },
            first=histories["first_position"].to_numpy("int64"),
            last=histories["last_position"].to_numpy("int64"),
            noise=histories["noise"].to_numpy("float64"),
            positions=histories["positions"].tolist(),
            moves=histories["moves"].tolist(),
        )

    def of_changes(self, event: pd.DataFrame) -> Numbers:
        """Give the rows of the histories that an event's changes are of."""
        names = set(_named(event))
        if missing := [name for name in names if name not in self.rows]:
            raise ValueError(f"history {min(missing)} has a change but is none that was searched")
        return np.array(sorted(self.rows[name] for name in names), dtype=np.int64)

    def around(self, position: int, project: int) -> NDArray[np.bool_]:
        """Tell which histories of a project have values before and after a commit."""
        measured = (self.first < position) & (position <= self.last)
        here: NDArray[np.bool_] = measured & (self.codes["project"] == project)
        return here

    def is_witness(self, row: int, position: int, shift: float) -> bool:
        """Whether a history without a change stayed, where it would have shown this one.

        Parameters
        ----------
        row
            Of a history with values before and after.
        position, shift
            Of the change, and its log ratio; NaN for a failure, which all would show.
        """
        if math.isnan(shift):
            return True
        at = int(np.searchsorted(self.positions[row], position))
        before, after = (min(side, WINDOW) for side in (at, len(self.positions[row]) - at))
        error = self.noise[row] * math.sqrt(1 / before + 1 / after)
        if not abs(shift) >= ERRORS_TO_SEE * error:  # NaN of too few values: no witness
            return False
        move = float(self.moves[row][at])
        return not move * math.copysign(1, shift) > ALIKE * abs(shift)  # NaN: nobody can tell


@dataclass(frozen=True, slots=True)
class Scene:
    """Where one event was seen, and where it could have been.

    Parameters
    ----------
    event
        Its changes.
    seen, unseen
        Histories of the same benchmarks and parameters with the change, and those without it that
        would have shown it.
    unclear
        Number of histories of the same without the change that can't tell.
    shares
        Changed and all histories of each machine that has the change, of any benchmark.
    about
        Changed and all histories of its subject, on the machines and builds with the change.
    """

    event: pd.DataFrame
    seen: pd.DataFrame
    unseen: pd.DataFrame
    unclear: int
    shares: dict[str, tuple[int, int]]
    about: tuple[int, int]

    @property
    def machines(self) -> list[str]:
        """Those that show the change."""
        return distinct(self.seen["machine"])

    @property
    def builds(self) -> list[str]:
        """BLAS builds, or environments, that show it."""
        return distinct(self.seen["build"])

    @property
    def of_blas(self) -> bool:
        """Whether builds are those of a BLAS."""
        return bool(distinct(self.event["blas"]))

    @property
    def other_machines(self) -> list[str]:
        """Those that measured the same and did not change."""
        return [one for one in distinct(self.unseen["machine"]) if one not in self.machines]

    @property
    def other_builds(self) -> list[str]:
        """Those that every machine with the change has too, without it."""
        on = [
            set(distinct(self.unseen["build"][self.unseen["machine"] == machine]))
            for machine in self.machines
        ]
        return sorted(set.intersection(*on) - set(self.builds))

    @property
    def of_everything(self) -> bool:
        """Whether benchmarks of all sorts changed at once."""
        return str(self.event["subject"].iloc[0]) == EVERYTHING


def scene_of(event: pd.DataFrame, histories: Histories) -> Scene:
    """Sort the histories around an event by what they tell."""
    seen = histories.of_changes(event)
    codes = histories.codes
    at = most_supported(event)
    around = histories.around(at, int(codes["project"][seen[0]]))
    # Nor is another version of what changed a witness: it has another history's values.
    around &= ~np.isin(codes["name"], codes["name"][seen])
    unseen = np.flatnonzero(around)
    alike = _among(codes["machine"], unseen, seen) & _among(codes["build"], unseen, seen)
    if event["subject"].iloc[0] != EVERYTHING:
        alike &= _among(codes["subject"], unseen, seen)
    same = unseen[_among(codes["case"], unseen, seen)]
    witness = _witnesses(histories, event, same, at)
    return Scene(
        event=event,
        seen=histories.places.iloc[seen],
        unseen=histories.places.iloc[same[witness]],
        unclear=int(np.sum(~witness)),
        shares=_shares(codes["machine"], seen, unseen, histories.places["machine"]),
        about=(len(seen), len(seen) + int(alike.sum())),
    )


def _witnesses(
    histories: Histories, event: pd.DataFrame, unseen: Numbers, at: int
) -> NDArray[np.bool_]:
    """Tell which histories of the same cases witness that nothing changed there."""
    size = float(np.median(log_sizes(event)[0]))
    cases = histories.codes["case"]
    # A rate that falls and a time that grows may be one event: each case has a direction.
    named = zip(_named(event), event["ratio"].to_numpy("float64", na_value=1.0), strict=True)
    falls = {int(cases[histories.rows[name]]) for name, ratio in named if ratio < 1}
    return np.array(
        [
            histories.is_witness(int(row), at, -size if int(cases[row]) in falls else size)
            for row in unseen
        ],
        dtype=np.bool_,
    )


def _named(event: pd.DataFrame) -> list[tuple[str, ...]]:
    """Name the history of each change."""
    return list(zip(*(texts_of(event[name]) for name in HISTORY), strict=True))


def _among(codes: Numbers, some: Numbers, others: Numbers) -> NDArray[np.bool_]:
    """Tell which of some rows have a code that one of the others has."""
    return np.isin(codes[some], np.unique(codes[others]))


def _shares(
    codes: Numbers, seen: Numbers, unseen: Numbers, names: "pd.Series[str]"
) -> dict[str, tuple[int, int]]:
    """Count the changed and all histories of each machine that has a changed one."""
    changed, first, counts = np.unique(codes[seen], return_index=True, return_counts=True)
    return {
        str(names.iloc[seen[row]]): (int(count), int(count + np.sum(codes[unseen] == code)))
        for code, row, count in zip(changed, first, counts, strict=True)
    }


def is_most(changed: int, measured: int) -> bool:
    """Whether so many histories of a machine changed that the machine may be what changed."""
    return changed >= MACHINE_SHARE * measured


def distinct(texts: "pd.Series[str]") -> list[str]:
    """List the different texts, sorted, without unknown ones."""
    return sorted({*texts_of(texts)} - {""})


def texts_of(column: "pd.Series[str]") -> list[str]:
    """Take the texts of a column; unknown ones are empty."""
    return ["" if pd.isna(text) else str(text) for text in column]
