"""The detectors that are compared: ours, the peers as installed, and plain rules.

`DETECTORS` is the whole list. A peer is imported when it is first asked; one that isn't installed
is named with the way to install it, never passed over.
"""

import importlib.util
import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import metadata

import numpy as np

from convbench.stats.bench.noise import Values
from convbench.stats.bench.perfherder import perfherder
from convbench.stats.bench.scoring import Find
from convbench.stats.change_points import find_change_points
from convbench.stats.normal_scale import MEDIAN_TO_DEVIATION

LEAST_BASELINE, MOST_BASELINE = 3, 10
"""Of a plain threshold: how many values the median that is compared with is taken of."""


@dataclass(frozen=True, slots=True)
class Detector:
    """One way to find change points.

    Parameters
    ----------
    name
        How it is asked for and listed.
    find
        Values in, positions of changes out.
    rule
        What runs, with its settings.
    distribution
        The package on PyPI that it comes from; empty for what is part of convbench.
    module
        What of that package is imported.
    """

    name: str
    find: Find
    rule: str
    distribution: str = ""
    module: str = ""

    @property
    def installed(self) -> bool:
        """Whether its package is there."""
        return not self.module or importlib.util.find_spec(self.module) is not None

    @property
    def version(self) -> str:
        """Version of the installed package; empty for what is part of convbench."""
        return metadata.version(self.distribution) if self.distribution else ""

    @property
    def how_to_install(self) -> str:
        """Say what is missing, and the command that helps."""
        return (
            f"{self.name} is left out: {self.distribution} is not installed; "
            f"pip install {self.distribution}, or convbench[detectors] for every peer"
        )


def _ours(values: Values) -> list[int]:
    return [change.index for change in find_change_points(values)]


def _asv(values: Values) -> list[int]:
    from asv.step_detect import detect_steps

    return [start for start, *_ in detect_steps(values.tolist())[1:]]


def _otava(values: Values) -> list[int]:
    from otava.analysis import compute_change_points

    # A list: of an array it would look at the whole instead of at its windows.
    found, _ = compute_change_points(values.tolist())
    return [int(change.index) for change in found]


def _pelt(values: Values, *, penalty: float) -> list[int]:
    """Penalise a change by `penalty` log n, in squared units of the noise of log values."""
    from ruptures import KernelCPD

    points = np.log(values) if values.min() > 0 else values
    differences = np.diff(points)
    deviations = np.abs(differences - np.median(differences))
    noise = MEDIAN_TO_DEVIATION * float(np.median(deviations)) / math.sqrt(2)
    # The linear kernel's cost is that of a mean, l2; with a penalty KernelCPD runs PELT, in C.
    search = KernelCPD(kernel="linear", min_size=2).fit(points / (noise or 1.0))
    return [int(end) for end in search.predict(pen=penalty * math.log(values.size))[:-1]]


def plain_threshold(values: Values, *, share: float) -> list[int]:
    """Report each value that is off the median of the values before by more than a share.

    The median is that of the last 3 to 10 values since the last report; with fewer than 3 there
    is none. Off means more than 1 + share times, or less than 1 / (1 + share) times the median.
    """
    found: list[int] = []
    start = 0
    history: list[float] = values.tolist()
    for place, value in enumerate(history):
        baseline = history[max(start, place - MOST_BASELINE) : place]
        if len(baseline) < LEAST_BASELINE:
            continue
        # Of some ten numbers this is ten times quicker than NumPy's.
        median = statistics.median(baseline)
        low, high = sorted((median / (1 + share), median * (1 + share)))
        if not low <= value <= high:
            found.append(place)
            start = place
    return found


_TABLE: Sequence[Detector] = (
    Detector("ours", _ours, "convbench.stats.find_change_points"),
    Detector("asv", _asv, "asv.step_detect.detect_steps, no weights", "asv", "asv"),
    Detector(
        "otava",
        _otava,
        "otava.analysis.compute_change_points, its defaults (window 50, p < 0.001)",
        "apache-otava",
        "otava",
    ),
    Detector(
        "pelt-2",
        partial(_pelt, penalty=2.0),
        "ruptures, PELT with l2 cost on log values in units of their noise, penalty 2 log n",
        "ruptures",
        "ruptures",
    ),
    Detector(
        "pelt-6",
        partial(_pelt, penalty=6.0),
        "the same, penalty 6 log n",
        "ruptures",
        "ruptures",
    ),
    Detector(
        "perfherder",
        perfherder,
        "Mozilla's rule, written anew: weighted t of 12 to 24 values before and 12 after, |t| > 7",
    ),
    Detector(
        "threshold-5",
        partial(plain_threshold, share=0.05),
        "a value more than 5 % off the median of the last 3 to 10 values since the last report",
    ),
    Detector("threshold-10", partial(plain_threshold, share=0.10), "the same, 10 %"),
)

DETECTORS: Mapping[str, Detector] = {detector.name: detector for detector in _TABLE}
"""Name -> detector, ours first."""
