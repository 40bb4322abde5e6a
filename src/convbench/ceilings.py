"""What this machine can do at best, measured in a second: the ceilings of every explanation.

The roofline model bounds a computation by the peak of its arithmetic and by the traffic to memory
(Williams, Waterman & Patterson, "Roofline", CACM 2009). Small problems in Python meet a third
bound: what the interpreter takes for a call and for a line.

`Roofs` are what nothing on this machine exceeds. `Ceilings` are what NumPy reaches, which is what
strategies are made of: predictions and `auto` use these. The rows of `auto` are fitted to copies
of one thread, so a triad's bandwidth, which no strategy has, would only make them wrong.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

from convbench import memory_levels, peaks, threads

CACHE_BYTES = 2**20
"""A working set up to this size stays in a core's private caches."""

COPIED_BYTES = {"cache": CACHE_BYTES // 4, "memory": 2**26}
"""Working sets, source and destination, of the two copies that bandwidth is measured with."""

SECONDS_EACH = 0.08
"""Time for each ceiling; the best of its samples counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ceilings:
    """The best rates of a machine and a BLAS, for one dtype and number of threads.

    Attributes
    ----------
    flops_per_second : float
        Of a GEMM, with all threads.
    memory_bytes_per_second, cache_bytes_per_second : float
        Read and written by one thread's copy, which is how NumPy copies, of working sets beyond
        and within a core's private caches.
    call_seconds : float
        One NumPy call on operands so small that nothing else counts.
    line_seconds : float
        One line of interpreted Python.
    """

    flops_per_second: float
    memory_bytes_per_second: float
    cache_bytes_per_second: float
    call_seconds: float
    line_seconds: float

    def bandwidth(self, working_set: int) -> float:
        """Bytes per second that a working set of this size is read and written at."""
        if working_set <= CACHE_BYTES:
            return self.cache_bytes_per_second
        return self.memory_bytes_per_second


@dataclass(frozen=True, slots=True, kw_only=True)
class Roofs:
    """The roofline of some working set, with all threads.

    Attributes
    ----------
    gemm_flops_per_second, fma_flops_per_second : float
        Of a GEMM, and of multiply-adds in registers.
    level : str
        The first level of memory that holds the working set.
    triad_bytes_per_second : float
        Read and written by a triad that lives in this level.
    """

    gemm_flops_per_second: float
    fma_flops_per_second: float
    level: str
    triad_bytes_per_second: float

    @property
    def flops_per_second(self) -> float:
        """The higher of both peaks: a GEMM can't beat the other but by what disturbed that."""
        return max(self.gemm_flops_per_second, self.fma_flops_per_second)

    def attainable(self, flops: int, moved_bytes: int) -> float:
        """Operations per second under both roofs, for so many operations and bytes."""
        return min(self.flops_per_second, flops / moved_bytes * self.triad_bytes_per_second)


@cache
def measured(dtype: str, number: int) -> Ceilings:
    """Measure the ceilings of this process with so many threads; once, later calls look it up."""
    with threads.limit(number):
        return Ceilings(
            flops_per_second=peaks.gemm_flops_per_second(dtype, SECONDS_EACH),
            memory_bytes_per_second=_copy_rate(COPIED_BYTES["memory"]),
            cache_bytes_per_second=_copy_rate(COPIED_BYTES["cache"]),
            call_seconds=_call_seconds(dtype),
            line_seconds=_line_seconds(),
        )


@cache
def roofs(dtype: str, number: int, working_set: int) -> Roofs:
    """Measure the roofs above a working set of these bytes, shared by so many threads."""
    level = memory_levels.level_of(working_set, number)
    return Roofs(
        gemm_flops_per_second=measured(dtype, number).flops_per_second,
        fma_flops_per_second=peaks.fma_flops_per_second(dtype, number),
        level=level,
        triad_bytes_per_second=peaks.triad_bytes_per_second(
            memory_levels.working_set(level, number), number
        ),
    )


def _copy_rate(working_set: int) -> float:
    source = np.ones(working_set // 2, np.uint8)
    target = source.copy()
    number = max(1, CACHE_BYTES // working_set)  # a short copy alone would time the clock
    return number * working_set / _best_seconds(_repeated(number, np.copyto, target, source))


def _call_seconds(dtype: str) -> float:
    tiny = np.ones((2, 2), dtype)
    number = 1000
    return _best_seconds(_repeated(number, np.matmul, tiny, tiny)) / number


def _line_seconds() -> float:
    number = 1000

    def count() -> int:
        total = 0
        for index in range(number):
            total += index
        return total

    return _best_seconds(count) / (2 * number)  # two lines an iteration


def _repeated(number: int, call: Callable[..., object], *arguments: object) -> Callable[[], None]:
    def repeat() -> None:
        for _ in itertools.repeat(None, number):
            call(*arguments)

    return repeat


def _best_seconds(call: Callable[[], object]) -> float:
    return peaks.best_seconds(call, SECONDS_EACH)
