"""What a roofline says in words: its finding, and on which side of the ridge problems lie."""

from collections.abc import Sequence

from convbench.report.readable import (
    gflops_per_second,
    operations,
    quantity,
    rate,
    significant,
    times,
)
from convbench.report.roofline_points import Rated
from convbench.report.roofs import Roof


def peak_of(roofs: Sequence[Roof]) -> Roof | None:
    """Give the highest peak; None where none was measured."""
    return max((roof for roof in roofs if roof.is_peak), key=lambda one: one.rate, default=None)


def part_of_peak(one: Rated, peak: Roof | None) -> str:
    """Write the executed rate as a part of the peak; empty where either is not known."""
    return _percent(one.executed / peak.rate) if peak and one.executed is not None else ""


def effective_words(one: Rated) -> str:
    """Write the effective rate."""
    return rate(gflops_per_second(one.flops, one.seconds))


def executed_words(one: Rated) -> str:
    """Write the executed rate; empty where it is not known."""
    return "" if one.executed is None else rate(one.executed / 1e9)


def title_of_problem(ranked: Sequence[Rated], roofs: Sequence[Roof]) -> str:
    """Name the fastest strategy of a problem, which stands first, and how much it uses."""
    fastest = ranked[0]
    peak, effective = peak_of(roofs), effective_words(fastest)
    alone = " alone was measured" if len(ranked) == 1 else " is fastest"
    title = f"{fastest.strategy}{alone} on {fastest.problem}: {effective}"
    part = part_of_peak(fastest, peak)
    if not peak or not part:
        return title
    executed = executed_words(fastest)
    if executed == effective:
        return f"{title}, {part} of the {peak.name} peak"
    return f"{title} effective; it executes {executed}, {part} of the {peak.name} peak"


def title_of_strategy(ranked: Sequence[Rated], roofs: Sequence[Roof]) -> str:
    """Say between what a strategy's rates lie; `ranked` has the highest executed rate first."""
    highest, lowest = ranked[0], ranked[-1]
    peak = peak_of(roofs)
    if peak and all(one.executed is not None for one in ranked):
        high, low = (part_of_peak(one, peak) for one in (highest, lowest))
        return (
            f"{highest.strategy} executes at {high} of the {peak.name} peak on {highest.problem}, "
            f"at {low} on {lowest.problem}"
        )
    high, low = (effective_words(one) for one in (highest, lowest))
    return f"{highest.strategy} reaches {high} on {highest.problem}, {low} on {lowest.problem}"


def lede_of_problem(one: Rated, roofs: Sequence[Roof]) -> str:
    """Say how much work a problem is, and what binds it."""
    work = f"{operations(one.flops)} operations on at least {quantity(one.moved, 'bytes')}"
    said = f"The direct algorithm does {work}: {significant(one.intensity)} for each byte"
    ridge = _ridge(roofs)
    if ridge is None:
        return f"{said}."
    at, memory, meeting = ridge
    if one.intensity < at:
        return f"{said}, below the {meeting}: {memory} may bind what no cache holds."
    return f"{said}, above the {meeting}: arithmetic binds, not {memory}."


def lede_of_strategy(rated: Sequence[Rated], roofs: Sequence[Roof]) -> str:
    """Say how a strategy's operations differ from the direct ones, and what binds its problems."""
    return " ".join(filter(None, [_work_of_strategy(rated), _ridges_of(rated, roofs)]))


def _work_of_strategy(rated: Sequence[Rated]) -> str:
    factors = [one.factor for one in rated if one.factor is not None]
    if not factors:
        return "What it executes is not known."
    low, high = (f"×{times(factor)}" for factor in (min(factors), max(factors)))
    of = "" if len(factors) == len(rated) else f" on the {len(factors)} where that is known"
    if min(factors) == max(factors) == 1:
        return f"It executes the direct algorithm's operations{of}."
    if low == high:
        return f"It executes {low} the operations of the direct algorithm{of}."
    return f"It executes {low} to {high} the operations of the direct algorithm{of}."


def _ridges_of(rated: Sequence[Rated], roofs: Sequence[Roof]) -> str:
    ridge = _ridge(roofs)
    if ridge is None:
        return ""
    at, memory, meeting = ridge
    below, number = sum(one.intensity < at for one in rated), len(rated)
    if below == 0:
        return f"None of its {number:,} problems lies below the {meeting}: arithmetic binds."
    of = f"All of its {number:,}" if below == number else f"{below:,} of its {number:,}"
    lie = "lies" if below == 1 else "lie"
    return f"{of} problems {lie} below the {meeting}, where {memory} may bind."


def _ridge(roofs: Sequence[Roof]) -> tuple[float, str, str] | None:
    """Give the operations per byte where peak and slowest memory meet, its name, and words."""
    peak = peak_of(roofs)
    slowest = min((one for one in roofs if not one.is_peak), key=lambda one: one.rate, default=None)
    if peak is None or slowest is None:
        return None
    at = peak.rate / slowest.rate
    words = f"{significant(at)} at which {slowest.name} and the {peak.name} peak meet"
    return at, slowest.name, words


def _percent(part: float) -> str:
    return f"{significant(100 * part, 2)} %"
