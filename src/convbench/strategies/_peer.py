"""What peers share: optional libraries are looked for without importing them.

A peer is measured in its own best layout and refuses the other one: a conversion inside `run`
would be timed with the convolution, and outside of it would not be this package's doing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from types import MappingProxyType

import numpy as np

from convbench.problem import Array, ConvProblem


@dataclass(frozen=True, slots=True)
class Library:
    """A peer library: what to import, what to install, how large it is.

    Attributes
    ----------
    module : str
        The name it is imported by.
    extra : str
        The extra of this package that installs it.
    megabytes : int
        Size on disk with what it depends on, beyond this package's own dependencies.
    note : str
        What one should know before installing it.
    """

    module: str
    extra: str
    megabytes: int
    note: str = ""

    def missing(self) -> str | None:
        """Say how to install the library if it is absent."""
        if _is_installed(self.module):
            return None
        return f"{self.extra} is not installed: pip install 'convbench[{self.extra}]'"


@cache  # a search of every folder of the path, in each call of conv2d otherwise
def _is_installed(module: str) -> bool:
    return find_spec(module) is not None


LIBRARIES: Mapping[str, Library] = MappingProxyType(
    {
        "torch": Library(
            "torch", "torch", 870, "its CPU build; PyPI's for x86 is CUDA's: gigabytes"
        ),
        "onnxruntime": Library("onnxruntime", "onnxruntime", 80),
        "openvino": Library("openvino", "openvino", 180),
        "opencv": Library("cv2", "opencv", 155),
    }
)
"""Libraries by the name of their extra."""


def wrong_layout(problem: ConvProblem, own: str) -> str | None:
    """Refuse the layout that is not the library's own."""
    if problem.layout == own:
        return None
    return f"computes in layout {own}; converting {problem.layout} would be timed with it"


def wrong_dtype(problem: ConvProblem) -> str | None:
    """Refuse float64, where a library computes in float32 only."""
    return None if problem.dtype == "float32" else "computes in float32 only; got float64"


def plain(x: Array) -> Array:
    """Return x as native code takes it: C-contiguous, aligned, writeable; x itself if it is."""
    return x if x.flags.carray else np.array(x, order="C")


def filter_bytes(problem: ConvProblem) -> int:
    """Count a copy of the filters; what a library allocates natively can't be seen from here."""
    return problem.out_channels * problem.taps * problem.itemsize
