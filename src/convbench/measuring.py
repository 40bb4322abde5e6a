"""One measuring run: asv on one commit in all its environments, published whole or not at all.

A run's folder holds asv's own files, asv's log and `facts.json`: what the measuring processes said
of themselves, which asv has no place for. It is made under a hidden name, unit by unit, and renamed
when complete. A run that was interrupted is continued by the same request.
"""

import contextlib
import datetime
import fcntl
import hashlib
import json
import os
import platform
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import Any

from convbench import __version__, asv_run, disturbance, machine, units, wheels
from convbench.errors import BadUsage, MeasureFailed
from convbench.units import Journal, Record, Unit

FACTS_FORMAT = 2
UNFINISHED = ".unfinished-"
"""Prefix of a run's folder until it is published; collecting passes hidden folders over."""

NAMED_TIME = "%Y%m%dT%H%M%SZ"
"""How the name of a run ends: when it began, in UTC."""

CONTINUED_FOR = datetime.timedelta(days=1)
"""Age up to which an interrupted run is continued: its parts should be of one state of things."""

LEFT_OUT = "left_out"
"""File that gets one byte from every cell for which the time budget had no time."""

SEED = 0
"""Seed of the operands that the benchmarks generate."""

MEASURED_FILES = ("src", "benchmarks", "asv.conf.json", "requirements.lock")
"""What a measurement depends on in the work tree: uncommitted changes there make it dirty."""


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
    quick: bool = False
    budget_minutes: float | None = None
    command: str = ""

    @property
    def unfinished(self) -> Path:
        """Folder that is renamed to `runs/name` when everything is in it."""
        return self.runs / f"{UNFINISHED}{self.name}"

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
        axes = {"blas": recipes, "threads": list(self.threads)}
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


