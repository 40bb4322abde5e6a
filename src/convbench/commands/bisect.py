"""Find the commit that made a benchmark slower: measure candidates, and stop as early as may be.

EVENT is the id that `convbench detect` prints. Commits between its last good and first bad one are
measured beside the good one until the first bad commit is known at the stated error. This runs the
code of the commits.
"""

import argparse
import math
import platform
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from convbench import asv_config, wheels
from convbench.commands.compare import interruptible, silent
from convbench.commands.options import add_config
from convbench.comparison.ancestry import Repository, repository
from convbench.comparison.arms import Cell
from convbench.comparison.bisection import FailureTrials, Record, TimeTrials, Trials, open_record
from convbench.comparison.cells import Described, selected
from convbench.comparison.environments import Environment
from convbench.comparison.project import Project, open_project
from convbench.errors import BadUsage, MeasureFailed
from convbench.report.bisection_text import (
    Bisected,
    as_json,
    closing_lines,
    opening_lines,
    step_line,
)
from convbench.results.event_lookup import Wanted, find_event
from convbench.results.grids import Grids
from convbench.results.raw_files import printable
from convbench.results.schema import params_text
from convbench.stats.bisection_search import Progress, Question, progress

EXAMPLES = """\
convbench bisect 3fa1
convbench bisect 3fa1 --error 0.01 --budget-minutes 30
convbench bisect --between v1.0 HEAD --bench "^run.Float32.time_run.*im2col"
"""
SEE_ALSO = "docs/comparing.md; convbench detect, convbench compare"
NO = "not reproduced here, or undecided"

Say = Callable[[str], None]

_NEAR = 3

_PROVIDERS = ("virtualenv", "conda", "mamba", "rattler")
"""What names of environments begin with, where asv makes them."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `convbench bisect`."""
    parser.add_argument(
        "event", nargs="?", default="", metavar="EVENT", help="id, or the first digits of it"
    )
    parser.add_argument(
        "--store",
        type=Path,
        metavar="DIR",
        default=Path("results/store"),
        help="what `convbench collect` wrote (default: results/store)",
    )
    add_config(parser)
    parser.add_argument(
        "--between",
        nargs=2,
        metavar=("GOOD", "BAD"),
        help="two commits instead of an event; needs --bench",
    )
    parser.add_argument("--bench", default="", metavar="REGEX", help="the one cell to time")
    parser.add_argument(
        "--error",
        type=float,
        metavar="P",
        default=0.05,
        help="greatest probability of naming a wrong commit (default: 0.05)",
    )
    parser.add_argument(
        "--budget-minutes",
        type=float,
        default=math.inf,
        metavar="M",
        help="time to measure (default: any)",
    )
    parser.add_argument(
        "--environment", default="", metavar="NAME", help="by its name or a part (default: its own)"
    )
    parser.add_argument(
        "--environment-type", default="", metavar="TYPE", help="asv's provider (default: its own)"
    )
    parser.add_argument("--threads", choices=("1", "all"), help="default: the event's, or 1")
    parser.add_argument("--json", action="store_true", help="print one JSON document instead")


def run(arguments: argparse.Namespace, say: Say) -> int:
    """Bisect; 0 when the commit or its range was found, 1 when not."""
    if not arguments.budget_minutes > 0:
        raise BadUsage(f"--budget-minutes {arguments.budget_minutes:g}: give a positive number")
    wanted = _wanted(arguments)
    config = _configuration(arguments, wanted)
    root = arguments.config.resolve().parent
    history = repository(root, config)
    question = Question(history.commits(wanted.good, wanted.bad), wanted.expected, arguments.error)
    with interruptible():
        outcome = _bisected(arguments, wanted, question, history, silent if arguments.json else say)
    for line in [as_json(outcome)] if arguments.json else closing_lines(outcome):
        say(line)
    return outcome.exit_code


def _wanted(arguments: argparse.Namespace) -> Wanted:
    """Read what is looked for, from the store or from the command line."""
    if arguments.between:
        if arguments.event or not arguments.bench:
            raise BadUsage("--between GOOD BAD needs --bench REGEX, and no EVENT besides")
        good, bad = arguments.between
        return Wanted(good=good, bad=bad, bench=arguments.bench, threads=arguments.threads or "1")
    if not arguments.event or arguments.bench:
        raise BadUsage("give EVENT, or --between GOOD BAD with --bench REGEX")
    wanted = find_event(arguments.store, arguments.event)
    return replace(wanted, threads=arguments.threads) if arguments.threads else wanted


def _configuration(arguments: argparse.Namespace, wanted: Wanted) -> Mapping[str, Any]:
    """Read asv's configuration, with the provider and the BLAS build that are wanted."""
    config = asv_config.read(arguments.config)
    config = asv_config.with_local_repository(config, arguments.config.resolve().parent)
    provider = wanted.environment.partition("-")[0]
    if arguments.environment_type or provider in _PROVIDERS:
        config["environment_type"] = arguments.environment_type or provider
    configured = asv_config.builds_of(config, asv_config.BLAS_AXIS)
    if not wanted.blas or not configured:
        return config
    known = tuple(dict.fromkeys((*configured, *wheels.BLAS_NAMES)))
    if wanted.blas not in known:
        raise BadUsage(
            f"the event's BLAS {wanted.blas!r} is no build; there are {', '.join(known)}"
        )
    if reason := asv_config.refused_build(wanted.blas, config.get("environment_type", "")):
        raise BadUsage(reason)
    return asv_config.with_builds(config, [wanted.blas], [wanted.threads])


