"""The data of comparisons: what all cells share in one file, and the values of commits in others.

A comparison of two commits loads three small files, however long the histories are: commits that
follow each other share a file until it is full. A new commit is written into the last one, or
begins another. Cells stand in the order of the series and their lines.
"""

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
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

    def texts(self) -> Iterator[str]:
        """Give the numbers as text of base 90."""
        packed, width = pack_all(self.numbers, self.width), self.width
        return (packed[at : at + width] for at in range(0, len(packed), width))


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


@dataclass(frozen=True, slots=True)
class _Values:
    """The values of one commit in columns; `at` holds runs of cells, each its first and length.

    `y` are whole numbers of the cell's power of ten, packed, and `bounds` their bounds' steps,
    empty where no value has any. `size` counts values and failures.
    """

    at: tuple[int, ...]
    y: str
    bounds: str
    failed: tuple[int, ...]
    size: int

    def columns(self) -> dict[str, object]:
        """Give what is to be written: of what there is none, nothing."""
        more = {"bounds": self.bounds, "failed": self.failed}
        return {"at": self.at, "y": self.y, **{name: what for name, what in more.items() if what}}


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
        same = first.setdefault(values.at, index)
        written.append(values.columns() | ({"at": same} if same < index else {}))
    return written


def _by_commit(cells: Cells, coded: Sequence[_Coded]) -> list[_Values]:
    """Put the values of all cells together by their commits, in the order of the cells."""
    lines = [line.columns for _, _, line in cells.lines]
    position = np.concatenate([columns.position for columns in lines])
    cell = np.repeat(np.arange(len(lines)), [len(columns.position) for columns in lines])
    is_value = np.concatenate([columns.is_value for columns in lines])
    failed = np.array([one == FAILED for columns in lines for one in columns.status]) & ~is_value
    texts = [text for code in coded for text in code.texts()]
    bounds = [bound for readings in cells.readings for bound in _bounds(readings)]
    order = np.argsort(position, kind="stable")
    ends = np.searchsorted(position[order], np.arange(1, len(cells.measurements.commits)))
    commits = []
    for rows in np.split(order, ends):
        known, bad = rows[is_value[rows]], cell[rows[failed[rows]]]
        steps = [bounds[row] for row in known.tolist()]
        commits.append(
            _Values(
                at=_runs(cell[known]),
                y="".join([texts[row] for row in known.tolist()]),
                bounds="".join(steps) if set(steps) - {_NO_BOUNDS} else "",
                failed=tuple(bad.tolist()),
                size=len(known) + len(bad),
            )
        )
    return commits


def _runs(numbers: NDArray[np.int64]) -> tuple[int, ...]:
    """Write rising numbers as runs of those that follow each other: first, length, first, length.

    For example 3, 4, 5, 9 as 3, 3, 9, 1.
    """
    starts = np.flatnonzero(np.diff(numbers, prepend=-2) != 1)
    lengths = np.diff(starts, append=len(numbers))
    return tuple(np.stack([numbers[starts], lengths], axis=1).ravel().tolist())


def _bounds(readings: Readings) -> Iterator[str]:
    return map(_steps, readings.below.tolist(), readings.above.tolist())


@functools.cache
def _steps(below: int, above: int) -> str:
    return pack_steps(below, above) if below >= 0 else _NO_BOUNDS
