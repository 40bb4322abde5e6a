import doctest
import tomllib
from pathlib import Path

import numpy as np
import pytest

import convbench
from convbench import STRATEGIES, BadProblem, UnknownStrategy, UnsupportedProblem, conv2d


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
def test_conv2d_runs_the_question_by_every_name(strategy: str) -> None:
    x = np.ones((1, 3, 32, 32))

    output = conv2d(x, np.ones((10, 3, 2, 2)), stride=2, strategy=strategy)

    np.testing.assert_allclose(output, np.full((1, 10, 16, 16), 12.0), rtol=1e-14)


def test_conv2d_defaults_to_auto() -> None:
    x, weights = np.ones((1, 1, 3, 3), "f4"), np.ones((1, 1, 2, 2), "f4")

    assert conv2d(x, weights).tolist() == conv2d(x, weights, strategy="auto").tolist()


def test_conv2d_takes_nhwc() -> None:
    x, weights = np.ones((2, 5, 6, 3)), np.ones((4, 2, 1, 3))

    assert conv2d(x, weights, layout="NHWC").shape == (2, 4, 6, 4)


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
