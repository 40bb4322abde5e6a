"""Which benchmarks and cells one call of asv runs, as the expression that asv selects them by."""

import re
from collections.abc import Collection, Iterator
from functools import cache

from convbench.problem import DTYPES, ConvProblem
from convbench.strategies import STRATEGIES, Strategy
from convbench.workloads import WORKLOADS

ONCE = ("accuracy", "ceilings", "cold", "compile", "memory")
"""Modules of `benchmarks` whose values one round settles; the others are timed in every round."""

THREADED = ("ceilings", "control", "dense", "run.Float32")
"""What is measured with all threads as well: full convolutions, and what they are judged by.

Of the strategies those that compute on one thread alone are left out.
"""


def expression(
    *,
    once: bool,
    threads: str,
    bench: str = "",
    problems: Collection[str] = (),
    strategies: Collection[str] = (),
) -> str:
    """Regular expression of the benchmarks and cells to run.

    Parameters
    ----------
    once : bool
        Whether to run what is measured once, or what is timed in every round.
    threads : str
        A value of the axis; with more than one thread only `THREADED` is of interest.
    bench : str
        A further condition, the user's own.
    problems, strategies : collection of str
        The only ones to run; none stands for all. Benchmarks without such an axis, as the controls
        and the ceilings, are run all the same: they say what the others are worth.

    Notes
    -----
    Cells known to be skipped are left out: asv would start a process for each of them only to hear
    so. A strategy may refuse a problem, and one that no compiler is brought for can't compile.
    """
    conditions = [rf"(?{'=' if once else '!'}(?:{'|'.join(ONCE)})\.)"]
    if threads != "1":
        conditions += [rf"(?=(?:{'|'.join(map(re.escape, THREADED))})\.)"]
        conditions += [rf"(?!.*\('(?:{'|'.join(_single_threaded())})', )"]
    if strategies and (others := [name for name in STRATEGIES if name not in strategies]):
        conditions += [rf"(?!.*\('(?:{'|'.join(others)})', )"]
    if problems and (others := [name for name in WORKLOADS if name not in problems]):
        conditions += [rf"(?!.*\('\w+', '(?:{'|'.join(others)})', )"]
    if bench:
        conditions += [f"(?=.*(?:{bench}))"]
    if cells := _skipped_cells():
        conditions += [f"(?!.*(?:{'|'.join(cells)})$)"]
    return f"^{''.join(conditions)}"


def _single_threaded() -> list[str]:
    return [name for name, strategy in STRATEGIES.items() if not strategy.threaded]


@cache
def _skipped_cells() -> tuple[str, ...]:
    return tuple(cell for name, strategy in STRATEGIES.items() for cell in _skipped(name, strategy))


def _skipped(name: str, strategy: Strategy) -> Iterator[str]:
    if strategy.external:  # no axis has them
        return
    for dtype in DTYPES:
        refused = [
            problem_name
            for problem_name, arguments in WORKLOADS.items()
            if strategy.unsupported(ConvProblem(**arguments, dtype=dtype))
        ]
        if refused:
            yield rf"\('{name}', '(?:{'|'.join(refused)})', '{dtype}'\)"
    if "numba" not in strategy.brings:
        yield rf"\('{name}', '(?:cold|warm)'\)"
