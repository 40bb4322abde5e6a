"""Blocks: four fresh processes in the order A B B A, the next time B A A B.

A slow drift of the machine adds the same to both arms of a block. What differs from process to
process (addresses, hashes, the state of caches) is drawn anew in each of the four, so that only
whole blocks are evidence; repeats inside of a process are not.
"""

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from convbench.comparison.arms import Arm, Cell
from convbench.comparison.processes import Answer, Order, Workshop, measure
from convbench.errors import MeasureFailed

BASE, HEAD = 0, 1

ORDERS = ((BASE, HEAD, HEAD, BASE), (HEAD, BASE, BASE, HEAD))
"""Of the arms in a block; blocks take them in turns."""

PROCESSES = len(ORDERS[0])
"""Of a block."""

MOST_UNEQUAL = 10
"""A sample of the slower arm may last so many times the intended length, for the faster one's."""


@dataclass(slots=True)
class Values:
    """What is known of one cell.

    Attributes
    ----------
    screen, confirm : list of float
        Block values of the two stages: log time of HEAD minus log time of BASE.
    failed : str
        Why an arm gave no time, and which.
    skipped : str
        Why the cell is not comparable: an arm does not implement it.
    """

    screen: list[float] = field(default_factory=list)
    confirm: list[float] = field(default_factory=list)
    failed: str = ""
    skipped: str = ""

    @property
    def comparable(self) -> bool:
        """Whether further blocks could say anything."""
        return not self.failed and not self.skipped


@dataclass(slots=True)
class Bench:
    """Two arms, the number of calls of each cell, and the blocks that were measured so far.

    Attributes
    ----------
    shop : Workshop
        What all processes have in common.
    arms : tuple of Arm
        BASE and HEAD.
    seed : int
        Of the order of the cells in a block.
    numbers : dict
        Calls per sample of every cell that the warm-up could time; the same in both arms.
    blocks : int
        How many blocks were measured.
    processes : list of int
        Their ids, in the order of their start.
    """

    shop: Workshop
    arms: tuple[Arm, Arm]
    seed: int = 0
    numbers: dict[str, int] = field(default_factory=dict)
    blocks: int = 0
    processes: list[int] = field(default_factory=list)
    _took: dict[str, float] = field(default_factory=dict)
    _starting: float = 0.0

    def seconds_per_block(self, together: int) -> dict[str, float]:
        """Predict what a block of each cell takes: its own time and its share of four starts.

        Starts are those of the last block. Before the first one they count as nothing: the
        warm-up's say little, since a suite may compile in them what is on disk afterwards.

        Parameters
        ----------
        together : int
            How many cells share the starts.
        """
        share = self._starting / together
        return {name: PROCESSES * took + share for name, took in self._took.items()}

    def warm_up(self, cells: Sequence[Cell]) -> dict[str, Values]:
        """Run every cell in one process per arm that doesn't count, and fix its number of calls.

        The processes fill the caches on disk (bytecode, Numba's code, pages of the files), and show
        which cells can't be compared.
        """
        base = self._answers(BASE, cells)
        # What failed in BASE is not waited for once more: it may have been a timeout.
        head = self._answers(HEAD, [cell for cell in cells if not base[cell.name].failed])
        self._starting = 0.0
        outcome = {}
        for cell in cells:
            answers = base[cell.name], head.get(cell.name, Answer())
            outcome[cell.name] = self._complaint(answers)
            if outcome[cell.name].comparable:
                self.numbers[cell.name] = _calls(answers)
        return outcome

    def block(self, cells: Sequence[Cell]) -> dict[str, float | Values]:
        """Measure one block of the cells, which the warm-up has timed.

        Returns
        -------
        dict
            For every cell its block value, or `Values` that say why there is none.
        """
        order = ORDERS[self.blocks % 2]
        shuffled = list(cells)
        # The same order in all four: what one cell leaves to the next is the same in both arms.
        random.Random(f"{self.seed} {self.blocks}").shuffle(shuffled)
        self.blocks += 1
        self._starting = 0.0
        taken: list[tuple[int, Mapping[str, Answer]]] = []
        for arm in order:
            timed = [cell for cell in shuffled if all(a[cell.name].fine for _, a in taken)]
            missing = dict.fromkeys((cell.name for cell in shuffled), Answer(failed="not run"))
            taken.append((arm, missing | self._answers(arm, timed)))
        return {cell.name: self._value(cell, taken) for cell in cells}

    def _value(
        self, cell: Cell, taken: Sequence[tuple[int, Mapping[str, Answer]]]
    ) -> float | Values:
        answers = [(arm, answer[cell.name]) for arm, answer in taken]
        for arm, answer in answers:
            if not answer.fine:
                sides = (answer, Answer()) if arm == BASE else (Answer(), answer)
                return self._complaint(sides)
        return math.fsum(
            (1 if arm == HEAD else -1) * math.log(answer.seconds) / 2 for arm, answer in answers
        )

    def _answers(self, arm: int, cells: Sequence[Cell]) -> dict[str, Answer]:
        orders = [
            Order(cell.places[arm], cell.timeout, self.numbers.get(cell.name, 0)) for cell in cells
        ]
        timed = measure(self.shop, self.arms[arm], orders)
        answers = {cell.name: one for cell, one in zip(cells, timed.answers, strict=True)}
        self.processes += timed.pids
        self._starting += timed.starting
        self._took |= {name: one.took for name, one in answers.items() if one.fine}
        return answers

    def _complaint(self, answers: tuple[Answer, Answer]) -> Values:
        """Say which arm gave no time and why, if one did not; a failure goes before a skip."""
        sides = list(zip(("BASE", "HEAD"), self.arms, answers, strict=True))
        for side, arm, answer in sides:
            if answer.failed:
                return Values(failed=f"{side} ({arm.label}): {answer.failed}")
        for side, arm, answer in sides:
            if answer.skipped:
                return Values(skipped=f"{side} ({arm.label}): {answer.skipped}")
        return Values()


