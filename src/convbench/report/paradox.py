"""The view that answers the question: its measured points, per machine, line and dtype."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from convbench.report.cell_costs import cell_costs
from convbench.report.cells import facts_of_problems
from convbench.report.measurements import Measurements
from convbench.report.naming import line_order
from convbench.report.readable import operations
from convbench.report.roofs import Roof, roofs_of
from convbench.report.series import Line, Point, Series
from convbench.report.why import ASKED, Explanation, Question, Timing, explain
from convbench.report.why_figure import WhyPicture, why_picture
from convbench.report.winners import group_timings

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
    roofs: tuple[Roof, ...]
    moved_bytes: int
    picture: WhyPicture


def build_paradoxes(measurements: Measurements, series: Sequence[Series]) -> tuple[Paradox, ...]:
    """Build the view for every machine, line and dtype that measured both halves."""
    facts = facts_of_problems(measurements.tables["problems"]).get(PROBLEM)
    if facts is None:
        return ()
    dense = _dense_lines(series)
    executed = cell_costs(measurements.tables["cells"], "flops")
    paradoxes = []
    for key, found in group_timings(series).items():
        product = _values(dense[key]) if key in dense else {}
        asked = {
            strategy: line for (strategy, problem), (_, line) in found.items() if problem == PROBLEM
        }
        measured = {position for line in asked.values() for position in _values(line)}
        # One commit for everything: times of two commits say nothing about each other.
        position = max(measured & product.keys(), default=None)
        if position is None:
            continue
        commit = measurements.commits[position]
        timings = []
        for strategy in sorted(asked):
            point = _values(asked[strategy]).get(position)
            if point is not None and point.value:
                run = (key[0], point.environment, point.run, commit.commit)
                flops = executed.get((*run, strategy, PROBLEM, key[2]))
                timings.append(Timing(name=strategy, seconds=point.value, flops=flops))
        seconds = product[position].value or 0.0
        timing = Timing(name=DENSE_NAME, seconds=seconds, flops=DENSE_FLOPS)
        roofs = roofs_of(series, *key)
        paradoxes.append(
            _build(key, dense[key].identity, commit.short, timings, timing, facts, roofs)
        )
    # All threads are no use to the code as asked: a line without it answers another question.
    known = {(one.machine, one.dtype) for one in paradoxes if _is_asked(one)}
    return tuple(
        sorted(
            (one for one in paradoxes if _is_asked(one) or (one.machine, one.dtype) not in known),
            key=lambda one: (
                *(one.machine, one.dtype, (one.machine, one.line) in measurements.outdated),
                line_order(one.line),
            ),
        )
    )


def _is_asked(paradox: Paradox) -> bool:
    """Whether the code as it was asked has a time among the others."""
    return any(timing.name == ASKED for timing in paradox.timings)


def _values(line: Line) -> dict[int, Point]:
    """Give a line's points that have a time, by position."""
    return {point.position: point for point in line.points if point.value and point.value > 0}


def _build(
    key: tuple[str, str, str],
    identity: str,
    commit: str,
    timings: Sequence[Timing],
    dense: Timing,
    facts: Mapping[str, int],
    roofs: Sequence[Roof],
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
    moved_bytes = int(facts[f"bytes_{dtype}"])
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
        explain(question, timings, dense, roofs),
        tuple(roofs),
        moved_bytes,
        why_picture(timings, dense, question.flops, ASKED, roofs=roofs, moved_bytes=moved_bytes),
    )


def _dense_lines(series: Sequence[Series]) -> dict[tuple[str, str, str], Line]:
    """Give the matrix product's line by machine, line and dtype."""
    return {
        (line.machine, line.name, one.dtype): line
        for one in series
        if one.benchmark.endswith(f".{DENSE_MEASURE}") and not one.strategy
        for line in one.lines
    }
