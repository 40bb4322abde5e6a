from dataclasses import replace

import pytest

from convbench import ceilings
from convbench.ceilings import CACHE_BYTES, Ceilings, Roofs

LIMITS = Ceilings(
    flops_per_second=1e11,
    memory_bytes_per_second=1e10,
    cache_bytes_per_second=4e10,
    call_seconds=1e-6,
    line_seconds=1e-8,
)


@pytest.fixture(scope="module")
def here() -> Ceilings:
    return ceilings.measured("float32", 1)


def test_measured_ceilings_are_those_of_a_computer(here: Ceilings) -> None:
    # Orders of magnitude between a reference BLAS under emulation and any CPU of today.
    assert 1e8 < here.flops_per_second < 1e13
    assert 1e8 < here.memory_bytes_per_second < 1e12
    assert 1e8 < here.cache_bytes_per_second < 1e13
    assert 1e-8 < here.call_seconds < 1e-4
    assert 1e-10 < here.line_seconds < here.call_seconds


def test_they_are_measured_once(here: Ceilings) -> None:
    assert ceilings.measured("float32", 1) is here


def test_a_small_working_set_moves_at_the_rate_of_the_cache() -> None:
    assert LIMITS.bandwidth(CACHE_BYTES) == LIMITS.cache_bytes_per_second
    assert LIMITS.bandwidth(CACHE_BYTES + 1) == LIMITS.memory_bytes_per_second


ROOFS = Roofs(
    gemm_flops_per_second=8e10,
    fma_flops_per_second=1e11,
    level="L2",
    triad_bytes_per_second=1e10,
)


def test_the_lower_of_both_roofs_counts() -> None:
    assert ROOFS.attainable(flops=10**12, moved_bytes=10**9) == 1e11
    assert ROOFS.attainable(flops=2 * 10**9, moved_bytes=10**9) == pytest.approx(2e10)
    assert replace(ROOFS, fma_flops_per_second=1e9).attainable(10**12, 10**9) == 8e10


def test_roofs_are_of_the_level_that_holds_the_working_set(monkeypatch: pytest.MonkeyPatch) -> None:
    measured_sets = []
    monkeypatch.setattr(ceilings.memory_levels, "level_of", lambda size, _: f"L{size}")
    monkeypatch.setattr(ceilings.memory_levels, "working_set", lambda level, _: {"L2": 777}[level])
    monkeypatch.setattr(
        ceilings.peaks,
        "triad_bytes_per_second",
        lambda size, threads: measured_sets.append((size, threads)) or 1e10,
    )

    roofs = ceilings.roofs("float32", 1, 2)

    assert (roofs.level, roofs.triad_bytes_per_second) == ("L2", 1e10)
    assert measured_sets == [(777, 1)]
    assert roofs.gemm_flops_per_second == ceilings.measured("float32", 1).flops_per_second
