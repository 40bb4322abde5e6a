"""Who may measure: locks on environments and on runs, also between machines that share a folder.

Two measurements never use the same environments, and never write to the same run. `flock` holds
between machines where their file system says so, as NFS does, and a killed process holds nothing.
"""

import contextlib
import datetime
import fcntl
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from convbench import runs, units
from convbench.errors import Busy
from convbench.runs import Run

SECONDS_BETWEEN_LOOKS = 1.0

_LOCK = ".lock-"
"""Prefix of the file that is locked while a run is measured.

Beside the run's folder, not in it: NFS can't remove a folder with an open file.
"""

_Claimed = TypeVar("_Claimed")


@contextlib.contextmanager
def exclusive(environments: Path) -> Iterator[int]:
    """Hold a folder of environments; a second measurement with them would disturb both.

    Yields the file descriptor of the lock, for asv to hold it as well.
    """
    environments.mkdir(parents=True, exist_ok=True)
    path = environments / "measure.lock"
    with _locked(path, f"another measurement is running here ({path} is locked)") as lock:
        yield lock


def patiently(
    claim: Callable[[], _Claimed], minutes: float, say: Callable[[str], None]
) -> _Claimed:
    """Claim what another measurement may hold, for so long; raises Busy when it still does."""
    deadline = time.monotonic() + 60 * minutes
    told = False
    while True:
        try:
            return claim()
        except Busy as busy:
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                raise
            if not told:
                say(f"{busy}: waiting for it, {minutes:g} minutes at most")
            told = True
            time.sleep(min(remaining, SECONDS_BETWEEN_LOOKS))


@contextlib.contextmanager
def interrupted_run(planned: Run) -> Iterator[tuple[Run, int]]:
    """Hold the run that the request continues: an interrupted one, else a new one.

    What older or unreadable runs of this machine left is cleared; what another process measures,
    and what another machine left, is not touched.

    Raises
    ------
    Busy
        Another process measures exactly this under the same name of a machine.
    """
    for leftover in sorted(planned.runs.glob(f"{runs.UNFINISHED}*")):
        name = leftover.name.removeprefix(runs.UNFINISHED)
        if runs.machine_of(name) != planned.machine:
            continue
        with contextlib.ExitStack() as held:
            try:
                lock = held.enter_context(_held(leftover))
            except Busy:
                journal = units.read_journal(leftover)
                if journal and journal.request == planned.request:
                    raise
                continue
            journal, started_at = runs.interrupted(leftover, planned.started_at)
            if journal is None:
                shutil.rmtree(leftover, ignore_errors=True)
            elif journal.request == planned.request:
                yield replace(planned, name=name, started_at=started_at), lock
                return
    with new_run(planned) as (run, lock):
        units.begin(run.unfinished, run.request)  # by which others know what is being measured
        yield run, lock


@contextlib.contextmanager
def new_run(planned: Run) -> Iterator[tuple[Run, int]]:
    """Hold a run that begins now, under a name that no other has: it ends with the next second."""
    planned.runs.mkdir(parents=True, exist_ok=True)
    moment = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    while True:
        run = planned.begun(moment)
        moment += datetime.timedelta(seconds=1)
        if run.unfinished.exists() or (run.runs / run.name).exists():
            continue
        with contextlib.suppress(FileExistsError):
            # Made here or not at all, before the folder, by which others know of the run.
            _lock_of(run.unfinished).touch(exist_ok=False)
            break
    with _held(run.unfinished) as lock:
        run.unfinished.mkdir()
        yield run, lock


@contextlib.contextmanager
def _held(unfinished: Path) -> Iterator[int]:
    """Lock an unfinished run; the lock's file goes with the run's folder."""
    path = _lock_of(unfinished)
    with _locked(path, f"the same is being measured already ({path} is locked)") as lock:
        try:
            yield lock
        finally:
            if not unfinished.exists():
                path.unlink(missing_ok=True)


def _lock_of(unfinished: Path) -> Path:
    name = unfinished.name.removeprefix(runs.UNFINISHED)
    return unfinished.with_name(f"{_LOCK}{name}")


@contextlib.contextmanager
def _locked(path: Path, refusal: str) -> Iterator[int]:
    with path.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Busy(refusal) from None
        yield lock.fileno()
