"""Whole numbers as text of few bytes: digits of base 90, all of which a string of JSON may hold.

The alphabet is printable ASCII without what JSON, or a script in a page, must escape.
"""

import numpy as np
import numpy.typing as npt

ALPHABET = "".join(chr(code) for code in range(32, 127) if chr(code) not in '"&<>\\')
BASE = len(ALPHABET)

_PAIRS = tuple(first + second for first in ALPHABET for second in ALPHABET)

_FAR, _NONE = BASE - 2, BASE - 1  # digits that are no step: more follow; there is none
_LAST = BASE**2 - 1  # of two digits that follow: five more follow

MOST_STEPS = BASE**5 - 1
"""The longest step that `pack_steps` writes."""


def pack(number: int, width: int) -> str:
    """Write a number from 0 to `BASE` ** `width` - 1 with so many digits."""
    text = ""
    while width > 1:
        number, pair = divmod(number, BASE**2)
        text = _PAIRS[pair] + text
        width -= 2
    return ALPHABET[number] + text if width else text


def pack_all(numbers: npt.NDArray[np.int64], width: int) -> str:
    """Write many numbers one after the other, as `pack` writes each."""
    letters = np.frombuffer(ALPHABET.encode("ascii"), dtype=np.uint8)
    text = np.empty((len(numbers), width), dtype=np.uint8)
    for place in reversed(range(width)):
        numbers, digits = np.divmod(numbers, BASE)
        text[:, place] = letters[digits]
    return text.tobytes().decode("ascii")


def width_of(number: int) -> int:
    """Give how many digits a number from 0 needs."""
    width = 1
    while number >= BASE**width:
        width += 1
    return width


def pack_steps(below: int | None, above: int | None) -> str:
    """Write the steps of two bounds: a digit for most; one for both where there are none."""
    if below is None or above is None:
        return ALPHABET[_NONE]
    return _pack_step(below) + _pack_step(above)


def _pack_step(step: int) -> str:
    if step < _FAR:
        return ALPHABET[step]
    if step < _LAST:
        return ALPHABET[_FAR] + pack(step, 2)
    return ALPHABET[_FAR] + pack(_LAST, 2) + pack(step, 5)
