"""What a command line asks to compare, made into two arms and the cells that both have."""

import contextlib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from convbench import asv_config, wheels
from convbench.comparison.arms import Arm, Cell
from convbench.comparison.blocks import Bench
from convbench.comparison.cells import paired, selected
from convbench.comparison.environments import Environment, chosen
from convbench.comparison.processes import import_once
from convbench.comparison.project import Project, open_project, resolve
from convbench.errors import BadUsage

KINDS = ("blas", "environment", "strategy")
"""What may stand before a colon; anything else is a commit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A comparison as asked for.

    Attributes
    ----------
    base, head : str
        Two commits, or two of one kind: `blas:NAME`, `environment:NAME`, `strategy:NAME`.
    config : Path
        asv's configuration.
    at : str
        The commit at which builds, environments or strategies are compared.
    environment : str
        Name, or part of it, of the environment of commits and strategies; the first one if empty.
    environment_type : str
        asv's provider; the configuration's if empty.
    threads : str
        "1" or "all".
    bench : str
        Regular expression of the cells.
    parameters : tuple of str
        Names of the parameter that says the strategy.
    seed : int
        Of the order of the cells.
    """

    base: str
    head: str
    config: Path
    at: str = "HEAD"
    environment: str = ""
    environment_type: str = ""
    threads: str = "1"
    bench: str = ""
    parameters: tuple[str, ...] = ("strategy",)
    seed: int = 0

    @property
    def kind(self) -> str:
        """What the two are: "commit" or one of `KINDS`."""
        kinds = {_kind(word) for word in (self.base, self.head)}
        if len(kinds) > 1:
            raise BadUsage(
                f"{self.base} and {self.head} are of two kinds; give two commits, or twice"
                " blas:NAME, environment:NAME or strategy:NAME"
            )
        return kinds.pop()

    @property
    def names(self) -> tuple[str, str]:
        """The two without their kind."""
        prefix = "" if self.kind == "commit" else f"{self.kind}:"
        return self.base.removeprefix(prefix), self.head.removeprefix(prefix)


def _kind(word: str) -> str:
    kind, colon, _ = word.partition(":")
    return kind if colon and kind in KINDS else "commit"


@contextlib.contextmanager
def contest(request: Request, say: Callable[[str], None]) -> Iterator[tuple[Bench, list[Cell]]]:
    """Make the arms and find the cells; the project stays locked until the comparison ends.

    Raises
    ------
    BadUsage
        What was asked for does not exist.
    MeasureFailed
        An environment can't be made, or a commit can't be built.
    """
    kind = request.kind
    if kind == "environment" and request.environment:
        raise BadUsage("environments are compared: --environment names none besides")
    _check_condition(request.bench)
    root = request.config.resolve().parent
    config = _config(request)
    commits = request.names if kind == "commit" else (request.at, request.at)
    hashes = tuple(resolve(each, root, config) for each in commits)
    with open_project(root, config, threads=request.threads, say=say) as project:
        places = _environments(project, request)
        project.create(places, hashes[1])
        arms = _arms(project, request, places, (hashes[0], hashes[1]))
        cells = _cells(project, request, arms[1])
        say("importing the suite in both arms: it may compile, the first time")
        for arm in arms:
            import_once(project.shop, arm)
        yield Bench(project.shop, arms, request.seed), cells


def _check_condition(condition: str) -> None:
    try:
        re.compile(condition)
    except re.error as error:
        raise BadUsage(f"--bench {condition!r} is no regular expression: {error}") from None


def _config(request: Request) -> Mapping[str, Any]:
    root = request.config.resolve().parent
    config = asv_config.with_local_repository(asv_config.read(request.config), root)
    if request.environment_type:
        config["environment_type"] = request.environment_type
    if request.kind != "blas":
        return config
    configured = asv_config.builds_of(config, asv_config.BLAS_AXIS)
    if not configured:
        raise BadUsage(
            f"{request.config} has no axis {asv_config.BLAS_AXIS}; compare environment:NAME"
            " environment:NAME instead"
        )
    known = tuple(dict.fromkeys((*configured, *wheels.BLAS_NAMES)))
    for build in request.names:
        if build not in known:
            raise BadUsage(f"blas:{build} is no build; there are {', '.join(known)}")
        if reason := asv_config.refused_build(build, config.get("environment_type", "")):
            raise BadUsage(reason)
    return asv_config.with_builds(config, request.names, [request.threads])


def _environments(project: Project, request: Request) -> tuple[Environment, Environment]:
    base, head = request.names
    if request.kind == "environment":
        known = project.environments()
        return chosen(known, base), chosen(known, head)
    if request.kind == "blas":
        return _of_build(project, request, base), _of_build(project, request, head)
    one = project.environment(request.environment)
    return one, one


def _of_build(project: Project, request: Request, build: str) -> Environment:
    """Give the environment of a BLAS build."""
    found = [
        each
        for each in project.environments()
        if each.variables.get(asv_config.BLAS_AXIS) == build and request.environment in each.name
    ]
    if not found:
        raise BadUsage(f"the configuration gives no environment of the build {build}")
    return found[0]


def _arms(
    project: Project,
    request: Request,
    places: tuple[Environment, Environment],
    hashes: tuple[str, str],
) -> tuple[Arm, Arm]:
    labels = (request.base, request.head)
    if request.kind == "commit":
        labels = _commit_label(request.base, hashes[0]), _commit_label(request.head, hashes[1])
    base, head = (
        project.arm(place, commit, label)
        for place, commit, label in zip(places, hashes, labels, strict=True)
    )
    return base, head


def _commit_label(word: str, commit: str) -> str:
    return commit[:8] if commit.startswith(word) else f"{word} {commit[:8]}"


def _cells(project: Project, request: Request, arm: Arm) -> list[Cell]:
    benchmarks = project.benchmarks(arm)
    if request.kind == "strategy":
        cells = paired(
            benchmarks,
            request.bench,
            project.timeout,
            strategies=request.names,
            parameters=request.parameters,
        )
    else:
        cells = selected(benchmarks, request.bench, project.timeout)
    if not cells:
        timed = sum(each["comparable"] for each in benchmarks)
        what = f"--bench {request.bench!r} selects none of" if request.bench else "there is none in"
        raise BadUsage(f"no cell to compare: {what} the suite's {timed} timed benchmarks")
    return cells
