"""Lines of all threads beside those of one: few strategies can use them, the rest is no news."""

import math
from typing import Any

from sample_store import Store, convolution_store, row, versions_store

from convbench.report.matrix import build_matrices
from convbench.report.naming import name_lines
from convbench.report.newest import MOST_COLUMNS
from convbench.report.overview import Overview, build_overview
from convbench.report.paradox import build_paradoxes
from convbench.report.series import build_series
from convbench.report.site import site_files
from convbench.report.versions import families

SCALING = ("im2col", "tensordot", "")
CELL = {"strategy": "a", "problem": "p", "dtype": "f"}
SENTENCE = "holds only the strategies that can use them"


def on_all_threads(made: dict[str, Any]) -> dict[str, Any]:
    """Give the row of all threads; asv writes NaN for what was not selected, as for a skip."""
    all_threads = {"environment": f"{made['environment']}-all", "threads": "all"}
    unselected = {"status": "skipped", "value": math.nan, "ci_low": math.nan, "ci_high": math.nan}
    return made | all_threads | ({} if made["strategy"] in SCALING else unselected)


def all_threads_store(commits: int = 2) -> Store:
    """Make a store of one and of all threads, with all strategies on one thread alone."""
    store = convolution_store(commits)
    store.rows += [on_all_threads(made) for made in store.rows]
    return store


def overview_of(store: Store) -> Overview:
    measurements = store.measurements()
    series = build_series(measurements)
    return build_overview(measurements, series, build_matrices(measurements, series))


def test_the_question_is_answered_where_the_code_as_asked_was_measured() -> None:
    measurements = all_threads_store().measurements()

    lines = [one.line for one in build_paradoxes(measurements, build_series(measurements))]

    assert lines == ["openblas · 1 thread", "mkl · 1 thread"] * 2


def test_without_the_code_as_asked_the_slowest_stands_for_it() -> None:
    store = all_threads_store()
    store.rows = [made for made in store.rows if made["strategy"] != "loops"]
    measurements = store.measurements()

    paradoxes = build_paradoxes(measurements, build_series(measurements))

    assert len(paradoxes) == 2 * 2 * 2  # builds, threads, dtypes


def test_what_was_not_selected_on_a_line_is_no_history() -> None:
    for one in build_series(all_threads_store().measurements()):
        skipped = {line.always_skipped for line in one.lines}
        assert len(skipped) == 1, one.label  # all of them or none


def test_a_failure_is_an_outcome_and_keeps_its_line() -> None:
    failed = row(0, None, params=CELL, status="failed")
    skipped = row(0, None, params=CELL, blas="mkl", status="skipped")

    (one,) = build_series(Store(rows=[failed, skipped]).measurements())

    assert [line.name for line in one.lines] == ["openblas"]


def test_skips_of_an_older_benchmark_hide_no_value_of_the_newest() -> None:
    rows = [row(0, None, params=CELL, status="skipped"), row(1, 1.0, params=CELL)]
    rows += [row(0, 1.0, params=CELL, blas="mkl"), row(1, None, params=CELL, blas="mkl")]
    rows[3] |= {"status": "skipped", "version": "2"}

    (one,) = build_series(Store(rows=rows).measurements())

    assert [line.name for line in one.lines] == ["openblas"]


def test_what_was_not_selected_is_not_measured_in_the_matrix() -> None:
    measurements = all_threads_store().measurements()
    matrices = build_matrices(measurements, build_series(measurements))
    matrix = next(one for one in matrices if one.line == "openblas · all threads")

    assert {each.strategy for each in matrix.rows} == {"im2col", "tensordot"}
    assert "skipped by the benchmark" not in {note.reason for note in matrix.notes}


def test_tables_of_all_threads_say_whom_the_winner_beat() -> None:
    with_all = site_files(all_threads_store().measurements())["index.html"]
    without = site_files(convolution_store(2).measurements())["index.html"]

    assert (with_all.count(SENTENCE), without.count(SENTENCE)) == (2, 0)


def test_one_thread_stands_before_all_where_columns_are_many() -> None:
    store = all_threads_store(1)
    for blas in ("blis", "reference"):
        store.rows += [
            made | {"blas": blas, "environment": f"{blas}-{made['threads']}"}
            for made in store.rows
            if made["blas"] == "mkl"
        ]

    columns = overview_of(store).newest.columns

    assert len(columns) == MOST_COLUMNS
    assert {column.split(" · ")[1] for column in columns} == {"1 thread"}


def test_a_line_has_one_name_on_all_machines() -> None:
    small = row(0, 1.0, params=CELL, machine="small")
    rows = [small, small | {"machine": "large"}, on_all_threads(small | {"machine": "large"})]

    names = name_lines(Store(rows=rows).frame("values"))

    assert list(names) == ["openblas · 1 thread"] * 2 + ["openblas · all threads"]


def test_what_has_no_blas_gives_nobody_threads_to_name() -> None:
    rows = [row(0, 1.0, params=CELL), row(0, 1.0, params=CELL, blas="", machine="other")]

    assert list(name_lines(Store(rows=rows).frame("values"))) == ["openblas", "virtualenv-py3.12"]


def test_a_family_has_one_name_on_all_machines() -> None:
    store = versions_store()
    store.rows += [on_all_threads(made) | {"machine": "large"} for made in store.rows]

    assert set(families(store.measurements()).values()) == {
        "openblas · 1 thread", "openblas · all threads", "mkl · 1 thread", "mkl · all threads",
    }  # fmt: skip
