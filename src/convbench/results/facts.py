"""``facts.json``: what a measuring run knows beside asv's numbers, made into table rows.

`convbench measure` writes it. The other half of the package travels only through this file:
shapes and flops of problems, work of cells, which libraries an environment really loaded, what the
machine was and what else it did. Format 2 added host, provenance, budget and units; what a file
does not say is null in the tables.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from convbench.results.raw_files import loads_bounded

Row = dict[str, Any]

FORMATS = (1, 2)

HASH_DIGITS = 12
"""Digits of a library's SHA-256 that tell builds apart; `libraries_json` has all of them."""

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
_SAID_OF_RUNS = (
    *("environment_type", "asv_version", "quick", "bench", "dirty", "command", "lock_sha256"),
    *("environments_sha256", "seed", "python", "disturbed"),
)
_PAIRS = ("stride", "padding", "dilation")


@dataclass(frozen=True)
class Facts:
    """One run's facts: its name, and rows for the tables that are made of them."""

    project: str
    run: str
    machine: str
    commit: str
    started_at: datetime | None
    host: Mapping[str, Any]
    environments: Mapping[str, Mapping[str, Any]]
    problems: Mapping[str, Mapping[str, Any]]
    whole: Mapping[str, Any]

    def identity(self, environment: str) -> str:
        """Name the BLAS that an environment loaded; nothing for an unknown environment."""
        facts = self.environments.get(environment)
        return "" if facts is None else blas_identity(facts["blas"], facts["libraries"])

    def blas_sha256(self, environment: str) -> str:
        """Give the hash of the BLAS that an environment loaded; nothing for an unknown one."""
        facts = self.environments.get(environment)
        return "" if facts is None else blas_sha256(facts["blas"], facts["libraries"])


def parse_facts(raw: bytes) -> Facts:
    """Read ``facts.json``; raise ValueError, TypeError or KeyError when it is none."""
    data = loads_bounded(raw)
    if data["format"] not in FORMATS:
        known = " and ".join(map(str, FORMATS))
        raise ValueError(f"format {data['format']!r} of facts; this version reads {known}")
    # Neither Parquet nor the site holds lone surrogates, nor JSON the NaN that Python reads.
    json.dumps(data, ensure_ascii=False, allow_nan=False).encode()
    return Facts(
        project=str(data["project"]),
        run=str(data["run"]),
        machine=str(data["machine"]),
        commit=str(data["commit"]),
        started_at=_time(data["started_at"]),
        host=dict(data.get("host") or {}),
        environments=dict(data["environments"]),
        problems=dict(data["problems"]),
        whole=data,
    )


def blas_identity(blas: str, libraries: list[Mapping[str, Any]]) -> str:
    """Write the loaded BLAS in short: ``OpenBLAS 0.3.31 Haswell``, ``MKL 2026.2``.

    Only libraries of the claimed family count; without a claim, every BLAS. NumPy and SciPy may
    bring two versions of one family: both are named.
    """
    return " + ".join(sorted({_library_name(library) for library in _telling(blas, libraries)}))


def blas_sha256(blas: str, libraries: list[Mapping[str, Any]]) -> str:
    """Give the first digits of the SHA-256 of the file that `blas_identity` names.

    A rebuilt library keeps its version and changes its hash. Where NumPy and SciPy bring a file
    each, it is the hash of both hashes; where none was recorded, the empty text.
    """
    recorded = {library.get("sha256") or "" for library in _telling(blas, libraries)} - {""}
    if len(recorded) > 1:
        return hashlib.sha256("".join(sorted(recorded)).encode()).hexdigest()[:HASH_DIGITS]
    return "".join(recorded)[:HASH_DIGITS]


def _telling(blas: str, libraries: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Choose the libraries that stand for a BLAS build."""
    loaded = [library for library in libraries if library["family"] in BLAS_NAMES]
    claimed = [library for library in loaded if library["family"] == blas] or loaded
    # MKL is several files, of which only the entry point tells a version; which kernels lie beside
    # it in memory depends on what was called.
    return [library for library in claimed if library.get("version")] or claimed


def _library_name(library: Mapping[str, Any]) -> str:
    version = str(library.get("version") or "").removesuffix("-Product")
    # The kernels that the library chose for this processor make its speed.
    words = [BLAS_NAMES[library["family"]], version, library.get("architecture")]
    return " ".join(str(word) for word in words if word)


def tables_of(facts: Facts) -> dict[str, list[Row]]:
    """Return the rows that facts give to the small tables."""
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
        "machines": [place | _host_columns(facts.host)],
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
        "blas_sha256": blas_sha256(environment["blas"], libraries),
        "lapack": environment.get("lapack"),
        "cpus": _joined(environment.get("cpus")),
        "threads_claimed": environment.get("threads_claimed"),
    }


def _joined(numbers: list[int] | None) -> str | None:
    return None if numbers is None else ",".join(str(int(number)) for number in numbers)


def _host_columns(host: Mapping[str, Any]) -> Row:
    names = ("cores", "ram_bytes", "governor", "virtualised")
    whole = json.dumps(host, sort_keys=True) if host else None
    return {name: host.get(name) for name in names} | {"host_json": whole}


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
    said = {**data, **(data.get("provenance") or {})}
    budget, units = data.get("budget") or {}, data.get("units")
    return {
        "started_at": _time(data["started_at"]),
        "finished_at": _time(data["finished_at"]),
        "asv_exit_code": data["asv_exit_code"],
        "dropped_variables": [
            (name, str(text)) for name, text in (data.get("dropped_variables") or {}).items()
        ],
        "load_before": _one_minute(load.get("before")),
        "load_after": _one_minute(load.get("after")),
        **{name: said.get(name) for name in _SAID_OF_RUNS},
        "budget_minutes": budget.get("minutes"),
        **{name: budget.get(name) for name in ("measured_minutes", "rounds", "cells_left_out")},
        "units_json": None if units is None else json.dumps(_objects(units), sort_keys=True),
    }


def _objects(units: object) -> list[Mapping[str, Any]]:
    if not isinstance(units, list) or not all(isinstance(unit, dict) for unit in units):
        raise TypeError(f"units: expected a list of objects, found {repr(units)[:40]}")
    return units


def _time(text: str | None) -> datetime | None:
    if text is None:
        return None
    moment = datetime.fromisoformat(text)
    # In UTC it must still be a date that Python has, or no one could read the table again.
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _one_minute(load_averages: list[float] | None) -> float | None:
    return float(load_averages[0]) if load_averages else None
