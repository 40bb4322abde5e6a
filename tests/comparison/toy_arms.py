"""A small asv suite and arms from plain folders: everything the engine needs, without asv."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from convbench.comparison.arms import Arm
from convbench.comparison.processes import Workshop

# asv_runner imports NumPy through pympler, which these benchmarks need as little as NumPy: most of
# the time of a process would be that.
WITHOUT_PYMPLER = "raise ImportError('not needed here')\n"


def workshop(folder: Path, suite: str, **settings: float) -> Workshop:
    """Write a suite of one module `toys`, and give the engine its place."""
    benchmarks, scratch = folder / "benchmarks", folder / "scratch"
    benchmarks.mkdir()
    scratch.mkdir()
    (benchmarks / "__init__.py").touch()
    (benchmarks / "toys.py").write_text(suite)
    quick = {"samples": 5, "sample_seconds": 0.001} | settings
    return Workshop(benchmarks, {"PATH": os.defpath}, scratch, **quick)  # type: ignore[arg-type]


def arm(folder: Path, label: str, package: str, variables: Mapping[str, str] | None = None) -> Arm:
    """Write a package of one module `toy` and make an arm of it."""
    path = folder / label
    path.mkdir()
    (path / "toy.py").write_text(package)
    (path / "pympler.py").write_text(WITHOUT_PYMPLER)
    return Arm(label, Path(sys.executable), dict(variables or {}), (path,))
