"""Time of one convolution with prepared filters."""

from . import _cells
from ._axes import PROBLEMS, STRATEGIES


class Float32(_cells.TimedCells):
    """The full product, in the precision of deep learning."""

    params = (STRATEGIES, PROBLEMS, ("float32",))

    def time_run(self, strategy: str, problem: str, dtype: str) -> None:
        _cells.run(strategy, problem, dtype)()


class Float64(_cells.TimedCells):
    """NumPy's own precision, in which the question was asked."""

    params = (STRATEGIES, ("question",), ("float64",))

    def time_run(self, strategy: str, problem: str, dtype: str) -> None:
        _cells.run(strategy, problem, dtype)()
