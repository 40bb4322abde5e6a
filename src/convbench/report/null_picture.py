"""The p-values of the null control as a picture: ten bars, and what chance alone would give."""

from dataclasses import dataclass

from convbench.report.axes import linear, ticks
from convbench.report.figures import LEFT, RIGHT, TOP, WIDTH, Tick
from convbench.stats.null_p_values import BAND, BINS, Bins, PValues, binned

HEIGHT, BOTTOM = 260, 48
LEAST_PAIRS = 20
"""With fewer pairs, ten bars of two or less say nothing."""

GAP = 0.16
"""Part of a bar's room that stays empty."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One bin: its rectangle, its ends, and whether chance explains its height."""

    x: float
    y: float
    width: float
    height: float
    start: float
    end: float
    count: int
    verdict: str


@dataclass(frozen=True, slots=True)
class NullPicture:
    """The histogram with the expected height and the band around it, ready to draw."""

    title: str
    meaning: str
    method: str
    pairs: int
    bars: tuple[Bar, ...]
    expected: str
    expected_at: float
    band: tuple[float, float]
    band_words: str
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    top: int = TOP
    bottom: int = HEIGHT - BOTTOM


def null_picture(found: PValues) -> NullPicture | None:
    """Draw the p-values; None where there are too few."""
    pairs = len(found.each)
    if pairs < LEAST_PAIRS:
        return None
    bins = binned(found.each)
    top = max(*bins.counts, bins.high)
    y_scale = linear((0.0, top), (HEIGHT - BOTTOM, TOP))
    x_scale = linear((0.0, 1.0), (LEFT, WIDTH - RIGHT))
    room = (WIDTH - RIGHT - LEFT) / BINS
    bars = tuple(
        Bar(
            round(x_scale(at / BINS) + room * GAP / 2, 1),
            round(y_scale(count), 1),
            round(room * (1 - GAP), 1),
            round(y_scale(0) - y_scale(count), 1),
            at / BINS,
            (at + 1) / BINS,
            count,
            _verdict(count, bins),
        )
        for at, count in enumerate(bins.counts)
    )
    title, meaning = _reading(bins)
    return NullPicture(
        title,
        meaning,
        _method(found),
        pairs,
        bars,
        f"{bins.expected:g}",
        round(y_scale(bins.expected), 1),
        (round(y_scale(bins.high), 1), round(y_scale(bins.low), 1)),
        f"{bins.low} to {bins.high}",
        tuple(Tick(round(x_scale(at / BINS), 1), f"{at / BINS:g}") for at in range(BINS + 1)),
        tuple(
            Tick(round(y_scale(tick), 1), f"{tick:,.0f}")
            for tick in ticks(0.0, float(top), 4)
            if tick == int(tick)
        ),
    )


MANY, FEW, USUAL = "more than chance", "fewer than chance", "as chance"


def _verdict(count: int, bins: Bins) -> str:
    return MANY if count > bins.high else FEW if count < bins.low else USUAL


def _reading(bins: Bins) -> tuple[str, str]:
    """Say what the bars mean, by those that chance does not explain."""
    verdicts = [_verdict(count, bins) for count in bins.counts]
    low, high = verdicts[: BINS // 2], verdicts[BINS // 2 :]
    if MANY in low and MANY not in high:
        return (
            "Equal calls look different more often than they should",
            "Too many small p-values: the samples of one process resemble each other more than "
            "those of two, so a test that takes them as independent is too sure. Ask for more "
            "than one run before a difference within a run counts.",
        )
    if MANY in high and MANY not in low:
        return (
            "Equal calls look more alike than chance would have them",
            "Too many large p-values: the test is too cautious. It raises few false alarms, and "
            "overlooks small differences.",
        )
    if set(verdicts) == {USUAL}:
        return (
            "The p-values of equal calls are as chance has them",
            "No bar leaves the band: a test of one run keeps its promised rate of false alarms "
            "here, as far as so many pairs can tell.",
        )
    return (
        "The p-values of equal calls are not as chance has them",
        "Bars outside of the band show that a test of one run does not keep its promised rate of "
        "false alarms; what disturbed the runs may tell why.",
    )


def _method(found: PValues) -> str:
    samples, intervals = found.sampled, len(found.each) - found.sampled
    words = []
    if samples:
        words.append(
            f"{'All' if not intervals else f'{samples:,}'} p-values are of the samples, by the "
            "two-sided Mann–Whitney test"
        )
    if intervals:
        words.append(
            f"{'All p-values are' if not samples else f'{intervals:,} are'} of the two values and "
            "their 99 % intervals, taken as normal, because no samples were stored"
        )
    return "; ".join(words) + (
        f". If they were uniform, all ten bars would stay within the band in "
        f"{BAND:.0%} of such pictures (exact binomial bounds, Bonferroni)."
    ).replace("%", " %")
