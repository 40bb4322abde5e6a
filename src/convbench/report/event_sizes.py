"""How large the events are that a reader wants to see: choices that tell some of them apart."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

STEPS: Mapping[float, str] = {
    1.01: "1 % or more",
    1.02: "2 % or more",
    1.05: "5 % or more",
    1.1: "10 % or more",
    1.25: "25 % or more",
    2.0: "×2 or more",
    10.0: "×10 or more",
}
"""Factors, up or down; a fall to half is as large as a doubling."""


def size_choices(sizes: Sequence[float]) -> Mapping[str, str]:
    """Give the choices by their value in the address, all of them first; none where all are one.

    A step stands among them where it leaves some out, and other ones than the step before.
    """
    left = [sum(size >= step for size in sizes) for step in STEPS]
    useful = [
        step
        for step, (before, after) in zip(STEPS, pairwise([len(sizes), *left]), strict=True)
        if 0 < after < before
    ]
    return {"": "any", **{f"{step:g}": STEPS[step] for step in useful}} if useful else {}
