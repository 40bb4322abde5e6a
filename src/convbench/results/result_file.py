"""What a reader makes of one result file: its commit and environment, and its rows by columns.

Every reader (asv's, exact or fast, and those of other tools) returns a `ResultFile`; everything
after it is the same for all. A row is one benchmark under one parameter combination; rows follow
each other benchmark by benchmark, within one in `itertools.product` order of its axes.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

Axes = tuple[tuple[str, ...], ...]
"""Texts of a benchmark's parameters, one tuple per axis; () for one that has none."""

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

OK, FAILED, SKIPPED = range(3)
"""Codes of `schema.STATUSES`."""

INTERVALS = ("ci_low", "ci_high", "q25", "q75")
COUNTS = ("number", "repeat")

NO_COUNT = -1
NO_TIME = np.iinfo(np.int64).min

MAX_ROWS = 2_000_000
"""Far above any real file (a hostile one could claim any number of failed combinations)."""

LAST_DATE_MS = 253_402_300_799_999
"""The end of the year 9999, the last that Python can write."""


@dataclass(frozen=True)
class Head:
    """What a file says once for all its rows.

    Parameters
    ----------
    commit : str
        Full hash of the measured commit.
    commit_date_ms : int
        Milliseconds since 1970, UTC.
    environment, python : str
        asv's name of the environment; its Python.
    requirements, variables : mapping
        Requirements (name to version, empty where unpinned) and environment variables.
    machine : str
        The machine's name as the file says it, where its place in a folder doesn't.
    facts : mapping
        What the file says of the machine, under asv's names (os, arch, cpu, num_cpu, ram).
    """

    commit: str
    commit_date_ms: int
    environment: str
    python: str = ""
    requirements: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    machine: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Samples:
    """Samples of the rows: those of row i are ``values[offsets[i]:offsets[i + 1]]``."""

    recorded: npt.NDArray[np.bool_]
    offsets: Integers
    values: Floats


@dataclass(frozen=True)
class Rows:
    """The rows of one file.

    The first four have one item per benchmark, the others one per row. In `value` and `intervals`
    NaN stands for no number; infinity stays. `status` has the codes above.
    """

    benchmarks: tuple[str, ...]
    axes: tuple[Axes, ...]
    versions: tuple[str | None, ...]
    started_at_ms: Integers  # NO_TIME where not said
    duration: Floats
    value: Floats
    status: npt.NDArray[np.uint8]
    intervals: Mapping[str, Floats]  # every one of INTERVALS
    counts: Mapping[str, Integers]  # every one of COUNTS; NO_COUNT where not said
    samples: Samples | None = None

    @property
    def sizes(self) -> list[int]:
        """Number of rows of each benchmark."""
        return [math.prod(map(len, axes)) for axes in self.axes]


@dataclass(frozen=True)
class Benchmark:
    """What is known of one benchmark beside its numbers."""

    benchmark: str
    type: str = ""
    unit: str = ""
    param_names: tuple[str, ...] = ()
    version: str = ""
    code: str = ""


_UNITS_BY_NAME = {
    re.compile(r"(time|timeraw)_.|(Time|Timeraw)[A-Z_]."): "seconds",
    re.compile(r"(mem|peakmem)_.|(Mem|PeakMem)[A-Z_]."): "bytes",
}


def undescribed(name: str) -> Benchmark:
    """Return what asv's rule tells of a benchmark that nothing describes any more.

    asv forgets a benchmark that is gone from the suite, but keeps its results. The beginning of
    the method's name is its type, and times are seconds (asv_runner, `name_regex` of each type).
    """
    method = name.rsplit(".", 1)[-1]
    units = (unit for rule, unit in _UNITS_BY_NAME.items() if rule.match(method))
    return Benchmark(name, unit=next(units, ""))


@dataclass(frozen=True)
class ResultFile:
    """One file; `benchmarks` only where the file itself describes them (other tools' files do)."""

    head: Head
    rows: Rows
    benchmarks: Mapping[str, Benchmark] = field(default_factory=dict)


def utf8(text: object) -> str:
    """Return `text` with lone surrogates escaped: JSON can hold them, Parquet's UTF-8 can't."""
    return str(text).encode(errors="backslashreplace").decode()


def name(value: Any) -> str:
    """Return a text that must be there; raise ValueError when it is not."""
    if not isinstance(value, str) or not value:
        raise ValueError(f"expected a name, found {repr(value)[:40]}")
    return utf8(value)


def date_ms(value: Any) -> int:
    """Return a moment in milliseconds since 1970; raise ValueError when it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value):
        raise ValueError(f"expected milliseconds since 1970, found {repr(value)[:40]}")
    if not 0 <= value <= LAST_DATE_MS:
        raise ValueError(f"a date before 1970 or after the year 9999 ({value} ms)")
    return int(value)
