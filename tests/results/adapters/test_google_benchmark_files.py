"""Google Benchmark's files: by hand, and real ones against the tool's table of the same call."""

import csv
import importlib.util
import json
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from foreign_files import COMMIT, OF_COMMIT, Row, google_entry, google_file, rows_of

from convbench.results.adapters import Origin, read_foreign
from convbench.results.result_file import ResultFile

PROGRAM = """
import google_benchmark as benchmark

@benchmark.register(name="plain")
@benchmark.option.arg(8)
@benchmark.option.arg(-64)
def plain(state):
    while state:
        sum(range(abs(state.range(0))))

@benchmark.register(name="named")
@benchmark.option.args([1, 2])
@benchmark.option.arg_names(["rows", "cols"])
@benchmark.option.unit(benchmark.kMillisecond)
@benchmark.option.use_real_time()
def named(state):
    while state:
        sum(range(50))

@benchmark.register(name="slow")
@benchmark.option.unit(benchmark.kSecond)
@benchmark.option.iterations(2)
def slow(state):
    while state:
        sum(range(1000))

@benchmark.register(name="broken")
def broken(state):
    state.skip_with_error("broken!")
    while state:
        pass

@benchmark.register(name="fitted")
@benchmark.option.range(8, 64)
@benchmark.option.complexity()
def fitted(state):
    while state:
        sum(range(state.range(0)))
    state.complexity_n = state.range(0)

benchmark.main()
"""


def read(data: Any, origin: Origin = OF_COMMIT) -> ResultFile:
    return read_foreign(json.dumps(data).encode(), origin)


@pytest.mark.parametrize(
    ("run", "row"),
    [
        ("BM_x", "BM_x"),
        ("BM_x/8", "BM_x(arg1=8)"),
        ("BM_x/8/-3", "BM_x(arg1=8, arg2=-3)"),
        ("BM_x/8/threads:2", "BM_x(arg1=8, threads=2)"),
        ("BM_x/rows:1/2", "BM_x(rows=1, arg2=2)"),
        ("BM_x/8/real_time", "BM_x/real_time(arg1=8)"),
        ("Fixture/Method/8", "Fixture/Method(arg1=8)"),
        ("BM_x<ns::T>/8", "BM_x<ns::T>(arg1=8)"),
        ("suite/ns::f/8", "suite/ns::f(arg1=8)"),
        ("BM_x/min_time:0.500/threads:1", "BM_x(min_time=0.500, threads=1)"),
        ("BM_x/dtype:float/8", "BM_x(dtype=float, arg2=8)"),
        ("BM_x/a:1/a:2", "BM_x/a:2(a=1)"),
        ("BM_x/arg2:5/7", "BM_x/7(arg2=5)"),
    ],
)
def test_arguments_leave_the_name(run: str, row: str) -> None:
    assert list(rows_of(read(google_file(google_entry(run))))) == [row]


def test_results_with_fewer_arguments_share_the_benchmark() -> None:
    entries = map(google_entry, ["b", "b/8", "b/8/threads:2"])

    assert list(rows_of(read(google_file(*entries)))) == ["b", "b(arg1=8)", "b(arg1=8, threads=2)"]


@pytest.mark.parametrize("runs", [("b/8/3", "b/threads:2"), ("b/threads:2", "b/8/3")])
def test_arguments_that_dont_fit_keep_the_tools_name(runs: tuple[str, str]) -> None:
    rows = rows_of(read(google_file(*map(google_entry, runs))))

    assert set(rows) == {"b(arg1=8, arg2=3)", "b/threads:2"}


@pytest.mark.parametrize("runs", [("b/8", "b/threads:2"), ("b/threads:2", "b/8")])
def test_the_order_of_results_changes_no_name(runs: tuple[str, str]) -> None:
    rows = rows_of(read(google_file(*map(google_entry, runs))))

    assert set(rows) == {"b(arg1=8)", "b/threads:2"}


@pytest.mark.parametrize(("unit", "seconds"), [("ns", 3e-9), ("us", 3e-6), ("ms", 3e-3), ("s", 3)])
def test_times_become_seconds(unit: str, seconds: float) -> None:
    row = rows_of(read(google_file(google_entry("b", 3, time_unit=unit))))["b"]

    assert (row["value"], row["type"], row["unit"]) == (seconds, "time", "seconds")


def test_an_unknown_unit_is_refused() -> None:
    with pytest.raises(ValueError, match="b: time_unit 'h'; expected one of ns, us, ms, s"):
        read(google_file(google_entry("b", time_unit="h")))


def test_repetitions_are_the_samples_of_one_row() -> None:
    entries = [google_entry("b", value, time_unit="s") for value in (5, 1, 3)]
    mean = google_entry("b", 99, run_type="aggregate", aggregate_name="mean")

    row = rows_of(read(google_file(*entries, mean)))["b"]

    wanted = {"value": 3, "samples": [5, 1, 3], "repeat": 3, "number": 10, "q25": 2, "q75": 4}
    assert wanted.items() <= row.items()


def test_two_registrations_of_one_name_are_no_repetitions() -> None:
    repetitions = [google_entry("b", 1, repetition_index=number) for number in (0, 1)]
    assert len(rows_of(read(google_file(*repetitions)))) == 1

    with pytest.raises(ValueError, match="b/8: two benchmarks are registered under this name"):
        read(google_file(*(google_entry("b/8", n, repetition_index=0) for n in (1, 900))))


def test_two_medians_of_one_name_are_refused() -> None:
    median = google_entry("b", run_type="aggregate", aggregate_name="median")

    with pytest.raises(ValueError, match="b: two benchmarks are registered under this name"):
        read(google_file(median, median))


