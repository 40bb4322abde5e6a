"""`convbench null-study`: equal arms, delayed arms, and runs that are kept."""

import argparse
from pathlib import Path

import pytest

from convbench.commands import null_study
from convbench.comparison import kept
from convbench.comparison.blocks import Values, measure_blocks
from convbench.comparison.kept import Kept
from convbench.comparison.null_arms import null_arms, null_cells, null_shop
from convbench.comparison.null_suite import kernels
from convbench.errors import BadUsage


def called(*words: str) -> list[str]:
    parser = argparse.ArgumentParser()
    null_study.add_arguments(parser)
    said: list[str] = []
    assert null_study.run(parser.parse_args(words), said.append) == 0
    return said


def complete(folder: Path, *log_ratios: float) -> None:
    for number, log_ratio in enumerate(log_ratios, start=1):
        values = {"cell": Values([log_ratio + 1e-4 * i for i in range(-5, 5)])}
        data = Kept(base="base", head="head", margin=1.02, threshold=1.05, blocks=10, values=values)
        kept.write(folder / f"run-{number:03}.json", data)


def test_a_complete_study_is_judged_without_measuring(tmp_path: Path) -> None:
    complete(tmp_path, 0.0, 0.0, 0.0)

    said = called(str(tmp_path), "--runs", "3")

    assert said[3] == "3 runs, 3 cells: 0 slower, 0 faster, 3 same, 0 ambiguous"
    # Nothing in three: 1 - .05^(1/3) = 63.2 %.
    assert "below 63.2 % of cells" in said[5]


@pytest.mark.parametrize("words", [["--delay", "5%"], ["--blocks", "20"]])
def test_runs_of_another_study_are_not_counted(tmp_path: Path, words: list[str]) -> None:
    complete(tmp_path, 0.0)

    with pytest.raises(BadUsage, match="name another folder"):
        called(str(tmp_path), "--runs", "1", *words)


@pytest.mark.parametrize(
    "words", [["--runs", "0"], ["--blocks", "1"], ["--sample-milliseconds", "0"], ["--delay", "5"]]
)
def test_a_wrong_request_is_refused(tmp_path: Path, words: list[str]) -> None:
    with pytest.raises(BadUsage, match=words[0]):
        called(str(tmp_path), *words)


def test_too_many_cells_are_refused_with_the_number_there_is(tmp_path: Path) -> None:
    arms = null_arms(0.0)

    with pytest.raises(BadUsage, match="--cells 101: the suite has 100"):
        null_cells(null_shop(tmp_path, 0.001), arms[0], 101)


def test_every_cell_of_the_suite_gives_a_time_in_both_arms(tmp_path: Path) -> None:
    shop, arms = null_shop(tmp_path, 0.0001), null_arms(0.0)
    cells = null_cells(shop, arms[0], 100)

    values = measure_blocks(shop, arms, cells, 1)

    assert len(values) == 100
    assert [name for name, each in values.items() if not each.comparable] == []


def test_a_kernel_waits_for_its_share_of_the_time_it_took(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Every look at the clock finds it one second later; the kernel lasts from the first look to
    # the second, so that its end at a delay of 150 % is 2.5 s after the second look less one.
    looks: list[float] = []

    def clock() -> float:
        looks.append(float(len(looks)))
        return looks[-1]

    monkeypatch.setattr(kernels.time, "perf_counter", clock)
    monkeypatch.setattr(kernels, "DELAY", 1.5)

    kernels.Kernels().time_kernel("sum", 2)

    # Began at 0 s, done at 1 s, waits until 2.5 s: seen at 2 s and 3 s.
    assert looks == [0.0, 1.0, 2.0, 3.0]
