import dataclasses
import math
from collections import Counter

import pandas as pd
import pytest
from sample_store import (
    MACHINE,
    REFUSED,
    START,
    STRATEGIES,
    Store,
    commit_name,
    convolution_store,
    foreign_store,
    found_change,
    row,
)

from convbench.report.champions import build_champions
from convbench.report.history import build_history
from convbench.report.matrix import Matrix, build_matrices
from convbench.report.naming import telling_words
from convbench.report.outcomes import find_outcomes
from convbench.report.overview import build_overview
from convbench.report.pages import breakable
from convbench.report.paradox import Paradox, build_paradoxes
from convbench.report.series import build_series
from convbench.report.verdicts import UNCHANGED, UNDECIDED, count_states
from convbench.results.histories import cut
from convbench.stats.changes import STARTS_FAILING, WORKS_AGAIN

IM2COL = "strategy=im2col, problem=question, dtype=float32"


def matrix_of(store: Store, line: str = "openblas", dtype: str = "float32") -> Matrix:
    measurements = store.measurements()
    matrices = build_matrices(measurements, build_series(measurements))
    return next(one for one in matrices if (one.line, one.dtype) == (line, dtype))


@pytest.fixture
def changed() -> Store:
    store = convolution_store(10)
    store.tables["changes"] = [found_change(6, before=11e-6, after=13e-6, params=IM2COL)]
    return store


def overview_of(store: Store):  # the dataclass says it
    measurements = store.measurements()
    series = build_series(measurements)
    return build_overview(measurements, series, build_matrices(measurements, series))


def test_tiles_add_up_to_all_histories(changed: Store) -> None:
    overview = overview_of(changed)

    assert sum(tile.number for tile in overview.tiles) == overview.total
    assert sum(tile.share for tile in overview.tiles) == pytest.approx(100, abs=0.1)


def test_every_history_is_counted_once() -> None:
    measurements = convolution_store(3).measurements()
    cells = measurements.newest[["line", "benchmark"]].assign(
        params=[str(one) for one in measurements.newest["params"]]
    )

    assert overview_of(convolution_store(3)).total == len(cells.drop_duplicates())


def only_loops(store: Store, blas: str = "openblas", problem: str = "") -> Store:
    """Leave of one build's times (of one problem) but those of a single strategy."""
    for made in store.rows:
        rival = made["blas"] == blas and made["strategy"] not in ("", "loops")
        if rival and made["problem"].startswith(problem):
            made |= {
                "status": "skipped",
                "value": math.nan,
                "ci_low": math.nan,
                "ci_high": math.nan,
            }
    return store


def test_one_strategy_alone_is_never_the_fastest() -> None:
    store = only_loops(only_loops(convolution_store(2)), "mkl")

    overview = overview_of(store)

    assert overview.title == "No verdict yet: 2 of 6 commits"
    assert "nothing to compare" in overview.lede[-1]
    assert "fastest" not in overview.title + " ".join(overview.lede)
    assert overview.champions is None


def test_the_table_with_the_most_to_compare_stands_first_and_makes_the_title() -> None:
    measurements = only_loops(convolution_store(2)).measurements()
    series = build_series(measurements)
    matrices = build_matrices(measurements, series)
    overview = build_overview(measurements, series, matrices)

    assert [one.line for one in matrices] == ["mkl", "mkl", "openblas", "openblas"]
    assert [bool(one.contested) for one in matrices] == [True, True, False, False]
    assert overview.lede[0].startswith("With mkl,")
    assert overview.champions is not None
    assert overview.champions.columns == ("mkl", "openblas")
    assert {one.alone for row in overview.champions.rows for one in row.champions[1:] if one} == {
        True
    }
    # The title counts the contested problems, whichever machine's table comes first.
    assert build_overview(measurements, series, matrices[::-1]).title == overview.title


def test_a_problem_of_one_strategy_is_counted_apart() -> None:
    overview = overview_of(
        only_loops(only_loops(convolution_store(2), "openblas", "question"), "mkl")
    )

    assert overview.title.endswith(" of 3 problems")
    assert "1 more problem with one strategy only" in overview.lede[0]


def test_below_six_commits_there_is_no_verdict_and_no_change() -> None:
    overview = overview_of(convolution_store(3))

    assert overview.undecided == "3 of 6 commits: no verdict yet"
    assert {tile.state for tile in overview.tiles if tile.number} == {
        "undecided", "failed", "skipped",
    }  # fmt: skip
    assert overview.changes == ()
    assert any("3 of 6 commits: no verdict yet" in sentence for sentence in overview.lede)


