"""Two arms that are equal, or differ by a known share of their time, and cells to time in them."""

import os
import random
import sys
from pathlib import Path

from convbench.asv_run import INHERITED
from convbench.comparison.arms import Arm, Cell
from convbench.comparison.cells import selected
from convbench.comparison.processes import Workshop, discover
from convbench.comparison.project import thread_variables
from convbench.errors import BadUsage

SUITE = Path(__file__).with_name("null_suite")

DELAY = "CONVBENCH_NULL_DELAY"
"""Variable that the suite reads: the share of its time that a kernel waits in addition."""


def null_shop(scratch: Path, sample_seconds: float) -> Workshop:
    """Give the engine the suite of small kernels, on one thread."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith(INHERITED)}
    kept.pop("PYTHONPATH", None)
    environment = {**kept, **thread_variables("1")}
    return Workshop(SUITE, environment, scratch, sample_seconds=sample_seconds)


def null_arms(delay: float) -> tuple[Arm, Arm]:
    """Give two arms of this interpreter; HEAD takes longer by this share."""
    base, head = (
        # Texts of one length: variables are part of a process's memory.
        Arm(label, Path(sys.executable), {DELAY: f"{share:.4f}"}, ())
        for label, share in (("base", 0.0), (f"head +{delay:.2%}" if delay else "head", delay))
    )
    return base, head


def null_cells(shop: Workshop, arm: Arm, count: int) -> list[Cell]:
    """Take so many of the suite's cells, always the same ones, of all kinds and sizes."""
    cells = selected(discover(shop, arm), "", 60.0)
    if not 0 < count <= len(cells):
        raise BadUsage(f"--cells {count}: the suite has {len(cells)}; give 1 to {len(cells)}")
    return random.Random(0).sample(cells, count)
