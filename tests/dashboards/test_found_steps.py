"""What the goals say of steps, on tables of which it is plain: it is said of what is wrong too."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
import pytest
from measured import FoundSteps, Sites, found_steps, rows_of_step
from synthetic_project import Size, Step

SIZE = Size(benchmarks=10, params=2, environments=1, commits=40)
EVERYTHING = Step(30, range(10), 1.08)
STEPS = [Step(10, range(2), 0.7), EVERYTHING]


@dataclass(frozen=True)
class Told:
    """A change that `detect` wrote."""

    commit: int
    benchmark: int
    params: str
    ratio: float
    event: str


def told_of(step: Step, *, later: int = 0) -> list[Told]:
    """Tell a step of each of its histories, as one event."""
    return [
        Told(step.commit + later, benchmark, params, step.ratio, f"event {step.commit}")
        for benchmark in step.benchmarks
        for params in ("n=1", "n=2")
    ]


def sites_of(folder: Path, changes: Iterable[Told]) -> Sites:
    (folder / "store").mkdir()
    (folder / "html").mkdir()
    (folder / "html" / "regressions.json").write_text(json.dumps({"regressions": [[]] * 7}))
    rows = [
        {
            "commit": f"c{one.commit}",
            "benchmark": f"suite.time_case_{one.benchmark:03d}",
            "params": one.params,
            "environment": "env",
            "ratio": one.ratio,
            "event": one.event,
        }
        for one in changes
    ]
    pd.DataFrame(rows).to_parquet(folder / "store" / "changes.parquet")
    commits = {"commit": [f"c{n}" for n in range(40)], "position": range(40)}
    pd.DataFrame(commits)[::-1].to_parquet(folder / "store" / "commits.parquet")
    return Sites(folder, SIZE, STEPS, folder / "asv", folder / "site", {})


EVERY = [*told_of(STEPS[0]), *told_of(EVERYTHING)]


def test_all_that_was_put_in_is_found_where_all_is_told(tmp_path: Path) -> None:
    assert found_steps(sites_of(tmp_path, EVERY)) == FoundSteps(24, 24, 24, 24)


@pytest.mark.parametrize(("later", "found"), [(-3, 20), (-2, 24), (2, 24), (3, 20)])
def test_a_change_is_told_within_two_commits(tmp_path: Path, later: int, found: int) -> None:
    told = [*told_of(STEPS[0], later=later), *told_of(EVERYTHING)]

    assert found_steps(sites_of(tmp_path, told)) == FoundSteps(24, found, 24, found)


def test_what_is_told_twice_makes_up_for_nothing_that_is_missed(tmp_path: Path) -> None:
    half = EVERY[: len(EVERY) // 2]
    again = [replace(one, commit=one.commit + 1) for one in half]

    assert found_steps(sites_of(tmp_path, [*half, *again])) == FoundSteps(24, 12, 24, 24)


@pytest.mark.parametrize(
    "wrong",
    [Told(10, 5, "n=1", 0.7, "x"), Told(10, 0, "n=1", 1.3, "x")],
    ids=["whose", "which way"],
)
def test_what_was_not_put_in_is_not_true(tmp_path: Path, wrong: Told) -> None:
    assert found_steps(sites_of(tmp_path, [*EVERY, wrong])) == FoundSteps(24, 24, 25, 24)


def test_one_event_of_all_histories_is_one_row(tmp_path: Path) -> None:
    chance = Told(31, 0, "n=1", 0.9, "chance")

    assert rows_of_step(sites_of(tmp_path, [*EVERY, chance])) == (1, 7)


@pytest.mark.parametrize(("own", "rows"), [(1, 1), (2, 2), (10, 2), (18, 2)])
def test_what_is_told_by_two_events_is_two_rows(tmp_path: Path, own: int, rows: int) -> None:
    first, rest = told_of(EVERYTHING)[:own], told_of(EVERYTHING)[own:]
    told = [*(replace(one, event="another") for one in first), *rest]

    assert rows_of_step(sites_of(tmp_path, told))[0] == rows


def test_an_event_of_a_neighbouring_commit_is_a_row_of_its_own(tmp_path: Path) -> None:
    half = told_of(EVERYTHING)[:10]
    late = [replace(one, commit=31, event="late") for one in told_of(EVERYTHING)[10:]]

    assert rows_of_step(sites_of(tmp_path, [*half, *late]))[0] == 2


def test_one_event_of_a_few_histories_does_not_tell_of_everything(tmp_path: Path) -> None:
    assert rows_of_step(sites_of(tmp_path, told_of(EVERYTHING)[:3]))[0] == 2