def test_without_a_search_nothing_is_called_unchanged() -> None:
    measurements = dataclasses.replace(convolution_store(8).measurements(), detected=False)
    overview = build_overview(measurements, build_series(measurements), ())

    assert overview.title == "No verdict yet: convbench detect has not run"
    assert "unchanged" not in {tile.state for tile in overview.tiles}


def test_a_found_change_is_the_headline(changed: Store) -> None:
    overview = overview_of(changed)

    assert overview.title == "1 regression in 10 commits"
    assert "became 18 % slower at" in overview.lede[0]
    (change,) = overview.changes
    assert (change.change, change.before, change.after) == ("▲ +18 %", "11.0 µs", "13.0 µs")
    assert change.commit == commit_name(6)[:8]


def test_one_commit_that_moves_many_histories_is_one_row(changed: Store) -> None:
    other = IM2COL.replace("question", "vgg16_conv3_2")
    changed.tables["changes"].append(found_change(6, before=1e-3, after=2e-3, params=other))

    (change,) = overview_of(changed).changes

    assert change.change == "▲ +100 %"  # its own values, not another member's
    assert change.before == "1.00 ms"
    assert len(change.others) == 1


def test_a_failed_history_is_listed_with_what_the_guard_said() -> None:
    store = convolution_store(2)
    for environment in store.tables["environments"]:
        if environment["blas"] == "mkl":
            environment["guard"] = "claimed mkl, mapped openblas"

    (failure,) = overview_of(store).failures

    assert (failure.name, failure.where) == ("fft", "mkl")
    assert failure.reason == "claimed mkl, mapped openblas"


def test_a_refusal_explains_no_failure_of_another_run() -> None:
    store = convolution_store(2)
    for environment in store.tables["environments"]:
        if (environment["blas"], environment["run"]) == ("mkl", "run-0"):
            environment["guard"] = "claimed mkl, mapped openblas"

    (failure,) = overview_of(store).failures
    notes = matrix_of(store, "mkl").notes

    assert (failure.commit, failure.reason) == (commit_name(1)[:8], "")
    assert [note.reason for note in notes if note.status == "failed"] == [
        "the benchmark failed; see asv.log"
    ]


def test_runs_name_builds_and_load_newest_first() -> None:
    runs = overview_of(convolution_store(3)).runs

    assert [run.commit for run in runs] == [commit_name(n)[:8] for n in (2, 1, 0)]
    assert [build.identity for build in runs[0].builds] == [
        "oneMKL 2026.2", "OpenBLAS 0.3.31 Haswell",
    ]  # fmt: skip
    assert (runs[0].load, runs[0].minutes) == ("0.12 → 1.40", "4.0 min")


def test_each_column_of_the_matrix_has_one_winner_at_ratio_one() -> None:
    matrix = matrix_of(convolution_store(1))

    for column, head in enumerate(matrix.heads):
        cells = {each.strategy: each.cells[column] for each in matrix.rows}
        winners = [name for name, cell in cells.items() if cell.wins]
        assert winners == [matrix.wins[column].strategy], head.problem
        assert min(cell.factor for cell in cells.values() if cell.status == "ok") == 1.0


def test_a_tie_is_an_interval_that_overlaps_the_winners() -> None:
    store = Store()
    for strategy, value in (("a", 1.0), ("b", 1.03), ("c", 1.05)):
        params = {"strategy": strategy, "problem": "p", "dtype": "float32"}
        store.rows.append(row(0, value, params=params, width=0.02))

    (matrix,) = build_matrices(store.measurements(), build_series(store.measurements()))

    # a ends at 1.02; b starts at 1.0094, c at 1.029.
    assert [each.cells[0].ties for each in matrix.rows] == [False, True, False]


def test_skipped_failed_and_missing_are_different() -> None:
    store = convolution_store(1)
    missing = {"strategy": "einsum", "problem": "question", "dtype": "float32"}
    store.rows = [one for one in store.rows if one["params"] != missing]

    matrix = matrix_of(store, "mkl")

    statuses = Counter(cell.status for each in matrix.rows for cell in each.cells)
    assert statuses == {"ok": 35, "skipped": 3, "failed": 1, "missing": 1}
    reasons = {note.reason for note in matrix.notes if note.status == "skipped"}
    assert reasons == set(REFUSED.values())


