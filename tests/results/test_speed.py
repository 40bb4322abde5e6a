"""From files to Arrow with statuses, beside Python's `json` alone: CPU time in one run."""

import gc
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from synthetic_collection import write_collection

from convbench.results.descriptions import parse_benchmarks
from convbench.results.fast_reader import FastReader
from convbench.results.part_columns import Part, PartColumns
from convbench.results.words import Words

REAL = Path(__file__).parents[3] / "shared/data/asv-numpy-bench/results"
REPEATS = 7

# Guards against a slip, with room for a machine that does other things meanwhile; docs/results.md
# has what was measured on a quiet one.
WITH_NAN, WITHOUT_NAN = 1.2, 1.4


def to_arrow(files: list[Path], results: Path) -> Part:
    reader, columns = FastReader(), PartColumns(Words())
    known = parse_benchmarks((results / "benchmarks.json").read_bytes())
    for path in files:
        read = reader.read(path.read_bytes())
        assert read is not None
        constants = {"environment": read.head.environment, "commit": read.head.commit}
        columns.add_file({**constants, "source": path.name}, read.head, read.rows, known)
    return columns.finished()


def parse(files: list[Path]) -> None:
    for path in files:
        json.loads(path.read_bytes())


def cpu_seconds(action: Callable[[], object]) -> float:
    gc.collect()
    start = time.process_time()
    action()
    return time.process_time() - start


def ratio(results: Path) -> float:
    files = sorted(p for p in results.glob("*/*.json") if p.name != "machine.json")
    to_arrow(files[:5], results)  # loads compiled code
    pairs = [
        (cpu_seconds(lambda: parse(files)), cpu_seconds(lambda: to_arrow(files, results)))
        for _ in range(REPEATS)
    ]
    megabytes = sum(path.stat().st_size for path in files) / 1e6
    theirs, ours = (statistics.median(side) for side in zip(*pairs, strict=True))
    print(f"{megabytes:.1f} MB: json {theirs:.3f} s, to Arrow {ours:.3f} s", end=", ")
    ratios = sorted(one / other for one, other in pairs)
    print(f"ratio {statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})")
    return statistics.median(ratios)


@pytest.mark.alone
@pytest.mark.slow
def test_real_files_with_nan_take_less_time_than_parsing_them():
    if not REAL.is_dir():
        pytest.skip(f"needs the shared data: {REAL} is not there")

    assert ratio(REAL) >= WITH_NAN


@pytest.mark.alone
@pytest.mark.slow
def test_files_without_nan_take_still_less_of_it(tmp_path):
    assert ratio(write_collection(tmp_path / "results", 200)) >= WITHOUT_NAN
