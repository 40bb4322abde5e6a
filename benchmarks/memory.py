"""Memory that a convolution takes at its peak, above its operands."""

import ctypes
import resource
from pathlib import Path

from . import _cells
from ._axes import STRATEGIES


class Memory(_cells.Cells):
    """One layer whose im2col matrix is far larger than its input.

    What was resident before the first run (interpreter, libraries, input and prepared filters) is
    subtracted: the output counts, and whatever the run needs beside it.
    """

    params = (STRATEGIES, ("resnet50_conv2_3x3",), ("float32",))
    unit = "bytes"

    def track_peak_above_operands(self, strategy: str, problem: str, dtype: str) -> int:
        run = _cells.run(strategy, problem, dtype)
        return_free_memory()
        forget_peak()
        before = status_bytes("VmRSS")
        run()
        return max(peak_bytes() - before, 0)


def return_free_memory() -> None:
    """Give freed memory back to the system: a run that got it again would seem to need none.

    Where the C library is not glibc, nothing happens.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def forget_peak() -> None:
    """Set this process's peak to what is resident now (Linux; see proc(5) on clear_refs)."""
    Path("/proc/self/clear_refs").write_text("5")


def peak_bytes() -> int:
    """Read the peak; the kernel's other count of it can't be set back, and is never less."""
    return min(status_bytes("VmHWM"), 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def status_bytes(name: str) -> int:
    """Read one amount of memory from the kernel's account of this process."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return 1024 * int(line.split()[1])
    raise LookupError(f"/proc/self/status has no {name}")
