"""Bars of ratios between BLAS builds: where they are drawn and what is said of them.

Places are in percent of the picture's width, so that words and marks keep their size on a phone.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from convbench.report.axes import logarithmic, ticks
from convbench.report.build_ratios import Ratio
from convbench.report.figures import Tick
from convbench.report.readable import significant, times

EDGE = 4.0  # percent of the picture that stays free on each side
LEAST_SPAN = 1.1  # greatest ÷ least ratio of an axis: less would make noise look large
# Digits of an axis' ticks by the factor that it spans; evenly spaced ones where it spans less.
DIGITS = ((20.0, (1.0, 2.0, 5.0)), (2.5, (1.0, 1.5, 2.0, 3.0, 5.0, 7.0)))
FEW_TICKS = 5
POWERS = range(-4, 5)

BETTER, WORSE, WITHIN, SAME, UNKNOWN = "better", "worse", "within", "same", "unknown"
"""A verdict: the interval lies below 1, above 1, so too but no further from 1 than controls do,
on both sides of 1; or there is none."""


@dataclass(frozen=True, slots=True)
class Axis:
    """A logarithmic axis of ratios from `low` to `high`, with room beside it."""

    low: float
    high: float

    def place(self, ratio: float) -> float:
        """Give where a ratio stands, in percent of the width; at the edge when outside."""
        scale = logarithmic((self.low, self.high), (EDGE, 100 - EDGE))
        return round(min(max(scale(ratio), 0.0), 100.0), 2)

    @property
    def ticks(self) -> tuple[Tick, ...]:
        """Give round ratios, 1 among them."""
        span = self.high / self.low
        digits = next((digits for least, digits in DIGITS if span > least), ())
        rounded = [digit * 10.0**power for power in POWERS for digit in digits]
        chosen = [tick for tick in rounded if self.low <= tick <= self.high]
        if not digits:
            chosen = ticks(self.low, self.high, FEW_TICKS)
        return tuple(Tick(self.place(tick), f"{tick:.4g}") for tick in chosen)


def axis_of(ratios: Iterable[Ratio]) -> Axis:
    """Give an axis that shows every problem, every interval and 1."""
    shown = [1.0]
    for ratio in ratios:
        shown += [one.value for one in ratio.problems]
        shown += ratio.interval or ()
    low, high = min(shown), max(shown)
    missing = math.sqrt(max(LEAST_SPAN * low / high, 1.0))
    return Axis(low / missing, high * missing)


@dataclass(frozen=True, slots=True)
class Extreme:
    """The problem whose ratio is the least or the greatest of a strategy's."""

    problem: str
    ratio: str
    link: str


@dataclass(frozen=True, slots=True)
class Bar:
    """One build's ratio as a mark `at` a place and a bar from `low` to `high`, and its words.

    `mark` numbers the build's shape and colour; `dots` are the problems' ratios, where several;
    `not_counted` of them have no interval and are not in the mean.
    """

    build: str
    mark: int
    ratio: str
    interval: str
    verdict: str
    direction: str
    at: float
    low: float
    high: float
    dots: tuple[float, ...]
    extremes: tuple[Extreme, ...]
    not_counted: int
    disturbed: str

    @property
    def filled(self) -> bool:
        """Whether the interval excludes 1."""
        return self.verdict not in (SAME, UNKNOWN)

    @property
    def tone(self) -> str:
        """The class that colours the words: none where the builds need not be the reason."""
        return self.verdict if self.verdict in (BETTER, WORSE) else "muted"


def bar(build: str, mark: int, ratio: Ratio, factor: float | None, axis: Axis) -> Bar:
    """Draw a ratio; controls lie within `factor` of 1, None without controls."""
    low, high = ratio.interval or (ratio.value, ratio.value)
    verdict = _verdict(ratio, factor)
    problems = ratio.problems
    ends = problems if len(problems) == 1 else (problems[0], problems[-1])
    return Bar(
        build,
        mark,
        ratio_text(ratio.value),
        f"{ratio_text(low)} – {ratio_text(high)}" if ratio.interval else "",
        verdict,
        _direction(ratio, verdict),
        axis.place(ratio.value),
        axis.place(low),
        axis.place(high),
        tuple(axis.place(one.value) for one in problems) if len(problems) > 1 else (),
        tuple(Extreme(one.problem, ratio_text(one.value), one.link) for one in ends),
        len(problems) - len(ratio.counted),
        ratio.disturbed,
    )


def ratio_text(ratio: float) -> str:
    """Write a ratio with three digits, one just above 1 as fine as one just below: 0.997, 1.003."""
    return significant(ratio, 4 if 1 <= ratio < 1.0995 else 3)


def _verdict(ratio: Ratio, factor: float | None) -> str:
    if ratio.interval is None:
        return UNKNOWN
    if not ratio.excludes_one:
        return SAME
    if factor is not None and abs(math.log(ratio.value)) <= math.log(factor):
        return WITHIN
    return BETTER if ratio.value < 1 else WORSE


def _direction(ratio: Ratio, verdict: str) -> str:
    """Write which way a ratio points: ``▼ 13 % less time``, ``▲ 2.4× the time``."""
    if verdict == SAME:
        return "no difference shown"
    if verdict == UNKNOWN:
        return "no interval"
    arrow = "▼" if ratio.value < 1 else "▲"
    if ratio.value >= 2:
        return f"{arrow} {times(ratio.value)}× the time"
    way = "less" if ratio.value < 1 else "more"
    return f"{arrow} {significant(100 * abs(ratio.value - 1), 2)} % {way} time"


def verdicts_in_words(build: str, baseline: str, verdicts: Sequence[str]) -> str:
    """State what a build changes: of how many strategies that call it, faster or slower."""
    faster, slower, number = verdicts.count(BETTER), verdicts.count(WORSE), len(verdicts)
    noun = "strategy that calls" if number == 1 else "strategies that call"
    among = f"{number} {noun} a BLAS"
    if not number:
        return f"{build} and {baseline}: no strategy that calls a BLAS was measured with both"
    if not faster and not slower:
        return f"{build} and {baseline}: no difference shown in {among}"
    if not faster:
        return f"{build} is slower than {baseline} in {slower} of {among}"
    also = f", slower in {slower}" if slower else ""
    return f"{build} is faster than {baseline} in {faster} of {among}{also}"
