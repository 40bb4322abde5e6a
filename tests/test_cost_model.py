import pytest
from test_ceilings import LIMITS

from convbench import ConvProblem, cost_model
from convbench.cost_model import FAMILY_EFFICIENCY, Work, moved_bytes, predict
from convbench.interpreted import Interpreted
from convbench.workloads import WORKLOADS

NOTHING = Interpreted()


def test_a_prediction_is_overhead_and_the_longer_of_arithmetic_and_traffic() -> None:
    work = Work(flops=8 * 10**9, bytes=10**8, interpreted=Interpreted(lines=100, calls=10))

    prediction = predict(work, "gemm", LIMITS)

    assert prediction.overhead == pytest.approx(10 * 1e-6 + 100 * 1e-8)
    assert prediction.at_peak == pytest.approx(0.08)
    assert prediction.arithmetic == pytest.approx(0.08 / FAMILY_EFFICIENCY["gemm"])
    assert prediction.traffic == pytest.approx(0.01)
    assert prediction.seconds == pytest.approx(prediction.overhead + prediction.arithmetic)


def test_traffic_counts_where_it_is_longer() -> None:
    prediction = predict(Work(flops=1, bytes=10**9, interpreted=NOTHING), "gemm", LIMITS)

    assert prediction.seconds == pytest.approx(0.1)


def test_a_family_without_an_efficiency_is_slow_but_predicted() -> None:
    work = Work(flops=10**9, bytes=1, interpreted=NOTHING)

    assert predict(work, "new", LIMITS).seconds > predict(work, "gemm", LIMITS).seconds


@pytest.mark.parametrize("more", [{"flops": 2 * 10**9}, {"bytes": 10**10}])
def test_more_work_is_never_faster(more: dict[str, int]) -> None:
    work = {"flops": 10**9, "bytes": 10**7, "interpreted": NOTHING}

    less = predict(Work(**work), "direct", LIMITS)

    assert predict(Work(**work | more), "direct", LIMITS).seconds > less.seconds


def test_workspace_is_written_and_read_but_what_is_prepared_only_read() -> None:
    problem = ConvProblem(**WORKLOADS["question"])

    assert moved_bytes(problem, 0, 0) == problem.bytes
    assert moved_bytes(problem, 1000, 0) == problem.bytes + 2000
    assert moved_bytes(problem, 1000, 400) == problem.bytes + 400 + 1200
    assert moved_bytes(problem, 1000, 9999) == problem.bytes + 1000


def test_efficiencies_are_fractions() -> None:
    efficiencies = [*FAMILY_EFFICIENCY.values(), cost_model.OTHER_EFFICIENCY]

    assert all(0 < one <= 1 for one in efficiencies)
