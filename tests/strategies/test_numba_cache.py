"""Compiled kernels: their cache on disk, what they accept, and the threads of the parallel ones."""

import errno
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pytest
from numba.core import caching

from convbench import ConvProblem, threads
from convbench.problem import Array
from convbench.strategies import _numba, _numba_threads, numba_stencil
from convbench.strategies._numba import Kernel, Reads, Writes, contiguous, kernel

EXPONENT = 1


def power(x: Array, output: Array, factor: int) -> None:
    for i in range(x.size):
        output[i] = factor * x[i] ** EXPONENT


def new_kernel() -> Kernel:
    """Make the kernel anew, as another process would."""
    return kernel(Reads(1), Writes(1), int)(power)


def assert_right(scale: Kernel, exponent: int = 1) -> None:
    x, output = np.arange(5, dtype="f4"), np.empty(5, "f4")

    scale("float32", EXPONENT=exponent)(x, output, 3)

    np.testing.assert_array_equal(output, 3 * x**exponent)


def hits(scale: Kernel, dtype: str = "float32", exponent: int = 1) -> int:
    """Count what was loaded instead of compiled."""
    machine_code: Any = scale(dtype, EXPONENT=exponent)
    return sum(machine_code.stats.cache_hits.values())


@pytest.fixture(autouse=True)
def cache_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder that this process caches in."""
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    return tmp_path


def cached_files(folder: Path, kind: str) -> list[Path]:
    return sorted(folder.rglob(f"*.{kind}"))


def test_machine_code_is_loaded_the_second_time(cache_dir: Path) -> None:
    first, second = new_kernel(), new_kernel()

    assert hits(first) == 0
    assert hits(second) == 1
    assert_right(second)
    assert len(cached_files(cache_dir, "nbc")) == 1


def test_one_process_looks_a_kernel_up() -> None:
    scale = new_kernel()

    assert scale("float32", EXPONENT=1) is scale("float32", EXPONENT=1)


def test_no_two_kernels_share_a_file(cache_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So nothing that two processes do at once can give one kernel the code of another."""
    assert hits(new_kernel(), "float32") == 0
    assert hits(new_kernel(), "float64") == 0
    assert hits(new_kernel(), "float32", exponent=2) == 0
    monkeypatch.setattr(_numba, "_private_sources", lambda: b"another text")
    assert hits(new_kernel(), "float32") == 0

    # Numba numbers the files of an index: a second number would mean a shared index.
    indices = [path.stem for path in cached_files(cache_dir, "nbi")]
    assert len(set(indices)) == 4
    assert [path.name for path in cached_files(cache_dir, "nbc")] == [
        f"{index}.1.nbc" for index in indices
    ]


def test_constants_are_compiled_in() -> None:
    scale = new_kernel()

    assert_right(scale, exponent=1)
    assert_right(scale, exponent=3)


def test_kernels_work_where_nothing_can_be_cached(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caching.CacheImpl, "_locator_classes", [])

    assert_right(new_kernel())


