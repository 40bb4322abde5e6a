"""One `asv run` of one commit, shielded from the caller's shell, HOME and other runs.

asv 0.6.6 takes no locks: it rewrites `.asv-machine.json` in HOME and `benchmarks.json` in its
results folder. So every run gets a HOME, a results folder and a configuration of its own; only the
environments are shared, and the caller holds a lock on them.
"""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TextIO

from convbench.errors import MeasureFailed

INHERITED = (
    *("OPENBLAS_", "MKL_", "OMP_", "KMP_", "BLIS_", "GOTO_", "NUMBA_", "CONVBENCH_"),
    "PYTHONDONTWRITEBYTECODE",  # every start of Python would compile SciPy and Numba again
)
"""Prefixes of variables that change timings; they are dropped, and recorded with the run."""

SOME_BENCHMARKS_FAILED = 2
"""asv's exit code for a complete run in which a benchmark failed; the results are valid."""

SECONDS_TO_CLEAN_UP = 10

_COMPLAINT = re.compile(r"(wheels\.py|ERROR|asv|\w*Error): (?!STDERR)")
_PROGRESS = re.compile(r"^\[\s*(?P<percent>[\d.]+)%\] (?P<dots>·+) (?P<text>.+)$")


def shielded_environment(
    environ: Mapping[str, str], *, home: Path, constraints: Path
) -> tuple[dict[str, str], dict[str, str]]:
    """Return the variables asv runs with, and those of the caller that were dropped.

    A private HOME must not cost the caches and settings that live in the real one.
    """
    dropped = {name: value for name, value in environ.items() if name.startswith(INHERITED)}
    kept = {name: value for name, value in environ.items() if name not in dropped}
    real_home = Path(environ.get("HOME", "~")).expanduser()
    cache = environ.get("XDG_CACHE_HOME", str(real_home / ".cache"))
    defaults = {
        "XDG_CACHE_HOME": cache,
        "XDG_CONFIG_HOME": str(real_home / ".config"),
        "PIP_CACHE_DIR": str(Path(cache, "pip")),
        # Read as "compile: no". Modules that are never imported need no bytecode.
        "PIP_NO_COMPILE": "0",
    }
    if (real_home / ".gitconfig").exists():  # it may say which repositories are safe
        defaults["GIT_CONFIG_GLOBAL"] = str(real_home / ".gitconfig")
    # asv prints dots and arrows, whatever the locale.
    ours = {"HOME": str(home), "PYTHONUTF8": "1"}
    # asv installs its own tools (pip, wheel …) without versions.
    ours["PIP_CONSTRAINT"] = constraints.as_uri()  # pip splits the value at blanks
    return defaults | kept | ours, dropped


def constraints_of(lock: str) -> str:
    """Keep the versions of a lock file and drop its hashes.

    pip would ask for a hash of the project itself, which asv builds from a folder.
    """
    return "".join(f"{pin}\n" for pin in re.findall(r"^[^\s#]+==[^\s;]+", lock, re.MULTILINE))


def run_asv(
    arguments: list[str],
    *,
    environment: Mapping[str, str],
    folder: Path,
    log: Path,
    locks: Sequence[int],
    say: Callable[[str], None],
) -> int:
    """Run asv to its end, keep all it prints in `log`, and say how far it is.

    asv inherits the file descriptors `locks`: should this process be killed, what they lock stays
    locked until asv has ended as well.
    """
    command = [sys.executable, "-m", "asv", *arguments]
    with log.open("a") as file:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
            pass_fds=locks,
        )
        assert process.stdout is not None  # it is a pipe
        try:
            with process.stdout as output:
                _follow(output, file, say)
            return process.wait()
        finally:
            if process.poll() is None:
                _end(process)


def _end(process: subprocess.Popen[str]) -> None:
    """End asv with all it started: a benchmark that ran on would disturb the next measurement.

    asv gives every child a process group of its own, and cleans up on SIGINT alone; what is left
    of its session after that is killed.
    """
    process.send_signal(signal.SIGINT)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(SECONDS_TO_CLEAN_UP)
    deadline = time.monotonic() + SECONDS_TO_CLEAN_UP
    while (members := _session(process.pid)) and time.monotonic() < deadline:
        for pid in members:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)  # a killed process needs a moment to be gone
    process.wait()


def _session(leader: int) -> list[int]:
    """List the processes of a session that still run."""
    members = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            # pid (name) state parent group session …; the name may hold blanks and brackets.
            state, _, _, session = stat.read_text().rpartition(")")[2].split()[:4]
            if int(session) == leader and state != "Z":
                members.append(int(stat.parent.name))
    return members


def _follow(output: Iterable[str], log: TextIO, say: Callable[[str], None]) -> None:
    said_at = 0.0
    for line in output:
        log.write(line)
        match = _PROGRESS.match(line)
        if not match:
            if line.startswith("·"):
                say("  " + _readable(line.strip("· \n")))
            continue
        if len(match["dots"]) <= 2 or time.monotonic() - said_at > 10:
            said_at = time.monotonic()
            text = match["text"].split("  ")[0].strip()
            say(f"  {float(match['percent']):5.1f} %  {_readable(text)}")


def _readable(text: str) -> str:
    """Shorten the names of environments, which list all requirements, to their BLAS build."""
    return re.sub(r"\S*-CONVBENCH_BLAS([a-z]+)\S*", r"\1", text)


def check(exit_code: int, log: Path, start: int = 0) -> None:
    """Accept a complete run, with failed benchmarks or without; raise MeasureFailed otherwise.

    `start` is the position in the log where this call of asv begins. A condition that selects
    nothing is complete as well.
    """
    if exit_code in (0, SOME_BENCHMARKS_FAILED) or selected_nothing(exit_code, log, start):
        return
    raise MeasureFailed(
        f"asv stopped with exit code {exit_code}: {complaint(log, start)}; its output is in {log}"
        " (a commit that can't be built may be listed under skip_commits in the workflow's"
        " configuration)"
    )


def selected_nothing(exit_code: int, log: Path, start: int = 0) -> bool:
    """Tell whether asv stopped because no benchmark meets the condition."""
    return exit_code == 1 and complaint(log, start).endswith("No benchmarks selected")


def complaint(log: Path, start: int = 0) -> str:
    """Find the line of asv's output that says what went wrong, or give the last one."""
    text = log.read_bytes()[start:].decode(errors="replace")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if _COMPLAINT.match(line)]
    return (errors or lines or ["it printed nothing"])[-1]
