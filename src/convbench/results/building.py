"""Building parts, here or in several processes at once; parts don't depend on each other."""

import multiprocessing
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed

from convbench.results.part_building import PartBuilt, PartTask, build_part

MANY_BYTES = 200_000_000
"""From here on starting further processes (a second each) gains more than it costs."""

_SAY_EVERY_SECONDS = 2.0


def built_parts(
    tasks: list[PartTask], jobs: int | None, say: Callable[[str], None]
) -> Iterator[PartBuilt]:
    """Build every part, and say how far it is."""
    total = sum(len(task.files) for task in tasks)
    done, said_at = 0, time.monotonic()
    for built in _built(tasks, _processes(tasks, jobs)):
        yield built
        done += len(built.read) + len(built.damaged)
        if time.monotonic() - said_at > _SAY_EVERY_SECONDS and done < total:
            said_at = time.monotonic()
            say(f"read {done:,} of {total:,} files, {done / total:.0%}")


def _processes(tasks: list[PartTask], jobs: int | None) -> int:
    if jobs is None:
        size = sum(file.record.size_bytes for task in tasks for file in task.files)
        jobs = len(os.sched_getaffinity(0)) if size >= MANY_BYTES else 1
    return max(1, min(jobs, len(tasks)))


def _built(tasks: list[PartTask], processes: int) -> Iterator[PartBuilt]:
    if processes == 1:
        yield from map(build_part, tasks)
        return
    # New interpreters: Arrow's threads and a fork don't go together.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        futures = [pool.submit(build_part, task) for task in tasks]
        try:
            for future in as_completed(futures):
                yield future.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
