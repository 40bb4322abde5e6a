"""Controls: what the harness itself costs, and what it says of things that are equal."""

from collections.abc import Callable
from functools import cache

from . import _cells, _process
from ._axes import NULL_CASES


@cache
def noop(strategy: str, problem: str, dtype: str) -> Callable[[], None]:
    """Return a call that does nothing, through the same kind of cache as a cell's."""
    del strategy, problem, dtype
    _process.check_cell(brings=())
    return lambda: None


class Control(_cells.TimedCells):
    """The time of an empty cell is part of every other time; it should never change."""

    params = ()
    param_names = ()

    def time_noop(self) -> None:
        noop("none", "none", "float32")()


class NullControl(_cells.TimedCells):
    """The same call under two labels: whatever difference is found between them is none.

    How often one is found tells how far the alarms of the same run can be trusted.
    """

    param_names = ("arm", "case")
    params = (
        ("a", "b"),
        NULL_CASES,
    )

    def time_case(self, arm: str, case: str) -> None:
        del arm
        _cells.run(*case.split())()
