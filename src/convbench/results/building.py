"""Building parts, here or in several processes at once; parts don't depend on each other."""

import multiprocessing
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.connection import wait

from convbench.results.part_building import PartBuilt, PartTask, build_part

BYTES_PER_PROCESS = 100_000_000
"""Below this, starting a process (a second) costs more than it gains."""

_SAY_EVERY_SECONDS = 2.0


def built_parts(
    tasks: list[PartTask], jobs: int, say: Callable[[str], None]
) -> Iterator[PartBuilt]:
    """Build every part, in their order, and say how far it is."""
    total = sum(len(task.files) for task in tasks)
    done, said_at = 0, time.monotonic()
    for built in _built(tasks, _processes(tasks, jobs)):
        yield built
        done += len(built.read) + len(built.damaged)
        if time.monotonic() - said_at > _SAY_EVERY_SECONDS and done < total:
            said_at = time.monotonic()
            say(f"read {done:,} of {total:,} files, {done / total:.0%}")


def _processes(tasks: list[PartTask], jobs: int) -> int:
    size = sum(file.record.size_bytes for task in tasks for file in task.files)
    return max(1, min(jobs, len(tasks), size // BYTES_PER_PROCESS))


def _built(tasks: list[PartTask], processes: int) -> Iterator[PartBuilt]:
    if processes == 1:
        yield from map(build_part, tasks)
        return
    # New interpreters: Arrow's threads and a fork don't go together.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context, initializer=_end_with_parent) as pool:
        try:
            yield from pool.map(build_part, tasks)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _end_with_parent() -> None:
    """End this process when its parent is gone, killed ones included."""
    parent = multiprocessing.parent_process()

    def watch() -> None:
        if parent is not None:
            wait([parent.sentinel])
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
