"""Verdicts of a comparison: their rules, their false rates, and where blocks are spent."""

import math
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from scipy import stats

from convbench.errors import BadResults, BadUsage
from convbench.stats.block_budget import RESERVE
from convbench.stats.block_comparison import (
    Evidence,
    Judgement,
    Settings,
    Verdict,
    judge,
    wants,
)
from convbench.stats.block_evidence import SPREAD_FLOOR, shared_correlation
from convbench.stats.block_stages import LEAST_CONFIRM, assess

SETTINGS = Settings()
SWAPPED = {
    Verdict.SLOWER: Verdict.FASTER,
    Verdict.FASTER: Verdict.SLOWER,
    Verdict.SAME: Verdict.SAME,
    Verdict.AMBIGUOUS: Verdict.AMBIGUOUS,
}
Noise = Callable[[np.random.Generator, tuple[int, int]], np.ndarray]


def spread_out(mean: float, sd: float, blocks: int) -> np.ndarray:
    """Values with exactly this mean and standard deviation, not correlated with neighbours."""
    values = np.random.default_rng(0).permutation(np.linspace(-1, 1, blocks))
    return mean + (values - values.mean()) / values.std(ddof=1) * sd


def cell(name: str, screen=(), confirm=(), failed: str = "") -> Evidence:
    return Evidence(name, np.asarray(screen, float), np.asarray(confirm, float), failed)


def only(*evidence: Evidence, settings: Settings = SETTINGS) -> Judgement:
    return judge(evidence, settings)[0]


def verdict(screen=(), confirm=(), **columns) -> Verdict:
    return only(cell("a", screen, confirm), **columns).verdict


