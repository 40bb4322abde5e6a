"""Accuracy against speed: laws of the front, of what is left out, and of the picture."""

import itertools

import numpy as np
import pytest
from sample_store import Store, convolution_store, row

from convbench.report.front_figure import front_picture
from convbench.report.fronts import MOST_PROBLEMS, Fronts, on_front
from convbench.report.labels import dot, overlap
from convbench.report.matrix import build_matrices
from convbench.report.series import build_series


def accurate_store(errors: dict[str, float], problems: tuple[str, ...] = ("question",)) -> Store:
    """Make a store in which some strategies' errors were measured on some problems."""
    store = convolution_store(1)
    for number, problem in enumerate(problems, 1):
        for strategy, error in errors.items():
            params = {"strategy": strategy, "problem": problem, "dtype": "float32"}
            made = row(
                *(0, error * number),
                params=params,
                benchmark="accuracy.Accuracy.track_error",
                unit="relative error",
            )
            store.rows.append(made)
    return store


def fronts_of(store: Store) -> Fronts | None:
    measurements = store.measurements()
    return build_matrices(measurements, build_series(measurements))[0].fronts


def test_a_point_is_on_the_front_when_none_is_better_in_both() -> None:
    rng = np.random.default_rng(0)
    points = [(float(x), float(y)) for x, y in rng.integers(1, 9, (40, 2))]

    kept = on_front(points)

    for one, is_kept in zip(points, kept, strict=True):
        better = [p for p in points if p[0] <= one[0] and p[1] <= one[1] and p != one]
        assert is_kept == (better == [])


def test_equal_points_are_both_on_the_front() -> None:
    assert on_front([(1.0, 1.0), (1.0, 1.0), (2.0, 1.0)]) == [True, True, False]


def test_without_errors_there_is_no_front() -> None:
    assert fronts_of(convolution_store(1)) is None


def test_one_strategy_with_an_error_is_no_front() -> None:
    assert fronts_of(accurate_store({"im2col": 1e-7})) is None


def test_speed_and_error_are_those_of_the_cells() -> None:
    fronts = fronts_of(accurate_store({"im2col": 4e-7, "einsum": 2e-7, "loops": 3e-7}))

    assert fronts is not None
    front = next(one for one in fronts.fronts if one.problem == "question")
    assert [one.strategy for one in front.contenders] == ["im2col", "einsum", "loops"]
    assert [one.error for one in front.contenders] == [4e-7, 2e-7, 3e-7]
    assert [one.on_front for one in front.contenders] == [True, True, False]
    assert front.contenders[0].slower == pytest.approx(1.0)


def test_over_all_problems_the_mean_meets_the_largest_error() -> None:
    problems = ("question", "cifar_resnet20_3x3")
    store = accurate_store({"im2col": 4e-7, "einsum": 2e-7, "toeplitz": 1e-7}, problems)
    fronts = fronts_of(store)

    assert fronts is not None
    overall = fronts.fronts[0]
    matrix = build_matrices(store.measurements(), build_series(store.measurements()))[0]
    assert matrix.regret is not None
    means = {cost.strategy: cost.mean for cost in matrix.regret.costs}
    assert (overall.problem, overall.left_out) == ("", 1)  # toeplitz did not do every problem
    assert {one.strategy: one.slower for one in overall.contenders} == {
        name: means[name] for name in ("im2col", "einsum")
    }
    assert {one.strategy: one.error for one in overall.contenders} == {
        "im2col": 8e-7, "einsum": 4e-7,
    }  # fmt: skip


def test_the_table_has_every_strategy_once_with_a_place_for_each_picture() -> None:
    problems = ("question", "cifar_resnet20_3x3")
    fronts = fronts_of(accurate_store({"im2col": 4e-7, "einsum": 2e-7, "toeplitz": 1e-7}, problems))

    assert fronts is not None
    assert [name for name, *_ in fronts.rows] == ["im2col", "einsum", "toeplitz"]
    for name, family, places in fronts.rows:
        for front, place in zip(fronts.fronts, places, strict=True):
            known = {one.strategy: one for one in front.contenders}
            assert place is known.get(name)
            assert place is None or place.family == family


