"""Badges for README files: the newest value of a history and its state, less than a kB each."""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import jinja2

from convbench.report.events import EventRow
from convbench.report.measurements import Measurements
from convbench.report.newest import MOST_ROWS, grouped
from convbench.report.outcomes import outcome_of
from convbench.report.overview import verdict_note
from convbench.report.pages import environment
from convbench.report.readable import counted, percent, quantity
from convbench.report.series import FAILED, SKIPPED, Line, Series
from convbench.report.verdicts import IMPROVED, REGRESSED, UNCHANGED, UNDECIDED, state_of
from convbench.report.xml_text import fitted, text_width, xml_text
from convbench.stats.changes import REGRESSION, STARTS_FAILING

MOST_BADGES = 1000
"""Histories that have a badge: the first that Overview lists."""

INDEX = "badges/index.json"

WHOLE = "badges/all.svg"
"""The badge of the whole project."""

COLOURS = {
    REGRESSED: "#b34700",
    IMPROVED: "#0066ab",
    UNCHANGED: "#3f6178",
    UNDECIDED: "#5a6572",
    FAILED: "#9c2f6b",
    SKIPPED: "#5a6572",
}
"""White stands on each with a contrast of more than 4.5."""

SIZE, MARGIN = 11, 7
MOST_LABEL, MOST_MESSAGE, MOST_TITLE = 230, 130, 300
"""Pixels that words may take; with every character escaped a badge stays below a kB."""


@dataclass(frozen=True, slots=True)
class Badge:
    """Two words side by side, and what a pointer is told."""

    label: str
    message: str
    state: str
    title: str


def badge_files(
    measurements: Measurements, series: Sequence[Series], rows: Sequence[EventRow], title: str
) -> dict[str, str]:
    """Make the badges and the list of them, by their path in the site; `rows` are all events."""
    undecided = verdict_note(measurements, series)
    files = {WHOLE: draw(whole_badge(measurements, rows, undecided, title))}
    listed = []
    for one in _shown(measurements, series):
        line = _line(measurements, one)
        path = f"badges/{file_name(one)}"
        badge = history_badge(measurements, one, line)
        files[path] = draw(badge)
        listed.append(_described(path, one, line, badge))
    files[INDEX] = json.dumps(listed, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    return files


def whole_badge(
    measurements: Measurements, rows: Sequence[EventRow], undecided: str, title: str
) -> Badge:
    """Say of the project what its events are; `undecided` is why their absence means nothing."""
    kinds = Counter(row.kind for row in rows if not row.is_silent)
    failing = f"{kinds[STARTS_FAILING]} failing" if kinds[STARTS_FAILING] else ""
    worse = counted(kinds[REGRESSION], "regression") if kinds[REGRESSION] else ""
    if worse or failing:
        message, state = " · ".join(filter(None, [worse, failing])), REGRESSED
    elif undecided:
        message, state = "no verdict yet", UNDECIDED
    else:
        message, state = "no regression", UNCHANGED
    commits = counted(len(measurements.commits), "commit")
    return Badge(title, message, state, f"{message} in {commits}")


def history_badge(measurements: Measurements, one: Series, line: Line) -> Badge:
    """Say of a history what its newest value is and what became of it."""
    state = state_of(line, measurements)
    told = [change for change in line.changes if not change.is_silent]
    words = [_value(one, line)]
    if state in (REGRESSED, IMPROVED):
        arrow = "▲" if told[-1].ratio > 1 else "▼"
        words.append(f"{arrow} {percent(told[-1].ratio)}")
    marks = {"†": _is_stale(measurements, line), "⚠": _is_disturbed(measurements, line)}
    message = " ".join([*words, *(mark for mark, holds in marks.items() if holds)])
    commit = measurements.commits[outcome_of(line).position].short
    where = measurements.place(line.machine, line.name)
    verdict = "no verdict yet" if state == UNDECIDED else state
    return Badge(_label(one), message, state, f"{_measure(one)}: {verdict}, {commit}, {where}")


def file_name(one: Series) -> str:
    """Name a badge's file: after its benchmark and parameters alone, so that links to it last."""
    words = [one.benchmark.rsplit(".", 1)[-1], *(value for _, value in one.params)]
    readable = re.sub("[^a-z0-9]+", "-", "-".join(words).lower())[:60].strip("-")
    exact = json.dumps([one.benchmark, one.params]).encode()
    return f"{readable}-{hashlib.sha256(exact).hexdigest()[:8]}.svg".lstrip("-")


def draw(badge: Badge) -> str:
    """Draw a badge: no font, script or style from elsewhere; every word is escaped."""
    label = fitted(xml_text(badge.label), SIZE, MOST_LABEL)
    message = fitted(xml_text(badge.message), SIZE, MOST_MESSAGE)
    lengths = [round(text_width(words, SIZE)) for words in (label, message)]
    left, right = (length + 2 * MARGIN for length in lengths)
    return _template().render(
        label=label,
        message=message,
        lengths=lengths,
        left=left,
        right=right,
        colour=COLOURS[badge.state],
        title=fitted(xml_text(badge.title), SIZE, MOST_TITLE),
    )


@cache
def _template() -> jinja2.Template:
    return environment().get_template("badge.svg.j2")


def _shown(measurements: Measurements, series: Sequence[Series]) -> Sequence[Series]:
    """Give the series that Overview lists, but for those that were always skipped."""
    groups = grouped(measurements, series).values()
    listed = (one for members in groups for one in members[:MOST_ROWS])
    return [one for one in listed if not one.lines[0].always_skipped][:MOST_BADGES]


def _line(measurements: Measurements, one: Series) -> Line:
    """Choose the line that a badge tells of: the first that is still measured."""
    current = (line for line in one.lines if (line.machine, line.name) not in measurements.outdated)
    return next(current, one.lines[0])


def _label(one: Series) -> str:
    if one.strategy and one.problem:
        return f"{one.strategy} {one.problem} {one.dtype}".strip()
    values = " ".join(value for _, value in one.params)
    return f"{_measure(one)} {values}".strip()


def _measure(one: Series) -> str:
    return one.measure.rsplit(".", 1)[-1]


def _value(one: Series, line: Line) -> str:
    point = outcome_of(line)
    if point.status in (FAILED, SKIPPED):
        return point.status
    return "no number" if point.value is None else quantity(point.value, one.unit)


def _is_stale(measurements: Measurements, line: Line) -> bool:
    """Whether the machine has measured a newer commit since."""
    return outcome_of(line).position < measurements.last_positions[line.machine]


def _is_disturbed(measurements: Measurements, line: Line) -> bool:
    return (line.machine, outcome_of(line).run) in measurements.disturbed


def _described(path: str, one: Series, line: Line, badge: Badge) -> Mapping[str, Any]:
    """Say in the list of badges what one tells of."""
    return {
        "file": path,
        "benchmark": one.benchmark,
        "params": dict(one.params),
        "machine": line.machine,
        "line": line.name,
        "state": badge.state,
        "value": outcome_of(line).value,
        "unit": one.unit,
    }
