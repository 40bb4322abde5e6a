"""How far histories move, against the definition."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from convbench.stats.moves import LEAST_SIDE, SIDE, moves_of


@given(st.integers(0, 3 * SIDE), st.integers(0, 2**32 - 1))
def test_a_move_is_the_difference_of_two_medians(count: int, seed: int) -> None:
    values = np.exp(np.random.default_rng(seed).standard_normal(count))
    logs = np.log(values)

    expected = [
        np.median(logs[at : at + SIDE]) - np.median(logs[max(0, at - SIDE) : at])
        if min(at, count - at) >= LEAST_SIDE
        else np.nan
        for at in range(count)
    ]

    np.testing.assert_allclose(moves_of(values), expected, rtol=1e-6, atol=1e-6)


def test_without_logarithms_nobody_can_tell() -> None:
    values = np.ones(30)
    values[3] = 0

    assert np.isnan(moves_of(values)).all()
