"""Ceilings: the highest rates of this machine, BLAS and number of threads; all else lies below.

More is better: rates, not times.
"""

from asv_runner.benchmarks.mark import SkipNotImplemented

from . import _process
from ._today import memory_levels, peaks


class Arithmetic:
    """Operations per second: a GEMM by the BLAS, and multiply-adds in registers without one."""

    version = "1"
    timeout = 120
    unit = "flop/s"
    param_names = ("kernel", "dtype")
    params = (("gemm", "fma"), ("float32", "float64"))

    def track_flops_per_second(self, kernel: str, dtype: str) -> float:
        _process.check_cell(brings=())
        if kernel == "gemm":
            return peaks.gemm_flops_per_second(dtype)
        return peaks.fma_flops_per_second(dtype, _process.threads)


class Bandwidth:
    """Bytes per second of a triad whose operands one level of memory holds."""

    version = "1"
    timeout = 120
    unit = "byte/s"
    param_names = ("level",)
    params = (("L1", "L2", "L3", "DRAM"),)

    def track_bytes_per_second(self, level: str) -> float:
        _process.check_cell(brings=())
        try:
            working_set = memory_levels.working_set(level, _process.threads)
        except LookupError as reason:
            raise SkipNotImplemented(str(reason)) from None
        return peaks.triad_bytes_per_second(working_set, _process.threads)