def test_problems_stand_by_their_operations_and_strategies_by_their_speed() -> None:
    matrix = matrix_of(convolution_store(1))

    assert matrix.heads[0].problem == "question"
    assert matrix.heads[0].flops == "61,440"
    assert {matrix.rows[0].strategy, matrix.rows[1].strategy} == {"im2col", "numba_direct"}
    assert len(matrix.rows) == len(STRATEGIES)


def test_a_value_of_an_earlier_commit_says_so() -> None:
    store = convolution_store(2)
    einsum = {"strategy": "einsum", "problem": "question", "dtype": "float32"}
    store.rows = [
        one for one in store.rows if one["params"] != einsum or one["commit"] == commit_name(0)
    ]

    matrix = matrix_of(store)

    cell = next(each for each in matrix.rows if each.strategy == "einsum").cells[0]
    assert cell.commit == commit_name(0)[:8]


def test_strategies_without_a_value_are_named_below_the_table() -> None:
    store = convolution_store(1)
    for made in store.rows:
        if made["strategy"] == "toeplitz":
            made |= {"status": "skipped", "value": math.nan}

    matrix = matrix_of(store)

    assert matrix.idle == ("toeplitz",)
    assert len(matrix.rows) == len(STRATEGIES) - 1
    assert sum(matrix.counts.values()) == len(STRATEGIES) * len(matrix.heads)


def test_a_strategy_that_only_fails_keeps_its_row() -> None:
    store = convolution_store(1)
    for made in store.rows:
        if made["strategy"] == "toeplitz":
            made |= {"status": "failed", "value": math.nan}

    assert "toeplitz" in {each.strategy for each in matrix_of(store).rows}


def test_families_come_from_the_commits_that_have_the_strategy() -> None:
    store = convolution_store(2)
    for cell in store.tables["cells"]:
        if cell["run"] == "run-0":
            cell["family"] = ""

    families = {each.strategy: each.family for each in matrix_of(store).rows}

    assert (families["loops"], families["im2col"]) == ("loops", "gemm")


def test_champions_are_the_matrix_in_short() -> None:
    measurements = convolution_store(1).measurements()
    matrices = build_matrices(measurements, build_series(measurements))

    champions = build_champions(matrices)

    assert champions is not None
    assert champions.columns == ("openblas", "mkl")
    first = champions.rows[0].champions[0]
    assert first is not None
    assert first.slowest == "loops"


def test_the_question_is_answered_for_each_build_and_dtype() -> None:
    measurements = convolution_store(2).measurements()

    paradoxes = build_paradoxes(measurements, build_series(measurements))

    assert [(one.line, one.dtype) for one in paradoxes] == [
        ("openblas", "float32"), ("mkl", "float32"), ("openblas", "float64"), ("mkl", "float64"),
    ]  # fmt: skip
    assert (paradoxes[0].question.outputs, paradoxes[0].question.taps) == (2560, 12)
    assert paradoxes[0].explanation.title.startswith("50× fewer operations, yet ")


def paradox_of(store: Store) -> Paradox:
    measurements = store.measurements()
    paradoxes = build_paradoxes(measurements, build_series(measurements))
    return next(one for one in paradoxes if (one.line, one.dtype) == ("openblas", "float32"))


def test_the_answer_takes_every_time_from_the_commit_that_it_names() -> None:
    store = convolution_store(2)
    for made in store.rows:
        if made["run"] == "run-1" and made["strategy"] == "einsum":
            made |= {"status": "failed", "value": math.nan}

    paradox = paradox_of(store)

    assert paradox.commit == commit_name(1)[:8]
    assert {timing.name for timing in paradox.timings} == STRATEGIES.keys() - {"einsum"}


def test_the_answer_is_of_the_newest_commit_that_measured_the_product_too() -> None:
    store = convolution_store(3)
    store.rows = [
        made
        for made in store.rows
        if made["run"] != "run-2" or not made["benchmark"].endswith("time_dot")
    ]
    for made in store.rows:
        if made["benchmark"].endswith("time_dot"):
            made["value"] = {"run-0": 60e-6, "run-1": 80e-6}[made["run"]]

    paradox = paradox_of(store)

    assert (paradox.commit, paradox.dense.seconds) == (commit_name(1)[:8], 80e-6)
    first = {
        made["strategy"]: made["value"]
        for made in store.rows
        if (made["run"], made["problem"], made["dtype"]) == ("run-1", "question", "float32")
        and made["blas"] == "openblas"
    }
    assert {timing.name: timing.seconds for timing in paradox.timings} == first


