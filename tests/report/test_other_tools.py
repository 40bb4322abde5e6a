"""A site of results that other tools measured, which say less than asv's do."""

import json
from pathlib import Path
from typing import Any

import pytest
from adapters.foreign_files import (
    google_entry,
    google_file,
    pyperf_file,
    pyperf_run,
    pytest_entry,
    pytest_file,
)

from convbench.cli import main
from convbench.report.measurements import read_measurements
from convbench.report.series import build_series
from convbench.results import collect, load_table
from convbench.results.adapters import ADAPTERS, Origin

DAY = 86_400_000
SECONDS = (1.0, 1.01, 0.99, 1.0, 1.02, 0.98, 2.0, 2.01, 1.99, 2.0, 2.02, 1.98, 2.0, 2.01)
"""A benchmark that became twice as slow at the seventh commit."""


def pyperf(seconds: float) -> Any:
    return pyperf_file({"slow": [pyperf_run([seconds])]}, hostname="host")


def pytest_benchmark(seconds: float) -> Any:
    return pytest_file(pytest_entry("t.py::slow[4]", seconds, params={"n": 4}, param="4"))


def google_benchmark(seconds: float) -> Any:
    return google_file(google_entry("slow/4", seconds, time_unit="s"))


FILES = {
    "pyperf": pyperf,
    "pytest-benchmark": pytest_benchmark,
    "Google Benchmark": google_benchmark,
}


@pytest.fixture(params=FILES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A history of one benchmark: a file and a commit for each value."""
    for number, seconds in enumerate(SECONDS):
        path = tmp_path / f"{number:02d}.json"
        path.write_text(json.dumps(FILES[request.param](seconds)))
        origin = Origin(f"{number:02d}".ljust(40, "c"), 1_690_000_000_000 + number * DAY, "m")
        collect(path, tmp_path / "store", origin=origin, project="p")
    return tmp_path / "store"


def test_every_tool_is_tried() -> None:
    assert list(FILES) == [adapter.name for adapter in ADAPTERS]


def test_a_change_is_detected_and_shown(store: Path, tmp_path: Path) -> None:
    assert main(["detect", str(store)]) == 0
    assert main(["report", str(store), "--output", str(tmp_path / "site")]) == 0

    (event,) = load_table(store, "events").to_dict("records")
    (series,) = build_series(read_measurements(store, project=None))
    (line,) = series.lines
    assert [value for _, value in line.measured] == list(SECONDS)
    assert [change.position for change in line.changes] == [event["position"]] == [6]
    assert line.searched == len(SECONDS)
    assert "slow" in series.benchmark
    assert (tmp_path / "site/index.html").is_file()
