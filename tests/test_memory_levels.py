from pathlib import Path

import pytest

from convbench import memory_levels
from convbench.memory_levels import LEVELS, MAX_WORKING_SET, Cache, caches, level_of, working_set

KB, MB = 2**10, 2**20
DESKTOP = {"L1": Cache(32 * KB, 2), "L2": Cache(256 * KB, 2), "L3": Cache(16 * MB, 8)}


def write_cache(folder: Path, index: int, level: str, kind: str, size: str, cpus: str) -> None:
    cache = folder / f"index{index}"
    cache.mkdir()
    for name, text in (
        *(("level", level), ("type", kind)),
        *(("size", size), ("shared_cpu_list", cpus)),
    ):
        (cache / name).write_text(f"{text}\n")


def test_caches_are_read_with_their_sharers_but_not_those_of_instructions(tmp_path: Path) -> None:
    write_cache(tmp_path, 0, "1", "Data", "48K", "3")
    write_cache(tmp_path, 1, "1", "Instruction", "64K", "3")
    write_cache(tmp_path, 2, "2", "Unified", "2048K", "3,67")
    write_cache(tmp_path, 3, "3", "Unified", "96M", "0-7,64-71")

    assert caches(tmp_path) == {
        "L1": Cache(48 * KB, 1),
        "L2": Cache(2 * MB, 2),
        "L3": Cache(96 * MB, 16),
    }


@pytest.mark.parametrize("size", ["", "huge", "12", "-K"])
def test_a_garbled_cache_is_unknown(tmp_path: Path, size: str) -> None:
    write_cache(tmp_path, 0, "1", "Data", size, "0")
    write_cache(tmp_path, 1, "2", "Unified", "1M", "0")

    assert caches(tmp_path) == {"L2": Cache(MB, 1)}


@pytest.mark.parametrize("threads", [1, 2, 8, 64])
def test_a_working_set_fits_into_its_level_but_not_into_the_one_before(threads: int) -> None:
    held = memory_levels.capacities(threads, DESKTOP)

    sizes = [working_set(level, threads, DESKTOP) for level in LEVELS]

    assert sizes == sorted(sizes)
    assert sizes[0] == held["L1"] // 2
    assert all(held[level] < size for level, size in zip(held, sizes[1:], strict=True))
    assert all(size < held[level] for level, size in zip(held, sizes, strict=False))


def test_threads_on_one_core_share_what_the_core_has() -> None:
    assert working_set("L1", 1, DESKTOP) == working_set("L1", 2, DESKTOP) == 16 * KB
    assert working_set("L1", 8, DESKTOP) == 64 * KB


def test_memorys_working_set_outgrows_the_last_cache_up_to_the_cap() -> None:
    assert working_set("DRAM", 1, {"L1": Cache(16 * KB, 1)}) == 64 * KB
    assert working_set("DRAM", 1, {"L3": Cache(480 * MB, 2)}) <= MAX_WORKING_SET
    assert working_set("DRAM", 1, {}) <= MAX_WORKING_SET


def test_a_level_that_the_machine_lacks_is_refused_with_what_it_has() -> None:
    with pytest.raises(LookupError, match="no cache L3 here; known: L1, L2, and DRAM"):
        working_set("L3", 1, {"L1": Cache(KB, 1), "L2": Cache(MB, 1)})


def test_operands_lie_in_the_first_level_that_holds_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_levels, "caches", lambda: DESKTOP)

    assert level_of(32 * KB, 1) == "L1"
    assert level_of(32 * KB + 1, 1) == "L2"
    assert level_of(33 * KB, 4) == "L1"
    assert level_of(17 * MB, 1) == "DRAM"