def test_executed_operations_are_those_of_the_run_shown() -> None:
    store = convolution_store(2)
    for cell in store.tables["cells"]:
        if cell["strategy"] == "fft" and cell["problem"] == "question":
            cell["flops"] = 500_000 if cell["run"] == "run-1" else 900_000
    other = {"machine": "other", "flops": 1}
    store.tables["cells"] += [cell | other for cell in store.tables["cells"]]
    store.tables["cells"].reverse()  # an order in which the last one is another run's

    executed = {timing.name: timing.flops for timing in paradox_of(store).timings}

    assert executed["fft"] == 500_000


def test_a_unit_without_prefixes_is_said_once() -> None:
    store = Store()
    store.rows.append(
        row(0, 1.8e-7, params=CELL, benchmark="a.A.track_error", unit="relative error")
    )

    (group,) = overview_of(store).newest.groups

    assert group.detail == "f · track_error · relative error"
    assert group.rows[0].cells[0] is not None
    assert group.rows[0].cells[0].text == "1.80e-7"


def test_strategies_without_a_problem_stand_fastest_first_and_skipped_last() -> None:
    store = Store()
    for strategy, value in (("a", None), ("b", 2.0), ("c", 1.0)):
        params = {"strategy": strategy, "cache": "cold"}
        made = row(0, value, params=params, benchmark="compile.Compile.timeraw_first_call")
        store.rows.append(made | {"status": "ok" if value else "skipped"})

    (group,) = overview_of(store).newest.groups

    assert [each.label for each in group.rows] == ["c, cold", "b, cold", "a, cold"]


def test_a_history_that_was_always_skipped_says_so() -> None:
    store = Store(rows=[row(n, None, params=CELL, status="skipped") for n in range(3)])
    measurements = store.measurements()

    history = build_history(measurements, build_series(measurements), ())

    assert history is not None
    assert history.notes == ("openblas: skipped at every commit",)


def test_a_line_that_was_skipped_now_and_then_is_shown_and_one_that_always_was_is_not() -> None:
    cell = {"strategy": "a", "problem": "p", "dtype": "f"}
    store = Store([row(n, 1.0, params=cell) for n in range(3)])
    now_and_then = [row(n, 1.0, params=cell, blas="mkl") for n in range(3)]
    now_and_then[1] |= {"status": "skipped", "value": math.nan}
    always = [row(n, None, params=cell, blas="blis", status="skipped") for n in range(3)]
    store.rows += [*now_and_then, *always]

    (series,) = build_series(store.measurements())

    assert [line.name for line in series.lines] == ["openblas", "mkl"]


def test_history_starts_at_the_newest_change(changed: Store) -> None:
    measurements = changed.measurements()

    history = build_history(measurements, build_series(measurements), ())

    assert history is not None
    assert history.title == "im2col on question"
    assert [mark.label for mark in history.picture.marks] == ["▲ +18 %"]
    assert history.notes[0] == "openblas: 1 change found (+18 %)"
    assert history.notes[1] == "mkl: no change found in 10 commits"


def test_another_version_of_a_benchmark_is_another_history() -> None:
    store = Store()
    for index in range(4):
        made = row(index, 1.0 + index, params={"strategy": "a", "problem": "p", "dtype": "f"})
        store.rows.append(made | {"version": "1" if index < 2 else "2"})

    (series,) = build_series(store.measurements())

    assert [point.position for point in series.lines[0].points] == [2, 3]


def test_two_blas_versions_are_two_lines() -> None:
    store = Store()
    for index, identity in enumerate(("OpenBLAS 0.3.29", "OpenBLAS 0.3.31")):
        made = row(index, 1.0, params={"strategy": "a", "problem": "p", "dtype": "f"})
        store.rows.append(made | {"blas_identity": identity})

    (series,) = build_series(store.measurements())

    assert [line.name for line in series.lines] == [
        "openblas · OpenBLAS 0.3.29", "openblas · OpenBLAS 0.3.31",
    ]  # fmt: skip


CELL = {"strategy": "a", "problem": "p", "dtype": "f"}


