"""Which cells are compared, and under which names."""

from typing import Any

import pytest

from convbench.comparison.arms import Cell, Place
from convbench.comparison.cells import LONGEST_TIMEOUT, paired, selected
from convbench.errors import BadUsage


def benchmark(name: str, **axes: list[str]) -> dict[str, Any]:
    return {
        "name": name,
        "params": list(axes.values()),
        "param_names": list(axes),
        "comparable": True,
        "timeout": None,
    }


@pytest.mark.parametrize("timeout", ["60", -1, float("nan"), True, [60]])
def test_a_timeout_that_is_no_time_is_refused(timeout: object) -> None:
    with pytest.raises(BadUsage, match=r"timeout of odd is .*: give a positive number of seconds"):
        selected([{**benchmark("odd"), "timeout": timeout}], "", 60)


def test_a_timeout_that_no_system_can_wait_is_a_long_one() -> None:
    (cell,) = selected([{**benchmark("patient"), "timeout": 1e300}], "", 60)

    assert cell.timeout == LONGEST_TIMEOUT


RUN = benchmark("run.time_it", strategy=["'im2col'", "'fft'"], problem=["'small'", "'large'"])
PLAIN = benchmark("plain.time_it")


def same(name: str, place: Place, timeout: float = 60) -> Cell:
    return Cell(name, (place, place), timeout)


def test_names_and_indices_are_those_of_asv() -> None:
    assert selected([RUN, PLAIN], "", 60) == [
        same("run.time_it('im2col', 'small')", Place("run.time_it", 0)),
        same("run.time_it('im2col', 'large')", Place("run.time_it", 1)),
        same("run.time_it('fft', 'small')", Place("run.time_it", 2)),
        same("run.time_it('fft', 'large')", Place("run.time_it", 3)),
        same("plain.time_it", Place("plain.time_it")),
    ]


@pytest.mark.parametrize(
    ("condition", "indices"),
    [("fft", [2, 3]), (r"\('fft', 'large'\)$", [3]), ("^time_it", []), ("SMALL", [])],
)
def test_a_condition_is_searched_in_the_whole_name(condition: str, indices: list[int]) -> None:
    found = [cell.places[0].index for cell in selected([RUN], condition, 60)]

    assert found == indices


def test_what_is_not_timed_in_its_process_is_left_out() -> None:
    assert selected([PLAIN | {"comparable": False}], "", 60) == []


def test_a_benchmark_has_its_own_timeout_or_the_configuration_s() -> None:
    own, other = selected([PLAIN | {"timeout": 5}, benchmark("b.time_it")], "", 90)

    assert (own.timeout, other.timeout) == (5, 90)


def test_two_strategies_meet_on_the_same_other_parameters() -> None:
    cells = paired(
        [RUN, PLAIN], "", 60, strategies=("fft", "im2col"), parameters=("method", "strategy")
    )

    assert cells == [
        Cell("run.time_it(*, 'small')", (Place("run.time_it", 2), Place("run.time_it", 0))),
        Cell("run.time_it(*, 'large')", (Place("run.time_it", 3), Place("run.time_it", 1))),
    ]


def test_exchanged_strategies_have_exchanged_places() -> None:
    forth = paired([RUN], "", 60, strategies=("fft", "im2col"), parameters=["strategy"])
    back = paired([RUN], "", 60, strategies=("im2col", "fft"), parameters=["strategy"])

    assert [(one.name, one.places) for one in forth] == [
        (one.name, one.places[::-1]) for one in back
    ]


def test_an_unknown_strategy_is_refused_with_the_known_ones() -> None:
    with pytest.raises(BadUsage, match="'winograd'; there are fft, im2col"):
        paired([RUN], "", 60, strategies=("fft", "winograd"), parameters=["strategy"])
