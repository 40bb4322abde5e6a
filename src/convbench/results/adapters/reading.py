"""One result of another tool, and the record of a whole file that is made of such results."""

import math
import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import Any

import numpy as np

from convbench.results.result_file import (
    FAILED,
    MAX_ROWS,
    NO_COUNT,
    NO_TIME,
    OK,
    SKIPPED,
    Benchmark,
    Head,
    ResultFile,
    Rows,
    Samples,
    date_ms,
    utf8,
)
from convbench.results.result_file import name as checked_name

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SHOWN = 40

Params = tuple[tuple[str, str], ...]
"""Names and texts of a result's parameters."""


@dataclass(frozen=True)
class Origin:
    """What the user says of a file; it wins over what the file says.

    Parameters
    ----------
    commit : str
        Full hash of the measured commit.
    commit_date_ms : int or None
        Its date, milliseconds since 1970.
    machine : str
        The name of the machine.
    """

    commit: str = ""
    commit_date_ms: int | None = None
    machine: str = ""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """One result: a benchmark under one combination of its parameters.

    Parameters
    ----------
    full_name, benchmark : str
        The tool's name of the result, and what remains of it without parameters.
    params : tuple of (str, str)
    value : float
        Seconds per call, or what `unit` says; NaN for a benchmark that failed.
    skipped : bool
        Whether it was left out on purpose.
    type, unit : str
        In asv's words.
    """

    full_name: str
    benchmark: str
    params: Params = ()
    value: float = math.nan
    skipped: bool = False
    q25: float = math.nan
    q75: float = math.nan
    number: int = NO_COUNT
    repeat: int = NO_COUNT
    samples: Sequence[float] | None = None
    started_at_ms: int = NO_TIME
    duration: float = math.nan
    type: str = "time"
    unit: str = "seconds"

    @property
    def status(self) -> int:
        """The code of the outcome."""
        return SKIPPED if self.skipped else FAILED if math.isnan(self.value) else OK

    @property
    def param_names(self) -> tuple[str, ...]:
        """Names of the parameters."""
        return tuple(name for name, _ in self.params)


def result_file(head: Head, readings: Sequence[Reading]) -> ResultFile:
    """Return the record of a file.

    The combinations that a tool measured need be no grid: each is an entry of its own, whose axes
    have one value each.
    """
    if len(readings) > MAX_ROWS:
        raise ValueError(f"{len(readings)} results in one file; at most {MAX_ROWS} are read")
    named = _told_apart(readings)
    names = _longest_names(named)
    rows = Rows(
        benchmarks=tuple(one.benchmark for one in named),
        axes=tuple(tuple((_as_repr(text),) for _, text in one.params) for one in named),
        versions=(None,) * len(named),
        started_at_ms=np.array([one.started_at_ms for one in named], np.int64),
        duration=np.array([one.duration for one in named], np.float64),
        value=np.array([one.value for one in named], np.float64),
        status=np.array([one.status for one in named], np.uint8),
        intervals={
            "ci_low": np.full(len(named), math.nan),
            "ci_high": np.full(len(named), math.nan),
            "q25": np.array([one.q25 for one in named], np.float64),
            "q75": np.array([one.q75 for one in named], np.float64),
        },
        counts={
            "number": np.array([one.number for one in named], np.int64),
            "repeat": np.array([one.repeat for one in named], np.int64),
        },
        samples=_samples(named),
    )
    benchmarks = {
        one.benchmark: Benchmark(one.benchmark, one.type, one.unit, names[one.benchmark])
        for one in named
    }
    return ResultFile(head, rows, benchmarks)


def _longest_names(readings: Iterable[Reading]) -> dict[str, tuple[str, ...]]:
    """Return every benchmark's parameter names: those of the result that has most.

    Of different names as many it is the first in the alphabet, whatever the order of results.
    """
    longest: dict[str, tuple[str, ...]] = {}
    for one in readings:
        found = longest.get(one.benchmark, ())
        longest[one.benchmark] = min(found, one.param_names, key=lambda names: (-len(names), names))
    return longest


def _told_apart(readings: Sequence[Reading]) -> list[Reading]:
    """Call results by their full names where parameters don't fit their benchmark or repeat.

    Parameters belong to names by position, so those of every result must begin like the longest.
    """
    longest = _longest_names(readings)
    fitting = [
        one
        if one.param_names == longest[one.benchmark][: len(one.params)]
        else replace(one, benchmark=one.full_name, params=())
        for one in readings
    ]
    times = Counter(map(_key, fitting))
    named = [
        one if times[_key(one)] == 1 else replace(one, benchmark=one.full_name, params=())
        for one in fitting
    ]
    key, count = max(Counter(map(_key, named)).items(), key=lambda item: item[1], default=("", 1))
    if count > 1:
        raise ValueError(f"{count} results called {key[0][:_SHOWN]}; expected one")
    return named


