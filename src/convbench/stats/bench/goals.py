"""What a good detector of changes has to reach, and whether ours does.

The bounds are this project's: an alarm that is nearly always right, and steps located as exactly as
noise allows. Each is judged by the measured figure, which is told with its bounds.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from convbench.stats.bench.agreement import AGREEMENT, AGREES
from convbench.stats.bench.cost import COST, MILLISECONDS
from convbench.stats.bench.figures import Figure, pooled
from convbench.stats.bench.injection import DETECT, FLAGS, FOUND, INJECTION
from convbench.stats.bench.labelled import COVER, LABELLED, LABELLED_F1, REAL_SERIES
from convbench.stats.bench.noise import KINDS
from convbench.stats.bench.protocols import (
    ALERTS,
    CEILING,
    DELAY_SIZES,
    F1,
    FALSE,
    GOAL_SIZES,
    MISSED,
    WITHIN,
)
from convbench.stats.bench.wording import number, percent, share

OURS = "ours"

CALM = ("logn", "outlier", "bimodal", "hetero")
"""Kinds of noise for which false changes are bounded; the other three are told beside them."""

FALSE_RATE = 1e-4
ALERT_RATE = 5e-4
SPIKE_RATE = 1e-3
"""Greatest rates: false changes per point, alerts per look, false changes where a value is strange
or the noise has two modes."""

BELOW_CEILING = 0.02
"""How much less often than the oracle a step may be located within ±1, as a share of all."""

EXACT_SHARE = 0.90
"""Least share of clear steps (of at least 10 % and 5 standard deviations) located exactly."""

MEDIAN_DELAY = 4
"""Greatest median delay, in commits, of 5 % in noise of 1 %."""

REAL, REAL_STEP, REAL_FOUND, REAL_FLAGS = "django-asv", 0.05, 0.53, 3.7e-3
"""On this collection: least share of steps of this size that are found, most flags per point."""

LABELLED_LEAST = {LABELLED_F1: 0.72, COVER: 0.67}
"""Least scores on series that people have labelled."""

MOST_MISSED = 0.068
"""Greatest share of steps of at least 5 % that are missed."""

LONG, LONG_MILLISECONDS = 1000, 5.0
MANY, MANY_POINTS, CORES, MANY_SECONDS = 10_000, 500, 2, 60.0
"""Most processor time of one long history; most time of many on so many cores."""


@dataclass(frozen=True, slots=True)
class Goal:
    """One goal: its text, the measured figure in words, and whether it is reached.

    `reached` is None where nothing was measured; `measured` then says why.
    """

    text: str
    measured: str
    reached: bool | None

    @property
    def verdict(self) -> str:
        """Say it in a word."""
        return {True: "reached", False: "missed", None: "not judged"}[self.reached]


def judge(figures: Sequence[Figure]) -> list[Goal]:
    """Judge every goal that figures of the goal tests can decide, but for processor time."""
    return [goal for function in _JUDGES for goal in function(figures)]


def judge_cost(figures: Sequence[Figure]) -> list[Goal]:
    """Judge processor time."""
    times = {
        points: max(
            (one.value for one in _select(figures, COST, MILLISECONDS, points=points)), default=None
        )
        for points in (LONG, MANY_POINTS)
    }
    one, each = times[LONG], times[MANY_POINTS]
    many = None if each is None else each * MANY / CORES / 1000
    return [
        Goal(
            f"at most {LONG_MILLISECONDS:g} CPU ms for {LONG:,} points",
            _unknown(COST) if one is None else f"{one:.2f} ms",
            None if one is None else one <= LONG_MILLISECONDS,
        ),
        Goal(
            f"{MANY:,} histories of {MANY_POINTS} points in at most {MANY_SECONDS:g} s "
            f"on {CORES} cores",
            _unknown(COST) if many is None else f"{many:.0f} s of CPU time on each",
            None if many is None else many <= MANY_SECONDS,
        ),
    ]


def _unknown(test: str) -> str:
    return f"the test {test} was not run"


def _select(
    figures: Iterable[Figure],
    test: str,
    measure: str,
    *,
    detector: str = OURS,
    kind: str | None = None,
    points: int | None = None,
) -> list[Figure]:
    return [
        one
        for one in figures
        if (one.cell.test, one.measure, one.detector) == (test, measure, detector)
        and kind in (None, one.cell.kind)
        and points in (None, one.cell.points)
    ]


def _rates(figures: Sequence[Figure], test: str, measure: str) -> dict[str, Figure]:
    """Pool a rate over the lengths of the histories, for each kind of noise."""
    by_kind = {kind: _select(figures, test, measure, kind=kind) for kind in KINDS}
    return {
        kind: pooled(found, replace(found[0].cell, points=0))
        for kind, found in by_kind.items()
        if found
    }


def _rate_goal(
    figures: Sequence[Figure], test: str, measure: str, most: float, unit: str
) -> Iterator[Goal]:
    rates = _rates(figures, test, measure)
    per = 10_000
    text = f"at most {most * per:g} {measure} per {per:,} {unit} on {', '.join(CALM)}"
    if not rates:
        yield Goal(text, _unknown(test), None)
        return
    parts = [
        f"{kind} {number(per * one.value)} (≤ {number(per * one.high)})"
        for kind, one in rates.items()
    ]
    yield Goal(text, ", ".join(parts), all(rates[kind].value <= most for kind in CALM))


def _false(figures: Sequence[Figure]) -> Iterator[Goal]:
    yield from _rate_goal(figures, "goal false", FALSE, FALSE_RATE, "points")


def _online(figures: Sequence[Figure]) -> Iterator[Goal]:
    yield from _rate_goal(figures, "goal online", ALERTS, ALERT_RATE, "looks")


def _located(figures: Sequence[Figure]) -> Iterator[Goal]:
    text = f"within ±1 at most {percent(BELOW_CEILING)} of steps fewer than the ceiling"
    parts, gaps = [], []
    for kind, cv, step in GOAL_SIZES:
        pair = [
            one
            for detector in (OURS, CEILING)
            for one in _select(figures, "goal step", WITHIN[1], detector=detector, kind=kind)
            if (one.cell.cv, one.cell.step) == (cv, step)
        ]
        if len(pair) == 2:
            ours, ceiling = pair
            parts.append(
                f"{kind} {percent(cv)}, {percent(step)}: {share(ours.value, 3)} "
                f"±{share(ours.se, 3)} of {share(ceiling.value, 3)}"
            )
            # Only for Gaussian noise is the ceiling one for detectors: elsewhere it knows what
            # none can know, the modes of the noise and the size of its outliers.
            gaps += [ceiling.value - ours.value] if kind == "logn" else []
    yield Goal(
        f"{text} (Gaussian noise)",
        "; ".join(parts) or _unknown("goal step"),
        max(gaps) <= BELOW_CEILING if gaps else None,
    )


def _exact(figures: Sequence[Figure]) -> Iterator[Goal]:
    found = _select(figures, "goal clear", WITHIN[0])
    text = (
        f"steps of at least 10 % and 5 standard deviations located exactly in at least "
        f"{percent(EXACT_SHARE)}, in every cell"
    )
    if not found:
        yield Goal(text, _unknown("goal clear"), None)
        return
    least = min(found, key=lambda one: one.value)
    all_of = pooled(found, found[0].cell)
    cell = least.cell
    yield Goal(
        text,
        f"{_bounded(all_of)} of all; least {share(least.value, 3)} ({cell.kind} "
        f"{percent(cell.cv, 1)}, {percent(cell.step)})",
        least.value >= EXACT_SHARE,
    )


def _late(figures: Sequence[Figure]) -> Iterator[Goal]:
    kind, cv, step = DELAY_SIZES[0]
    text = f"median delay of at most {MEDIAN_DELAY} commits ({kind} {percent(cv)}, {percent(step)})"
    found = _select(figures, "goal delay", "delay median")
    ninth = _select(figures, "goal delay", "delay p90")
    if not found or not ninth:
        yield Goal(text, _unknown("goal delay"), None)
        return
    yield Goal(
        text,
        f"median {found[0].value:.0f}, 90 % within {ninth[0].value:.0f}",
        found[0].value <= MEDIAN_DELAY,
    )


def _strange(figures: Sequence[Figure]) -> Iterator[Goal]:
    per = 1000
    text = f"at most {SPIKE_RATE * per:g} false changes per {per:,} points"
    spike = _select(figures, "goal spike", FALSE)
    modes = _rates(figures, "goal false", FALSE).get("bimodal")
    for name, one in (("single spikes", spike[0] if spike else None), ("bimodal", modes)):
        yield Goal(
            f"{text}, {name}",
            f"{share(per * one.value)} (≤ {share(per * one.high)})"
            if one
            else _unknown("goal spike"),
            one.value <= SPIKE_RATE if one else None,
        )


def _real(figures: Sequence[Figure]) -> Iterator[Goal]:
    text = (
        f"{REAL}: at least {REAL_FOUND} of injected steps of {percent(REAL_STEP)} found, at most "
        f"{REAL_FLAGS * 1000:g} flags per 1,000 points"
    )
    flags = _select(figures, INJECTION, FLAGS, detector=DETECT, kind=REAL)
    found = _select(figures, INJECTION, FOUND, detector=DETECT, kind=REAL)
    found = [one for one in found if one.cell.step == REAL_STEP]
    if not flags or not found:
        yield Goal(text, f"needs --histories with {REAL}.parquet", None)
        return
    agrees = _select(figures, AGREEMENT, AGREES, detector=DETECT, kind=REAL)
    parts = [
        f"{found[0].value:.3f} ±{found[0].se:.3f} found",
        f"{1000 * flags[0].value:.2f} ±{1000 * flags[0].se:.2f} flags",
        *(f"{share(one.value)} of them move as other environments do" for one in agrees),
    ]
    reached = found[0].value >= REAL_FOUND and flags[0].value <= REAL_FLAGS
    yield Goal(text, ", ".join(parts), reached)


def _on_labelled(figures: Sequence[Figure]) -> Iterator[Goal]:
    for measure, least in LABELLED_LEAST.items():
        found = _select(figures, LABELLED, measure, kind=REAL_SERIES)
        yield Goal(
            f"labelled series: mean {measure} of at least {least}",
            f"{share(found[0].value, 3)} ±{share(found[0].se, 3)}" if found else "needs --labelled",
            found[0].value >= least if found else None,
        )


def _above_peers(figures: Sequence[Figure]) -> Iterator[Goal]:
    names = dict.fromkeys(one.detector for one in figures if one.cell.test == "goal five")
    scores = {
        name: pooled(found, found[0].cell)
        for name in names
        if (found := _select(figures, "goal five", F1, detector=name))
    }
    text = "F1 of five steps above every other detector's"
    if OURS not in scores or len(scores) == 1:
        yield Goal(text, _unknown("goal five with other detectors"), None)
    else:
        parts = [f"{name} {_bounded(one)}" for name, one in scores.items()]
        others = [one.value for name, one in scores.items() if name != OURS]
        yield Goal(text, ", ".join(parts), scores[OURS].value > max(others))
    missed = _select(figures, "goal five", MISSED)
    all_missed = pooled(missed, missed[0].cell) if missed else None
    yield Goal(
        f"less than {percent(MOST_MISSED, 1)} of steps of at least 5 % missed",
        _bounded(all_missed) if all_missed else _unknown("goal five"),
        all_missed.value < MOST_MISSED if all_missed else None,
    )


def _bounded(one: Figure) -> str:
    return f"{share(one.value, 3)} ({share(one.low, 3)}–{share(one.high, 3)})"


_JUDGES: Sequence[Callable[[Sequence[Figure]], Iterator[Goal]]] = (
    _false,
    _online,
    _located,
    _exact,
    _late,
    _strange,
    _real,
    _on_labelled,
    _above_peers,
)
