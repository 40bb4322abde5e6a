import multiprocessing
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from convbench.strategies._workers import share


def counted(count: int, threads: int) -> list[int]:
    """Share `count` indices and count how often each was done."""
    done = [0] * count

    def task(first: int, last: int) -> None:
        for index in range(first, last):
            done[index] += 1

    share(task, count, threads)
    return done


@pytest.mark.parametrize("count", [0, 1, 2, 7])
@pytest.mark.parametrize("threads", [1, 2, 3, 9])
def test_every_index_is_done_once(count: int, threads: int) -> None:
    assert counted(count, threads) == [1] * count


def test_threads_work_at_the_same_time() -> None:
    together = threading.Barrier(3, timeout=10)

    share(lambda _first, _last: together.wait(), 3, 3)  # raises if they don't meet


@pytest.mark.parametrize("failing", [0, 1, 2])
def test_exception_of_any_part_arrives_after_all_parts(failing: int) -> None:
    ended = []

    def task(first: int, _last: int) -> None:
        try:
            if first == failing:
                raise OverflowError(first)
        finally:
            ended.append(first)

    with pytest.raises(OverflowError):
        share(task, 3, 3)

    assert sorted(ended) == [0, 1, 2]


def test_callers_at_once_and_inside_of_each_other_finish() -> None:
    def nested(first: int, last: int) -> None:
        assert counted(5 + last - first, 3) == [1] * (5 + last - first)

    with ThreadPoolExecutor(8) as pool:
        for call in [pool.submit(share, nested, 4, 4) for _ in range(100)]:
            call.result(timeout=30)


def report_shared(results: "multiprocessing.SimpleQueue[list[int]]") -> None:
    results.put(counted(6, 3))


@pytest.mark.skipif(sys.platform == "win32", reason="has no fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_forked_process_has_threads_of_its_own() -> None:
    counted(6, 3)  # the parent's threads wait already
    context = multiprocessing.get_context("fork")
    results = context.SimpleQueue()
    child = context.Process(target=report_shared, args=(results,))
    child.start()
    child.join(timeout=30)

    assert child.exitcode == 0
    assert results.get() == [1] * 6


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize("name", ["numba_nhwc", "implicit_gemm", "numba_direct", "numba_depthwise"])
def test_shared_kernels_compute_the_same(name: str, layout: str) -> None:
    from convbench import STRATEGIES, ConvProblem, threads

    groups = 64 if name == "numba_depthwise" else 1
    problem = ConvProblem(
        **{"batch": 2, "in_channels": 64, "height": 85, "width": 85, "out_channels": 64},
        **{"kernel_height": 3, "kernel_width": 3, "padding": 1, "groups": groups},
        layout=layout,
    )
    x, weights = problem.random_operands()
    strategy = STRATEGIES[name]
    prepared = strategy.prepare(weights, problem)
    assert prepared.shares

    outputs = []
    for count in (1, 2, 5):
        with threads.limit(count):
            outputs.append(strategy.run(x, prepared, problem))

    for output in outputs[1:]:
        np.testing.assert_array_equal(output, outputs[0])