def _as_repr(text: str) -> str:
    """Write a parameter as asv's readers do, where a text in quotes is the repr of another."""
    return repr(text) if text[:1] in ("'", '"') else text


def _key(reading: Reading) -> tuple[str, tuple[str, ...]]:
    return reading.benchmark, tuple(text for _, text in reading.params)


def _samples(readings: Sequence[Reading]) -> Samples | None:
    recorded = np.array([one.samples is not None for one in readings], bool)
    if not recorded.any():
        return None
    lists = [one.samples or () for one in readings]
    return Samples(
        recorded,
        np.array(list(accumulate(map(len, lists), initial=0)), np.int64),
        np.array([value for values in lists for value in values], np.float64),
    )


@dataclass(frozen=True)
class Summary:
    """Median and quartiles of samples; no quartiles of fewer than two, which have no spread."""

    value: float = math.nan
    q25: float = math.nan
    q75: float = math.nan


def summary(samples: Sequence[float]) -> Summary:
    """Summarise samples; NaN where there are none or one of them is no number."""
    if not samples or any(map(math.isnan, samples)):
        return Summary()
    if len(samples) < 2:
        return Summary(samples[0])
    with np.errstate(invalid="ignore"):  # between two infinities there is no quartile
        q25, q75 = np.quantile(samples, (0.25, 0.75))
    return Summary(statistics.median(samples), float(q25), float(q75))


def commit_of(
    origin: Origin, said: str = "", said_date: int | None = None, measured: int | None = None
) -> tuple[str, int]:
    """Return commit and date of a file, the date of measuring where no other is known.

    Parameters
    ----------
    origin : Origin
    said, said_date : str, int or None
        The commit that the file names, and its date.
    measured : int or None
        When the file was measured.
    """
    commit = origin.commit or said
    if not commit:
        raise ValueError("no commit in the file; give --commit HASH")
    of_commit = said_date if commit == said else None
    dates = (origin.commit_date_ms, of_commit, measured)
    date = next((date for date in dates if date is not None), None)
    if date is None:
        raise ValueError("no date in the file; give --commit-date DATE")
    return utf8(commit), date_ms(date)


def moment_ms(value: Any) -> int | None:
    """Return an ISO date in milliseconds since 1970, None for null; UTC where it has no zone."""
    if value is None:
        return None
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return date_ms((moment - _EPOCH) // timedelta(milliseconds=1))


def number(value: Any, what: str) -> float:
    """Return a number; null is NaN."""
    if value is None:
        return math.nan
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{what}: expected a number, found {_short(value)}")
    return float(value)


def count(value: Any, what: str) -> int:
    """Return a whole number from 0 on; null is NO_COUNT."""
    if value is None:
        return NO_COUNT
    if isinstance(value, bool) or not isinstance(value, int | float) or not value >= 0:
        raise ValueError(f"{what}: expected a whole number from 0 on, found {_short(value)}")
    if value != int(value):
        raise ValueError(f"{what}: expected a whole number, found {_short(value)}")
    return int(value)


def numbers(value: Any, what: str) -> list[float]:
    """Return a list of numbers; null in it is NaN."""
    return [number(one, what) for one in items(value, what)]


def items(value: Any, what: str) -> list[Any]:
    """Return a list; raise ValueError when it is none."""
    if not isinstance(value, list):
        raise ValueError(f"{what}: expected a list, found {_short(value)}")
    return value


def fields(value: Any, what: str) -> Mapping[str, Any]:
    """Return an object, empty for null; raise ValueError when it is none."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise ValueError(f"{what}: expected an object, found {_short(value)}")
    return value


def text(value: Any) -> str:
    """Return an optional text, empty for null; a number is written out."""
    return "" if value is None else utf8(value)


def name(value: Any, what: str) -> str:
    """Return a text that must be there; raise ValueError when it is not."""
    try:
        return checked_name(value)
    except ValueError as error:
        raise ValueError(f"{what}: {error}") from None


def said(**facts: Any) -> dict[str, str]:
    """Return the facts that a file tells, as texts."""
    return {key: text(fact) for key, fact in facts.items() if fact not in (None, "")}


def _short(value: object) -> str:
    return utf8(repr(value)[:_SHOWN])
