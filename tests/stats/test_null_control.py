"""The null control: pairs that never differ, how many were told apart, and what that bounds."""

import argparse
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, binomtest

from convbench.commands import detect
from convbench.results.schema import empty_frame
from convbench.stats import null_control, null_control_by_run
from convbench.stats.null_control import BENCHMARK, MIN_RATIO, upper_bound

START = pd.Timestamp("2026-11-01", tz="UTC")


def arm(name: str, value: float | None, half_width: float | None = 0.01, **columns) -> dict:
    """One row of the control; the interval is the value times 1 ± its half width."""
    width = math.nan if value is None or half_width is None else value * half_width
    row = {"project": "p", "machine": "m", "run": "r", "environment": "e", "commit": "c"}
    row |= {"benchmark": BENCHMARK, "params": {"arm": name, "case": columns.pop("case", "im2col")}}
    row |= {"value": value, "status": "ok", "started_at": START, "samples": None}
    return row | {"ci_low": (value or 0) - width, "ci_high": (value or 0) + width} | columns


def pair(first: float, second: float, half_width: float = 0.01, **columns) -> list[dict]:
    return [arm("a", first, half_width, **columns), arm("b", second, half_width, **columns)]


def swapped(values: pd.DataFrame) -> pd.DataFrame:
    other = {"a": "b", "b": "a"}
    params = [p | {"arm": other[p["arm"]]} for p in values["params"]]
    return values.assign(params=params)


def test_values_with_separate_intervals_alarm_and_touching_ones_do_not():
    # 1.1 - 5 % is 1.045, 1.0 + 5 % is 1.05: they overlap; with 4 % they don't.
    overlapping = pd.DataFrame(pair(1.0, 1.1, 0.05))
    apart = pd.DataFrame(pair(1.0, 1.1, 0.04))
    touching = pd.DataFrame([arm("a", 3.0, 0.0, ci_high=4.0), arm("b", 5.0, 0.0, ci_low=4.0)])

    for values, alarms in ((overlapping, 0), (apart, 1), (touching, 0)):
        assert null_control(values).alarms == alarms
        assert null_control(swapped(values)).alarms == alarms


def test_a_difference_below_the_least_ratio_is_no_alarm():
    values = pd.DataFrame(pair(1.0, 1.1, 0.01) + pair(1.0, 1 / 1.1, 0.01, case="fft"))

    assert null_control(values).alarms == 2
    assert null_control(values, min_ratio=1.09).alarms == 2
    assert null_control(values, min_ratio=1.11).alarms == 0


def test_the_least_ratio_is_the_one_that_detect_has():
    parser = argparse.ArgumentParser()
    detect.add_arguments(parser)

    assert parser.parse_args(["store"]).min_ratio == MIN_RATIO


def test_spread_is_the_median_distance_and_largest_the_greatest():
    values = pd.DataFrame(
        pair(1.0, 1.02, case="one") + pair(2.0, 1.0, case="two") + pair(5.0, 5.0, case="three")
    )

    control = null_control(values)

    assert (control.pairs, control.alarms, control.runs) == (3, 1, 1)
    assert control.rate == pytest.approx(1 / 3)
    assert control.spread == pytest.approx(math.log(1.02))
    assert control.largest == pytest.approx(math.log(2.0))


def test_only_arms_of_one_case_run_machine_environment_and_commit_are_a_pair():
    values = pd.DataFrame(
        [
            arm("a", 1.0),
            *(
                arm("b", 9.0, **{place: "other"})
                for place in ("case", "run", "machine", "environment", "commit", "project")
            ),
        ]
    )

    assert null_control(values).pairs == 0


def test_a_pair_without_a_verdict_is_none():
    unusable = [
        arm("b", None, status="failed"),
        arm("b", 1.0, status="skipped"),
        arm("b", math.nan),
        arm("b", 0.0),
        arm("b", -1.0),
        arm("b", 1.0, None),
        arm("b", 1.0, math.inf),
        arm("c", 1.0),
        arm("b", 1.0, params={"arm": "b"}),
        arm("b", 1.0, params={}),
        arm("b", 1.0, benchmark="control.Control.time_lookup"),
    ]

    for row in unusable:
        assert null_control(pd.DataFrame([arm("a", 1.0), row])).pairs == 0, row


def test_nothing_known_is_nothing_promised():
    for values in (empty_frame("values"), pd.DataFrame([arm("a", 1.0)])):
        control = null_control(values)

        assert (control.pairs, control.alarms, control.runs, control.upper) == (0, 0, 0, 1.0)
        assert all(math.isnan(x) for x in (control.rate, control.spread, control.largest))
        assert null_control_by_run(values).empty


def test_a_run_in_two_folders_counts_once():
    values = pd.DataFrame(pair(1.0, 1.0) * 2)

    assert null_control(values).pairs == 1


POSITIVE = st.floats(1e-9, 1e3)


