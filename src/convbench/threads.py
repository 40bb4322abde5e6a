"""How many threads convbench's own kernels and the peer libraries may use.

The number belongs to the process, as that of a BLAS does: threads that a program starts inside of
`limit` are limited too, which is how many convolutions at once share the cores.
"""

import contextlib
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import threadpoolctl

VARIABLES = ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS")
"""Variables that say how many threads, the first that is set; read once, like the libraries do."""


@dataclass(slots=True)
class _Limit:
    threads: int
    before: threadpoolctl.threadpool_limits  # knows what each BLAS was set to


_lock = threading.Lock()
_active: list[_Limit] = []
_current = 0


def count() -> int:
    """Return the number of threads to use: the innermost `limit`, the environment's, or all cores.

    Kernels ask in every call, so it costs a tenth of a microsecond.
    """
    return _current or _default()


@contextlib.contextmanager
def limit(threads: int) -> Iterator[None]:
    """Let convbench's kernels, peers prepared inside, and every loaded BLAS use so many threads.

    Nested limits restore the outer one. Limits of several threads that overlap in time act on the
    whole process: the one entered last counts, and after the last one the original state is back.

    Parameters
    ----------
    threads : int
        At least 1.
    """
    if threads < 1:
        raise ValueError(f"the number of threads must be at least 1; got {threads}")
    with _lock:
        mine = _Limit(threads, threadpoolctl.threadpool_limits(limits=threads, user_api="blas"))
        _active.append(mine)
        _publish()
    try:
        yield
    finally:
        with _lock:
            _leave(mine)
            _publish()


def _leave(mine: _Limit) -> None:
    index = next(i for i, each in enumerate(_active) if each is mine)  # equal ones are not mine
    if mine is _active[-1]:
        mine.before.restore_original_limits()
    else:
        # Another thread's limit was entered later: it inherits what to restore in the end.
        _active[index + 1].before = mine.before
    del _active[index]


def _publish() -> None:
    global _current
    _current = _active[-1].threads if _active else 0


@cache
def _default() -> int:
    for name in VARIABLES:
        # OpenMP takes a list, one number per level of nesting.
        first = os.environ.get(name, "").split(",")[0].strip()
        if first.isdecimal() and int(first):
            return int(first)
    if hasattr(os, "sched_getaffinity"):  # not on macOS and Windows
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
