"""What a workflow measures of every commit: which part of the product of all axes.

Standard library only: the workflow asks once per start, also on every node.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """A selection on every axis; an empty one selects all.

    Attributes
    ----------
    blas, threads : sequence of str
        BLAS builds and numbers of threads.
    """

    blas: Sequence[str]
    threads: Sequence[str]

    @property
    def digest(self) -> str:
        """Name the sweep in paths: what was measured for another one is not measured for this."""
        selected = {axis: sorted(set(values)) for axis, values in asdict(self).items()}
        return hashlib.sha256(json.dumps(selected, sort_keys=True).encode()).hexdigest()[:12]
