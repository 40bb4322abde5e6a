"""The kernels against closed forms, and the laws that rates of one machine obey.

Rates are the best of many timings, but another process may hold a core all the while: a law may
take `TRIES` measurements of both its sides, and holds for the best of each.
"""

import itertools
import math
from collections.abc import Callable

import numpy as np
import pytest

from convbench import blas, peaks, threads
from convbench.memory_levels import caches, working_set

TRIES = 8
DTYPES = ("float32", "float64")


def holds(law: Callable[..., bool], *rates: Callable[[], float]) -> bool:
    """Measure the rates again until the best of each obey the law."""
    best = [0.0] * len(rates)
    for _ in range(TRIES):
        best = [max(known, rate()) for known, rate in zip(best, rates, strict=True)]
        if law(*best):
            return True
    return False


def gemm(dtype: str) -> float:
    blas.exercise()
    with threads.limit(1):
        return peaks.gemm_flops_per_second(dtype)


def triad(level: str, number: int = 1) -> float:
    return peaks.triad_bytes_per_second(working_set(level, number), number)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("length", [0, 1, 10])
def test_every_lane_of_every_chain_advances(dtype: str, length: int) -> None:
    run, numbers = peaks.chains(dtype)
    values = np.arange(numbers, dtype=dtype)
    # value ← value / 2 + 1 leaves half of the distance to two; exact, for so few bits are needed.
    expected = 2 + (values - 2) / 2**length

    run(values, 0.5, 1.0, length)

    np.testing.assert_array_equal(values, expected)


@pytest.mark.parametrize("dtype", DTYPES)
def test_chains_fill_whole_registers_and_hide_the_latency(dtype: str) -> None:
    width, registers = peaks.registers_of_target()

    _, numbers = peaks.chains(dtype)

    chains, rest = divmod(numbers, width // np.dtype(dtype).itemsize)
    assert rest == 0
    # Ten hide five cycles of two units; two registers hold the constants.
    assert 10 <= chains <= registers - 2


def test_the_triad_adds_a_scaled_array_to_another() -> None:
    a, b, c = (peaks.aligned_ones(64) for _ in range(3))
    b[:], c[:] = np.arange(64), np.arange(64) ** 2

    peaks.triad()(a, b, c, 3.0, 5)

    # The scalar of the fifth pass is 3 + 4; integers are exact.
    np.testing.assert_array_equal(a, b + 7 * c)


def test_operands_begin_with_a_cache_line() -> None:
    arrays = [peaks.aligned_ones(elements) for elements in (8, 24, 1000)]

    assert [array.ctypes.data % 64 for array in arrays] == [0, 0, 0]
    assert [array.size for array in arrays] == [8, 24, 1000]


def test_every_thread_does_its_part_and_all_are_waited_for() -> None:
    with peaks.on_threads(3, lambda thread: thread * 10) as call:
        assert call() == [0, 10, 20]


def test_the_best_call_counts_and_slow_calls_are_few(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, *(0.0, 5.0), *(5.0, 7.0), *(7.0, 10.0), 10.0])
    monkeypatch.setattr(peaks.time, "perf_counter", lambda: next(clock))
    calls: list[int] = []

    best = peaks.best_seconds(lambda: calls.append(1), seconds=1.0)

    assert best == 2.0
    assert len(calls) == peaks.CALLS  # more than a second was over after the first


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_gemm_cannot_beat_multiply_adds_in_registers(dtype: str) -> None:
    assert holds(
        lambda fma, by_gemm: fma >= 0.9 * by_gemm,
        lambda: peaks.fma_flops_per_second(dtype, 1),
        lambda: gemm(dtype),
    )


def test_a_register_holds_twice_as_many_numbers_of_half_the_size() -> None:
    assert holds(
        lambda single, double: 1.7 <= single / double <= 2.3,
        lambda: peaks.fma_flops_per_second("float32", 1),
        lambda: peaks.fma_flops_per_second("float64", 1),
    )


def test_a_level_nearer_to_the_core_is_not_slower() -> None:
    levels = [level for level in ("L1", "L2") if level in caches()] + ["DRAM"]

    assert holds(
        lambda *rates: all(near >= 0.8 * far for near, far in itertools.pairwise(rates)),
        *(lambda level=level: triad(level) for level in levels),
    )


def test_two_threads_are_not_slower_than_one() -> None:
    # On one core, or beside another job, they are not faster either, and wait for each other.
    assert holds(
        lambda two, one: two >= 0.5 * one,
        lambda: peaks.fma_flops_per_second("float32", 2),
        lambda: peaks.fma_flops_per_second("float32", 1),
    )


def test_rates_are_those_of_a_computer() -> None:
    # From an emulated CPU's to beyond any socket's of today.
    assert 1e8 < peaks.fma_flops_per_second("float64", 1) < 1e13
    assert 1e8 < triad("L1" if "L1" in caches() else "DRAM") < 1e13
    assert math.isfinite(gemm("float64"))
