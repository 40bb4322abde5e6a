"""Measuring runs: what one is, which have been made, and which goes on.

A run is a folder. While it is measured its name begins with a dot; the same request goes on with it
after an interruption. Once published nothing rewrites it.
"""

import contextlib
import datetime
import hashlib
import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from convbench import asv_config, machine, units, wheels
from convbench.errors import BadUsage

FACTS_FORMAT = 2
"""Of the file `facts.json` in a run's folder."""

UNFINISHED = ".unfinished-"
"""Prefix of a run's folder until it is published; collecting passes hidden folders over."""

NAMED_TIME = "%Y%m%dT%H%M%SZ"
"""How the name of a run ends: when it began, in UTC."""

COMMIT_DIGITS = 8
"""How much of a commit's hash the name of a run begins with."""

CONTINUED_FOR = datetime.timedelta(days=1)
"""Age up to which an interrupted run is continued: its parts should be of one state of things."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One measuring run: what is measured, where it goes.

    Attributes
    ----------
    name : str
        Name of the run's folder.
    commit, machine, environment_type : str
        The full hash, the name results are filed under, asv's provider.
    blas, threads : tuple of str
        The builds and numbers of threads, values of the axes.
    config : dict
        asv's configuration, with these values on its axes.
    root, runs : Path
        The project's folder, and the folder of all runs.
    started_at : datetime
        In UTC.
    bench : str
        Condition on the benchmarks; empty for all.
    problems, strategies : tuple of str
        The only ones that are measured; empty for all.
    quick : bool
        One call each, which proves and measures nothing.
    budget_minutes : float or None
        Time for the units.
    command : str
        What was asked for, in words.
    """

    name: str
    commit: str
    machine: str
    environment_type: str
    blas: tuple[str, ...]
    threads: tuple[str, ...]
    config: dict[str, Any]
    root: Path
    runs: Path
    started_at: datetime.datetime
    bench: str = ""
    problems: tuple[str, ...] = ()
    strategies: tuple[str, ...] = ()
    quick: bool = False
    budget_minutes: float | None = None
    command: str = ""

    @property
    def unfinished(self) -> Path:
        """Folder that is renamed to `runs/name` when everything is in it."""
        return self.runs / f"{UNFINISHED}{self.name}"

    @property
    def environments(self) -> Path:
        """Folder of asv's environments."""
        return asv_config.environments_folder(self.config, self.root)

    def begun(self, moment: datetime.datetime) -> "Run":
        """Give the same run as one that begins at this moment."""
        name = run_name(self.commit, self.machine, moment)
        return replace(self, name=name, started_at=moment)

    @property
    def budget_seconds(self) -> float | None:
        """The same budget in seconds."""
        return None if self.budget_minutes is None else 60 * self.budget_minutes

    @property
    def request(self) -> dict[str, Any]:
        """Say what is measured, by what tells one request from another."""
        names = ("commit", "machine", "environment_type", "bench", "quick", "budget_minutes")
        told = {name: getattr(self, name) for name in names}
        recipes = {build: build_recipe(build, self.environment_type) for build in self.blas}
        axes = {
            "blas": recipes,
            "threads": list(self.threads),
            "problems": list(self.problems),
            "strategies": list(self.strategies),
        }
        return told | axes | {"environments_sha256": environments_sha256(self.config, self.root)}


