"""asv's older result files: format 1 says the same as format 2 in other words."""

from typing import Any

import numpy as np
import pytest
from asv_tree import (
    INFINITY,
    NAN,
    benchmark,
    format_1_file,
    plain_rows,
    result_file,
    row,
    write_source,
)

from convbench.results import collect, load
from convbench.results import result_file as results
from convbench.results.exact_reader import read_exact
from convbench.results.part_building import DAMAGE
from convbench.results.result_file import NO_COUNT, NO_TIME, Rows

STATISTICS = {"mean": 9.0, "std": 9.0, "min": 9.0, "max": 9.0}


def stats(low: float, high: float, q25: float, q75: float, **counts: Any) -> dict[str, Any]:
    """Statistics of one combination as format 1 has them, with those that nobody reads."""
    return STATISTICS | {"ci_99": [low, high], "q_25": q25, "q_75": q75} | counts


def read(results: dict[str, Any], **top: Any) -> Rows:
    return read_exact(format_1_file(results, **top).encode()).rows


def test_a_benchmark_without_parameters_is_a_number_null_or_nan():
    rows = read({"a": 1.5, "b": None, "c": NAN})

    assert rows.axes == ((), (), ())
    assert rows.status.tolist() == [results.OK, results.FAILED, results.SKIPPED]
    np.testing.assert_array_equal(rows.value, [1.5, NAN, NAN])
    assert rows.samples is None


def test_a_result_may_stand_without_its_list():
    assert read({"a": {"result": 1.5}}).value.tolist() == [1.5]


def test_parameters_and_their_results_are_columns():
    rows = read({"a": {"params": [["1", "2"], ["'x'"]], "result": [1.0, None]}})

    assert rows.axes == ((("1", "2"), ("'x'",)),)
    assert rows.status.tolist() == [results.OK, results.FAILED]


def test_a_parametrised_benchmark_without_a_result_failed_everywhere():
    rows = read({"a": {"params": [["1", "2", "3"]], "result": None}})

    assert rows.status.tolist() == [results.FAILED] * 3


def test_statistics_lie_per_combination_and_null_has_none():
    entry = {
        "params": [["1", "2"]],
        "result": [1.0, None],
        "stats": [stats(-INFINITY, 2.0, 0.5, 1.5, number=3, repeat=10), None],
    }

    rows = read({"a": entry})

    said = {name: column.tolist()[0] for name, column in rows.intervals.items()}
    assert said == {"ci_low": -INFINITY, "ci_high": 2.0, "q25": 0.5, "q75": 1.5}
    assert all(np.isnan(column[1]) for column in rows.intervals.values())
    assert rows.counts["number"].tolist() == [3, NO_COUNT]
    assert rows.counts["repeat"].tolist() == [10, NO_COUNT]


def test_samples_lie_per_combination():
    samples = read(
        {"a": {"params": [["1", "2"]], "result": [1.0, 2.0], "samples": [[1.0, 1.5], None]}}
    ).samples

    assert samples is not None
    assert samples.recorded.tolist() == [True, False]
    assert samples.values.tolist() == [1.0, 1.5]


def test_statistics_of_one_combination_may_stand_without_their_list():
    rows = read({"a": {"result": 1.0, "stats": stats(0.5, 2.0, 0.7, 1.5, number=3, repeat=10)}})

    assert rows.intervals["ci_high"].tolist() == [2.0]


def test_profiles_are_passed_over():
    entry = {"a": {"result": [1.0], "profile": "eJw="}}

    assert read(entry, profiles={"a": "eJw="}).value.tolist() == [1.0]


def test_version_start_and_duration_lie_beside_the_results():
    rows = read(
        {"a": 1.0, "b": 1.0},
        benchmark_version={"a": "hash"},
        started_at={"a": 1_700_000_000_000},
        ended_at={"a": 1_700_000_002_500, "b": 5},
    )

    assert rows.versions == ("hash", None)
    assert rows.started_at_ms.tolist() == [1_700_000_000_000, NO_TIME]
    np.testing.assert_array_equal(rows.duration, [2.5, NAN])


@pytest.mark.parametrize("left_out", ["benchmark_version", "started_at", "ended_at", "version"])
def test_what_older_files_leave_out_is_not_known(left_out):
    rows = read({"a": 1.5}, **({} if left_out == "version" else {left_out: None}))

    assert rows.value.tolist() == [1.5]


def test_a_file_without_a_version_has_format_1():
    text = format_1_file({"a": 1.5}).replace(', "version": 1', "")
    assert '"version"' not in text

    assert read_exact(text.encode()).rows.value.tolist() == [1.5]


@pytest.mark.parametrize(
    "entry",
    [
        {"params": [["1", "2"]], "result": [1.0]},
        {"result": [1.0], "stats": [{"ci_99": [1.0]}]},
        {"result": [1.0], "stats": [{"ci_99": ["x", "y"]}]},
        {"result": [1.0], "stats": [{"number": -1}]},
        {"result": [1.0], "stats": []},
        {"result": [1.0], "samples": [5]},
        {"result": [1.0], "params": ["1"]},
    ],
)
def test_damage_raises_what_the_collector_catches(entry):
    with pytest.raises(DAMAGE):
        read({"a": entry})


def test_the_same_results_in_both_formats_give_the_same_rows(tmp_path):
    axes = [["1", "2", "3"], ["'x'", "'y'"]]
    values = [1.0, None, NAN, 4.0, 1e-7, INFINITY]
    said = [
        stats(0.5, INFINITY, 0.7, 1.2, number=1, repeat=10),
        None,
        None,
        stats(3.5, 4.5, 3.75, 4.25, number=100, repeat=5),
        stats(0.9e-7, 1.1e-7, 0.95e-7, 1.05e-7, number=None, repeat=None),
        stats(NAN, NAN, NAN, NAN),
    ]
    samples = [[1.0, 2.0], None, None, [4.0], [], None]
    first = format_1_file(
        {
            "a": {"params": axes, "result": values, "stats": said, "samples": samples},
            "b": 2.5,
            "c": None,
        },
        env_vars={"X": "1"},
        requirements={"numpy": "2.0"},
    )

    def column(name: str) -> list[Any]:
        return [one and one.get(name) for one in said]

    cells = {
        "stats_ci_99_a": [one and one["ci_99"][0] for one in said],
        "stats_ci_99_b": [one and one["ci_99"][1] for one in said],
        "stats_q_25": column("q_25"),
        "stats_q_75": column("q_75"),
        "stats_number": column("number"),
        "stats_repeat": column("repeat"),
        "samples": samples,
    }
    second = result_file(
        {"a": row(values, axes, **cells), "b": row([2.5]), "c": row(None)},
        env_vars={"X": "1"},
        requirements={"numpy": "2.0"},
    )
    found = []
    for name, text in (("one", first), ("two", second)):
        source = write_source(tmp_path / name, {"m/a.json": text}, benchmark("a", ["n", "k"]))
        collect(source, tmp_path / f"store-{name}", project="p")
        found.append(load(tmp_path / f"store-{name}", samples=True).drop(columns="source"))

    assert len(found[0]) == 8
    assert plain_rows(found[0]) == plain_rows(found[1])
