"""What this process is, written beside the results: BLAS identity, packages, cost of every cell.

asv stores numbers only. `convbench measure` names a folder in CONVBENCH_FACTS, every measuring
process leaves one file per environment there, and they become `facts.json` of the run.
"""

import dataclasses
import hashlib
import json
import os
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import Any

from convbench import STRATEGIES, ConvProblem

from . import _axes, _process
from ._today import blas, workloads

PACKAGES = (
    "numpy",
    "scipy",
    "numba",
    "llvmlite",
    "threadpoolctl",
    "asv_runner",
    "convbench",
    "mkl",
)


def write(refused: str | None, threads: int, cpus: Iterable[int]) -> None:
    """Leave this environment's facts in the folder that CONVBENCH_FACTS names, if it names one."""
    folder = os.environ.get("CONVBENCH_FACTS")
    if not folder:
        return
    facts = {
        "environment": os.environ.get("ASV_ENV_NAME", ""),
        "blas": os.environ.get("CONVBENCH_BLAS", ""),
        "threads": threads,
        "threads_claimed": os.environ.get("CONVBENCH_THREADS", ""),
        "cpus": sorted(cpus),
        "guard": refused or "ok",
        "lapack": blas.lapack(),
        "libraries": [dataclasses.asdict(library) for library in blas.loaded_blas()],
        "packages": packages(),
        "seed": _process.SEED,
        "problems": problems(),
        "cells": [
            cell(strategy, problem, dtype)
            for strategy in _axes.STRATEGIES
            for problem in (*_axes.PROBLEMS, *_axes.SMALLER_BLURS)
            for dtype in ("float32", "float64")
        ],
    }
    # An environment's name holds all its requirements: too long for a file on some systems.
    name = hashlib.sha256(str(facts["environment"]).encode()).hexdigest()[:16]
    target = Path(folder, f"{name}.json")
    partial = target.with_suffix(f".{os.getpid()}.partial")
    partial.write_text(json.dumps(facts))
    partial.replace(target)


def packages() -> dict[str, str]:
    """Versions of what computes, as installed here."""
    installed = {}
    for name in PACKAGES:
        try:
            installed[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return installed


def problems() -> dict[str, dict[str, Any]]:
    """Shape and cost of the named problems."""
    rows = {}
    for name, arguments in workloads.WORKLOADS.items():
        single = ConvProblem(**arguments, dtype="float32")
        double = ConvProblem(**arguments, dtype="float64")
        shape = {
            field: getattr(single, field)
            for field in (
                *("batch", "in_channels", "height", "width", "out_channels"),
                *("kernel_height", "kernel_width", "stride", "padding", "dilation", "groups"),
                *("out_height", "out_width", "flops"),
            )
        }
        rows[name] = shape | {"bytes_float32": single.bytes, "bytes_float64": double.bytes}
    return rows


def cell(strategy_name: str, problem_name: str, dtype: str) -> dict[str, Any]:
    """Cost of one cell in the installed convbench, or the reason why it has none."""
    row = {"strategy": strategy_name, "problem": problem_name, "dtype": dtype, "family": ""}
    unknown = {"flops": None, "workspace_bytes": None}
    if strategy_name not in STRATEGIES:
        return row | unknown | {"unsupported": "this commit does not have the strategy"}
    strategy = STRATEGIES[strategy_name]
    row["family"] = strategy.family
    problem = ConvProblem(**workloads.WORKLOADS[problem_name], dtype=dtype)
    if reason := strategy.unsupported(problem):
        return row | unknown | {"unsupported": reason}
    costs = {
        "flops": strategy.flops(problem),
        "workspace_bytes": strategy.workspace_bytes(problem),
    }
    return row | costs | {"unsupported": None}
