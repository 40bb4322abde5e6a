"""The data of comparisons: what all cells share in one file, and the values of commits in others.

A comparison of two commits loads three small files, however long the histories are: commits that
follow each other share a file until it is full. A new commit is written into the last one, or
begins another. Cells stand in the order of the series and their lines.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from convbench.report.cell_verdicts import BOUND_STEP, DIGITS, REACH_STEP, Reading, read
from convbench.report.compared import Compared
from convbench.report.compared_cells import Cells, places_of
from convbench.report.data_files import script
from convbench.report.packing import pack, pack_steps, unsigned, width_of
from convbench.report.series import FAILED, Change, Line, Series

FULL = 2000
"""A file takes no further commit when it holds so many values and failures: some 12 kB."""

WIDTH = 3
"""Digits of a packed value of most cells; others are listed."""

DECADES = 9
"""So many powers of ten, and five digits, fit into a number of JavaScript."""


def compare_files(compared: Compared | None) -> dict[str, str]:
    """Make the files, by their path in the site; none where nothing can be compared."""
    if compared is None:
        return {}
    cells = compared.cells
    groups = _grouped(_by_commit(cells))
    starts = [0, *accumulate(len(group) for group in groups)][:-1]
    files = {"data/c/cells.js": script("c/cells", _shared(cells, compared, starts))}
    for number, group in enumerate(groups):
        files[f"data/c/{number}.js"] = script(f"c/{number}", _columns(group))
    return files


def _shared(cells: Cells, compared: Compared, starts: Sequence[int]) -> Mapping[str, object]:
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
        "exponent": [_exponent(line) for _, _, line in cells.lines],
        "width": WIDTH,
        "wide": [
            [at, width, int(signed)]
            for at, (width, signed) in enumerate(map(_width, cells.lines))
            if (width, signed) != (WIDTH, False)
        ],
        "measured": [len(line.measured) for _, _, line in cells.lines],
        "changes": [
            [at, [_change(change) for change in line.changes]]
            for at, (_, _, line) in enumerate(cells.lines)
            if line.changes
        ],
    }


def _change(change: Change) -> list[object]:
    numbers = (change.before, change.after, change.low, change.high)
    return [change.position, *numbers, change.event]


def _exponent(line: Line) -> int:
    """Give the power of ten of which all values of a line are whole numbers.

    The least has five digits; where a line spans more than `DECADES`, the greatest decides.
    """
    sizes = [abs(value) for _, value in line.measured if value]
    if not sizes:
        return 0
    least, greatest = (math.floor(math.log10(size)) for size in (min(sizes), max(sizes)))
    return max(least, greatest - DECADES, -300) - DIGITS + 1


def _width(cell: tuple[int, Series, Line]) -> tuple[int, bool]:
    """Give how many digits the values of a cell need, and whether any is below 0."""
    values = [value for _, value in cell[2].measured] or [0.0]
    size = 10.0 ** -_exponent(cell[2])
    # As they are read: with so many digits, which may round them up.
    ends = [round(float(f"{end:.{DIGITS}g}") * size) for end in (min(values), max(values))]
    signed = ends[0] < 0
    greatest = max(map(unsigned, ends)) if signed else ends[1]
    return max(width_of(greatest), WIDTH), signed


@dataclass(slots=True)
class _Values:
    """The values of one commit in columns; `at` holds runs of cells, each its first and length.

    `y` are whole numbers of the cell's power of ten, packed, and `bounds` their bounds' steps.
    """

    at: list[int] = field(default_factory=list)
    y: list[str] = field(default_factory=list)
    bounds: list[str] = field(default_factory=list)
    failed: list[int] = field(default_factory=list)

    def add(self, cell: int, value: str, reading: Reading) -> None:
        """Append a value; cells come in their order."""
        if self.at and self.at[-2] + self.at[-1] == cell:
            self.at[-1] += 1
        else:
            self.at += [cell, 1]
        self.y.append(value)
        self.bounds.append(pack_steps(reading.below, reading.above))

    @property
    def size(self) -> int:
        """How many values and failures there are."""
        return len(self.y) + len(self.failed)

    def columns(self) -> dict[str, object]:
        """Give what is to be written: of what there is none, nothing."""
        nothing = pack_steps(None, None)
        bounds = {"bounds": "".join(self.bounds)} if set(self.bounds) - {nothing} else {}
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


def _by_commit(cells: Cells) -> list[_Values]:
    commits = [_Values() for _ in cells.measurements.commits]
    for cell, one in enumerate(cells.lines):
        line = one[2]
        size = 10.0 ** -_exponent(line)
        width, signed = _width(one)
        for point in line.points:
            reading = read(point)
            if reading:
                number = round(reading.value * size)
                packed = pack(unsigned(number) if signed else number, width)
                commits[point.position].add(cell, packed, reading)
            elif point.status == FAILED:
                commits[point.position].failed.append(cell)
    return commits
