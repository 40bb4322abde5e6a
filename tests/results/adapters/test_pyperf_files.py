"""pyperf's files: by hand, and real ones against pyperf's own API."""

import datetime
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from foreign_files import COMMIT, OF_COMMIT, pyperf_file, pyperf_run, rows_of
from hypothesis import given
from hypothesis import strategies as st

from convbench.results.adapters import Origin, read_foreign
from convbench.results.result_file import ResultFile

SCRIPT = """
import pyperf
runner = pyperf.Runner(processes=2, values=3, warmups=1, min_time=1e-4)
runner.bench_func("calibrated", sum, range(20))
runner.timeit("statement", "str(5)", inner_loops=3)
"""


def read(data: Any, origin: Origin = OF_COMMIT) -> ResultFile:
    return read_foreign(json.dumps(data).encode(), origin)


def test_the_value_is_the_median_of_all_runs() -> None:
    row = rows_of(read(pyperf_file({"b": [pyperf_run([1.0, 9.0]), pyperf_run([3.0, 4.0, 5.0])]})))

    assert row["b"]["value"] == 4.0
    assert row["b"]["samples"] == [1.0, 9.0, 3.0, 4.0, 5.0]
    assert row["b"]["repeat"] == 5


def test_one_value_has_no_quartiles() -> None:
    row = rows_of(read(pyperf_file({"b": [pyperf_run([1.0])]})))["b"]

    assert (row["value"], row["q25"], row["q75"]) == (1.0, None, None)


def test_warm_ups_and_calibrations_are_passed_over() -> None:
    calibration = {"warmups": [[8, 77.0]], "metadata": {"loops": 8}}
    measuring = pyperf_run([1.0, 2.0, 3.0], loops=4) | {"warmups": [[4, 88.0]]}

    row = rows_of(read(pyperf_file({"b": [calibration, measuring]})))["b"]

    assert (row["samples"], row["number"]) == ([1.0, 2.0, 3.0], 4)


def test_a_benchmark_that_only_calibrated_failed() -> None:
    row = rows_of(read(pyperf_file({"b": [pyperf_run([], loops=8)]})))["b"]

    assert (row["status"], row["repeat"], row["number"]) == ("failed", None, None)


def test_runs_that_loop_differently_have_no_one_number() -> None:
    runs = [pyperf_run([1.0], loops=2), pyperf_run([1.0], loops=3)]

    assert rows_of(read(pyperf_file({"b": runs})))["b"]["number"] is None


@pytest.mark.parametrize(
    ("unit", "kind"),
    [
        ("second", ("time", "seconds")),
        ("byte", ("peakmemory", "bytes")),
        ("integer", ("track", "")),
    ],
)
def test_units_become_those_of_asv(unit: str, kind: tuple[str, str]) -> None:
    row = rows_of(read(pyperf_file({"b": [pyperf_run([1.0])]}, unit=unit)))["b"]

    assert (row["type"], row["unit"]) == kind


def test_an_unknown_unit_is_refused() -> None:
    with pytest.raises(ValueError, match="b: unit 'mile'; expected one of second, byte, integer"):
        read(pyperf_file({"b": [pyperf_run([1.0])]}, unit="mile"))


@pytest.mark.parametrize("version", [5, "2.0", None])
def test_other_formats_are_refused(version: object) -> None:
    with pytest.raises(ValueError, match=r"formats 6 and 1\.0 are read"):
        read(pyperf_file({"b": [pyperf_run([1.0])]}) | {"version": version})


def test_the_commit_of_pyperformance_is_the_files() -> None:
    runs = {"b": [pyperf_run([1.0])]}
    data = pyperf_file(runs, commit_id=COMMIT, commit_date="2024-04-30T00:00:00+00:00")

    head = read(data, Origin()).head

    assert (head.commit, head.commit_date_ms) == (COMMIT, 1_714_435_200_000)


def test_another_commit_has_not_the_date_of_the_files() -> None:
    runs = {"b": [pyperf_run([1.0])]}
    data = pyperf_file(runs, commit_id="d" * 40, commit_date="2024-04-30T00:00:00+00:00")

    head = read(data, OF_COMMIT).head

    assert (head.commit, head.commit_date_ms) == (COMMIT, 1_714_557_600_000)  # 1 May, 10:00


