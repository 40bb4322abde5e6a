"""Numba's threads, one kernel at a time, in a process that may fork.

Numba has one layer of threads per process. GNU OpenMP's, the default on Linux, kills a child that
was forked after it ran; the layer of Numba's own survives a fork but kills a process that enters
it from two threads. So: the fork-safe layer unless the program has chosen one, one kernel after
the other, and no fork in between. A program that runs parallel kernels of its own beside those of
convbench, from several threads, chooses a layer that is made for it: NUMBA_THREADING_LAYER=tbb.
Source: Numba's manual, "The Threading Layers".
"""

import os
import threading
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec

from convbench import threads

Arguments = ParamSpec("Arguments")

# Reentrant, because a signal's handler may fork while its own thread waits for a kernel.
_one_kernel = threading.RLock()

if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(
        before=_one_kernel.acquire,
        after_in_parent=_one_kernel.release,
        after_in_child=_one_kernel.release,
    )


def choose_layer() -> None:
    """Choose threads that survive a fork, if nobody has chosen; they start with the first use."""
    import numba

    config: Any = numba.config  # its attributes are made from the environment
    if config.THREADING_LAYER == "default":
        config.THREADING_LAYER = "forksafe"


def one_at_a_time(kernel: Callable[Arguments, None]) -> Callable[Arguments, None]:
    """Let a kernel use as many threads as `convbench.threads` says, with no other beside it."""
    import numba

    config: Any = numba.config

    @wraps(kernel)
    def alone(*args: Arguments.args, **kwargs: Arguments.kwargs) -> None:
        wanted = min(threads.count(), config.NUMBA_NUM_THREADS)
        with _one_kernel:
            before = numba.get_num_threads()
            if wanted == before:
                kernel(*args, **kwargs)
                return
            numba.set_num_threads(wanted)
            try:
                kernel(*args, **kwargs)
            finally:
                numba.set_num_threads(before)

    return alone
