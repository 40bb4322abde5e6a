"""Kernels of 20 µs to a millisecond, of different kinds, which a known delay can be added to.

The delay is a share of what the kernel itself has just taken, spent waiting: a true change by that
share. Both arms run the same code; without a delay the wait is over at once.
"""

import os
import time
from collections.abc import Callable
from functools import cache, partial
from typing import Any

import numpy as np

DELAY = float(os.environ.get("CONVBENCH_NULL_DELAY", "0"))
"""Share of a kernel's time that is added to it."""

KERNELS: dict[str, tuple[int, Callable[["np.ndarray[Any, Any]"], object]]] = {
    "exponential": (10_000, np.exp),
    "sort": (800, np.sort),
    "sum": (30_000, np.sum),
    "running_sum": (6_000, np.cumsum),
    "copy": (30_000, np.copy),
    "divide": (20_000, np.reciprocal),
    "median": (1_200, np.median),
    "compare": (30_000, lambda x: np.count_nonzero(x > 1.5)),
    "to_list": (1_500, lambda x: x.tolist()),
    "python_sum": (1_000, lambda x: sum(x.tolist())),
}
"""How many elements last about 10 µs, and what is done with them."""

STEPS = (2, 3, 4, 6, 8, 12, 16, 24, 32, 48)
"""Sizes, as multiples of these: 20 µs to a millisecond."""


@cache
def numbers() -> "np.ndarray[Any, Any]":
    """Return the operands, of which every kernel takes the first ones."""
    most = max(elements for elements, _ in KERNELS.values()) * max(STEPS)
    return 1 + np.random.default_rng(0).random(most)


@cache
def kernel(name: str, step: int) -> Callable[[], object]:
    """Return a kernel on its operands as a call without arguments."""
    elements, function = KERNELS[name]
    return partial(function, numbers()[: elements * step])


class Kernels:
    """One hundred cells; the null study takes as many of them as it is asked for."""

    param_names = ("kernel", "step")
    params = (tuple(KERNELS), STEPS)

    def time_kernel(self, name: str, step: int) -> None:
        """Run the kernel, then wait for the share that is added."""
        run = kernel(name, step)
        start = time.perf_counter()
        run()
        until = start + (time.perf_counter() - start) * (1 + DELAY)
        while time.perf_counter() < until:
            pass
