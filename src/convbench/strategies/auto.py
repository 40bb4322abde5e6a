"""Choose a strategy by a plain rule; never refuses a problem.

The rule, in this order:

1. `fft` when it executes less than a quarter of the direct operations: large filters.
   Its operations are slower than a GEMM's, by about that factor.
2. `im2col` when its columns fit into memory.
3. `shifted`, whose workspace is of the size of its operands.

Strategies that compile first are never chosen: a default must not stall its first call.
"""

from typing import Any

from convbench.problem import Array, ConvProblem
from convbench.strategies import fft, im2col, shifted
from convbench.strategies._strategy import Strategy

# Direct operations over those of fft from which fft wins.
MIN_FFT_SAVING = 4


def choose(problem: ConvProblem) -> Strategy:
    """Apply the rule."""
    # The first test is necessary for the second, and spares small problems SciPy's import.
    if problem.kernel_height * problem.kernel_width > 2 * MIN_FFT_SAVING and (
        problem.flops > MIN_FFT_SAVING * fft.STRATEGY.flops(problem)
        and fft.STRATEGY.unsupported(problem) is None
    ):
        return fft.STRATEGY
    return im2col.STRATEGY if im2col.STRATEGY.unsupported(problem) is None else shifted.STRATEGY


def prepare(weights: Array, problem: ConvProblem) -> Any:
    """Prepare as the chosen strategy does."""
    return choose(problem).prepare(weights, problem)


def run(x: Array, prepared: Any, problem: ConvProblem) -> Array:
    """Run the chosen strategy."""
    return choose(problem).run(x, prepared, problem)


def flops(problem: ConvProblem, prepared: Any = None) -> int:
    """Count the chosen strategy's operations."""
    return choose(problem).flops(problem, prepared)


def workspace_bytes(problem: ConvProblem) -> int:
    """Count the chosen strategy's workspace."""
    return choose(problem).workspace_bytes(problem)


STRATEGY = Strategy(
    name="auto",
    family="auto",
    summary="fft for large filters, else im2col, else shifted",
    reference="the rule in this module's docstring",
    prepare=prepare,
    run=run,
    flops=flops,
    workspace_bytes=workspace_bytes,
)
