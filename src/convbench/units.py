"""The units of a measuring run: what one call of asv measures, in which order, for how long.

A unit is one round of one BLAS build with one number of threads. Units of the builds take turns, in
the opposite order every second round, so that a slow drift of the machine meets all builds alike.
A unit is accepted whole or not at all, and the journal of a run says which ones are: a run that was
killed goes on after the last of them.
"""

import json
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

ROUNDS = 2
"""Rounds without a time budget: fresh processes twice, minutes apart."""

MOST_ROUNDS = 5
"""Rounds that a budget is spent on at most; what is left then is left."""

TYPICAL_SECONDS = {(False, True): 115, (False, False): 62, (True, True): 90, (True, False): 7}
"""Time of a unit by (once, one thread), on two cores: how a budget is shared, no promise."""

JOURNAL = "journal.json"

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Unit:
    """One round of one BLAS build with one number of threads.

    Attributes
    ----------
    round : int
        Counted from 1.
    blas, threads : str
        Values of the axes.
    once : bool
        Whether it measures what one round settles, or what is timed in every round.
    """

    round: int
    blas: str
    threads: str
    once: bool

    @property
    def name(self) -> str:
        """The unit for people."""
        what = "measured once" if self.once else f"round {self.round}"
        return f"{what}, {self.blas}, threads: {self.threads}"

    @property
    def typical_seconds(self) -> int:
        """The time such a unit takes, roughly."""
        return TYPICAL_SECONDS[self.once, self.threads == "1"]


def of_round(number: int, builds: Iterable[str], threads: Iterable[str]) -> tuple[Unit, ...]:
    """List the units of a round in their order; the first one also has what is measured once."""
    places = [(build, count) for build in builds for count in threads]
    if number % 2 == 0:
        places.reverse()
    timed = [Unit(number, *place, once=False) for place in places]
    once = [Unit(number, *place, once=True) for place in places] if number == 1 else []
    return tuple(timed + once)


@dataclass(frozen=True, slots=True)
class Journal:
    """How far a run is.

    Attributes
    ----------
    folder : Path
        The run's folder, where the journal is kept.
    request : mapping
        What was asked for; only the same request goes on with a journal.
    records : tuple of dict
        One per attempt at a unit, in their order.
    """

    folder: Path
    request: Mapping[str, Any]
    records: tuple[Record, ...] = ()

    @property
    def results(self) -> Path:
        """Folder of asv's results of all accepted units; a new one for every record."""
        return self.folder / f"results-{len(self.records)}"

    def accepted(self) -> tuple[Record, ...]:
        """Give the records of units whose results count."""
        return tuple(record for record in self.records if record["kept"])

    def has(self, unit: Unit) -> bool:
        """Tell whether a unit has been measured."""
        return any(is_of(unit, record) for record in self.accepted())

    def attempts(self, unit: Unit) -> int:
        """Count how often a unit has been measured, results that don't count included."""
        return sum(is_of(unit, record) for record in self.records)

    def seconds(self) -> float:
        """Time that was spent on units, also on those that were measured again."""
        return float(sum(record["seconds"] for record in self.records))

    def round_seconds(self, number: int) -> float:
        """Time that the timed units of a round took, without what was measured again."""
        kept = self.accepted()
        return float(sum(r["seconds"] for r in kept if r["round"] == number and not r["once"]))

    def append(self, record: Record, results: Path) -> "Journal":
        """Take the results of one more attempt, in a way that a kill at any moment leaves whole.

        The journal is replaced in one step, and names the folder that belongs to it by its length.
        """
        longer = replace(self, records=(*self.records, record))
        shutil.rmtree(longer.results, ignore_errors=True)  # of an append that was killed
        results.rename(longer.results)
        longer.write()
        shutil.rmtree(self.results, ignore_errors=True)
        return longer

    def write(self) -> None:
        """Write the journal to its folder."""
        partial = self.folder / f".{JOURNAL}.{os.getpid()}"
        text = json.dumps({"request": self.request, "records": self.records}, indent=1)
        partial.write_text(text)
        partial.replace(self.folder / JOURNAL)


def identity(unit: Unit) -> Record:
    """Give the fields of a record that say which unit it is of."""
    return {
        "round": unit.round,
        "blas": unit.blas,
        "threads": unit.threads,
        "once": unit.once,
    }


def is_of(unit: Unit, record: Record) -> bool:
    """Tell whether a record is of a unit."""
    return identity(unit).items() <= record.items()


def begin(folder: Path, request: Mapping[str, Any]) -> Journal:
    """Begin a journal in a run's folder."""
    journal = Journal(folder, request)
    journal.results.mkdir()
    journal.write()
    return journal


def read_journal(folder: Path) -> Journal | None:
    """Read the journal of a folder; None where there is no whole one."""
    try:
        content = json.loads((folder / JOURNAL).read_text())
        journal = Journal(folder, content["request"], tuple(content["records"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return journal if journal.results.is_dir() else None


def affordable(number: int, journal: Journal, budget_seconds: float | None) -> bool:
    """Tell whether a round is measured: one that has begun, or one that the budget has time for.

    The round before tells how long a round takes. The first round is always measured; what the
    budget has no time for is left out of it by the measuring processes themselves.
    """
    if number == 1 or any(record["round"] == number for record in journal.records):
        return True
    if budget_seconds is None:
        return number <= ROUNDS
    before = [record for record in journal.accepted() if record["round"] == number - 1]
    if any(record["cells_left_out"] for record in before):
        return False  # it was cut to the budget, and says nothing of a whole round's time
    needed = journal.round_seconds(number - 1)
    return number <= MOST_ROUNDS and journal.seconds() + needed <= budget_seconds


def time_for_another(
    unit: Unit, to_come: Sequence[Unit], seconds: float, remaining_seconds: float | None
) -> bool:
    """Tell whether a unit that took so long can be measured again without leaving cells out.

    The time that remains is counted from before the first attempt; what comes after is expected to
    be as much slower than typical as this unit was.
    """
    if remaining_seconds is None:
        return True
    pace = max(seconds / unit.typical_seconds, 1.0)
    later = pace * sum(other.typical_seconds for other in to_come)
    left = remaining_seconds - seconds
    fits = unit.round > 1 or share_seconds(unit, to_come, left) >= seconds
    return fits and left >= seconds + later


def share_seconds(unit: Unit, to_come: Iterable[Unit], remaining_seconds: float) -> float:
    """Give a unit its share of the time that remains for it and for those that come after it."""
    all_of_them = unit.typical_seconds + sum(other.typical_seconds for other in to_come)
    return remaining_seconds * unit.typical_seconds / all_of_them
