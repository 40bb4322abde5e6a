"""Why is a small convolution slower than a large matrix product: the answer, from measurements.

    explain(question, strategies, dense, roofs) -> Explanation

Pure text from pure numbers: the page and `convbench explain` say the same because both call this.
`Timing.flops` is what a strategy really executes (None where unknown); effective rates divide the
direct algorithm's operations, `Question.flops`, by the time. A multiply-add counts as two.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from convbench.report.readable import gflops_per_second, operations, seconds, significant, times
from convbench.report.roofs import Roof

# Names that stand in results for good: the code as it was asked, the answer it was given, and the
# two ways to write the convolution as one matrix product.
ASKED = "loops"
ADVISED = "scipy_correlate2d"
MATRIX_PRODUCTS = ("im2col", "tensordot")


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """The convolution asked about: its direct operations, outputs and products per output."""

    problem: str
    flops: int
    outputs: int
    taps: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """One measured way: its name, seconds per call and executed operations."""

    name: str
    seconds: float
    flops: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A strategy beside the matrix product; `gflops_per_second` is effective."""

    name: str
    seconds: float
    times_dense: float
    times_fastest: float
    gflops_per_second: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """A title that states the finding, sentences that explain it, and rows, fastest first."""

    title: str
    sentences: tuple[str, ...]
    rows: tuple[Row, ...]


def explain(
    question: Question, strategies: Sequence[Timing], dense: Timing, roofs: Sequence[Roof] = ()
) -> Explanation:
    """Explain the measured times of one problem beside the dense product.

    Parameters
    ----------
    question : Question
        The convolution.
    strategies : sequence of Timing
        At least one; the code as asked is the one named `ASKED`, else the slowest.
    dense : Timing
        `np.dot` of the large matrix, with its flops.
    roofs : sequence of Roof
        Measured ceilings, where there are any.
    """
    ranked = sorted(strategies, key=lambda timing: (timing.seconds, timing.name))
    asked = _named(ranked, ASKED) or ranked[-1]
    sentences = (
        _rates(question, asked, dense),
        _interpreter(question, asked),
        _advice(ranked, asked, dense),
        _matrix_product(ranked, asked, dense),
        _fastest(ranked, question, dense),
        _peak(ranked[0], question, roofs),
    )
    return Explanation(
        _title(question, asked, dense),
        tuple(sentence for sentence in sentences if sentence),
        tuple(_row(timing, ranked[0], question, dense) for timing in ranked),
    )


def _named(timings: Sequence[Timing], *names: str) -> Timing | None:
    """Give the fastest of the named timings."""
    return next((timing for timing in timings if timing.name in names), None)


def _work(question: Question, dense: Timing) -> tuple[float, str]:
    ratio = (dense.flops or 0) / question.flops
    if ratio >= 1:
        return ratio, f"{times(ratio)}× fewer operations"
    return ratio, f"{times(1 / ratio) if ratio else '–'}× more operations"


def _title(question: Question, asked: Timing, dense: Timing) -> str:
    """State the paradox, or that there is none."""
    fewer, work = _work(question, dense)
    slower = asked.seconds / dense.seconds
    if slower >= 1:
        return f"{work}, {'yet ' if fewer >= 1 else ''}{times(slower)}× slower"
    return f"{work}, and {times(1 / slower)}× faster"


def _rates(question: Question, asked: Timing, dense: Timing) -> str:
    if not dense.flops:
        return ""
    slow = gflops_per_second(question.flops, asked.seconds)
    fast = gflops_per_second(dense.flops, dense.seconds)
    return (
        f"{asked.name} needs {seconds(asked.seconds)} for {operations(question.flops)} operations, "
        f"np.dot {seconds(dense.seconds)} for {operations(dense.flops)}: {significant(slow)} "
        f"against {significant(fast)} GFLOP/s, a factor of {times(fast / slow)} in work per second."
    )


def _interpreter(question: Question, asked: Timing) -> str:
    """Say what the time of a loop in Python is spent on."""
    if asked.name != ASKED:
        return ""
    each = asked.seconds / question.outputs
    return (
        "The time is the interpreter's, not the arithmetic's: "
        f"{question.outputs:,} outputs, each a slice, a multiplication and a sum of only "
        f"{question.taps} products, cost {seconds(each)} apiece."
    )


def _advice(ranked: Sequence[Timing], asked: Timing, dense: Timing) -> str:
    advised = _named(ranked, ADVISED)
    if advised is None or advised is asked:
        return ""
    return (
        f"The usual advice, {advised.name}, takes {seconds(advised.seconds)}: "
        f"{_compare(advised.seconds, asked.seconds)} {asked.name}, "
        f"and {_compare(advised.seconds, dense.seconds)} np.dot."
    )


def _matrix_product(ranked: Sequence[Timing], asked: Timing, dense: Timing) -> str:
    product = _named(ranked, *MATRIX_PRODUCTS)
    if product is None:
        return ""
    return (
        f"Written as one matrix product ({product.name}), the same convolution takes "
        f"{seconds(product.seconds)}: {_compare(product.seconds, asked.seconds)} {asked.name}, "
        f"and {_compare(product.seconds, dense.seconds)} np.dot."
    )


def _fastest(ranked: Sequence[Timing], question: Question, dense: Timing) -> str:
    fastest = ranked[0]
    if len(ranked) == 1 or fastest.name in MATRIX_PRODUCTS:
        return ""
    rate = gflops_per_second(question.flops, fastest.seconds)
    return (
        f"The fastest of the {len(ranked)} strategies measured is {fastest.name}: "
        f"{seconds(fastest.seconds)}, {significant(rate)} GFLOP/s, "
        f"{_compare(fastest.seconds, dense.seconds)} np.dot."
    )


def _peak(fastest: Timing, question: Question, roofs: Sequence[Roof]) -> str:
    """Say how far the fastest is from what the processor can compute."""
    peaks = [roof for roof in roofs if roof.is_peak]
    if not peaks:
        return ""
    highest = max(peaks, key=lambda roof: roof.rate)
    least = highest.seconds(question.flops, 0)
    return (
        f"At the highest rate measured here, {highest.words}, the {operations(question.flops)} "
        f"operations would take {seconds(least)}: {fastest.name} takes "
        f"{times(fastest.seconds / least)}× that."
    )


def _compare(value: float, other: float) -> str:
    """Say how two times relate, from the first one's side."""
    if value <= other:
        return f"{times(other / value)}× faster than"
    return f"{times(value / other)}× slower than"


def _row(timing: Timing, fastest: Timing, question: Question, dense: Timing) -> Row:
    return Row(
        name=timing.name,
        seconds=timing.seconds,
        times_dense=timing.seconds / dense.seconds,
        times_fastest=timing.seconds / fastest.seconds,
        gflops_per_second=gflops_per_second(question.flops, timing.seconds),
    )
