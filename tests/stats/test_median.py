"""The quick median, against NumPy's."""

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from convbench.stats.median import median

FINITE = st.floats(-1e300, 1e300)


@given(st.lists(FINITE, min_size=1, max_size=60))
@example([3.0, 1.0])
@example([0.1, 0.2, 0.3, 0.4])
def test_it_is_numpys_to_the_last_bit(values: list[float]) -> None:
    given_values = np.array(values)

    assert median(given_values) == np.median(given_values)
    assert given_values.tolist() == values  # and nothing was reordered
