"""Families of problems: those that differ in one size alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

LEAST_MEMBERS = 3
"""So many sizes make a line; two would be no more than two columns of the table."""

Facts = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Family:
    """Problems by their size, smallest first; `rest` says in words what is the same for all."""

    size: str
    rest: str
    members: tuple[tuple[int, str], ...]


_FIXED = (
    "batch",
    "in_channels",
    "height",
    "width",
    "out_channels",
    "kernel_height",
    "kernel_width",
    "stride_h",
    "stride_w",
    "padding_h",
    "padding_w",
    "dilation_h",
    "dilation_w",
    "groups",
)

# What varies together as one size, and by which columns: those of one size are equal in a member.
SIZES: Mapping[str, tuple[str, ...]] = {
    "image side": ("height", "width"),
    "kernel side": ("kernel_height", "kernel_width"),
    "channels": ("in_channels", "out_channels"),
    "input channels": ("in_channels",),
    "output channels": ("out_channels",),
    "batch": ("batch",),
}


def find_families(facts: Mapping[str, Facts], problems: Sequence[str]) -> tuple[Family, ...]:
    """Find the families of at least `LEAST_MEMBERS` sizes, those with the most members first."""
    families: dict[tuple[tuple[int, str], ...], Family] = {}
    for size, columns in SIZES.items():
        for padding in ("as it is", "same") if size == "kernel side" else ("as it is",):
            groups: dict[tuple[object, ...], dict[int, str]] = {}
            for problem in problems:
                row = facts.get(problem)
                if row is not None and len({int(row[column]) for column in columns}) == 1:
                    key = _key(row, columns, same=padding == "same")
                    groups.setdefault(key, {}).setdefault(int(row[columns[0]]), problem)
            for members in groups.values():
                ordered = tuple(sorted(members.items()))
                if len(ordered) >= LEAST_MEMBERS and ordered not in families:
                    first = facts[ordered[0][1]]
                    families[ordered] = Family(size, _rest(first, columns), ordered)
    kept = [
        one
        for one in families.values()
        if not any(
            other is not one and set(one.members) < set(other.members)
            for other in families.values()
        )
    ]
    return tuple(sorted(kept, key=lambda one: (-len(one.members), one.size, one.members)))


def _key(row: Facts, columns: Sequence[str], *, same: bool) -> tuple[object, ...]:
    """Give what must be equal in a family: with `same`, that padding keeps the image's side.

    Depthwise filters stay depthwise when the channels grow.
    """
    fixed: dict[str, object] = {name: int(row[name]) for name in _FIXED if name not in columns}
    if same:
        for axis, side in (("h", "height"), ("w", "width")):
            keeps = 2 * int(row[f"padding_{axis}"]) + 1 == int(row[f"kernel_{side}"])
            fixed[f"padding_{axis}"] = "same" if keeps else f"not {row[f'padding_{axis}']}"
    if "in_channels" in columns and int(row["groups"]) == int(row["in_channels"]) != 1:
        fixed["groups"] = "depthwise"
    return tuple(fixed.values())


def _rest(row: Facts, columns: Sequence[str]) -> str:
    """Say in words what all members share."""
    words = []
    if "height" not in columns:
        words.append(f"{row['height']}×{row['width']} images")
    if "in_channels" not in columns and "out_channels" not in columns:
        words.append(f"{row['in_channels']} → {row['out_channels']} channels")
    elif "out_channels" not in columns:
        words.append(f"{row['out_channels']} filters")
    elif "in_channels" not in columns:
        words.append(f"{row['in_channels']} input channels")
    if "kernel_height" not in columns:
        words.append(f"{row['kernel_height']}×{row['kernel_width']} filters")
    if int(row["stride_h"]) != 1:
        words.append(f"stride {row['stride_h']}")
    if int(row["groups"]) == int(row["in_channels"]) != 1:
        words.append("depthwise")
    elif int(row["groups"]) != 1:
        words.append(f"{row['groups']} groups")
    if "batch" not in columns and int(row["batch"]) != 1:
        words.append(f"batch {row['batch']}")
    return ", ".join(words)
