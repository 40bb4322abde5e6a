"""One `asv run` of one commit, shielded from the caller's shell, HOME and other runs.

asv 0.6.6 takes no locks: it rewrites `.asv-machine.json` in HOME and `benchmarks.json` in its
results folder. So every run gets a HOME, a results folder and a configuration of its own; only the
environments are shared, and the caller holds a lock on them.
"""

import contextlib
import importlib
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, TextIO

from convbench.errors import BadUsage, MeasureFailed
from convbench.problem import DTYPES, ConvProblem
from convbench.strategies import STRATEGIES, Strategy
from convbench.workloads import WORKLOADS

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


def read_config(path: Path) -> dict[str, Any]:
    """Read an asv configuration, which may have comments and trailing commas, as asv itself does.

    asv also takes the name `asv.conf.jsonc`, where the usual file is not there.
    """
    if not path.exists() and path.with_suffix(".jsonc").exists():
        path = path.with_suffix(".jsonc")
    try:
        text = path.read_text(encoding="utf-8")
        config = _parsed(text)
    except FileNotFoundError:
        raise BadUsage(f"no asv configuration at {path}; name it with --config") from None
    except (ValueError, RecursionError) as error:
        said = " ".join(str(error).split())[:200]
        raise BadUsage(f"{path} is not valid JSON: {said}") from None
    if not isinstance(config, dict):
        raise BadUsage(f"{path} holds no JSON object, as an asv configuration must")
    return config


def _parsed(text: str) -> Any:
    """Parse plain JSON at once, anything else by asv's own reader, which is slow."""
    try:
        return json.loads(text)
    except ValueError:
        try:
            json5 = importlib.import_module("json5")
        except ImportError:  # it comes with asv
            raise ValueError(
                "it may have comments, which only convbench[measure] can read"
            ) from None
        return json5.loads(text)


def with_local_repository(config: Mapping[str, Any], root: Path) -> dict[str, Any]:
    """Give the configuration with a folder for its repository, where it names an address.

    asv clones an address; commits of a branch are not there. A checkout of the same repository that
    the configuration lies in has them: one whose name, or that of its remote, is the address's.
    """
    repo = str(config.get("repo", "."))
    if not re.match(r"[a-z+]+://|[\w.-]+@[\w.-]+:", repo):
        return dict(config)
    top = _asked(root, "rev-parse", "--show-toplevel")
    origin = _asked(root, "remote", "get-url", "origin")
    if top and _last_part(repo) in (_last_part(origin), _last_part(top)):
        return {**config, "repo": top}
    raise BadUsage(
        f"repo of the configuration is {repo}, and {root} lies in no checkout of it: clone it, and"
        " name the folder as repo"
    )


def _asked(folder: Path, *words: str) -> str:
    answer = subprocess.run(["git", "-C", str(folder), *words], capture_output=True, text=True)
    return answer.stdout.strip() if answer.returncode == 0 else ""


def _last_part(address: str) -> str:
    return re.split(r"[/:]", address.rstrip("/").removesuffix(".git"))[-1].lower()


def resolve(revision: str, repo: Path) -> str:
    """Return the full hash of a commit of a repository."""
    git = ["git", "-C", str(repo), "rev-parse", "--verify", "--end-of-options"]
    try:
        answer = subprocess.run([*git, f"{revision}^{{commit}}"], capture_output=True, text=True)
    except FileNotFoundError:
        raise BadUsage("git is not installed; it is needed to check commits out") from None
    if answer.returncode:
        reason = (answer.stderr.strip() or "git says nothing more").splitlines()[0]
        raise BadUsage(f"{revision!r} names no commit of the repository at {repo}: {reason}")
    return answer.stdout.strip()


def derived_config(config: Mapping[str, Any], root: Path, results: Path) -> dict[str, Any]:
    """Make a configuration that can lie anywhere and writes its results to one folder."""
    # asv splits commands like a shell, after it has put its own folder in.
    folder = shlex.quote(str(root))
    commands = {
        key: [line.replace("{conf_dir}", folder) for line in config.get(key, [])]
        for key in ("build_command", "install_command")
    }
    return {
        **config,
        **{key: lines for key, lines in commands.items() if lines},
        "repo": str(root / config.get("repo", ".")),
        "benchmark_dir": str(root / config.get("benchmark_dir", "benchmarks")),
        "env_dir": str(environments_folder(config, root)),
        "results_dir": str(results),
    }


def environments_folder(config: Mapping[str, Any], root: Path) -> Path:
    """Give the folder of asv's environments; asv's own default is `env`."""
    return root / str(config.get("env_dir", "env"))


BLAS_AXIS, THREADS_AXIS = "CONVBENCH_BLAS", "CONVBENCH_THREADS"
"""Variables of the two axes that tell asv's environments apart; results carry them."""

