"""Predict a strategy's time from what it executes and what the machine can do, and say what binds.

A prediction is made of counts (operations, bytes, calls, lines) and of ceilings, never of the time
that it is compared with. Python runs before and between the kernels, hence a sum; within a kernel
arithmetic overlaps with memory traffic, hence a maximum:

    seconds = overhead + max(arithmetic, traffic)
"""

from dataclasses import dataclass

from convbench.ceilings import Ceilings
from convbench.interpreted import Interpreted
from convbench.problem import ConvProblem

FAMILY_EFFICIENCY = {
    "gemm": 0.8,
    "dense": 0.8,
    "winograd": 0.5,
    "fft": 0.15,
    "direct": 0.15,
}
"""Fraction of the GEMM peak that a family's arithmetic reaches on large layers, to one digit."""

OTHER_EFFICIENCY = 0.05
"""The same for families of plain loops, vectorised or not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What one `run` executes: operations, bytes read and written, and the interpreter's part."""

    flops: int
    bytes: int
    interpreted: Interpreted


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """A predicted time and the three times it is made of, in seconds.

    `arithmetic` is what the family needs, `at_peak` what a GEMM would need for the same operations.
    """

    overhead: float
    arithmetic: float
    at_peak: float
    traffic: float

    @property
    def seconds(self) -> float:
        """The predicted time."""
        return self.overhead + max(self.arithmetic, self.traffic)


def moved_bytes(problem: ConvProblem, workspace_bytes: int, prepared_bytes: int) -> int:
    """Count the compulsory traffic and the workspace, which is written once and read once.

    What `prepare` left in the workspace is only read.
    """
    prepared = min(prepared_bytes, workspace_bytes)
    return problem.bytes + prepared + 2 * (workspace_bytes - prepared)


def predict(work: Work, family: str, ceilings: Ceilings) -> Prediction:
    """Predict the time of a strategy of this family."""
    at_peak = work.flops / ceilings.flops_per_second
    return Prediction(
        overhead=work.interpreted.calls * ceilings.call_seconds
        + work.interpreted.lines * ceilings.line_seconds,
        arithmetic=at_peak / FAMILY_EFFICIENCY.get(family, OTHER_EFFICIENCY),
        at_peak=at_peak,
        traffic=work.bytes / ceilings.bandwidth(work.bytes),
    )
