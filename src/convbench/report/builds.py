"""BLAS builds as runs found them: what was mapped into the process, and what ran on it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any

import pandas as pd

from convbench.report.measurements import text
from convbench.report.naming import records
from convbench.report.readable import counted

SHORT_SHA = 12
"""Digits of a hash that are shown; nobody meets the same ones in another file by chance."""


@dataclass(frozen=True, slots=True)
class Library:
    """A library that the measuring process had mapped; what could not be known is empty."""

    name: str
    sha256: str
    internal_api: str
    version: str
    architecture: str
    threading_layer: str
    threads: str
    package: str

    @property
    def short_sha(self) -> str:
        """The first digits of the file's SHA-256."""
        return self.sha256[:SHORT_SHA]

    @property
    def words(self) -> str:
        """What the library says of itself, in one line."""
        threads = counted(int(self.threads), "thread") if self.threads.isdigit() else ""
        said = (
            f"version {self.version}" if self.version else "",
            f"{self.internal_api} interface" if self.internal_api else "",
            f"{self.architecture} kernels" if self.architecture else "",
            self.threading_layer,
            threads,
            f"package {self.package}" if self.package else "",
        )
        return " · ".join(filter(None, said))


@dataclass(frozen=True, slots=True)
class Build:
    """A BLAS build in a run: its identity, how it ran, and whether the guard proved it.

    `repeats` tells that the run listed before it mapped the same libraries: they are told once.
    """

    line: str
    identity: str
    guard: str
    ran: str
    lapack: str
    libraries: tuple[Library, ...]
    repeats: bool = False


def builds_of(environments: pd.DataFrame) -> tuple[Build, ...]:
    """Describe the builds of one run's environments, by name."""
    ordered = environments.sort_values(["blas", "threads", "environment"], kind="stable")
    return tuple(_build(row) for row in records(ordered))


def mark_repeats(builds: Sequence[Build], told: dict[tuple[str, str], Build]) -> tuple[Build, ...]:
    """Mark the builds whose libraries `told` has already; it then has these builds' ones."""
    marked = []
    for build in builds:
        key = (build.line, build.ran)
        same = key in told and told[key].libraries == build.libraries
        told[key] = build
        marked.append(replace(build, repeats=same))
    return tuple(marked)


def _build(row: Mapping[str, Any]) -> Build:
    blas = text(row["blas"])
    described = json.loads(text(row["libraries_json"]) or "[]")
    return Build(
        blas or text(row["environment"]),
        text(row["identity"]),
        text(row["guard"]),
        _how_it_ran(row, [one for one in described if one.get("family") == blas]),
        text(row["lapack"]),
        tuple(map(_library, described)),
    )


def _how_it_ran(row: Mapping[str, Any], claimed: list[Mapping[str, Any]]) -> str:
    """Say threads, CPUs and threading layer: ``1 thread on CPU 0, pthreads``."""
    threads, cpus = text(row["threads"]), text(row["cpus"])
    layers = sorted({text(one.get("threading_layer")) for one in claimed} - {""})
    ran = counted(int(threads), "thread") if threads.isdigit() else threads
    if text(row["threads_claimed"]) == "all":
        ran = f"all {ran}"
    if cpus:
        ran += f" on CPU{'s' if ',' in cpus else ''} {cpus.replace(',', ', ')}"
    return ", ".join(filter(None, (ran.strip(), *layers)))


def _library(facts: Mapping[str, Any]) -> Library:
    names = ("sha256", "internal_api", "version", "architecture", "threading_layer", "threads")
    return Library(
        PurePosixPath(text(facts.get("file"))).name,
        *(text(facts.get(name)) for name in (*names, "package")),
    )
