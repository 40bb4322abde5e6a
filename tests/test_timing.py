from collections.abc import Callable

import pytest

from convbench.timing import MIN_ROUNDS, MIN_SAMPLE_SECONDS, calls_per_sample, time_interleaved


class FakeTime:
    """A clock that only the timed callables move."""

    def __init__(self) -> None:
        self.now = 0.0
        self.log: list[str] = []

    def __call__(self) -> float:
        return self.now

    def taking(self, name: str, *seconds: float) -> Callable[[], None]:
        """A callable that takes these times in turn, the last one for ever."""
        remaining = list(seconds)

        def call() -> None:
            self.now += remaining.pop(0) if len(remaining) > 1 else remaining[0]
            self.log.append(name)

        return call


@pytest.mark.parametrize("seconds", [1e-7, 3e-5, 4e-3, 0.5])
def test_a_sample_lasts_long_enough_but_not_much_longer(seconds: float) -> None:
    clock = FakeTime()

    number = calls_per_sample(clock.taking("a", seconds), clock)

    assert number * seconds >= MIN_SAMPLE_SECONDS
    assert number == 1 or number * seconds < 3 * MIN_SAMPLE_SECONDS


def test_samples_are_seconds_per_call() -> None:
    clock = FakeTime()
    calls = {"fast": clock.taking("fast", 1e-5), "slow": clock.taking("slow", 0.25)}

    samples = time_interleaved(calls, seconds=0.1, clock=clock)

    assert samples["fast"] == pytest.approx([1e-5] * len(samples["fast"]))
    assert samples["slow"] == pytest.approx([0.25] * MIN_ROUNDS)


def test_the_first_call_counts_for_nothing() -> None:
    clock = FakeTime()

    samples = time_interleaved({"a": clock.taking("a", 60.0, 0.01)}, seconds=0.1, clock=clock)

    assert max(samples["a"]) == pytest.approx(0.01)


def test_a_callable_uses_its_time_and_stops() -> None:
    clock = FakeTime()
    calls = {"a": clock.taking("a", 0.01), "b": clock.taking("b", 0.1)}

    samples = time_interleaved(calls, seconds=1.0, clock=clock)

    assert sum(samples["a"]) == pytest.approx(1.0, abs=0.011)
    assert sum(samples["b"]) == pytest.approx(1.0, abs=0.11)


def test_every_round_holds_each_callable_once_and_starts_with_another() -> None:
    clock = FakeTime()
    calls = {name: clock.taking(name, 0.01) for name in "abc"}

    time_interleaved(calls, seconds=0.05, clock=clock)

    measured = clock.log[2 * len(calls) :]  # after warming up and calibrating
    rounds = ["".join(measured[i : i + 3]) for i in range(0, len(measured), 3)]
    assert rounds[:4] == ["abc", "bca", "cab", "abc"]


def test_nothing_to_time_gives_nothing() -> None:
    assert time_interleaved({}, seconds=1.0) == {}