def test_an_error_is_a_failure() -> None:
    entry = google_entry("b", 0, error_occurred=True, error_message="broken")

    row = rows_of(read(google_file(entry)))["b"]

    assert (row["status"], row["value"], row["samples"]) == ("failed", None, None)


def test_a_skip_is_no_failure() -> None:
    entry = google_entry("b", 0, skipped=True, skip_message="no such device")

    row = rows_of(read(google_file(entry)))["b"]

    assert (row["status"], row["value"], row["samples"]) == ("skipped", None, None)


def test_repetitions_that_failed_are_left_out_of_those_that_did_not() -> None:
    broken = google_entry("b", 0, error_occurred=True)

    row = rows_of(read(google_file(broken, google_entry("b", 7, time_unit="s"))))["b"]

    assert (row["status"], row["value"], row["repeat"]) == ("ok", 7, 1)


def test_of_aggregates_alone_the_median_is_the_value() -> None:
    kinds = {"mean": 1.0, "median": 2.0, "stddev": 3.0, "cv": 4.0}
    entries = [
        google_entry(
            *("b", value), run_type="aggregate", aggregate_name=kind, iterations=6, time_unit="s"
        )
        for kind, value in kinds.items()
    ]

    row = rows_of(read(google_file(*entries)))["b"]

    wanted = {"value": 2.0, "repeat": 6, "number": None, "samples": None, "q25": None}
    assert wanted.items() <= row.items()


def test_files_without_run_types_are_refused() -> None:
    entry = google_entry("b")
    del entry["run_type"]

    with pytest.raises(ValueError, match=r"1\.5 and later"):
        read(google_file(entry))


def test_the_date_of_the_call_is_that_of_an_undated_commit() -> None:
    result = read(google_file(google_entry("b")))

    assert (result.head.commit, result.head.commit_date_ms) == (COMMIT, 1_714_557_600_000)
    assert rows_of(result)["b"]["started_at"] == 1_714_557_600_000


@dataclass(frozen=True)
class Call:
    """A real call: its file as rows and as it is, and the table that the tool wrote beside it."""

    result: ResultFile
    entries: list[dict[str, Any]]
    table: list[dict[str, str]]

    def row(self, name: str) -> Row:
        return rows_of(self.result)[name]

    def lines(self, run: str) -> list[dict[str, str]]:
        return [line for line in self.table if line["name"] == run]


def call(folder: Path, *options: str) -> Call:
    if importlib.util.find_spec("google_benchmark") is None:
        pytest.skip("google-benchmark is not installed (extra `test`)")
    (folder / "program.py").write_text(PROGRAM)
    fast = ["--benchmark_min_time=0.0005s", "--benchmark_format=csv"]
    out = ["--benchmark_out=out.json", "--benchmark_out_format=json"]
    command = [sys.executable, "program.py", *fast, *out, *options]
    done = subprocess.run(
        command, cwd=folder, check=True, timeout=120, capture_output=True, text=True
    )
    raw = (folder / "out.json").read_bytes()
    table = list(csv.DictReader(done.stdout.splitlines()))
    return Call(read_foreign(raw, OF_COMMIT), json.loads(raw)["benchmarks"], table)


@pytest.fixture(scope="module")
def repeated(tmp_path_factory: pytest.TempPathFactory) -> Call:
    return call(tmp_path_factory.mktemp("repeated"), "--benchmark_repetitions=4")


UNIT = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1}
ROWS = {
    "plain(arg1=8)": "plain/8",
    "plain(arg1=-64)": "plain/-64",
    "named/real_time(rows=1, cols=2)": "named/rows:1/cols:2/real_time",
    "slow(iterations=2)": "slow/iterations:2",
    "fitted(arg1=8)": "fitted/8",
    "fitted(arg1=64)": "fitted/64",
}


def test_the_rows_are_the_runs_of_the_program(repeated: Call) -> None:
    assert set(rows_of(repeated.result)) == {*ROWS, "broken"}


@pytest.mark.parametrize("name", ROWS)
def test_every_sample_is_what_the_tools_table_says(repeated: Call, name: str) -> None:
    lines = repeated.lines(ROWS[name])

    row = repeated.row(name)

    told = [float(line["real_time"]) * UNIT[line["time_unit"]] for line in lines]
    assert row["samples"] == pytest.approx(told, rel=1e-5)  # the table has six digits
    assert row["repeat"] == len(lines) == 4
    assert {row["number"]} == {int(line["iterations"]) for line in lines}


@pytest.mark.parametrize("name", ROWS)
def test_the_value_is_the_tools_own_median(repeated: Call, name: str) -> None:
    (median,) = [entry for entry in repeated.entries if entry["name"] == f"{ROWS[name]}_median"]

    value = repeated.row(name)["value"]

    assert value == pytest.approx(median["real_time"] * UNIT[median["time_unit"]], rel=1e-12)
    assert value == statistics.median(repeated.row(name)["samples"])


def test_what_the_table_calls_an_error_failed(repeated: Call) -> None:
    assert {line["error_occurred"] for line in repeated.lines("broken")} == {"true"}
    assert repeated.row("broken")["status"] == "failed"


@pytest.mark.parametrize("name", ROWS)
def test_a_file_of_aggregates_has_the_median_of_the_table(tmp_path: Path, name: str) -> None:
    options = ("--benchmark_repetitions=3", "--benchmark_report_aggregates_only=true")
    only = (f"--benchmark_filter={ROWS[name]}$",)
    aggregated = call(tmp_path, *options, *only)
    (line,) = aggregated.lines(f"{ROWS[name]}_median")

    row = aggregated.row(name)

    told = float(line["real_time"]) * UNIT[line["time_unit"]]
    assert row["value"] == pytest.approx(told, rel=1e-5)
    assert row["repeat"] == 3
