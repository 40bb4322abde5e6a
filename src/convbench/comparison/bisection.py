"""Measuring for a bisection: any commit against the good one, and what was measured kept on disk.

What the blocks mean, and of which commit one is wanted next, is said elsewhere.
"""

import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from convbench.comparison.arms import Arm, Cell
from convbench.comparison.blocks import HEAD, Bench, Values
from convbench.comparison.environments import Environment
from convbench.comparison.processes import Order, measure
from convbench.comparison.project import Project
from convbench.errors import MeasureFailed

FORMAT = 1


class Trials(Protocol):
    """Gives block values of commits, one at a time."""

    def block(self, commit: str, number: int) -> float | str:
        """Give a commit's next value, or say why it can't have one.

        Parameters
        ----------
        commit : str
            Its full hash.
        number : int
            How many it has already.
        """


@dataclass(slots=True)
class TimeTrials:
    """Blocks of four processes: log time of a commit minus log time of the good one.

    Attributes
    ----------
    project : Project
        Where commits are built.
    environment : Environment
        In which all are measured.
    good : Arm
        The good commit.
    cell : Cell
        What is timed.
    """

    project: Project
    environment: Environment
    good: Arm
    cell: Cell
    _commit: str = ""
    _bench: Bench | None = None

    def block(self, commit: str, number: int) -> float | str:
        """Build and warm up a commit that is new, and measure a block of it."""
        try:
            if self._bench is None or self._commit != commit:
                arms = self.good, self.project.arm(self.environment, commit, commit[:8])
                # The order of the arms goes on where an earlier session stopped.
                bench = Bench(self.project.shop, arms, blocks=number)
                warm = bench.warm_up([self.cell])[self.cell.name]
                if not warm.comparable:
                    return warm.failed or warm.skipped
                self._commit, self._bench = commit, bench
            value = self._bench.block([self.cell])[self.cell.name]
        except MeasureFailed as error:
            return str(error)
        return (value.failed or value.skipped) if isinstance(value, Values) else value


@dataclass(slots=True)
class FailureTrials:
    """Single processes: 0 where a commit does as the good one does, 1 where it does not.

    Attributes
    ----------
    project, environment, cell
        As of `TimeTrials`.
    good_works : bool
        Whether the good commit gives a time; if not, the change looked for made it work.
    """

    project: Project
    environment: Environment
    cell: Cell
    good_works: bool

    def block(self, commit: str, number: int) -> float | str:
        """Build a commit and run the cell once."""
        del number
        try:
            arm = self.project.arm(self.environment, commit, commit[:8])
        except MeasureFailed as error:
            return str(error)
        order = Order(self.cell.places[HEAD], self.cell.timeout)
        try:
            (answer,) = measure(self.project.shop, arm, [order]).answers
        except MeasureFailed:  # no benchmark can be imported: this one fails as well
            return float(self.good_works)
        return answer.skipped or float(bool(answer.failed) is self.good_works)


@dataclass(slots=True)
class Record:
    """What a bisection measured so far, kept as a file after every block.

    Attributes
    ----------
    path : Path
        The file.
    asked : mapping
        What it was asked; values of another question are not its own.
    values : dict
        Block values of commits.
    skipped : dict
        Commits that can't be measured, and why.
    finished : bool
        Whether it came to an end; the next one begins anew.
    """

    path: Path
    asked: Mapping[str, Any]
    values: dict[str, list[float]] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    finished: bool = False

    def add(self, commit: str, outcome: float | str) -> None:
        """File a block value, or why there is none."""
        if isinstance(outcome, str):
            self.skipped[commit] = outcome
        else:
            self.values.setdefault(commit, []).append(outcome)
        self.write()

    def finish(self) -> None:
        """Note that nothing is wanted any more."""
        self.finished = True
        self.write()

    def write(self) -> None:
        """Write the file, whole or not at all."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        document = {
            "format": FORMAT,
            "asked": dict(self.asked),
            "finished": self.finished,
            "values": self.values,
            "skipped": self.skipped,
        }
        partial = self.path.with_name(f".{self.path.name}.partial")
        partial.write_text(json.dumps(document, indent=1, allow_nan=False) + "\n", encoding="ascii")
        partial.replace(self.path)


def open_record(folder: Path, name: str, asked: Mapping[str, Any]) -> Record:
    """Go on with an unfinished bisection that was asked the same, or begin one.

    Parameters
    ----------
    folder : Path
        Where comparisons keep their files.
    name : str
        Of the bisection; no part of a path is taken from it unless it is a hexadecimal number.
    asked : mapping
        All that the values depend on; plain JSON.
    """
    if not re.fullmatch(r"[0-9a-f]{1,64}", name):
        name = hashlib.sha256(name.encode()).hexdigest()[:10]
    path = folder / f"bisect-{name}.json"
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
        if known["format"] == FORMAT and known["asked"] == asked and known["finished"] is False:
            return Record(path, asked, _values(known["values"]), _texts(known["skipped"]))
    except (FileNotFoundError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        pass  # there is none, or no whole one: measuring again is always right
    return Record(path, asked)


def _values(given: dict[str, list[float]]) -> dict[str, list[float]]:
    values = {commit: [float(one) for one in each] for commit, each in given.items()}
    if not all(math.isfinite(one) for each in values.values() for one in each):
        raise ValueError
    return values


def _texts(given: dict[str, str]) -> dict[str, str]:
    return {commit: str(text) for commit, text in given.items()}
