"""What a process says of its samples: disturbances that only add don't move it."""

import itertools
from types import SimpleNamespace

import pytest

from convbench.comparison import worker

JOB = {"samples": 7, "sample_seconds": 0.001}


def seconds_said(durations: list[float]) -> float:
    """What is said of calls that last so long by the benchmark's own clock, after one more."""
    ends = itertools.accumulate([1.0, *durations])
    readings = iter([0.0, *itertools.chain.from_iterable((end, end) for end in ends)])
    benchmark = SimpleNamespace(
        _current_params=(), _setups=[], func=lambda: None, number=1, timer=lambda: next(readings)
    )
    return worker.timed(benchmark, JOB, {"number": 1})["seconds"]


@pytest.mark.parametrize("disturbed", [*itertools.combinations(range(7), 5)], ids=str)
def test_five_of_seven_samples_may_be_disturbed(disturbed: tuple[int, ...]):
    durations = [0.01 + (0.5 if place in disturbed else 0.0) for place in range(7)]

    assert seconds_said(durations) == pytest.approx(0.01)


def test_one_sample_that_is_too_short_is_not_believed():
    assert seconds_said([0.001, *[0.01] * 6]) == pytest.approx(0.01)


def test_what_all_samples_show_is_shown():
    assert seconds_said([0.02] * 7) == pytest.approx(0.02)
