"""Real processes and real verdicts: what is slowed is SLOWER, exchanged FASTER, equal neither.

CPU time is measured, so that the tests hold on a busy machine.
"""

import math
from pathlib import Path

import pytest
from toy_arms import arm, workshop

from convbench.commands.compare import decision, evidence_of
from convbench.comparison.arms import Cell
from convbench.comparison.blocks import Bench, Values, measure_blocks
from convbench.comparison.cells import paired, selected
from convbench.comparison.processes import discover
from convbench.comparison.rounds import measure_rounds
from convbench.stats.block_comparison import Settings, Verdict, judge

SUITE = """
import time, toy

class Work:
    timer = time.process_time
    param_names = ("work", "size")
    params = (("slowed", "quickened", "equal"), (1, 2))
    def time_it(self, work, size):
        toy.work(work, size)

class Twins:
    timer = time.process_time
    param_names = ("strategy", "size")
    params = (("plain", "delayed"), (1,))
    def time_it(self, strategy, size):
        toy.work("equal", 3 if strategy == "delayed" else 2)
"""

# Three times as much: far beyond what neighbours on a busy machine do to CPU time.
PACKAGE = """
FACTORS = {factors}
def work(name, size):
    return sum(range(int(2000 * size * FACTORS[name])))
"""

OLD = PACKAGE.format(factors={"slowed": 1, "quickened": 3, "equal": 1})
NEW = PACKAGE.format(factors={"slowed": 3, "quickened": 1, "equal": 1})

SETTINGS = Settings(looks=(10,))


def silent(_: str) -> None:
    pass


def verdicts(values: dict[str, Values]) -> dict[str, Verdict]:
    return {one.name: one.verdict for one in judge(evidence_of(values), SETTINGS)}


@pytest.mark.alone
@pytest.mark.slow
def test_a_slowed_cell_is_slower_a_quickened_one_faster_and_an_equal_one_neither(
    tmp_path: Path,
) -> None:
    shop = workshop(tmp_path, SUITE)
    arms = arm(tmp_path, "old", OLD), arm(tmp_path, "new", NEW)
    bench = Bench(shop, arms)
    cells = selected(discover(shop, arms[1]), "Work", 60)

    values = measure_rounds(bench, cells, decision(SETTINGS), say=silent)

    found = verdicts(values)
    for size in (1, 2):
        assert found[f"toys.Work.time_it('slowed', {size})"] is Verdict.SLOWER
        assert found[f"toys.Work.time_it('quickened', {size})"] is Verdict.FASTER
        # Chance of a false verdict: 5e-5 per cell.
        assert found[f"toys.Work.time_it('equal', {size})"] in (Verdict.SAME, Verdict.AMBIGUOUS)
    # Stage 2 is measured by processes of its own, every one of them fresh.
    slowed = values["toys.Work.time_it('slowed', 1)"]
    assert len(slowed.screen) == 10
    assert len(slowed.confirm) >= 6
    assert len(set(bench.processes)) == len(bench.processes) == 2 + 4 * bench.blocks
    assert {len(values[cell.name].screen) for cell in cells} == {10}


def block_means(values: dict[str, Values]) -> dict[str, float]:
    return {name: math.fsum(each.screen) / len(each.screen) for name, each in values.items()}


@pytest.mark.alone
def test_exchanged_strategies_have_exchanged_signs(tmp_path: Path) -> None:
    shop, toy = workshop(tmp_path, SUITE), arm(tmp_path, "one", NEW)
    suite = discover(shop, toy)

    def cells(base: str, head: str) -> list[Cell]:
        return paired(suite, "", 60, strategies=(base, head), parameters=["strategy"])

    forth = measure_blocks(shop, (toy, toy), cells("plain", "delayed"), 2)
    back = measure_blocks(shop, (toy, toy), cells("delayed", "plain"), 2)

    # The delay is half as much again, log 1.5 = 0.41; half of it is left to noise.
    assert block_means(forth)["toys.Twins.time_it(*, 1)"] > 0.2
    assert block_means(back)["toys.Twins.time_it(*, 1)"] < -0.2
