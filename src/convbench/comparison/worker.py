"""The process that measures: a plain file, run by an arm's own interpreter (Python 3.8 and later).

It imports nothing of convbench but what the arm brings: both arms are timed by this same file, and
by the benchmarks of the current tree. asv_runner finds and sets up the benchmarks; the loop is
here, since asv_runner chooses the number of calls anew in every process.

    worker.py JOB DESCRIPTOR

JOB is a JSON file. One line of JSON is written to the file descriptor for each event:
``{"ready": true}`` when the suite is imported, then one answer per cell, in the order of the job.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import gc
import hashlib
import importlib
import inspect
import json
import math
import os
import pickle
import signal
import sys
import timeit
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

MOST_CALLS = 10_000_000
MOST_SAID = 300
"""Characters of an exception's text."""

LONGEST_SETUPS = 20
"""Where `setup` runs before every call, a sample may last so many times its intended length."""


def main(job_path: str, descriptor: int) -> None:
    """Do the job and report every step of it."""
    # This file's folder, unless PYTHONSAFEPATH is set: no neighbour may shadow the arm's modules.
    if sys.path and Path(sys.path[0]).resolve() == Path(__file__).resolve().parent:
        del sys.path[0]
    job = json.loads(Path(job_path).read_text(encoding="utf-8"))
    end_with(job["parent"])
    os.set_inheritable(descriptor, False)  # what a benchmark starts must not keep the pipe open
    me = os.getpid()
    sys.argv[1:] = [job["do"]]  # asv's own words, by which a suite knows what it is imported for
    pin(job["cpus"])
    with os.fdopen(descriptor, "w", encoding="utf-8") as report:

        def tell(event: dict[str, Any]) -> None:
            if os.getpid() != me:  # a benchmark forked and its child came back: nobody waits for it
                os._exit(0)
            report.write(json.dumps(event) + "\n")
            report.flush()

        # asv_runner is not at the top: libraries read thread variables when they are loaded.
        discovery = importlib.import_module("asv_runner.discovery")
        root = job["benchmarks"]
        discovery.update_sys_path(root)
        importlib.import_module(os.path.basename(root))  # noqa: PTH119
        tell({"ready": True})
        if job["do"] == "discover":
            for benchmark in discovery.disc_benchmarks(root):
                tell(described(benchmark))
        else:
            for cell in job["cells"]:
                start = timeit.default_timer()
                answer = measured(discovery, job, cell)
                tell({**answer, "took": timeit.default_timer() - start})
        tell({"strangers": strangers(job["path"])})


def end_with(parent: int) -> None:
    """Have Linux kill this process when its parent dies: a killed parent can't end it any more."""
    if sys.platform.startswith("linux"):
        set_parent_death_signal = 1
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGKILL)
        if os.getppid() != parent:  # it died before
            os._exit(1)


def pin(cpus: int) -> None:
    """Keep this process on the last CPUs that it may use; none means all of them."""
    if cpus and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-cpus:])


def described(benchmark: Any) -> dict[str, Any]:
    """Say what a benchmark is; `comparable` when its timed function runs in this process."""
    return {
        "name": benchmark.name,
        "params": benchmark.params,
        "param_names": benchmark.param_names,
        "comparable": benchmark.type == "time" and in_process(benchmark),
        "timeout": benchmark.timeout,
    }


def in_process(benchmark: Any) -> bool:
    """Tell a timed function from one whose code is run by an interpreter of its own."""
    return type(benchmark).__name__ != "TimerawBenchmark"


def measured(discovery: ModuleType, job: dict[str, Any], cell: dict[str, Any]) -> dict[str, Any]:
    """Measure one cell; whatever it raises is its own failure and nobody else's."""
    try:
        benchmark = found(discovery, job["benchmarks"], cell)
        with_cache(benchmark, Path(job["scratch"]))
        try:
            if benchmark.do_setup():
                return {"skipped": "its setup says that it is not implemented"}
            return timed(benchmark, job, cell)
        finally:
            benchmark.do_teardown()
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        text = " ".join(str(error).split())
        if type(error).__name__ == "SkipNotImplemented":
            return {"skipped": text or "not implemented"}
        return {"failed": (type(error).__name__ + ": " + text).rstrip(": ")[:MOST_SAID]}