def _calls(answers: tuple[Answer, Answer]) -> int:
    """Give both arms one number of calls: that of the faster, unless the other is far slower."""
    fewer, more = sorted(answer.number for answer in answers)
    return min(more, MOST_UNEQUAL * fewer)


def measure_blocks(
    shop: Workshop, arms: tuple[Arm, Arm], cells: Sequence[Cell], blocks: int, *, seed: int = 0
) -> dict[str, Values]:
    """Warm up and measure a fixed number of blocks of the first stage.

    Parameters
    ----------
    shop : Workshop
        Suite, variables, scratch folder.
    arms : tuple of Arm
        BASE and HEAD.
    cells : sequence of Cell
        What is timed.
    blocks : int
        How many; an even number has both orders equally often.
    seed : int
        Of the order of the cells.

    Raises
    ------
    MeasureFailed
        An arm can't import the suite.
    """
    bench = Bench(shop, arms, seed)
    values = bench.warm_up(cells)
    for _ in range(blocks):
        pending = [cell for cell in cells if values[cell.name].comparable]
        if not pending:
            break
        add(values, "screen", bench.block(pending))
    return values


def add(values: Mapping[str, Values], stage: str, block: Mapping[str, float | Values]) -> None:
    """File the values of a block under a stage; what failed is said instead of its values."""
    for name, value in block.items():
        known = values[name]
        if isinstance(value, Values):
            known.failed, known.skipped = value.failed, value.skipped
        else:
            stage_values: list[float] = getattr(known, stage)
            stage_values.append(value)


def require_one(values: Mapping[str, Values]) -> None:
    """Refuse a comparison in which no cell gave a time in both arms."""
    if any(each.comparable for each in values.values()):
        return
    reasons = [each.failed or each.skipped for each in values.values()]
    raise MeasureFailed(f"none of the {len(reasons)} cells gave a time in both arms: {reasons[0]}")
