"""One worker process: started fresh, followed through a pipe, ended with all it started."""

import contextlib
import hashlib
import json
import os
import select
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from convbench.comparison.arms import Arm, Place
from convbench.errors import MeasureFailed

WORKER = Path(__file__).with_name("worker.py")

SECONDS_TO_IMPORT = 600.0
"""Until a suite is imported; kernels may be compiled meanwhile."""


SECONDS_TO_END = 10.0

MOST_SAID = 300
"""Characters of a line that a process printed."""


@dataclass(frozen=True, slots=True)
class Order:
    """What one process is asked to time.

    Attributes
    ----------
    place : Place
        The benchmark.
    timeout : float
        Seconds after which the process is ended and the cell has failed.
    number : int
        Calls per sample; 0 asks the process to find it.
    """

    place: Place
    timeout: float
    number: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """What a process says of one cell; exactly one of the three says something.

    Attributes
    ----------
    seconds : float
        Time of one call, the lower quartile of the samples; 0 without one.
    number : int
        Calls per sample.
    failed, skipped : str
        Why there is no time.
    took : float
        Seconds that the process spent on the cell, setup and warm-up included, whatever came of it.
    """

    seconds: float = 0.0
    number: int = 0
    failed: str = ""
    skipped: str = ""
    took: float = 0.0

    @property
    def fine(self) -> bool:
        """Whether there is a time."""
        return not self.failed and not self.skipped


@dataclass(frozen=True, slots=True)
class Workshop:
    """What all processes of a comparison have in common.

    Attributes
    ----------
    benchmarks : Path
        Folder of the suite: that of the current tree.
    environment : mapping of str to str
        Variables, the same for all.
    scratch : Path
        Folder for jobs, for what `setup_cache` leaves, and for what the processes print.
    cpus : int
        How many CPUs a process is pinned to; 0 for all that there are.
    samples : int
        Samples per process and cell. Their lower quartile counts: what disturbs a sample only adds
        to it, and medians scattered two to three times as much from process to process.
    sample_seconds : float
        What a sample should last at least; a call that lasts longer is a sample.
    lock : int or None
        File descriptor that the processes hold as well, should this one be killed.
    """

    benchmarks: Path
    environment: Mapping[str, str]
    scratch: Path
    cpus: int = 1
    samples: int = 7
    sample_seconds: float = 0.001
    lock: int | None = None

    @property
    def log(self) -> Path:
        """File of what the processes print."""
        return self.scratch / "output.log"


def discover(shop: Workshop, arm: Arm) -> list[dict[str, Any]]:
    """List the benchmarks of the suite, as the worker describes them."""
    found: list[dict[str, Any]] = []
    with _worker(shop, arm, {"do": "discover"}) as process:
        try:
            while "strangers" not in (line := process.line(SECONDS_TO_IMPORT)):
                found.append(line)
        except (EOFError, TimeoutError):
            process.end()
            raise MeasureFailed(
                f"{arm.label} can't list the benchmarks: {_last_line(shop.log)}"
            ) from None
    return found


def import_once(shop: Workshop, arm: Arm) -> None:
    """Import the suite in a process that times nothing: what it compiles is on disk afterwards.

    Raises
    ------
    MeasureFailed
        The arm can't import it, or not with its own package.
    """
    _measure(shop, arm, [])


@dataclass(frozen=True, slots=True)
class Timed:
    """What one arm's turn gave.

    Attributes
    ----------
    answers : list of Answer
        In the order of the orders.
    pids : list of int
        The fresh process; further ones where a cell ended it.
    starting : float
        Seconds that were not spent on cells: starts, imports.
    """

    answers: list[Answer]
    pids: list[int]
    starting: float


def measure(shop: Workshop, arm: Arm, orders: Sequence[Order]) -> Timed:
    """Time cells in one fresh process, and what is left in another one when a cell ends it."""
    start = time.monotonic()
    answers: list[Answer] = []
    pids = []
    while len(answers) < len(orders):
        some, pid = _measure(shop, arm, orders[len(answers) :])
        answers += some
        pids.append(pid)
    spent = time.monotonic() - start - sum(answer.took for answer in answers)
    return Timed(answers, pids, spent)


