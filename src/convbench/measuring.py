"""One measuring run: asv on one commit in all its environments, published whole or not at all.

A run's folder holds asv's own files, asv's log and `facts.json`: what the measuring processes said
of themselves, which asv has no place for. It is made under a hidden name and renamed when complete.
"""

import contextlib
import datetime
import fcntl
import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from convbench import asv_run, machine
from convbench.errors import BadUsage, MeasureFailed

FACTS_FORMAT = 1
UNFINISHED = ".unfinished-"
"""Prefix of a run's folder until it is published; collecting passes hidden folders over."""


@dataclass(frozen=True, slots=True)
class Run:
    """One measuring run: what is measured, where it goes."""

    name: str
    commit: str
    machine: str
    environment_type: str
    config: dict[str, Any]
    root: Path
    runs: Path
    started_at: datetime.datetime

    @property
    def unfinished(self) -> Path:
        """Folder that is renamed to `runs/name` when everything is in it."""
        return self.runs / f"{UNFINISHED}{self.name}"


def existing_run(planned: Run) -> str | None:
    """Name a full run of the same commit, machine and provider, if there is one."""
    for file in sorted(planned.runs.glob("*/facts.json")):
        if file.parent.name.startswith("."):
            continue
        with contextlib.suppress(ValueError, AttributeError):
            facts = json.loads(file.read_text())
            found = tuple(facts.get(key) for key in ("commit", "machine", "environment_type"))
            wanted = (planned.commit, planned.machine, planned.environment_type)
            if found == wanted and not facts.get("quick") and not facts.get("bench"):
                return file.parent.name
    return None


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


@dataclass(frozen=True, slots=True)
class Workplace:
    """What one call of asv is given: its configuration, variables, and where its output goes."""

    home: Path
    facts: Path
    log: Path
    lock: int
    environment: dict[str, str]
    dropped_variables: dict[str, str]

    def asv(self, planned: Run, words: list[str], say: Callable[[str], None]) -> int:
        """Call `asv run` for the planned commit; raises MeasureFailed when it stopped early."""
        command = ["--config", str(self.home / "asv.conf.json")]
        command += ["run", f"HASHFILE:{self.home / 'commits'}", "--machine", planned.machine]
        command += ["--environment", planned.environment_type, *words]
        exit_code = asv_run.run_asv(
            command,
            environment=self.environment,
            folder=self.home,
            log=self.log,
            lock=self.lock,
            say=say,
        )
        asv_run.check(exit_code, self.log)
        return exit_code


@contextlib.contextmanager
def workplace(planned: Run, lock: int) -> Iterator[Workplace]:
    """Lay out a run's unfinished folder, and remove whatever of it has not been published."""
    for leftover in planned.runs.glob(f"{UNFINISHED}*"):
        shutil.rmtree(leftover)  # of a run that was killed; nobody else holds the lock
    home, facts = planned.unfinished / "home", planned.unfinished / "facts"
    # The log outlives a failed run: it is the only place that says why.
    log = planned.root / "logs" / "measure" / f"{planned.name}.log"
    for folder in (home, facts, log.parent):
        folder.mkdir(parents=True, exist_ok=True)
    try:
        pins = (planned.root / "requirements.lock").read_text()
        (home / "constraints.txt").write_text(asv_run.constraints_of(pins))
        (home / "commits").write_text(f"{planned.commit}\n")
        config = asv_run.derived_config(planned.config, planned.root, planned.unfinished)
        (home / "asv.conf.json").write_text(json.dumps(config))
        # asv reads the build requirements from the pyproject.toml beside its configuration.
        shutil.copy(planned.root / "pyproject.toml", home)
        environment, dropped = asv_run.shielded_environment(
            os.environ, home=home, facts=facts, constraints=home / "constraints.txt"
        )
        machine.file_machine(planned.machine, environment)
        yield Workplace(home, facts, log, lock, environment, dropped)
    finally:
        shutil.rmtree(planned.unfinished, ignore_errors=True)


def create_environments(planned: Run, place: Workplace, say: Callable[[str], None]) -> None:
    """Create every environment, several at a time, and see that the suite can be imported.

    `asv setup` would do the first half, but it ends with exit code 1 whatever happens (0.6.6).
    """
    place.asv(planned, ["--parallel", str(os.cpu_count() or 1), "--bench", "just-discover"], say)


def measure(
    planned: Run, place: Workplace, *, bench: str, quick: bool, say: Callable[[str], None]
) -> None:
    """Run asv and publish what it left, or raise and leave nothing but its log."""
    words = ["--record-samples", "--show-stderr", "--interleave-rounds"]
    words += ["--bench", bench or asv_run.selection()]
    # asv would import the suite for a second round, in which --quick leaves nothing to do.
    words += ["--quick", "--attribute", "rounds=1"] if quick else []
    load_before = os.getloadavg()
    exit_code = place.asv(planned, words, say)
    context = {
        "quick": quick,
        "bench": bench,
        "dropped_variables": place.dropped_variables,
        "load_average": {"before": list(load_before), "after": list(os.getloadavg())},
    }
    document = assemble_facts(planned, exit_code, context, place.log)
    (planned.unfinished / "facts.json").write_text(json.dumps(document, indent=1) + "\n")
    shutil.copy(place.log, planned.unfinished / "asv.log")
    for folder in (place.home, place.facts):
        shutil.rmtree(folder)
    planned.unfinished.rename(planned.runs / planned.name)
    say(f"measured {planned.commit[:8]} on {planned.machine}: {planned.runs / planned.name}")


def assemble_facts(
    planned: Run, exit_code: int, context: dict[str, Any], log: Path
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
    results = sorted((planned.unfinished / planned.machine).glob(f"{planned.commit[:8]}-*.json"))
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
    finished_at = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    return {
        "format": FACTS_FORMAT,
        "project": "convbench",
        "run": planned.name,
        "machine": planned.machine,
        "commit": planned.commit,
        "environment_type": planned.environment_type,
        "started_at": f"{planned.started_at:%Y-%m-%dT%H:%M:%SZ}",
        "finished_at": f"{finished_at:%Y-%m-%dT%H:%M:%SZ}",
        "asv_exit_code": exit_code,
        "asv_version": metadata.version("asv"),
        **context,
        "problems": problems,
        "environments": environments,
    }