def test_kernels_work_on_a_full_disk(cache_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(caching.IndexDataCacheFile, "_save_data", full)

    assert_right(new_kernel())
    assert cached_files(cache_dir, "nbc") == []


@pytest.mark.parametrize("kind", ["nbi", "nbc"])
def test_kernels_work_beside_a_file_that_was_cut_short(cache_dir: Path, kind: str) -> None:
    new_kernel()("float32", EXPONENT=1)
    (file,) = cached_files(cache_dir, kind)
    file.write_bytes(file.read_bytes()[:100])

    assert_right(new_kernel())


def test_another_dtype_than_asked_for_is_a_mistake() -> None:
    scale = new_kernel()("float32", EXPONENT=1)

    with pytest.raises(TypeError, match="No matching definition"):
        scale(np.ones(3), np.ones(3), 1)


def test_contiguous_copies_only_what_a_kernel_does_not_take() -> None:
    x = np.arange(24, dtype="f4").reshape(4, 6)
    x.setflags(write=False)
    misaligned = np.frombuffer(b"\0" + x.tobytes(), x.dtype, offset=1).reshape(x.shape)

    assert contiguous(x) is x
    for other in (x[:, ::2], x[::-1], np.asfortranarray(x), misaligned):
        copy = contiguous(other)
        assert copy.flags.c_contiguous
        assert copy.flags.aligned
        np.testing.assert_array_equal(copy, other)


def in_new_processes(script: str, *environments: dict[str, str]) -> list[Any]:
    """Run a script in several processes at once, and return the JSON that each prints."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("NUMBA_")}
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", script],
            env=inherited | variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        for variables in environments
    ]
    try:
        answers = [process.communicate(timeout=120) for process in processes]
    except subprocess.TimeoutExpired:
        for process in processes:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)  # a forked child would outlive its parent
                process.communicate()
        raise
    for process, (_, complaint) in zip(processes, answers, strict=True):
        assert process.returncode == 0, complaint[-3000:]
    return [json.loads(output) for output, _ in answers]


CONVOLVE = """
import json, numpy as np
from convbench import ConvProblem, STRATEGIES
from convbench.reference import convolve
from convbench.strategies import numba_loops
outcome = {}
for dtype in ("float32", "float64"):
    problem = ConvProblem(
        in_channels=8, height=9, width=9, out_channels=4, kernel_height=3, kernel_width=3,
        dtype=dtype,
    )
    x, weights = problem.random_operands()
    strategy = STRATEGIES["numba_loops"]
    output = strategy.run(x, strategy.prepare(weights, problem), problem)
    error = np.abs(output - convolve(x, weights, problem))
    assert (error <= strategy.error_bound(x, weights, problem)).all()
    loaded = numba_loops._convolve(dtype).stats.cache_hits
    outcome[dtype] = "loaded" if sum(loaded.values()) else "compiled"
print(json.dumps(outcome))
"""
ALL_COMPILED = dict.fromkeys(("float32", "float64"), "compiled")
ALL_LOADED = dict.fromkeys(("float32", "float64"), "loaded")


def test_a_cache_serves_processors_of_different_kinds(tmp_path: Path) -> None:
    here = {"NUMBA_CACHE_DIR": str(tmp_path)}
    elsewhere = here | {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": ""}

    assert in_new_processes(CONVOLVE, here) == [ALL_COMPILED]
    assert in_new_processes(CONVOLVE, elsewhere) == [ALL_COMPILED]
    assert in_new_processes(CONVOLVE, here, elsewhere) == [ALL_LOADED] * 2


def test_processes_that_compile_at_once_leave_a_sound_cache(tmp_path: Path) -> None:
    here = {"NUMBA_CACHE_DIR": str(tmp_path)}

    in_new_processes(CONVOLVE, *[here] * 4)

    assert in_new_processes(CONVOLVE, here) == [ALL_LOADED]
    assert [path for path in tmp_path.rglob("*") if ".tmp." in path.name] == []


UNCOMPILED = """
import json, numpy as np
from convbench import ConvProblem, STRATEGIES
from convbench.reference import convolve
problem = ConvProblem(
    in_channels=2, height=5, width=5, out_channels=2, kernel_height=3, kernel_width=3
)
x, weights = problem.random_operands()
outcome = {}
for name in ("numba_loops", "numba_parallel"):
    strategy = STRATEGIES[name]
    output = strategy.run(x, strategy.prepare(weights, problem), problem)
    error = np.abs(output - convolve(x, weights, problem))
    outcome[name] = bool((error <= strategy.error_bound(x, weights, problem)).all())
print(json.dumps(outcome))
"""


def test_plain_kernels_run_uncompiled_for_a_debugger() -> None:
    # Stencils can't, in Numba 0.68.
    outcome = in_new_processes(UNCOMPILED, {"NUMBA_DISABLE_JIT": "1"})

    assert outcome == [{"numba_loops": True, "numba_parallel": True}]


def test_threads_are_those_that_survive_a_fork_unless_chosen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for before, after in (("default", "forksafe"), ("omp", "omp"), ("tbb", "tbb")):
        monkeypatch.setattr(numba.config, "THREADING_LAYER", before)
        _numba_threads.choose_layer()
        assert after == numba.config.THREADING_LAYER


def test_a_parallel_kernel_takes_as_many_threads_as_convbench_says() -> None:
    _numba_threads.choose_layer()
    launched = numba.config.NUMBA_NUM_THREADS
    seen = []
    record = _numba_threads.one_at_a_time(lambda: seen.append(numba.get_num_threads()))

    for number in (1, launched, launched + 5):
        with threads.limit(number):
            record()

    assert seen == [1, launched, launched]
    assert numba.get_num_threads() == launched


def test_the_programs_own_number_of_numba_threads_is_restored() -> None:
    _numba_threads.choose_layer()
    before = numba.get_num_threads()
    numba.set_num_threads(1)
    try:
        with threads.limit(2), pytest.raises(ZeroDivisionError):
            _numba_threads.one_at_a_time(lambda: 1 / 0)()  # type: ignore[arg-type,return-value]
        assert numba.get_num_threads() == 1
    finally:
        numba.set_num_threads(before)


FORKING = """
import json, os, threading
from concurrent.futures import ThreadPoolExecutor
import numba, numpy as np
from convbench import ConvProblem, STRATEGIES
from convbench.reference import convolve
from convbench.strategies._numba_threads import _one_kernel

problem = ConvProblem(
    in_channels=3, height=20, width=20, out_channels=4, kernel_height=3, kernel_width=3
)
strategy = STRATEGIES["numba_parallel"]
x, weights = problem.random_operands()
prepared = strategy.prepare(weights, problem)
expected = convolve(x, weights, problem)
bound = strategy.error_bound(x, weights, problem)

def often(_=None):
    for _ in range(20):
        assert (np.abs(strategy.run(x, prepared, problem) - expected) <= bound).all()

def from_eight_threads():
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(often, range(8)))

