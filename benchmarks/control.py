"""Controls: what the harness itself costs, and what it says of things that are equal."""

from collections.abc import Callable
from functools import cache

from . import _cells, _process


@cache
def noop(strategy: str, problem: str, dtype: str) -> Callable[[], None]:
    """Return a call that does nothing, through the same kind of cache as a cell's."""
    del strategy, problem, dtype
    _process.check_cell(brings=())
    return lambda: None


class Control(_cells.TimedCells):
    """The time of an empty cell is part of every other time; it should never change."""

    params = ()
    param_names = ()

    def time_noop(self) -> None:
        noop("none", "none", "float32")()


class NullControl(_cells.TimedCells):
    """The same call under two labels: whatever difference is found between them is none.

    How often one is found tells how far the alarms of the same run can be trusted.
    """

    param_names = ("arm", "case")
    params = (
        ("a", "b"),
        (
            "einsum question float64",
            "im2col question float32",
            "numba_nhwc question float32",
            "implicit_gemm cifar_resnet20_3x3 float32",
            "winograd_f4x3 resnet50_conv2_3x3 float32",
            "numba_depthwise mobilenetv2_dw3 float32",
            "fft gray_blur31 float32",
            "tensordot alexnet_conv1 float32",
        ),
    )

    def time_case(self, arm: str, case: str) -> None:
        del arm
        _cells.run(*case.split())()
