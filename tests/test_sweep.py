"""A sweep selects on every axis, and is told from every other one."""

import pytest

from convbench import sweep
from convbench.errors import BadUsage
from convbench.sweep import Sweep

ALL = Sweep(blas=("openblas", "mkl"), threads=("1", "all"))


@pytest.mark.parametrize(
    "other",
    [
        Sweep(blas=("openblas",), threads=("1", "all")),
        Sweep(blas=("openblas", "mkl"), threads=("1",)),
        Sweep(blas=("openblas", "mkl"), threads=("1", "all"), problems=("question",)),
        Sweep(blas=("openblas", "mkl"), threads=("1", "all"), strategies=("question",)),
    ],
)
def test_another_selection_has_another_digest(other: Sweep) -> None:
    assert other.digest != ALL.digest


def test_the_order_of_a_selection_does_not_matter() -> None:
    assert Sweep(blas=["mkl", "openblas"], threads=["all", "1"]).digest == ALL.digest


def test_names_of_the_suite_are_accepted() -> None:
    sweep.check(["question", "vit_patch16"], ["im2col", "auto"])
    sweep.check([], [])


@pytest.mark.parametrize(
    ("problems", "strategies", "message"),
    [
        (["vgg16_conv3"], [], "no problem is called 'vgg16_conv3': did you mean vgg16_conv3_2, "),
        ([], ["im2kol"], "no strategy is called 'im2kol': did you mean im2col, "),
        ([], ["zzz"], "no strategy is called 'zzz': the names are loops, loops_dot, "),
        (["im2col"], [], "no problem is called 'im2col'"),
        ([], ["torch"], "'torch' is a peer library, .*`convbench peers`"),
    ],
)
def test_other_names_are_refused_with_those_that_are_near(
    problems: list[str], strategies: list[str], message: str
) -> None:
    with pytest.raises(BadUsage, match=message) as refused:
        sweep.check(problems, strategies)

    assert "\n" not in str(refused.value)
    assert "onnxruntime" not in str(refused.value)
