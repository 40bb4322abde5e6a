"""Reproducing: from a stored point to the command, and from a new value to a verdict."""

import argparse
import math
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from asv_tree import benchmark, facts_2, host, result_file, row, write_source

from convbench import machine
from convbench.commands import measure, reproduce
from convbench.errors import BadUsage, MeasureFailed
from convbench.results import collect
from convbench.stats.repetition import expected_again

NAME = "run.Float32.time_run"
CELL = f"{NAME}('im2col', 'question', 'float32')"
POINT = f"run-1/openblas/1/{CELL}"
NAN = math.nan


def run_folder(folder: Path, seconds: float | None, **changes: Any) -> Path:
    """A measuring run of one cell: its value and an interval of 2 %."""
    columns = {"stats_ci_99_a": [seconds and 0.99 * seconds]}
    columns |= {"stats_ci_99_b": [seconds and 1.01 * seconds], "stats_number": [100]}
    params = [["'im2col'"], ["'question'"], ["'float32'"]]
    content = result_file(
        {NAME: row([seconds], params, **columns)},
        env_vars={"CONVBENCH_BLAS": "openblas", "CONVBENCH_THREADS": "1"},
    )
    names = benchmark(NAME, ["strategy", "problem", "dtype"])
    return write_source(folder, {"m/aaaaaaaa-py.json": content}, names, facts_2(**changes))


@pytest.fixture
def store(tmp_path: Path) -> Path:
    folder = run_folder(tmp_path / "run-1", 5e-6, disturbed="")
    collect(folder, tmp_path / "store")
    return tmp_path / "store"


def options(store: Path, point: str, *words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    reproduce.add_arguments(parser)
    config = store.parent / "asv.conf.json"
    return parser.parse_args([point, "--store", str(store), "--config", str(config), *words])


def said(store: Path, point: str) -> list[str]:
    lines: list[str] = []
    assert reproduce.run(options(store, point), lines.append) == 0
    return lines


def test_the_command_selects_exactly_the_cell_that_was_stored(store: Path) -> None:
    (line,) = [line for line in said(store, POINT) if line.startswith("command:")]

    words = shlex.split(line.removeprefix("command:"))
    assert words[:3] == ["convbench", "measure", "a" * 40]
    assert words[words.index("--blas") + 1] == "openblas"
    assert words[words.index("--threads") + 1] == "1"
    assert words[words.index("--environment-type") + 1] == "virtualenv"
    condition = words[words.index("--bench") + 1]
    assert re.search(condition, CELL)
    assert not re.search(condition, CELL.replace("im2col", "im2col_rows"))
    assert not re.search(condition, f"x{CELL}")


def test_what_is_known_of_the_measurement_is_said(store: Path) -> None:
    text = "\n".join(said(store, POINT))

    assert "5.00 µs" in text
    assert "OpenBLAS 0.3.31 Haswell" in text
    assert "AMD EPYC 7763" in text
    assert "CPUs, another one than m" in text  # the machine of the tests is none of four CPUs
    assert "uncommitted changes" in text
    assert "requirements.lock is another one" in text


def test_a_value_of_plain_asv_gets_the_command_of_asv(tmp_path: Path) -> None:
    content = result_file({"time_it": row([1.0])})
    write_source(tmp_path / "p", {"m/aaaaaaaa-py.json": content}, benchmark("time_it", []))
    collect(tmp_path / "p", tmp_path / "store", project="p")

    lines = said(tmp_path / "store", "p/m/aaaaaaaa/py/time_it")

    assert f"command:  asv run '{'a' * 40}^!' -E py --bench '^time_it$'" in lines
    with pytest.raises(BadUsage, match="run the command yourself: asv run"):
        reproduce.run(options(tmp_path / "store", "p/m/aaaaaaaa/py/time_it", "--run"), print)


def measuring_gives(seconds: float | None, **changes: Any) -> Callable[..., int]:
    """Stand in for `convbench measure`, whose run has this value."""

    def run(arguments: argparse.Namespace, _: Callable[[str], None]) -> int:
        assert arguments.blas == ["openblas"]
        assert arguments.bench
        run_folder(arguments.runs / "run-2", seconds, run="run-2", **changes)
        return 0

    return run


@pytest.mark.parametrize(
    ("seconds", "code", "verdict"),
    [(5.05e-6, 0, "1.010 times the stored value: it agrees"), (9e-6, 1, "it does not agree")],
)
def test_a_new_value_agrees_or_it_does_not(
    store: Path, monkeypatch: pytest.MonkeyPatch, seconds: float, code: int, verdict: str
) -> None:
    monkeypatch.setattr(measure, "run", measuring_gives(seconds))
    lines: list[str] = []

    assert reproduce.run(options(store, POINT, "--run"), lines.append) == code

    assert verdict in lines[-1]


def test_a_new_measurement_without_a_value_is_a_failure(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measure, "run", measuring_gives(None))

    with pytest.raises(MeasureFailed, match="gave no value: it failed"):
        reproduce.run(options(store, POINT, "--run"), print)


def test_a_point_that_failed_has_nothing_to_reproduce(tmp_path: Path) -> None:
    collect(run_folder(tmp_path / "run-1", None), tmp_path / "store")

    with pytest.raises(BadUsage, match="holds no value to reproduce: it failed"):
        reproduce.run(options(tmp_path / "store", POINT), print)


def test_the_same_processor_is_no_difference(tmp_path: Path) -> None:
    here = machine.host()
    facts = host(cpu=here.cpu, cpus=here.cpus)
    collect(run_folder(tmp_path / "run-1", 5e-6, host=facts), tmp_path / "store")

    assert "this machine is a" not in "\n".join(said(tmp_path / "store", POINT))


@pytest.mark.parametrize("value", [1e-6, 3.0])
def test_the_expected_interval_is_symmetric_in_ratios_and_grows_with_what_is_known(
    value: float,
) -> None:
    alone = expected_again(value, NAN, NAN, NAN)
    quiet = expected_again(value, 0.999 * value, 1.001 * value, 0.0)
    noisy = expected_again(value, 0.8 * value, 1.2 * value, 0.0)
    drifting = expected_again(value, 0.999 * value, 1.001 * value, 0.2)

    for interval in (alone, quiet, noisy, drifting):
        assert interval.low * interval.high == pytest.approx(value**2)
        assert interval.holds(value)
    assert quiet.high / value > 1.02  # never less than the least spread
    assert alone.high > quiet.high  # without a null control less is known
    assert noisy.high > quiet.high
    assert drifting.high > quiet.high


def test_equal_noise_agrees_in_99_of_100_repetitions() -> None:
    """The law behind the interval: two normal values of one mean, between-run factor 1."""
    import numpy as np

    from convbench.stats import repetition

    rng = np.random.default_rng(0)
    deviation, trials = 0.05, 20_000
    first, second = np.exp(rng.normal(0, deviation, (2, trials)))
    median_distance = 0.6745 * math.sqrt(2) * deviation
    half = math.log(expected_again(1.0, NAN, NAN, median_distance).high) / repetition.BETWEEN_RUNS

    agreed = np.abs(np.log(second / first)) <= half

    # Four standard errors of a share of 99 % in so many trials.
    assert agreed.mean() == pytest.approx(0.99, abs=4 * math.sqrt(0.99 * 0.01 / trials))
