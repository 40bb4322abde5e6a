"""The two scores on labelled series, against their definitions point by point."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convbench.stats.bench.figures import Figure
from convbench.stats.bench.labelled import (
    COVER,
    DEVELOPMENT,
    LABELLED_F1,
    MARGIN,
    Labelled,
    cover,
    f1,
    score,
)

POINTS = 30
MARKS = st.lists(st.integers(1, POINTS - 1), max_size=4, unique=True)
ANNOTATIONS = st.lists(MARKS, min_size=1, max_size=4)


def segment_of(point: int, starts: list[int]) -> frozenset[int]:
    """All points that no start parts from this one."""
    return frozenset(
        other
        for other in range(POINTS)
        if not any(min(point, other) < start <= max(point, other) for start in starts)
    )


@given(ANNOTATIONS, MARKS)
def test_cover_is_the_mean_best_overlap_of_each_points_segment(
    annotations: list[list[int]], found: list[int]
) -> None:
    detected = {segment_of(point, found) for point in range(POINTS)}
    overlaps = [
        max(len(own & other) / len(own | other) for other in detected)
        for marks in annotations
        for own in (segment_of(point, marks) for point in range(POINTS))
    ]

    assert cover(annotations, found, POINTS) == pytest.approx(np.mean(overlaps))


@given(MARKS)
def test_who_marks_what_the_annotator_marked_has_full_scores(marks: list[int]) -> None:
    assert f1([marks], marks) == 1.0
    assert cover([marks], marks, POINTS) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("annotations", "found", "expected"),
    [
        # The start of the series is a change that all have found.
        ([[]], [], 1.0),
        ([[50]], [], 2 * 1 * 0.5 / 1.5),
        ([[50]], [50 + MARGIN], 1.0),
        ([[50]], [50 + MARGIN + 1], 0.5),
        # One of two annotators marked it: precise, and half of the marks are recalled by each.
        ([[50], []], [50], 1.0),
        ([[50], []], [], 2 * 1 * 0.75 / 1.75),
        ([[50], [20]], [50], 2 * 1 * 0.75 / 1.75),
        ([[50]], [20, 50, 80], 2 * 0.5 * 1 / 1.5),
    ],
)
def test_f1_by_hand(annotations: list[list[int]], found: list[int], expected: float) -> None:
    assert f1(annotations, found) == pytest.approx(expected)


def test_scores_are_means_over_series_of_each_group() -> None:
    name = DEVELOPMENT[0]
    values = np.repeat([1.0, 2.0], 50)
    every = [
        Labelled(name, values, ((50,),)),
        Labelled("another", values, ((),)),
        Labelled("quality_control_9", values, ((10,),)),
    ]

    figures = score("d", lambda _: [50], every)

    def mean(group: str, measure: str) -> Figure:
        return next(x for x in figures if (x.cell.kind, x.measure) == (group, measure))

    assert mean("development", LABELLED_F1).value == 1.0
    assert mean("real", LABELLED_F1).value == pytest.approx((1.0 + 2 * 0.5 * 1 / 1.5) / 2)
    assert mean("real", COVER).value == pytest.approx((1.0 + 0.5) / 2)
    assert (mean("real", COVER).cell.series, mean("development", COVER).cell.series) == (2, 1)
