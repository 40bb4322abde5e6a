"""Peak memory of a process that convolves once."""

from . import _cells
from ._axes import STRATEGIES


class Memory(_cells.Cells):
    """One layer whose im2col matrix is far larger than its input."""

    params = (STRATEGIES, ("resnet50_conv2_3x3",), ("float32",))

    def peakmem_run(self, strategy: str, problem: str, dtype: str) -> None:
        _cells.run(strategy, problem, dtype)()