def bumped_store(before: int, after: int) -> Store:
    """Make one history whose NumPy, and so environment, was bumped without another OpenBLAS."""
    store = Store()
    for index in range(before + after):
        version = "2.4.6" if index < before else "2.5.0"
        environment = f"virtualenv-py3.12-numba0.68.1-numpy{version}-CONVBENCH_BLASopenblas"
        made = row(index, 1.0, params=CELL)
        store.rows.append(made | {"environment": environment})
    return store


def test_environments_of_one_build_are_lines_with_verdicts_of_their_own() -> None:
    measurements = bumped_store(3, 3).measurements()
    (series,) = build_series(measurements)

    counts = count_states(find_outcomes(measurements, (series,)), measurements)

    assert (counts[UNCHANGED], counts[UNDECIDED]) == (0, 2)
    assert overview_of(bumped_store(3, 3)).undecided == "3 of 6 commits: no verdict yet"
    assert [(line.name, line.searched) for line in series.lines] == [
        ("openblas (numpy 2.4.6)", 3), ("openblas (numpy 2.5.0)", 3),
    ]  # fmt: skip


@pytest.mark.parametrize("lengths", [(3, 3), (6, 2), (7, 6)])
def test_the_page_counts_commits_as_detect_does(lengths: tuple[int, int]) -> None:
    store = bumped_store(*lengths)
    # Half of the commits had another BLAS build, one of them both, and one was skipped later.
    extra = []
    for made in store.rows[::2]:
        made["blas_identity"] = "OpenBLAS 0.3.29"
    later = {"started_at": START + pd.Timedelta(days=99), "run": "later"}
    extra.append(store.rows[0] | later | {"blas_identity": "OpenBLAS 0.3.31"})
    extra.append(store.rows[1] | later | {"status": "skipped", "value": math.nan})
    store.rows += extra
    measurements = store.measurements()
    (series,) = build_series(measurements)
    found: dict[str, int] = {}
    for line in series.lines:
        found[line.points[-1].environment] = line.searched

    assert found == detected_lengths(store)


def test_commits_without_a_value_are_none_that_were_searched() -> None:
    store = bumped_store(5, 0)
    store.rows[1] |= {"status": "failed", "value": math.nan}
    store.rows[2] |= {"status": "skipped", "value": math.nan}

    (series,) = build_series(store.measurements())

    assert [line.searched for line in series.lines] == [3]
    assert list(detected_lengths(store).values()) == [3]


def test_a_failure_that_detect_tells_of_is_drawn_as_such_and_is_no_change_of_level() -> None:
    store = bumped_store(5, 0)
    said = found_change(3, before=1.0, after=2.0, params="strategy=a, problem=p, dtype=f")
    said |= {"environment": store.rows[0]["environment"]}
    store.tables["changes"] = [
        said,
        said | {"commit": commit_name(2), "kind": STARTS_FAILING, "after": math.nan},
        said | {"commit": commit_name(4), "kind": WORKS_AGAIN, "before": math.nan},
    ]

    (series,) = build_series(store.measurements())

    assert [one.position for one in series.lines[0].changes] == [3]


def detected_lengths(store: Store) -> dict[str, int]:
    commits = [{"commit": commit_name(n), "position": n} for n in range(20)]
    histories = cut(store.frame("values"), pd.DataFrame(commits))
    return {one.labels["environment"]: len(one.measured) for one in histories}


def test_the_current_environment_stands_first() -> None:
    store = convolution_store(2)
    for made in store.rows:
        made["environment"] += f"-numpy2.{4 + int(made['run'][-1])}.0"
    measurements = store.measurements()
    series = build_series(measurements)

    overview = build_overview(measurements, series, build_matrices(measurements, series))

    assert build_matrices(measurements, series)[0].line == "openblas (numpy 2.5.0)"
    assert overview.newest.columns[:2] == ("openblas (numpy 2.5.0)", "mkl (numpy 2.5.0)")
    assert build_paradoxes(measurements, series)[0].line == "openblas (numpy 2.5.0)"


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["v-py3.11-numpy2.4.6", "v-py3.12-numpy2.4.6"], ["py 3.11", "py 3.12"]),
        (["v-numba0.6-numpy2.4", "v-numba0.7-numpy2.5"], ["numpy 2.4", "numpy 2.5"]),
        (["v-numpy2.4-FLAGfast", "v-numpy2.4-FLAGslow"], ["FLAGfast", "FLAGslow"]),
        (["v-numpy2.4", "v-numpy2.4-scipy1.17"], ["v-numpy2.4", "v-numpy2.4-scipy1.17"]),
    ],
)
def test_environments_are_told_apart_in_few_words(names: list[str], words: list[str]) -> None:
    assert telling_words(names) == dict(zip(names, words, strict=True))


