"""Counts over repeated comparisons, and what they bound."""

import numpy as np
import pytest

from convbench.stats.block_comparison import Evidence, Judgement, Settings, Verdict, judge
from convbench.stats.false_verdicts import false_verdicts
from convbench.stats.null_control import upper_bound

SETTINGS = Settings(looks=(10,))


@pytest.mark.parametrize(
    ("share", "cells"), [(0.005, 598), (0.002, 1497), (0.001, 2995), (0.0005, 5990)]
)
def test_nothing_in_so_many_proves_less_than_a_share(share: float, cells: int) -> None:
    # (1 - share)^n = .05 has these n, rounded up: the rule of three, exactly.
    assert upper_bound(0, cells) < share <= upper_bound(0, cells - 1)


def test_everything_bounds_nothing_and_none_at_all_neither() -> None:
    assert upper_bound(3, 3) == 1.0
    assert upper_bound(0, 0) == 1.0


def test_a_bound_rises_with_what_was_seen() -> None:
    bounds = [upper_bound(count, 100) for count in range(101)]

    assert bounds == sorted(bounds)
    assert all(bound > count / 100 for count, bound in enumerate(bounds[:-1]))


def null_run(seed: int, cells: int = 50) -> list[Judgement]:
    rng = np.random.default_rng(seed)
    none = np.array([])
    return judge([Evidence(f"{i}", rng.normal(0, 0.01, 10), none) for i in range(cells)], SETTINGS)


def test_equal_arms_are_counted_as_symmetric_and_uniform() -> None:
    figures = false_verdicts([null_run(seed) for seed in range(10)], alpha=0.001, one_look=True)

    assert (figures.runs, figures.cells) == (10, 500)
    assert (figures.slower, figures.faster) == (0, 0)
    assert figures.same + figures.ambiguous == 500
    assert figures.cells_below == upper_bound(0, 500)
    assert figures.runs_below == upper_bound(0, 10)
    # Fixed seeds; a true null gives p below .001 once in a thousand of them.
    assert figures.symmetry > 0.001
    assert figures.uniformity is not None
    assert figures.uniformity > 0.001
    # The median of 500 means with error 1 % / √10: within 4 standard errors of 1.
    assert figures.median_ratio == pytest.approx(1, abs=4 * 1.2533 * 0.01 / np.sqrt(10 * 500))


def biased_run(seed: int) -> list[Judgement]:
    rng = np.random.default_rng(seed)
    none = np.array([])
    return judge([Evidence(f"{i}", rng.normal(0.004, 0.01, 10), none) for i in range(50)], SETTINGS)


def test_a_bias_shows_in_sides_and_p_values() -> None:
    figures = false_verdicts([biased_run(seed) for seed in range(10)], alpha=0.001, one_look=True)

    assert figures.symmetry < 1e-6
    assert figures.uniformity is not None
    assert figures.uniformity < 1e-6


def verdict(kind: Verdict) -> Judgement:
    return Judgement(
        name="a",
        verdict=kind,
        ratio=1.1,
        ratio_low=1.0,
        ratio_high=1.2,
        p_screen=0.0005,
        p_confirm=0.01,
        blocks=20,
        minimum_detectable_ratio=1.05,
        reason="",
    )


def test_false_verdicts_are_counted_per_cell_and_per_run() -> None:
    loud, quiet = [verdict(Verdict.SLOWER)] * 3, [verdict(Verdict.SAME)] * 3
    failed = [verdict(Verdict.FAILED)]

    figures = false_verdicts([loud, quiet + failed, quiet], alpha=0.001, one_look=False)

    assert (figures.cells, figures.slower, figures.same, figures.screened) == (9, 3, 6, 9)
    # Three cells of nine, but one run of three.
    assert figures.cells_below == upper_bound(3, 9)
    assert figures.runs_below == upper_bound(1, 3)
    assert figures.uniformity is None
