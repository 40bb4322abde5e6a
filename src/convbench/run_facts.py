"""What a run says of itself: machine, provenance, disturbances, and its measuring processes.

asv stores numbers only. `facts.json` lies beside its files, and `collect` makes tables of it.
"""

import datetime
import json
import platform
import subprocess
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import Any

from convbench import __version__, asv_run, machine
from convbench.errors import MeasureFailed
from convbench.runs import FACTS_FORMAT, Run, lock_sha256
from convbench.units import Journal

MEASURED_FILES = ("src", "benchmarks", "asv.conf.json", "requirements.lock")
"""What a measurement depends on in the work tree: uncommitted changes there make it dirty."""


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
    seeds = {facts.pop("seed", None) for facts in told}
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
        "started_at": time_text(planned.started_at),
        "finished_at": time_text(now()),
        "asv_exit_code": max(record["asv_exit_code"] for record in records),
        "asv_version": metadata.version("asv"),
        "host": asdict(machine.host()),
        # Every process is of one suite, hence of one seed.
        "provenance": provenance(planned) | {"seed": seeds.pop() if len(seeds) == 1 else None},
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
        "python": platform.python_version(),
        "convbench_version": __version__,
    }


def now() -> datetime.datetime:
    """Give the time in UTC, to the second."""
    return datetime.datetime.now(datetime.UTC).replace(microsecond=0)


def time_text(moment: datetime.datetime) -> str:
    """Write a time in UTC as all files of a run do."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
