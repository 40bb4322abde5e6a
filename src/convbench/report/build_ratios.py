"""One BLAS build against another: what a strategy takes with it ÷ what it takes with the baseline.

A ratio is of two times of one strategy and problem, in one data type, with one number of threads,
on one machine and at one commit, the newest that has both: times of two commits would mix the
builds with the code. Over the problems of a strategy ratios are joined by their geometric mean,
over those with an interval where any has one: a time of a single sample would lend its error to a
mean that does not know it.

The interval of a ratio is over the measurement alone: the intervals of the two times (asv's 99 %
ones, else the quartiles) are joined as those of independent errors, by the root of the sum of
squares of their logarithms' distances. It knows nothing of what differs between two processes; for
that there are the strategies that call no BLAS, whose ratios should be 1.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from convbench.report.links import history_link
from convbench.report.measurements import Measurements
from convbench.report.series import Line, Point
from convbench.report.winners import Found

CALLS_NO_BLAS = frozenset(
    {
        *("loops", "loops_python", "einsum", "separable", "sparse_toeplitz"),
        *("scipy_correlate2d", "ndimage_correlate"),
        *("fftconvolve", "oaconvolve", "scipy_convolve_auto"),
        *("numba_direct", "numba_loops", "numba_stencil", "numba_parallel", "numba_depthwise"),
        *("numba_nhwc", "implicit_gemm"),
        *("winograd_f2x3", "winograd_f4x3", "winograd_f6x3", "winograd_f4x5", "winograd_strided"),
    }
)
"""Names, which stand in results for good, of strategies whose `run` calls no BLAS (a test takes
the BLAS away from them). `auto` is not among them: it may choose one that does."""

CONTROLS_WITHIN = 0.9
"""The part of the controls that the distance between controls covers."""


@dataclass(frozen=True, slots=True)
class ProblemRatio:
    """The ratio of one problem; the interval is None where either time has none."""

    problem: str
    value: float
    interval: tuple[float, float] | None
    position: int
    disturbed: str
    link: str


@dataclass(frozen=True, slots=True)
class Ratio:
    """The ratio of a strategy over its problems, which stand by their ratios, the least first."""

    problems: tuple[ProblemRatio, ...]

    @property
    def counted(self) -> tuple[ProblemRatio, ...]:
        """The problems that the mean is over: those with an interval, all where none has one."""
        return tuple(one for one in self.problems if one.interval) or self.problems

    @property
    def value(self) -> float:
        """The geometric mean."""
        return math.exp(math.fsum(math.log(one.value) for one in self.counted) / len(self.counted))

    @property
    def interval(self) -> tuple[float, float] | None:
        """The interval of the mean; None where no problem has one."""
        below, above = 0.0, 0.0
        for one in self.counted:
            if one.interval is None:
                return None
            low, high = one.interval
            below += math.log(one.value / low) ** 2
            above += math.log(high / one.value) ** 2
        value, number = self.value, len(self.counted)
        return (
            value * math.exp(-math.sqrt(below) / number),
            value * math.exp(math.sqrt(above) / number),
        )

    @property
    def excludes_one(self) -> bool:
        """Whether the interval lies on one side of 1; without an interval nothing is claimed."""
        interval = self.interval
        return interval is not None and not interval[0] <= 1 <= interval[1]

    @property
    def disturbed(self) -> str:
        """Why a run that it uses was disturbed; empty where none was."""
        return next((one.disturbed for one in self.problems if one.disturbed), "")


def ratios_of(measurements: Measurements, build: Found, baseline: Found) -> Mapping[str, Ratio]:
    """Compare two builds: the ratio of each strategy that both measured at one commit."""
    found: dict[str, list[ProblemRatio]] = {}
    for key in sorted(build.keys() & baseline.keys()):
        (series, line), (_, base) = build[key], baseline[key]
        points = _of_one_commit(line, base)
        if points is None:
            continue
        disturbed = (measurements.disturbed.get((line.machine, one.run), "") for one in points)
        ratio = ProblemRatio(
            key[1],
            _value(points[0]) / _value(points[1]),
            _interval(*points),
            points[0].position,
            next(filter(None, disturbed), ""),
            history_link(series, line.machine),
        )
        found.setdefault(key[0], []).append(ratio)
    return {
        strategy: Ratio(tuple(sorted(ratios, key=lambda one: (one.value, one.problem))))
        for strategy, ratios in found.items()
    }


def control_factor(ratios: Iterable[Ratio]) -> float | None:
    """Give the factor from 1 within which nine of ten controls lie; None without controls.

    The builds can't be the reason for it, so a difference below it says nothing of them.
    """
    distances = sorted(abs(math.log(ratio.value)) for ratio in ratios)
    if not distances:
        return None
    return math.exp(distances[math.ceil(CONTROLS_WITHIN * len(distances)) - 1])


def _of_one_commit(line: Line, base: Line) -> tuple[Point, Point] | None:
    """Give both lines' points at the newest commit that has a time of both."""
    times = _times(line.points)
    other = _times(base.points)
    position = max(times.keys() & other.keys(), default=None)
    return None if position is None else (times[position], other[position])


def _times(points: Sequence[Point]) -> dict[int, Point]:
    return {
        point.position: point for point in points if point.value is not None and point.value > 0
    }


def _value(point: Point) -> float:
    return point.value or math.nan


def _interval(point: Point, base: Point) -> tuple[float, float] | None:
    bounds = (point.low, point.high, base.low, base.high)
    if any(bound is None or bound <= 0 for bound in bounds):
        return None
    low, high, base_low, base_high = (math.log(bound) for bound in bounds if bound)
    value, base_value = math.log(_value(point)), math.log(_value(base))
    ratio = value - base_value
    return (
        math.exp(ratio - math.hypot(value - low, base_high - base_value)),
        math.exp(ratio + math.hypot(high - value, base_value - base_low)),
    )
