"""``facts.json``: what a measuring run knows beside asv's numbers, made into table rows.

`convbench measure` writes it. The other half of the package travels only through this file:
shapes and flops of problems, work of cells, and which libraries an environment really loaded.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

Row = dict[str, Any]

FORMAT = 1

# Families of threadpoolctl's words that are a BLAS, with the names that their makers use.
BLAS_NAMES = {
    "openblas": "OpenBLAS",
    "mkl": "MKL",
    "netlib": "Netlib",
    "blis": "BLIS",
    "flexiblas": "FlexiBLAS",
    "accelerate": "Accelerate",
}
_SIZES = (
    *("batch", "in_channels", "height", "width", "out_channels", "kernel_height", "kernel_width"),
    *("groups", "out_height", "out_width", "flops", "bytes_float32", "bytes_float64"),
)
_PAIRS = ("stride", "padding", "dilation")


@dataclass(frozen=True)
class Facts:
    """One run's facts: its name, and rows for the tables that are made of them."""

    project: str
    run: str
    machine: str
    commit: str
    environments: Mapping[str, Mapping[str, Any]]
    problems: Mapping[str, Mapping[str, Any]]
    whole: Mapping[str, Any]

    def identity(self, environment: str) -> str:
        """Name the BLAS that an environment loaded; nothing for an unknown environment."""
        facts = self.environments.get(environment)
        return "" if facts is None else blas_identity(facts["blas"], facts["libraries"])


def parse_facts(raw: bytes) -> Facts:
    """Read ``facts.json``; raise ValueError, TypeError or KeyError when it is none."""
    data = json.loads(raw)
    if data["format"] != FORMAT:
        raise ValueError(f"format {data['format']!r} of facts; this version reads {FORMAT}")
    json.dumps(data, ensure_ascii=False).encode()  # Parquet holds no lone surrogates
    return Facts(
        project=str(data["project"]),
        run=str(data["run"]),
        machine=str(data["machine"]),
        commit=str(data["commit"]),
        environments=dict(data["environments"]),
        problems=dict(data["problems"]),
        whole=data,
    )


def blas_identity(blas: str, libraries: list[Mapping[str, Any]]) -> str:
    """Write the loaded BLAS in short: ``OpenBLAS 0.3.31 Haswell``, ``MKL 2026.2``.

    Only libraries of the claimed family count; without a claim, every BLAS. NumPy and SciPy may
    bring two versions of one family: both are named.
    """
    loaded = [library for library in libraries if library["family"] in BLAS_NAMES]
    claimed = [library for library in loaded if library["family"] == blas] or loaded
    # MKL is several files, of which only the entry point tells a version.
    telling = [library for library in claimed if library.get("version")]
    return " + ".join(sorted({_library_name(library) for library in telling or claimed}))


def _library_name(library: Mapping[str, Any]) -> str:
    version = str(library.get("version") or "").removesuffix("-Product")
    # The kernels that the library chose for this processor make its speed.
    words = [BLAS_NAMES[library["family"]], version, library.get("architecture")]
    return " ".join(str(word) for word in words if word)


def tables_of(facts: Facts) -> dict[str, list[Row]]:
    """Return the rows that facts give to `problems`, `cells`, `environments` and `runs`."""
    place = {"project": facts.project, "machine": facts.machine}
    environments, cells = [], []
    for name, environment in facts.environments.items():
        here = place | {"environment": name, "run": facts.run, "commit": facts.commit}
        environments.append(here | _environment_row(environment))
        cells += [here | _cell_row(environment["blas"], cell) for cell in environment["cells"]]
    return {
        "problems": [
            {"project": facts.project, "problem": name} | _problem_row(sizes)
            for name, sizes in facts.problems.items()
        ],
        "environments": environments,
        "cells": cells,
        "runs": [place | {"run": facts.run, "commit": facts.commit} | _run_row(facts.whole)],
    }


def _environment_row(environment: Mapping[str, Any]) -> Row:
    libraries = environment["libraries"]
    return {
        "blas": str(environment["blas"]),
        "threads": str(environment["threads"]),
        "guard": str(environment["guard"]),
        "packages": [(name, str(text)) for name, text in environment["packages"].items()],
        "libraries_json": json.dumps(libraries, sort_keys=True),
        "identity": blas_identity(environment["blas"], libraries),
    }


def _cell_row(blas: str, cell: Mapping[str, Any]) -> Row:
    names = ("strategy", "family", "problem", "dtype")
    maybe = ("flops", "workspace_bytes", "unsupported")
    row = {name: cell[name] for name in names} | {name: cell.get(name) for name in maybe}
    return row | {"blas": blas}


def _problem_row(sizes: Mapping[str, Any]) -> Row:
    row = {name: sizes[name] for name in _SIZES}
    for name in _PAIRS:
        row[f"{name}_h"], row[f"{name}_w"] = sizes[name]
    return row


def _run_row(data: Mapping[str, Any]) -> Row:
    load = data.get("load_average") or {}
    return {
        "started_at": _time(data["started_at"]),
        "finished_at": _time(data["finished_at"]),
        "asv_exit_code": data["asv_exit_code"],
        "dropped_variables": [
            (name, str(text)) for name, text in (data.get("dropped_variables") or {}).items()
        ],
        "load_before": _one_minute(load.get("before")),
        "load_after": _one_minute(load.get("after")),
    }


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _one_minute(load_averages: list[float] | None) -> float | None:
    return float(load_averages[0]) if load_averages else None
