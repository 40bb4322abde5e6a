"""How values are cut into histories: which rows are one, in which order, and which row stands."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from convbench.results.histories import KEY, History, cut

START = pd.Timestamp("2026-01-05T10:00:00Z")
COMMITS = pd.DataFrame({"commit": [f"c{n}" for n in range(9)], "position": range(9)})


def row(commit: int, value: float | None = 1.0, **said: object) -> dict[str, object]:
    return {
        **dict.fromkeys(("project", "machine", "environment", "blas_identity"), "x"),
        **dict.fromkeys(("blas", "threads", "strategy", "problem", "dtype", "blas_sha256"), ""),
        "benchmark": "b.time_x",
        "params": {"n": "1"},
        "unit": "seconds",
        "version": "1",
        "commit": f"c{commit}",
        "commit_date": START + pd.Timedelta(days=commit),
        "run": f"r{commit}",
        "started_at": START + pd.Timedelta(days=commit, hours=1),
        "value": np.nan if value is None else value,
        "status": "failed" if value is None else "ok",
        **said,
    }


def histories(*rows: dict[str, object], seed: int = 0) -> list[History]:
    """Cut rows that come in any order."""
    order = np.random.default_rng(seed).permutation(len(rows))
    return cut(pd.DataFrame([rows[at] for at in order]), COMMITS)


@pytest.mark.parametrize("seed", range(5))
def test_values_stand_in_the_order_of_the_commits(seed: int) -> None:
    (one,) = histories(*(row(n, 10.0 + n) for n in range(9)), seed=seed)

    assert_array_equal(one.numbers, 10.0 + np.arange(9))
    assert_array_equal(one.positions, np.arange(9))
    assert one.commits.tolist() == COMMITS["commit"].tolist()
    assert one.params == {"n": "1"}


def test_failed_skipped_and_absent_are_three_things() -> None:
    (one,) = histories(row(0), row(1, None), row(2, None, status="skipped"), row(4))

    assert one.statuses.tolist() == ["ok", "failed", "skipped", "ok"]
    assert_array_equal(one.positions, [0, 1, 2, 4])
    assert_array_equal(one.measured, [0, 3])


@pytest.mark.parametrize("name", [*KEY, "version"])
def test_each_part_of_the_key_tells_histories_apart(name: str) -> None:
    other = {"n": "2"} if name == "params" else "other"

    assert len(histories(row(0), row(1, **{name: other}))) == 2


@pytest.mark.parametrize("name", ["strategy", "run", "blas_identity", "unit"])
def test_nothing_else_does(name: str) -> None:
    assert len(histories(row(0), row(1, **{name: "other"}))) == 1


def test_of_two_identities_at_one_commit_the_newer_stands() -> None:
    later = START + pd.Timedelta(days=30)
    again = row(0, 2.0, blas_identity="another", started_at=later, run="r9")

    (one,) = histories(row(0, 1.0), again, row(1, 3.0))

    assert_array_equal(one.numbers, [2.0, 3.0])
    assert one.identities.tolist() == ["another", "x"]
    assert one.runs.tolist() == ["r9", "r1"]


@pytest.mark.parametrize("seed", range(5))
def test_of_two_identities_without_a_moment_the_later_run_by_name_stands(seed: int) -> None:
    unknown = {"started_at": pd.NaT}
    runs = [row(0, 1.0 + n, blas_identity=f"i{n}", run=f"r{n}", **unknown) for n in (1, 2, 0)]

    (one,) = histories(*runs, row(1), seed=seed)

    assert (one.runs[0], one.numbers[0]) == ("r2", 3.0)


@pytest.mark.parametrize("name", ["strategy", "problem", "dtype", "unit"])
def test_labels_are_those_of_the_newest_commit(name: str) -> None:
    (one,) = histories(row(0, **{name: "former"}), row(1, **{name: "today's"}))

    assert one.labels[name] == "today's"


@pytest.mark.parametrize("seed", range(3))
def test_histories_stand_in_the_order_of_their_labels(seed: int) -> None:
    made = [row(n, benchmark=name) for n in (0, 1) for name in ("b.z", "b.a", "b.k")]

    found = histories(*made, seed=seed)

    assert [one.labels["benchmark"] for one in found] == ["b.a", "b.k", "b.z"]


def test_what_failed_has_no_number_whatever_was_written_beside_it() -> None:
    (one,) = histories(row(0), row(1, 5.0, status="failed"))

    assert_array_equal(one.numbers, [1.0, np.nan])


def test_a_newer_skip_hides_no_value_but_a_newer_failure_does() -> None:
    later = {"started_at": START + pd.Timedelta(days=30), "blas_identity": "another"}

    (skipped,) = histories(row(0, 1.0), row(0, None, status="skipped", **later), row(1))
    (failed,) = histories(row(0, 1.0), row(0, None, **later), row(1))

    assert skipped.statuses[0] == "ok"
    assert failed.statuses[0] == "failed"


def test_without_a_number_there_is_no_history() -> None:
    assert histories(row(0, None), row(1, np.inf), row(2, 1e300)) == []
    assert cut(pd.DataFrame([row(0)]).iloc[:0], COMMITS) == []


def test_equal_texts_take_the_memory_of_one() -> None:
    (one,) = histories(*(row(number) for number in range(50)))

    for texts in (one.statuses, one.runs, one.identities):
        assert len({id(text) for text in texts}) == len(set(texts))
