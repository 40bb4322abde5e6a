"""The bench's figures as tables, for a terminal and in Markdown."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from convbench.stats.bench.agreement import AGREEMENT, AGREES
from convbench.stats.bench.cost import COST, LENGTHS, MILLISECONDS
from convbench.stats.bench.figures import QUANTILES, Cell, Figure, pooled
from convbench.stats.bench.injection import FLAGS, FOUND, INJECTION, SIZES
from convbench.stats.bench.labelled import COVER, LABELLED, LABELLED_F1, REAL_SERIES
from convbench.stats.bench.noise import KINDS
from convbench.stats.bench.protocols import (
    ALERTS,
    DELAY_SIZES,
    EXTRA,
    F1,
    FALSE,
    MISSED,
    PROTOCOLS,
    WITHIN,
)
from convbench.stats.bench.wording import NONE, commits, number, percent, share

PER = 10_000
"""False changes are told per so many points, alerts per so many looks."""

LOCATED = (
    *(("logn", 0.01, 0.05), ("logn", 0.02, 0.05), ("logn", 0.05, 0.10)),
    *(("outlier", 0.01, 0.02), ("outlier", 0.02, 0.05), ("bimodal", 0.02, 0.05)),
)
"""Cells of one step that are shown; all of them are in the JSON."""

FIVE_SHOWN = (
    *(("logn", 0.01, 0.05), ("logn", 0.02, 0.10), ("outlier", 0.02, 0.10)),
    *(("hetero", 0.02, 0.10), ("ar1", 0.02, 0.10)),
)

Pick = Callable[[Figure], bool]
Write = Callable[[Sequence[Figure]], str]


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table: a title, what its cells mean, a heading and rows of texts."""

    title: str
    meaning: str
    heading: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Column:
    """A column: which figures it takes, and how it writes them."""

    name: str
    takes: Pick
    writes: Write


def as_rows(figures: Iterable[Figure]) -> list[dict[str, Any]]:
    """Give figures as plain records; what is no number in JSON becomes None."""
    return [
        {
            name: None if isinstance(value, float) and not math.isfinite(value) else value
            for name, value in {**asdict(one.cell), **_own(one)}.items()
        }
        for one in figures
    ]


def _own(one: Figure) -> dict[str, Any]:
    return {name: value for name, value in asdict(one).items() if name != "cell"}


def sheets(figures: Sequence[Figure]) -> list[Sheet]:
    """Write every table for which there are figures."""
    made = []
    for test, (meaning, columns) in _columns(figures).items():
        of_test = [one for one in figures if one.cell.test == test]
        names = dict.fromkeys(one.detector for one in of_test)
        if of_test:
            title = TITLES[test]
            heading = ("", *(column.name for column in columns))
            made.append(
                Sheet(
                    title, meaning, heading, tuple(_row(name, columns, of_test) for name in names)
                )
            )
    return made


def in_text(sheet: Sheet) -> Iterator[str]:
    """Align a table for a terminal."""
    rows = (sheet.heading, *sheet.rows)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    yield from ("", sheet.title, sheet.meaning, "")
    for first, *others in rows:
        cells = (text.rjust(width) for text, width in zip(others, widths[1:], strict=True))
        yield "  ".join((first.ljust(widths[0]), *cells))


def in_markdown(sheet: Sheet) -> Iterator[str]:
    """Write a table in Markdown."""
    yield from (f"**{sheet.title}.** {sheet.meaning[0].upper()}{sheet.meaning[1:]}.", "")
    yield f"| {' | '.join(sheet.heading)} |"
    yield f"|---{'|--:' * (len(sheet.heading) - 1)}|"
    yield from (f"| {' | '.join(row)} |" for row in sheet.rows)
    yield ""


TITLES: Mapping[str, str] = {
    **{
        name: protocol.title[0].upper() + protocol.title[1:] for name, protocol in PROTOCOLS.items()
    },
    INJECTION: "Steps injected into real histories",
    AGREEMENT: "Flags on real histories, and how other environments move there",
    LABELLED: "Series that people have labelled",
    COST: "Processor time",
}


