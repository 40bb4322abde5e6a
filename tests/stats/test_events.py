import numpy as np
import pandas as pd
import pytest
from constructed_changes import (
    change,
    changes,
    commit,
    histories,
    in_histories,
    measured_throughout,
)
from scipy.stats import binom, t

from convbench.stats.changes import HISTORY
from convbench.stats.events import COLUMNS, summarise, typical_ratio
from convbench.stats.grouping import group

EVERY = histories()


def summarised(found: pd.DataFrame) -> pd.DataFrame:
    """Summarise changes of the histories above and of any others that they name."""
    own = measured_throughout(found[[*HISTORY, "strategy"]])
    every = pd.concat([EVERY, own]).drop_duplicates(HISTORY)
    return summarise(group(found, every), every)


def test_an_event_tells_its_changes_in_one_row() -> None:
    im2col = EVERY[EVERY["strategy"] == "im2col"]
    (row,) = summarised(in_histories(im2col)).to_dict("records")

    assert {name: row[name] for name in ("changes", "machines", "builds", "benchmarks")} == {
        **{"changes": 16, "machines": 2, "builds": 2, "benchmarks": 1}
    }
    assert (row["commit"], row["previous_commit"], row["position"]) == (
        commit(100),
        commit(99),
        100,
    )
    assert (row["cause"], row["kind"], row["subject"]) == ("code", "regression", "im2col")
    assert row["ratio"] == pytest.approx(1.1)
    assert row["known_as"] == row["event"]


def test_columns_and_types_are_the_same_with_and_without_events() -> None:
    none, some = summarised(changes()), summarised(changes(change()))

    assert list(none) == list(some) == list(COLUMNS)
    assert list(none.dtypes) == list(some.dtypes)
    assert len(none) == 0


def test_the_change_to_look_at_is_the_most_significant_then_the_largest() -> None:
    rows = [
        change(params="weak", p_value=1e-3, ratio=1.14),
        change(params="small", ratio=1.09, ratio_low=1.08, ratio_high=1.1),
        change(params="large", ratio=1.13, ratio_low=1.12, ratio_high=1.14, after=1.13),
    ]
    (row,) = summarised(changes(*rows)).to_dict("records")

    assert (row["params"], row["after"], row["p_value"]) == ("large", 1.13, 1e-6)


def test_the_corrected_probability_is_told_where_there_is_one() -> None:
    found = changes(change(params="a"), change(params="b")).assign(p_adjusted=[0.02, 0.01])

    assert summarised(found)["p_value"].tolist() == [0.01]
    assert summarised(found)["params"].tolist() == ["b"]


def test_the_range_is_what_all_ranges_share() -> None:
    rows = [change(101, range=(98, 102)), change(100, range=(100, 105), params="case 2")]
    (row,) = summarised(changes(*rows)).to_dict("records")

    assert (row["range_first"], row["range_last"]) == (commit(100), commit(102))
    assert (row["range_first_position"], row["range_last_position"]) == (100, 102)


def test_ranges_that_share_nothing_are_told_from_first_to_last() -> None:
    rows = [change(100), change(102, params="case 2")]
    (row,) = summarised(changes(*rows)).to_dict("records")

    assert (row["range_first"], row["range_last"]) == (commit(100), commit(102))


def test_most_changes_decide_whether_an_event_recovered() -> None:
    rows = [change(params=f"case {case}", recovered=case < 2) for case in range(4)]
    told = [bool(summarised(changes(*rows[:count]))["recovered"].item()) for count in (2, 3, 4)]

    assert told == [True, True, False]


def test_events_come_in_the_order_of_commits() -> None:
    found = changes(change(300), change(100), change(200, strategy="fft"))

    assert summarised(found)["position"].tolist() == [100, 200, 300]


def ratios(*values: float, low: float = 0.99, high: float = 1.01) -> pd.DataFrame:
    rows = [change(ratio=one, ratio_low=one * low, ratio_high=one * high) for one in values]
    return changes(*rows)


def test_one_change_keeps_its_interval() -> None:
    assert typical_ratio(ratios(1.2)) == (1.2, 1.2 * 0.99, 1.2 * 1.01)


def test_the_ratio_is_the_median_in_logarithms_in_the_sense_of_the_first() -> None:
    assert typical_ratio(ratios(1.1, 1.2, 2.0))[0] == pytest.approx(1.2)
    assert typical_ratio(ratios(1 / 1.2, 1.1, 2.0))[0] == pytest.approx(1 / 1.2)
    assert typical_ratio(ratios(1 / 1.2, 1 / 1.1))[0] == pytest.approx((1 / 1.1 / 1.2) ** 0.5)


def test_a_failure_has_no_ratio() -> None:
    rows = [change(kind="starts failing", ratio=np.nan, ratio_low=np.nan, ratio_high=np.nan)] * 2

    assert np.isnan(typical_ratio(changes(*rows))).all()


def test_a_change_from_zero_is_infinite() -> None:
    assert typical_ratio(ratios(np.inf, np.inf, low=1, high=1))[0] == np.inf


@pytest.mark.parametrize("count", [2, 5, 15])
@pytest.mark.parametrize("scatter", [0.0, 0.02])
def test_the_interval_of_the_median_holds_what_it_should(count: int, scatter: float) -> None:
    # Effects scatter around 10 %; each is measured with an error of 1 % and an interval of ±1.96 %.
    rng = np.random.default_rng([11, count])
    width = np.exp(1.96 * 0.01)
    true, held = np.log(1.1), 0
    for _ in range(400):
        found = true + np.hypot(scatter, 0.01) * rng.standard_normal(count)
        _, low, high = typical_ratio(ratios(*np.exp(found), low=1 / width, high=width))
        held += low <= 1.1 <= high
    # A scatter known from n values makes Student's t of a Gaussian; a known one would give .95 or,
    # as the median of few varies less than π/2 times their mean, more.
    least = 0.95 if not scatter else 1 - 2 * t.sf(1.96, count - 1)
    assert held >= binom.ppf(1e-4, 400, least)