@pytest.mark.parametrize(("status", "value"), [("ok", 1.0), ("failed", None)])
def test_a_later_skip_at_a_commit_hides_nothing(status: str, value: float | None) -> None:
    # Two rows of one commit and line: only the later run's facts name the build.
    measured = row(0, value, params=CELL, status=status) | {"blas_identity": ""}
    skipped = row(0, None, params=CELL, status="skipped") | {
        "started_at": START + pd.Timedelta(days=9),
        "run": "later",
        "version": "2",
    }

    (series,) = build_series(Store(rows=[measured, skipped]).measurements())

    (line,) = series.lines
    assert [(point.status, point.value) for point in line.points] == [(status, value)]


@pytest.mark.parametrize("later", ["0.3.31", "0.3.27"])  # whichever name comes first
def test_a_change_belongs_to_the_build_that_detect_took(later: str) -> None:
    store = Store()
    for index in range(8):
        made = row(index, 1.0 if index < 4 else 2.0, params=CELL)
        store.rows.append(made | {"blas_identity": "OpenBLAS 0.3.29"})
    again = {"blas_identity": f"OpenBLAS {later}", "started_at": START + pd.Timedelta(days=99)}
    store.rows += [made | again for made in store.rows[4:]]
    params = "strategy=a, problem=p, dtype=f"
    store.tables["changes"] = [found_change(4, before=1.0, after=2.0, params=params)]

    (series,) = build_series(store.measurements())

    assert {line.identity: (len(line.changes), line.searched) for line in series.lines} == {
        "OpenBLAS 0.3.29": (0, 8),
        f"OpenBLAS {later}": (1, 8),
    }


def test_a_foreign_project_has_machines_for_lines_and_no_convolution_views() -> None:
    measurements = foreign_store().measurements(project="blas-benchmarks")
    series = build_series(measurements)

    history = build_history(measurements, series, ())

    assert history is not None
    assert history.columns == ("arm-box", "intel-box", "old-box")
    assert build_matrices(measurements, series) == ()
    assert build_paradoxes(measurements, series) == ()
    sizes = [dict(one.params)["size"] for one in series]
    assert sizes == ["100", "200", "1000"]  # numbers, not words


def test_parameters_stand_as_numbers_before_words_in_whatever_order_they_came() -> None:
    sizes = ["1000", "auto", "200", "-5", "1e2"]
    store = Store([row(0, 1.0, benchmark="b.time_x", params={"size": size}) for size in sizes])

    series = build_series(store.measurements())

    assert [dict(one.params)["size"] for one in series] == ["-5", "1e2", "200", "1000", "auto"]


def test_units_that_asv_forgot_follow_from_the_method() -> None:
    store = Store(rows=[row(0, 1e-3, benchmark="old.time_gone", unit="", blas="")])

    (series,) = build_series(store.measurements())

    assert series.unit == "seconds"


@pytest.mark.parametrize(
    ("ram", "words"), [("8123456", "8.12 GB"), ("25276510208", "25.3 GB"), ("64 GiB", "64 GiB")]
)
def test_memory_is_read_in_kilobytes_bytes_or_words(ram: str, words: str) -> None:
    store = convolution_store(1)
    store.tables["machines"][0]["ram"] = ram

    assert words in overview_of(store).machines[0].facts


def test_the_machine_is_described() -> None:
    (machine,) = overview_of(convolution_store(1)).machines

    assert machine.machine == MACHINE
    assert machine.facts == "Made-up CPU @ 2.0 GHz, x86_64, 2 cores, 8.12 GB, Linux 6.1"


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("im2col_rows", ["im2col_rows"]),
        ("mobilenetv2_dw3", ["mobilenetv2_", "dw3"]),
        ("cifar_resnet20_3x3", ["cifar_resnet20_", "3x3"]),
        ("query_all.benchmark.QueryAll.time", ["query_all.", "benchmark.", "QueryAll.", "time"]),
        ("ends_with_its_sign_", ["ends_with_its_", "sign_"]),
        ("<averyverylongword>.x", ["&lt;averyverylongword&gt;.", "x"]),
        ("", [""]),
    ],
)
def test_a_long_name_wraps_after_its_signs_where_a_column_is_narrow(
    name: str, lines: list[str]
) -> None:
    assert breakable(name).split("<wbr>") == lines
