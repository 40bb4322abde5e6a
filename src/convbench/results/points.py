"""POINT: the text that names one stored value, as the site shows it and a shell takes it.

    RUN/BLAS/THREADS/BENCHMARK(PARAMS)                        a value of a measuring run
    PROJECT/MACHINE/COMMIT/ENVIRONMENT/BENCHMARK(PARAMS)      a value that belongs to no run

PARAMS are Python reprs in the order of the benchmark's axes; the store holds their plain text, so
``5`` and ``'5'`` name the same value. A character that would end a part, or that a shell would read
between double quotes, is percent-encoded in the parts before the first bracket. A commit may be
cut; `point_of` cuts it to eight digits.
"""

import ast
import difflib
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import quote, unquote

import pandas as pd

from convbench.errors import BadUsage
from convbench.results import grids

OF_RUN = ("run", "blas", "threads", "benchmark")
OF_COMMIT = ("project", "machine", "commit", "environment", "benchmark")

# Builds, threads and the names of folders may be empty.
_NEVER_EMPTY = ("run", "commit", "benchmark")

COMMIT_DIGITS = 8

# Besides letters, digits and "_.-~": what stays readable in the parts of a point.
_PLAIN = "+@:,="

_SHOWN = 120
_NEAR = 3


@dataclass(frozen=True, kw_only=True)
class Point:
    """The name of one stored value; `run` is empty for a value that belongs to no run.

    Parameters
    ----------
    benchmark : str
        asv's name of the benchmark.
    params : tuple of str
        Plain texts, in the order of the benchmark's axes.
    run, blas, threads : str
        Where the value comes from, when a run measured it.
    project, machine, commit, environment : str
        Where it comes from otherwise; `commit` is its first digits.
    """

    benchmark: str
    params: tuple[str, ...] = ()
    run: str = ""
    blas: str = ""
    threads: str = ""
    project: str = ""
    machine: str = ""
    commit: str = ""
    environment: str = ""

    @property
    def place(self) -> Mapping[str, str]:
        """The parts before the brackets, by column of `values`."""
        return {name: getattr(self, name) for name in (OF_RUN if self.run else OF_COMMIT)}

    def __str__(self) -> str:
        """Write the point; `parse` reads it back."""
        parts = (quote(part, safe=_PLAIN) for part in self.place.values())
        return f"{'/'.join(parts)}({', '.join(map(_repr, self.params))})"


def point_of(row: Mapping[Any, Any]) -> Point:
    """Name a row of `values`."""
    names = OF_RUN if _text(row["run"]) else OF_COMMIT
    place = {name: _text(row[name]) for name in names}
    if "commit" in place:
        place["commit"] = place["commit"][:COMMIT_DIGITS]
    return Point(**place, params=tuple(row["params"].values()))


def _text(cell: object) -> str:
    return cell if isinstance(cell, str) else ""


def parse(text: str) -> Point:
    """Read a point; a benchmark without parameters needs no brackets.

    Raises
    ------
    BadUsage
        `text` is none.
    """
    head, bracket, params = text.strip().partition("(")
    parts = [unquote(part) for part in head.split("/")]
    names = next((names for names in (OF_RUN, OF_COMMIT) if len(names) == len(parts)), ())
    place = dict(zip(names, parts, strict=False))
    values = _split(params[:-1]) if params.endswith(")") else None if bracket else ()
    if not place or values is None or not all(place.get(name, "x") for name in _NEVER_EMPTY):
        raise BadUsage(
            f"POINT {_short(text)} is none; expected RUN/BLAS/THREADS/BENCHMARK(PARAMS) or "
            "PROJECT/MACHINE/COMMIT/ENVIRONMENT/BENCHMARK(PARAMS), in quotes, as the site shows it"
        )
    return Point(**place, params=values)


@lru_cache(maxsize=10_000)  # every history of a site is asked for, most have the same few
def _repr(text: str) -> str:
    """Write a parameter: a number or another literal as it is, any other text in quotes."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            is_string = isinstance(ast.literal_eval(text), str)
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            is_string = True
    return repr(text) if is_string or _split(text) != (text,) else text


def _split(params: str) -> tuple[str, ...] | None:
    """Split parameters at their commas and take quotes off; None when they are no expressions."""
    source = f"[{params}]"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of escapes in what somebody typed
            body = ast.parse(source, mode="eval").body
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
    if not isinstance(body, ast.List):
        return None
    pieces = (ast.get_source_segment(source, element) or "" for element in body.elts)
    return tuple(map(grids.unquote, pieces))


def find(values: pd.DataFrame, point: Point) -> pd.Series:
    """Return the row of `values` that a point names.

    Of several rows of one environment (a commit measured again without a run) it is the newest.

    Raises
    ------
    BadUsage
        There is none, or several environments have one.
    """
    rows = values if point.run else values[values["run"].fillna("") == ""]
    for name, wanted in point.place.items():
        known = rows[name].fillna("")
        found = known.str.startswith(wanted) if name == "commit" else known == wanted
        if not found.any():
            raise _unknown(point, f"{name} {_short(wanted)}", known.unique(), wanted)
        rows = rows[found]
    of_params = [tuple(params.values()) == point.params for params in rows["params"]]
    if not any(of_params):
        others = sorted({str(point_of(row)) for row in rows.to_dict("records")})
        raise _unknown(point, "value with these parameters", others, str(point))
    rows = rows[of_params]
    environments = sorted(set(rows["environment"]))
    if len(environments) > 1:
        raise BadUsage(
            f"POINT {_short(str(point))} names a value in each of {len(environments)} "
            f"environments: {', '.join(map(_short, environments))}"
        )
    newest = rows.sort_values(["started_at"], na_position="first", kind="stable")
    return newest.iloc[-1]


def _unknown(point: Point, what: str, known: Iterable[str], wanted: str) -> BadUsage:
    choices = sorted(filter(None, known))
    near = difflib.get_close_matches(wanted[:_SHOWN], choices, _NEAR, 0.3) or choices[:_NEAR]
    listed = "; ".join(map(_short, near)) or "nothing, the store has no values"
    return BadUsage(f"POINT {_short(str(point))}: the store has no {what} there; near: {listed}")


def _short(text: str) -> str:
    text = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
    return text if text.isprintable() else repr(text)
