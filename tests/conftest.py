import numpy as np
import pytest
from hypothesis import settings

# The same examples in every run: a red test is red for everybody. No deadline: the first call
# of a strategy may compile.
settings.register_profile("convbench", derandomize=True, deadline=None, max_examples=12)
settings.load_profile("convbench")


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20)
