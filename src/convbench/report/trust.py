"""How far the numbers can be trusted: what the null control found, and how runs went."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from convbench.report.axes import linear, ticks
from convbench.report.disturbed_runs import DisturbedRuns, disturbed_runs
from convbench.report.figures import BOTTOM, EDGE, LEFT, RIGHT, TOP, WIDTH, Tick
from convbench.report.measurements import Measurements, day
from convbench.report.naming import records
from convbench.report.null_picture import NullPicture, null_picture
from convbench.report.provenance import RunRow
from convbench.report.readable import counted, significant
from convbench.stats.null_control import (
    NullControl,
    null_control,
    null_control_by_run,
    upper_bound,
)
from convbench.stats.null_p_values import null_p_values

HEIGHT = 240
MOST_POINTS = 40
"""Points of the picture, each of all runs up to it; the newest run has one."""


@dataclass(frozen=True, slots=True)
class ControlRow:
    """What the null control of one machine found, in words."""

    machine: str
    runs: int
    pairs: int
    alarms: int
    rate: str
    upper: str
    spread: str
    largest: str


@dataclass(frozen=True, slots=True)
class RunControl:
    """What the null control of one run found, in words."""

    run: str
    day: str
    pairs: int
    alarms: int
    spread: str


@dataclass(frozen=True, slots=True)
class RatePicture:
    """The false-alarm rate of all runs so far, and its bound, over the runs; ready to draw."""

    machine: str
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    rate: str
    upper: str
    dots: tuple[tuple[float, float, str], ...]
    runs: tuple[RunControl, ...]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    top: int = TOP
    bottom: int = HEIGHT - BOTTOM


@dataclass(frozen=True, slots=True)
class Trust:
    """What the null control says, of each machine and over time, and how runs went."""

    title: str
    sentences: tuple[str, ...]
    controls: tuple[ControlRow, ...]
    pictures: tuple[RatePicture, ...]
    p_values: NullPicture | None
    disturbed: DisturbedRuns | None
    runs: tuple[RunRow, ...]


def build_trust(measurements: Measurements, runs: tuple[RunRow, ...]) -> Trust | None:
    """Collect it; None where nothing is known of runs and nothing was measured twice."""
    by_machine = {
        str(machine): (null_control(rows), rows)
        for machine, rows in measurements.control.groupby("machine", sort=True)
    }
    found = {machine: pair for machine, pair in by_machine.items() if pair[0].pairs}
    if not runs and not found:
        return None
    whole = null_control(measurements.control) if found else None
    return Trust(
        _title(whole),
        _sentences(whole) if whole else (NO_CONTROL,),
        tuple(_control_row(machine, control) for machine, (control, _) in found.items()),
        tuple(_rate_picture(machine, rows) for machine, (_, rows) in found.items()),
        null_picture(null_p_values(measurements.control)) if found else None,
        disturbed_runs(measurements, runs),
        runs,
    )


NO_CONTROL = "No run measured the same call twice under two labels, so no A/A spread is known."


def control_note(measurements: Measurements) -> str:
    """Say in one line how equal calls compared; empty without a null control."""
    control = null_control(measurements.control) if len(measurements.control) else None
    if control is None or not control.pairs:
        return ""
    return (
        f"A/A rate {percentage(control.rate)}: {control.alarms} of "
        f"{counted(control.pairs, 'pair')} of equal calls called different (the true rate is below "
        f"{percentage(control.upper)}, 95 % sure), {apart(control.spread)} apart in the median"
    )


def apart(distance: float) -> str:
    """Write a logarithm of a ratio as how far two values lie apart, in percent of the smaller."""
    return percentage(math.expm1(distance))


def percentage(part: float) -> str:
    """Write a part of one as a percentage with two digits."""
    return f"{significant(100 * part, 2)} %"


def _title(control: NullControl | None) -> str:
    if control is None:
        return "How the numbers were measured"
    return f"{control.alarms} of {counted(control.pairs, 'equal pair')} called different"


def _sentences(control: NullControl) -> tuple[str, ...]:
    runs = counted(control.runs, "run")
    return (
        "The null control measures the same call twice, under two labels, as any other two "
        f"benchmarks: {counted(control.pairs, 'pair')} in {runs}, {control.alarms} called "
        f"different. The false-alarm rate of such a comparison is below "
        f"{percentage(control.upper)} with 95 % confidence.",
        f"Two measurements of one call differ by {apart(control.spread)} in the median and "
        f"by {apart(control.largest)} at most: a difference of that size between two "
        "strategies or two builds says nothing.",
    )


def _control_row(machine: str, control: NullControl) -> ControlRow:
    return ControlRow(
        machine,
        control.runs,
        control.pairs,
        control.alarms,
        percentage(control.rate),
        percentage(control.upper),
        apart(control.spread),
        apart(control.largest),
    )


def _rate_picture(machine: str, rows: pd.DataFrame) -> RatePicture:
    by_run = null_control_by_run(rows)
    runs = [
        RunControl(row["run"], day(row["started_at"]), *_numbers(row)) for row in records(by_run)
    ]
    so_far = list(zip(by_run["alarms"].cumsum(), by_run["pairs"].cumsum(), strict=True))
    drawn = _drawn(len(runs))
    bounds = [upper_bound(*so_far[at]) for at in drawn]
    rates = [so_far[at][0] / so_far[at][1] for at in drawn]
    x_scale = linear((0, max(len(runs) - 1, 1)), (LEFT + EDGE, WIDTH - RIGHT - EDGE))
    y_scale = linear((0.0, max(bounds)), (HEIGHT - BOTTOM, TOP))
    xs = [round(x_scale(at), 1) for at in drawn]
    spots = [(x, round(y_scale(rate), 1)) for x, rate in zip(xs, rates, strict=True)]
    words = (
        f"{runs[at].day}: {so_far[at][0]} of {so_far[at][1]} pairs so far, "
        f"below {percentage(bound)} with 95 % confidence"
        for at, bound in zip(drawn, bounds, strict=True)
    )
    return RatePicture(
        machine,
        tuple(Tick(round(x_scale(at), 1), runs[at].day) for at in _labelled(len(runs))),
        tuple(
            Tick(round(y_scale(tick), 1), f"{100 * tick:.10g} %")
            for tick in ticks(0.0, max(bounds), 4)
        ),
        _path(spots),
        _path([(x, round(y_scale(bound), 1)) for x, bound in zip(xs, bounds, strict=True)]),
        tuple((x, y, said) for (x, y), said in zip(spots, words, strict=True)),
        tuple(reversed(runs)),
    )


def _numbers(row: Mapping[str, Any]) -> tuple[int, int, str]:
    return row["pairs"], row["alarms"], apart(row["spread"])


def _drawn(runs: int) -> list[int]:
    """Choose the runs that get a point, the newest among them."""
    step = max(1, -(-runs // MOST_POINTS))
    return sorted({*range(runs - 1, -1, -step)})


def _labelled(runs: int) -> list[int]:
    return list(range(0, runs, max(1, -(-runs // 8))))


def _path(spots: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:g} {y:g}" for x, y in spots)
