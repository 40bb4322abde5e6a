"""Comparing two arms: interleaved blocks of fresh processes, whose values are judged elsewhere.

An arm is an interpreter, variables and folders in front of PYTHONPATH. A block is four processes in
the order A B B A or B A A B; its value for a cell is the mean log time of HEAD minus that of BASE.
Nothing here knows what a block value means: who asks for blocks decides which ones.
"""

from convbench.comparison.arms import Arm, Cell, Place
from convbench.comparison.blocks import Bench, Values, measure_blocks

__all__ = ["Arm", "Bench", "Cell", "Place", "Values", "measure_blocks"]
