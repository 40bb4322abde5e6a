"""Time several callables fairly in one process: interleaved rounds, long enough samples."""

import itertools
import math
import time
from collections.abc import Callable, Mapping

Call = Callable[[], object]
Clock = Callable[[], float]

MIN_SAMPLE_SECONDS = 0.005
"""A sample calls so often that it lasts at least this long, far above the clock's own cost."""

MIN_ROUNDS = 5
"""Samples of each callable, however slow it is: fewer have no quartiles."""


def time_interleaved(
    calls: Mapping[str, Call], *, seconds: float, clock: Clock = time.perf_counter
) -> dict[str, list[float]]:
    """Measure every callable in rounds, so that a slow moment of the machine hits all alike.

    Each round starts with another callable: none always runs on the caches that the same
    neighbour left. A callable takes part until its samples have used its time.

    Parameters
    ----------
    calls : mapping of name to callable
        Each is called once before anything counts: compilers and caches are warm then.
    seconds : float
        Time that each callable's samples may use; `MIN_ROUNDS` samples are taken at any cost.
    clock : callable
        Gives the time in seconds.

    Returns
    -------
    dict of name to list of float
        Samples in the order taken: seconds per call.
    """
    numbers = {name: calls_per_sample(call, clock) for name, call in calls.items()}
    samples: dict[str, list[float]] = {name: [] for name in calls}
    spent = dict.fromkeys(calls, 0.0)
    for turn in itertools.count():
        pending = [
            name for name in calls if len(samples[name]) < MIN_ROUNDS or spent[name] < seconds
        ]
        if not pending:
            return samples
        first = turn % len(pending)
        for name in pending[first:] + pending[:first]:
            elapsed = _elapsed(calls[name], numbers[name], clock)
            spent[name] += elapsed
            samples[name].append(elapsed / numbers[name])
    raise AssertionError("the endless loop returns")


def calls_per_sample(call: Call, clock: Clock = time.perf_counter) -> int:
    """Find how many calls last at least `MIN_SAMPLE_SECONDS`, warming up on the way."""
    call()
    number = 1
    while (elapsed := _elapsed(call, number, clock)) < MIN_SAMPLE_SECONDS:
        # A clock too coarse to see one call gives zero; hence the limits on the step.
        wanted = 1.2 * MIN_SAMPLE_SECONDS / elapsed if elapsed else math.inf
        number *= math.ceil(min(max(wanted, 2), 10))
    return number


def _elapsed(call: Call, number: int, clock: Clock) -> float:
    start = clock()
    for _ in itertools.repeat(None, number):
        call()
    return clock() - start