def found(discovery: ModuleType, root: str, cell: dict[str, Any]) -> Any:
    """Give the benchmark with the cell's parameters set."""
    index = "" if cell["index"] is None else "-{}".format(cell["index"])
    try:
        return discovery.get_benchmark_from_name(root, cell["benchmark"] + index)
    finally:  # it adds the same finder every time
        finders = [each for each in sys.meta_path if type(each).__name__ == "SpecificImporter"]
        for finder in finders[:-1]:
            sys.meta_path.remove(finder)


def with_cache(benchmark: Any, scratch: Path) -> None:
    """Work where `setup_cache` left its files, and hand over its value, computed once per arm."""
    key = benchmark.setup_cache_key
    folder = scratch / ("none" if key is None else hashlib.sha256(key.encode()).hexdigest()[:16])
    folder.mkdir(parents=True, exist_ok=True)
    os.chdir(str(folder))
    if key is None:
        return
    kept = folder / "cache.pickle"
    if not kept.exists():
        partial = folder / "cache.partial"
        partial.write_bytes(pickle.dumps(benchmark.do_setup_cache()))
        partial.rename(kept)
    cache = pickle.loads(kept.read_bytes())
    if hasattr(benchmark, "set_cache"):
        benchmark.set_cache(cache)
    elif cache is not None:  # asv_runner before 0.3
        benchmark.insert_param(cache)


def timed(benchmark: Any, job: dict[str, Any], cell: dict[str, Any]) -> dict[str, Any]:
    """Take samples of a fixed number of calls; find that number first where it is not given."""
    parameters = tuple(benchmark._current_params)
    if getattr(benchmark, "_current_cache", None) is not None:
        parameters = (benchmark._current_cache, *parameters)
    function = functools.partial(benchmark.func, *parameters) if parameters else benchmark.func
    sample: Callable[[int], float]
    if benchmark._setups:
        sample = functools.partial(one_by_one, benchmark, function)
    else:
        sample = timeit.Timer(function, timer=benchmark.timer).timeit
    number = cell["number"] or benchmark.number or calibrated(sample, job["sample_seconds"])
    sample(max(1, number // 4))  # caches and branches are warm, memory is touched
    samples = sorted(sample(number) / number for _ in range(job["samples"]))
    seconds = float(samples[len(samples) // 4])  # what disturbs a sample only adds to it
    if not 0 < seconds < math.inf:
        raise ValueError(f"a sample lasts {seconds} s by its timer, which is no time")
    return {"number": number, "seconds": seconds}


def calibrated(sample: Callable[[int], float], enough: float) -> int:
    """Give the number of calls that last long enough; the first call, which compiles, is none."""
    sample(1)
    number = 1
    while number < MOST_CALLS:
        start = timeit.default_timer()
        seconds = sample(number)
        lasted = timeit.default_timer() - start
        if seconds >= enough or lasted >= LONGEST_SETUPS * enough:
            return number
        number = max(number + 1, int(number * min(10.0, 1.1 * enough / max(seconds, 1e-9))))
    return number


def one_by_one(benchmark: Any, function: Callable[[], Any], number: int) -> float:
    """Time calls each of which finds a fresh setup, as asv does where there is one."""
    timer, total = benchmark.timer, 0.0
    collecting = gc.isenabled()
    gc.disable()
    try:
        for _ in range(number):
            benchmark.do_teardown()
            benchmark.do_setup()
            start = timer()
            function()
            total += timer() - start
    finally:
        if collecting:
            gc.enable()
    return total


def strangers(path: list[str]) -> list[str]:
    """Name modules that the arm's folders hold, but that were imported from elsewhere."""
    wrong: set[str] = set()
    for folder in map(Path, path):
        held = {entry.name.split(".")[0] for entry in folder.iterdir()}
        for name in sorted(held & set(sys.modules)):
            try:
                source = Path(inspect.getfile(sys.modules[name])).resolve()
            except TypeError:
                continue  # a namespace, or built in
            if folder.resolve() not in source.parents:
                wrong.add(f"{name} from {source}")
    return sorted(wrong)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
