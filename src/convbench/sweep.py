"""A sweep: which part of the product of all axes is measured of a commit."""

import difflib
import hashlib
import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass

from convbench.errors import BadUsage
from convbench.strategies import STRATEGIES
from convbench.workloads import WORKLOADS


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """A selection on every axis.

    Attributes
    ----------
    blas, threads : sequence of str
        BLAS builds and numbers of threads.
    problems, strategies : sequence of str
        Names; none stands for all that the suite has.
    """

    blas: Sequence[str]
    threads: Sequence[str]
    problems: Sequence[str] = ()
    strategies: Sequence[str] = ()

    @property
    def digest(self) -> str:
        """Name the sweep in paths: what was measured for another one is not measured for this."""
        axes = {axis: sorted(set(values)) for axis, values in asdict(self).items() if values}
        return hashlib.sha256(json.dumps(axes, sort_keys=True).encode()).hexdigest()[:12]


def check(problems: Iterable[str], strategies: Iterable[str]) -> None:
    """Refuse names that are no problem and no strategy of the suite.

    Raises
    ------
    BadUsage
        With the names that are nearest to an unknown one.
    """
    for name in problems:
        _check_name("problem", name, WORKLOADS)
    own = [name for name, strategy in STRATEGIES.items() if not strategy.external]
    for name in strategies:
        if name in STRATEGIES and name not in own:
            raise BadUsage(
                f"strategy {name!r} is a peer library, which has no history: `convbench peers`"
                " compares with it"
            )
        _check_name("strategy", name, own)


def _check_name(what: str, name: str, known: Collection[str]) -> None:
    if name in known:
        return
    near = difflib.get_close_matches(name, known, n=4, cutoff=0.5)
    names = f"did you mean {', '.join(near)}?" if near else f"the names are {', '.join(known)}"
    raise BadUsage(f"no {what} is called {name!r}: {names}")
