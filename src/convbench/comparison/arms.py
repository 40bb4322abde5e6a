"""What is compared: two arms, and the cells that are measured in both."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Arm:
    """One side of a comparison.

    Attributes
    ----------
    label : str
        Its name for people: a commit, a build, an environment, a strategy.
    python : Path
        The interpreter, which has asv_runner and the dependencies of the benchmarks.
    variables : mapping of str to str
        What the environment has beside the common variables.
    path : tuple of Path
        Folders in front of PYTHONPATH: the package that is timed.
    commit : str
        Full hash of the commit of that package; empty where it is no commit's.
    """

    label: str
    python: Path
    variables: Mapping[str, str]
    path: tuple[Path, ...]
    commit: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """A benchmark and the index of its parameters, counted as asv does; None without parameters."""

    benchmark: str
    index: int | None = None


@dataclass(frozen=True, slots=True)
class Cell:
    """What is timed in both arms: the same place, or two places when strategies are compared.

    Attributes
    ----------
    name : str
        asv's name with parameters, which people and reports use.
    places : tuple of Place
        In BASE and in HEAD.
    timeout : float
        Seconds that one process may spend on it.
    """

    name: str
    places: tuple[Place, Place]
    timeout: float = 60.0