@pytest.mark.parametrize(
    ("version", "environment"),
    [
        ("3.12.4 (64-bit)", "pyperf-cpython-3.12"),
        ("PyPy 7.3.16 (Python 3.10.14) (64-bit)", "pyperf-cpython-3.10"),
    ],
)
def test_the_environment_is_tool_and_python(version: str, environment: str) -> None:
    runs = {"b": [pyperf_run([1.0])]}
    common = {"python_version": version, "python_implementation": "cpython"}

    assert read(pyperf_file(runs, **common)).head.environment == environment


def test_a_name_twice_is_refused() -> None:
    data = pyperf_file({"b": [pyperf_run([1.0])]})
    data["benchmarks"] *= 2

    with pytest.raises(ValueError, match="2 results called b"):
        read(data)


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("pyperf", reason="pyperf is not installed (extra `test`)")
    folder = tmp_path_factory.mktemp("pyperf")
    (folder / "bench.py").write_text(SCRIPT)
    command = [sys.executable, "bench.py", "--quiet", "-o", "measured.json"]
    command += ["--inherit-environ", "PYTHONPATH"]
    subprocess.run(command, cwd=folder, check=True, timeout=120, capture_output=True)
    return folder / "measured.json"


@pytest.mark.parametrize("name", ["calibrated", "statement"])
def test_every_row_is_what_pyperf_says(measured: Path, name: str) -> None:
    pyperf = pytest.importorskip("pyperf")
    suite = pyperf.BenchmarkSuite.load(str(measured))
    oracle = suite.get_benchmark(name)

    rows = rows_of(read_foreign(measured.read_bytes(), OF_COMMIT))

    assert list(rows) == suite.get_benchmark_names()
    row = rows[name]
    assert row["value"] == oracle.median()
    assert row["samples"] == list(oracle.get_values())
    assert row["q25"] == pytest.approx(oracle.percentile(25), rel=1e-12)
    assert row["q75"] == pytest.approx(oracle.percentile(75), rel=1e-12)
    assert row["number"] == oracle.get_total_loops()
    assert row["repeat"] == oracle.get_nvalue()
    assert row["duration"] == pytest.approx(oracle.get_total_duration(), rel=1e-12)
    start = oracle.get_dates()[0].replace(tzinfo=datetime.UTC)
    assert row["started_at"] == int(start.timestamp() * 1000)


def test_the_head_is_what_pyperf_says(measured: Path) -> None:
    pyperf = pytest.importorskip("pyperf")
    metadata = pyperf.BenchmarkSuite.load(str(measured)).get_metadata()

    head = read_foreign(measured.read_bytes(), OF_COMMIT).head

    assert head.machine == metadata["hostname"]
    assert head.facts["num_cpu"] == str(metadata["cpu_count"])
    assert head.facts.get("cpu") == metadata.get("cpu_model_name")
    assert head.python == f"{sys.version_info.major}.{sys.version_info.minor}"
    assert head.requirements == {"pyperf": pyperf.__version__}


@given(
    runs=st.lists(st.lists(st.floats(1e-9, 1e6), min_size=1, max_size=5), min_size=1, max_size=4),
    loops=st.integers(1, 1000),
    unit=st.sampled_from(["second", "byte", "integer"]),
)
def test_any_suite_that_pyperf_writes_is_read_alike(
    tmp_path_factory: pytest.TempPathFactory, runs: list[list[float]], loops: int, unit: str
) -> None:
    pyperf = pytest.importorskip("pyperf", reason="pyperf is not installed (extra `test`)")
    metadata = {"name": "any", "loops": loops, "inner_loops": 3, "unit": unit}
    metadata |= {"date": "2024-05-01 10:00:00"}
    made = [pyperf.Run(run, metadata=metadata, collect_metadata=False) for run in runs]
    oracle = pyperf.Benchmark(made)
    path = tmp_path_factory.mktemp("suite") / "any.json"
    oracle.dump(str(path))

    row = rows_of(read_foreign(path.read_bytes(), OF_COMMIT))["any"]

    assert row["value"] == oracle.median()
    assert row["samples"] == list(oracle.get_values())
    assert row["number"] == oracle.get_total_loops()
