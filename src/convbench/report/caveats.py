"""Newest numbers that deserve a second look: their run was disturbed, or was not of a commit."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from convbench.report.measurements import Measurements, is_true, minute
from convbench.report.naming import records
from convbench.report.series import Series

DIRTY = "its source had changes that the commit does not have"


@dataclass(frozen=True, slots=True)
class Caveat:
    """A run whose numbers are the newest of some histories, and what speaks against them.

    `partly` tells that only some units of the run were disturbed: which numbers they gave is not
    known, so `numbers` is the most that can be doubtful.
    """

    machine: str
    run: str
    commit: str
    started: str
    numbers: int
    partly: bool
    reasons: tuple[str, ...]


def caveats(measurements: Measurements, series: Sequence[Series]) -> tuple[Caveat, ...]:
    """List the doubtful runs that newest numbers come from, newest first."""
    newest = Counter(
        (line.machine, line.newest.run)
        for one in series
        for line in one.lines
        if line.newest.value is not None
    )
    runs = measurements.tables["runs"].sort_values(
        ["started_at", "machine", "run"], ascending=False, kind="stable"
    )
    found = []
    for row in records(runs):
        key = (row["machine"], row["run"])
        reasons = (
            *(
                [f"it was disturbed ({measurements.disturbed[key]})"]
                if key in measurements.disturbed
                else []
            ),
            *([DIRTY] if is_true(row["dirty"]) else []),
        )
        if reasons and newest[key]:
            started = minute(row["started_at"])
            partly = not is_true(row["dirty"]) and _has_quiet_units(row["units_json"])
            commit = str(row["commit"])[:8]
            found.append(Caveat(*key, commit, started, newest[key], partly, reasons))
    return tuple(found)


def _has_quiet_units(units_json: object) -> bool:
    units = json.loads(units_json) if isinstance(units_json, str) else []
    return any(unit.get("kept") and not unit.get("disturbed") for unit in units)