def normal(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    return rng.standard_normal(shape)


def heavy_tailed(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    return rng.standard_t(3, shape) / math.sqrt(3)


def correlated(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """AR(1) with coefficient .3 and unit variance, stationary from the first block."""
    shocks = rng.standard_normal(shape) * math.sqrt(1 - 0.3**2)
    values = np.empty(shape)
    values[:, 0] = shocks[:, 0] / math.sqrt(1 - 0.3**2)
    for block in range(1, shape[1]):
        values[:, block] = 0.3 * values[:, block - 1] + shocks[:, block]
    return values


def compare(
    noise: Noise, seed: int, *, cells: int = 500, effect: float = 0.0, sd: float = 0.03
) -> list[Judgement]:
    """One whole adaptive run, with as many blocks as it wants."""
    rng = np.random.default_rng([11, seed])
    stages = [effect + sd * noise(rng, (cells, 60)) for _ in range(2)]
    costs = {f"c{index}": 1.0 for index in range(cells)}
    measured = {name: [0, 0] for name in costs}
    while True:
        evidence = [
            cell(name, *(values[i, :n] for values, n in zip(stages, measured[name], strict=True)))
            for i, name in enumerate(costs)
        ]
        plan = wants(evidence, SETTINGS, costs, math.inf)
        if not plan:
            return judge(evidence, SETTINGS)
        for stage, asked in enumerate((plan.screen, plan.confirm)):
            for name, blocks in asked.items():
                measured[name][stage] += blocks


def directed(judgements: list[Judgement]) -> int:
    return sum(one.verdict in (Verdict.SLOWER, Verdict.FASTER) for one in judgements)


# What the verdicts guarantee


@pytest.mark.parametrize(
    ("noise", "runs"),
    [
        (normal, 10),
        pytest.param(heavy_tailed, 40, marks=pytest.mark.slow),
        pytest.param(correlated, 40, marks=pytest.mark.slow),
    ],
)
def test_false_verdicts_on_equal_arms_are_rarer_than_one_in_a_thousand_cells(
    noise: Noise, runs: int
):
    cells = 500

    false = [directed(compare(noise, seed, cells=cells)) for seed in range(runs)]

    # So few would be seen with a probability of 1 % if the rate were .1 %; and more runs with any
    # false verdict than the second bound with 1 % if a run had one with probability 5 %.
    assert sum(false) <= stats.binom.ppf(0.01, runs * cells, 0.001)
    assert sum(count > 0 for count in false) <= stats.binom.ppf(0.99, runs, 0.05)


def test_the_screen_alone_would_exceed_that_rate():
    """Shows that the guarantee is one: unconfirmed selections of correlated blocks break it."""
    runs, cells, level = 8, 500, 0.001
    rng = np.random.default_rng(3)
    values = correlated(rng, (runs * cells, 10))
    statistics = values.mean(1) / values.std(1, ddof=1) * math.sqrt(10)

    false = (abs(statistics) > stats.t.isf(level / 2, 9)).sum()

    assert false > stats.binom.ppf(0.99, runs * cells, level)


@pytest.mark.slow
@pytest.mark.parametrize("noise", [normal, heavy_tailed])
def test_one_cell_alone_keeps_the_rate_too(noise: Noise):
    false = sum(directed(compare(noise, seed, cells=1)) for seed in range(10_000))

    assert false <= stats.binom.ppf(0.01, 10_000, 0.001)


def test_stage_1_rejects_equal_arms_no_more_often_than_its_level_says():
    count = 6000
    values = np.random.default_rng(4).standard_normal((count, 40))
    evidence = [cell(f"c{index}", row) for index, row in enumerate(values)]
    strict = Settings(screen_alpha=0.06)

    p_values = [one.p_screen for one in judge(evidence, strict)]

    rejected = sum(p <= 0.06 for p in p_values)
    # Three dependent looks at a third each: at most the level, more than one look alone would.
    assert rejected <= stats.binom.ppf(1 - 1e-4, count, 0.06)
    assert rejected > stats.binom.ppf(1 - 1e-4, count, 0.02)


def test_p_values_of_one_look_are_uniform_on_equal_arms():
    values = np.random.default_rng(5).standard_normal((2000, 10))
    evidence = [cell(f"c{index}", row) for index, row in enumerate(values)]

    p_values = [one.p_screen for one in judge(evidence, Settings(looks=(10,)))]

    assert stats.kstest(p_values, "uniform").pvalue > 0.001


def test_equal_arms_are_called_slower_as_often_as_faster_at_a_loose_level():
    loose = Settings(screen_alpha=0.49, confirm_alpha=0.49, q=0.49, margin=1.0001, looks=(6,))
    rng = np.random.default_rng(6)
    evidence = [cell(f"c{index}", *np.split(rng.standard_normal(46), [6])) for index in range(3000)]
    # Benjamini and Hochberg would let nothing through: each cell is a run of its own.
    counts = Counter(only(one, settings=loose).verdict for one in evidence)

    total = counts[Verdict.SLOWER] + counts[Verdict.FASTER]
    assert total > 300
    assert stats.binomtest(counts[Verdict.SLOWER], total).pvalue > 0.001


@pytest.mark.parametrize(("percent", "least"), [(2, 0.9), (5, 0.95), (10, 0.95)])
def test_power_on_blocks_that_spread_by_2_percent(percent: int, least: float):
    effect = math.log1p(percent / 100)

    judgements = [
        one for seed in range(6) for one in compare(normal, seed, cells=100, effect=effect, sd=0.02)
    ]

    found = sum(one.verdict is Verdict.SLOWER for one in judgements)
    # Falling below by chance: 1 % if the power were exactly the least that is stated.
    assert found >= stats.binom.ppf(0.01, len(judgements), least)


def test_a_ratio_at_the_margin_is_called_same_in_at_most_one_case_of_twenty():
    effect = math.log(SETTINGS.margin)

    judgements = [
        one
        for seed in range(8)
        for one in compare(normal, seed, cells=100, effect=effect, sd=0.015)
    ]

    same = sum(one.verdict is Verdict.SAME for one in judgements)
    assert same <= stats.binom.ppf(0.99, len(judgements), SETTINGS.same_alpha)


def test_the_ratio_of_a_slower_cell_is_not_inflated_by_its_selection():
    effect = math.log(1.02)
    judgements = [
        one for seed in range(4) for one in compare(normal, seed, cells=100, effect=effect, sd=0.03)
    ]

    logs = [math.log(one.ratio) for one in judgements if one.verdict is Verdict.SLOWER]

    # Stage 2 has to pass its own test at 98 % power, which shifts its mean by less than 3 %.
    error = np.std(logs) / math.sqrt(len(logs))
    assert np.mean(logs) == pytest.approx(effect, abs=3 * error + 0.03 * effect)


# The rules


def test_a_large_confirmed_difference_is_slower_and_its_mirror_faster():
    screen, confirm = spread_out(0.1, 0.01, 10), spread_out(0.1, 0.01, 6)

    assert verdict(screen, confirm) is Verdict.SLOWER
    assert verdict(-screen, -confirm) is Verdict.FASTER


def test_nothing_is_slower_before_stage_2_is_complete():
    screen, confirm = spread_out(0.1, 0.01, 10), spread_out(0.1, 0.01, 6)

    judged = only(cell("a", screen, confirm[:5]))

    assert judged.verdict is Verdict.AMBIGUOUS
    assert judged.p_confirm is None
    assert judged.reason == "Stage 1 found a difference; stage 2 has 5 of 6 blocks."


@pytest.mark.parametrize("mean", [-0.1, 0.0])
def test_stage_2_has_to_agree_in_direction(mean: float):
    judged = only(cell("a", spread_out(0.1, 0.01, 10), spread_out(mean, 0.02, 6)))

    assert judged.verdict is Verdict.AMBIGUOUS
    assert judged.p_confirm > 0.49


def test_a_certain_difference_inside_the_margin_is_same_with_its_ratio():
    judged = only(cell("a", spread_out(0.01, 0.001, 10), spread_out(0.01, 0.001, 6)))

    assert judged.verdict is Verdict.SAME
    assert judged.p_screen < 1e-6
    assert judged.ratio == pytest.approx(math.exp(0.01))
    assert "the difference itself is certain" in judged.reason


def test_same_holds_its_interval_inside_the_margin():
    judged = only(cell("a", spread_out(0.003, 0.01, 10)))

    assert judged.verdict is Verdict.SAME
    assert 1 / SETTINGS.margin < judged.ratio_low < judged.ratio_high < SETTINGS.margin
    assert verdict(spread_out(0.003, 0.01, 10), settings=Settings(margin=1.005)) is (
        Verdict.AMBIGUOUS
    )


def test_noise_shows_neither_difference_nor_equality():
    judged = only(cell("a", spread_out(0.01, 0.05, 10)))

    assert judged.verdict is Verdict.AMBIGUOUS
    assert judged.ratio_low < 1 < judged.ratio_high
    # 10 blocks at s = 5 %: t(9) needs about 5.6 + 1.4 standard errors of 1.6 %.
    assert judged.minimum_detectable_ratio == pytest.approx(1.13, abs=0.02)


def test_a_cell_without_a_value_is_failed_and_says_why():
    judged = only(cell("a", failed="HEAD raised ValueError"))

    assert judged.verdict is Verdict.FAILED
    assert judged.reason == "HEAD raised ValueError"
    assert judged.ratio is judged.p_screen is judged.minimum_detectable_ratio is None


def test_blocks_between_two_looks_decide_nothing():
    quiet, loud = spread_out(0.0, 0.05, 10), spread_out(0.5, 0.01, 9)

    before, after = (only(cell("a", s)) for s in (quiet, np.concatenate([quiet, loud])))

    assert after.p_screen == before.p_screen
    assert (before.verdict, after.verdict) == (Verdict.AMBIGUOUS, Verdict.AMBIGUOUS)
    assert (before.blocks, after.blocks) == (10, 19)


def test_fewer_blocks_than_the_first_look_give_no_verdict():
    judged = only(cell("a", spread_out(0.5, 0.001, 9)))

    assert judged.verdict is Verdict.AMBIGUOUS
    assert judged.reason == "Stage 1 has 9 of the 10 blocks of its first look."


def test_the_p_value_of_stage_1_is_scipys_times_the_number_of_looks():
    screen = spread_out(0.02, 0.02, 10)

    expected = 3 * stats.ttest_1samp(screen, 0).pvalue

    assert only(cell("a", screen)).p_screen == pytest.approx(expected, rel=1e-9)


def test_the_interval_is_students():
    screen = spread_out(0.02, 0.02, 10)
    low, high = stats.ttest_1samp(screen, 0).confidence_interval(0.95)

    judged = only(cell("a", screen))

    assert (judged.ratio_low, judged.ratio_high) == pytest.approx((math.exp(low), math.exp(high)))


def test_a_weak_finding_is_no_discovery_among_many_cells():
    # p × looks is about 6e-4: enough alone, and too much for the first of 500: .05 / 500 = 1e-4.
    weak = cell("weak", spread_out(0.038, 0.02, 10))
    others = [cell(f"c{i}", spread_out(0.0, 0.02, 10)) for i in range(499)]

    alone, among = only(weak), only(weak, *others)

    assert 1e-4 < alone.p_screen < 1e-3
    assert "stage 2 has 0 of" in alone.reason
    assert among.reason == "Stage 1 found a difference that is no discovery among so many cells."


def test_equal_values_are_not_certainty_beyond_the_clock():
    assert verdict([0.0] * 10) is Verdict.SAME
    tiny = only(cell("a", [SPREAD_FLOOR / 10] * 10))

    assert tiny.verdict is Verdict.SAME
    assert tiny.p_screen == 1.0


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, 1e308, -800.0])
@pytest.mark.parametrize("stage", ["screen", "confirm"])
def test_values_that_no_timing_gives_are_refused(bad: float, stage: str):
    with pytest.raises(BadResults, match="'a' has block values that no timing gives"):
        judge([cell("a", **{stage: [0.0, bad]})], SETTINGS)


def test_a_margin_beyond_the_threshold_is_refused_since_the_gate_would_never_close():
    with pytest.raises(BadUsage, match=r"margin 1\.1 lies above the threshold 1\.05"):
        Settings(margin=1.1, threshold=1.05)

    assert Settings(margin=1.05, threshold=1.05).margin == 1.05


def test_a_cell_that_stands_twice_is_refused():
    with pytest.raises(BadResults, match="'a' stands twice"):
        judge([cell("a"), cell("a")], SETTINGS)


@pytest.mark.parametrize(
    "wrong",
    [
        *({"margin": 1.0}, {"threshold": math.nan}, {"q": 0.0}, {"screen_alpha": 0.5}),
        *({"looks": ()}, {"looks": (1, 5)}, {"looks": (10, 10)}),
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong: dict):
    with pytest.raises(BadUsage, match="give"):
        Settings(**wrong)


# Laws


@st.composite
def runs_of_cells(draw) -> list[Evidence]:
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    cells = []
    for index in range(draw(st.integers(1, 8))):
        mean, sd = draw(st.sampled_from([0, 0.005, 0.05, 0.1])), draw(st.sampled_from([0, 0.01]))
        sizes = draw(st.sampled_from([(0, 0), (1, 0), (10, 0), (13, 6), (20, 12), (40, 9)]))
        screen, confirm = (mean + sd * rng.standard_normal(n) for n in sizes)
        cells.append(cell(f"cell {index}", screen, confirm))
    return cells


@given(runs_of_cells())
@hypothesis_settings(max_examples=60)
def test_exchanging_the_arms_exchanges_slower_and_faster(evidence: list[Evidence]):
    swapped = [replace(one, screen=-one.screen, confirm=-one.confirm) for one in evidence]

    for one, other in zip(judge(evidence, SETTINGS), judge(swapped, SETTINGS), strict=True):
        assert other.verdict is SWAPPED[one.verdict]
        assert (other.p_screen, other.p_confirm) == (one.p_screen, one.p_confirm)
        assert (other.ratio or 1) * (one.ratio or 1) == pytest.approx(1)
        assert (other.ratio_low or 1) * (one.ratio_high or 1) == pytest.approx(1)


@given(runs_of_cells(), st.randoms(use_true_random=False))
@hypothesis_settings(max_examples=60)
def test_the_order_of_the_cells_changes_nothing(evidence: list[Evidence], chance: random.Random):
    shuffled = chance.sample(evidence, len(evidence))
    costs = {one.name: 1.0 for one in evidence}

    assert {j.name: j for j in judge(evidence, SETTINGS)} == {
        j.name: j for j in judge(shuffled, SETTINGS)
    }
    assert wants(evidence, SETTINGS, costs, 99) == wants(shuffled, SETTINGS, costs, 99)


def test_correlation_of_neighbouring_blocks_is_found_from_many_cells():
    rng = np.random.default_rng(8)

    white = shared_correlation(list(normal(rng, (500, 10))))
    related = shared_correlation(list(correlated(rng, (500, 10))))

    # Its standard error is 1 / √5000 = .014, which is also taken off once.
    assert white <= 0.03
    assert related == pytest.approx(0.3, abs=0.06)


# Where blocks are spent


def plan_of(*evidence: Evidence, seconds: float = math.inf, costs: dict | None = None):
    return wants(evidence, SETTINGS, costs or {one.name: 1.0 for one in evidence}, seconds)


def test_a_new_cell_wants_its_first_look():
    assert plan_of(cell("a")).screen == {"a": 10}
    assert plan_of(cell("a", [0.0] * 3)).screen == {"a": 7}


def test_a_selected_cell_wants_stage_2_and_nothing_more_of_stage_1():
    plan = plan_of(cell("a", spread_out(0.1, 0.01, 10), [0.1]))

    assert (plan.screen, plan.confirm) == ({}, {"a": LEAST_CONFIRM - 1})


def test_stage_2_of_a_less_clear_difference_is_longer():
    clear, faint = (
        assess([cell("a", spread_out(0.1, sd, 10))], SETTINGS)[0].confirm_blocks
        for sd in (0.01, 0.05)
    )

    assert clear == LEAST_CONFIRM < faint


@pytest.mark.parametrize(
    "decided",
    [
        cell("same", spread_out(0.0, 0.005, 10)),
        cell("slower", spread_out(0.1, 0.01, 10), spread_out(0.1, 0.01, 6)),
        cell("refuted", spread_out(0.1, 0.01, 10), spread_out(-0.1, 0.01, 6)),
        cell("failed", failed="BASE: exit 1"),
        cell("hopeless", spread_out(0.01, 0.2, 20)),
        cell("at the last look", spread_out(0.01, 0.05, 40)),
    ],
    ids=lambda one: one.name,
)
def test_cells_that_more_blocks_would_not_decide_get_none(decided: Evidence):
    assert not plan_of(decided)


def test_an_undecided_cell_with_a_chance_goes_to_the_next_look():
    assert plan_of(cell("a", spread_out(0.001, 0.025, 10))).screen == {"a": 10}
    assert plan_of(cell("a", spread_out(0.001, 0.025, 13))).screen == {"a": 7}


def test_stage_2_comes_first_and_a_share_of_the_time_is_kept_for_it():
    new = [cell(f"new {i}") for i in range(4)]
    found = cell("found", spread_out(0.1, 0.01, 10))

    plan = plan_of(*new, found, seconds=44.0)

    assert plan.confirm == {"found": 6}
    assert plan.screen == {"new 0": 10, "new 1": 10}
    assert plan.seconds == 26.0 <= (1 - RESERVE) * 44
    assert plan.dropped == ("new 2", "new 3")


def test_cheap_cells_come_first():
    plan = plan_of(cell("dear"), cell("cheap"), costs={"dear": 2.0, "cheap": 1.0}, seconds=30.0)

    assert plan.screen == {"cheap": 10}


@given(runs_of_cells(), st.floats(0, 200))
@hypothesis_settings(max_examples=60)
def test_a_plan_fits_into_the_time_left(evidence: list[Evidence], seconds: float):
    plan = plan_of(*evidence, seconds=seconds)

    assert plan.seconds == sum(plan.screen.values()) + sum(plan.confirm.values()) <= seconds


def test_a_cell_without_a_cost_is_refused():
    with pytest.raises(BadUsage, match="a block of 'a' costs"):
        wants([cell("a")], SETTINGS, {}, 10.0)
