"""A strategy that says it computes on one thread does, whatever the libraries may use."""

import os
import time

import pytest

from convbench import STRATEGIES, ConvProblem, threads

SINGLE = [name for name, strategy in STRATEGIES.items() if not strategy.threaded]
PROBLEM = ConvProblem(
    height=24, width=24, in_channels=8, out_channels=16, kernel_height=3, kernel_width=3
)
CPUS = len(os.sched_getaffinity(0))

pytestmark = pytest.mark.skipif(CPUS < 2, reason="one CPU: a second thread would not be seen")


def other_threads_share(name: str) -> float:
    """CPU time of other threads, relative to the calling one's, over a tenth of a second."""
    strategy = STRATEGIES[name]
    x, weights = PROBLEM.random_operands(seed=0)
    with threads.limit(CPUS):
        prepared = strategy.prepare(weights, PROBLEM)
        strategy.run(x, prepared, PROBLEM)
        whole, own = time.process_time(), time.thread_time()
        while time.thread_time() - own < 0.1:
            strategy.run(x, prepared, PROBLEM)
        own_seconds = time.thread_time() - own
        return (time.process_time() - whole - own_seconds) / own_seconds


@pytest.mark.parametrize("name", SINGLE)
def test_no_other_thread_computes(name: str) -> None:
    assert other_threads_share(name) < 0.05


def test_a_second_thread_would_be_seen() -> None:
    assert other_threads_share("numba_parallel") > 0.3
