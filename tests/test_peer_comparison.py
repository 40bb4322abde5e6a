"""Own strategies beside peers; the peers here are stand-ins, because no real one is installed."""

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest

from convbench import STRATEGIES, ConvProblem, Strategy, conv2d, peers
from convbench.errors import MeasureFailed
from convbench.peers import Comparison, Timed
from convbench.problem import Array
from convbench.timing import time_interleaved

IM2COL = STRATEGIES["im2col"]

Run = Callable[[Array, Any, ConvProblem], Array]


def wrong(x: Array, prepared: Any, problem: ConvProblem) -> Array:
    return np.asarray(IM2COL.run(x, prepared, problem) * np.float32(1.01))


def broken(*_: Any) -> Array:
    raise RuntimeError("no such kernel\nand more of it")


def slow(x: Array, prepared: Any, problem: ConvProblem) -> Array:
    for _ in range(50):
        output = IM2COL.run(x, prepared, problem)
    return output


def only_nchw(problem: ConvProblem) -> str | None:
    return None if problem.layout == "NCHW" else "not the peer's layout"


def strategy(name: str, run: Run = IM2COL.run, *, external: bool = False) -> Strategy:
    refuses = only_nchw if external else IM2COL.unsupported
    return replace(IM2COL, name=name, run=run, external=external, unsupported=refuses)


@pytest.fixture
def compare(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Comparison]:
    def compare_strategies(*strategies: Strategy, **options: Any) -> Comparison:
        monkeypatch.setattr(peers, "STRATEGIES", {one.name: one for one in strategies})
        monkeypatch.setattr(peers, "conv2d", partial(conv2d, strategy="im2col"))
        return peers.compare("question", 1, seconds=0.001, **options)

    return compare_strategies


def timed(name: str, layout: str, seconds: float) -> Timed:
    return Timed(name, layout, seconds, seconds * 0.9, seconds * 1.1, 9)


def comparison(*measured: Timed, problem: str = "question") -> Comparison:
    return Comparison(problem, 1, measured, {}, {}, ("openblas 0.3",), {})


def test_everything_fast_enough_is_measured_in_its_layouts(
    compare: Callable[..., Comparison],
) -> None:
    result = compare(strategy("im2col"), strategy("auto"), strategy("peer", slow, external=True))

    assert {(one.strategy, one.layout) for one in result.timed} == {
        ("im2col", "NCHW"),
        ("im2col", "NHWC"),
        ("auto", "NCHW"),
        ("auto", "NHWC"),
        ("conv2d", "NCHW"),
        ("peer", "NCHW"),
    }
    assert all(one.q25 <= one.seconds <= one.q75 for one in result.timed)
    assert result.blas
    assert not result.excluded


def test_a_slow_own_strategy_is_left_out_and_named(compare: Callable[..., Comparison]) -> None:
    result = compare(strategy("im2col"), strategy("slow", slow))

    assert set(result.slow) == {"slow NCHW", "slow NHWC"}
    assert {one.strategy for one in result.timed} >= {"im2col"}


def test_a_wrong_or_failing_strategy_is_excluded_and_named(
    compare: Callable[..., Comparison],
) -> None:
    result = compare(
        strategy("im2col"),
        strategy("wrong", wrong, external=True),
        strategy("broken", broken, external=True),
    )

    assert result.excluded == {
        "wrong NCHW": "relative error 0.01",
        "broken NCHW": "RuntimeError: no such kernel",
    }
    assert not result.peers


def test_own_strategies_can_be_restricted(compare: Callable[..., Comparison]) -> None:
    everyone = (strategy("im2col"), strategy("other"), strategy("peer", external=True))

    result = compare(*everyone, own=["other"])

    assert {one.strategy for one in result.timed} == {"other", "peer"}


def test_ratios_compare_the_fastest_of_each_side(monkeypatch: pytest.MonkeyPatch) -> None:
    names = {"torch": True, "onnxruntime": True, "im2col": False, "fft": False, "auto": False}
    table = {name: strategy(name, external=external) for name, external in names.items()}
    monkeypatch.setattr(peers, "STRATEGIES", table)

    result = comparison(
        timed("torch", "NCHW", 6.0),
        timed("onnxruntime", "NCHW", 3.0),
        timed("im2col", "NCHW", 5.0),
        timed("im2col", "NHWC", 2.0),
        timed("fft", "NCHW", 4.0),
        timed("auto", "NHWC", 2.2),
        timed("conv2d", "NCHW", 1.0),
    )

    assert result.best_peer == timed("onnxruntime", "NCHW", 3.0)
    assert result.best_own == timed("im2col", "NHWC", 2.0)
    assert result.speedup == 1.5
    assert result.regret == pytest.approx(1.1)
    assert result.timed[0].spread == pytest.approx(0.1)


def test_without_a_side_there_is_no_ratio() -> None:
    result = comparison(timed("im2col", "NCHW", 5.0))

    assert math.isnan(result.speedup)
    assert math.isnan(result.regret)
    assert result.as_document()["speedup"] is None


def test_a_comparison_survives_its_document() -> None:
    original = comparison(timed("im2col", "NCHW", 5.0), timed("torch", "NCHW", 4.0))

    assert Comparison.of_document(original.as_document()) == original


def test_a_summary_leaves_out_what_has_no_ratio() -> None:
    summary = peers.summarise({"a": 4.0, "b": 0.25, "c": math.nan, "d": 1.0})

    assert summary == peers.Summary(1.0, 0.25, "b", 4.0, "a", 2, 3)
    assert peers.summarise({"a": math.nan}) is None


def test_every_sample_on_several_threads_begins_after_a_rest() -> None:
    events: list[str] = []
    ticks = iter(range(10_000))
    clock = peers.resting_clock(
        sleep=lambda seconds: events.append(f"rest {seconds}"), clock=lambda: next(ticks)
    )

    time_interleaved({"a": lambda: events.append("a")}, seconds=3, clock=clock)

    rest = f"rest {peers.PAUSE_SECONDS}"
    warming, *samples = events  # the first call counts for nothing
    assert warming == "a"
    assert samples == [rest, "a"] * (len(samples) // 2)


def test_a_fresh_process_gets_its_threads_and_none_of_the_callers_settings() -> None:
    caller = {"PATH": "/bin", "OMP_WAIT_POLICY": "PASSIVE", "OPENBLAS_NUM_THREADS": "7"}

    environment = peers.child_environment(caller, 2)

    assert environment == {"PATH": "/bin"} | dict.fromkeys(peers.THREAD_VARIABLES, "2")


def test_a_fresh_process_answers() -> None:
    result = peers.compare_apart("question", 1, seconds=0.001, own=["im2col"])

    assert (result.problem, result.threads) == ("question", 1)
    assert {one.strategy for one in result.timed} >= {"im2col"}


def test_a_fresh_process_that_fails_says_why() -> None:
    with pytest.raises(MeasureFailed, match=r"comparing nonsense on 1 thread\(s\): KeyError"):
        peers.compare_apart("nonsense", 1, seconds=0.001, own=[])
