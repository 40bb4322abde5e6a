"""Which cells are compared: those of the suite that a condition selects, paired over the arms."""

import itertools
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from convbench.comparison.arms import Cell, Place
from convbench.errors import BadUsage

LONGEST_TIMEOUT = 1e6
"""Seconds: twelve days stand for any longer time, which an operating system can't wait."""

Described = Mapping[str, Any]
"""A benchmark as the worker describes it."""


def selected(benchmarks: Iterable[Described], condition: str, timeout: float) -> list[Cell]:
    """List the cells whose name, as asv writes it, meets a regular expression.

    Parameters
    ----------
    benchmarks : iterable of mapping
        What the worker found in the suite. Only functions that are timed in their own process are
        compared: memory, tracked values and `timeraw` are not.
    condition : str
        Searched in the name with parameters; empty for all.
    timeout : float
        Seconds of a cell whose benchmark has none of its own.
    """
    return [
        Cell(name, (place, place), _timeout(benchmark, timeout))
        for benchmark in benchmarks
        if benchmark["comparable"]
        for name, place, _ in _combinations(benchmark)
        if re.search(condition, name)
    ]


def paired(
    benchmarks: Iterable[Described],
    condition: str,
    timeout: float,
    *,
    strategies: tuple[str, str],
    parameters: Collection[str],
) -> list[Cell]:
    """List the cells of one strategy, each with its counterpart of another strategy.

    Parameters
    ----------
    benchmarks, condition, timeout
        As in `selected`; the condition is searched in the names of both.
    strategies : tuple of str
        In BASE and in HEAD; values of the parameter.
    parameters : collection of str
        Names that the parameter may have.

    Raises
    ------
    BadUsage
        The suite has no such value.
    """
    cells, known = [], set()
    for benchmark in benchmarks:
        axis = _axis(benchmark, parameters)
        if not benchmark["comparable"] or axis is None:
            continue
        known |= {_plain(value) for value in benchmark["params"][axis]}
        sides: tuple[dict[str, tuple[str, Place]], ...] = ({}, {})
        for name, place, values in _combinations(benchmark):
            for strategy, side in zip(strategies, sides, strict=True):
                if _plain(values[axis]) == strategy:
                    others = [*values[:axis], "*", *values[axis + 1 :]]
                    side[_named(benchmark["name"], others)] = (name, place)
        for shared in [name for name in sides[0] if name in sides[1]]:
            (base_name, base), (head_name, head) = (side[shared] for side in sides)
            if re.search(condition, base_name) or re.search(condition, head_name):
                cells.append(Cell(shared, (base, head), _timeout(benchmark, timeout)))
    for strategy in strategies:
        if strategy not in known:
            raise BadUsage(
                f"no timed benchmark has the strategy {strategy!r}; there are"
                f" {', '.join(sorted(known)) or f'no parameters {sorted(parameters)}'}"
            )
    return cells


def _combinations(benchmark: Described) -> Iterator[tuple[str, Place, Sequence[str]]]:
    """Give name, place and parameters of each cell, in asv's order."""
    if not benchmark["params"]:
        yield benchmark["name"], Place(benchmark["name"]), ()
        return
    for index, values in enumerate(itertools.product(*benchmark["params"])):
        yield _named(benchmark["name"], values), Place(benchmark["name"], index), values


def _named(benchmark: str, values: Iterable[str]) -> str:
    return f"{benchmark}({', '.join(values)})"


def _axis(benchmark: Described, parameters: Collection[str]) -> int | None:
    names = benchmark["param_names"]
    return next((i for i, name in enumerate(names) if name in parameters), None)


def _plain(value: str) -> str:
    """Take the quotes off a parameter that is a string; asv keeps `repr`."""
    quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "'\""
    return value[1:-1] if quoted else value


def _timeout(benchmark: Described, default: float) -> float:
    return seconds_of(f"timeout of {benchmark['name']}", benchmark["timeout"] or default)


def seconds_of(what: str, given: object) -> float:
    """Read how long something may take; refuses what is no positive number."""
    if isinstance(given, bool) or not isinstance(given, int | float) or not given > 0:
        raise BadUsage(f"{what} is {given!r}: give a positive number of seconds")
    return float(min(given, LONGEST_TIMEOUT))