def _measure(shop: Workshop, arm: Arm, orders: Sequence[Order]) -> tuple[list[Answer], int]:
    """Time cells until all are done, or one of them ends the process and has failed."""
    cells = [
        {"benchmark": order.place.benchmark, "index": order.place.index, "number": order.number}
        for order in orders
    ]
    answers: list[Answer] = []
    with _worker(shop, arm, {"do": "run", "cells": cells}) as process:
        for order in orders:
            start = time.monotonic()
            try:
                answers.append(Answer(**process.line(order.timeout)))
                continue
            except TimeoutError:
                failed = f"took more than {order.timeout:g} s"
            except EOFError:
                failed = process.end()
            took = time.monotonic() - start
            return [*answers, Answer(failed=failed, took=took)], process.pid
        with contextlib.suppress(EOFError, TimeoutError):
            if strangers := process.line(SECONDS_TO_IMPORT)["strangers"]:
                raise MeasureFailed(
                    f"{arm.label} did not use its own package but {strangers[0]};"
                    " the suite or the environment puts another one in front"
                )
    return answers, process.pid


class _Worker:
    """A running process and the pipe on which it reports."""

    def __init__(self, process: subprocess.Popen[bytes], report: int) -> None:
        self.pid = process.pid
        self._process = process
        self._report = report
        self._text = b""

    def line(self, seconds: float) -> dict[str, Any]:
        """Wait for one line; raises TimeoutError, or EOFError when the process has ended."""
        deadline = time.monotonic() + seconds
        while b"\n" not in self._text:
            ready, _, _ = select.select([self._report], [], [], max(0, deadline - time.monotonic()))
            if not ready:
                raise TimeoutError
            read = os.read(self._report, 65536)
            if not read:
                raise EOFError
            self._text += read
        text, _, self._text = self._text.partition(b"\n")
        answer: dict[str, Any] = json.loads(text)
        return answer

    def end(self) -> str:
        """Say how the process ended; it closes the pipe first and then says what was wrong."""
        try:
            code = self._process.wait(SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            return "its process reported nothing more"
        if code < 0:
            return f"its process was ended by {signal.Signals(-code).name}"
        return f"its process ended with exit code {code}"


@contextlib.contextmanager
def _worker(shop: Workshop, arm: Arm, job: Mapping[str, Any]) -> Iterator[_Worker]:
    """Start a process and wait until its suite is imported; end it with its group afterwards."""
    path = [str(folder) for folder in arm.path]
    common = {
        "benchmarks": str(shop.benchmarks),
        "cpus": shop.cpus,
        "samples": shop.samples,
        "sample_seconds": shop.sample_seconds,
        "path": path,
        "parent": os.getpid(),
    }
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=shop.scratch)))
        file = folder / "job.json"
        scratch = _scratch(shop, arm)
        file.write_text(json.dumps({**common, **job, "scratch": str(scratch)}))
        log = stack.enter_context(shop.log.open("wb"))
        report, told = os.pipe()
        stack.callback(os.close, report)
        process = subprocess.Popen(
            [str(arm.python), str(WORKER), str(file), str(told)],
            cwd=folder,
            env={**shop.environment, **arm.variables, "PYTHONPATH": os.pathsep.join(path)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=[told, *([] if shop.lock is None else [shop.lock])],
        )
        stack.callback(end_group, process)
        os.close(told)
        worker = _Worker(process, report)
        try:
            worker.line(SECONDS_TO_IMPORT)
        except (EOFError, TimeoutError):
            worker.end()
            raise MeasureFailed(
                f"{arm.label} can't import the benchmarks: {_last_line(shop.log)}"
            ) from None
        yield worker


def _scratch(shop: Workshop, arm: Arm) -> Path:
    """Give an arm's folder: names of one length, since a path is part of a process's memory."""
    identity = repr((arm.label, arm.python, sorted(arm.variables.items()), arm.path))
    folder = shop.scratch / f"arm-{hashlib.sha256(identity.encode()).hexdigest()[:16]}"
    folder.mkdir(exist_ok=True)
    return folder


def end_group(process: subprocess.Popen[bytes]) -> None:
    """End a process and its group: whatever ran on would disturb the next one."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _last_line(log: Path) -> str:
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return (lines or ["it printed nothing"])[-1][:MOST_SAID]