@given(st.lists(st.tuples(POSITIVE, POSITIVE, st.floats(0, 0.5)), min_size=1, max_size=8))
def test_neither_the_labels_nor_the_unit_nor_the_order_of_rows_matter(cells):
    values = pd.DataFrame(
        [row for i, (a, b, w) in enumerate(cells) for row in pair(a, b, w, case=str(i))]
    )
    numbers = ["value", "ci_low", "ci_high"]
    in_milliseconds = values.assign(**{name: values[name] * 1024 for name in numbers})

    control = null_control(values)

    assert null_control(swapped(values)) == control
    assert null_control(values[::-1]) == control
    assert null_control(in_milliseconds).alarms == control.alarms
    assert null_control(in_milliseconds).spread == pytest.approx(control.spread)


@given(st.integers(0, 400), st.integers(1, 400))
def test_the_bound_is_scipy_s_exact_one(alarms, pairs):
    alarms = min(alarms, pairs)
    oracle = binomtest(alarms, pairs, alternative="less").proportion_ci(0.95, method="exact")

    bound = upper_bound(alarms, pairs)

    assert bound == pytest.approx(oracle.high, rel=1e-9)
    if alarms < pairs:  # the definition itself
        assert binom.cdf(alarms, pairs, bound) == pytest.approx(0.05, rel=1e-6)


@pytest.mark.parametrize("pairs", [1, 10, 598, 2995])
def test_no_alarm_in_n_bounds_the_rate_by_one_minus_the_nth_root_of_a_twentieth(pairs):
    assert upper_bound(0, pairs) == pytest.approx(1 - 0.05 ** (1 / pairs), rel=1e-12)


@pytest.mark.parametrize(("percent", "pairs"), [(0.5, 598), (0.2, 1497), (0.1, 2995)])
def test_the_table_of_how_many_nulls_prove_a_rate(percent, pairs):
    assert upper_bound(0, pairs) < percent / 100 < upper_bound(0, pairs - 1)


def test_all_alarms_bound_nothing_and_every_further_alarm_raises_the_bound():
    bounds = [upper_bound(alarms, 20) for alarms in range(21)]

    assert bounds[-1] == 1.0
    assert bounds == sorted(set(bounds))


def test_the_bound_covers_the_true_rate_in_95_of_100_controls(rng):
    """Of 4000 simulated controls at least 95 % cover; the exact bound covers more, never less."""
    rate, pairs, controls = 0.03, 60, 4000
    alarms = rng.binomial(pairs, rate, controls)

    covered = np.mean([upper_bound(k, pairs) >= rate for k in alarms])

    # Three standard errors of a share of 95 % below it.
    assert covered >= 0.95 - 3 * math.sqrt(0.95 * 0.05 / controls)


def test_simulated_nulls_alarm_no_more_often_than_their_intervals_allow(rng):
    """Two 99 % intervals of independent normal values lie apart with p = 0.00027."""
    quantile, sigma, count = 2.5758293035489004, 0.01, 4000
    rows = [
        row
        for i, (a, b) in enumerate(np.exp(sigma * rng.standard_normal((count, 2))))
        for row in pair(a, b, quantile * sigma, case=str(i))
    ]

    control = null_control(pd.DataFrame(rows))

    assert control.pairs == count
    assert control.alarms <= binom.ppf(0.999, count, 0.0003)
    assert control.upper < 0.003
    # |difference| of two normal values has the median 0.6745 √2 σ; its estimate errs by a few %.
    assert control.spread == pytest.approx(0.6745 * math.sqrt(2) * sigma, rel=0.1)


def test_a_shift_between_the_arms_is_seen(rng):
    """Positive control: what the bound must not hide."""
    rows = [
        row
        for i, (a, b) in enumerate(np.exp(0.01 * rng.standard_normal((200, 2))))
        for row in pair(a, b * 1.2, 0.026, case=str(i))
    ]

    assert null_control(pd.DataFrame(rows)).rate > 0.95


def test_runs_over_time_are_in_order_and_add_up():
    days = [START + pd.Timedelta(days=day) for day in (2, 1)]
    rows = pair(1.0, 1.5, run="late", started_at=days[0])
    rows += pair(1.0, 1.0, run="early", started_at=days[1])
    rows += pair(1.0, 1.02, run="early", case="fft", started_at=days[1] + pd.Timedelta(hours=1))
    values = pd.DataFrame(rows)

    by_run = null_control_by_run(values)

    assert by_run["run"].tolist() == ["early", "late"]
    assert by_run["started_at"].tolist() == days[::-1]
    assert (by_run["pairs"].tolist(), by_run["alarms"].tolist()) == ([2, 1], [0, 1])
    assert by_run["spread"].tolist() == pytest.approx([math.log(1.02) / 2, math.log(1.5)])
    assert by_run["pairs"].sum() == null_control(values).pairs
    assert by_run.dtypes.equals(null_control_by_run(values[:0]).dtypes)
