"""Sharing: one place for the raw results of many machines.

A place is a folder, a branch of a git repository, or a prefix of an S3 bucket. Machines push
bundles into it, immutable and named by their content, and pull those of the others.
"""

from convbench.sharing.asv_directory import pull_as_asv
from convbench.sharing.places import open_place
from convbench.sharing.pulling import pull
from convbench.sharing.pushing import push

__all__ = ["open_place", "pull", "pull_as_asv", "push"]
