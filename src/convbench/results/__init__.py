"""Results: asv's files into the store, the store into pandas.

This half of convbench serves any asv project: it knows strategies and problems as text only.
"""

from convbench.results.collection import Summary, collect
from convbench.results.loading import dataset, load, load_table, newest, scan
from convbench.results.store import write_table

__all__ = [
    "Summary",
    "collect",
    "dataset",
    "load",
    "load_table",
    "newest",
    "scan",
    "write_table",
]