_PYPI_ONLY = ("blis",)
"""Builds that no package of a conda channel is asked for."""


def builds_of(config: Mapping[str, Any], axis: str) -> tuple[str, ...]:
    """List the values of an axis that a configuration has; none for another project's."""
    matrix = config.get("matrix", {})
    found = matrix.get("env", {}).get(axis) or matrix.get("env_nobuild", {}).get(axis) or ()
    return (found,) if isinstance(found, str) else tuple(found)


def with_builds(
    config: Mapping[str, Any], blas: Iterable[str], threads: Iterable[str]
) -> dict[str, Any]:
    """Make a configuration whose environments are these BLAS builds and numbers of threads.

    Builds that the configuration itself does not have come from the same two providers: a wheel
    that `wheels.py` makes, or a variant of the channel's `libblas`. The environments' names, hence
    their folders and result files, depend on a build alone and not on what stands beside it.
    """
    builds = tuple(dict.fromkeys(blas))
    matrix = config["matrix"]
    rules = [
        {"req": {"libblas": f".*{build}"}, "env": {BLAS_AXIS: f"(?!{build}).*"}}
        for build in builds
        if build not in builds_of(config, BLAS_AXIS)
    ]
    return {
        **config,
        "matrix": {
            **matrix,
            "req": {**matrix["req"], "libblas": [None, *(f"*=*{build}" for build in builds)]},
            "env": {**matrix["env"], BLAS_AXIS: list(builds)},
            "env_nobuild": {**matrix["env_nobuild"], THREADS_AXIS: list(dict.fromkeys(threads))},
        },
        "exclude": [*config.get("exclude", []), *rules],
    }


def refused_build(build: str, environment_type: str) -> str | None:
    """Say why a provider has no such build."""
    if build in _PYPI_ONLY and environment_type != "virtualenv":
        return f"{build} is a build of the PyPI provider alone: use --environment-type virtualenv"
    return None


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


ONCE = ("accuracy", "ceilings", "cold", "compile", "memory")
"""Modules of `benchmarks` whose values one round settles; the others are timed in every round."""

THREADED = ("ceilings", "control", "dense", "run.Float32")
"""What is measured with all threads as well: full convolutions, and what they are judged by.

Of the strategies those that compute on one thread alone are left out.
"""


def selection(
    *,
    once: bool,
    threads: str,
    bench: str = "",
    problems: Collection[str] = (),
    strategies: Collection[str] = (),
) -> str:
    """Regular expression of the benchmarks and cells to run.

    Parameters
    ----------
    once : bool
        Whether to run what is measured once, or what is timed in every round.
    threads : str
        A value of the axis; with more than one thread only `THREADED` is of interest.
    bench : str
        A further condition, the user's own.
    problems, strategies : collection of str
        The only ones to run; none stands for all. Benchmarks without such an axis, as the controls
        and the ceilings, are run all the same: they say what the others are worth.

    Notes
    -----
    Cells known to be skipped are left out: asv would start a process for each of them only to hear
    so. A strategy may refuse a problem, and one that no compiler is brought for can't compile.
    """
    conditions = [rf"(?{'=' if once else '!'}(?:{'|'.join(ONCE)})\.)"]
    if threads != "1":
        conditions += [rf"(?=(?:{'|'.join(map(re.escape, THREADED))})\.)"]
        conditions += [rf"(?!.*\('(?:{'|'.join(_single_threaded())})', )"]
    if strategies and (others := [name for name in STRATEGIES if name not in strategies]):
        conditions += [rf"(?!.*\('(?:{'|'.join(others)})', )"]
    if problems and (others := [name for name in WORKLOADS if name not in problems]):
        conditions += [rf"(?!.*\('\w+', '(?:{'|'.join(others)})', )"]
    if bench:
        conditions += [f"(?=.*(?:{bench}))"]
    if cells := _skipped_cells():
        conditions += [f"(?!.*(?:{'|'.join(cells)})$)"]
    return f"^{''.join(conditions)}"


def _single_threaded() -> list[str]:
    return [name for name, strategy in STRATEGIES.items() if not strategy.threaded]


@cache
def _skipped_cells() -> tuple[str, ...]:
    return tuple(cell for name, strategy in STRATEGIES.items() for cell in _skipped(name, strategy))


def _skipped(name: str, strategy: Strategy) -> Iterator[str]:
    if strategy.external:  # no axis has them
        return
    for dtype in DTYPES:
        refused = [
            problem_name
            for problem_name, arguments in WORKLOADS.items()
            if strategy.unsupported(ConvProblem(**arguments, dtype=dtype))
        ]
        if refused:
            yield rf"\('{name}', '(?:{'|'.join(refused)})', '{dtype}'\)"
    if "numba" not in strategy.brings:
        yield rf"\('{name}', '(?:cold|warm)'\)"


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