def _columns(figures: Sequence[Figure]) -> Mapping[str, tuple[str, Sequence[Column]]]:
    """Say of each test what its table shows."""
    return {
        "false": (
            f"false changes per {PER:,} points, noise of 2 %, all lengths pooled (95 % bounds)",
            [Column(kind, _of(kind, FALSE), _per_many) for kind in KINDS],
        ),
        "online": (
            f"alerts per {PER:,} looks (95 % bounds)",
            [Column(kind, _of(kind, ALERTS), _per_many) for kind in KINDS],
        ),
        "step": (
            "share within ±1 ± its standard error; within ±2; false changes per history",
            [Column(_label(size), _sized(size), _located) for size in LOCATED],
        ),
        "length": (
            "noise of 2 %; share within ±2 ± its standard error; false changes per history",
            [
                Column(f"{points:,} commits", _long(points), _found_at_last)
                for points in (20, 50, 1000)
            ],
        ),
        "five": (
            "F1 at ±2 ± its standard error, over all noises and sizes with 95 % bounds",
            [
                Column("all", lambda one: one.measure == F1, _pooled_share),
                Column("missed", lambda one: one.measure == MISSED, _pooled_percent),
                *(Column(_label(size), _sized(size), _f1) for size in FIVE_SHOWN),
            ],
        ),
        "delay": (
            "commits of the new level until found, median (90 % quantile); never found",
            [Column(_label(size), _sized(size), _delays) for size in DELAY_SIZES],
        ),
        INJECTION: (
            "flags per 1,000 points; share of injected steps of 3, 5, 10, 20 % found within ±2 "
            "± the standard error of that of 5 %",
            [
                Column(name, _from(name), _injected)
                for name in dict.fromkeys(
                    one.cell.kind for one in figures if one.cell.test == INJECTION
                )
            ],
        ),
        AGREEMENT: (
            "share of the flags where other environments move the same way ± its standard error "
            "(of noise it would be .50, and 2 × share − 1 estimates how many are true); flags",
            [
                Column(name, _from(name), _agreed)
                for name in dict.fromkeys(
                    one.cell.kind for one in figures if one.cell.test == AGREEMENT
                )
            ],
        ),
        LABELLED: (
            "mean F1 ± its standard error (margin of 5 points), cover ± its standard error",
            [Column(name, _from(name), _labelled) for name in ("development", REAL_SERIES)],
        ),
        COST: (
            "median CPU milliseconds per history: without a change / with eight",
            [Column(f"{points:,} points", _long(points), _times) for points in LENGTHS],
        ),
    }


def _row(name: str, columns: Sequence[Column], figures: Sequence[Figure]) -> tuple[str, ...]:
    texts = []
    for column in columns:
        taken = [one for one in figures if one.detector == name and column.takes(one)]
        texts.append(column.writes(taken) if taken else NONE)
    return (name, *texts)


def _of(kind: str, measure: str) -> Pick:
    return lambda one: one.cell.kind == kind and one.measure == measure


def _from(source: str) -> Pick:
    return lambda one: one.cell.kind == source


def _sized(size: tuple[str, float, float]) -> Pick:
    return lambda one: (one.cell.kind, one.cell.cv, one.cell.step) == size


def _long(points: int) -> Pick:
    return lambda one: one.cell.points == points


def _label(size: tuple[str, float, float]) -> str:
    kind, cv, step = size
    return f"{kind} {percent(cv)}, {percent(step)}"


def _by_measure(taken: Sequence[Figure]) -> dict[str, Figure]:
    return {one.measure: one for one in taken}


def _all_of(taken: Sequence[Figure]) -> Figure:
    cell: Cell = taken[0].cell
    return pooled(taken, replace(cell, points=0, series=sum(one.cell.series for one in taken)))


def _per_many(taken: Sequence[Figure]) -> str:
    one = _all_of(taken)
    low, value, high = (number(PER * rate) for rate in (one.low, one.value, one.high))
    return f"{value} ({low}–{high})"


def _with_error(one: Figure) -> str:
    return f"{share(one.value)} ±{share(one.se)}"


def _located(taken: Sequence[Figure]) -> str:
    one = _by_measure(taken)
    return (
        f"{_with_error(one[WITHIN[1]])}; {share(one[WITHIN[2]].value)}; {share(one[EXTRA].value)}"
    )


def _found_at_last(taken: Sequence[Figure]) -> str:
    one = _by_measure(taken)
    return f"{_with_error(one[WITHIN[2]])}; {share(one[EXTRA].value)}"


def _f1(taken: Sequence[Figure]) -> str:
    return _with_error(_by_measure(taken)[F1])


def _pooled_share(taken: Sequence[Figure]) -> str:
    one = _all_of(taken)
    return f"{share(one.value, 3)} ({share(one.low, 3)}–{share(one.high, 3)})"


def _pooled_percent(taken: Sequence[Figure]) -> str:
    return percent(_all_of(taken).value, 1)


def _delays(taken: Sequence[Figure]) -> str:
    one = _by_measure(taken)
    median, ninth = (commits(one[name].value) for name in QUANTILES)
    return f"{median} ({ninth}); {percent(one[MISSED].value)}"


def _injected(taken: Sequence[Figure]) -> str:
    flags = next(one.value for one in taken if one.measure == FLAGS)
    found = {one.cell.step: one for one in taken if one.measure == FOUND}
    shares = " ".join(share(found[size].value) for size in SIZES)
    return f"{number(1000 * flags)}; {shares} ±{share(found[0.05].se)}"


def _agreed(taken: Sequence[Figure]) -> str:
    one = _by_measure(taken)[AGREES]
    return f"{_with_error(one)}; {one.total:.0f}"


def _labelled(taken: Sequence[Figure]) -> str:
    return "; ".join(_with_error(_by_measure(taken)[name]) for name in (LABELLED_F1, COVER))


def _times(taken: Sequence[Figure]) -> str:
    timed = [one.value for one in taken if one.measure == MILLISECONDS]
    return " / ".join(f"{value:.2g}" if value < 99.5 else f"{value:.0f}" for value in timed)
