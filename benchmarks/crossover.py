"""One convolution as its filter grows: at which size one strategy overtakes another."""

from . import _cells
from ._axes import SMALLER_BLURS


class KernelSide(_cells.TimedCells):
    """A grey picture under filters of side 3, 7 and 15; `run` times the same of side 31.

    The work of direct strategies grows with the area of the filter, that of transforms hardly.
    """

    params = (
        (
            *("auto", "im2col", "implicit_gemm", "numba_direct", "ndimage_correlate"),
            *("scipy_correlate2d", "fft", "fft_tiled", "oaconvolve"),
        ),
        SMALLER_BLURS,
        ("float32",),
    )

    def time_run(self, strategy: str, problem: str, dtype: str) -> None:
        _cells.run(strategy, problem, dtype)()
