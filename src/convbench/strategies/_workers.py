"""Threads that share the work of one convolution, for kernels that run without the GIL.

The calling thread does its own part and whatever no other thread has begun, so that a busy or
sleepy thread delays nothing, and calls from several threads, even nested ones, can't wait for
each other in a circle.
"""

import itertools
import os
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from queue import SimpleQueue

Task = Callable[[int, int], None]
"""(first, last): does what belongs to the indices first <= index < last."""


@dataclass(frozen=True, slots=True)
class _Shared:
    """One call's work: the ranges that nobody has begun, and what became of the others."""

    task: Task
    ranges: deque[tuple[int, int]]
    outcomes: SimpleQueue[BaseException | None] = field(default_factory=SimpleQueue)

    def take_part(self) -> None:
        """Do ranges as long as there are any."""
        while True:
            try:
                first, last = self.ranges.popleft()
            except IndexError:
                return
            try:
                self.task(first, last)
            except BaseException as failure:
                self.outcomes.put(failure)
            else:
                self.outcomes.put(None)


def share(task: Task, count: int, threads: int) -> None:
    """Do `task` for all indices below `count`, split into one contiguous range per thread.

    An exception of any range is raised here, after all ranges have ended.
    """
    parts = min(count, threads)
    if parts <= 1:
        task(0, count)
        return
    ends = [count * part // parts for part in range(parts + 1)]
    shared = _Shared(task, deque(itertools.pairwise(ends)))
    requests = _pool.with_helpers(parts - 1)
    for _ in range(parts - 1):
        requests.put(shared)
    shared.take_part()
    failures = [failure for _ in range(parts) if (failure := shared.outcomes.get()) is not None]
    if failures:
        raise failures[0]


class _Pool:
    """The threads of this process that help; they start when they are first needed."""

    def __init__(self) -> None:
        self._requests: SimpleQueue[_Shared] = SimpleQueue()
        self._starting = threading.Lock()
        self._started = 0

    def with_helpers(self, count: int) -> "SimpleQueue[_Shared]":
        """Return the queue that at least so many threads wait at."""
        if self._started < count:
            with self._starting:
                while self._started < count:
                    self._started += 1
                    name = f"convbench-{self._started}"
                    threading.Thread(target=self._help, name=name, daemon=True).start()
        return self._requests

    def _help(self) -> None:
        while True:
            self._requests.get().take_part()


_pool = _Pool()


def _renew() -> None:
    global _pool
    _pool = _Pool()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_renew)  # threads don't survive a fork
