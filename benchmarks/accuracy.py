"""Largest error of an output against the float64 reference, relative to the largest output."""

from . import _cells
from ._axes import STRATEGIES
from ._today import reference


class Accuracy(_cells.Cells):
    """A speed without its error is half a number: transforms trade one for the other."""

    params = (STRATEGIES, ("question", "resnet50_conv2_3x3"), ("float32",))
    unit = "relative error"

    def track_error(self, strategy: str, problem: str, dtype: str) -> float:
        _, x, weights, _, conv_problem = _cells.cell(strategy, problem, dtype)
        output = _cells.run(strategy, problem, dtype)()
        return reference.relative_error(output, reference.convolve(x, weights, conv_problem))
