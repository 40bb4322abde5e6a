"""Say in one clause what binds a measured time, from counts and lower bounds alone.

    why(cost: Cost) -> str

The largest of the lower bounds (the interpreter's overhead, arithmetic at the peak, traffic at the
bandwidth) names the reason where it makes up a good part of the time. Operations that differ from
the direct algorithm's are always said: they explain a time that no bound does.
"""

from dataclasses import dataclass

from convbench.report.readable import quantity, seconds, significant, times

EXPLAINS = 0.4
"""A lower bound explains a time when it makes up at least this part of it."""

OVERHEAD_EXPLAINS = 0.2
"""The same for overhead, which is counted low: operators on arrays cost a call and count a line."""

NOTABLE = 0.01
"""Overhead below this part of the time is not mentioned."""

MANY_CALLS = 50
"""From so many calls of one function on, the clause names it."""

MANY_LINES = 100
"""From so many lines for each call on, the lines are what the interpreter does."""

SAME_WORK = 1.15
"""Operations within this factor of the direct algorithm's are the same work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """A measured time in seconds, what was executed in it, and its lower bounds in seconds."""

    seconds: float
    flops: int
    direct_flops: int
    moved_bytes: int
    lines: int
    calls: int
    frequent: str
    frequent_calls: int
    overhead: float
    at_peak: float
    traffic: float


def why(cost: Cost) -> str:
    """Give the reason, in one clause."""
    largest, part, clause = max(
        (
            (cost.overhead, OVERHEAD_EXPLAINS, _overhead),
            (cost.at_peak, EXPLAINS, _arithmetic),
            (cost.traffic, EXPLAINS, _traffic),
        ),
        key=lambda bound: bound[0],
    )
    if largest < part * cost.seconds:
        clause = _kernel
    said = clause(cost)
    # Where the interpreter takes the time, the number of operations explains nothing.
    return said if clause is _overhead else f"{said}{_work(cost)}"


def _overhead(cost: Cost) -> str:
    if cost.frequent_calls >= MANY_CALLS:
        each = cost.seconds / cost.frequent_calls
        counted = f"{cost.frequent_calls:,} {cost.frequent} calls at {seconds(each)}"
    elif cost.lines < MANY_LINES * cost.calls:
        counted = f"{cost.calls:,} calls and {cost.lines:,} lines of Python"
    else:
        counted = f"{cost.lines:,} lines of Python at {seconds(cost.seconds / cost.lines)}"
    return f"{counted}: interpreter overhead"


def _arithmetic(cost: Cost) -> str:
    return f"runs at {_percent(cost.at_peak / cost.seconds)} of the GEMM peak"


def _traffic(cost: Cost) -> str:
    rate = cost.moved_bytes / cost.seconds
    return (
        f"memory-bound: moves {quantity(cost.moved_bytes, 'bytes')} at {quantity(rate, 'bytes')}/s"
    )


def _kernel(cost: Cost) -> str:
    """Give the kernel's rate, when no bound explains enough of the time."""
    rate = significant(cost.flops / cost.seconds / 1e9, 2)
    peak = _percent(cost.at_peak / cost.seconds)
    said = f"the kernel itself: {rate} GFLOP/s, {peak} of the GEMM peak"
    if cost.overhead < NOTABLE * cost.seconds:
        return said
    return f"{said}, with {_percent(cost.overhead / cost.seconds)} interpreter overhead"


def _work(cost: Cost) -> str:
    ratio = cost.flops / cost.direct_flops
    if ratio > SAME_WORK:
        return f"; executes {times(ratio)}× the direct operations"
    if ratio < 1 / SAME_WORK:
        return f"; executes {times(ratio)}× the direct operations: arithmetic saved"
    return ""


def _percent(part: float) -> str:
    return f"{significant(100 * part, 2)} %"
