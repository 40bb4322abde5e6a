import numpy as np
import pytest
from constructed_changes import change, changes
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from numpy.typing import NDArray
from scipy.stats import binom, false_discovery_control

from convbench.stats.changes import HISTORY
from convbench.stats.false_discovery import Q, adjusted, discoveries, kept

P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=40)


@given(P_VALUES)
def test_adjusted_values_are_those_of_scipy(p: list[float]) -> None:
    # The same products in another order: a few units in the last place.
    np.testing.assert_allclose(adjusted(p), false_discovery_control(p), rtol=1e-14)


@given(P_VALUES, st.floats(0.01, 0.99))
def test_the_rule_is_the_largest_k_whose_value_is_below_its_line(p: list[float], q: float) -> None:
    ordered = sorted(p)
    lines = [q * (k + 1) / len(p) for k in range(len(p))]
    # A value on its line is decided by rounding.
    if any(abs(value - line) < 1e-12 for value, line in zip(ordered, lines, strict=True)):
        return
    passing = [value for value, line in zip(ordered, lines, strict=True) if value <= line]

    assert discoveries(p, q).sum() == sum(value <= max(passing, default=-1) for value in p)


@given(P_VALUES, st.randoms(use_true_random=False))
def test_the_order_of_hypotheses_is_of_no_consequence(p: list[float], random: object) -> None:
    order = np.random.default_rng(random.getrandbits(32)).permutation(len(p))  # type: ignore[attr-defined]

    assert_array_equal(discoveries(np.array(p)[order]), discoveries(p)[order])


@given(P_VALUES, st.data())
def test_more_evidence_never_loses_a_discovery(p: list[float], data: st.DataObject) -> None:
    smaller = [data.draw(st.floats(0, value)) for value in p]

    assert np.all(discoveries(smaller) >= discoveries(p))


@given(P_VALUES)
def test_what_was_not_tested_counts_but_is_no_discovery(p: list[float]) -> None:
    found = discoveries([*p, np.nan])

    assert not found[-1]
    assert_array_equal(found[:-1], discoveries([*p, 1.0])[:-1])


@pytest.mark.parametrize("p", [[-0.1], [1.5], [[0.1]]])
def test_what_is_no_probability_is_refused(p: list[float]) -> None:
    with pytest.raises(ValueError, match=r"got|shape"):
        adjusted(p)


HISTORIES, CHANGED, RUNS = 200, 20, 400


def false_shares(rng: np.random.Generator, changed: int) -> NDArray[np.float64]:
    """Share of false discoveries of each of many detections."""
    shares = []
    for _ in range(RUNS):
        p = rng.random(HISTORIES)
        p[:changed] = 1e-6
        found = discoveries(p)
        shares.append(found[changed:].sum() / max(found.sum(), 1))
    return np.array(shares)


def test_without_a_change_one_detection_in_twenty_finds_something() -> None:
    shares = false_shares(np.random.default_rng(1), changed=0)

    # For independent uniform values the chance is exactly q: bounds of 1e-4 on either side.
    low, high = binom.ppf([1e-4, 1 - 1e-4], RUNS, Q)
    assert low <= np.sum(shares > 0) <= high


def test_among_discoveries_the_false_ones_are_as_few_as_stated() -> None:
    shares = false_shares(np.random.default_rng(2), changed=CHANGED)

    # Exactly q·(share of unchanged) is expected; four standard errors are allowed.
    expected = Q * (1 - CHANGED / HISTORIES)
    assert abs(shares.mean() - expected) <= 4 * shares.std() / np.sqrt(RUNS)


def test_a_history_enters_once_with_its_smallest_value_and_stays_whole() -> None:
    weak = change(200, params="weak", p_value=0.01)
    twice = [change(at, params="strong", p_value=p) for at, p in ((50, 1e-9), (90, 0.02))]

    found = kept(changes(weak, *twice), histories=100)

    assert list(found["params"]) == ["strong", "strong"]
    # 100 histories, the smallest of their values: 1e-9·100; a weaker change keeps its own.
    assert list(found["p_adjusted"]) == pytest.approx([1e-7, 0.02])


def test_histories_without_a_change_make_a_discovery_harder() -> None:
    found = [len(kept(changes(change(p_value=0.01)), histories=n)) for n in (1, 5, 6, 100)]

    assert found == [1, 1, 0, 0]  # .01·5 = q


def test_every_part_of_its_name_makes_another_history() -> None:
    rows = [change(**{name: "other"}, p_value=0.03) for name in HISTORY]

    # All seven enter: .03·7/7 ≤ q. As fewer histories they would be all the more significant.
    assert len(kept(changes(*rows), histories=7)) == 7
    with pytest.raises(ValueError, match="7 histories"):
        kept(changes(*rows), histories=6)


def test_failures_are_seen_and_need_no_evidence() -> None:
    failing = change(kind="starts failing", p_value=np.nan, params="fails")

    found = kept(changes(failing, change(p_value=0.5)), histories=1000)

    assert list(found["params"]) == ["fails"]
    assert list(found["p_adjusted"]) == [0.0]


def test_of_nothing_nothing_is_kept() -> None:
    found = kept(changes(), histories=10)

    assert len(found) == 0
    assert "p_adjusted" in found