def published_facts(runs: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Give the facts of all published runs, apart from those of older versions."""
    for file in sorted(runs.glob("[!.]*/facts.json")):
        with contextlib.suppress(ValueError, OSError):
            facts = json.loads(file.read_text())
            if isinstance(facts, dict) and facts.get("format") == FACTS_FORMAT:
                yield file.parent, facts


def existing_run(planned: Run) -> str | None:
    """Name a full run of the same commit, machine, provider and environments, if there is one."""
    wanted = planned.request
    for folder, facts in published_facts(planned.runs):
        request = facts["request"]
        if request["quick"] or request["bench"]:
            continue
        same = ("commit", "machine", "environment_type", "environments_sha256")
        if (
            all(request.get(key) == wanted[key] for key in same)
            and wanted["blas"].items() <= request["blas"].items()
            and set(wanted["threads"]) <= set(request["threads"])
        ):
            return folder.name
    return None


def check_machine(planned: Run, host: machine.Host) -> None:
    """Refuse to file results of another processor under a name that has been used already."""
    here = (host.cpu, host.cpus)
    for folder, facts in published_facts(planned.runs):
        there = (facts["host"]["cpu"], facts["host"]["cpus"])
        if facts["machine"] == planned.machine and there != here:
            raise BadUsage(
                f"machine {planned.machine!r} is a {there[0]} with {there[1]} CPUs in"
                f" {folder.name}, but this is a {here[0]} with {here[1]}: two machines would share"
                " one history; give this one a name of its own with --machine"
            )


@contextlib.contextmanager
def exclusive(root: Path) -> Iterator[int]:
    """Hold the environments for one run; a second measurement would disturb both.

    Yields the file descriptor of the lock, for asv to hold it as well.
    """
    path = root / ".asv" / "measure.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BadUsage(f"another measurement is running here ({path} is locked)") from None
        yield lock.fileno()


def interrupted_run(planned: Run) -> Run:
    """Give the run that the request continues: an interrupted one, else the planned one itself.

    What older or unreadable runs left is cleared; nobody else holds the lock.
    """
    for leftover in sorted(planned.runs.glob(f"{UNFINISHED}*")):
        journal = units.read_journal(leftover)
        name = leftover.name.removeprefix(UNFINISHED)
        published = (planned.runs / name).exists()  # killed just before it was cleared
        with contextlib.suppress(ValueError):
            started_at = datetime.datetime.strptime(name.rpartition("-")[2], NAMED_TIME).replace(
                tzinfo=datetime.UTC
            )
            recent = planned.started_at - started_at < CONTINUED_FOR
            if journal and journal.records and recent and not published:
                if journal.request == planned.request:
                    return replace(planned, name=name, started_at=started_at)
                continue
        shutil.rmtree(leftover)
    return planned


@dataclass(frozen=True, slots=True)
class Workplace:
    """What the calls of asv are given: a home of their own, variables, and where output goes."""

    planned: Run
    home: Path
    log: Path
    lock: int
    environment: dict[str, str]
    dropped_variables: dict[str, str]

    def asv(
        self,
        words: list[str],
        results: Path,
        say: Callable[[str], None],
        *,
        config: Mapping[str, Any],
        variables: Mapping[str, str],
    ) -> int:
        """Call `asv run` for the planned commit; raises MeasureFailed when it stopped early."""
        write_config(self.planned, self.home, config, results)
        command = ["--config", str(self.home / "asv.conf.json")]
        command += ["run", f"HASHFILE:{self.home / 'commits'}", "--machine", self.planned.machine]
        command += ["--environment", self.planned.environment_type, *words]
        start = self.log.stat().st_size if self.log.exists() else 0
        exit_code = asv_run.run_asv(
            command,
            environment={**self.environment, **variables},
            folder=self.home,
            log=self.log,
            lock=self.lock,
            say=say,
        )
        asv_run.check(exit_code, self.log, start)
        return 0 if asv_run.selected_nothing(exit_code, self.log, start) else exit_code


@contextlib.contextmanager
def workplace(planned: Run, lock: int) -> Iterator[Workplace]:
    """Lay out a run's unfinished folder; afterwards remove it, unless it can be continued."""
    home = planned.unfinished / "home"
    # The log outlives a failed run: it is the only place that says why.
    log = planned.root / "logs" / "measure" / f"{planned.name}.log"
    for folder in (home, log.parent):
        folder.mkdir(parents=True, exist_ok=True)
    try:
        pins = (planned.root / "requirements.lock").read_text()
        (home / "constraints.txt").write_text(asv_run.constraints_of(pins))
        (home / "commits").write_text(f"{planned.commit}\n")
        # asv reads the build requirements from the pyproject.toml beside its configuration.
        shutil.copy(planned.root / "pyproject.toml", home)
        environment, dropped = asv_run.shielded_environment(
            os.environ, home=home, constraints=home / "constraints.txt"
        )
        write_config(planned, home, planned.config, planned.unfinished)  # asv asks for one always
        machine.file_machine(planned.machine, environment)
        yield Workplace(planned, home, log, lock, environment, dropped)
    finally:
        journal = units.read_journal(planned.unfinished)
        if journal is None or not journal.records:
            shutil.rmtree(planned.unfinished, ignore_errors=True)


def write_config(planned: Run, home: Path, config: Mapping[str, Any], results: Path) -> None:
    """Write the configuration that asv is given."""
    derived = asv_run.derived_config(config, planned.root, results)
    (home / "asv.conf.json").write_text(json.dumps(derived))


def create_environments(place: Workplace, say: Callable[[str], None]) -> None:
    """Create every environment, several at a time, and see that the suite can be imported.

    `asv setup` would do the first half, but it ends with exit code 1 whatever happens (0.6.6).
    """
    # asv's rattler plugin can't be handed to another process (0.6.6).
    at_once = 1 if place.planned.environment_type == "rattler" else os.cpu_count() or 1
    words = ["--parallel", str(at_once), "--bench", "just-discover"]
    results = place.planned.unfinished / "environments"
    place.asv(words, results, say, config=place.planned.config, variables={})


def measure(place: Workplace, say: Callable[[str], None]) -> None:
    """Measure what the journal lacks, unit by unit, and publish the whole run."""
    planned = place.planned
    journal = units.read_journal(planned.unfinished)
    if journal is None:
        journal = Journal(planned.unfinished, planned.request)
        journal.results.mkdir()
        journal.write()
    else:
        say(f"continuing {planned.name}: {len(journal.accepted())} units are measured")
    load_before = os.getloadavg()
    last = 1 if planned.quick else units.MOST_ROUNDS
    for number in range(1, last + 1):
        if not units.affordable(number, journal, planned.budget_seconds):
            break
        to_come = units.of_round(number, planned.blas, planned.threads)
        for index, unit in enumerate(to_come):
            if not journal.has(unit):
                journal = _measure_unit(place, journal, unit, to_come[index + 1 :], say)
    context = {
        "dropped_variables": place.dropped_variables,
        "load_average": {"before": list(load_before), "after": list(os.getloadavg())},
    }
    _publish(place, journal, context)
    say(_closing_words(planned, journal))


def _measure_unit(
    place: Workplace,
    journal: Journal,
    unit: Unit,
    to_come: tuple[Unit, ...],
    say: Callable[[str], None],
) -> Journal:
    """Measure one unit; once more, where the machine did something else and time is left."""
    budget = place.planned.budget_seconds
    remaining = None if budget is None else budget - journal.seconds()
    say(f" {unit.name}")
    record, results = _attempt(place, journal, unit, to_come, remaining, say)
    if not record["disturbed"]:
        return journal.append(record, results)
    needed = 2 * record["seconds"] + sum(other.typical_seconds for other in to_come)
    affordable = not place.planned.quick and (remaining is None or remaining > needed)
    if record["attempt"] == 1 and affordable:
        say(f"  disturbed ({record['disturbed']}): measuring it once more")
        shutil.rmtree(results)
        shutil.copytree(journal.results, results)
        journal = journal.append(record | {"kept": False}, results)
        return _measure_unit(place, journal, unit, to_come, say)
    say(f"  disturbed ({record['disturbed']}): the run is marked")
    return journal.append(record, results)


def _attempt(
    place: Workplace,
    journal: Journal,
    unit: Unit,
    to_come: tuple[Unit, ...],
    remaining: float | None,
    say: Callable[[str], None],
) -> tuple[Record, Path]:
    """Run asv on a copy of the results so far; return the record and that copy."""
    planned = place.planned
    results = planned.unfinished / "unit"
    facts = planned.unfinished / "unit-facts"
    for folder in (results, facts):
        shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(journal.results, results)
    facts.mkdir()
    words = ["--record-samples", "--show-stderr", "--attribute", "rounds=1"]
    words += [
        "--bench",
        asv_run.selection(once=unit.once, threads=unit.threads, bench=planned.bench),
    ]
    words += ["--quick"] if planned.quick else []
    words += ["--append-samples"] if unit.round > 1 else []
    variables = {"CONVBENCH_FACTS": str(facts)}
    if remaining is not None and unit.round == 1:
        share = units.share_seconds(unit, to_come, remaining)
        variables["CONVBENCH_DEADLINE"] = str(time.time() + share)
    config = asv_run.with_builds(planned.config, [unit.blas], [unit.threads])
    started_at, start = _now(), time.monotonic()
    before = disturbance.snapshot()
    exit_code = place.asv(words, results, say, config=config, variables=variables)
    measured = disturbance.between(before, disturbance.snapshot())
    left_out = facts / LEFT_OUT
    record = units.identity(unit) | {
        "attempt": journal.attempts(unit) + 1,
        "kept": True,
        "started_at": _text(started_at),
        "finished_at": _text(_now()),
        "seconds": round(time.monotonic() - start, 3),
        "asv_exit_code": exit_code,
        "cells_left_out": left_out.stat().st_size if left_out.exists() else 0,
        "disturbance": asdict(measured),
        "disturbed": disturbance.reason(measured),
    }
    kept = planned.unfinished / "facts"
    kept.mkdir(exist_ok=True)
    for told in facts.glob("*.json"):
        told.replace(kept / told.name)
    shutil.rmtree(facts)
    return record, results


def _publish(place: Workplace, journal: Journal, context: dict[str, Any]) -> None:
    """Put results, facts and log into the run's folder, and give it its name."""
    planned = place.planned
    document = assemble_facts(planned, journal, context, place.log)
    whole = planned.unfinished / "whole"
    shutil.rmtree(whole, ignore_errors=True)
    shutil.copytree(journal.results, whole)
    (whole / "facts.json").write_text(json.dumps(document, indent=1) + "\n")
    shutil.copy(place.log, whole / "asv.log")
    whole.rename(planned.runs / planned.name)
    shutil.rmtree(planned.unfinished)


def _closing_words(planned: Run, journal: Journal) -> str:
    minutes = journal.seconds() / 60
    plan = "" if planned.budget_minutes is None else f" of {planned.budget_minutes:g} planned"
    rounds = max(record["round"] for record in journal.records)
    return (
        f"measured {planned.commit[:8]} on {planned.machine}: {rounds} rounds in"
        f" {minutes:.1f} minutes{plan}: {planned.runs / planned.name}"
    )


def assemble_facts(
    planned: Run, journal: Journal, context: dict[str, Any], log: Path
) -> dict[str, Any]:
    """Join what the measuring processes said of themselves into the run's facts.

    Raises
    ------
    MeasureFailed
        When an environment has results but no facts, or the other way round: then something was
        measured by nobody knows what.
    """
    told = [
        json.loads(file.read_text()) for file in sorted(planned.unfinished.glob("facts/*.json"))
    ]
    results = sorted((journal.results / planned.machine).glob(f"{planned.commit[:8]}-*.json"))
    measured = {json.loads(file.read_text())["env_name"] for file in results}
    problems = told[0].pop("problems") if told else {}
    environments = {}
    for facts in told:
        facts.pop("problems", None)
        environments[facts.pop("environment")] = facts
    if not measured or measured != set(environments):
        raise MeasureFailed(
            f"asv left results of {sorted(measured) or 'no environment'}, but the measuring"
            f" processes were {sorted(environments) or 'none'}: {asv_run.complaint(log)};"
            f" its output is in {log}"
        )
    records = journal.records
    return {
        "format": FACTS_FORMAT,
        "project": "convbench",
        "run": planned.name,
        "machine": planned.machine,
        "commit": planned.commit,
        "environment_type": planned.environment_type,
        "quick": planned.quick,
        "bench": planned.bench,
        "request": planned.request,
        "started_at": _text(planned.started_at),
        "finished_at": _text(_now()),
        "asv_exit_code": max(record["asv_exit_code"] for record in records),
        "asv_version": metadata.version("asv"),
        "host": asdict(machine.host()),
        "provenance": provenance(planned),
        "budget": {
            "minutes": planned.budget_minutes,
            "measured_minutes": round(journal.seconds() / 60, 2),
            "rounds": max(record["round"] for record in records),
            "cells_left_out": sum(record["cells_left_out"] for record in journal.accepted()),
        },
        "units": list(records),
        "disturbed": disturbed(journal),
        **context,
        "problems": problems,
        "environments": environments,
    }


def disturbed(journal: Journal) -> str:
    """Say in one line how many units stayed disturbed, and by what; empty for a quiet run."""
    kept = journal.accepted()
    marked = [record for record in kept if record["disturbed"]]
    if not marked:
        return ""
    again = sum(record["attempt"] > 1 for record in marked)
    measured_again = f", {again} of them measured twice" if again else ""
    worst = max(marked, key=lambda record: record["disturbance"]["foreign_cpus"] or 0.0)
    return f"{len(marked)} of {len(kept)} units{measured_again}: {worst['disturbed']}"


def provenance(planned: Run) -> dict[str, Any]:
    """Say what it takes to measure the same again."""
    git = ["git", "-C", str(planned.root)]
    status = subprocess.run(
        [*git, "status", "--porcelain", "--", *MEASURED_FILES], capture_output=True, text=True
    )
    head = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True)
    return {
        "command": planned.command,
        "suite_commit": head.stdout.strip(),
        "dirty": bool(status.stdout.strip()),
        "lock_sha256": lock_sha256(planned.root / "requirements.lock"),
        "environments_sha256": planned.request["environments_sha256"],
        "seed": SEED,
        "python": platform.python_version(),
        "convbench_version": __version__,
    }


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC).replace(microsecond=0)


def _text(moment: datetime.datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
