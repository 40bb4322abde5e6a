"""The same convolution when its operands have left a core's caches."""

from functools import cache

import numpy as np

from . import _cells
from ._axes import STRATEGIES

EVICTED_BYTES = 2**26
"""Read between two calls: caches of up to this size forget the operands."""


@cache
def stranger() -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    """Return memory that no convolution uses, each of its pages touched."""
    return np.ones(EVICTED_BYTES // 8, dtype=np.int64)


@cache
def warm_up(strategy: str, problem: str, dtype: str) -> None:
    """Run a cell once: memory that it keeps is then its own."""
    _cells.run(strategy, problem, dtype)()


class ColdCache(_cells.Cells):
    """Layers that are bound by memory: a network's other layers have used the caches meanwhile.

    One call a sample, after `setup` has read other memory.
    """

    params = (STRATEGIES, ("resnet50_conv2_1x1", "mobilenetv2_dw3"), ("float32",))
    rounds = 1
    number = 1
    repeat = (3, 20, 0.4)
    warmup_time = 0.0

    def setup(self, strategy: str, problem: str, dtype: str) -> None:
        warm_up(strategy, problem, dtype)
        stranger().sum()

    def time_run_cold(self, strategy: str, problem: str, dtype: str) -> None:
        _cells.run(strategy, problem, dtype)()
