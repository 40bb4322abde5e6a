"""Results: asv's files into the store, the store into pandas.

This half of convbench serves any asv project: it knows strategies and problems as text only.
"""

from convbench.results.collection import Summary, collect
from convbench.results.loading import load, load_table, newest
from convbench.results.store import write_table

__all__ = ["Summary", "collect", "load", "load_table", "newest", "write_table"]
