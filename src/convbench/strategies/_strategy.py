"""What a strategy is."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from convbench.problem import Array, ConvProblem
from convbench.reference import direct_error_bound

ErrorBound = Callable[[Array, Array, ConvProblem], Array]
"""(x, weights, problem) -> how far each element of the output may lie from the reference."""


class Flops(Protocol):
    """Count the operations that one `run` executes, which may differ from the direct count."""

    def __call__(self, problem: ConvProblem, prepared: Any = None) -> int:
        """Count for a problem; some strategies know more once the filters are prepared."""


def supported(problem: ConvProblem) -> None:  # the signature of `unsupported`
    """Give no reason against any problem."""


def direct_flops(problem: ConvProblem, prepared: Any = None) -> int:  # noqa: ARG001  # a Flops
    """Count what the definition counts: a multiply and an add for each tap of each output."""
    return problem.flops


@dataclass(frozen=True, slots=True, kw_only=True)
class Strategy:
    """One way to compute a convolution; its name is permanent, because results carry it.

    Attributes
    ----------
    name, family, summary : str
        Family groups strategies that stress the machine alike; the summary is one clause.
    reference : str
        Where the method comes from.
    prepare : (weights, problem) -> prepared
        The part that depends on the filters alone, done once for many inputs.
    run : (x, prepared, problem) -> output
        The part that is timed; the output is C-contiguous in the problem's layout.
    workspace_bytes : (problem) -> int
        Memory beyond x, weights and output that `prepared` and the largest moment of `run` hold.
    unsupported : (problem) -> str or None
        Why this strategy can't, or shouldn't, do the problem.
    flops : (problem, prepared=None) -> int
        Operations that `run` executes.
    brings : tuple of str
        Native runtimes of its own, beside those of NumPy and SciPy.
    external : bool
        Whether it is a peer library, an optional dependency.
    error_bound : (x, weights, problem) -> array
        Derived bound of every element's error; `convbench.reference` has one per family.
    threaded : bool
        Whether `run` may compute on more than the calling thread, by itself or through a BLAS.
    local : bool
        Whether an output depends on its own patch of x only: NaN and infinity then reach exactly
        the outputs that the definition names. Transforms spread them over a tile or a plane.
    """

    name: str
    family: str
    summary: str
    reference: str
    prepare: Callable[[Array, ConvProblem], Any]
    run: Callable[[Array, Any, ConvProblem], Array]
    workspace_bytes: Callable[[ConvProblem], int]
    unsupported: Callable[[ConvProblem], str | None] = supported
    flops: Flops = direct_flops
    brings: tuple[str, ...] = ()
    external: bool = False
    error_bound: ErrorBound = direct_error_bound
    threaded: bool = True
    local: bool = True