def _bisected(
    arguments: argparse.Namespace,
    wanted: Wanted,
    question: Question,
    history: Repository,
    say: Say,
) -> Bisected:
    threads = wanted.threads
    with open_project(history.root, history.config, threads=threads, say=say) as project:
        place = _environment(project, arguments.environment, wanted, say)
        project.create([place], question.commits[0])
        cell, trials = _trials(project, place, wanted, question)
        asked = {
            "commits": list(question.commits),
            "expected": question.expected,
            "error": question.error,
            "cell": cell.name,
            "environment": place.name,
            "threads": threads,
            "machine": platform.node(),
        }
        record = open_record(project.house.folder, wanted.event or repr(asked), asked)
        told = Bisected(
            event=wanted.event,
            cell=cell.name,
            environment=place.name,
            threads=threads,
            has_times=wanted.has_times,
            question=question,
            progress=progress(question, record.values, record.skipped),
        )
        for line in opening_lines(told):
            say(line)
        deadline = time.monotonic() + 60 * arguments.budget_minutes
        measured(question, record, trials, deadline, _teller(say, has_times=wanted.has_times))
    return _described(told, progress(question, record.values, record.skipped), history)


def _teller(say: Say, *, has_times: bool) -> Callable[[Progress], None]:
    """Tell each verdict once."""
    told: set[str] = set()

    def tell(now: Progress) -> None:
        for number, step in enumerate((now.ends, *now.steps)):
            if step.verdict and step.commit not in told:
                told.add(step.commit)
                say(step_line(step, f"step {number}" if number else "ends", has_times=has_times))

    return tell


def measured(
    question: Question,
    record: Record,
    trials: Trials,
    deadline: float,
    tell: Callable[[Progress], None],
) -> None:
    """Measure what is wanted, block by block, until nothing is or the time is up.

    Raises
    ------
    MeasureFailed
        The ends can't be compared.
    """
    while True:
        now = progress(question, record.values, record.skipped)
        tell(now)
        if now.wanted is None:
            return record.finish()
        if time.monotonic() >= deadline:
            return None
        outcome = trials.block(now.wanted, len(record.values.get(now.wanted, ())))
        if isinstance(outcome, str) and now.wanted == question.commits[-1]:
            raise MeasureFailed(f"the two ends can't be compared: {printable(outcome)}")
        record.add(now.wanted, outcome)


def _environment(project: Project, asked: str, wanted: Wanted, say: Say) -> Environment:
    """Choose the environment: the one asked for, the event's own, or one of its BLAS build."""
    if asked or not wanted.environment:
        return project.environment(asked)
    known = project.environments()
    if same := [each for each in known if each.name == wanted.environment]:
        return same[0]
    axis = asv_config.BLAS_AXIS
    of_build = [each for each in known if each.variables.get(axis, "") == wanted.blas]
    if not of_build:
        return project.environment(wanted.environment)  # which says what there is
    theirs = printable(wanted.environment)
    say(f"note: the event's environment {theirs} is not here: {of_build[0].name}")
    return of_build[0]


def _trials(
    project: Project, place: Environment, wanted: Wanted, question: Question
) -> tuple[Cell, Trials]:
    """Find the cell, and give what measures it."""
    # A commit at which the suite can be imported: where it starts failing that is the good one.
    works = question.commits[0 if wanted.good_works else -1]
    arm = project.arm(place, works, works[:8])
    cell = the_cell(project.benchmarks(arm), wanted, project.timeout)
    if wanted.has_times:
        return cell, TimeTrials(project, place, arm, cell)
    return cell, FailureTrials(project, place, cell, wanted.good_works)


def the_cell(benchmarks: Sequence[Described], wanted: Wanted, timeout: float) -> Cell:
    """Find the one cell of the suite that is wanted."""
    if not wanted.event:
        try:
            cells = selected(benchmarks, wanted.bench, timeout)
        except re.error as error:
            raise BadUsage(f"--bench {wanted.bench!r} is no regular expression: {error}") from None
        name = f"--bench {wanted.bench!r}"
    else:
        name = f"{wanted.benchmark} with {wanted.params or 'no parameters'}"
        own = [
            each for each in benchmarks if each["comparable"] and each["name"] == wanted.benchmark
        ]
        cells = [
            cell
            for benchmark in own
            for cell, text in zip(
                selected([benchmark], "", timeout), _texts(benchmark), strict=True
            )
            if text == wanted.params
        ]
    if len(cells) == 1:
        return cells[0]
    few = ", ".join(printable(each.name) for each in cells[:_NEAR])
    raise BadUsage(
        f"{printable(name)} is {f'{len(cells)} cells' if cells else 'no timed cell'} of this"
        f" suite{f': {few} …' if cells else ''}; a bisection needs one"
    )


def _texts(benchmark: Described) -> list[str]:
    """Write a benchmark's combinations as the store's tables do, in the order of its cells."""
    grids = Grids()
    axes = tuple(tuple(axis) for axis in benchmark["params"])
    numbers = grids.codes(tuple(benchmark["param_names"]), axes)
    return [params_text(dict(grids.combinations[number])) for number in numbers]


def _described(told: Bisected, now: Progress, history: Repository) -> Bisected:
    """Add how far it came, and what the commit that was found says of itself."""
    commit = history.description(now.suspects.first_bad)
    return replace(
        told,
        progress=now,
        subject=commit.subject,
        author=commit.author,
        date=commit.date,
        is_merge=commit.is_merge,
    )
