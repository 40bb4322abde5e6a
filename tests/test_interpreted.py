import sys

import numpy as np

from convbench import STRATEGIES, ConvProblem, interpreted
from convbench.interpreted import Interpreted
from convbench.workloads import WORKLOADS


def counted(name: str) -> Interpreted:
    problem = ConvProblem(**WORKLOADS["question"])
    strategy = STRATEGIES[name]
    x, weights = problem.random_operands()
    prepared = strategy.prepare(weights, problem)
    return interpreted.count(lambda: strategy.run(x, prepared, problem))


def test_the_questions_loops_call_np_sum_for_every_output() -> None:
    loops = counted("loops")

    assert (loops.frequent, loops.frequent_calls) == ("np.sum", 2560)
    assert loops.calls >= 2560
    assert loops.lines >= 2560


def test_one_matrix_product_needs_few_calls() -> None:
    assert counted("im2col").calls < 50


def test_counting_twice_gives_the_same() -> None:
    assert counted("loops_dot") == counted("loops_dot")


def test_lines_of_a_loop_are_counted() -> None:
    def loop() -> int:
        total = 0
        for index in range(100):
            total += index
        return total

    assert 200 <= interpreted.count(loop).lines <= 204


def test_hooks_are_given_back() -> None:
    before = sys.gettrace(), sys.getprofile()

    interpreted.count(lambda: np.zeros(3).sum())

    assert (sys.gettrace(), sys.getprofile()) == before
