"""What is said about numbers: change points, null control; arrays and frames in, records out."""

from convbench.stats.change_points import (
    MIN_COMMITS,
    ChangePoint,
    find_change_points,
    noise_of,
)
from convbench.stats.null_control import NullControl, null_control, null_control_by_run

__all__ = [
    "MIN_COMMITS",
    "ChangePoint",
    "NullControl",
    "find_change_points",
    "noise_of",
    "null_control",
    "null_control_by_run",
]
