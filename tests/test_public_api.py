import doctest
import re
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import convbench
from convbench import (
    STRATEGIES,
    BadProblem,
    ConvProblem,
    UnknownStrategy,
    UnsupportedProblem,
    conv2d,
)


def test_public_names() -> None:
    assert set(convbench.__all__) == {
        *("STRATEGIES", "BadProblem", "ConvProblem", "ConvbenchError", "Strategy"),
        *("UnknownStrategy", "UnsupportedProblem", "__version__", "conv2d", "get_strategy"),
    }


def test_version_is_that_of_the_project() -> None:
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())

    assert project["project"]["version"] == convbench.__version__


def test_documented_example_is_right() -> None:
    assert doctest.testmod(convbench) == (0, 3)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_conv2d_runs_the_question_by_every_name_or_says_why_not(strategy: str) -> None:
    x, weights = np.ones((1, 3, 32, 32)), np.ones((10, 3, 2, 2))
    problem = ConvProblem.of(x, weights, stride=2)
    reason = STRATEGIES[strategy].unsupported(problem)
    if reason is not None:
        with pytest.raises(UnsupportedProblem, match=re.escape(reason)):
            conv2d(x, weights, stride=2, strategy=strategy)
        return

    output = conv2d(x, weights, stride=2, strategy=strategy)

    assert (np.abs(output - 12) <= STRATEGIES[strategy].error_bound(x, weights, problem)).all()


def test_conv2d_defaults_to_auto() -> None:
    x, weights = np.ones((1, 1, 3, 3), "f4"), np.ones((1, 1, 2, 2), "f4")

    assert conv2d(x, weights).tolist() == conv2d(x, weights, strategy="auto").tolist()


def test_conv2d_takes_nhwc() -> None:
    x, weights = np.ones((2, 5, 6, 3)), np.ones((4, 2, 1, 3))

    assert conv2d(x, weights, layout="NHWC").shape == (2, 4, 6, 4)


def test_conv2d_of_no_image_is_no_output() -> None:
    assert conv2d(np.ones((0, 3, 5, 6)), np.ones((4, 3, 2, 3)), padding=1).shape == (0, 4, 6, 6)


def test_conv2d_of_no_image_still_refuses_what_it_would_refuse() -> None:
    with pytest.raises(UnknownStrategy):
        conv2d(np.ones((0, 1, 3, 3)), np.ones((1, 1, 2, 2)), strategy="fastest")
    with pytest.raises(BadProblem, match="spans 4x4"):
        conv2d(np.ones((0, 1, 3, 3)), np.ones((1, 1, 4, 4)))


def test_threads_with_filters_of_their_own_do_not_meet() -> None:
    """One problem for all of them, whose preparations conv2d may remember."""
    x = np.ones((1, 2, 5, 5))

    def every_output(value: int) -> set[float]:
        weights = np.full((3, 2, 2, 2), float(value))
        return {number for _ in range(50) for number in conv2d(x, weights).ravel().tolist()}

    with ThreadPoolExecutor(8) as pool:
        outputs = list(pool.map(every_output, range(32)))

    assert outputs == [{8.0 * value} for value in range(32)]


def test_conv2d_refuses_an_unknown_strategy() -> None:
    with pytest.raises(UnknownStrategy, match="choose one of: loops, "):
        conv2d(np.ones((1, 1, 3, 3)), np.ones((1, 1, 2, 2)), strategy="fastest")


def test_conv2d_tells_why_a_strategy_does_not_try() -> None:
    x, weights = np.zeros((1, 1, 400, 400), "f4"), np.zeros((1, 1, 3, 3), "f4")

    with pytest.raises(UnsupportedProblem, match=r"'loops' does not support.*the limit is 100,000"):
        conv2d(x, weights, strategy="loops")


def test_conv2d_refuses_what_is_no_convolution() -> None:
    with pytest.raises(BadProblem, match="stride must be at least 1; got -1"):
        conv2d(np.ones((1, 1, 3, 3)), np.ones((1, 1, 2, 2)), stride=-1)