def status_of_child(work):
    child = os.fork()
    if not child:
        try:
            work()
        except BaseException:
            os._exit(1)
        os._exit(0)
    return os.waitpid(child, 0)[1]

from_eight_threads()
statuses = [status_of_child(often), status_of_child(from_eight_threads)]
with _one_kernel:  # as a signal's handler may find it
    statuses.append(status_of_child(often))

stop = threading.Event()
def run_until_stopped():
    while not stop.is_set():
        often()
busy = [threading.Thread(target=run_until_stopped) for _ in range(3)]
for thread in busy:
    thread.start()
statuses += [status_of_child(from_eight_threads) for _ in range(5)]
stop.set()
for thread in busy:
    thread.join()
often()
print(json.dumps([numba.threading_layer(), statuses]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_parallel_kernels_survive_threads_and_forks(tmp_path: Path) -> None:
    variables = {"NUMBA_NUM_THREADS": "2", "NUMBA_CACHE_DIR": str(tmp_path)}

    ((layer, statuses),) = in_new_processes(FORKING, variables)

    assert layer in {"workqueue", "tbb"}
    assert statuses == [0] * 8


def test_eight_threads_may_use_the_layer_that_the_program_chose(tmp_path: Path) -> None:
    script = FORKING.split("statuses = ")[0] + "print(json.dumps(numba.threading_layer()))"
    variables = {"NUMBA_THREADING_LAYER": "workqueue", "NUMBA_CACHE_DIR": str(tmp_path)}

    assert in_new_processes(script, variables) == ["workqueue"]


def test_a_stencil_is_compiled_once_for_filters_of_similar_size() -> None:
    sizes = {
        kernel_height: numba_stencil._compiled(
            ConvProblem(
                in_channels=1,
                height=9,
                width=9,
                out_channels=1,
                kernel_height=kernel_height,
                kernel_width=3,
            )
        )
        for kernel_height in (1, 3, 4, 5)
    }

    assert sizes[1] is sizes[3] is sizes[4]
    assert sizes[5] is not sizes[4]
