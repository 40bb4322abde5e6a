"""Whatever numbers a file claims: what pages show of them is finite, and a site is made."""

import math
import random
from itertools import product

import numpy as np
import pandas as pd
import pytest
from sample_store import PROBLEMS, SIDES, Store, convolution_store, foreign_store, trusted_store

from convbench.report.intervals import REACH, intervals
from convbench.report.site import site_files
from convbench.stats.magnitudes import GREATEST, kept

STRANGE = (
    *(0.0, -0.0, -1.0, 1.0, 1e-9, 5e-324, 1e-300, 1e300, 1.7e308, -1.7e308),
    *(math.nan, math.inf, -math.inf),
)
NUMBERS = ("value", "ci_low", "ci_high", "q25", "q75", "duration")
STORES = (
    lambda: convolution_store(2, problems=[*PROBLEMS, *SIDES]),
    lambda: trusted_store(4),
    lambda: foreign_store(8),
)


def frame(**columns: float) -> pd.DataFrame:
    absent = dict.fromkeys(("ci_low", "ci_high", "q25", "q75"), math.nan)
    return pd.DataFrame([absent | columns], dtype="float64")


def interval(**columns: float) -> tuple[float, float]:
    low, high = intervals(frame(**columns))
    return low[0], high[0]


def test_an_interval_is_the_files_own_where_it_is_finite_else_the_quartiles() -> None:
    quartiles = {"q25": 1.5, "q75": 2.5}

    assert interval(value=2, ci_low=1, ci_high=3, **quartiles) == (1, 3)
    assert interval(value=2, ci_low=-math.inf, ci_high=3, **quartiles) == (1.5, 2.5)
    assert interval(value=2, ci_low=1, ci_high=math.inf, **quartiles) == (1.5, 2.5)
    assert all(math.isnan(end) for end in interval(value=2, ci_low=1, q25=1))


def test_an_interval_that_passes_zero_stays_as_it_is() -> None:
    assert interval(value=1.5, ci_low=-23.5, ci_high=26.5) == (-23.5, 26.5)
    assert interval(value=-1.5, ci_low=-23.5, ci_high=26.5) == (-23.5, 26.5)


def test_an_interval_holds_its_value_and_its_ends_are_within_reach() -> None:
    claims = pd.DataFrame(product(STRANGE, repeat=3), columns=["value", "ci_low", "ci_high"])
    claims = claims.assign(value=kept(claims["value"].to_numpy()), q25=math.nan, q75=math.nan)

    low, high = intervals(claims)

    known = low.notna() & high.notna()
    value, ends = claims["value"][known], [low[known], high[known]]
    assert len(value) > 100
    assert (ends[0] <= value).all()
    assert (value <= ends[1]).all()
    for end in ends:
        assert ((end == 0) | (end / value).abs().between(1 / REACH, REACH)).all()


def test_what_is_kept_has_finite_ratios_and_squares() -> None:
    kept_ones = kept(np.array(STRANGE))
    found = set(kept_ones[np.isfinite(kept_ones)])
    sizes = [abs(number) for number in found if number]

    assert found == {0.0, -1.0, 1.0, 1e-9}
    assert all(1 / GREATEST <= size <= GREATEST for size in sizes)


@pytest.mark.parametrize("seed", range(8))
def test_of_any_numbers_a_site_is_made(seed: int) -> None:
    chance = random.Random(seed)
    store: Store = STORES[seed % len(STORES)]()
    share = chance.choice((0.02, 0.2, 0.9))
    for made in store.rows:
        strange = {name: chance.choice(STRANGE) for name in NUMBERS if chance.random() < share}
        made |= strange if made["status"] == "ok" else {}

    files = site_files(store.measurements())

    assert "index.html" in files
