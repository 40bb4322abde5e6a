"""An asv project that is open for comparing: its lock is held, its environments are known.

Everything that a comparison and a bisection need to make arms: one environment or several, any
number of commits.
"""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from convbench import asv_config
from convbench.claims import exclusive
from convbench.comparison import environments, packages
from convbench.comparison.arms import Arm
from convbench.comparison.cells import seconds_of
from convbench.comparison.environments import Environment, Household
from convbench.comparison.processes import Workshop, discover
from convbench.errors import BadUsage

MOST_THREADS = 64
"""What NumPy's OpenBLAS is built for; as in the suite's own rule for `all`."""

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
)


@dataclass(frozen=True, slots=True)
class Project:
    """What arms are made of.

    Attributes
    ----------
    house : Household
        Where asv runs.
    lock : int
        File descriptor of the lock on the environments.
    shop : Workshop
        What all measuring processes have in common.
    threads : str
        "1" or "all".
    say : callable
        Is told what takes long.
    """

    house: Household
    lock: int
    shop: Workshop
    threads: str
    say: Callable[[str], None]

    @property
    def timeout(self) -> float:
        """Seconds of a cell whose benchmark names none."""
        given = self.house.config.get("default_benchmark_timeout")
        return seconds_of("default_benchmark_timeout", 60.0 if given is None else given)

    def environments(self) -> tuple[Environment, ...]:
        """List the configuration's environments for this number of threads."""
        found = environments.listed(self.house)
        return tuple(environments.matching(found, asv_config.THREADS_AXIS, self.threads))

    def environment(self, name: str = "") -> Environment:
        """Give the environment of a name, or of a part of one; the first one without."""
        known = self.environments()
        if not known:
            raise BadUsage("the configuration gives no environment for this machine")
        return environments.chosen(known, name) if name else known[0]

    def create(self, wanted: Sequence[Environment], commit: str) -> None:
        """Have asv make or renew environments, once for all arms that run in them."""
        if not all(each.existing for each in wanted):
            self.say("preparing environments: minutes, the first time")
        environments.create(self.house, wanted, commit, self.lock, self.say)

    def arm(self, environment: Environment, commit: str, label: str) -> Arm:
        """Give a commit's package, in an environment that has been made, as an arm."""
        self.say(f"package of {label}")
        folder = packages.package(self.house, environment, commit, self.lock)
        variables = {asv_config.THREADS_AXIS: self.threads, **environment.variables}
        return Arm(label, environment.python, variables, (folder,), commit)

    def benchmarks(self, arm: Arm) -> list[dict[str, Any]]:
        """List the benchmarks of the current tree, as found with an arm's package."""
        return discover(self.shop, arm)


@contextlib.contextmanager
def open_project(
    root: Path, config: Mapping[str, Any], *, threads: str, say: Callable[[str], None]
) -> Iterator[Project]:
    """Lock a project and lay out what comparing needs; afterwards the scratch folder goes.

    Parameters
    ----------
    root : Path
        Folder of asv's configuration.
    config : mapping
        The configuration, with the environments that are wanted.
    threads : str
        "1": processes are pinned to one CPU; "all": they have all.
    say : callable
        Is told what takes long.

    Raises
    ------
    BadUsage
        Another measurement runs here, or the repository is not on this machine.
    """
    folder = root / ".asv" / "compare"
    # The second lock: another configuration here may have other environments.
    with exclusive(asv_config.environments_folder(config, root)) as lock, exclusive(folder):
        house = environments.household(root, folder, config)
        house.log.write_bytes(b"")
        _tidy(folder)
        with tempfile.TemporaryDirectory(prefix="run-", dir=folder) as scratch:
            shop = Workshop(
                benchmarks=Path(house.config["benchmark_dir"]).resolve(),
                environment={**house.environment, **thread_variables(threads)},
                scratch=Path(scratch),
                cpus=1 if threads == "1" else 0,
                lock=lock,
            )
            yield Project(house, lock, shop, threads, say)


def _tidy(folder: Path) -> None:
    """Remove what a killed comparison left; while the lock is held nobody else writes there."""
    for left in (*folder.glob("run-*"), *folder.glob("packages/*/unfinished-*")):
        shutil.rmtree(left, ignore_errors=True)


def thread_variables(threads: str) -> dict[str, str]:
    """Give what tells libraries how many threads to use: one, or all there are."""
    number = 1 if threads == "1" else min(len(os.sched_getaffinity(0)), MOST_THREADS)
    return dict.fromkeys(THREAD_VARIABLES, str(number))


def resolve(revision: str, root: Path, config: Mapping[str, Any]) -> str:
    """Return the full hash of a commit of the configuration's repository."""
    return asv_config.resolve(revision, root / str(config.get("repo", ".")))
