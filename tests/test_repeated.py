import numpy as np
import pytest

from convbench import STRATEGIES, BadProblem, UnsupportedProblem, conv2d, repeated, threads


@pytest.fixture(autouse=True)
def empty_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repeated, "_calls", {})


def image_and_filters() -> tuple[np.ndarray, np.ndarray]:
    return np.ones((1, 2, 5, 5), "f4"), np.ones((3, 2, 2, 2), "f4")


def test_a_repeated_call_describes_and_prepares_once(monkeypatch: pytest.MonkeyPatch) -> None:
    x, weights = image_and_filters()
    first = conv2d(x, weights, strategy="im2col")
    monkeypatch.setattr(repeated, "_described", pytest.fail)
    (call,) = repeated._calls.values()

    second = conv2d(x, weights.copy(), strategy="im2col")

    assert len(call.filters) == 1
    np.testing.assert_array_equal(second, first)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_filters_changed_in_place_are_prepared_anew(strategy: str) -> None:
    x, weights = image_and_filters()
    try:
        before = conv2d(x, weights, strategy=strategy).copy()
    except UnsupportedProblem as refusal:
        pytest.skip(str(refusal))
    weights *= 2

    after = conv2d(x, weights, strategy=strategy)
    weights /= 2
    again = conv2d(x, weights, strategy=strategy)

    np.testing.assert_allclose(after, 2 * before, rtol=1e-4)
    np.testing.assert_allclose(again, before, rtol=1e-4)


def test_pairs_are_remembered_too(monkeypatch: pytest.MonkeyPatch) -> None:
    x, weights = image_and_filters()
    first = conv2d(x, weights, stride=(1, 2), padding=(0, 1))
    monkeypatch.setattr(repeated, "_described", pytest.fail)

    np.testing.assert_array_equal(conv2d(x, weights, stride=(1, 2), padding=(0, 1)), first)


def test_equal_numbers_of_other_kinds_are_judged_for_themselves() -> None:
    x, weights = image_and_filters()
    conv2d(x, weights, stride=1)

    with pytest.raises(BadProblem, match="stride must be an integer of at least 1; got True"):
        conv2d(x, weights, stride=True)
    with pytest.raises(BadProblem, match=r"stride must be an integer of at least 1; got 1\.0"):
        conv2d(x, weights, stride=1.0)  # type: ignore[arg-type]
    conv2d(x, weights, stride=(1, 1))
    with pytest.raises(BadProblem, match="stride must be an integer of at least 1; got True"):
        conv2d(x, weights, stride=(1, True))


def test_shapes_parameters_layouts_and_threads_are_told_apart() -> None:
    x, weights = image_and_filters()

    conv2d(x, weights)
    conv2d(x, weights, padding=1)
    conv2d(x.astype("f8"), weights.astype("f8"))
    conv2d(x[..., :4], weights)
    conv2d(np.moveaxis(x, 1, -1), np.moveaxis(weights, 1, -1), layout="NHWC")
    with threads.limit(threads.count() + 1):
        conv2d(x, weights)

    assert len(repeated._calls) == 6


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repeated, "REMEMBERED_PROBLEMS", 3)
    monkeypatch.setattr(repeated, "REMEMBERED_FILTERS", 2)
    x, weights = image_and_filters()

    for number in range(9):
        conv2d(x, weights * number, strategy="im2col")
        conv2d(x, weights, padding=number, strategy="im2col")

    assert len(repeated._calls) <= 3
    assert all(len(call.filters) <= 2 for call in repeated._calls.values())


def test_large_filters_are_not_kept() -> None:
    x = np.ones((1, 64, 4, 4), "f4")

    conv2d(x, np.ones((64, 64, 1, 1), "f4"), strategy="im2col")

    (call,) = repeated._calls.values()
    assert not call.filters
