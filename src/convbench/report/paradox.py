"""The view that answers the question: its measured points, per machine, line and dtype."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from convbench.report.cells import facts_of_problems
from convbench.report.measurements import Measurements
from convbench.report.naming import line_order
from convbench.report.readable import operations
from convbench.report.series import Series
from convbench.report.why import ASKED, Explanation, Question, Timing, explain
from convbench.report.why_figure import WhyPicture, why_picture
from convbench.report.winners import group_timings, newest_value

PROBLEM = "question"
DENSE_MEASURE = "time_dot"
# What that benchmark multiplies; fixed with its name. A multiply-add counts as two operations.
DENSE_ROWS, DENSE_COLUMNS = 500, 3072
DENSE_NAME = f"np.dot {DENSE_ROWS}×{DENSE_COLUMNS}"
DENSE_FLOPS = 2 * DENSE_ROWS * DENSE_COLUMNS


@dataclass(frozen=True, slots=True)
class Paradox:
    """One variant of the view: numbers, words and picture."""

    machine: str
    line: str
    identity: str
    dtype: str
    commit: str
    timings: tuple[Timing, ...]
    dense: Timing
    dense_rate: float
    question: Question
    flops_text: str
    explanation: Explanation
    picture: WhyPicture


def build_paradoxes(measurements: Measurements, series: Sequence[Series]) -> tuple[Paradox, ...]:
    """Build the view for every machine, line and dtype that measured both halves."""
    facts = facts_of_problems(measurements.tables["problems"]).get(PROBLEM)
    if facts is None:
        return ()
    dense = _dense_timings(series)
    executed = _executed_flops(measurements.tables["cells"])
    paradoxes = []
    for key, found in group_timings(series).items():
        timings = []
        position = 0
        identity = ""
        for (strategy, problem), (_, line) in sorted(found.items()):
            point = newest_value(line)
            if problem == PROBLEM and point.value:
                flops = executed.get((strategy, key[2]))
                timings.append(Timing(name=strategy, seconds=point.value, flops=flops))
                position, identity = max(position, point.position), line.identity
        if timings and key in dense:
            commit = measurements.commits[position].short
            paradoxes.append(_build(key, identity, commit, timings, dense[key], facts))
    return tuple(sorted(paradoxes, key=lambda one: (one.machine, one.dtype, line_order(one.line))))


def _build(
    key: tuple[str, str, str],
    identity: str,
    commit: str,
    timings: Sequence[Timing],
    dense: Timing,
    facts: Mapping[str, int],
) -> Paradox:
    question = Question(
        problem=PROBLEM,
        flops=int(facts["flops"]),
        outputs=int(
            facts["batch"] * facts["out_channels"] * facts["out_height"] * facts["out_width"]
        ),
        taps=int(
            facts["in_channels"] // facts["groups"] * facts["kernel_height"] * facts["kernel_width"]
        ),
    )
    machine, line, dtype = key
    return Paradox(
        machine,
        line,
        identity,
        dtype,
        commit,
        tuple(timings),
        dense,
        DENSE_FLOPS / dense.seconds / 1e9,
        question,
        operations(question.flops),
        explain(question, timings, dense),
        why_picture(timings, dense, question.flops, ASKED),
    )


def _dense_timings(series: Sequence[Series]) -> dict[tuple[str, str, str], Timing]:
    """Give the matrix product's newest time by machine, line and dtype."""
    timings = {}
    for one in series:
        if one.benchmark.endswith(f".{DENSE_MEASURE}") and not one.strategy:
            for line in one.lines:
                value = newest_value(line).value
                if value:
                    timings[line.machine, line.name, one.dtype] = Timing(
                        name=DENSE_NAME, seconds=value, flops=DENSE_FLOPS
                    )
    return timings


def _executed_flops(cells: pd.DataFrame) -> dict[tuple[str, str], int]:
    """Give what strategies really execute on the question, by strategy and dtype."""
    known = cells[(cells["problem"] == PROBLEM) & cells["flops"].notna()]
    keys = zip(known["strategy"], known["dtype"], strict=True)
    return dict(zip(keys, known["flops"].astype("int64").tolist(), strict=True))
