"""Measure one commit in all its environments, into one folder that is never rewritten."""

import argparse
import datetime
import platform
import re
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

from convbench import asv_run, measuring, wheels
from convbench.errors import BadUsage

SUMMARY = "measure one commit in all its environments on this machine"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `convbench measure`."""
    parser.add_argument("commit", help="commit, tag or branch to measure")
    parser.add_argument("--machine", default="", help="name to file results under (host name)")
    parser.add_argument(
        "--runs",
        type=Path,
        help="folder of all runs (default: results/runs; results/trials with --quick or --bench)",
    )
    parser.add_argument("--config", type=Path, default=Path("asv.conf.json"))
    parser.add_argument(
        "--environment-type",
        default="",
        help="asv's provider: virtualenv (PyPI), rattler or conda (default: the configuration's)",
    )
    parser.add_argument("--bench", default="", help="regular expression of benchmarks to run")
    parser.add_argument(
        "--quick", action="store_true", help="one call each: proves, measures nothing"
    )
    parser.add_argument("--again", action="store_true", help="measure even if a run exists already")
    parser.add_argument(
        "--only-environments", action="store_true", help="create the environments and stop"
    )
    parser.add_argument(
        "--stamp", type=Path, help="file to write the run's name to when it is whole"
    )


def run(arguments: argparse.Namespace, say: Callable[[str], None]) -> int:
    """Measure, unless this commit has been measured on this machine before."""
    planned = plan(arguments)
    check_host(planned)
    for signum in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, _interrupt)
    done = None if arguments.again else measuring.existing_run(planned)
    if done and not arguments.only_environments:
        say(f"{planned.commit[:8]} is measured already: {done}; --again measures it once more")
        return _finish(arguments, done)
    with (
        measuring.exclusive(planned.root) as lock,
        measuring.workplace(planned, lock) as place,
    ):
        if arguments.only_environments:
            say("creating environments: a few minutes, once")
            measuring.create_environments(planned, place, say)
            return 0
        say(f"measuring {planned.commit[:8]} on {planned.machine}")
        measuring.measure(planned, place, bench=arguments.bench, quick=arguments.quick, say=say)
    return _finish(arguments, planned.name)


def _finish(arguments: argparse.Namespace, done: str) -> int:
    if arguments.stamp:
        arguments.stamp.parent.mkdir(parents=True, exist_ok=True)
        arguments.stamp.write_text(f"{done}\n")
    return 0


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def plan(arguments: argparse.Namespace) -> measuring.Run:
    """Check the request and give the run its name."""
    root = arguments.config.resolve().parent
    config = asv_run.read_config(arguments.config)
    machine = arguments.machine or platform.node()
    if not re.fullmatch(r"[A-Za-z0-9_.-]+", machine) or machine.startswith("."):
        raise BadUsage(f"machine name {machine!r}: use letters, digits, dots, dashes, underscores")
    commit = resolve(arguments.commit, root)
    started_at = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    return measuring.Run(
        name=f"{commit[:8]}-{machine}-{started_at:%Y%m%dT%H%M%SZ}",
        commit=commit,
        machine=machine,
        environment_type=arguments.environment_type or config.get("environment_type", ""),
        config=config,
        root=root,
        runs=(arguments.runs or default_runs(arguments)).resolve(),
        started_at=started_at,
    )


def default_runs(arguments: argparse.Namespace) -> Path:
    """Keep trials out of the folder that is collected: their numbers mean less, or are few."""
    return Path("results/trials" if arguments.quick or arguments.bench else "results/runs")


def check_host(planned: measuring.Run) -> None:
    """Refuse a host that can't make the configured environments, before minutes are spent."""
    builds = planned.config.get("matrix", {}).get("env", {}).get("CONVBENCH_BLAS", [])
    if planned.environment_type == "virtualenv" and set(builds) & set(wheels.BACKENDS):
        try:
            wheels.check_host()
        except wheels.WheelsError as error:
            raise BadUsage(str(error)) from None


def resolve(revision: str, root: Path) -> str:
    """Return the full hash of a commit."""
    git = ["git", "-C", str(root), "rev-parse", "--verify", "--end-of-options"]
    try:
        answer = subprocess.run([*git, f"{revision}^{{commit}}"], capture_output=True, text=True)
    except FileNotFoundError:
        raise BadUsage("git is not installed; it is needed to check commits out") from None
    if answer.returncode:
        reason = (answer.stderr.strip() or "git says nothing more").splitlines()[0]
        raise BadUsage(f"{revision!r} names no commit of the repository at {root}: {reason}")
    return answer.stdout.strip()
