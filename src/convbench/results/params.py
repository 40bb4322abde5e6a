"""A parameter combination as text: a JSON object, in the order of the benchmark's axes.

A store has few combinations and many rows, so rows name them by number into a list of such texts.
"""

import json
from collections.abc import Mapping

from convbench.results.grids import Combination


def as_text(combination: Combination) -> str:
    """Write a combination: ``{"strategy": "fft", "n": "8"}``."""
    return json.dumps(dict(combination), ensure_ascii=False)


def from_text(text: str) -> Combination:
    """Read a combination back."""
    pairs: Mapping[str, str] = json.loads(text)
    return tuple(pairs.items())
