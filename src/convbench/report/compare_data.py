"""The data of comparisons: what all cells share in one file, and the values of commits in others.

A comparison of two commits loads three small files, however long the histories are: commits that
follow each other share a file until it is full. A new commit is written into the last one, or
begins another. Cells stand in the order of the series and their lines.
"""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from convbench.report.cell_verdicts import BOUND_STEP, DIGITS, REACH_STEP, Readings
from convbench.report.compared import Compared
from convbench.report.compared_cells import Cells, places_of
from convbench.report.data_files import script
from convbench.report.packing import pack_all, pack_steps, width_of
from convbench.report.rounding import FARTHEST, powers_of
from convbench.report.series import FAILED, Change

FULL = 2000
"""A file takes no further commit when it holds so many values and failures: some 12 kB."""

WIDTH = 3
"""Digits of a packed value of most cells; others are listed."""

_NO_BOUNDS = pack_steps(None, None)

DECADES = 9
"""So many powers of ten, and five digits, fit into a number of JavaScript."""


@dataclass(frozen=True, slots=True)
class _Coded:
    """The values of a cell as whole numbers of a power of ten, with so many digits each."""

    exponent: int
    width: int
    signed: bool
    numbers: NDArray[np.int64]


def _coded(readings: Readings) -> _Coded:
    """Choose the power of ten of which all values of a cell are whole numbers.

    The least has five digits; where a cell spans more than `DECADES`, the greatest decides.
    """
    values = np.nan_to_num(readings.value)
    powers = powers_of(values[values != 0])
    least, greatest = (int(powers.min()), int(powers.max())) if powers.size else (DIGITS - 1, 0)
    exponent = max(least, greatest - DECADES, -FARTHEST) - DIGITS + 1
    whole = np.rint(values * 10.0**-exponent).astype(np.int64)
    signed = bool((whole < 0).any())
    # 0, -1, 1, -2, 2 and so on become 0, 1, 2, 3, 4.
    numbers = np.where(whole >= 0, 2 * whole, -2 * whole - 1) if signed else whole
    return _Coded(exponent, max(width_of(int(numbers.max())), WIDTH), signed, numbers)


def compare_files(compared: Compared | None) -> dict[str, str]:
    """Make the files, by their path in the site; none where nothing can be compared."""
    if compared is None:
        return {}
    cells = compared.cells
    coded = [_coded(readings) for readings in cells.readings]
    groups = _grouped(_by_commit(cells, coded))
    starts = [0, *accumulate(len(group) for group in groups)][:-1]
    files = {"data/c/cells.js": script("c/cells", _shared(cells, compared, coded, starts))}
    for number, group in enumerate(groups):
        files[f"data/c/{number}.js"] = script(f"c/{number}", _columns(group))
    return files


def _shared(
    cells: Cells, compared: Compared, coded: Sequence[_Coded], starts: Sequence[int]
) -> Mapping[str, object]:
    places = places_of(cells.measurements)
    numbers = {(one.machine, one.line): at for at, one in enumerate(places)}
    return {
        "first": compared.state,
        # Of each file, its first commit.
        "starts": starts,
        "boundStep": BOUND_STEP,
        "reachStep": REACH_STEP,
        "places": [[p.machine, p.line, p.blas, p.environment, int(p.all_threads)] for p in places],
        "series": [number for number, _, _ in cells.lines],
        "place": [numbers[line.machine, line.name] for _, _, line in cells.lines],
        "reach": [reach and round(reach / REACH_STEP) for reach in cells.reaches],
        "exponent": [one.exponent for one in coded],
        "width": WIDTH,
        "wide": [
            [at, one.width, int(one.signed)]
            for at, one in enumerate(coded)
            if (one.width, one.signed) != (WIDTH, False)
        ],
        "measured": [line.values.size for _, _, line in cells.lines],
        "changes": [
            [at, [_change(change) for change in line.changes]]
            for at, (_, _, line) in enumerate(cells.lines)
            if line.changes
        ],
    }


def _change(change: Change) -> list[object]:
    numbers = (change.before, change.after, change.low, change.high)
    return [change.position, *numbers, change.event]


@dataclass(slots=True)
class _Values:
    """The values of one commit in columns; `at` holds runs of cells, each its first and length.

    `y` are whole numbers of the cell's power of ten, packed, and `bounds` their bounds' steps.
    """

    at: list[int] = field(default_factory=list)
    y: list[str] = field(default_factory=list)
    bounds: list[str] = field(default_factory=list)
    failed: list[int] = field(default_factory=list)

    def add(self, cell: int, value: str, bounds: str) -> None:
        """Append a value; cells come in their order."""
        if self.at and self.at[-2] + self.at[-1] == cell:
            self.at[-1] += 1
        else:
            self.at += [cell, 1]
        self.y.append(value)
        self.bounds.append(bounds)

    @property
    def size(self) -> int:
        """How many values and failures there are."""
        return len(self.y) + len(self.failed)

    def columns(self) -> dict[str, object]:
        """Give what is to be written: of what there is none, nothing."""
        bounds = {"bounds": "".join(self.bounds)} if set(self.bounds) - {_NO_BOUNDS} else {}
        failed = {"failed": self.failed} if self.failed else {}
        return {"at": self.at, "y": "".join(self.y), **bounds, **failed}


def _grouped(commits: Sequence[_Values]) -> list[list[_Values]]:
    """Put commits together from the oldest on, so that a new one leaves full files as they are."""
    groups: list[list[_Values]] = []
    room = 0
    for values in commits:
        if room <= 0:
            groups.append([])
            room = FULL
        groups[-1].append(values)
        room -= values.size
    return groups


def _columns(group: Sequence[_Values]) -> list[dict[str, object]]:
    """Write a file's commits; `at` is the place of one before that has the same cells, if any."""
    first: dict[tuple[int, ...], int] = {}
    written = []
    for index, values in enumerate(group):
        same = first.setdefault(tuple(values.at), index)
        written.append(values.columns() | ({"at": same} if same < index else {}))
    return written


def _by_commit(cells: Cells, coded: Sequence[_Coded]) -> list[_Values]:
    commits = [_Values() for _ in cells.measurements.commits]
    for cell, (readings, code) in enumerate(zip(cells.readings, coded, strict=True)):
        columns = cells.lines[cell][2].columns
        text, width = pack_all(code.numbers, code.width), code.width
        for at, (position, value, below, above, status) in enumerate(
            zip(
                columns.position.tolist(),
                readings.value.tolist(),
                readings.below.tolist(),
                readings.above.tolist(),
                columns.status,
                strict=True,
            )
        ):
            if value == value:
                commits[position].add(
                    cell, text[width * at : width * (at + 1)], _steps(below, above)
                )
            elif status == FAILED:
                commits[position].failed.append(cell)
    return commits


@functools.cache
def _steps(below: int, above: int) -> str:
    return pack_steps(below, above) if below >= 0 else _NO_BOUNDS
