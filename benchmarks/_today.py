"""Modules of the current tree, whatever commit of convbench is installed.

A history is only one if every commit is measured by the same yardstick: shapes, the guard and the
error reference come from the files beside this folder.
"""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

SOURCE = Path(__file__).resolve().parents[1] / "src" / "convbench"


def load(name: str) -> ModuleType:
    """Load one self-contained module of the current tree under a name of its own."""
    spec = importlib.util.spec_from_file_location(f"convbench_today_{name}", SOURCE / f"{name}.py")
    assert spec is not None  # a path that ends in .py has a spec, and the spec a loader
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up by name
    spec.loader.exec_module(module)
    return module


blas = load("blas")
memory_levels = load("memory_levels")
peaks = load("peaks")
reference = load("reference")
workloads = load("workloads")
