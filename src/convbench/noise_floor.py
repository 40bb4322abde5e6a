"""How equal two timings of the same work are on this machine: the floor below every comparison.

The fixed kernel is one chain of dependent multiplications and additions that stay in registers.
No memory, no BLAS and no other thread has a part in it, so its time is the clock of one core and
what takes that core away; any other benchmark is at least as noisy. It is sampled in fresh
processes, because what a process does not share with the next one (its pages, the moment it
started) shifts all of its samples alike, which no number of samples within it can show.

python -m convbench.noise_floor    samples of one process for a second, as JSON
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import cast

import numpy as np
from numpy.typing import NDArray

from convbench.errors import MeasureFailed

CHAIN_LENGTH = 600_000
"""Links of the chain, each one multiplication and one addition: about 1 ms. Never changed, so that
the medians of different days and machines compare."""

MIN_SAMPLES = 50
"""Samples of each process, however little time there is: fewer give no stable quartiles."""

PROCESSES = 5
"""Fresh processes at least, for a spread between them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoiseFloor:
    """How far timings of the fixed kernel differ.

    Attributes
    ----------
    within_run : float
        Interquartile range of a process's samples relative to their median; the median of the
        processes.
    between_process : float
        Range of the processes' medians, largest less smallest, relative to their median.
    processes, samples : int
        Processes, and samples of all of them.
    median_seconds : float
        Median of the processes' medians, seconds per call.
    """

    within_run: float
    between_process: float
    processes: int
    samples: int
    median_seconds: float


def fixed_kernel() -> float:
    """Run the chain once; the first call compiles it, later ones take about a millisecond."""
    return _chain()(2.0, CHAIN_LENGTH)


@cache
def _chain() -> Callable[[float, int], float]:
    """Compile the chain, in memory only: whoever measures noise should leave nothing behind."""
    import numba

    def chain(value: float, length: int) -> float:
        # Rounding forbids to reorder this, and no value is subnormal: it converges to one.
        for _ in range(length):
            value = value * 0.999 + 0.001
        return value

    return cast("Callable[[float, int], float]", numba.njit("float64(float64, intp)")(chain))


def sample(seconds: float) -> NDArray[np.float64]:
    """Time calls of the fixed kernel for so long, at least `MIN_SAMPLES`; seconds per call."""
    fixed_kernel()  # compiled and warm
    samples: list[float] = []
    end = time.perf_counter() + seconds
    while (start := time.perf_counter()) < end or len(samples) < MIN_SAMPLES:
        fixed_kernel()
        samples.append(time.perf_counter() - start)
    return np.array(samples)


def relative_spread(samples: NDArray[np.float64]) -> float:
    """Give the interquartile range of samples relative to their median."""
    q25, median, q75 = np.quantile(samples, (0.25, 0.5, 0.75))
    return float((q75 - q25) / median)


def noise_floor(seconds: float = 10.0, processes: int = PROCESSES) -> NoiseFloor:
    """Sample the fixed kernel in fresh processes, one after another, each pinned to one CPU.

    Parameters
    ----------
    seconds : float
        Time for everything. Starting a process and compiling takes about a second of its share;
        what is left is sampled, at least `MIN_SAMPLES` times.
    processes : int
        At least `PROCESSES`.

    Raises
    ------
    MeasureFailed
        When a process fails.
    """
    if processes < PROCESSES:
        raise ValueError(f"a spread needs at least {PROCESSES} processes; got {processes}")
    return summary([_fresh_process(seconds / processes) for _ in range(processes)])


def summary(samples: Sequence[NDArray[np.float64]]) -> NoiseFloor:
    """Summarise the samples of several processes."""
    medians = np.array([np.median(one) for one in samples])
    middle = float(np.median(medians))
    return NoiseFloor(
        within_run=float(np.median([relative_spread(one) for one in samples])),
        between_process=float(np.ptp(medians)) / middle,
        processes=len(samples),
        samples=sum(len(one) for one in samples),
        median_seconds=middle,
    )


def _fresh_process(seconds: float) -> NDArray[np.float64]:
    # The monotonic clock is the machine's: what starting took can be taken off by the child.
    end = time.monotonic() + seconds
    command = (sys.executable, "-m", "convbench.noise_floor", "--until", repr(end))
    answer = subprocess.run(command, capture_output=True, text=True)
    if answer.returncode:
        reason = (answer.stderr.strip() or "it said nothing").splitlines()[-1]
        raise MeasureFailed(f"the fixed kernel could not be timed in a fresh process: {reason}")
    return np.array(json.loads(answer.stdout)["seconds"])


def pin_to_last_cpu() -> None:
    """Keep this process on the last of its CPUs, where measuring runs single threads too."""
    if hasattr(os, "sched_setaffinity"):  # not on macOS and Windows
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def main() -> None:
    """Print the samples of this process as JSON."""
    parser = argparse.ArgumentParser(prog="python -m convbench.noise_floor")
    parser.add_argument(
        "--until", type=float, help="when to end, on the monotonic clock (default: in a second)"
    )
    until = parser.parse_args().until
    pin_to_last_cpu()
    fixed_kernel()
    seconds = 1.0 if until is None else until - time.monotonic()
    print(json.dumps({"seconds": sample(seconds).tolist()}))


if __name__ == "__main__":
    main()