def test_few_problems_have_pictures_of_their_own() -> None:
    problems = ("question", "cifar_resnet20_3x3", "mobilenetv2_dw3", "vgg16_conv3_2")
    fronts = fronts_of(accurate_store({"im2col": 4e-7, "einsum": 2e-7}, problems))

    assert fronts is not None
    assert len(fronts.fronts) == 1 + MOST_PROBLEMS
    assert fronts.problems == problems


def test_the_sentence_walks_from_the_fastest_to_the_most_accurate() -> None:
    fronts = fronts_of(accurate_store({"im2col": 4e-7, "einsum": 2e-7, "loops": 3e-7}))

    assert fronts is not None
    sentence = fronts.fronts[-1].sentence
    assert sentence.startswith("2 strategies of 3 are not beaten: from im2col, the fastest, to")
    assert "einsum with ×0.50 the error in ×3." in sentence


def test_the_fastest_may_be_the_most_accurate_too() -> None:
    fronts = fronts_of(accurate_store({"im2col": 1e-7, "einsum": 2e-7}))

    assert fronts is not None
    assert fronts.fronts[-1].sentence == "im2col is both the fastest and the most accurate."


def test_faster_stands_further_left_and_more_accurate_further_down() -> None:
    picture = front_picture([("a", 1.0, 1e-6, True), ("b", 10.0, 1e-7, True)])

    first, second = picture.spots
    assert first.x < second.x
    assert first.y < second.y  # SVG counts from the top
    for spot in picture.spots:
        assert picture.left <= spot.x <= picture.right
        assert picture.top <= spot.y <= picture.bottom


def test_no_error_at_all_stands_on_a_tick_of_its_own() -> None:
    picture = front_picture([("a", 1.0, 1e-6, True), ("b", 10.0, 0.0, True)])

    zero = next(tick for tick in picture.y_ticks if tick.label == "0")
    assert picture.spots[1].y == zero.at
    assert picture.spots[1].y > picture.spots[0].y
    assert picture.spots[1].y <= picture.bottom


def test_equal_points_and_nothing_but_zeros_draw() -> None:
    for error in (0.0, 1e-7):
        picture = front_picture([("a", 1.0, error, True), ("b", 1.0, error, True)])

        assert len({(spot.x, spot.y) for spot in picture.spots}) == 1


def test_labels_never_cover_each_other_and_the_front_comes_first() -> None:
    points = [(f"strategy_number_{n}", 1.0 + n / 50, 1e-7 * (1 + n / 50), n < 2) for n in range(60)]

    picture = front_picture(points)

    labels = [
        (spot.label, len(point[0]))
        for spot, point in zip(picture.spots, points, strict=True)
        if spot.label
    ]
    boxes = [label.box(characters) for label, characters in labels]
    for one, other in itertools.combinations(boxes, 2):
        apart = one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
        assert apart
    assert picture.spots[0].label is not None
    assert picture.spots[1].label is not None
    assert len(labels) < len(points)


def test_labels_cover_no_point_where_points_are_everywhere() -> None:
    points = [
        (f"strategy_{x}_{y}", 1.08**x, 1e-7 * 1.4**y, False) for x in range(40) for y in range(14)
    ]

    picture = front_picture(points)

    dots = [dot(spot.x, spot.y) for spot in picture.spots]
    for spot, point in zip(picture.spots, points, strict=True):
        if spot.label:
            box = spot.label.box(len(point[0]))
            assert not any(overlap(box, other) for other in dots)


def test_of_two_that_want_one_place_the_front_gets_it() -> None:
    for first, second in ((True, False), (False, True)):
        picture = front_picture([("one", 1.5, 1e-7, first), ("two", 1.5, 1.02e-7, second)])

        labels = [spot.label for spot in picture.spots]
        kept, other = labels if first else labels[::-1]
        assert kept is not None
        assert kept.anchor == "start"
        assert other is None or other.anchor == "end"


def test_auto_is_named_even_where_a_line_must_lead_to_its_name() -> None:
    points = [(f"strategy_{n}", 1.0 + n / 400, 1e-7, False) for n in range(40)]
    points[20] = ("auto", *points[20][1:])

    spots = front_picture(points, first="auto").spots

    assert spots[20].label is not None
    assert spots[20].led
    assert not any(spot.led for spot in spots[:20] + spots[21:])
