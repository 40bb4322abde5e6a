"""Measuring one run: asv on one commit in all its environments, published whole or not at all.

A run's folder holds asv's own files, asv's log and `facts.json`. It is made under a hidden name,
unit by unit, and renamed when complete.
"""

import contextlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from convbench import asv_config, asv_run, disturbance, machine, selection, units
from convbench.errors import MeasureFailed
from convbench.run_facts import assemble_facts, now, time_text
from convbench.runs import Run
from convbench.units import Journal, Record, Unit

LEFT_OUT = "left_out"
"""File that gets one byte from every cell for which the time budget had no time."""


@dataclass(frozen=True, slots=True)
class Workplace:
    """What the calls of asv are given: a home of their own, variables, and where output goes."""

    planned: Run
    home: Path
    log: Path
    locks: tuple[int, ...]
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
            locks=self.locks,
            say=say,
        )
        asv_run.check(exit_code, self.log, start)
        return 0 if asv_run.selected_nothing(exit_code, self.log, start) else exit_code


@contextlib.contextmanager
def workplace(planned: Run, *locks: int) -> Iterator[Workplace]:
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
        yield Workplace(planned, home, log, locks, environment, dropped)
    finally:
        journal = units.read_journal(planned.unfinished)
        if journal is None or not journal.records:
            shutil.rmtree(planned.unfinished, ignore_errors=True)


def write_config(planned: Run, home: Path, config: Mapping[str, Any], results: Path) -> None:
    """Write the configuration that asv is given."""
    derived = asv_config.derive(config, planned.root, results)
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
        raise MeasureFailed(f"{planned.unfinished} was removed meanwhile: run this again")
    if journal.records:
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
    again = record["attempt"] == 1 and not place.planned.quick
    if again and units.time_for_another(unit, to_come, record["seconds"], remaining):
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
    selected = selection.expression(
        once=unit.once,
        threads=unit.threads,
        bench=planned.bench,
        problems=planned.problems,
        strategies=planned.strategies,
    )
    words += ["--bench", selected]
    words += ["--quick"] if planned.quick else []
    words += ["--append-samples"] if unit.round > 1 else []
    variables = {"CONVBENCH_FACTS": str(facts)}
    if planned.problems:  # the axes have those that every run measures
        variables["CONVBENCH_PROBLEMS"] = " ".join(planned.problems)
    if planned.strategies:  # so that no other one is compiled
        variables["CONVBENCH_STRATEGIES"] = " ".join(planned.strategies)
    if remaining is not None and unit.round == 1:
        share = units.share_seconds(unit, to_come, remaining)
        variables["CONVBENCH_DEADLINE"] = str(time.time() + share)
    config = asv_config.with_builds(planned.config, [unit.blas], [unit.threads])
    started_at, start = now(), time.monotonic()
    before = disturbance.snapshot()
    log_start = place.log.stat().st_size if place.log.exists() else 0
    exit_code = place.asv(words, results, say, config=config, variables=variables)
    if exit_code == asv_run.SOME_BENCHMARKS_FAILED and not any(facts.glob("*.json")):
        complaint = asv_run.complaint(place.log, log_start)
        raise MeasureFailed(  # asv's code for a failed build or import as well
            f"no process of {unit.name} measured anything: {complaint};"
            f" asv's output is in {place.log}"
        )
    measured = disturbance.between(before, disturbance.snapshot())
    left_out = facts / LEFT_OUT
    record = units.identity(unit) | {
        "attempt": journal.attempts(unit) + 1,
        "kept": True,
        "started_at": time_text(started_at),
        "finished_at": time_text(now()),
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
    # A command line may hold bytes that are no text.
    text = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False)
    (whole / "facts.json").write_bytes(text.encode(errors="replace") + b"\n")
    shutil.copy(place.log, whole / "asv.log")
    whole.rename(planned.runs / planned.name)
    shutil.rmtree(planned.unfinished)


def _closing_words(planned: Run, journal: Journal) -> str:
    minutes = journal.seconds() / 60
    plan = "" if planned.budget_minutes is None else f" of {planned.budget_minutes:g} planned"
    rounds = max(record["round"] for record in journal.records)
    return (
        f"measured {planned.commit[:8]} on {planned.machine}:"
        f" {rounds} round{'' if rounds == 1 else 's'} in {minutes:.1f} minutes{plan}:"
        f" {planned.runs / planned.name}"
    )
