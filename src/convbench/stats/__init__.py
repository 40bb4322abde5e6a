"""What is said about numbers: change points in histories; arrays in, records out."""

from convbench.stats.change_points import MIN_COMMITS, ChangePoint, find_change_points

__all__ = ["MIN_COMMITS", "ChangePoint", "find_change_points"]
