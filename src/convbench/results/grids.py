"""asv's parameter grids: names and `repr` strings in, combinations of plain text out.

asv stores a benchmark's axes, not its combinations; results follow in `itertools.product` order.
A grid repeats in every file of a project, so each is expanded once and rows refer to its
combinations by number.
"""

import ast
import itertools
import warnings
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from convbench.results.result_file import Axes, utf8

# A longer text is nobody's parameter, and evaluating it would cost many times its size.
_LONGEST_REPR = 10_000

Combination = tuple[tuple[str, str], ...]
Codes = npt.NDArray[np.int32]


@lru_cache(maxsize=100_000)
def unquote(text: str) -> str:
    """Return the string of which `text` is the `repr`; any other text as it is."""
    if text[:1] not in ("'", '"') or len(text) > _LONGEST_REPR:
        return utf8(text)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # no repr has an invalid escape: leave such text alone
            value = ast.literal_eval(text)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return utf8(text)
    return utf8(value if isinstance(value, str) else text)


def axis_names(param_names: Sequence[str], count: int) -> tuple[str, ...]:
    """Name `count` axes: the declared names, else ``param1`` …; a repeated name gets a number."""
    names: list[str] = []
    for position in range(count):
        name = param_names[position] if position < len(param_names) else f"param{position + 1}"
        while name in names:
            name = f"{name}_{position + 1}"
        names.append(name)
    return tuple(names)


def axis_texts(values: Sequence[str]) -> list[str]:
    """Return plain texts of an axis's values: no two are the same, as no two values are.

    Where a text and a number look the same without quotes (``'1'`` and ``1``), the quotes stay.
    """
    plain = [unquote(value) for value in values]
    times = Counter(plain)
    if len(times) == len(plain):
        return plain
    told = [
        text if times[text] == 1 else utf8(value) for text, value in zip(plain, values, strict=True)
    ]
    seen: Counter[str] = Counter()
    for place, text in enumerate(told):
        seen[text] += 1
        told[place] = text if seen[text] == 1 else f"{text} ({seen[text]})"
    return told


class Grids:
    """The parameter combinations met so far, numbered in order of appearance."""

    def __init__(self) -> None:
        self._numbers: dict[Combination, int] = {}
        self._expanded: dict[tuple[Sequence[str], Axes], Codes] = {}

    @property
    def combinations(self) -> list[Combination]:
        """Every combination met, at its number."""
        return list(self._numbers)

    def code(self, combination: Combination) -> int:
        """Return the number of one combination."""
        return self._numbers.setdefault(combination, len(self._numbers))

    def codes(self, param_names: tuple[str, ...], axes: Axes) -> Codes:
        """Return the number of each combination of a grid, in the order of asv's results."""
        known = self._expanded.get((param_names, axes))
        if known is None:
            names = axis_names(param_names, len(axes))
            plain = [
                [(name, text) for text in axis_texts(axis)]
                for name, axis in zip(names, axes, strict=True)
            ]
            known = np.array([self.code(one) for one in itertools.product(*plain)], np.int32)
            self._expanded[param_names, axes] = known
        return known
