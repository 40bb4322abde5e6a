import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from convbench import noise_floor
from convbench.errors import MeasureFailed
from convbench.noise_floor import MIN_SAMPLES, PROCESSES, NoiseFloor, sample, summary

AFFINITY = os.sched_getaffinity(0)


def child(*words: str, **environment: str) -> str:
    answer = subprocess.run(
        [sys.executable, *words],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return answer.stdout


def test_the_kernel_is_one_chain_of_multiplications_and_additions() -> None:
    value = 2.0
    for _ in range(1000):
        value = value * 0.999 + 0.001

    assert noise_floor._chain()(2.0, 1000) == value  # every rounding is the same


def test_no_link_of_the_chain_is_left_out() -> None:
    # A closed form or links side by side would not take twice as long for twice the length.
    chain = noise_floor._chain()

    def best_seconds(length: int) -> float:
        times = []
        for _ in range(30):
            start = time.perf_counter()
            chain(2.0, length)
            times.append(time.perf_counter() - start)
        return min(times)

    ratio = best_seconds(2 * noise_floor.CHAIN_LENGTH) / best_seconds(noise_floor.CHAIN_LENGTH)
    assert 1.5 < ratio < 2.7


def test_a_call_takes_about_a_millisecond() -> None:
    # 2 to 10 cycles a link at 0.5 to 6 GHz.
    assert 2e-4 < sample(0.05).min() < 1.2e-2


def test_samples_are_taken_for_so_long_but_never_too_few() -> None:
    start = time.perf_counter()
    samples = sample(0.3)

    assert samples.ndim == 1
    assert 0.25 < samples.sum() <= time.perf_counter() - start
    assert len(sample(0.0)) == MIN_SAMPLES


def test_compiling_is_no_part_of_a_sample() -> None:
    code = "from convbench import noise_floor; print(noise_floor.sample(0)[0])"

    # Compiling takes a quarter of a second and more.
    assert float(child("-c", code)) < 0.1


def test_the_spread_is_the_interquartile_range_relative_to_the_median() -> None:
    assert noise_floor.relative_spread(np.array([1.0, 9.0, 10.0, 12.0, 99.0])) == pytest.approx(0.3)


def test_the_summary_keeps_what_differs_within_apart_from_what_differs_between() -> None:
    steady, wide = np.array([10.0] * 5), np.array([8.0, 9.0, 10.0, 11.0, 12.0])

    assert summary([steady, 2 * steady, 3 * steady]) == NoiseFloor(
        within_run=0.0, between_process=1.0, processes=3, samples=15, median_seconds=20.0
    )
    assert summary([wide, wide, steady]) == NoiseFloor(
        within_run=0.2, between_process=0.0, processes=3, samples=15, median_seconds=10.0
    )


@pytest.fixture(scope="module")
def shortest() -> NoiseFloor:
    return noise_floor.noise_floor(0.0)


def test_every_process_samples_however_little_time_there_is(shortest: NoiseFloor) -> None:
    assert shortest.processes == PROCESSES
    assert shortest.samples == PROCESSES * MIN_SAMPLES
    assert shortest.within_run >= 0
    assert shortest.between_process > 0  # a shared process would give one median
    assert 2e-4 < shortest.median_seconds < 5e-2


def test_starting_a_process_is_taken_off_its_time() -> None:
    until = time.monotonic() + 4.0

    samples = json.loads(child("-m", "convbench.noise_floor", "--until", repr(until)))["seconds"]

    # Importing and compiling takes 0.3 s on any machine; on a busy one it may take all there is.
    assert sum(samples[:-1]) < 3.7 or len(samples) == MIN_SAMPLES


def test_processes_share_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    shares: list[float] = []

    def fresh_process(seconds: float) -> NDArray[np.float64]:
        shares.append(seconds)
        return np.ones(MIN_SAMPLES)

    monkeypatch.setattr(noise_floor, "_fresh_process", fresh_process)

    noise_floor.noise_floor(12.0, processes=6)

    assert shares == [2.0] * 6


def test_too_few_processes_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 5 processes; got 4"):
        noise_floor.noise_floor(1.0, processes=4)


@pytest.mark.usefixtures("shortest")
def test_only_the_fresh_processes_are_pinned() -> None:
    code = "import os; from convbench import noise_floor as n; n.pin_to_last_cpu()"

    pinned = child("-c", f"{code}; print(*os.sched_getaffinity(0))")

    assert pinned.split() == [str(max(os.sched_getaffinity(0)))]
    assert os.sched_getaffinity(0) == AFFINITY


def test_nothing_is_written(tmp_path: Path) -> None:
    child("-m", "convbench.noise_floor", "--until", "0", NUMBA_CACHE_DIR=str(tmp_path))

    assert list(tmp_path.iterdir()) == []


def test_a_process_that_fails_is_told_in_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho 'first' >&2\necho 'No module named numba' >&2\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(broken))

    with pytest.raises(MeasureFailed, match=r"in a fresh process: No module named numba$"):
        noise_floor.noise_floor(0.0)
