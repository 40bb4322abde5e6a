"""Series of all sorts in which people have marked the changes: the Turing benchmark (TCPD).

No performance data, and the annotators disagree: what a detector scores here says whether it does
something sensible on series that nobody had in mind when it was made. The benchmark gives every
method the series with mean 0 and deviation 1, so this one does: these series have no ratios that a
logarithm would compare, and rules in per cent mean nothing here. Both scores are means over
annotators, as the benchmark defines them: F1 with a margin of five points, where the start of a
series counts as a change that all have found, and *cover*, how well the segments of the one
overlap those of the other.

References
----------
van den Burg & Williams, "An Evaluation of Change Point Detection Algorithms", arXiv:2003.06222;
what methods are given: alan-turing-institute/TCPDBench, ``load_dataset``.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from convbench.stats.bench.figures import Cell, Figure, summarise
from convbench.stats.bench.noise import Values
from convbench.stats.bench.scoring import Find, within

LABELLED = "labelled"
LABELLED_F1, COVER = "F1", "cover"

MARGIN = 5

DEVELOPMENT = (
    *("bank", "businv", "centralia", "construction", "gdp_argentina", "gdp_croatia", "gdp_iran"),
    *("gdp_japan", "global_co2", "jfk_passengers", "lga_passengers", "ozone"),
    *("quality_control_4", "quality_control_5", "rail_lines", "usd_isk", "well_log"),
)
"""Series that may be looked at while a detector is made; the others are for judging it."""

SIMULATED = "quality_control"
"""Series whose names begin so were simulated: they are not among the real ones."""

REAL_SERIES = "real"


@dataclass(frozen=True, slots=True)
class Labelled:
    """One series and what each annotator marked: first points of new segments."""

    name: str
    values: Values
    annotations: tuple[tuple[int, ...], ...]


def score(detector: str, find: Find, every: Sequence[Labelled]) -> list[Figure]:
    """Score a detector on the series for development, and on all real ones."""
    tallies = {one.name: _tally(one, find(standardised(one.values))) for one in every}
    groups: Mapping[str, list[str]] = {
        "development": [name for name in tallies if name in DEVELOPMENT],
        REAL_SERIES: [name for name in tallies if not name.startswith(SIMULATED)],
    }
    return [
        figure
        for group, names in groups.items()
        for figure in summarise(
            Cell(LABELLED, group, 0, 0.0, 0.0, len(names)),
            detector,
            [tallies[name] for name in names],
        )
    ]


def standardised(values: Values) -> Values:
    """Shift and scale to mean 0 and sample standard deviation 1; only shift what is constant."""
    centred: Values = values - values.mean()
    deviation = float(values.std(ddof=1)) if values.size > 1 else 0.0
    return centred / (deviation or 1.0)


def _tally(one: Labelled, found: Sequence[int]) -> dict[str, tuple[float, float]]:
    return {
        LABELLED_F1: (f1(one.annotations, found), 1),
        COVER: (cover(one.annotations, found, one.values.size), 1),
    }


def f1(annotations: Sequence[Sequence[int]], found: Sequence[int]) -> float:
    """Combine precision against all annotators' marks with the mean recall over annotators."""
    detected = sorted({0, *found})
    marks = [sorted({0, *each}) for each in annotations]
    every = sorted({place for each in marks for place in each})
    precision = within(every, detected, MARGIN).found / len(detected)
    recalls = [within(each, detected, MARGIN).found / len(each) for each in marks]
    recall = sum(recalls) / len(recalls)
    return 2 * precision * recall / (precision + recall)


def cover(annotations: Sequence[Sequence[int]], found: Sequence[int], points: int) -> float:
    """Average, over annotators and points, the best overlap of a point's segment."""
    detected = _segments(found, points)
    covers = [
        sum(len(true) * max(_overlap(true, other) for other in detected) for true in marked)
        / points
        for marked in (_segments(each, points) for each in annotations)
    ]
    return sum(covers) / len(covers)


def _segments(starts: Sequence[int], points: int) -> list[range]:
    bounds = [*sorted({0, *starts}), points]
    return [range(start, end) for start, end in itertools.pairwise(bounds)]


def _overlap(one: range, other: range) -> float:
    """Give the share of points of either that both have (Jaccard)."""
    common = max(min(one.stop, other.stop) - max(one.start, other.start), 0)
    return common / (len(one) + len(other) - common)
