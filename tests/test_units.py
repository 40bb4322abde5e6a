"""Units: their order, what the journal keeps through a kill, and how a budget is spent."""

from pathlib import Path

import pytest

from convbench import units
from convbench.units import Journal, Unit

BUILDS, THREADS = ("openblas", "mkl", "netlib"), ("1", "all")


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_round_times_every_build_with_every_number_of_threads(number: int) -> None:
    timed = [unit for unit in units.of_round(number, BUILDS, THREADS) if not unit.once]

    assert {(unit.blas, unit.threads) for unit in timed} == {
        (build, threads) for build in BUILDS for threads in THREADS
    }
    assert len(timed) == 6


def test_over_two_rounds_every_build_has_the_same_mean_moment() -> None:
    order = [unit for number in (1, 2) for unit in units.of_round(number, BUILDS, THREADS)]
    timed = [(unit.blas, unit.threads) for unit in order if not unit.once]

    moments = {place: [i for i, other in enumerate(timed) if other == place] for place in timed}
    assert {sum(found) for found in moments.values()} == {len(timed) - 1}


def test_the_first_round_alone_has_what_is_measured_once() -> None:
    assert sum(unit.once for unit in units.of_round(1, BUILDS, THREADS)) == 6
    assert not any(unit.once for unit in units.of_round(2, BUILDS, THREADS))


def journal_with(folder: Path, *seconds: float, number: int = 1) -> Journal:
    """Make a journal whose rounds have one timed unit each, which took so many seconds."""
    journal = Journal(folder, {})
    journal.results.mkdir()
    for index, each in enumerate(seconds):
        results = folder / "unit"
        results.mkdir()
        unit = Unit(number + index, "mkl", "1", once=False)
        record = units.identity(unit) | {"kept": True, "seconds": each, "cells_left_out": 0}
        journal = journal.append(record, results)
    return journal


def test_a_journal_is_read_as_it_was_written(tmp_path: Path) -> None:
    written = journal_with(tmp_path, 1.0, 2.0)

    assert units.read_journal(tmp_path) == written
    assert written.has(Unit(2, "mkl", "1", once=False))
    assert not written.has(Unit(2, "mkl", "all", once=False))
    assert written.seconds() == 3.0


@pytest.mark.parametrize("content", ["", "{", "[]", '{"request": {}}', '{"records": 3}'])
def test_a_damaged_journal_is_none(tmp_path: Path, content: str) -> None:
    (tmp_path / units.JOURNAL).write_text(content)

    assert units.read_journal(tmp_path) is None


def test_a_journal_without_its_results_is_none(tmp_path: Path) -> None:
    journal = journal_with(tmp_path, 1.0)
    journal.results.rmdir()

    assert units.read_journal(tmp_path) is None


@pytest.mark.parametrize(
    ("budget", "rounds"), [(None, 2), (1.0, 1), (19.9, 1), (20.0, 2), (49.0, 4), (1e6, 5)]
)
def test_rounds_are_measured_while_another_one_fits(
    tmp_path: Path, budget: float | None, rounds: int
) -> None:
    measured = 1
    while units.affordable(
        measured + 1, journal_with(fresh(tmp_path, measured), *[10.0] * measured), budget
    ):
        measured += 1

    assert measured == rounds


def fresh(folder: Path, number: int) -> Path:
    made = folder / str(number)
    made.mkdir()
    return made


def test_a_round_that_has_begun_is_finished(tmp_path: Path) -> None:
    journal = journal_with(tmp_path, 10.0, 10.0)

    assert units.affordable(2, journal, 12.0)


def test_a_round_that_was_cut_says_nothing_of_the_next(tmp_path: Path) -> None:
    journal = journal_with(tmp_path, 1.0)
    journal.records[0]["cells_left_out"] = 3

    assert not units.affordable(2, journal, 1e6)


@pytest.mark.parametrize(
    ("remaining", "expected"), [(None, True), (1e6, True), (250.0, False), (150.0, False)]
)
def test_a_unit_is_measured_again_only_where_nothing_is_left_out_for_it(
    remaining: float | None, expected: bool
) -> None:
    first, *to_come = units.of_round(1, ("mkl",), ("1",))

    assert units.time_for_another(first, to_come, 100.0, remaining) is expected


def test_shares_of_the_remaining_time_add_up_to_it() -> None:
    to_come = list(units.of_round(1, BUILDS, THREADS))
    remaining = 600.0
    shares = []
    while to_come:
        unit = to_come.pop(0)
        shares.append(units.share_seconds(unit, to_come, remaining))
        remaining -= shares[-1]

    assert remaining == pytest.approx(0)
    assert min(shares) > 0
