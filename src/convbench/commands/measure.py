"""Measure one commit in all its environments, into one folder that is never rewritten.

asv measures the benchmarks unit by unit, in rounds that take the environments in turns; a disturbed
unit is measured again, and facts of machine, BLAS and packages go with the results. A commit that
this machine has measured is not measured again unless asked for; an interrupted run is continued.
This runs the code of the commit and of its benchmarks.
"""

import argparse
import contextlib
import datetime
import math
import os
import platform
import re
import shlex
import shutil
import signal
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

from convbench import asv_config, claims, machine, measuring, runs, sweep, wheels
from convbench.commands.options import add_config
from convbench.errors import BadUsage

EXAMPLES = r"""
convbench measure HEAD
convbench measure v1.2 --machine bench-1 --budget-minutes 18

# another BLAS build, one group of benchmarks
convbench measure HEAD --blas openblas netlib --bench "^run\."
"""
SEE_ALSO = "docs/measuring.md; convbench collect, convbench reproduce"

_Held = TypeVar("_Held")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `convbench measure`."""
    parser.add_argument("commit", metavar="COMMIT", help="commit, tag or branch to measure")
    parser.add_argument("--again", action="store_true", help="measure even if a run exists already")
    parser.add_argument(
        "--only-environments", action="store_true", help="create the environments and stop"
    )
    _add_what(parser.add_argument_group("what is measured"))
    _add_where(parser.add_argument_group("where it is measured and kept"))


def _add_what(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--bench", metavar="REGEX", default="", help="benchmarks to run")
    group.add_argument(
        "--blas",
        nargs="+",
        metavar="BUILD",
        help=f"BLAS builds, of {', '.join(wheels.BLAS_NAMES)} (default: the configuration's)",
    )
    group.add_argument(
        "--threads",
        nargs="+",
        metavar="COUNT",
        help="numbers of threads, 1 and all (default: the configuration's)",
    )
    group.add_argument(
        "--problems",
        nargs="+",
        default=[],
        metavar="NAME",
        help="the only problems to measure, of all named ones (default: those of the suite's axes)",
    )
    group.add_argument(
        "--strategies",
        nargs="+",
        default=[],
        metavar="NAME",
        help="the only strategies to measure (default: all)",
    )
    group.add_argument(
        "--budget-minutes",
        type=float,
        metavar="M",
        help="measure as many rounds as fit into this time (default: two, however long they take)",
    )
    group.add_argument(
        "--quick", action="store_true", help="one call each: proves, measures nothing"
    )


def _add_where(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--machine", metavar="NAME", default="", help="name to file results under (host name)"
    )
    group.add_argument(
        "--runs",
        type=Path,
        metavar="DIR",
        help="folder of all runs (default: results/runs; results/trials with --quick or --bench)",
    )
    add_config(group)
    group.add_argument(
        "--environment-type",
        metavar="TYPE",
        default="",
        help="asv's provider: virtualenv (PyPI), rattler or conda (default: the configuration's)",
    )
    group.add_argument(
        "--env-dir",
        type=Path,
        metavar="DIR",
        help="folder of this machine's environments (default: env_dir of the configuration);"
        " only one measurement at a time uses a folder",
    )
    group.add_argument(
        "--wait",
        type=float,
        default=0,
        metavar="MINUTES",
        help="wait so long for a measurement that uses the same environments (default: 0)",
    )
    group.add_argument(
        "--stamp", type=Path, metavar="FILE", help="write the run's name there when it is whole"
    )


def run(arguments: argparse.Namespace, say: Callable[[str], None]) -> int:
    """Measure, unless this commit has been measured on this machine before."""
    planned = plan(arguments)
    check_host(planned)
    runs.check_machine(planned, machine.host())
    for signum in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, _interrupt)
    if done := _measured_already(arguments, planned, say):
        return _finish(arguments, done)
    with contextlib.ExitStack() as held:

        def claim(what: contextlib.AbstractContextManager[_Held]) -> _Held:
            return held.enter_context(what)

        lock = claims.patiently(
            lambda: claim(claims.exclusive(planned.environments)), arguments.wait, say
        )
        if arguments.only_environments:
            planned, run_lock = claim(claims.new_run(planned))
            place = claim(measuring.workplace(planned, lock, run_lock))
            say("creating environments: a few minutes, once")
            measuring.create_environments(place, say)
            return 0
        planned, run_lock = claims.patiently(
            lambda: claim(claims.interrupted_run(planned)), arguments.wait, say
        )
        # Whoever held what was waited for may have measured it.
        if done := _measured_already(arguments, planned, say):
            shutil.rmtree(planned.unfinished)
            return _finish(arguments, done)
        place = claim(measuring.workplace(planned, lock, run_lock))
        say(f"measuring {planned.commit[:8]} on {planned.machine}{_budget(planned)}")
        if planned.budget_minutes is not None:
            measuring.create_environments(place, say)  # which the budget is not meant for
        measuring.measure(place, say)
    return _finish(arguments, planned.name)


def _measured_already(
    arguments: argparse.Namespace, planned: runs.Run, say: Callable[[str], None]
) -> str | None:
    if arguments.again or arguments.only_environments:
        return None
    done = runs.existing_run(planned)
    if done:
        say(f"{planned.commit[:8]} is measured already: {done}; --again measures it once more")
    return done


def _budget(planned: runs.Run) -> str:
    if planned.budget_minutes is None:
        return ""
    return f": {planned.budget_minutes:g} minutes are planned"


def _finish(arguments: argparse.Namespace, done: str) -> int:
    if arguments.stamp:
        arguments.stamp.parent.mkdir(parents=True, exist_ok=True)
        partial = arguments.stamp.with_name(f".{done}.partial")
        partial.write_text(f"{done}\n")
        partial.replace(arguments.stamp)
    return 0


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def plan(arguments: argparse.Namespace) -> runs.Run:
    """Check the request and give the run its name."""
    root = arguments.config.resolve().parent
    config = asv_config.read(arguments.config)
    if arguments.env_dir:
        config["env_dir"] = str(arguments.env_dir.expanduser().resolve())
    provider = arguments.environment_type or config.get("environment_type", "")
    machine_name = arguments.machine or platform.node()
    if not re.fullmatch(r"[A-Za-z0-9_.-]+", machine_name) or machine_name.startswith("."):
        raise BadUsage(
            f"machine name {machine_name!r}: use letters, digits, dots, dashes, underscores"
        )
    if arguments.budget_minutes is not None and not 0 < arguments.budget_minutes < math.inf:
        raise BadUsage(f"--budget-minutes {arguments.budget_minutes:g}: give a positive number")
    if not 0 <= arguments.wait < math.inf:
        raise BadUsage(f"--wait {arguments.wait:g}: give a number of minutes, 0 for none")
    check_condition(arguments.bench)
    sweep.check(arguments.problems, arguments.strategies)
    blas = axis_values(config, asv_config.BLAS_AXIS, arguments.blas, wheels.BLAS_NAMES)
    threads = axis_values(config, asv_config.THREADS_AXIS, arguments.threads, ("1", "all"))
    for build in blas:
        if reason := asv_config.refused_build(build, provider):
            raise BadUsage(reason)
    if arguments.threads is None and threads == ("1", "all") and available_cpus() == 1:
        threads = ("1",)  # all of them would be the same measurement
    commit = asv_config.resolve(arguments.commit, root)
    started_at = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    return runs.Run(
        name=runs.run_name(commit, machine_name, started_at),
        commit=commit,
        machine=machine_name,
        environment_type=provider,
        blas=blas,
        threads=threads,
        config=asv_config.with_builds(config, blas, threads),
        root=root,
        runs=(arguments.runs or default_runs(arguments)).resolve(),
        started_at=started_at,
        bench=arguments.bench,
        problems=tuple(sorted(set(arguments.problems))),
        strategies=tuple(sorted(set(arguments.strategies))),
        quick=arguments.quick,
        budget_minutes=arguments.budget_minutes,
        command=shlex.join(["convbench", *sys.argv[1:]]),
    )


def axis_values(
    config: dict[str, Any], axis: str, wanted: list[str] | None, accepted: Iterable[str]
) -> tuple[str, ...]:
    """Take the values of an axis that were asked for, else the configuration's."""
    configured = asv_config.builds_of(config, axis)
    if not configured:
        raise BadUsage(
            f"the asv configuration has no axis {axis} in its matrix: `convbench measure` runs"
            " convbench's own suite; use `asv run` for another, and `convbench collect` for both"
        )
    accepted = tuple(dict.fromkeys((*configured, *accepted)))
    for value in wanted or ():
        if value not in accepted:
            raise BadUsage(f"{axis} {value!r}: the values are {', '.join(accepted)}")
    return tuple(dict.fromkeys(wanted or configured))


def check_condition(bench: str) -> None:
    """Refuse a condition that is no regular expression, before asv would."""
    try:
        re.compile(bench)
    except re.error as error:
        raise BadUsage(f"--bench {bench!r} is no regular expression: {error}") from None


def available_cpus() -> int:
    """Count the CPUs that a measuring process may use."""
    return len(os.sched_getaffinity(0))


def default_runs(arguments: argparse.Namespace) -> Path:
    """Keep trials out of the folder that is collected: their numbers mean less, or are few."""
    return Path("results/trials" if arguments.quick or arguments.bench else "results/runs")


def check_host(planned: runs.Run) -> None:
    """Refuse a host that can't make the configured environments, before minutes are spent."""
    builds = [build for build in planned.blas if build in wheels.BACKENDS]
    if planned.environment_type == "virtualenv" and builds:
        try:
            wheels.check_host(*builds)
        except wheels.WheelsError as error:
            raise BadUsage(str(error)) from None
