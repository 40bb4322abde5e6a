"""The samples of histories as data: a file beside each file of histories that has some.

A sample is written as steps from its value, which the histories have: half the bytes.
"""

from bisect import bisect_left
from collections.abc import Sequence

from convbench.report.measurements import Measurements
from convbench.report.samples import COLUMNS
from convbench.report.series import Line, Point, Series

MOST_SAMPLES = 100
"""Of a value with more, so many are kept, evenly by rank: the least and the greatest among them."""

STEP = 1e-4
"""One step from a value, relative to it."""


class SampleWriter:
    """Writes the samples of lines, and knows which points have some."""

    def __init__(self, measurements: Measurements) -> None:
        self._samples = measurements.samples
        self._commits = measurements.commits
        sampled = {key[COLUMNS.index("commit")] for key in self._samples}
        self._first = next((one.position for one in self._commits if one.commit in sampled), 0)

    def points(self, one: Series, line: Line) -> list[int]:
        """Give the numbers of a line's points that have samples."""
        if not self._samples:
            return []
        position = line.columns.position
        newest = range(len(position))[bisect_left(position, self._first) :]
        return [at for at in newest if self._of(one, line, line.columns.point(at))]

    def write(self, one: Series, line: Line) -> list[list[object]]:
        """Write the samples of a line: the number of the point, how many, and their steps."""
        written: list[list[object]] = []
        for at in self.points(one, line):
            point = line.columns.point(at)
            samples = sorted(self._of(one, line, point))
            steps = [
                round((sample / (point.value or 1.0) - 1) / STEP) for sample in _fewer(samples)
            ]
            written.append([at, len(samples), steps])
        return written

    def _of(self, one: Series, line: Line, point: Point) -> Sequence[float]:
        if not point.value:
            return ()
        commit = self._commits[point.position].commit
        key = (line.machine, point.environment, point.run, commit, one.benchmark, one.params)
        return self._samples.get(key, ())


def _fewer(samples: Sequence[float]) -> Sequence[float]:
    last = len(samples) - 1
    if last < MOST_SAMPLES:
        return samples
    return [samples[round(at * last / (MOST_SAMPLES - 1))] for at in range(MOST_SAMPLES)]
