"""Time to prepare filters: paid once per layer, not per image."""

from . import _cells
from ._axes import STRATEGIES


class Prepare(_cells.TimedCells):
    """A small and a middling layer show which strategies move work out of `run`."""

    params = (STRATEGIES, ("question", "resnet50_conv2_3x3"), ("float32",))

    def time_prepare(self, strategy: str, problem: str, dtype: str) -> None:
        _cells.prepare(strategy, problem, dtype)()
