"""The lines of ``data/h/*.js`` as numbers: a second reader, written apart from the scripts' own."""

from itertools import accumulate
from typing import Any

from convbench.report.packing import ALPHABET, BASE


def unpacked(packed: list[Any]) -> list[int | None]:
    """Read numbers of so many digits each, from the least on; 0 is none."""
    least, width, text = packed
    found = []
    for at in range(0, len(text), width):
        number = 0
        for letter in text[at : at + width]:
            number = number * BASE + ALPHABET.index(letter)
        found.append(least + number - 1 if number else None)
    return found


def counted(packed: int | list[Any], length: int) -> list[int]:
    """Read numbers that are written as steps, or as the first of those that count up by one."""
    if isinstance(packed, int):
        return list(range(packed, packed + length))
    first, *steps = packed
    return list(accumulate([first, *(step or 0 for step in unpacked(steps))]))


def read_line(stored: dict[str, Any]) -> dict[str, Any]:
    """Give a line with its columns as lists of numbers, and one number for each run."""
    line = dict(stored)
    if "exponent" in line:
        exponent = line.pop("exponent")
        whole = {name: unpacked(line[name]) for name in ("y", "low", "high") if name in line}
        middle = [number or 0 for number in whole["y"]]
        for name, sign in (("y", 0), ("low", -1), ("high", 1)):
            if name in whole:
                line[name] = [
                    None
                    if number is None
                    else float(f"{number if not sign else at + sign * number}e{exponent}")
                    for number, at in zip(whole[name], middle, strict=True)
                ]
    length = len(line["y"])
    return line | {name: counted(line[name], length) for name in ("x", "runs")}