def environments_sha256(config: Mapping[str, Any], root: Path) -> str:
    """Hash what decides the content of the environments, apart from commit and BLAS build.

    The same commit in other environments is another measurement.
    """
    requirements = dict(config.get("matrix", {}).get("req", {}))
    requirements.pop("libblas", None)
    parts = {
        "requirements": requirements,
        "channels": config.get("conda_channels", []),
        "lock": lock_sha256(root / "requirements.lock"),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def build_recipe(build: str, environment_type: str) -> str:
    """Say what a BLAS build is made of, as far as it is known before it is made.

    A channel decides for itself which version it has; what was loaded is known afterwards.
    """
    if environment_type != "virtualenv" or build not in wheels.BACKENDS:
        return ""
    return hashlib.sha256(wheels.recipe(build).encode()).hexdigest()


def lock_sha256(lock: Path) -> str:
    """Hash the lock file; empty where there is none."""
    return hashlib.sha256(lock.read_bytes()).hexdigest() if lock.exists() else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedRun:
    """What the facts of a published run say to those who plan another one."""

    name: str
    machine: str
    cpu: str
    cpus: int
    usable_cpus: int
    request: Mapping[str, Any]
    blas: Mapping[str, str]
    threads: frozenset[str]
    problems: frozenset[str]
    strategies: frozenset[str]
    cells_left_out: int

    def covers(self, axis: str, wanted: Collection[str]) -> bool:
        """Tell whether the wanted names of an axis were measured; none stands for all."""
        if not wanted:
            return not self.request.get(axis)
        measured: frozenset[str] = getattr(self, axis)
        return measured >= set(wanted)


def published_runs(
    folder: Path, *, commit: str = "", machine_name: str = ""
) -> Iterator[PublishedRun]:
    """Give published runs, newest first, apart from those of older versions and unreadable ones.

    A run's folder tells commit and machine: of ten thousand runs only those that are asked for, and
    as many as are looked at, are read.
    """
    names = [path.name for path in folder.glob(f"{commit[:COMMIT_DIGITS]}*") if path.name[0] != "."]
    wanted = [name for name in names if machine_name in ("", machine_of(name))]
    for name in sorted(wanted, key=lambda name: name.rpartition("-")[2], reverse=True):
        file = folder / name / "facts.json"
        with contextlib.suppress(ValueError, OSError, KeyError, TypeError):
            facts = json.loads(file.read_text())
            if facts["format"] != FACTS_FORMAT:
                continue
            host, request = facts["host"], dict(facts["request"])
            yield PublishedRun(
                name=file.parent.name,
                machine=str(facts["machine"]),
                cpu=str(host["cpu"]),
                cpus=int(host["cpus"]),
                usable_cpus=len(host["affinity"]),
                request=request,
                blas=dict(request["blas"]),
                threads=frozenset(request["threads"]),
                problems=frozenset(request.get("problems") or _measured(facts, "problem")),
                strategies=frozenset(request.get("strategies") or _measured(facts, "strategy")),
                cells_left_out=int(facts["budget"]["cells_left_out"]),
            )


def _measured(facts: Mapping[str, Any], axis: str) -> set[str]:
    """List what a run of everything had on an axis: today's suite may have more."""
    cells = (cell for told in facts["environments"].values() for cell in told.get("cells", ()))
    return {str(cell[axis]) for cell in cells}


def existing_run(planned: Run) -> str | None:
    """Name a run of the same commit, machine, provider and environments that has all this."""
    wanted = planned.request
    same = ("commit", "machine", "environment_type", "environments_sha256")
    for run in published_runs(planned.runs, commit=planned.commit, machine_name=planned.machine):
        if run.request.get("quick") or run.request.get("bench"):
            continue
        if run.cells_left_out and planned.budget_minutes != run.request.get("budget_minutes"):
            continue  # there may be time now for what was left out
        if (
            all(run.request.get(key) == wanted[key] for key in same)
            and wanted["blas"].items() <= run.blas.items()
            and set(wanted["threads"]) <= run.threads
            and run.covers("problems", planned.problems)
            and run.covers("strategies", planned.strategies)
        ):
            return run.name
    return None


def check_machine(planned: Run, host: machine.Host) -> None:
    """Refuse to file results of another machine under a name that has been used already.

    Another processor is another machine; so is, for what is measured with all threads, the same one
    with another number of them.
    """
    name_it = "give this one a name of its own with --machine"
    here = len(host.affinity)
    # Each run was held against those before it: the newest one tells, of all threads the newest
    # that was measured with them.
    for run in published_runs(planned.runs, machine_name=planned.machine):
        if (run.cpu, run.cpus) != (host.cpu, host.cpus):
            raise BadUsage(
                f"machine {planned.machine!r} is a {run.cpu} with {run.cpus} CPUs in {run.name},"
                f" but this is a {host.cpu} with {host.cpus}: two machines would share one"
                f" history; {name_it}"
            )
        if "all" in planned.threads and "all" not in run.threads:
            continue
        if "all" in planned.threads and run.usable_cpus != here:
            raise BadUsage(
                f"all threads of machine {planned.machine!r} are {run.usable_cpus} in {run.name},"
                f" but {here} may be used here: measure with --threads 1, or {name_it}"
            )
        return


def interrupted(
    leftover: Path, now: datetime.datetime
) -> tuple[units.Journal | None, datetime.datetime]:
    """Read how far an unfinished run is and when it began; no journal if it can't be continued."""
    name = leftover.name.removeprefix(UNFINISHED)
    try:
        started_at = datetime.datetime.strptime(name.rpartition("-")[2], NAMED_TIME).replace(
            tzinfo=datetime.UTC
        )
    except ValueError:
        return None, now
    journal = units.read_journal(leftover)
    published = (leftover.parent / name).exists()  # killed just before it was cleared
    if not journal or not journal.records or published or now - started_at >= CONTINUED_FOR:
        return None, started_at
    return journal, started_at


def run_name(commit: str, machine_name: str, started_at: datetime.datetime) -> str:
    """Name a run."""
    return f"{commit[:COMMIT_DIGITS]}-{machine_name}-{started_at:{NAMED_TIME}}"


def machine_of(name: str) -> str:
    """Tell the machine of a run from its name; a machine's name may hold dashes."""
    return name[COMMIT_DIGITS + 1 :].rpartition("-")[0]
